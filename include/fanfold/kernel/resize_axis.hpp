// fanfold/kernel/resize_axis.hpp - which input elements, with which weights, make an element of a resized axis.
//   in    extents, a scale, the modes      out   indices and weights per output element
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::clamp, std::min
#include <cmath>      // std::floor, std::ceil
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <span>       // std::span

#include "../context/workspace.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

enum class interpolation : std::uint8_t { nearest, linear, cubic };
/// Where the centre of an output element lies in the input.
enum class coordinates : std::uint8_t {
    half_pixel,
    half_pixel_symmetric,
    pytorch_half_pixel,
    align_corners,
    asymmetric,
    tf_crop_and_resize,
    tf_half_pixel_for_nn
};
/// `ceil_when_smaller` is what Resize-10 does: ceil on axes that shrink, floor on others.
enum class nearest_rounding : std::uint8_t { round_prefer_floor, round_prefer_ceil, floor, ceil, ceil_when_smaller };
/// Positions behind the border: counted as the border's element, or left out and the other weights scaled to sum 1.
enum class outside : std::uint8_t { border, excluded };
enum class antialias : std::uint8_t { off, on };

struct resize_options {
    interpolation mode = interpolation::nearest;
    kernel::coordinates coordinates = kernel::coordinates::half_pixel;
    nearest_rounding nearest = nearest_rounding::round_prefer_floor;
    float cubic_coefficient = -0.75F;
    kernel::outside outside = kernel::outside::border;
    kernel::antialias antialias = kernel::antialias::off;
    float extrapolation_value = 0;  ///< of tf_crop_and_resize
};

/// How one axis is resized. The scale is output / input, as given or computed from the sizes; the region is of
/// tf_crop_and_resize.
struct resize_axis {
    double scale = 1;
    double region_from = 0, region_to = 1;
};

namespace detail {

/// Per output element `taps` indices, all within the input, and as many weights.
template <class Real>
struct resize_table {
    std::size_t taps = 1;
    std::span<std::int64_t> index;
    std::span<Real> weights;          // empty for the nearest element
    std::span<std::uint8_t> missing;  // 1: to be extrapolated; empty when none can be
    bool any_missing = false;
    bool changes = false;  // is not the identity
};

inline double resize_coordinate(coordinates mode, const resize_axis& axis, double in, double out, double x) {
    const double resized = axis.scale * in;  // not rounded, as the standard's own code has it
    switch (mode) {
        case coordinates::half_pixel: break;
        case coordinates::half_pixel_symmetric: return in / 2 * (1 - out / resized) + (x + 0.5) / axis.scale - 0.5;
        case coordinates::pytorch_half_pixel:
            if (out == 1) return 0;
            break;
        case coordinates::align_corners: return out == 1 ? 0 : x * (in - 1) / (resized - 1);
        case coordinates::asymmetric: return x / axis.scale;
        case coordinates::tf_crop_and_resize: {
            const double reach = (axis.region_to - axis.region_from) * (in - 1);
            return axis.region_from * (in - 1) + (out == 1 ? reach / 2 : x * reach / (resized - 1));
        }
        case coordinates::tf_half_pixel_for_nn: return (x + 0.5) / axis.scale;
    }
    return (x + 0.5) / axis.scale - 0.5;
}

inline double resize_nearest(nearest_rounding rounding, double x, double scale) {
    switch (rounding) {
        case nearest_rounding::round_prefer_floor: return std::ceil(x - 0.5);
        case nearest_rounding::round_prefer_ceil: return std::floor(x + 0.5);
        case nearest_rounding::floor: break;
        case nearest_rounding::ceil: return std::ceil(x);
        case nearest_rounding::ceil_when_smaller: return scale < 1 ? std::ceil(x) : std::floor(x);
    }
    return std::floor(x);
}

/// Of an element at distance x: a triangle, or Keys's cubic.
inline double resize_weight(const resize_options& options, double x) {
    x = x < 0 ? -x : x;
    if (options.mode == interpolation::linear) return x < 1 ? 1 - x : 0;
    const auto a = static_cast<double>(options.cubic_coefficient);
    if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((x - 5) * x + 8) * a * x - 4 * a : 0;
}

template <class Real>
resize_table<Real> resize_table_for(const resize_options& options, const resize_axis& axis, std::int64_t in,
                                    std::int64_t out, workspace& space) {
    resize_table<Real> table;
    const bool nearest = options.mode == interpolation::nearest;
    const bool smooth = options.antialias == antialias::on && axis.scale < 1;
    const double shrink = smooth ? axis.scale : 1;
    const std::int64_t reach = options.mode == interpolation::cubic ? 2 : 1;
    const auto first_tap = static_cast<std::int64_t>(std::floor(static_cast<double>(-reach) / shrink)) + 1;
    if (!nearest) table.taps = static_cast<std::size_t>(2 - 2 * first_tap);
    const auto count = static_cast<std::size_t>(out);
    table.index = space.take<std::int64_t>(count * table.taps);
    if (!nearest) table.weights = space.take<Real>(count * table.taps);
    const bool crop = options.coordinates == coordinates::tf_crop_and_resize;
    if (crop) table.missing = space.take<std::uint8_t>(count);
    table.changes = in != out;
    const auto last = static_cast<double>(in - 1);
    for (std::size_t o = 0; o < count; ++o) {
        const double x = resize_coordinate(options.coordinates, axis, static_cast<double>(in), static_cast<double>(out),
                                           static_cast<double>(o));
        const double bounded = std::clamp(x, -4 - last, 4 + 2 * last);  // what an int64 can hold; NaN becomes 0 below
        if (crop) {
            table.missing[o] = !(x >= 0 && x <= last);
            table.any_missing = table.any_missing || table.missing[o] != 0;
        }
        if (nearest) {
            const double at = std::clamp(resize_nearest(options.nearest, bounded, axis.scale), 0.0, last);
            table.index[o] = at == at ? static_cast<std::int64_t>(at) : 0;
            table.changes = table.changes || table.index[o] != static_cast<std::int64_t>(o);
            continue;
        }
        const double from = std::floor(bounded == bounded ? bounded : 0.0), ratio = bounded - from;
        double total = 0;
        const auto weight = [&](std::size_t tap) {
            const std::int64_t offset = first_tap + static_cast<std::int64_t>(tap);
            const std::int64_t at = static_cast<std::int64_t>(from) + offset;
            if (options.outside == outside::excluded && (at < 0 || at >= in)) return 0.0;
            return resize_weight(options, (static_cast<double>(offset) - ratio) * shrink);
        };
        for (std::size_t tap = 0; tap < table.taps; ++tap) total += weight(tap);
        if (!smooth && options.outside == outside::border) total = 1;
        for (std::size_t tap = 0; tap < table.taps; ++tap) {
            const std::int64_t at = static_cast<std::int64_t>(from) + first_tap + static_cast<std::int64_t>(tap);
            table.index[o * table.taps + tap] = std::clamp<std::int64_t>(at, 0, in - 1);
            table.weights[o * table.taps + tap] = static_cast<Real>(weight(tap) / total);
        }
        table.changes = table.changes || x != static_cast<double>(o);
    }
    return table;
}

}  // namespace detail
}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
