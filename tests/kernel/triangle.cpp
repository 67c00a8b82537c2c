// SPDX-License-Identifier: MIT
#include <fanfold/core/tensor.hpp>
#include <fanfold/kernel/triangle.hpp>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using kernel::triangle;

TEST_CASE("both triangles of every matrix, with any diagonal, of any width, in place too", "[kernel][triangle]") {
    for (const element type : {element::uint8, element::float16, element::float32, element::int64})
        for (const shape& extents : {shape{3, 5}, shape{2, 5, 3}, shape{4, 4}, shape{1, 1}})
            for (std::int64_t diagonal = -7; diagonal < 8; ++diagonal)
                for (const triangle part : {triangle::upper, triangle::lower}) {
                    tensor in(type, extents), out(type, extents);
                    bool right = true;
                    visit_width(type, [&]<class Word>(Word) {
                        auto* x = reinterpret_cast<Word*>(in.data());
                        for (std::size_t i = 0; i < in.size(); ++i) x[i] = static_cast<Word>(i + 1);
                        kernel::trilu(part, diagonal, in, out);
                        kernel::trilu(part, diagonal, in, in);
                        const auto* z = reinterpret_cast<const Word*>(out.data());
                        const auto rows = extents[extents.rank() - 2], columns = extents[extents.rank() - 1];
                        for (std::size_t i = 0; i < in.size(); ++i) {
                            const auto k = static_cast<std::int64_t>(i);
                            const std::int64_t at = k % columns - k / columns % rows;
                            const bool kept = part == triangle::upper ? at >= diagonal : at <= diagonal;
                            right = right && z[i] == (kept ? static_cast<Word>(i + 1) : Word{0}) && x[i] == z[i];
                        }
                    });
                    CHECK(right);
                }
    tensor row(element::float32, {3}), none(element::float32, {2, 0});
    kernel::trilu(triangle::upper, 0, none, none);
    CHECK_THROWS_WITH(kernel::trilu(triangle::upper, 0, row, row), "trilu: float32 [3] into float32 [3]");
}
