// SPDX-License-Identifier: MIT
#include <fanfold/core/tensor.hpp>
#include <fanfold/kernel/pad.hpp>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;
using kernel::pad_mode;

namespace {

std::vector<int> padded(pad_mode mode, std::vector<int> x, std::int64_t before, std::int64_t after) {
    const auto n = static_cast<std::int64_t>(x.size());
    std::vector<std::int32_t> out(static_cast<std::size_t>(n + before + after), 77);
    const std::int32_t value = 9;
    kernel::pad(mode, view<const std::int32_t>(x.data(), {n}), std::span<const std::int64_t>(&before, 1),
                reinterpret_cast<const std::byte*>(&value),
                view<std::int32_t>(out.data(), {static_cast<std::int64_t>(out.size())}));
    return out;
}

/// Where element i of a padded axis of n stands, by walking there.
std::int64_t walked(pad_mode mode, std::int64_t i, std::int64_t n) {
    while (i < 0 || i >= n) {
        if (mode == pad_mode::constant) return -1;
        if (mode == pad_mode::edge) i = i < 0 ? 0 : n - 1;
        if (mode == pad_mode::wrap) i += i < 0 ? n : -n;
        if (mode == pad_mode::reflect) i = n == 1 ? 0 : i < 0 ? -i : 2 * (n - 1) - i;
    }
    return i;
}

}  // namespace

TEST_CASE("each mode continues a row in its own way, and negative counts cut off first", "[kernel][pad]") {
    using row = std::vector<int>;
    CHECK(padded(pad_mode::constant, {1, 2, 3}, 2, 1) == row{9, 9, 1, 2, 3, 9});
    CHECK(padded(pad_mode::edge, {1, 2, 3}, 2, 1) == row{1, 1, 1, 2, 3, 3});
    CHECK(padded(pad_mode::reflect, {1, 2, 3}, 3, 2) == row{2, 3, 2, 1, 2, 3, 2, 1});
    CHECK(padded(pad_mode::wrap, {1, 2, 3}, 2, 4) == row{2, 3, 1, 2, 3, 1, 2, 3, 1});
    CHECK(padded(pad_mode::constant, {1, 2, 3}, -1, 2) == row{2, 3, 9, 9});
    CHECK(padded(pad_mode::reflect, {1, 2, 3, 4}, 2, -1) == row{3, 2, 1, 2, 3});
    CHECK(padded(pad_mode::edge, {1, 2, 3, 4}, -2, 1) == row{3, 4, 4});
    CHECK(padded(pad_mode::constant, {1, 2, 3}, -2, -1) == row{});
    CHECK(padded(pad_mode::constant, {}, 1, 1) == row{9, 9});
    CHECK(padded(pad_mode::constant, {1}, -1, 2) == row{9, 9});
    CHECK(padded(pad_mode::reflect, {5}, 2, 2) == row{5, 5, 5, 5, 5});
}

TEST_CASE("padding any axes of any width agrees with walking there", "[kernel][pad]") {
    const shape from{3, 4, 5}, to{6, 4, 9};
    const std::int64_t before[] = {2, 1, 3};
    for (const pad_mode mode : {pad_mode::constant, pad_mode::reflect, pad_mode::edge, pad_mode::wrap})
        for (const element type : {element::uint8, element::float16, element::float32, element::int64}) {
            tensor in(type, from), out(type, to);
            bool right = true;
            visit_width(type, [&]<class Word>(Word) {
                auto* x = reinterpret_cast<Word*>(in.data());
                for (std::size_t i = 0; i < in.size(); ++i) x[i] = static_cast<Word>(i + 1);
                kernel::pad(mode, in, before, nullptr, out);
                const auto* z = reinterpret_cast<const Word*>(out.data());
                for (std::int64_t i = 0; i < to[0]; ++i)
                    for (std::int64_t j = 0; j < to[1]; ++j)
                        for (std::int64_t k = 0; k < to[2]; ++k) {
                            // axis 1 loses its last element
                            const std::int64_t a = walked(mode, i - 2, 3), b = walked(mode, j - 1, 3),
                                               c = walked(mode, k - 3, 5);
                            const bool outside = a < 0 || b < 0 || c < 0;
                            right = right && *z++ == (outside ? Word{0} : x[(a * 4 + b) * 5 + c]);
                        }
            });
            CHECK(right);
        }
    const float one = 5;
    float other = 0;
    kernel::pad(pad_mode::edge, view<const float>(&one, {}), {}, nullptr, view<float>(&other, {}));
    CHECK(other == 5);
}

TEST_CASE("padding refuses what does not fit or has nothing to repeat", "[kernel][pad]") {
    const tensor in(element::float32, {3, 4}), none(element::float32, {0, 4});
    tensor out(element::float32, {5, 4}), gone(element::float32, {1, 4}), flat(element::float32, {5});
    const std::int64_t before[] = {1, 0}, cut[] = {-4, 0};
    CHECK_THROWS_WITH(kernel::pad(pad_mode::edge, none, before, nullptr, out),
                      "pad: float32 [0, 4] into float32 [5, 4]: axis 0 keeps 0 elements");
    CHECK_THROWS_AS(kernel::pad(pad_mode::constant, in, cut, nullptr, gone), std::invalid_argument);
    CHECK_THROWS_AS(kernel::pad(pad_mode::constant, in, before, nullptr, flat), std::invalid_argument);
}
