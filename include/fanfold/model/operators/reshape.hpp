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

/// Rows stay together and in order between two shapes of the same elements.
[[nodiscard]] inline bool rows_stay(const symbolic_shape& from, const symbolic_shape& to) {
    const auto before = from.row_axis();
    const auto after = to.row_axis();
    return before && after && from.volume(0, *before) == to.volume(0, *after);
}

inline void copy_reshaped(const tensor_view& in, const mutable_tensor_view& out) {
    copy_elements(in.reshaped(out.shape()), out);
}

}  // namespace detail

/// What a 0 in a reshape's target means.
enum class zero_extent { copies_input, is_zero };

/// Another shape of the same volume: the one given here, or input 1.
///
/// example  reshape({0, -1}) of [N, 16, 5, 5]  ->  [N, 400]
/// shapes   any, and int64 [rank of the answer]; in the target one -1 stands for what is left, and 0 for the input's
///          extent there
/// errors   answers throws std::invalid_argument naming the input and the target when the volumes differ for some N
/// source   ONNX Reshape-14
class reshape {
public:
    static constexpr bool aliases = true;
    static constexpr std::uint32_t shape_inputs = 0b10;

    explicit reshape(zero_extent zero = zero_extent::copies_input) : zero_(zero) {}
    explicit reshape(const std::vector<std::int64_t>& target, zero_extent zero = zero_extent::copies_input)
        : target_(symbolic_values(target.begin(), target.end())), zero_(zero) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Reshape"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, target_ ? 1 : 2);
        const std::optional<symbolic_values> target = target_ ? target_ : sizes_in(in[1]);
        const symbolic_shape& x = in[0].shape;
        if (!target) {
            const symbolic_shape& list = in[1].shape;
            const bool counted = list.ranked() && list.rank() == 1 && list[0].constant();
            if (!counted || list[0].fixed > static_cast<std::int64_t>(shape::max_rank))
                return {{in[0].type, symbolic_shape::unknown()}};
            return {{in[0].type, symbolic_shape::of_rank(static_cast<std::size_t>(list[0].fixed))}};
        }
        if (target->size() > shape::max_rank) refuse(x, *target, "a target of rank 8 at most");
        symbolic_shape out = symbolic_shape::of_rank(target->size());
        std::optional<std::size_t> open;
        extent known = 1;
        for (std::size_t axis = 0; axis < target->size(); ++axis) {
            const extent& asked = (*target)[axis];
            if (asked.constant() && asked.fixed < -1) refuse(x, *target, "a target of extents, 0 and one -1");
            if (asked == extent(-1)) {
                if (open) refuse(x, *target, "at most one -1");
                open = axis;
                continue;
            }
            out[axis] = asked;
            if (asked == extent(0) && zero_ == zero_extent::copies_input) {
                if (x.ranked() && axis >= x.rank()) refuse(x, *target, "a 0 only where the input has an axis");
                out[axis] = x.ranked() ? x[axis] : extent::unknown();
            }
            known = known * out[axis];
        }
        const extent whole = x.ranked() ? x.volume() : extent::unknown();
        if (open) {
            const extent left = whole / known;
            if (known == extent(0) || (whole.known() && known.known() && !(left * known == whole)))
                refuse(x, *target, "the same number of elements");
            out[*open] = left;
        } else if (!may_equal(whole, known)) {
            refuse(x, *target, "the same number of elements");
        }
        return {{in[0].type, out}};
    }
    [[nodiscard]] std::optional<symbolic_values> sizes(std::span<const argument> in) const { return sizes_in(in[0]); }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        return !detail::rows_stay(in[0].shape, answers(in).front().shape);
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        detail::copy_reshaped(in[0], out[0]);
    }

private:
    [[noreturn]] static void refuse(const symbolic_shape& x, const symbolic_values& asked,
                                    const std::string& expected) {
        std::string target = "[";
        for (std::size_t axis = 0; axis < asked.size(); ++axis) {
            if (axis == 16) {
                target += ", ..";
                break;
            }
            target += (axis == 0 ? "" : ", ") + asked[axis].text();
        }
        detail::refuse(expected, x.text() + " reshaped to " + target + "]");
    }

    std::optional<symbolic_values> target_;
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
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        const symbolic_shape& x = in[0].shape;
        if (!x.ranked()) return {{in[0].type, symbolic_shape::of_rank(2)}};
        const std::size_t rank = x.rank();
        const auto end = static_cast<std::int64_t>(rank);
        const std::size_t axis = axis_ == end ? rank : detail::expect_axis(axis_, rank);
        return {{in[0].type, {x.volume(0, axis), x.volume(axis, rank)}}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        return !detail::rows_stay(in[0].shape, answers(in).front().shape);
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
    static constexpr bool elementwise = true;

    [[nodiscard]] std::string_view name() const noexcept { return "Identity"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        return {in[0]};
    }
    [[nodiscard]] std::optional<symbolic_values> sizes(std::span<const argument> in) const { return sizes_in(in[0]); }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        detail::copy_reshaped(in[0], out[0]);
    }
};
static_assert(graph_operation<identity>);

}  // namespace fanfold::inline FANFOLD_ABI
