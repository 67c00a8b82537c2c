// fanfold/kernel/normalization.hpp - layer, RMS, instance, group and batch normalization, LRN, division by a norm.
//   in    float32, dense; which elements share a mean is what the functions differ in      out   the same shape
// SPDX-License-Identifier: MIT
#pragma once
#include <array>      // std::array
#include <cmath>      // std::sqrt, std::pow
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string

#include "../context/workspace.hpp"
#include "../core/view.hpp"
#include "simd.hpp"
#include "strided.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel::detail {

enum class centre : std::uint8_t { mean, origin };
struct moments {
    float mean, variance;
};
struct normalize_call {
    const float* in;
    float* out;
    std::size_t count;
    float mean, factor, offset;
    const float *scale, *bias;
};
struct batch_norm_call {
    const float *scale, *bias, *mean, *variance;
    std::size_t channels;
    float epsilon;
};
struct lrn_call {
    std::int64_t channels, size;
    std::size_t plane;
    float alpha, beta, bias;
};
struct lp_call {
    std::size_t n, step;
    int p;
};
/// One function of the C library for every lane of every vector, whole or not.
inline float power(float base, float exponent) { return std::pow(base, exponent); }

}  // namespace kernel::detail
}  // namespace fanfold::inline FANFOLD_ABI

// The order matters.
// clang-format off
#include "target/baseline_begin.inc"
#include "body/normalization.inc"
#include "target/end.inc"
#if FANFOLD_X86_64
#include "target/avx2_begin.inc"
#include "body/normalization.inc"
#include "target/end.inc"

#include "target/avx512_begin.inc"
#include "body/normalization.inc"
#include "target/end.inc"
#endif
// clang-format on

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {
namespace detail {

inline void row_moments(isa set, const float* in, std::size_t n, moments& m, centre about) {
    pick(set, &baseline::row_moments, &avx2::row_moments, &avx512::row_moments)(in, n, m, about);
}
inline void normalize_row(isa set, const normalize_call& call) {
    pick(set, &baseline::normalize_row, &avx2::normalize_row, &avx512::normalize_row)(call);
}
inline void normalize_plane(isa set, const normalize_call& call) {
    pick(set, &baseline::normalize_plane, &avx2::normalize_plane, &avx512::normalize_plane)(call);
}

inline void expect_alike(const char* who, const view<const float>& in, const view<float>& out, bool fits) {
    if (!fits || !(in.shape() == out.shape()) || !in.dense() || !out.dense())
        throw std::invalid_argument(std::string(who) + ": " + in.shape().text() + " into " + out.shape().text() +
                                    ": expected dense tensors of one shape");
}
inline void expect_parameter(const char* who, const char* name, std::span<const float> values, std::size_t count) {
    if (values.size() != count)
        throw std::invalid_argument(std::string(who) + ": " + name + " of " + std::to_string(values.size()) +
                                    " elements, expected " + std::to_string(count));
}
/// Extents from `axis` on, multiplied.
[[nodiscard]] inline std::size_t volume_from(const shape& extents, std::size_t axis) {
    std::size_t volume = 1;
    for (; axis < extents.rank(); ++axis) volume *= static_cast<std::size_t>(extents[axis]);
    return volume;
}

inline void normalize_rows(isa set, const char* who, centre about, const view<const float>& in,
                           std::span<const float> scale, std::span<const float> bias, float epsilon,
                           const view<float>& out, std::span<float> mean, std::span<float> inv_std_dev) {
    expect_alike(who, in, out, in.rank() == 2);
    const auto rows = static_cast<std::size_t>(in.extent(0)), n = static_cast<std::size_t>(in.extent(1));
    expect_parameter(who, "scale", scale, n);
    if (!bias.empty()) expect_parameter(who, "bias", bias, n);
    if (!mean.empty()) expect_parameter(who, "mean", mean, rows);
    if (!inv_std_dev.empty()) expect_parameter(who, "inv_std_dev", inv_std_dev, rows);
    if (in.size() == 0) return;
    for (std::size_t row = 0; row < rows; ++row) {
        moments m{};
        const float* from = in.data() + row * n;
        row_moments(set, from, n, m, about);
        const float factor = 1.0F / std::sqrt(m.variance + epsilon);
        normalize_row(set, {from, out.data() + row * n, n, m.mean, factor, 0, scale.data(), bias.data()});
        if (!mean.empty()) mean[row] = m.mean;
        if (!inv_std_dev.empty()) inv_std_dev[row] = factor;
    }
}

/// Groups of neighbouring channels share mean and variance; a scale per channel, or per group.
inline void group_norm(isa set, const char* who, const view<const float>& in, std::int64_t groups,
                       std::span<const float> scale, std::span<const float> bias, float epsilon,
                       const view<float>& out) {
    const bool divides = in.rank() >= 2 && groups >= 1 && in.extent(1) % groups == 0;
    expect_alike(who, in, out, divides);
    const auto channels = static_cast<std::size_t>(in.extent(1)), parts = static_cast<std::size_t>(groups);
    if (scale.size() != parts) expect_parameter(who, "scale", scale, channels);
    expect_parameter(who, "bias", bias, scale.size());
    if (in.size() == 0) return;
    const std::size_t plane = volume_from(in.shape(), 2), together = channels / parts;
    for (std::size_t at = 0; at < in.size() / plane; at += together) {
        moments m{};
        row_moments(set, in.data() + at * plane, together * plane, m, centre::mean);
        const float factor = 1.0F / std::sqrt(m.variance + epsilon);
        for (std::size_t one = at; one < at + together; ++one) {
            const std::size_t p = scale.size() == channels ? one % channels : at / together % parts;
            normalize_plane(set, {in.data() + one * plane, out.data() + one * plane, plane, m.mean, factor * scale[p],
                                  bias[p], nullptr, nullptr});
        }
    }
}

inline void batch_norm(isa set, const view<const float>& in, std::span<const float> scale, std::span<const float> bias,
                       std::span<const float> mean, std::span<const float> variance, float epsilon,
                       const view<float>& out) {
    expect_alike("batch_norm", in, out, in.rank() >= 1);
    const auto channels = in.rank() == 1 ? std::size_t{1} : static_cast<std::size_t>(in.extent(1));
    expect_parameter("batch_norm", "scale", scale, channels);
    expect_parameter("batch_norm", "bias", bias, channels);
    expect_parameter("batch_norm", "mean", mean, channels);
    expect_parameter("batch_norm", "variance", variance, channels);
    if (in.size() == 0) return;
    const std::size_t plane = volume_from(in.shape(), 2), planes = in.size() / plane;
    if (plane == 1) {
        const batch_norm_call call{scale.data(), bias.data(), mean.data(), variance.data(), channels, epsilon};
        const auto row = pick(set, &baseline::batch_norm_row, &avx2::batch_norm_row, &avx512::batch_norm_row);
        for (std::size_t at = 0; at < planes; at += channels) row(call, in.data() + at, out.data() + at);
        return;
    }
    for (std::size_t at = 0; at < planes; ++at) {
        const std::size_t c = at % channels;
        normalize_plane(set, {in.data() + at * plane, out.data() + at * plane, plane, mean[c],
                              scale[c] / std::sqrt(variance[c] + epsilon), bias[c], nullptr, nullptr});
    }
}

inline void mean_variance_normalization(isa set, const view<const float>& in, std::span<const std::int64_t> axes,
                                        const view<float>& out, workspace& space) {
    std::array<std::int64_t, shape::max_rank> kept{}, shared{};
    bool fits = true;
    for (std::size_t axis = 0; axis < in.rank(); ++axis) {
        kept[axis] = in.extent(axis);
        shared[axis] = 1;
    }
    for (const std::int64_t axis : axes) {
        fits = fits && axis >= 0 && axis < static_cast<std::int64_t>(in.rank());
        if (!fits) break;
        const auto a = static_cast<std::size_t>(axis);
        shared[a] = in.extent(a);
        kept[a] = 1;
    }
    expect_alike("mean_variance_normalization", in, out, fits);
    if (in.size() == 0) return;
    const shape outer(std::span(kept.data(), in.rank())), inner(std::span(shared.data(), in.rank()));
    const std::array<strides, 1> steps{dense_strides(in.shape())};
    const std::size_t n = inner.volume();
    const workspace::scope scope(space);
    const auto row = space.take<float>(n);
    for_each_run(outer, steps, [&](const auto& at, std::size_t count, const auto& step) {
        for (std::size_t i = 0; i < count; ++i) {
            const std::int64_t start = at[0] + static_cast<std::int64_t>(i) * step[0];
            float* to = row.data();
            for_each_run(inner, steps, [&](const auto& from, std::size_t m, const auto& between) {
                const float* p = in.data() + start + from[0];
                for (std::size_t k = 0; k < m; ++k, p += between[0]) *to++ = *p;
            });
            moments mo{};
            row_moments(set, row.data(), n, mo, centre::mean);
            normalize_plane(set, {row.data(), row.data(), n, mo.mean, 1.0F / (std::sqrt(mo.variance) + 1e-9F), 0,
                                  nullptr, nullptr});
            const float* made = row.data();
            for_each_run(inner, steps, [&](const auto& target, std::size_t m, const auto& between) {
                float* p = out.data() + start + target[0];
                for (std::size_t k = 0; k < m; ++k, p += between[0]) *p = *made++;
            });
        }
    });
}

}  // namespace detail

/// out = (in - mean) * inv_std_dev * scale + bias over each row, inv_std_dev = 1 / sqrt(variance + epsilon). The
/// variance is a mean of squared distances, summed in a second pass.
///
/// shapes   in and out [M, N]; scale [N]; bias [N] or empty; mean and inv_std_dev [M], or empty when nobody asks.
///          out may be in
/// errors   throws std::invalid_argument when the shapes do not fit
/// threads  re-entrant. Element k goes to lane k mod 16, lanes fold in a fixed tree:
///          the bits of a row do not depend on M
/// source   ONNX LayerNormalization-17
inline void layer_norm(const view<const float>& in, std::span<const float> scale, std::span<const float> bias,
                       float epsilon, const view<float>& out, std::span<float> mean = {},
                       std::span<float> inv_std_dev = {}) {
    detail::normalize_rows(active_isa(), "layer_norm", detail::centre::mean, in, scale, bias, epsilon, out, mean,
                           inv_std_dev);
}

/// out = in / sqrt(mean of squares + epsilon) * scale over each row; otherwise as layer_norm.
///
/// source   ONNX RMSNormalization-23
inline void rms_norm(const view<const float>& in, std::span<const float> scale, float epsilon, const view<float>& out) {
    detail::normalize_rows(active_isa(), "rms_norm", detail::centre::origin, in, scale, {}, epsilon, out, {}, {});
}

/// Every channel of every image by itself.
///
/// shapes   in and out [N, C, ...]; scale and bias [C]; out may be in
/// errors   throws std::invalid_argument when the shapes do not fit
/// threads  as layer_norm
/// source   ONNX InstanceNormalization-6
inline void instance_norm(const view<const float>& in, std::span<const float> scale, std::span<const float> bias,
                          float epsilon, const view<float>& out) {
    detail::group_norm(active_isa(), "instance_norm", in, in.rank() < 2 || in.extent(1) == 0 ? 1 : in.extent(1), scale,
                       bias, epsilon, out);
}

/// Every group of C / groups neighbouring channels of an image by itself.
///
/// shapes   in and out [N, C, ...]; scale and bias [C] (version 21) or [groups] (version 18); out may be in
/// errors   throws std::invalid_argument when the shapes do not fit
/// threads  as layer_norm
/// source   ONNX GroupNormalization-18, GroupNormalization-21
inline void group_norm(const view<const float>& in, std::int64_t groups, std::span<const float> scale,
                       std::span<const float> bias, float epsilon, const view<float>& out) {
    detail::group_norm(active_isa(), "group_norm", in, groups, scale, bias, epsilon, out);
}

/// out = (in - mean) * (scale / sqrt(variance + epsilon)) + bias, with numbers of the channel.
///
/// shapes   in and out [N, C, ...], or [N] of one channel; the others [C]; out may be in
/// errors   throws std::invalid_argument when the shapes do not fit
/// threads  re-entrant
/// source   ONNX BatchNormalization-15, training_mode 0
inline void batch_norm(const view<const float>& in, std::span<const float> scale, std::span<const float> bias,
                       std::span<const float> mean, std::span<const float> variance, float epsilon,
                       const view<float>& out) {
    detail::batch_norm(active_isa(), in, scale, bias, mean, variance, epsilon, out);
}

/// out = (in - mean) / (standard deviation + 1e-9), both over `axes`. With the row axis among them, rows mix.
///
/// shapes   any; out may be in; takes one float of scratch for each element that shares a mean
/// errors   throws std::invalid_argument when the shapes or axes do not fit
/// threads  as layer_norm, elements in row-major order of `axes`
/// source   ONNX MeanVarianceNormalization-13
inline void mean_variance_normalization(const view<const float>& in, std::span<const std::int64_t> axes,
                                        const view<float>& out, workspace& space) {
    detail::mean_variance_normalization(active_isa(), in, axes, out, space);
}

/// out[n, c, i] = in[n, c, i] / (bias + alpha / size * sum of squares of in[n, c', i])^beta, c' in
/// [c - (size - 1) / 2, c + size / 2].
///
/// shapes   in and out [N, C, ...], not overlapping
/// errors   throws std::invalid_argument when the shapes do not fit or size < 1
/// threads  re-entrant
/// source   ONNX LRN-13
inline void lrn(const view<const float>& in, std::int64_t size, float alpha, float beta, float bias,
                const view<float>& out) {
    detail::expect_alike("lrn", in, out, in.rank() >= 2 && size >= 1);
    if (in.size() == 0) return;
    const std::size_t plane = detail::volume_from(in.shape(), 2);
    const detail::lrn_call call{in.extent(1), size, plane, alpha, beta, bias};
    const auto image = detail::pick(active_isa(), &baseline::lrn_image, &avx2::lrn_image, &avx512::lrn_image);
    const std::size_t step = plane * static_cast<std::size_t>(in.extent(1));
    for (std::size_t at = 0; at < in.size(); at += step) image(call, in.data() + at, out.data() + at);
}

/// out = in / (sum of |in|^p along `axis`)^(1/p); 0 where that norm is 0.
///
/// shapes   any; p 1 or 2; out may be in
/// errors   throws std::invalid_argument when the shapes, p or the axis do not fit
/// threads  as layer_norm; the same bits along whichever axis
/// source   ONNX LpNormalization-22
inline void lp_normalization(const view<const float>& in, std::size_t axis, int p, const view<float>& out) {
    detail::expect_alike("lp_normalization", in, out, axis < in.rank() && (p == 1 || p == 2));
    if (in.size() == 0) return;
    const std::size_t inner = detail::volume_from(in.shape(), axis + 1), n = static_cast<std::size_t>(in.extent(axis));
    const detail::lp_call call{n, inner, p};
    const auto columns = detail::pick(active_isa(), &baseline::lp_normalize_columns, &avx2::lp_normalize_columns,
                                      &avx512::lp_normalize_columns);
    for (std::size_t outer = 0; outer < in.size(); outer += n * inner)
        for (std::size_t i = 0; i < inner; i += 16)
            columns(call, in.data() + outer + i, out.data() + outer + i, inner - i < 16 ? inner - i : 16);
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
