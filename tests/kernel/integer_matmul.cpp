// SPDX-License-Identifier: MIT
#include <fanfold/kernel/integer_matmul.hpp>

#include <algorithm>
#include <vector>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;

namespace {

tensor bytes(element type, const shape& extents, numbers& next) {
    tensor made(type, extents);
    for (std::size_t i = 0; i < made.size(); ++i)
        made.data()[i] = static_cast<std::byte>(static_cast<int>(next() * 127) + 128);
    return made;
}
int value(const tensor& t, std::size_t i) {
    return t.type() == element::int8 ? int{t.as<std::int8_t>().flat()[i]} : int{t.as<std::uint8_t>().flat()[i]};
}
int zero(const tensor& t, std::size_t i) { return t.size() == 0 ? 0 : value(t, t.size() == 1 ? 0 : i); }

}  // namespace

TEST_CASE("integer products are exact for every pair of types and every kind of zero point",
          "[kernel][integer][every_isa]") {
    numbers next(1);
    workspace space;
    for (const auto set : every_isa())
        for (const element left : {element::int8, element::uint8})
            for (const element right : {element::int8, element::uint8})
                for (const auto& [m, k, n] :
                     {std::array<std::int64_t, 3>{7, 19, 21}, {1, 1, 1}, {4, 300, 16}, {40, 600, 3}, {3, 0, 5}}) {
                    const tensor a = bytes(left, {m, k}, next), b = bytes(right, {k, n}, next);
                    for (const int kind : {0, 1, 2}) {
                        const tensor za = bytes(left, {kind == 0 ? 0 : kind == 1 ? 1 : m}, next);
                        const tensor zb = bytes(right, {kind == 0 ? 0 : kind == 1 ? 1 : n}, next);
                        std::vector<std::int32_t> out(static_cast<std::size_t>(m * (n + 3)), 77);
                        kernel::detail::matmul_integer(set, a, za, b, zb, {out.data(), shape{m, n}, strides{n + 3, 1}},
                                                       space);
                        bool exact = true;
                        const auto wide = static_cast<std::size_t>(n), deep = static_cast<std::size_t>(k);
                        for (std::size_t i = 0; i < static_cast<std::size_t>(m); ++i) {
                            for (std::size_t j = 0; j < wide; ++j) {
                                int sum = 0;
                                for (std::size_t l = 0; l < deep; ++l)
                                    sum +=
                                        (value(a, i * deep + l) - zero(za, i)) * (value(b, l * wide + j) - zero(zb, j));
                                exact = exact && out[i * (wide + 3) + j] == sum;
                            }
                            for (std::size_t j = wide; j < wide + 3; ++j)
                                exact = exact && out[i * (wide + 3) + j] == 77;
                        }
                        CHECK(exact);
                    }
                }
}

TEST_CASE("integer convolution is exact, padding counts as the zero point", "[kernel][integer][every_isa]") {
    numbers next(2);
    workspace space;
    const kernel::conv_geometry g{.stride = {2, 1}, .dilation = {1, 2}, .before = {1, 2}, .after = {0, 1}, .groups = 2};
    const shape in_shape{2, 4, 6, 7}, w_shape{6, 2, 3, 2};
    const shape out_shape = kernel::conv_shape(in_shape, w_shape, g);
    for (const auto set : every_isa())
        for (const element type : {element::int8, element::uint8}) {
            const tensor in = bytes(type, in_shape, next), w = bytes(element::int8, w_shape, next);
            const tensor in_zero = bytes(type, {1}, next), w_zero = bytes(element::int8, {6}, next);
            std::vector<std::int32_t> out(out_shape.volume());
            kernel::detail::conv_integer(set, in, in_zero, w, w_zero, g, {out.data(), out_shape}, space);
            bool exact = true;
            std::size_t at = 0;
            for (std::int64_t n = 0; n < 2; ++n)
                for (std::int64_t o = 0; o < 6; ++o)
                    for (std::int64_t y = 0; y < out_shape[2]; ++y)
                        for (std::int64_t x = 0; x < out_shape[3]; ++x, ++at) {
                            int sum = 0;
                            for (std::int64_t c = 0; c < 2; ++c)
                                for (std::int64_t ky = 0; ky < 3; ++ky)
                                    for (std::int64_t kx = 0; kx < 2; ++kx) {
                                        const std::int64_t iy = y * 2 + ky - 1, ix = x + kx * 2 - 2;
                                        if (iy < 0 || ix < 0 || iy >= 6 || ix >= 7) continue;
                                        const auto i = ((n * 4 + o / 3 * 2 + c) * 6 + iy) * 7 + ix;
                                        const auto k = ((o * 2 + c) * 3 + ky) * 2 + kx;
                                        sum += (value(in, static_cast<std::size_t>(i)) - value(in_zero, 0)) *
                                               (value(w, static_cast<std::size_t>(k)) -
                                                value(w_zero, static_cast<std::size_t>(o)));
                                    }
                            exact = exact && out[at] == sum;
                        }
            CHECK(exact);
        }
}

TEST_CASE("the greatest products stay exact over more steps than a float counts", "[kernel][integer][every_isa]") {
    workspace space;
    tensor a(element::uint8, {2, 1030}), b(element::uint8, {1030, 17});
    std::fill_n(a.data(), a.size(), std::byte{255});
    std::fill_n(b.data(), b.size(), std::byte{255});
    b.data()[5 * 17] = std::byte{254};
    const tensor image = tensor(a.rows(0, 1).reshaped({1, 1030, 1})),
                 turned = tensor(b.rows(0, 1030).reshaped({17, 1030, 1}));
    std::vector<std::int32_t> out(34), convolved(17);
    for (const auto set : every_isa()) {
        kernel::detail::matmul_integer(set, a, {}, b, {}, {out.data(), shape{2, 17}}, space);
        for (std::size_t i = 0; i < 34; ++i) CHECK(out[i] == 1030 * 255 * 255 - (i % 17 == 0 ? 255 : 0));
        kernel::detail::conv_integer(set, image, {}, turned, {}, {}, {convolved.data(), shape{1, 17, 1}}, space);
        for (std::size_t i = 0; i < 17; ++i) CHECK(convolved[i] == 1030 * 255 * 255 - (i == 0 ? 255 : 0));
    }
}

TEST_CASE("integer products refuse other types and odd numbers of zero points", "[kernel][integer]") {
    workspace space;
    const tensor a(element::uint8, {2, 3}), b(element::uint8, {3, 2}), wide(element::int32, {3, 2});
    const tensor two(element::uint8, {2}), three(element::uint8, {3}), none(element::uint8, {0});
    std::vector<std::int32_t> out(4);
    const view<std::int32_t> to(out.data(), {2, 2});
    kernel::matmul_integer(a, {}, b, {}, to, space);
    CHECK_THROWS_AS(kernel::matmul_integer(a, none, wide, none, to, space), std::invalid_argument);
    CHECK_THROWS_AS(kernel::matmul_integer(a, three, b, two, to, space), std::invalid_argument);
    CHECK_THROWS_AS(kernel::matmul_integer(a, none, a, none, to, space), std::invalid_argument);
}
