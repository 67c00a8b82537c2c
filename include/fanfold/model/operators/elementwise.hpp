// fanfold/model/operators/elementwise.hpp - functions of one element, of two with broadcasting, conversions, choices.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <optional>     // std::optional
#include <span>         // std::span
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "../../kernel/cast.hpp"
#include "../../kernel/elementwise.hpp"
#include "../../kernel/unary.hpp"
#include "../../kernel/where.hpp"
#include "../operation.hpp"
#include "broadcast.hpp"
#include "element_ranges.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

[[nodiscard]] constexpr bool is_comparison(kernel::binary kind) noexcept { return kind >= kernel::binary::equal; }

/// Sizes computed from sizes; those that are no longer linear in the rows are unknown.
[[nodiscard]] inline std::optional<symbolic_values> sizes_of(kernel::binary kind, const symbolic_values& a,
                                                             const symbolic_values& b) {
    if (a.size() != b.size() && a.size() != 1 && b.size() != 1) return std::nullopt;
    symbolic_values out;
    for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
        const extent& x = a[a.size() == 1 ? 0 : i];
        const extent& y = b[b.size() == 1 ? 0 : i];
        const bool truncates = x.constant() && y.constant() && (x.fixed < 0 || y.fixed < 0);  // sizes round down
        switch (kind) {
            case kernel::binary::add: out.push_back(x + y); break;
            case kernel::binary::sub: out.push_back(x - y); break;
            case kernel::binary::mul: out.push_back(x * y); break;
            case kernel::binary::div: out.push_back(truncates ? extent::unknown() : x / y); break;
            case kernel::binary::equal: {
                const extent apart = x - y;
                const bool never = apart.known() && ((apart.fixed > 0 && apart.per_row >= 0) ||
                                                     (apart.fixed < 0 && apart.per_row <= 0));
                if (!never && !(x == y)) return std::nullopt;
                out.push_back(never ? 0 : 1);
                break;
            }
            default: return std::nullopt;
        }
    }
    return out;
}

}  // namespace detail

/// a op b, element by element: arithmetic, comparisons (answer bool), logic.
///
/// shapes   two values of one type that broadcast; pow takes two types and answers the first
/// source   ONNX Add-14, Pow-15, Mod-13, Equal-19 and their like, as kernel::elementwise lists them
class arithmetic {
public:
    static constexpr bool elementwise = true;

    explicit arithmetic(kernel::binary kind) : kind_(kind) {}

    [[nodiscard]] std::string_view name() const noexcept { return name_of(kind_); }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2);
        if (in[0].type != in[1].type && kind_ != kernel::binary::pow)
            detail::refuse("two values of one type", in[0].text() + " and " + in[1].text());
        const bool numbers = in[0].type != element::boolean;
        const bool logical = kind_ >= kernel::binary::logical_and && kind_ <= kernel::binary::equal;
        if (numbers ? logical && kind_ != kernel::binary::equal : !logical)
            detail::refuse(numbers ? "two bools" : "two values of one numeric type",
                           in[0].text() + " and " + in[1].text());
        return {{detail::is_comparison(kind_) ? element::boolean : in[0].type, broadcast(in[0].shape, in[1].shape)}};
    }
    [[nodiscard]] std::optional<symbolic_values> sizes(std::span<const argument> in) const {
        const auto a = sizes_in(in[0]);
        const auto b = sizes_in(in[1]);
        if (!a || !b || in[0].type != element::int64) return std::nullopt;
        return detail::sizes_of(kind_, *a, *b);
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        if (!detail::alike(out[0], in[0], in[1])) return kernel::elementwise(kind_, in[0], in[1], out[0]);
        const auto some = [&](const tensor_view& a, const tensor_view& b, const mutable_tensor_view& to) {
            kernel::elementwise(kind_, a, b, to);
        };
        detail::over_elements(space, 1, out[0], some, in[0], in[1]);
    }
    [[nodiscard]] kernel::binary kind() const noexcept { return kind_; }

private:
    kernel::binary kind_;
};
static_assert(graph_operation<arithmetic>);

/// f(x) for every element, with up to two parameters; the activations among them are fused into the operation before.
///
/// shapes   any; the element types that kernel::apply takes
/// source   ONNX Relu-14, Exp-13, LeakyRelu-16 and their like, as kernel::unary lists them
class unary_function {
public:
    static constexpr bool elementwise = true;

    explicit unary_function(kernel::unary function, double alpha = 0, double beta = 0)
        : function_(function), alpha_(alpha), beta_(beta) {}
    /// errors   throws std::invalid_argument for activation::none; that is `identity`
    explicit unary_function(kernel::activation act) : unary_function(function_of(act)) {}

    [[nodiscard]] std::string_view name() const noexcept { return name_of(function_); }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        const bool asks = function_ == kernel::unary::is_nan || function_ == kernel::unary::is_inf;
        const element type = asks ? element::boolean : in[0].type;
        if (!kernel::detail::accepts(function_, in[0].type, type))
            detail::refuse("an element type that " + std::string(name()) + " takes", in[0].text());
        return {{type, in[0].shape}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        if (!detail::alike(out[0], in[0])) return kernel::apply(function_, alpha_, beta_, in[0], out[0]);
        const auto some = [&](const tensor_view& x, const mutable_tensor_view& to) {
            kernel::apply(function_, alpha_, beta_, x, to);
        };
        detail::over_elements(space, 16, out[0], some, in[0]);
    }
    [[nodiscard]] kernel::activation as_activation() const noexcept {
        for (const auto& [function, act] : activations)
            if (function == function_) return act;
        return kernel::activation::none;
    }
    [[nodiscard]] kernel::unary function() const noexcept { return function_; }
    [[nodiscard]] double alpha() const noexcept { return alpha_; }
    [[nodiscard]] double beta() const noexcept { return beta_; }

private:
    struct pair {
        kernel::unary function;
        kernel::activation act;
    };
    static constexpr pair activations[] = {{kernel::unary::relu, kernel::activation::relu},
                                           {kernel::unary::sigmoid, kernel::activation::sigmoid},
                                           {kernel::unary::tanh, kernel::activation::tanh},
                                           {kernel::unary::gelu, kernel::activation::gelu},
                                           {kernel::unary::gelu_tanh, kernel::activation::gelu_tanh},
                                           {kernel::unary::silu, kernel::activation::silu},
                                           {kernel::unary::hard_swish, kernel::activation::hard_swish}};
    static kernel::unary function_of(kernel::activation act) {
        for (const auto& [function, known] : activations)
            if (known == act) return function;
        detail::refuse("an activation", "none");
    }

    kernel::unary function_;
    double alpha_;
    double beta_;
};
static_assert(graph_operation<unary_function>);

/// The same numbers as another element type.
/// source   ONNX Cast-13
class cast {
public:
    static constexpr bool elementwise = true;

    explicit cast(element to) : to_(to) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Cast"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1, 2);
        return {{to_, in[0].shape}};
    }
    [[nodiscard]] std::optional<symbolic_values> sizes(std::span<const argument> in) const {
        return to_ == element::int64 && in[0].type == element::int64 ? sizes_in(in[0]) : std::nullopt;
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() != 0) kernel::cast(in[0], out[0]);
    }

private:
    element to_;
};
static_assert(graph_operation<cast>);

/// Elements of input 1 where input 0 is true, else of input 2, with broadcasting.
/// source   ONNX Where-16
class where {
public:
    static constexpr bool elementwise = true;

    [[nodiscard]] std::string_view name() const noexcept { return "Where"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 3);
        if (in[0].type != element::boolean || in[1].type != in[2].type)
            detail::refuse("a bool and two values of one type",
                           in[0].text() + ", " + in[1].text() + " and " + in[2].text());
        return {{in[1].type, broadcast(in[0].shape, broadcast(in[1].shape, in[2].shape))}};
    }
    /// A choice among sizes, as exporters make it for Expand.
    [[nodiscard]] std::optional<symbolic_values> sizes(std::span<const argument> in) const {
        const auto a = sizes_in(in[1]), b = sizes_in(in[2]);
        if (!in[0].value || in[0].value->rank() > 1 || !a || !b || in[1].type != element::int64) return std::nullopt;
        const std::span<const bool> choice = in[0].value->as<bool>().flat();
        const std::size_t count = std::max({choice.size(), a->size(), b->size()});
        symbolic_values out;
        for (std::size_t i = 0; i < count; ++i) {
            const auto of = [&](const auto& list) { return list[list.size() == 1 ? 0 : i]; };
            for (const std::size_t size : {choice.size(), a->size(), b->size()})
                if (size != 1 && size != count) return std::nullopt;
            out.push_back(of(choice) ? of(*a) : of(*b));
        }
        return out;
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() != 0) kernel::where(in[0].as<bool>(), in[1], in[2], out[0]);
    }
};
static_assert(graph_operation<where>);

}  // namespace fanfold::inline FANFOLD_ABI
