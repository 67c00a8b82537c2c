// fanfold/model/operators/elementwise.hpp - arithmetic of two values with broadcasting, and activations.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <span>         // std::span
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "../../kernel/elementwise.hpp"
#include "../operation.hpp"
#include "broadcast.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// a + b, a - b, a * b or a / b, element by element.
///
/// shapes   two values of one type (float32, float64, int32, int64) that broadcast
/// source   ONNX Add-14, Sub-14, Mul-14, Div-14
class arithmetic {
public:
    static constexpr bool elementwise = true;

    explicit arithmetic(kernel::binary kind) : kind_(kind) {}

    [[nodiscard]] std::string_view name() const noexcept {
        switch (kind_) {
            case kernel::binary::add: return "Add";
            case kernel::binary::sub: return "Sub";
            case kernel::binary::mul: return "Mul";
            case kernel::binary::div: return "Div";
        }
        return "?";
    }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2);
        if (in[0].type != in[1].type || in[0].type == element::boolean)
            detail::refuse("two values of one numeric type", in[0].text() + " and " + in[1].text());
        return {{in[0].type, broadcast(in[0].shape, in[1].shape)}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        visit_element(in[0].type(), [&]<class T>(T) {
            if constexpr (std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, std::int32_t> ||
                          std::same_as<T, std::int64_t>)
                kernel::elementwise<T>(kind_, in[0].as<T>(), in[1].as<T>(), out[0].as<T>());
        });
    }

private:
    kernel::binary kind_;
};
static_assert(graph_operation<arithmetic>);

/// relu, sigmoid or tanh of every element; fused into the operation before it where that is possible.
///
/// shapes   float32 or float64, any shape
/// source   ONNX Relu-14, Sigmoid-13, Tanh-13
class activation_function {
public:
    static constexpr bool elementwise = true;

    /// errors   throws std::invalid_argument for activation::none; that is `identity`
    explicit activation_function(kernel::activation act) : act_(act) {
        if (act == kernel::activation::none) detail::refuse("relu, sigmoid or tanh", "none");
    }

    [[nodiscard]] std::string_view name() const noexcept {
        switch (act_) {
            case kernel::activation::relu: return "Relu";
            case kernel::activation::sigmoid: return "Sigmoid";
            case kernel::activation::tanh: return "Tanh";
            case kernel::activation::none: break;
        }
        return "?";
    }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        if (in[0].type != element::float32 && in[0].type != element::float64)
            detail::refuse("float32 or float64", in[0].text());
        return {in[0]};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        if (in[0].type() == element::float32)
            run<float>(in[0], out[0]);
        else
            run<double>(in[0], out[0]);
    }
    [[nodiscard]] kernel::activation as_activation() const noexcept { return act_; }

private:
    template <class T>
    void run(const tensor_view& in, const mutable_tensor_view& out) const {
        switch (act_) {
            case kernel::activation::relu: kernel::relu(in.as<T>(), out.as<T>()); break;
            case kernel::activation::sigmoid: kernel::sigmoid(in.as<T>(), out.as<T>()); break;
            case kernel::activation::tanh: kernel::tanh(in.as<T>(), out.as<T>()); break;
            case kernel::activation::none: break;
        }
    }

    kernel::activation act_;
};
static_assert(graph_operation<activation_function>);

}  // namespace fanfold::inline FANFOLD_ABI
