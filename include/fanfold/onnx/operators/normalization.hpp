// fanfold/onnx/operators/normalization.hpp - BatchNormalization, LayerNormalization and their kin.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <stdexcept>  // std::invalid_argument
#include <vector>     // std::vector

#include "../../core/tensor.hpp"
#include "../../model/operators/axes.hpp"
#include "../../model/operators/elementwise.hpp"
#include "../../model/operators/normalization.hpp"
#include "../../model/operators/reduce.hpp"
#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

namespace detail {

/// Normalizations of float64 are spelt out in arithmetic.
class float64_normalization {
public:
    explicit float64_normalization(node_import& node) : node_(node) {}

    /// Parameters [C], or of float32, as they are multiplied with channels of [N, C, ...].
    [[nodiscard]] value_id parameter(std::size_t index, std::size_t rank) {
        value_id value = node_.input(index);
        if (node_.type(index).type != element::float64) value = node_.add(cast(element::float64), {value});
        std::vector<std::int64_t> behind;
        for (std::size_t axis = 2; axis < rank; ++axis) behind.push_back(static_cast<std::int64_t>(axis) - 1);
        return behind.empty() ? value : node_.add(unsqueeze(behind), {value});
    }
    [[nodiscard]] value_id with(kernel::binary kind, value_id a, value_id b) {
        return node_.add(arithmetic(kind), {a, b});
    }
    /// 1 / sqrt(variance + epsilon)
    [[nodiscard]] value_id factor(value_id variance, float epsilon) {
        const value_id more = node_.constant_value(tensor::of<double>({}, {static_cast<double>(epsilon)}));
        const value_id root =
            node_.add(unary_function(kernel::unary::sqrt), {with(kernel::binary::add, variance, more)});
        return node_.add(unary_function(kernel::unary::reciprocal), {root});
    }

    void batch(float epsilon) {
        const symbolic_shape shape = node_.type(0).shape;
        if (!shape.ranked())
            throw std::invalid_argument("expected float64 of a known rank, got " + node_.type(0).text());
        const std::size_t rank = shape.rank();
        const value_id centred = with(kernel::binary::sub, node_.input(0), parameter(3, rank));
        const value_id scale = with(kernel::binary::mul, parameter(1, rank), factor(parameter(4, rank), epsilon));
        node_.answer(with(kernel::binary::add, with(kernel::binary::mul, centred, scale), parameter(2, rank)));
    }
    void layer(std::int64_t axis, float epsilon) {
        const symbolic_shape shape = node_.type(0).shape;
        if (!shape.ranked())
            throw std::invalid_argument("expected float64 of a known rank, got " + node_.type(0).text());
        std::vector<std::int64_t> axes;
        for (std::size_t a = fanfold::detail::expect_axis(axis, shape.rank()); a < shape.rank(); ++a)
            axes.push_back(static_cast<std::int64_t>(a));
        const value_id x = node_.input(0), mean = node_.add(reduce(kernel::reduction::mean, axes), {x});
        const value_id centred = with(kernel::binary::sub, x, mean);
        const value_id square = with(kernel::binary::mul, centred, centred);
        const value_id by = factor(node_.add(reduce(kernel::reduction::mean, axes), {square}), epsilon);
        value_id y = with(kernel::binary::mul, with(kernel::binary::mul, centred, by), node_.input(1));
        if (node_.has_input(2)) y = with(kernel::binary::add, y, node_.input(2));
        node_.answer(std::vector<value_id>{y, node_.add(cast(element::float32), {mean}),
                                           node_.add(cast(element::float32), {by})});
    }

private:
    node_import& node_;
};

}  // namespace detail

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
    if (!trains && !by_place && node.type(0).type == element::float64)
        return detail::float64_normalization(node).batch(epsilon);
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
    const std::int64_t axis = node.integer("axis", -1);
    const float epsilon = node.real("epsilon", 1e-5F);
    if (node.type(0).type == element::float64) return detail::float64_normalization(node).layer(axis, epsilon);
    node.answer(layer_normalization(axis, epsilon), node.inputs());
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
