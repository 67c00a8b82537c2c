// SPDX-License-Identifier: MIT
#include <fanfold/kernel/quantize.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;

namespace {

using bytes = std::vector<std::uint8_t>;

tensor some_bytes(element type, const shape& extents, numbers& next) {
    tensor made(type, extents);
    for (std::size_t i = 0; i < made.size(); ++i)
        made.data()[i] = static_cast<std::byte>(static_cast<int>(next() * 127) + 128);
    return made;
}
int value(const tensor& t, std::size_t i) {
    return t.type() == element::int8 ? int{t.as<std::int8_t>().flat()[i]} : int{t.as<std::uint8_t>().flat()[i]};
}

}  // namespace

TEST_CASE("quantizing rounds halves to even and stays in range", "[kernel][quantize]") {
    const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    const tensor in = tensor::of<float>({12}, {0, 1, 3, 5, -1, -3, 1000, -1000, inf, -inf, nan, 254});
    tensor out(element::uint8, {12}), narrow(element::int8, {12}), wide(element::int16, {12});
    const float two = 2;
    const tensor middle = tensor::of<std::uint8_t>({}, {128}), lowest = tensor::of<std::int16_t>({1}, {-32768});
    kernel::quantize_linear(in, {&two, 1}, middle, 0, out);
    CHECK(bytes(out.as<std::uint8_t>().flat().begin(), out.as<std::uint8_t>().flat().end()) ==
          bytes{128, 128, 130, 130, 128, 126, 255, 0, 255, 0, 128, 255});
    kernel::quantize_linear(in, {&two, 1}, {}, 0, narrow);
    CHECK(std::vector<int>(narrow.as<std::int8_t>().flat().begin(), narrow.as<std::int8_t>().flat().end()) ==
          std::vector<int>{0, 0, 2, 2, 0, -2, 127, -128, 127, -128, 0, 127});
    kernel::quantize_linear(in, {&two, 1}, lowest, 0, wide);
    CHECK(wide.as<std::int16_t>().flat()[6] == -32268);
    CHECK(wide.as<std::int16_t>().flat()[7] == -32768);
}

TEST_CASE("scales and zero points may be given along any axis, there and back", "[kernel][quantize]") {
    numbers next(1);
    const shape extents{3, 4, 5};
    const std::vector<float> values = next.some(60);
    for (std::size_t axis = 0; axis < 3; ++axis)
        for (const element type : {element::int8, element::uint8, element::int16, element::uint16}) {
            const auto n = static_cast<std::size_t>(extents[axis]);
            std::vector<float> scale(n);
            for (float& s : scale) s = 0.01F + 0.01F * std::abs(next());
            tensor zero(type, {extents[axis]}), out(type, extents);
            for (std::size_t c = 0; c < n; ++c) zero.data()[c * size_of(type)] = static_cast<std::byte>(100 + c);
            kernel::quantize_linear(view<const float>(values.data(), extents), scale, zero, axis, out);
            std::vector<float> back(60);
            kernel::dequantize_linear(out, scale, zero, axis, {back.data(), extents});
            const std::size_t step = static_cast<std::size_t>(dense_strides(extents)[axis]);
            bool close = true;
            for (std::size_t i = 0; i < 60; ++i) {
                const double s = scale[i / step % n], z = 100 + static_cast<double>(i / step % n);
                const double most = type == element::int8 ? 127 - z : type == element::uint8 ? 255 - z : 1e9;
                const double least = type == element::int8 ? -128 - z : type == element::int16 ? -1e9 : -z;
                const double q = std::min(most, std::max(least, std::nearbyint(double{values[i]} / s)));
                close = close && std::abs(back[i] - q * s) <= 1e-5;
            }
            CHECK(close);
        }
    std::vector<float> plain(2);
    const float half = 0.5F;
    const tensor stored = tensor::of<std::int32_t>({2}, {-7, 1 << 20});
    kernel::dequantize_linear(stored, {&half, 1}, {}, 0, {plain.data(), shape{2}});
    CHECK(plain == std::vector<float>{-3.5F, 524288});
}

TEST_CASE("dynamic quantization covers the range of its elements and zero", "[kernel][quantize]") {
    const std::vector<float> values{0, 2, -3, -2.5F, 1.34F, 0.5F};
    bytes out(6);
    const auto made = kernel::dynamic_quantize_linear({values.data(), shape{6}}, {out.data(), shape{6}});
    CHECK(near(made.scale, 5.0 / 255, 1));
    CHECK(int{made.zero_point} == 153);
    CHECK(out == bytes{153, 255, 0, 26, 221, 179});
    const std::vector<float> nothing(3, 0.0F);
    bytes zeros(3, 9);
    CHECK(kernel::dynamic_quantize_linear({nothing.data(), shape{3}}, {zeros.data(), shape{3}}).scale == 1);
    CHECK(zeros == bytes{0, 0, 0});
}

TEST_CASE("quantized products agree with exact sums, scaled and rounded", "[kernel][quantize]") {
    numbers next(2);
    workspace space;
    for (const element type : {element::int8, element::uint8}) {
        const tensor a = some_bytes(type, {3, 9}, next), b = some_bytes(element::int8, {9, 5}, next);
        const tensor za = some_bytes(type, {1}, next), zb = some_bytes(element::int8, {5}, next);
        const tensor zy = some_bytes(type, {1}, next);
        const std::vector<float> sa{0.02F}, sb{0.01F, 0.02F, 0.03F, 0.04F, 0.05F};
        tensor out(type, {3, 5});
        kernel::qlinear_matmul(a, sa, za, b, sb, zb, 0.5F, zy, out, space);
        const int low = type == element::int8 ? -128 : 0, high = low + 255;
        bool right = true;
        for (std::size_t m = 0; m < 3; ++m)
            for (std::size_t n = 0; n < 5; ++n) {
                int sum = 0;
                for (std::size_t k = 0; k < 9; ++k)
                    sum += (value(a, m * 9 + k) - value(za, 0)) * (value(b, k * 5 + n) - value(zb, n));
                const double y = sum * double{sa[0]} * double{sb[n]} / 0.5 + value(zy, 0);
                const double kept = std::min<double>(high, std::max<double>(low, y));
                right = right && std::abs(value(out, m * 5 + n) - kept) <= 0.5 + 1e-4;
            }
        CHECK(right);
        const tensor in = some_bytes(type, {2, 2, 4, 5}, next), w = some_bytes(element::int8, {3, 2, 2, 2}, next);
        const tensor zw = some_bytes(element::int8, {3}, next);
        const std::vector<float> sw{0.01F, 0.02F, 0.005F};
        const std::vector<std::int32_t> bias{100, -300, 7};
        tensor image(type, {2, 3, 3, 4});
        kernel::qlinear_conv(in, 0.03F, za, w, sw, zw, bias, {}, 0.6F, zy, image, space);
        right = true;
        for (std::size_t i = 0; i < image.size(); ++i) {
            const std::size_t n = i / 36, o = i / 12 % 3, y = i / 4 % 3, x = i % 4;
            int sum = bias[o];
            for (std::size_t t = 0; t < 8; ++t) {
                const std::size_t at = ((n * 2 + t / 4) * 4 + y + t / 2 % 2) * 5 + x + t % 2;
                sum += (value(in, at) - value(za, 0)) * (value(w, o * 8 + t) - value(zw, o));
            }
            const double kept = std::min<double>(
                high, std::max<double>(low, sum * double{0.03F} * double{sw[o]} / double{0.6F} + value(zy, 0)));
            right = right && std::abs(value(image, i) - kept) <= 0.5 + 1e-4;
        }
        CHECK(right);
    }
}

TEST_CASE("quantization refuses types and counts that do not fit", "[kernel][quantize]") {
    const tensor in(element::float32, {2, 3});
    const tensor other(element::int8, {3}), alike(element::uint8, {3});
    tensor out(element::uint8, {2, 3}), wide(element::int64, {2, 3});
    const std::vector<float> three(3, 1.0F), two(2, 1.0F);
    CHECK_THROWS_AS(kernel::quantize_linear(in, three, {}, 0, out), std::invalid_argument);
    CHECK_THROWS_AS(kernel::quantize_linear(in, three, other, 1, out), std::invalid_argument);
    CHECK_THROWS_AS(kernel::quantize_linear(in, two, {}, 0, wide), std::invalid_argument);
    CHECK_THROWS_AS(kernel::quantize_linear(in, two, {}, 5, out), std::invalid_argument);
    kernel::quantize_linear(in, three, alike, 1, out);
}

TEST_CASE("neighbours share a scale in blocks, the last one smaller", "[kernel][quantize]") {
    const std::vector<float> x{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, scale{1, 2, 0.5F, 1, 4, 3};  // [5, 2] in blocks of 2
    const std::vector<std::int8_t> zero{0, 1, 2, 3, 4, 5};
    tensor q(element::int8, {5, 2});
    const view<const float> scales(scale.data(), {3, 2});
    const tensor_view zeros = view<const std::int8_t>(zero.data(), {3, 2});
    kernel::quantize_blocks({x.data(), {5, 2}}, scales, zeros, 0, 2, q);
    const std::vector<int> expected{1, 2, 3, 3, 12, 9, 16, 11, 6, 8};
    CHECK(std::vector<int>(q.as<std::int8_t>().flat().begin(), q.as<std::int8_t>().flat().end()) == expected);
    std::vector<float> back(10);
    kernel::dequantize_blocks(q, scales, zeros, 0, 2, {back.data(), {5, 2}});
    CHECK(back == std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 8, 9});
    CHECK_THROWS_AS(kernel::quantize_blocks({x.data(), {5, 2}}, scales, zeros, 0, 3, q), std::invalid_argument);
    CHECK_THROWS_AS(kernel::dequantize_blocks(q, scales, zeros, 1, 2, {back.data(), {5, 2}}), std::invalid_argument);
}
