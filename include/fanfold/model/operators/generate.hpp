// fanfold/model/operators/generate.hpp - values made of a few numbers: ranges, diagonals, one-hot codes, triangles.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <optional>     // std::optional
#include <span>         // std::span
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "../../kernel/cast.hpp"
#include "../../kernel/generate.hpp"
#include "../../kernel/triangle.hpp"
#include "../operation.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// The one element of a value, as a double and as an integer.
template <class T>
[[nodiscard]] T number_in(const tensor_view& one) {
    if (one.size() != 1) refuse("one number", describe(one));
    tensor out(element_of<T>, one.shape());
    kernel::cast(one, out);
    return out.as<T>().data()[0];
}

}  // namespace detail

/// Input 0, input 0 + input 2, .. before input 1.
///
/// shapes   three values of one element of one type -> [count]
/// source   ONNX Range-11
class range {
public:
    [[nodiscard]] std::string_view name() const noexcept { return "Range"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 3);
        if (in[0].type != in[1].type || in[0].type != in[2].type)
            detail::refuse("three numbers of one type", in[0].text() + ", " + in[1].text() + " and " + in[2].text());
        if (in[0].value && in[1].value && in[2].value) return {{in[0].type, {length(in)}}};
        const auto first = sizes_in(in[0]);
        const auto last = sizes_in(in[1]);
        const auto step = integers_in(in[2]);
        const bool counts =
            first && last && step && first->size() == 1 && last->size() == 1 && *step == std::vector<std::int64_t>{1};
        return {{in[0].type, {counts ? last->front() - first->front() : extent::unknown()}}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument>) const { return true; }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() != 0) kernel::range(in[0], in[2], out[0]);
    }

private:
    static std::int64_t length(std::span<const argument> in) {
        const auto of = [&]<class T>(T) {
            return kernel::range_length(detail::number_in<T>(*in[0].value), detail::number_in<T>(*in[1].value),
                                        detail::number_in<T>(*in[2].value));
        };
        return is_floating(in[0].type) ? of(double{}) : of(std::int64_t{});
    }
};
static_assert(graph_operation<range>);

/// 1 on a diagonal of a matrix like input 0, else 0.
/// source   ONNX EyeLike-22
class eye_like {
public:
    static constexpr std::uint32_t shape_inputs = 0b1;

    explicit eye_like(std::int64_t diagonal = 0, std::optional<element> type = {}) : diagonal_(diagonal), type_(type) {}

    [[nodiscard]] std::string_view name() const noexcept { return "EyeLike"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        if (in[0].shape.ranked() && in[0].shape.rank() != 2) detail::refuse("a matrix", in[0].text());
        return {{type_.value_or(in[0].type), in[0].shape}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument>) const { return true; }
    void operator()(std::span<const tensor_view>, std::span<const mutable_tensor_view> out, workspace&) const {
        kernel::eye(diagonal_, out[0]);
    }

private:
    std::int64_t diagonal_;
    std::optional<element> type_;
};
static_assert(graph_operation<eye_like>);

/// A new axis, along which the index says where the second of two values stands, else the first.
///
/// shapes   indices [i..], depth [] or [1], values [2] -> values' type, [i..] with depth at the axis
/// source   ONNX OneHot-11
class one_hot {
public:
    explicit one_hot(std::int64_t axis = -1) : axis_(axis) {}

    [[nodiscard]] std::string_view name() const noexcept { return "OneHot"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 3);
        const symbolic_shape& indices = in[0].shape;
        if (!indices.ranked()) return {{in[2].type, symbolic_shape::unknown()}};
        const std::size_t at = detail::expect_axis(axis_, indices.rank() + 1);
        const extent depth =
            in[1].value ? extent(detail::number_in<std::int64_t>(*in[1].value)) : extent::unknown();
        if (depth.constant() && depth.fixed < 0) detail::refuse("a depth of 0 or more", depth.text());
        symbolic_shape out;
        for (std::size_t axis = 0; axis <= indices.rank(); ++axis)
            out.push_back(axis < at ? indices[axis] : axis == at ? depth : indices[axis - 1]);
        return {{in[2].type, out}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument>) const { return false; }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() != 0) kernel::one_hot(in[0], in[2], detail::expect_axis(axis_, out[0].rank()), out[0]);
    }

private:
    std::int64_t axis_;
};
static_assert(graph_operation<one_hot>);

/// The upper or lower triangle of matrices; the rest is 0. Input 1 says which diagonal.
/// source   ONNX Trilu-14
class trilu {
public:
    explicit trilu(kernel::triangle part) : part_(part) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Trilu"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1, 2);
        if (in[0].shape.ranked() && in[0].shape.rank() < 2) detail::refuse("matrices", in[0].text());
        return {in[0]};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        const auto rows = in[0].shape.row_axis();
        return !rows || *rows + 2 >= in[0].shape.rank();
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        kernel::trilu(part_, given(in, 1) ? integer_in(in[1]) : 0, in[0], out[0]);
    }

private:
    kernel::triangle part_;
};
static_assert(graph_operation<trilu>);

}  // namespace fanfold::inline FANFOLD_ABI
