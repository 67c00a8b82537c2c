// tests/kernel/nhwc_problem.hpp - a convolution of images [N, H, W, C] and what comes out, as a loop in double.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::fill_n
#include <array>      // std::array
#include <cmath>      // std::exp
#include <cstdint>    // std::int64_t
#include <vector>     // std::vector

#include <fanfold/kernel/activation.hpp>
#include <fanfold/kernel/window.hpp>

#include "../catch.hpp"
#include "helpers.hpp"

namespace fanfold_test {

struct nhwc_problem {
    std::int64_t images, channels, height, width, outputs, kh, kw;
    fanfold::kernel::conv2d_geometry geometry;
    std::vector<float> in{}, weights{}, bias{};

    void fill() {
        numbers next(static_cast<std::uint64_t>(channels * 31 + height * 7 + width + outputs * 1009 + kh));
        in = next.some(static_cast<std::size_t>(images * channels * height * width));
        weights = next.some(static_cast<std::size_t>(outputs * (channels / geometry.groups) * kh * kw));
        bias = next.some(static_cast<std::size_t>(outputs));
    }
    fanfold::shape in_shape() const { return {images, height, width, channels}; }
    fanfold::view<const float> weight_view() const {
        return {weights.data(), fanfold::shape{outputs, channels / geometry.groups, kh, kw}};
    }
    fanfold::view<const float> bias_view() const { return {bias.data(), fanfold::shape{outputs}}; }

    /// The naive loop: at each place of the answer the sum, before any activation, and the sum of its terms' sizes.
    std::vector<std::array<double, 2>> naive(const fanfold::shape& answer) const {
        const std::int64_t per_group = channels / geometry.groups, outputs_per_group = outputs / geometry.groups;
        std::vector<std::array<double, 2>> made;
        for (std::int64_t n = 0; n < answer[0]; ++n)
            for (std::int64_t y = 0; y < answer[1]; ++y)
                for (std::int64_t x = 0; x < answer[2]; ++x)
                    for (std::int64_t o = 0; o < answer[3]; ++o) {
                        double sum = bias[static_cast<std::size_t>(o)], size = std::abs(sum);
                        for (std::int64_t c = 0; c < per_group; ++c)
                            for (std::int64_t ky = 0; ky < kh; ++ky)
                                for (std::int64_t kx = 0; kx < kw; ++kx) {
                                    const std::int64_t v =
                                        y * geometry.stride[0] + ky * geometry.dilation[0] - geometry.padding[0];
                                    const std::int64_t u =
                                        x * geometry.stride[1] + kx * geometry.dilation[1] - geometry.padding[1];
                                    if (v < 0 || v >= height || u < 0 || u >= width) continue;
                                    const std::int64_t channel = o / outputs_per_group * per_group + c;
                                    const auto at = ((n * height + v) * width + u) * channels + channel;
                                    const auto w = ((o * per_group + c) * kh + ky) * kw + kx;
                                    const double term = double{in[static_cast<std::size_t>(at)]} *
                                                        double{weights[static_cast<std::size_t>(w)]};
                                    sum += term;
                                    size += std::abs(term);
                                }
                        made.push_back({sum, size});
                    }
        return made;
    }

    /// `units`: how many roundings of the sum of all terms' sizes an answer may be away.
    bool right(const fanfold::view<float>& out, fanfold::kernel::activation act, double units = 4) const {
        if (sums.empty()) sums = naive(out.shape());
        auto expected = sums.begin();
        for (std::int64_t n = 0; n < out.extent(0); ++n)
            for (std::int64_t y = 0; y < out.extent(1); ++y)
                for (std::int64_t x = 0; x < out.extent(2); ++x)
                    for (std::int64_t o = 0; o < out.extent(3); ++o) {
                        auto [sum, size] = *expected++;
                        if (act == fanfold::kernel::activation::relu && sum < 0) sum = 0;
                        if (act == fanfold::kernel::activation::sigmoid) sum = 1 / (1 + std::exp(-sum));
                        if (!near(out(n, y, x, o), sum, size + 1, units)) return false;
                    }
        return true;
    }

    mutable std::vector<std::array<double, 2>> sums{};  ///< what naive() said: asked once for many answers
};

/// `run` writes its answer into some of the channels of wider images: the bits of `alone`, and nothing else is touched.
template <class Run>
void check_among_wider(const std::vector<float>& alone, const fanfold::shape& answer, const Run& run) {
    const fanfold::shape wide = answer.with(3, answer[3] + 5);
    guarded room(wide.volume(), 1);
    const fanfold::view<float> all = room.as(wide);
    std::fill_n(all.data(), wide.volume(), 7.0F);
    run({all.data() + 3, answer, all.steps()});
    bool right = true;
    for (std::size_t i = 0; i < wide.volume(); ++i) {
        const std::size_t channels = static_cast<std::size_t>(answer[3]), at = i % (channels + 5);
        const float expected = at < 3 || at >= channels + 3 ? 7.0F : alone[i / (channels + 5) * channels + at - 3];
        right = right && same_bits(expected, all.data()[i]);
    }
    CHECK(right);
    CHECK(room.intact());
}

}  // namespace fanfold_test
