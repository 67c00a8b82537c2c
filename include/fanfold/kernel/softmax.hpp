// fanfold/kernel/softmax.hpp - e^x along one axis, divided by its sum.
//   in    any dense tensor      out   the same shape; sums to 1 along the axis
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>    // std::size_t
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string

#include "../core/view.hpp"
#include "activation.hpp"

// The order matters.
// clang-format off
#include "target/baseline_begin.inc"
#include "body/softmax.inc"
#include "target/end.inc"
#if FANFOLD_X86_64
#include "target/avx2_begin.inc"
#include "body/softmax.inc"
#include "target/end.inc"

#include "target/avx512_begin.inc"
#include "body/softmax.inc"
#include "target/end.inc"
#endif
// clang-format on

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {
namespace detail {

inline void softmax(isa set, const view<const float>& in, std::size_t axis, const view<float>& out) {
    if (!(in.shape() == out.shape()) || axis >= in.rank() || !in.dense() || !out.dense())
        throw std::invalid_argument("softmax along axis " + std::to_string(axis) + " of " + in.shape().text() +
                                    " into " + out.shape().text() + ": expected dense tensors of one shape");
    if (in.size() == 0) return;
    std::size_t inner = 1;
    for (std::size_t a = axis + 1; a < in.rank(); ++a) inner *= static_cast<std::size_t>(in.extent(a));
    const auto n = static_cast<std::size_t>(in.extent(axis));
    pick(set, &baseline::softmax, &avx2::softmax, &avx512::softmax)(in.data(), out.data(), in.size() / n / inner, n,
                                                                    inner);
}

}  // namespace detail

/// out = e^(in - max) / sum of e^(in - max) along `axis`. A NaN, a +infinity or nothing but -infinity gives NaN for all
/// of its row, as the formula does.
///
/// shapes   in and out dense, of one shape; out may be in
/// errors   throws std::invalid_argument when the shapes or the axis do not fit
/// threads  re-entrant. Element k goes to lane k mod 16, lanes fold in a fixed tree: the bits of a row depend
///          neither on other rows nor on which axis it lies along, and an appended -infinity changes nothing
/// source   ONNX Softmax-13
inline void softmax(const view<const float>& in, std::size_t axis, const view<float>& out) {
    detail::softmax(active_isa(), in, axis, out);
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
