// fanfold/kernel/log_softmax.hpp - the logarithm of softmax, without its loss of small numbers.
// SPDX-License-Identifier: MIT
#pragma once
#include "softmax.hpp"
#include "unary.hpp"

// The order matters.
// clang-format off
#include "target/baseline_begin.inc"
#include "body/log_softmax.inc"
#include "target/end.inc"
#if FANFOLD_X86_64
#include "target/avx2_begin.inc"
#include "body/log_softmax.inc"
#include "target/end.inc"

#include "target/avx512_begin.inc"
#include "body/log_softmax.inc"
#include "target/end.inc"
#endif
// clang-format on

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {
namespace detail {

inline void log_softmax(isa set, const tensor_view& in, std::size_t axis, const mutable_tensor_view& out) {
    if (in.type() != element::float32) return softmax_wide(softmax_form::logarithm, in, axis, out);
    const rows_along rows("log_softmax", in, axis, out);
    const auto row = pick(set, &baseline::log_softmax_row, &avx2::log_softmax_row, &avx512::log_softmax_row);
    const auto columns =
        pick(set, &baseline::log_softmax_columns, &avx2::log_softmax_columns, &avx512::log_softmax_columns);
    for (std::size_t g = 0; g < rows.groups; ++g) {
        const float* x = in.as<float>().data() + static_cast<std::int64_t>(g) * rows.group_step;
        float* z = out.as<float>().data() + static_cast<std::int64_t>(g) * rows.group_step;
        if (rows.step == 1)
            for (std::size_t c = 0; c < rows.columns; ++c) row(x + c * rows.n, z + c * rows.n, rows.n);
        else
            for (std::size_t c = 0; c < rows.columns; c += 16)
                columns(x + c, z + c, rows.n, static_cast<std::size_t>(rows.step),
                        std::min<std::size_t>(rows.columns - c, 16));
    }
}

}  // namespace detail

/// out = in - max - log(sum of e^(in - max)) along `axis`. A NaN, a +infinity or nothing but -infinity gives NaN for
/// all of its row.
///
/// shapes   in and out dense, of one shape and floating-point type; out may be in. What is not float32 is computed in
///          double
/// errors   throws std::invalid_argument when shapes, types or the axis do not fit
/// threads  as softmax
/// source   ONNX LogSoftmax-13
inline void log_softmax(const tensor_view& in, std::size_t axis, const mutable_tensor_view& out) {
    if (!is_floating(in.type()))
        throw std::invalid_argument("log_softmax of " + describe(in) + ": expected floating point");
    detail::log_softmax(active_isa(), in, axis, out);
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
