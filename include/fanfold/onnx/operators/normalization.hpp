// fanfold/onnx/operators/normalization.hpp - BatchNormalization, LayerNormalization and their kin.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>      // std::array
#include <cstdint>    // std::int64_t
#include <stdexcept>  // std::invalid_argument
#include <vector>     // std::vector

#include "../../model/operators/normalization.hpp"
#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// Trains where training_mode says so, before opset 14 where somebody wants the statistics.
/// source   ONNX BatchNormalization-1 to BatchNormalization-15
inline void import_batch_normalization(node_import& node) {
    node.expect_inputs(5, 5);
    const float epsilon = node.real("epsilon", 1e-5F);
    const float momentum = node.real("momentum", 0.9F);
    bool trains = node.integer("training_mode", 0) != 0;
    node.ignore_attribute("is_test");
    node.ignore_attribute("consumed_inputs");
    const bool by_place = node.opset() < 9 && node.integer("spatial", 1) == 0;
    if (node.opset() < 14)
        for (std::size_t i = 1; i < 5; ++i) trains = trains || node.has_output(i);
    if (!trains)
        return node.answer(batch_normalization(epsilon, by_place ? batch_statistics::place : batch_statistics::channel),
                           node.inputs());
    if (by_place) throw std::invalid_argument("expected 'spatial' 1 beside statistics of the batch, got 0");
    std::vector<value_id> made = node.add_all(batch_normalization_training(epsilon, momentum), node.inputs());
    if (node.opset() >= 14) made.resize(3);
    node.answer(made);
}

/// source   ONNX InstanceNormalization-1 to InstanceNormalization-22
inline void import_instance_normalization(node_import& node) {
    node.expect_inputs(3, 3);
    node.ignore_attribute("consumed_inputs");
    node.answer(instance_normalization(node.real("epsilon", 1e-5F)), node.inputs());
}

/// source   ONNX GroupNormalization-18 with a scale for each group, GroupNormalization-21 for each channel
inline void import_group_normalization(node_import& node) {
    node.expect_inputs(3, 3);
    node.ignore_attribute("stash_type");  // everything is computed in float32
    node.answer(group_normalization(node.integer("num_groups", 0), node.real("epsilon", 1e-5F)), node.inputs());
}

/// source   ONNX LayerNormalization-17
inline void import_layer_normalization(node_import& node) {
    node.expect_inputs(2, 3);
    node.ignore_attribute("stash_type");
    node.answer(layer_normalization(node.integer("axis", -1), node.real("epsilon", 1e-5F)), node.inputs());
}

/// source   ONNX MeanVarianceNormalization-9, MeanVarianceNormalization-13
inline void import_mean_variance_normalization(node_import& node) {
    node.expect_inputs(1, 1);
    const std::vector<std::int64_t>* axes = node.integers("axes");
    node.answer(mean_variance_normalization(axes == nullptr ? std::vector<std::int64_t>{0, 2, 3} : *axes),
                node.inputs());
}

/// source   ONNX LpNormalization-1, LpNormalization-22
inline void import_lp_normalization(node_import& node) {
    node.expect_inputs(1, 1);
    node.answer(lp_normalization(node.integer("axis", -1), node.integer("p", 2)), node.inputs());
}

/// source   ONNX LRN-1, LRN-13
inline void import_lrn(node_import& node) {
    node.expect_inputs(1, 1);
    node.answer(local_response_normalization(node.integer("size", 0), node.real("alpha", 1e-4F),
                                             node.real("beta", 0.75F), node.real("bias", 1)),
                node.inputs());
}

inline constexpr std::array normalization_operators{
    operator_entry{"BatchNormalization", first_opset, last_opset, &import_batch_normalization},
    operator_entry{"InstanceNormalization", first_opset, last_opset, &import_instance_normalization},
    operator_entry{"GroupNormalization", 18, last_opset, &import_group_normalization},
    operator_entry{"LayerNormalization", 17, last_opset, &import_layer_normalization},
    operator_entry{"MeanVarianceNormalization", 9, last_opset, &import_mean_variance_normalization},
    operator_entry{"LpNormalization", first_opset, last_opset, &import_lp_normalization},
    operator_entry{"LRN", first_opset, last_opset, &import_lrn}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
