// fanfold/model/operators/pieces.hpp - values put together, cut apart, and repeated.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::clamp
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <optional>     // std::optional
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../../core/tensor.hpp"
#include "../../kernel/elementwise.hpp"
#include "../operation.hpp"
#include "broadcast.hpp"
#include "reshape.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Values of one type behind each other along an axis.
///
/// source   ONNX Concat-13
class concat {
public:
    explicit concat(std::int64_t axis) : axis_(axis) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Concat"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        if (in.empty()) detail::refuse("an input", "none");
        symbolic_shape out = in[0].shape;
        for (std::size_t i = 0; i < in.size(); ++i) {
            if (in[i].type != in[0].type) detail::refuse("values of one type", in[0].text() + " and " + in[i].text());
            if (!out.ranked() || !in[i].shape.ranked()) return {{in[0].type, unknown(in)}};
        }
        const std::size_t axis = detail::expect_axis(axis_, out.rank());
        for (std::size_t i = 1; i < in.size(); ++i) {
            const symbolic_shape& next = in[i].shape;
            bool fits = next.rank() == out.rank();
            for (std::size_t a = 0; fits && a < out.rank(); ++a) {
                if (a == axis) continue;
                fits = may_equal(out[a], next[a]);
                if (!out[a].known()) out[a] = next[a];
            }
            if (!fits)
                detail::refuse("values that differ along axis " + std::to_string(axis) + " alone",
                               in[0].text() + " and " + in[i].text());
            out[axis] = out[axis] + next[axis];
        }
        return {{in[0].type, out}};
    }
    [[nodiscard]] std::optional<symbolic_values> sizes(std::span<const argument> in) const {
        symbolic_values all;
        for (const argument& one : in) {
            const auto sizes = sizes_in(one);
            if (!sizes) return std::nullopt;
            all.insert(all.end(), sizes->begin(), sizes->end());
        }
        return all;
    }
    /// Rows of different inputs behind each other are no longer rows of one batch.
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        const std::size_t axis = detail::expect_axis(axis_, in[0].shape.rank());
        std::optional<std::size_t> rows;
        for (const argument& one : in) {
            if (one.shape[axis].depends_on_rows() && in.size() > 1) return true;
            if (!one.shape.depends_on_rows()) continue;
            if (rows && rows != one.shape.row_axis()) return true;
            rows = one.shape.row_axis();
        }
        return false;
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        const std::size_t axis = detail::expect_axis(axis_, out[0].rank());
        std::size_t first = 0;
        for (const tensor_view& piece : in) {
            const auto count = static_cast<std::size_t>(piece.extent(axis));
            if (count != 0) detail::copy_elements(piece, out[0].slice(axis, first, count));
            first += count;
        }
    }
    [[nodiscard]] std::int64_t axis() const noexcept { return axis_; }

private:
    static symbolic_shape unknown(std::span<const argument> in) {
        for (const argument& one : in)
            if (one.shape.ranked()) return symbolic_shape::of_rank(one.shape.rank());
        return symbolic_shape::unknown();
    }

    std::int64_t axis_;
};
static_assert(graph_operation<concat>);

/// A value cut along an axis: into pieces of the lengths given here or by input 1, or into `pieces` of equal length,
/// the last one shorter when it does not come out even.
///
/// source   ONNX Split-2, Split-13, Split-18
class split {
public:
    static constexpr std::uint32_t shape_inputs = 0b10;

    split(std::int64_t axis, std::size_t pieces, std::optional<std::vector<std::int64_t>> lengths = {})
        : axis_(axis), pieces_(pieces), lengths_(std::move(lengths)) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Split"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1, 2);
        const symbolic_shape& x = in[0].shape;
        if (!x.ranked()) return std::vector<value_type>(pieces_, {in[0].type, symbolic_shape::unknown()});
        const std::size_t axis = detail::expect_axis(axis_, x.rank());
        std::vector<extent> lengths(pieces_, extent::unknown());
        const std::optional<symbolic_values> listed =
            lengths_ ? symbolic_values(lengths_->begin(), lengths_->end())
                     : (given(in, 1) ? sizes_in(in[1]) : std::optional<symbolic_values>());
        if (listed) {
            extent total = 0;
            for (const extent& length : *listed) total = total + length;
            if (listed->size() != pieces_ || !may_equal(total, x[axis]))
                detail::refuse(std::to_string(pieces_) + " lengths that make " + x[axis].text(),
                               std::to_string(listed->size()) + " that make " + total.text());
            lengths = *listed;
        } else if (!given(in, 1) && pieces_ != 0) {
            const auto count = static_cast<std::int64_t>(pieces_);
            const extent even = x[axis] / count;
            if (x[axis].constant() && x[axis].fixed % count != 0) {
                const std::int64_t each = x[axis].fixed / count + 1;
                std::int64_t left = x[axis].fixed;
                for (extent& length : lengths) {
                    length = std::clamp<std::int64_t>(left, 0, each);
                    left -= length.fixed;
                }
            } else {
                lengths.assign(pieces_, even);
            }
        }
        std::vector<value_type> out;
        for (const extent& length : lengths) {
            out.push_back({in[0].type, x});
            out.back().shape[axis] = length;
        }
        return out;
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        return in[0].shape[detail::expect_axis(axis_, in[0].shape.rank())].depends_on_rows() && pieces_ > 1;
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        const std::size_t axis = detail::expect_axis(axis_, in[0].rank());
        std::size_t first = 0;
        for (const mutable_tensor_view& piece : out) {
            const auto count = static_cast<std::size_t>(piece.extent(axis));
            if (piece.size() != 0) detail::copy_elements(in[0].slice(axis, first, count), piece);
            first += count;
        }
    }
    [[nodiscard]] std::int64_t axis() const noexcept { return axis_; }

private:
    std::int64_t axis_;
    std::size_t pieces_;
    std::optional<std::vector<std::int64_t>> lengths_;
};
static_assert(graph_operation<split>);

/// Every `step`th element of [start, end) along some axes, backwards for negative steps. Bounds come from here or from
/// inputs 1 (starts), 2 (ends), 3 (axes, optional) and 4 (steps, optional); they count from the end when negative and
/// are clamped.
///
/// source   ONNX Slice-1, Slice-13
class slice {
public:
    /// Where a slice starts and what it takes along one axis.
    struct range {
        std::int64_t first = 0;
        std::int64_t step = 1;
        std::int64_t count = 0;
    };
    struct bounds {
        std::vector<std::int64_t> starts{};
        std::vector<std::int64_t> ends{};
        std::vector<std::int64_t> axes{};   ///< empty: the first ones
        std::vector<std::int64_t> steps{};  ///< empty: all 1
    };

    slice() = default;
    explicit slice(bounds fixed) : fixed_(std::move(fixed)) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Slice"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, fixed_ ? 1 : 3, 5);
        const symbolic_shape& x = in[0].shape;
        if (!x.ranked()) return {{in[0].type, x}};
        symbolic_shape out = x;
        const std::optional<bounds> all = read(in);
        if (!all) {
            const auto axes = fixed_ || !given(in, 3) ? std::nullopt : integers_in(in[3]);
            if (!axes) return {{in[0].type, symbolic_shape::of_rank(x.rank())}};
            for (const std::size_t axis : detail::expect_axes(*axes, x.rank())) out[axis] = extent::unknown();
            return {{in[0].type, out}};
        }
        const detail::axis_list axes = checked_axes(*all, x.rank());
        for (std::size_t i = 0; i < axes.size(); ++i) {
            extent& along = out[axes[i]];
            const std::int64_t step = all->steps.empty() ? 1 : all->steps[i];
            if (step == 0) detail::refuse("steps other than 0", "0");
            const bool whole = all->starts[i] == 0 && step == 1 && all->ends[i] >= (std::int64_t{1} << 31) - 1;
            if (along.constant())
                along = taken(*all, i, along.fixed).count;
            else if (!whole)
                along = extent::unknown();
        }
        return {{in[0].type, out}};
    }
    [[nodiscard]] std::optional<symbolic_values> sizes(std::span<const argument> in) const {
        const auto from = sizes_in(in[0]);
        const std::optional<bounds> all = read(in);
        if (!from || !all || all->starts.size() != 1) return std::nullopt;
        const range r = taken(*all, 0, static_cast<std::int64_t>(from->size()));
        symbolic_values out;
        for (std::int64_t i = 0; i < r.count; ++i)
            out.push_back((*from)[static_cast<std::size_t>(r.first + i * r.step)]);
        return out;
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        const auto before = in[0].shape.row_axis();
        const symbolic_shape after = answers(in).front().shape;
        return !before || !after.known() || !(after[*before] == in[0].shape[*before]);
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        const bounds all = fixed_ ? *fixed_ : read(in);
        const detail::axis_list axes = checked_axes(all, in[0].rank());
        std::int64_t skip = 0;
        strides steps = in[0].steps();
        for (std::size_t i = 0; i < axes.size(); ++i) {
            const range r = taken(all, i, in[0].extent(axes[i]));
            skip += r.first * steps[axes[i]];
            steps[axes[i]] *= r.step;
        }
        const std::byte* first = in[0].data() + skip * static_cast<std::int64_t>(size_of(in[0].type()));
        detail::copy_elements({first, in[0].type(), out[0].shape(), steps}, out[0]);
    }

private:
    [[nodiscard]] std::optional<bounds> read(std::span<const argument> in) const {
        if (fixed_) return fixed_;
        bounds out;
        const auto add = [&](std::size_t index, std::vector<std::int64_t>& to) {
            if (!given(in, index)) return true;
            const auto values = integers_in(in[index]);
            if (values) to = *values;
            return values.has_value();
        };
        const bool all = add(1, out.starts) && add(2, out.ends) && add(3, out.axes) && add(4, out.steps);
        return all ? std::optional(out) : std::nullopt;
    }
    [[nodiscard]] static bounds read(std::span<const tensor_view> in) {
        bounds out{integers_in(in[1]), integers_in(in[2])};
        if (given(in, 3)) out.axes = integers_in(in[3]);
        if (given(in, 4)) out.steps = integers_in(in[4]);
        return out;
    }
    [[nodiscard]] static detail::axis_list checked_axes(const bounds& b, std::size_t rank) {
        std::vector<std::int64_t> axes = b.axes;
        if (axes.empty())
            for (std::size_t i = 0; i < b.starts.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
        if (axes.size() != b.starts.size() || axes.size() != b.ends.size() ||
            (!b.steps.empty() && b.steps.size() != axes.size()))
            detail::refuse("as many starts as ends, axes and steps",
                           std::to_string(b.starts.size()) + ", " + std::to_string(b.ends.size()) + ", " +
                               std::to_string(b.axes.size()) + " and " + std::to_string(b.steps.size()));
        return detail::expect_axes(axes, rank);
    }
    /// A step that leads nowhere is 1: with the steps of its tensor it may be beyond 64 bits.
    [[nodiscard]] static range taken(const bounds& b, std::size_t i, std::int64_t length) {
        const std::int64_t step = b.steps.empty() ? 1 : b.steps[i];
        const auto from_front = [&](std::int64_t at) { return at < 0 ? at + length : at; };
        if (step > 0) {
            const std::int64_t first = std::clamp<std::int64_t>(from_front(b.starts[i]), 0, length);
            const std::int64_t last = std::clamp<std::int64_t>(from_front(b.ends[i]), 0, length);
            const std::int64_t count = first < last ? (last - first - 1) / step + 1 : 0;
            return {first, count > 1 ? step : 1, count};
        }
        const std::int64_t first = std::clamp<std::int64_t>(from_front(b.starts[i]), -1, length - 1);
        const std::int64_t last = std::clamp<std::int64_t>(from_front(b.ends[i]), -1, length - 1);
        const std::int64_t back = step == INT64_MIN ? INT64_MAX : -step;
        const std::int64_t count = first > last ? (first - last - 1) / back + 1 : 0;
        return {first, count > 1 ? step : 1, count};
    }

    std::optional<bounds> fixed_;
};
static_assert(graph_operation<slice>);

/// A value broadcast against a shape: the one that input 1 lists.
///
/// source   ONNX Expand-13
class expand {
public:
    static constexpr std::uint32_t shape_inputs = 0b10;

    [[nodiscard]] std::string_view name() const noexcept { return "Expand"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2);
        return {{in[0].type, broadcast(in[0].shape, detail::listed_shape(in[1]))}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        const symbolic_shape out = answers(in).front().shape;
        const auto rows = in[0].shape.row_axis();
        return !rows || !out.row_axis() || out.rank() - *out.row_axis() != in[0].shape.rank() - *rows;
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        const strides steps = kernel::detail::stretched(in[0].shape(), in[0].steps(), out[0].shape());
        detail::copy_elements({in[0].data(), in[0].type(), out[0].shape(), steps}, out[0]);
    }
};
static_assert(graph_operation<expand>);

/// A value repeated along each axis, as often as input 1 says.
///
/// source   ONNX Tile-13
class tile {
public:
    static constexpr std::uint32_t shape_inputs = 0b10;

    [[nodiscard]] std::string_view name() const noexcept { return "Tile"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2);
        const auto repeats = sizes_in(in[1]);
        const symbolic_shape& x = in[0].shape;
        if (!x.ranked()) return {{in[0].type, x}};
        if (!repeats) return {{in[0].type, symbolic_shape::of_rank(x.rank())}};
        if (repeats->size() != x.rank())
            detail::refuse(std::to_string(x.rank()) + " repeats", std::to_string(repeats->size()));
        symbolic_shape out = x;
        for (std::size_t axis = 0; axis < x.rank(); ++axis) out[axis] = x[axis] * (*repeats)[axis];
        return {{in[0].type, out}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        const symbolic_shape out = answers(in).front().shape;
        return !out.row_axis() || !(out[*out.row_axis()] == in[0].shape[*out.row_axis()]);
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        fill(in[0], out[0], 0);
    }

private:
    /// Writes `out` along axes [axis, rank); along the others it is as long as `in`.
    static void fill(const tensor_view& in, const mutable_tensor_view& out, std::size_t axis) {
        if (axis == in.rank()) return detail::copy_elements(in, out);
        const auto length = static_cast<std::size_t>(in.extent(axis));
        const mutable_tensor_view once = out.slice(axis, 0, length);
        fill(in, once, axis + 1);
        for (std::size_t first = length; first < static_cast<std::size_t>(out.extent(axis)); first += length)
            detail::copy_elements(once, out.slice(axis, first, length));
    }
};
static_assert(graph_operation<tile>);

}  // namespace fanfold::inline FANFOLD_ABI
