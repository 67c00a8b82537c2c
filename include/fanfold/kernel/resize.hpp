// fanfold/kernel/resize.hpp - a tensor with other extents, its elements interpolated along each axis.
//   in    any shape, a scale per axis      out   the same rank
// SPDX-License-Identifier: MIT
#pragma once
#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <cstring>      // std::memcpy
#include <span>         // std::span
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <type_traits>  // std::is_same_v

#include "../context/workspace.hpp"
#include "../core/view.hpp"
#include "resize_axis.hpp"
#include "simd.hpp"

// The order matters.
// clang-format off
#include "target/baseline_begin.inc"
#include "body/resize.inc"
#include "target/end.inc"
#if FANFOLD_X86_64
#include "target/avx2_begin.inc"
#include "body/resize.inc"
#include "target/end.inc"

#include "target/avx512_begin.inc"
#include "body/resize.inc"
#include "target/end.inc"
#endif
// clang-format on

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {
namespace detail {

inline void check_resize(const shape& in, const shape& out, std::span<const resize_axis> axes, bool dense) {
    bool fits = dense && in.rank() == out.rank() && axes.size() == in.rank();
    for (std::size_t a = 0; fits && a < in.rank(); ++a) fits = axes[a].scale > 0 && (in[a] != 0 || out[a] == 0);
    if (!fits)
        throw std::invalid_argument("resize: " + in.text() + " into " + out.text() + " with " +
                                    std::to_string(axes.size()) +
                                    " scales: expected dense tensors of one rank and as many positive scales");
}

template <class Real>
using resize_tables = std::array<resize_table<Real>, shape::max_rank>;

/// Sets what lies outside the region of any axis.
template <class T, class Real>
void resize_extrapolate(const resize_tables<Real>& tables, T* out, const shape& extents, T value) {
    std::size_t inner = extents.volume();
    const std::size_t total = inner;
    for (std::size_t a = 0; a < extents.rank(); ++a) {
        const auto n = static_cast<std::size_t>(extents[a]);
        inner /= n;
        if (!tables[a].any_missing) continue;
        for (std::size_t at = 0; at < total / inner; ++at)
            if (tables[a].missing[at % n] != 0)
                for (std::size_t i = 0; i < inner; ++i) out[at * inner + i] = value;
    }
}

template <class Word>
struct nearest_walk {
    const resize_tables<float>& tables;
    const shape &in, &out;
    strides in_steps, out_steps;
    std::size_t copied_from;  // axes from here on stay as they are

    void operator()(std::size_t axis, const Word* from, Word* to) const {
        if (axis >= copied_from) {
            const std::size_t count = axis == out.rank() ? 1 : static_cast<std::size_t>(out_steps[axis] * out[axis]);
            std::memcpy(to, from, count * sizeof(Word));
            return;
        }
        const auto& index = tables[axis].index;
        const auto count = static_cast<std::size_t>(out[axis]), step = static_cast<std::size_t>(out_steps[axis]);
        if (axis + 1 == out.rank()) {
            for (std::size_t o = 0; o < count; ++o) to[o] = from[index[o]];
            return;
        }
        for (std::size_t o = 0; o < count; ++o, to += step) {
            if (o != 0 && index[o] == index[o - 1])
                std::memcpy(to, to - step, step * sizeof(Word));
            else
                (*this)(axis + 1, from + index[o] * in_steps[axis], to);
        }
    }
};

inline void resize_nearest(const tensor_view& in, std::span<const resize_axis> axes, const mutable_tensor_view& out,
                           const resize_options& options, workspace& space) {
    check_resize(in.shape(), out.shape(), axes, in.dense() && out.dense() && in.type() == out.type());
    if (out.size() == 0) return;
    const workspace::scope scope(space);
    resize_tables<float> tables;
    std::size_t changed = 0;  // behind the last axis that changes
    for (std::size_t a = 0; a < in.rank(); ++a) {
        tables[a] = resize_table_for<float>(options, axes[a], in.extent(a), out.extent(a), space);
        if (tables[a].changes) changed = a + 1;
    }
    visit_width(in.type(), [&]<class Word>(Word) {
        const nearest_walk<Word> walk{tables, in.shape(), out.shape(), in.steps(), out.steps(), changed};
        walk(0, reinterpret_cast<const Word*>(in.data()), reinterpret_cast<Word*>(out.data()));
    });
    if (options.coordinates != coordinates::tf_crop_and_resize) return;
    visit_element(in.type(), [&]<class T>(T) {
        resize_extrapolate(tables, reinterpret_cast<T*>(out.data()), out.shape(),
                           static_cast<T>(options.extrapolation_value));
    });
}

/// One axis of [outer, n, inner].
template <class Real>
void resize_pass(isa set, const Real* in, std::size_t outer, std::size_t n, std::size_t inner,
                 const resize_table<Real>& table, Real* out, std::size_t made) {
    const std::size_t taps = table.taps;
    for (std::size_t block = 0; block < outer; ++block, in += n * inner)
        for (std::size_t o = 0; o < made; ++o, out += inner) {
            const std::int64_t* index = table.index.data() + o * taps;
            const Real* weights = table.weights.data() + o * taps;
            if constexpr (std::is_same_v<Real, float>) {
                if (inner != 1) {
                    pick(set, &baseline::resize_row, &avx2::resize_row, &avx512::resize_row)(in, index, weights, taps,
                                                                                             inner, out);
                    continue;
                }
            }
            for (std::size_t i = 0; i < inner; ++i) {
                Real total = 0;
                for (std::size_t tap = 0; tap < taps; ++tap)
                    total += weights[tap] * in[static_cast<std::size_t>(index[tap]) * inner + i];
                out[i] = total;
            }
        }
}

template <class Real>
void resize_weighted(isa set, const view<const Real>& in, std::span<const resize_axis> axes, const view<Real>& out,
                     const resize_options& options, workspace& space) {
    check_resize(in.shape(), out.shape(), axes, in.dense() && out.dense());
    if (out.size() == 0) return;
    const workspace::scope scope(space);
    resize_tables<Real> tables;
    std::size_t passes = 0;
    for (std::size_t a = 0; a < in.rank(); ++a) {
        tables[a] = resize_table_for<Real>(options, axes[a], in.extent(a), out.extent(a), space);
        if (tables[a].changes) ++passes;
    }
    if (passes == 0) std::memcpy(out.data(), in.data(), in.size() * sizeof(Real));
    const Real* from = in.data();
    shape now = in.shape();
    for (std::size_t a = in.rank(); a-- > 0;) {
        if (!tables[a].changes) continue;
        std::size_t outer = 1, inner = 1;
        for (std::size_t b = 0; b < a; ++b) outer *= static_cast<std::size_t>(now[b]);
        for (std::size_t b = a + 1; b < now.rank(); ++b) inner *= static_cast<std::size_t>(now[b]);
        const auto n = static_cast<std::size_t>(now[a]);
        now = now.with(a, out.extent(a));
        Real* to = --passes == 0 ? out.data() : space.take<Real>(now.volume()).data();
        resize_pass(set, from, outer, n, inner, tables[a], to, static_cast<std::size_t>(now[a]));
        from = to;
    }
    resize_extrapolate(tables, out.data(), out.shape(), static_cast<Real>(options.extrapolation_value));
}

}  // namespace detail

/// out = in at the coordinates that options.coordinates gives each axis: the nearest element, or a weighted sum of 2 or
/// 4 neighbours per axis (more when antialiasing a smaller output), axis after axis from the last.
///
/// shapes   in and out dense, of one rank; their extents are the sizes; axes one for each. Linear and cubic take
///          float32 and float64, nearest any type
/// cost     nearest copies, repeated rows as blocks; otherwise a pass with scratch for each axis that changes
/// errors   throws std::invalid_argument when the shapes, types or scales do not fit
/// threads  re-entrant with a workspace each; the bits of an image do not depend on the batch
/// source   ONNX Resize-19; Upsample-9 and Resize-10 with coordinates::asymmetric
inline void resize(const tensor_view& in, std::span<const resize_axis> axes, const mutable_tensor_view& out,
                   const resize_options& options, workspace& space) {
    if (options.mode == interpolation::nearest)
        detail::resize_nearest(in, axes, out, options, space);
    else if (in.type() == element::float64)
        detail::resize_weighted(active_isa(), in.as<double>(), axes, out.as<double>(), options, space);
    else
        detail::resize_weighted(active_isa(), in.as<float>(), axes, out.as<float>(), options, space);
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
