// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/element_ranges.hpp>

#include "../../catch.hpp"
#include "../../kernel/helpers.hpp"

using namespace fanfold;

namespace {

void add_one(const tensor_view& in, const mutable_tensor_view& out) {
    for (std::size_t i = 0; i < out.size(); ++i)
        reinterpret_cast<float*>(out.data())[i] += reinterpret_cast<const float*>(in.data())[i] + 1;
}

}  // namespace

TEST_CASE("every element is computed once, by rows or by sixteens, however they are shared") {
    tensor in(element::float32, {5, 13});
    for (std::size_t i = 0; i < in.size(); ++i) in.as<float>().data()[i] = static_cast<float>(i);
    for (const bool by_rows : {true, false})
        for (const tile_loop& tiles : {tile_loop(), fanfold_test::backwards(4)}) {
            workspace space;
            space.tiles = tiles;
            tensor out(element::float32, {5, 13});  // zeros
            const std::uint64_t flops = std::uint64_t{1} << 30;
            if (by_rows)
                detail::over_rows(space, flops, mutable_tensor_view(out), add_one, tensor_view(in));
            else
                detail::over_elements(space, flops, mutable_tensor_view(out), add_one, tensor_view(in));
            bool right = true;
            for (std::size_t i = 0; i < out.size(); ++i)
                right = right && out.as<float>().data()[i] == static_cast<float>(i + 1);
            CHECK(right);
        }
}
