// fanfold/kernel/where.hpp - one of two tensors' elements, as a third one says.
// SPDX-License-Identifier: MIT
#pragma once
#include "broadcast.hpp"
#include "index.hpp"
#include "strided.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// out = a where `condition`, else b, with broadcasting.
///
/// shapes   out has the shape of all three together; a, b and out of one type; any strides
/// errors   throws std::invalid_argument when shapes or types do not fit
/// threads  re-entrant
/// source   ONNX Where-16
inline void where(const view<const bool>& condition, const tensor_view& a, const tensor_view& b,
                  const mutable_tensor_view& out) {
    const shape whole = broadcast_shape(condition.shape(), broadcast_shape(a.shape(), b.shape()));
    if (a.type() != b.type() || a.type() != out.type() || !(whole == out.shape()))
        detail::refuse("where", condition.shape().text() + " of " + describe(a) + " and " + describe(b) + " into " +
                                    describe(out));
    const auto seen = [&](const auto& t) { return detail::stretched(t.shape(), t.steps(), whole); };
    visit_width(out.type(), [&]<class Word>(Word) {
        detail::for_each_run<4>(whole, {seen(condition), seen(a), seen(b), out.steps()},
                                [&](const detail::offsets<4>& at, std::size_t n, const detail::offsets<4>& step) {
                                    const bool* c = condition.data() + at[0];
                                    const Word* x = reinterpret_cast<const Word*>(a.data()) + at[1];
                                    const Word* y = reinterpret_cast<const Word*>(b.data()) + at[2];
                                    Word* z = reinterpret_cast<Word*>(out.data()) + at[3];
                                    for (std::size_t i = 0; i < n; ++i) {
                                        const Word left = *x, right = *y;
                                        *z = *c ? left : right;
                                        c += step[0];
                                        x += step[1];
                                        y += step[2];
                                        z += step[3];
                                    }
                                });
    });
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
