// fanfold/kernel/pooling_nd.hpp - pooling over one to three spatial axes, with the places of maxima, and its inverse.
//   in    images [N, C, ...] of several types      out   [N, C, ...]
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::min, std::max
#include <array>        // std::array
#include <cmath>        // std::pow, std::sqrt
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <cstring>      // std::memset
#include <limits>       // std::numeric_limits
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <type_traits>  // std::is_same_v

#include "../context/stop.hpp"
#include "../core/view.hpp"
#include "pooling.hpp"
#include "window_nd.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// How the places of maxima are counted within an image plane.
enum class storage_order : std::uint8_t { row_major, column_major };

namespace detail {

inline window3 pooling_window(const shape& in, const window_nd& window) {
    window3 w("pooling", in, window);
    w.place("pooling", window.rounding);
    for (std::size_t a = 0; a < 3; ++a) {
        const std::int64_t reach = (w.size[a] - 1) * w.dilation[a] + 1;
        if (w.before[a] >= reach || w.after[a] >= reach)
            throw std::invalid_argument("pooling: a padding of " + std::to_string(w.before[a]) + " and " +
                                        std::to_string(w.after[a]) +
                                        " is not smaller than a window that reaches over " + std::to_string(reach));
    }
    return w;
}

template <class T>
window3 checked_pooling(const view<const T>& in, const window_nd& window, const view<T>& out) {
    const window3 w = pooling_window(in.shape(), window);
    const shape expected = w.answer(in.shape(), in.extent(1));
    if (!(out.shape() == expected) || !in.dense() || !out.dense())
        throw std::invalid_argument("pooling: " + in.shape().text() + " into " + out.shape().text() +
                                    ", expected dense " + expected.text());
    return w;
}

/// x is greater, or the first NaN.
template <class T>
bool beats(T x, T best) {
    if constexpr (std::numeric_limits<T>::has_quiet_NaN)
        return x > best || (x != x && best == best);
    else
        return x > best;
}

/// A window of more taps than this is worth a look at the clock by itself.
inline constexpr double large_window = 1024;
/// Calls each(first, count) for some planes at a time, polled in between; false, and no call, where one plane alone
/// takes longer than a stop may wait.
template <class Each>
bool for_some_planes(const window3& w, std::int64_t planes, const stop& stopping, Each&& each) {
    constexpr double much = 0x1p28;
    const double taps = w.most_taps() * static_cast<double>(w.out_plane());
    if (taps > much) return false;
    const auto together = static_cast<std::int64_t>(much / std::max(taps, 1.0));
    for (std::int64_t first = 0; first < planes; first += together) {
        stopping.check();
        each(first, std::min(together, planes - first));
    }
    return true;
}

/// Calls each(output offset, taps of the three axes) for all windows of a plane; polls before those that are large.
template <class Each>
void for_each_window(const window3& w, const stop& stopping, Each&& each) {
    std::int64_t at = 0;
    const bool large = w.most_taps() > large_window;
    for (std::int64_t z = 0; z < w.out[0]; ++z) {
        const tap_range tz = w.taps(0, z);
        for (std::int64_t y = 0; y < w.out[1]; ++y) {
            const tap_range ty = w.taps(1, y);
            for (std::int64_t x = 0; x < w.out[2]; ++x) {
                if (large) stopping.check();
                each(at++, std::array<tap_range, 3>{tz, ty, w.taps(2, x)});
            }
        }
    }
}
/// Calls each(input offset) for the elements under one window, in row-major order.
template <class Each>
void for_each_tap(const window3& w, const std::array<tap_range, 3>& taps, Each&& each) {
    const auto& [tz, ty, tx] = taps;
    for (std::int64_t kz = tz.from; kz < tz.to; ++kz)
        for (std::int64_t ky = ty.from; ky < ty.to; ++ky) {
            const std::int64_t z = tz.start + kz * w.dilation[0], y = ty.start + ky * w.dilation[1];
            const std::int64_t row = (z * w.in[1] + y) * w.in[2] + tx.start;
            for (std::int64_t kx = tx.from; kx < tx.to; ++kx) each(row + kx * w.dilation[2]);
        }
}

/// An image plane of at most two axes as existing 2-D kernels know it.
inline window2d as_window2d(const window3& w, enum window2d::rounding rounding) {
    return {{w.size[1], w.size[2]},
            {w.stride[1], w.stride[2]},
            {w.dilation[1], w.dilation[2]},
            {w.before[1], w.before[2], w.after[1], w.after[2]},
            rounding};
}

}  // namespace detail

/// What pooling makes of images of shape `in`.
///
/// errors   as pooled_shape of window2d
/// source   ONNX MaxPool-12, AveragePool-19, LpPool-18
[[nodiscard]] inline shape pooled_shape(const shape& in, const window_nd& window) {
    return detail::pooling_window(in, window).answer(in, in[1]);
}

/// out = the greatest element of each window; a NaN in the window gives NaN. Padding is less than anything.
///
/// shapes   in [N, C, ...], out pooled_shape(in, window), both dense, of a float or integer type; indices as out, or of
///          size 0 when nobody asks: where in the whole tensor `in` the first maximum lies (so these do depend on the
///          row's position), -1 for a window that covers padding only
/// errors   throws std::invalid_argument when the shapes do not fit; stopped_error when it is time
/// threads  re-entrant; the bits of an image do not depend on N
/// source   ONNX MaxPool-12
template <class T>
void max_pool(const view<const T>& in, const window_nd& window, const view<T>& out,
              const view<std::int64_t>& indices = {}, storage_order order = storage_order::row_major,
              const stop& stopping = {}) {
    const detail::window3 w = detail::checked_pooling(in, window, out);
    const bool indexed = indices.size() != 0;
    if (indexed && (!(indices.shape() == out.shape()) || !indices.dense()))
        throw std::invalid_argument("pooling: indices " + indices.shape().text() + " for " + out.shape().text());
    if (out.size() == 0) return;
    const auto planes = in.extent(0) * in.extent(1);
    if constexpr (std::is_same_v<T, float>) {
        const auto some = [&](std::int64_t first, std::int64_t count) {
            max_pool2d({in.data() + first * w.in_plane(), shape{count, 1, w.in[1], w.in[2]}},
                       detail::as_window2d(w, window.rounding),
                       {out.data() + first * w.out_plane(), shape{count, 1, w.out[1], w.out[2]}});
        };
        if (!indexed && in.rank() < 5 && detail::for_some_planes(w, planes, stopping, some)) return;
    }
    for (std::int64_t plane = 0; plane < planes; ++plane) {
        const T* from = in.data() + plane * w.in_plane();
        const std::int64_t base = plane * w.out_plane();
        detail::for_each_window(w, stopping, [&](std::int64_t at, const auto& taps) {
            T best = std::numeric_limits<T>::has_infinity ? static_cast<T>(-std::numeric_limits<T>::infinity())
                                                          : std::numeric_limits<T>::lowest();
            std::int64_t where = -1;
            detail::for_each_tap(w, taps, [&](std::int64_t i) {
                const T x = from[i];
                if (where < 0 || detail::beats(x, best)) {
                    best = x;
                    where = i;
                }
            });
            out.data()[base + at] = best;
            if (!indexed) return;
            std::int64_t place = where;
            if (order == storage_order::column_major && where >= 0) {
                const std::int64_t x = where % w.in[2], y = where / w.in[2] % w.in[1], z = where / w.in[2] / w.in[1];
                place = in.rank() == 5 ? (x * w.in[1] + y) * w.in[0] + z : x * w.in[1] + y;
            }
            indices.data()[base + at] = where < 0 ? -1 : plane * w.in_plane() + place;
        });
    }
}

/// out = the mean of each window, summed in row-major order. Positions behind the padded image never count.
///
/// shapes   in [N, C, ...], out pooled_shape(in, window), both dense, float or double
/// errors   throws std::invalid_argument when the shapes do not fit; stopped_error when it is time
/// threads  re-entrant; the bits of an image do not depend on N
/// source   ONNX AveragePool-19
template <class T>
void average_pool(const view<const T>& in, const window_nd& window, const view<T>& out,
                  padding_counts counts = padding_counts::no, const stop& stopping = {}) {
    const detail::window3 w = detail::checked_pooling(in, window, out);
    if (out.size() == 0) return;
    const auto planes = in.extent(0) * in.extent(1);
    if constexpr (std::is_same_v<T, float>) {
        const auto some = [&](std::int64_t first, std::int64_t count) {
            average_pool2d({in.data() + first * w.in_plane(), shape{count, 1, w.in[1], w.in[2]}},
                           detail::as_window2d(w, window.rounding),
                           {out.data() + first * w.out_plane(), shape{count, 1, w.out[1], w.out[2]}}, counts);
        };
        if (in.rank() < 5 && detail::for_some_planes(w, planes, stopping, some)) return;
    }
    const auto counted = [&](const detail::tap_range& taps, std::size_t axis) {
        if (counts == padding_counts::no) return static_cast<double>(taps.to - taps.from);
        const std::int64_t before = w.before[axis], padded = w.in[axis] + before + w.after[axis];
        return detail::inside_taps(taps.start + before, w.size[axis], w.dilation[axis], padded).count();
    };
    for (std::int64_t plane = 0; plane < planes; ++plane) {
        const T* from = in.data() + plane * w.in_plane();
        T* to = out.data() + plane * w.out_plane();
        detail::for_each_window(w, stopping, [&](std::int64_t at, const auto& taps) {
            T sum = 0;
            detail::for_each_tap(w, taps, [&](std::int64_t i) { sum += from[i]; });
            to[at] = sum / static_cast<T>(counted(taps[0], 0) * counted(taps[1], 1) * counted(taps[2], 2));
        });
    }
}

namespace detail {

template <class T>
T power_of(T x, std::int64_t p) {
    const T size = x < 0 ? -x : x;
    return p == 1 ? size : p == 2 ? x * x : std::pow(size, static_cast<T>(p));
}
template <class T>
T root_of(T x, std::int64_t p) {
    return p == 1 ? x : p == 2 ? std::sqrt(x) : std::pow(x, 1 / static_cast<T>(p));
}

template <class T>
void check_global(const view<const T>& in, const view<T>& out) {
    bool fits = in.rank() >= 2 && out.rank() == in.rank() && in.dense() && out.dense();
    for (std::size_t axis = 0; fits && axis < in.rank(); ++axis)
        fits = out.extent(axis) == (axis < 2 ? in.extent(axis) : 1) && (axis < 2 || in.extent(axis) > 0);
    if (!fits)
        throw std::invalid_argument("global pooling: " + in.shape().text() + " into " + out.shape().text() +
                                    ", expected dense [N, C, ...] into [N, C, 1, ...]");
}

}  // namespace detail

/// out = (sum of |in|^p)^(1/p) over each window; otherwise as average_pool.
///
/// source   ONNX LpPool-18
template <class T>
void lp_pool(const view<const T>& in, const window_nd& window, std::int64_t p, const view<T>& out,
             const stop& stopping = {}) {
    const detail::window3 w = detail::checked_pooling(in, window, out);
    if (p < 1) throw std::invalid_argument("pooling: expected p >= 1, got " + std::to_string(p));
    if (out.size() == 0) return;
    for (std::int64_t plane = 0; plane < in.extent(0) * in.extent(1); ++plane) {
        const T* from = in.data() + plane * w.in_plane();
        T* to = out.data() + plane * w.out_plane();
        detail::for_each_window(w, stopping, [&](std::int64_t at, const auto& taps) {
            T sum = 0;
            detail::for_each_tap(w, taps, [&](std::int64_t i) { sum += detail::power_of(from[i], p); });
            to[at] = detail::root_of(sum, p);
        });
    }
}

/// out = the greatest element of each channel; NaN if any is.
///
/// shapes   in [N, C, ...], out [N, C, 1, ...] of the same rank, both dense
/// errors   throws std::invalid_argument when the shapes do not fit
/// source   ONNX GlobalMaxPool-1
template <class T>
void global_max_pool(const view<const T>& in, const view<T>& out) {
    detail::check_global(in, out);
    const std::size_t planes = out.size(), n = planes == 0 ? 0 : in.size() / planes;
    for (std::size_t plane = 0; plane < planes; ++plane) {
        const T* from = in.data() + plane * n;
        T best = from[0];
        for (std::size_t i = 1; i < n; ++i)
            if (detail::beats(from[i], best)) best = from[i];
        out.data()[plane] = best;
    }
}

/// out = (sum of |in|^p)^(1/p) over each channel; shapes and errors as global_max_pool.
///
/// threads  re-entrant. Element k goes to lane k mod 16, lanes fold in a fixed tree
/// source   ONNX GlobalLpPool-2
template <class T>
void global_lp_pool(const view<const T>& in, std::int64_t p, const view<T>& out) {
    detail::check_global(in, out);
    if (p < 1) throw std::invalid_argument("pooling: expected p >= 1, got " + std::to_string(p));
    const std::size_t planes = out.size(), n = planes == 0 ? 0 : in.size() / planes;
    for (std::size_t plane = 0; plane < planes; ++plane) {
        std::array<T, 16> lanes{};
        for (std::size_t i = 0; i < n; ++i) lanes[i % 16] += detail::power_of(in.data()[plane * n + i], p);
        for (std::size_t half = 8; half != 0; half /= 2)
            for (std::size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
        out.data()[plane] = detail::root_of(lanes[0], p);
    }
}

/// Zeros, but in[i] where indices[i] says. Indices count elements of a dense tensor of shape `indexed`, whose
/// coordinates are then taken in `out`: the standard counts in the shape that the window implies, out may be larger.
///
/// shapes   in and indices alike, dense; indexed and out of one rank, no extent of indexed above out's
/// errors   throws std::invalid_argument when the shapes do not fit or an index lies outside
/// source   ONNX MaxUnpool-11
template <class T>
void max_unpool(const view<const T>& in, const view<const std::int64_t>& indices, const shape& indexed,
                const view<T>& out) {
    bool fits =
        in.shape() == indices.shape() && in.dense() && indices.dense() && out.dense() && indexed.rank() == out.rank();
    for (std::size_t a = 0; fits && a < out.rank(); ++a) fits = indexed[a] <= out.extent(a);
    if (!fits)
        throw std::invalid_argument("max_unpool: " + in.shape().text() + " at " + indices.shape().text() + " of " +
                                    indexed.text() + " into " + out.shape().text());
    if (out.size() != 0) std::memset(static_cast<void*>(out.data()), 0, out.size() * sizeof(T));
    const auto volume = static_cast<std::int64_t>(indexed.volume());
    for (std::size_t i = 0; i < in.size(); ++i) {
        std::int64_t index = indices.data()[i], at = 0;
        if (index < 0 || index >= volume)
            throw std::invalid_argument("max_unpool: index " + std::to_string(index) + " is outside " + indexed.text());
        for (std::size_t a = out.rank(); a-- > 0; index /= indexed[a]) at += index % indexed[a] * out.step(a);
        out.data()[at] = in.data()[i];
    }
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
