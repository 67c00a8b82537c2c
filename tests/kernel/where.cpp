// SPDX-License-Identifier: MIT
#include <fanfold/core/tensor.hpp>
#include <fanfold/kernel/where.hpp>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;

namespace {

std::int64_t repeated(const shape& of, std::int64_t i, std::int64_t j, std::int64_t k) {
    const std::int64_t index[] = {i, j, k};
    std::int64_t at = 0;
    for (std::size_t a = 0; a < of.rank(); ++a) at = at * of[a] + (of[a] == 1 ? 0 : index[a + 3 - of.rank()]);
    return at;
}

}  // namespace

TEST_CASE("where chooses with all three broadcast, of any width", "[kernel][where]") {
    const shape shapes[][3] = {{{2, 3, 40}, {2, 3, 40}, {2, 3, 40}},
                               {{3, 1}, {}, {2, 1, 40}},
                               {{2, 1, 40}, {3, 40}, {1}},
                               {{}, {2, 3, 40}, {1, 1, 40}}};
    for (const auto& three : shapes)
        for (const element type : {element::boolean, element::bfloat16, element::int32, element::float64}) {
            const shape &c = three[0], &l = three[1], &r = three[2];  // clang 14 captures no bindings
            tensor pick(element::boolean, c), a(type, l), b(type, r), out(type, {2, 3, 40});
            for (std::size_t i = 0; i < pick.size(); ++i) pick.as<bool>().data()[i] = i % 3 != 0;
            const bool bits = type == element::boolean;
            visit_width(type, [&]<class Word>(Word) {
                const auto fill = [&](tensor& t, std::size_t from) {
                    for (std::size_t i = 0; i < t.size(); ++i)
                        reinterpret_cast<Word*>(t.data())[i] = static_cast<Word>(bits ? (from + i) % 2 : from + i);
                };
                fill(a, 1);
                fill(b, 1000);
                kernel::where(pick.as<bool>(), a, b, out);
                bool right = true;
                std::size_t at = 0;
                for (std::int64_t i = 0; i < 2; ++i)
                    for (std::int64_t j = 0; j < 3; ++j)
                        for (std::int64_t k = 0; k < 40; ++k) {
                            const auto* x = reinterpret_cast<const Word*>(a.data()) + repeated(l, i, j, k);
                            const auto* y = reinterpret_cast<const Word*>(b.data()) + repeated(r, i, j, k);
                            const bool left = pick.as<bool>().data()[repeated(c, i, j, k)];
                            right = right && reinterpret_cast<const Word*>(out.data())[at++] == (left ? *x : *y);
                        }
                CHECK(right);
            });
        }
}

TEST_CASE("where refuses shapes and types that do not fit", "[kernel][where]") {
    tensor pick(element::boolean, {3}), a(element::float32, {3}), b(element::int32, {3}), out(element::float32, {2, 3});
    CHECK_THROWS_WITH(kernel::where(pick.as<bool>(), a, a, out),
                      "where: [3] of float32 [3] and float32 [3] into float32 [2, 3]");
    CHECK_THROWS_AS(kernel::where(pick.as<bool>(), a, b, a), std::invalid_argument);
}
