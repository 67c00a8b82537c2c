// fanfold/kernel/pad.hpp - a tensor with a border, or without one.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::clamp
#include <array>      // std::array
#include <span>       // std::span

#include "index.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// constant: one value; reflect: mirrored at the outermost elements, which stand once; edge: the outermost elements;
/// wrap: from the other end.
enum class pad_mode : std::uint8_t { constant, reflect, edge, wrap };

namespace detail {

/// Element `i` of an axis that is cut to [from, from + length) and then padded: where it stands, -1 for the constant.
[[nodiscard]] inline std::int64_t padded_source(pad_mode mode, std::int64_t i, std::int64_t from,
                                                std::int64_t length) noexcept {
    if (i >= 0 && i < length) return from + i;
    switch (mode) {
        case pad_mode::edge: return from + std::clamp<std::int64_t>(i, 0, length - 1);
        case pad_mode::wrap: return from + (i % length + length) % length;
        case pad_mode::reflect: {
            if (length == 1) return from;
            const std::int64_t period = 2 * (length - 1), k = (i % period + period) % period;
            return from + std::min(k, period - k);
        }
        case pad_mode::constant: break;
    }
    return -1;
}

struct pad_axis {
    std::int64_t before, from, length, out;  // padded before, then [from, from + length) of the input
    std::int64_t in_step, out_step;          // in bytes
};

template <class Word>
void pad_from(pad_mode mode, std::span<const pad_axis> axes, const std::byte* in, std::byte* out, Word value) {
    const pad_axis& a = axes.front();
    if (axes.size() == 1) {
        const Word* from = reinterpret_cast<const Word*>(in);
        Word* to = reinterpret_cast<Word*>(out);
        for (std::int64_t i = 0; i < a.out; ++i) {
            if (i == a.before && a.length > 0) {
                std::memcpy(to + i, from + a.from, static_cast<std::size_t>(a.length) * sizeof(Word));
                i += a.length - 1;
                continue;
            }
            const std::int64_t at = padded_source(mode, i - a.before, a.from, a.length);
            to[i] = at < 0 ? value : from[at];
        }
        return;
    }
    for (std::int64_t i = 0; i < a.out; ++i) {
        const std::int64_t at = padded_source(mode, i - a.before, a.from, a.length);
        std::byte* to = out + i * a.out_step;
        if (at >= 0)
            pad_from(mode, axes.subspan(1), in + at * a.in_step, to, value);
        else
            std::fill_n(reinterpret_cast<Word*>(to), a.out_step / static_cast<std::int64_t>(sizeof(Word)), value);
    }
}

}  // namespace detail

/// out = in with `before[axis]` elements in front and as many behind as out has room for; negative counts cut off,
/// which comes first.
///
/// shapes   in and out dense, of one type and rank. `value` points to one element: what constant padding writes; null
///          means zero
/// errors   throws std::invalid_argument when shapes do not fit, or there is nothing to reflect, repeat or wrap
/// threads  re-entrant
/// source   ONNX Pad-19
inline void pad(pad_mode mode, const tensor_view& in, std::span<const std::int64_t> before, const std::byte* value,
                const mutable_tensor_view& out) {
    if (in.type() != out.type() || in.rank() != out.rank() || before.size() != in.rank())
        detail::refuse("pad", describe(in) + " into " + describe(out));
    detail::expect_dense("pad", in, out);
    if (out.size() == 0) return;
    std::array<detail::pad_axis, shape::max_rank> axes{};
    const auto width = static_cast<std::int64_t>(size_of(in.type()));
    const strides in_steps = dense_strides(in.shape()), out_steps = dense_strides(out.shape());
    for (std::size_t a = 0; a < in.rank(); ++a) {
        if (before[a] < -in.extent(a) || before[a] > out.extent(a))
            detail::refuse("pad", std::to_string(before[a]) + " elements before axis " + std::to_string(a) + " of " +
                                      describe(in) + " into " + describe(out));
        const std::int64_t after = out.extent(a) - in.extent(a) - before[a];
        const std::int64_t from = std::max<std::int64_t>(-before[a], 0);
        const std::int64_t length = in.extent(a) - from - std::max<std::int64_t>(-after, 0);
        if (length < 0 || (length == 0 && mode != pad_mode::constant))
            detail::refuse("pad", describe(in) + " into " + describe(out) + ": axis " + std::to_string(a) + " keeps " +
                                      std::to_string(std::max<std::int64_t>(length, 0)) + " elements");
        axes[a] = {std::max<std::int64_t>(before[a], 0),
                   from,
                   length,
                   out.extent(a),
                   in_steps[a] * width,
                   out_steps[a] * width};
    }
    if (in.rank() == 0) axes[0] = {0, 0, 1, 1, width, width};
    visit_width(in.type(), [&]<class Word>(Word) {
        Word fill{};
        if (value != nullptr) std::memcpy(&fill, value, sizeof fill);
        detail::pad_from<Word>(mode, {axes.data(), std::max<std::size_t>(in.rank(), 1)}, in.data(), out.data(), fill);
    });
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
