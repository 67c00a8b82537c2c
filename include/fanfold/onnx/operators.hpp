// fanfold/onnx/operators.hpp - the table of supported operators, one line a family.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>      // std::int64_t
#include <span>         // std::span
#include <string_view>  // std::string_view

#include "operators/arithmetic.hpp"
#include "operators/classical.hpp"
#include "operators/constant.hpp"
#include "operators/control_flow.hpp"
#include "operators/conv.hpp"
#include "operators/encoders.hpp"
#include "operators/features.hpp"
#include "operators/gather.hpp"
#include "operators/gemm.hpp"
#include "operators/labels.hpp"
#include "operators/linear_algebra.hpp"
#include "operators/losses.hpp"
#include "operators/normalization.hpp"
#include "operators/pieces.hpp"
#include "operators/pooling.hpp"
#include "operators/quantization.hpp"
#include "operators/recurrent.hpp"
#include "operators/reduce.hpp"
#include "operators/regions.hpp"
#include "operators/reshape.hpp"
#include "operators/resize.hpp"
#include "operators/selection.hpp"
#include "operators/sequences.hpp"
#include "operators/shapes.hpp"
#include "operators/signal.hpp"
#include "operators/softmax.hpp"
#include "operators/support_vectors.hpp"
#include "operators/unary.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

inline constexpr std::span<const operator_entry> operator_families[]{
    arithmetic_operators,    classical_operators, constant_operators,       control_flow_operators,
    conv_operators,          encoder_operators,   feature_operators,        gather_operators,
    gemm_operators,          label_operators,     linear_algebra_operators, loss_operators,
    normalization_operators, pieces_operators,    pooling_operators,        quantization_operators,
    recurrent_operators,     reduce_operators,    region_operators,         reshape_operators,
    resize_operators,        selection_operators, sequence_operators,       shape_operators,
    signal_operators,        softmax_operators,   support_vector_operators, unary_operators,
};

/// Null when no operator of that domain, name and version is supported.
[[nodiscard]] inline const operator_entry* find_operator(std::string_view domain, std::string_view name,
                                                         std::int64_t opset) {
    for (const auto& family : operator_families)
        for (const operator_entry& entry : family)
            if (entry.name == name && entry.domain == domain && entry.since <= opset && opset <= entry.until)
                return &entry;
    return nullptr;
}

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
