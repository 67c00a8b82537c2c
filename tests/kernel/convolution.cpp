// SPDX-License-Identifier: MIT
#include <fanfold/kernel/convolution.hpp>

#include <cmath>
#include <limits>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;
using kernel::activation;
using kernel::conv2d_geometry;

namespace {

struct problem {
    std::int64_t images, channels, height, width, outputs, kh, kw;
    conv2d_geometry geometry;
    std::vector<float> in{}, weights{}, bias{};

    void fill() {
        numbers next(static_cast<std::uint64_t>(channels * 31 + height * 7 + width + outputs * 1009 + kh));
        in = next.some(static_cast<std::size_t>(images * channels * height * width));
        weights = next.some(static_cast<std::size_t>(outputs * (channels / geometry.groups) * kh * kw));
        bias = next.some(static_cast<std::size_t>(outputs));
    }
    shape in_shape() const { return {images, channels, height, width}; }
    kernel::packed_conv2d packed(bool with_bias = true) const {
        return {view<const float>(weights.data(), shape{outputs, channels / geometry.groups, kh, kw}),
                with_bias ? view<const float>(bias.data(), shape{outputs}) : view<const float>{}, geometry, height,
                width};
    }
    bool right(const view<const float>& out, activation act, bool with_bias) const {
        const std::int64_t per_group = channels / geometry.groups, outputs_per_group = outputs / geometry.groups;
        for (std::int64_t n = 0; n < out.extent(0); ++n)
            for (std::int64_t o = 0; o < out.extent(1); ++o)
                for (std::int64_t y = 0; y < out.extent(2); ++y)
                    for (std::int64_t x = 0; x < out.extent(3); ++x) {
                        double sum = with_bias ? bias[static_cast<std::size_t>(o)] : 0, size = std::abs(sum);
                        for (std::int64_t c = 0; c < per_group; ++c)
                            for (std::int64_t ky = 0; ky < kh; ++ky)
                                for (std::int64_t kx = 0; kx < kw; ++kx) {
                                    const std::int64_t v =
                                        y * geometry.stride[0] + ky * geometry.dilation[0] - geometry.padding[0];
                                    const std::int64_t u =
                                        x * geometry.stride[1] + kx * geometry.dilation[1] - geometry.padding[1];
                                    if (v < 0 || v >= height || u < 0 || u >= width) continue;
                                    const std::int64_t channel = o / outputs_per_group * per_group + c;
                                    const auto at = ((n * channels + channel) * height + v) * width + u;
                                    const auto w = ((o * per_group + c) * kh + ky) * kw + kx;
                                    const double term = double{in[static_cast<std::size_t>(at)]} *
                                                        double{weights[static_cast<std::size_t>(w)]};
                                    sum += term;
                                    size += std::abs(term);
                                }
                        if (act == activation::relu && sum < 0) sum = 0;
                        if (act == activation::gelu) sum *= std::erfc(-sum / std::sqrt(2.0)) / 2;
                        if (act == activation::tanh) sum = std::tanh(sum);
                        if (act == activation::sigmoid) sum = 1 / (1 + std::exp(-sum));
                        if (!near(out(n, o, y, x), sum, size + 1)) return false;
                    }
        return true;
    }
};

std::vector<problem> problems() {
    std::vector<problem> all{
        {2, 1, 28, 28, 6, 5, 5, {.padding = {2, 2, 2, 2}}},  // LeNet, first layer
        {2, 6, 14, 14, 16, 5, 5, {}},                        // and second
        {3, 3, 9, 11, 5, 3, 3, {.padding = {1, 1, 1, 1}}},
        {1, 2, 7, 5, 3, 7, 5, {}},  // one position
        {2, 4, 13, 17, 6, 3, 3, {.stride = {2, 2}, .padding = {1, 1, 1, 1}}},
        {1, 4, 20, 23, 7, 4, 2, {.stride = {3, 2}, .padding = {0, 1, 2, 3}}},  // asymmetric
        {2, 4, 15, 16, 8, 3, 3, {.dilation = {2, 3}, .padding = {2, 3, 2, 3}}},
        {1, 6, 12, 12, 9, 3, 2, {.stride = {2, 3}, .dilation = {3, 2}, .padding = {4, 1, 0, 5}, .groups = 3}},
        {2, 8, 10, 33, 8, 3, 3, {.padding = {1, 1, 1, 1}, .groups = 8}},  // depthwise
        {2, 4, 9, 9, 12, 3, 3, {.stride = {2, 2}, .groups = 4}},
        {1, 40, 6, 7, 33, 3, 3, {.padding = {1, 1, 1, 1}}},  // 360 taps
        {3, 70, 5, 5, 19, 1, 1, {}},
        {1, 5, 11, 13, 17, 1, 1, {.stride = {2, 2}}},
        {1, 3, 1, 50, 4, 1, 9, {.padding = {0, 4, 0, 4}}},  // one line
        {1, 3, 50, 1, 4, 9, 1, {.stride = {4, 1}, .padding = {4, 0, 4, 0}}},
        {1, 2, 3, 3, 3, 3, 3, {.padding = {5, 4, 6, 7}}},  // mostly padding
        {1, 2, 3, 3, 3, 1, 1, {.stride = {7, 5}}},
        {1,
         2,
         3,
         3,
         3,
         1,
         1,
         {.stride = {std::int64_t{1} << 62, std::int64_t{1} << 62}, .dilation = {std::int64_t{1} << 62, 9}}},
        {1, 2, 3, 3, 3, 9, 9, {.padding = {8, 8, 0, 0}}},  // a window wider than the image
        {1, 1, 3, 3, 2, 1, 300, {.padding = {0, 299, 0, 0}}},
        {1, 1, 3, 3, 2, 1, 300, {.padding = {0, 0, 0, 299}}},
        {1, 1, 1, 3, 1, 1, 2, {.dilation = {1, 300}, .padding = {0, 298, 0, 0}}},  // and one far apart
        {1, 64, 40, 70, 3, 3, 3, {.padding = {1, 1, 1, 1}}},                       // several bands
        {1, 64, 41, 70, 2, 5, 3, {.stride = {2, 2}, .dilation = {2, 1}, .padding = {3, 1, 4, 1}}},
    };
    for (problem& p : all) p.fill();
    return all;
}

}  // namespace

TEST_CASE("conv2d agrees with a naive loop for all geometries, amid poison", "[kernel][convolution][every_isa]") {
    std::size_t turn = 0;
    for (const auto set : every_isa())
        for (const problem& p : problems()) {
            const auto act = static_cast<activation>(turn++ % 5);
            const bool with_bias = turn % 3 != 0;
            const auto w = p.packed(with_bias);
            const shape expected = w.output(p.images);
            INFO(kernel::name_of(set) << " " << p.in_shape().text() << " to " << expected.text() << " kernel " << p.kh
                                      << " x " << p.kw << " " << kernel::name_of(act));
            guarded in(p.in, turn % 9), out(expected.volume(), turn % 5);
            workspace space(w.scratch_bytes());
            kernel::detail::conv2d(set, in.as(p.in_shape()), w, out.as(expected), space, act);
            CHECK(p.right(out.as(expected), act, with_bias));
            CHECK(out.intact());
            CHECK(space.capacity() == w.scratch_bytes());
        }
}

TEST_CASE("a checked conv2d has the same bits, nothing suspicious, and finds other weights",
          "[kernel][convolution][every_isa]") {
    std::size_t moved = 0;
    for (const auto set : every_isa())
        for (const problem& p : problems())
            for (const activation act : {activation::none, activation::relu, activation::tanh}) {
                INFO(name_of(set) << " " << p.in_shape().text() << " to " << p.outputs);
                const auto w = p.packed();
                const auto sums = w.sums();
                const shape answer = w.output(p.images);
                const view<const float> in(p.in.data(), p.in_shape());
                const auto run = [&](std::vector<float>& out, const std::vector<kernel::product_sums>* with) {
                    workspace space;
                    out.assign(answer.volume(), NAN);
                    return kernel::detail::conv2d(set, in, w, {out.data(), answer}, space, act, with);
                };
                std::vector<float> plain, checked, wrong;
                CHECK(run(plain, nullptr) == 0);
                CHECK(run(checked, &sums) == 0);
                CHECK(same_bits(plain, checked));
                const auto weights = w.memory();
                *reinterpret_cast<float*>(const_cast<std::byte*>(weights.data())) += 1;  // of the first output
                const std::size_t found = run(wrong, &sums), plane = answer.with(0, 1).with(1, 1).volume();
                std::size_t differ = 0;
                for (std::size_t at = 0; act == activation::none && at < wrong.size(); ++at)
                    differ += std::abs(wrong[at] - plain[at]) > 1e-3F;
                CHECK(found >= differ);
                CHECK(found <= plane * static_cast<std::size_t>(p.images * p.geometry.groups));
                moved += differ;
            }
    CHECK(moved > 1000);
}

TEST_CASE("an image's bits do not depend on how many images there are, nor on what scratch held before",
          "[kernel][convolution][every_isa]") {
    problem p{70, 6, 14, 14, 16, 5, 5, {.stride = {1, 2}, .padding = {1, 2, 0, 3}}};
    p.fill();
    const auto w = p.packed();
    for (const auto set : every_isa()) {
        const std::size_t in_size = 6 * 14 * 14, out_size = w.output(1).volume();
        std::vector<float> single(70 * out_size);
        for (std::size_t n = 0; n < 70; ++n) {
            workspace space(w.scratch_bytes());
            {
                const workspace::scope scope(space);
                for (float& x : space.take<float>(w.scratch_bytes() / sizeof(float))) x = poison();
            }
            kernel::detail::conv2d(set, {p.in.data() + n * in_size, shape{1, 6, 14, 14}}, w,
                                   {single.data() + n * out_size, w.output(1)}, space, activation::tanh);
        }
        for (std::int64_t images = 0; images <= 70; images += images < 5 ? 1 : 13) {
            std::vector<float> out(w.output(images).volume());
            workspace space;
            kernel::detail::conv2d(set, {p.in.data(), shape{images, 6, 14, 14}}, w, {out.data(), w.output(images)},
                                   space, activation::tanh);
            CHECK(same_bits(out, std::span<const float>(single).first(out.size())));
        }
    }
}

TEST_CASE("weights of any strides are packed alike", "[kernel][convolution]") {
    problem p{1, 3, 8, 8, 5, 2, 3, {}};
    p.fill();
    std::vector<float> other(p.weights.size());
    const view<float> turned(other.data(), {5, 3, 2, 3}, {1, 5, 45, 15});
    const view<const float> plain(p.weights.data(), shape{5, 3, 2, 3});
    for (std::int64_t o = 0; o < 5; ++o)
        for (std::int64_t c = 0; c < 3; ++c)
            for (std::int64_t y = 0; y < 2; ++y)
                for (std::int64_t x = 0; x < 3; ++x) turned(o, c, y, x) = plain(o, c, y, x);
    const kernel::packed_conv2d a(plain, {}, {}, 8, 8), b(turned, {}, {}, 8, 8);
    std::vector<float> x(a.output(1).volume()), y(x.size());
    workspace space;
    kernel::conv2d({p.in.data(), p.in_shape()}, a, {x.data(), a.output(1)}, space);
    kernel::conv2d({p.in.data(), p.in_shape()}, b, {y.data(), b.output(1)}, space);
    CHECK(same_bits(x, y));
}

TEST_CASE("garbage geometry is refused before anything large is allocated", "[kernel][convolution]") {
    const std::int64_t huge = std::numeric_limits<std::int64_t>::max(), low = std::numeric_limits<std::int64_t>::min();
    std::vector<float> values(4 * 2 * 3 * 3);
    const view<const float> weights(values.data(), shape{4, 2, 3, 3});
    const auto refused = [&](const conv2d_geometry& g, std::int64_t height = 8, std::int64_t width = 8) {
        try {
            (void)kernel::packed_conv2d(weights, {}, g, height, width);
        } catch (const std::invalid_argument&) {
            return true;
        }
        return false;
    };
    CHECK(!refused({}));
    for (const std::int64_t bad : {std::int64_t{0}, std::int64_t{-1}, low}) {
        CHECK(refused({.stride = {bad, 1}}));
        CHECK(refused({.stride = {1, bad}}));
        CHECK(refused({.dilation = {bad, 1}}));
        CHECK(refused({.dilation = {1, bad}}));
        CHECK(refused({.groups = bad}));
        CHECK(refused({}, bad, 8));
        CHECK(refused({}, 8, bad));
    }
    for (const std::int64_t bad : {std::int64_t{-1}, low, huge, huge - 8})
        for (std::size_t side = 0; side < 4; ++side) {
            conv2d_geometry g;
            g.padding[side] = bad;
            CHECK(refused(g));
        }
    CHECK(refused({.stride = {huge, huge}}));
    CHECK(refused({.dilation = {huge, 1}}));
    CHECK(refused({.dilation = {1, huge / 2 + 1}}));
    CHECK(refused({.dilation = {4, 1}}));  // reaches over 9 of 8
    CHECK(refused({.padding = {0, std::int64_t{1} << 40, 0, 0}}));
    CHECK(refused({.padding = {std::int64_t{1} << 40, std::int64_t{1} << 40, 0, 0}}));
    CHECK(refused({.groups = 3}));
    CHECK(refused({.groups = huge}));
    CHECK(refused({}, 2, 8));
    CHECK(refused({}, huge, huge));
    CHECK(refused({}, huge, 8));
    CHECK_THROWS_AS(kernel::packed_conv2d(view<const float>(values.data(), shape{4, 2, 9}), {}, {}, 8, 8),
                    std::invalid_argument);
    CHECK_THROWS_AS(kernel::packed_conv2d(view<const float>(values.data(), shape{4, 0, 3, 3}), {}, {}, 8, 8),
                    std::invalid_argument);
    CHECK_THROWS_AS(kernel::packed_conv2d(weights, view<const float>(values.data(), shape{3}), {}, 8, 8),
                    std::invalid_argument);
}

TEST_CASE("images that do not fit are refused", "[kernel][convolution]") {
    problem p{2, 2, 8, 8, 4, 3, 3, {}};
    p.fill();
    const auto w = p.packed();
    std::vector<float> out(w.output(2).volume() * 2);
    workspace space;
    CHECK_THROWS_AS(kernel::conv2d({p.in.data(), shape{2, 2, 8, 7}}, w, {out.data(), w.output(2)}, space),
                    std::invalid_argument);
    CHECK_THROWS_AS(kernel::conv2d({p.in.data(), p.in_shape()}, w, {out.data(), w.output(1)}, space),
                    std::invalid_argument);
    CHECK_THROWS_AS(kernel::conv2d({p.in.data(), shape{256}}, w, {out.data(), w.output(1)}, space),
                    std::invalid_argument);
    CHECK_THROWS_AS(kernel::conv2d({p.in.data(), p.in_shape(), {128, 64, 1, 8}}, w, {out.data(), w.output(2)}, space),
                    std::invalid_argument);
}

TEST_CASE("a stop request ends a convolution between images", "[kernel][convolution]") {
    problem p{3, 1, 8, 8, 2, 3, 3, {}};
    p.fill();
    const auto w = p.packed();
    std::vector<float> out(w.output(3).volume());
    std::stop_source source;
    workspace space;
    space.stop = stop(source.get_token());
    source.request_stop();
    CHECK_THROWS_AS(kernel::conv2d({p.in.data(), p.in_shape()}, w, {out.data(), w.output(3)}, space), stopped_error);
}

TEST_CASE("avx2 and avx512 convolutions agree in every bit", "[kernel][convolution]") {
    if (!kernel::supports(kernel::isa::avx512)) return;
    for (const problem& p : problems()) {
        const auto w = p.packed();
        std::vector<float> a(w.output(p.images).volume()), b(a.size());
        workspace space;
        kernel::detail::conv2d(kernel::isa::avx2, {p.in.data(), p.in_shape()}, w, {a.data(), w.output(p.images)}, space,
                               activation::sigmoid);
        kernel::detail::conv2d(kernel::isa::avx512, {p.in.data(), p.in_shape()}, w, {b.data(), w.output(p.images)},
                               space, activation::sigmoid);
        CHECK(same_bits(a, b));
    }
}
