// fanfold/model/operators/reshape.hpp - the same elements under another shape: nothing is computed.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <optional>     // std::optional
#include <span>         // std::span
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../operation.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// The extent q with q * divisor == whole for every N; empty when there is none.
[[nodiscard]] inline std::optional<extent> quotient(const extent& whole, const extent& divisor) {
    const auto exact = [](std::int64_t a, std::int64_t b) { return b != 0 && b != -1 && a % b == 0; };
    if (divisor.constant()) {
        if (!exact(whole.fixed, divisor.fixed) || !exact(whole.per_row, divisor.fixed)) return std::nullopt;
        return extent(whole.fixed / divisor.fixed, whole.per_row / divisor.fixed);
    }
    if (!exact(whole.per_row, divisor.per_row)) return std::nullopt;
    const extent q(whole.per_row / divisor.per_row);
    if (!(q * divisor == whole)) return std::nullopt;
    return q;
}

inline void copy_reshaped(const tensor_view& in, const mutable_tensor_view& out) {
    copy_elements(in.reshaped(out.shape()), out);
}

}  // namespace detail

/// What a 0 in a reshape's target means.
enum class zero_extent { copies_input, is_zero };

/// Another shape of the same volume.
///
/// example  reshape({0, -1}) of [N, 16, 5, 5]  ->  [N, 400]
/// shapes   any; in the target one -1 stands for what is left, and 0 for the input's extent there
/// errors   answers throws std::invalid_argument naming the input and the target when the volumes differ for some N
/// source   ONNX Reshape-14
class reshape {
public:
    static constexpr bool aliases = true;

    explicit reshape(std::vector<std::int64_t> target, zero_extent zero = zero_extent::copies_input)
        : target_(std::move(target)), zero_(zero) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Reshape"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const value_type> in) const {
        detail::expect_inputs(in, 1);
        const symbolic_shape& x = in[0].shape;
        if (target_.size() > shape::max_rank) refuse(x, "a target of rank 8 at most");
        std::vector<extent> out(target_.size());
        std::optional<std::size_t> open;
        extent known = 1;
        for (std::size_t axis = 0; axis < out.size(); ++axis) {
            if (target_[axis] < -1) refuse(x, "a target of extents, 0 and one -1");
            if (target_[axis] == -1) {
                if (open) refuse(x, "at most one -1");
                open = axis;
                continue;
            }
            out[axis] = target_[axis];
            if (target_[axis] == 0 && zero_ == zero_extent::copies_input) {
                if (axis >= x.rank()) refuse(x, "a 0 only where the input has an axis");
                out[axis] = x[axis];
            }
            known = known * out[axis];
        }
        const extent whole = x.volume(0, x.rank());
        if (open) {
            const std::optional<extent> left = detail::quotient(whole, known);
            if (!left) refuse(x, "the same number of elements");
            out[*open] = *left;
        } else if (!(whole == known)) {
            refuse(x, "the same number of elements");
        }
        return {{in[0].type, symbolic_shape(std::move(out))}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        detail::copy_reshaped(in[0], out[0]);
    }

private:
    [[noreturn]] void refuse(const symbolic_shape& x, const std::string& expected) const {
        std::string target = "[";
        for (std::size_t axis = 0; axis < target_.size(); ++axis) {
            if (axis == 16) {
                target += ", ..";
                break;
            }
            target += (axis == 0 ? "" : ", ") + std::to_string(target_[axis]);
        }
        detail::refuse(expected, x.text() + " reshaped to " + target + "]");
    }

    std::vector<std::int64_t> target_;
    zero_extent zero_;
};
static_assert(graph_operation<reshape>);

/// A matrix: the axes before `axis` make its rows, those from there on its columns.
///
/// example  flatten(1) of [N, 16, 5, 5]  ->  [N, 400]
/// source   ONNX Flatten-13
class flatten {
public:
    static constexpr bool aliases = true;

    explicit flatten(std::int64_t axis = 1) : axis_(axis) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Flatten"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const value_type> in) const {
        detail::expect_inputs(in, 1);
        const symbolic_shape& x = in[0].shape;
        const std::size_t rank = x.rank();
        const auto end = static_cast<std::int64_t>(rank);
        const std::size_t axis = axis_ == end ? rank : detail::expect_axis(axis_, rank);
        return {{in[0].type, {x.volume(0, axis), x.volume(axis, rank)}}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        detail::copy_reshaped(in[0], out[0]);
    }

private:
    std::int64_t axis_;
};
static_assert(graph_operation<flatten>);

/// The value as it is, under a new name.
/// source   ONNX Identity-19
class identity {
public:
    static constexpr bool aliases = true;

    [[nodiscard]] std::string_view name() const noexcept { return "Identity"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const value_type> in) const {
        detail::expect_inputs(in, 1);
        return {in[0]};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        detail::copy_reshaped(in[0], out[0]);
    }
};
static_assert(graph_operation<identity>);

}  // namespace fanfold::inline FANFOLD_ABI
