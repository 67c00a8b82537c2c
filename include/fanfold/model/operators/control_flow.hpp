// fanfold/model/operators/control_flow.hpp - graphs inside of a graph: one of two, or one again and again.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::max
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <optional>     // std::optional
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../graph.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// What both types are.
[[nodiscard]] inline value_type common_type(const value_type& a, const value_type& b) {
    if (a.type != b.type) refuse("branches that answer alike", a.text() + " and " + b.text());
    if (!a.shape.ranked() || !b.shape.ranked() || a.shape.rank() != b.shape.rank())
        return {a.type, symbolic_shape::unknown()};
    value_type out = a;
    for (std::size_t axis = 0; axis < a.shape.rank(); ++axis)
        if (!(a.shape[axis] == b.shape[axis])) out.shape[axis] = extent::unknown();
    return out;
}

/// The one element of a condition.
[[nodiscard]] inline bool is_true(const tensor_view& condition) {
    if (condition.type() != element::boolean || condition.size() != 1) refuse("one bool", describe(condition));
    return condition.as<bool>().data()[0];
}

/// Somewhere in it something may run for ever.
[[nodiscard]] inline bool unbounded(const graph& g) {
    for (const graph_step& step : g.state().steps)
        if (step.op.unbounded()) return true;
    return false;
}

/// The shape of `count` tensors stacked along a new axis.
[[nodiscard]] inline shape stacked_shape(const shape& one, std::size_t axis, std::size_t count) {
    std::vector<std::int64_t> extents(one.begin(), one.end());
    extents.insert(extents.begin() + static_cast<std::ptrdiff_t>(axis), static_cast<std::int64_t>(count));
    return shape(std::span<const std::int64_t>(extents));
}

}  // namespace detail

/// Runs one of two graphs: the first when input 0 is true. The other inputs are the first graph's, then the second's.
///
/// errors   answers throws std::invalid_argument when the two answer with other element types
/// source   ONNX If-1 to If-21
class conditional {
public:
    conditional(graph then, graph otherwise) : then_(std::move(then)), otherwise_(std::move(otherwise)) {
        if (then_.state().outputs.size() != otherwise_.state().outputs.size())
            detail::refuse("branches with as many answers", std::to_string(then_.state().outputs.size()) + " and " +
                                                                std::to_string(otherwise_.state().outputs.size()));
    }

    [[nodiscard]] std::string_view name() const noexcept { return "If"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        if (in.empty() || in[0].type != element::boolean) detail::refuse("a bool", in.empty() ? "none" : in[0].text());
        if (in[0].value) return chosen(in, detail::is_true(*in[0].value)).outputs;
        std::vector<value_type> out = chosen(in, true).outputs;
        const std::vector<value_type> other = chosen(in, false).outputs;
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = detail::common_type(out[i], other[i]);
        return out;
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        if (in[0].value) return !chosen(in, detail::is_true(*in[0].value)).row_mixer.empty();
        return !chosen(in, true).row_mixer.empty() || !chosen(in, false).row_mixer.empty();
    }
    [[nodiscard]] bool unbounded() const { return detail::unbounded(then_) || detail::unbounded(otherwise_); }
    [[nodiscard]] std::size_t weight_bytes() const {
        return then_.state().weight_bytes + otherwise_.state().weight_bytes;
    }
    void operator()(std::span<const tensor_view> in, answer_room out, workspace& space) const {
        const bool first = detail::is_true(in[0]);
        (first ? then_ : otherwise_).run(part_of(in, first), out, space);
    }

private:
    template <class T>
    [[nodiscard]] std::span<const T> part_of(std::span<const T> in, bool first) const {
        const std::size_t count = then_.state().inputs.size();
        return first ? in.subspan(1, count) : in.subspan(1 + count);
    }
    [[nodiscard]] graph::deduced_outputs chosen(std::span<const argument> in, bool first) const {
        return (first ? then_ : otherwise_).deduced(part_of(in, first));
    }

    graph then_;
    graph otherwise_;
};
static_assert(graph_operation<conditional>);

/// Runs a graph up to input 0 times (if given), as long as its condition holds (input 1 at first, if given), each time
/// on what it answered before. The body takes the iteration's number, the condition, the carried values, and what it
/// captures; it answers the condition, the carried values, and values that are stacked. Without input 1 the condition
/// that the body answers ends it all the same, as in ONNX Runtime; the standard would have it ignored.
///
/// shapes   int64 [], bool [], carried values, captures -> carried values, stacked values [iterations, ..]
/// source   ONNX Loop-1 to Loop-21
class loop {
public:
    loop(graph body, std::size_t carried) : body_(std::move(body)), carried_(carried) {
        const graph_state& g = body_.state();
        if (g.outputs.size() < 1 + carried || g.inputs.size() < 2 + carried)
            detail::refuse(
                "a body with the condition and " + std::to_string(carried) + " carried values",
                std::to_string(g.inputs.size()) + " inputs and " + std::to_string(g.outputs.size()) + " outputs");
    }

    [[nodiscard]] std::string_view name() const noexcept { return "Loop"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument>) const {
        std::vector<value_type> out;
        const graph_state& g = body_.state();
        for (std::size_t i = 1; i < g.outputs.size(); ++i)
            out.push_back({g.values[g.outputs[i]].type.type, symbolic_shape::unknown()});
        return out;
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument>) const { return true; }
    [[nodiscard]] static bool unbounded() noexcept { return true; }
    [[nodiscard]] std::size_t weight_bytes() const { return body_.state().weight_bytes; }
    void operator()(std::span<const tensor_view> in, answer_room out, workspace& space) const {
        const std::int64_t most = given(in, 0) ? integer_in(in[0]) : INT64_MAX;
        bool goes_on = !given(in, 1) || detail::is_true(in[1]);
        std::int64_t iteration = 0;
        std::vector<tensor_view> now{tensor_view(), tensor_view()};
        now.insert(now.end(), in.begin() + 2, in.end());
        std::vector<tensor> carried;
        std::vector<std::vector<tensor>> stacks(body_.state().outputs.size() - 1 - carried_);
        for (; goes_on && iteration < most; ++iteration) {
            space.stop.check();
            now[0] = view<const std::int64_t>(&iteration, shape{});
            now[1] = view<const bool>(&goes_on, shape{});
            std::vector<tensor> made = body_.run(now, space);
            const bool next = detail::is_true(made[0]);
            for (std::size_t i = 0; i < stacks.size(); ++i) {
                tensor& piece = made[1 + carried_ + i];
                const std::size_t most_bytes = body_.state().limits.bytes_per_value;
                if (stacks[i].size() >= most_bytes / std::max(piece.bytes(), sizeof(tensor)))
                    detail::refuse("stacked values of at most " + std::to_string(most_bytes) + " bytes",
                                   std::to_string(stacks[i].size() + 1) + " of " + piece.shape().text());
                stacks[i].push_back(std::move(piece));
            }
            made.resize(1 + carried_);
            carried = std::move(made);
            for (std::size_t i = 0; i < carried_; ++i) now[2 + i] = carried[1 + i];
            goes_on = next;
        }
        for (std::size_t i = 0; i < carried_; ++i)
            detail::copy_elements(now[2 + i], out(i, now[2 + i].type(), now[2 + i].shape()));
        for (std::size_t i = 0; i < stacks.size(); ++i) stack(stacks[i], i, out);
    }

private:
    void stack(const std::vector<tensor>& pieces, std::size_t index, answer_room out) const {
        const graph_state& g = body_.state();
        if (pieces.empty()) {  // as many extents as the body says, each as far as it is known
            const value_type& type = g.values[g.outputs[1 + carried_ + index]].type;
            std::vector<std::int64_t> extents{0};
            for (std::size_t axis = 0; type.shape.ranked() && axis < type.shape.rank(); ++axis)
                extents.push_back(type.shape[axis].constant() ? type.shape[axis].fixed : 0);
            (void)out(carried_ + index, type.type, shape(std::span<const std::int64_t>(extents)));
            return;
        }
        const shape whole = detail::stacked_shape(pieces[0].shape(), 0, pieces.size());
        const mutable_tensor_view to = out(carried_ + index, pieces[0].type(), whole);
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            if (!(pieces[i].shape() == pieces[0].shape()))
                detail::refuse("stacked values of one shape",
                               pieces[0].shape().text() + " and " + pieces[i].shape().text());
            detail::copy_elements(tensor_view(pieces[i]).reshaped(to.slice(0, i, 1).shape()), to.slice(0, i, 1));
        }
    }

    graph body_;
    std::size_t carried_;
};
static_assert(graph_operation<loop>);

/// How a scan walks its sequences.
struct scan_form {
    std::size_t states = 0;
    std::vector<std::int64_t> input_axes{};  ///< by scanned input; its size says how many there are
    std::vector<bool> input_backwards{};
    std::vector<std::int64_t> output_axes{};  ///< by scanned output
    std::vector<bool> output_backwards{};
};

/// Runs a graph once for each element of its sequences, with states handed on. The body takes states, one element of
/// each sequence, and what it captures; it answers states and one element of each answered sequence.
///
/// source   ONNX Scan-9 to Scan-21
class scan {
public:
    scan(graph body, scan_form form) : body_(std::move(body)), form_(std::move(form)) {
        const graph_state& g = body_.state();
        if (g.outputs.size() != form_.states + form_.output_axes.size() ||
            g.inputs.size() < form_.states + form_.input_axes.size())
            detail::refuse(
                "a body of " + std::to_string(form_.states) + " states and " + std::to_string(form_.input_axes.size()) +
                    " sequences",
                std::to_string(g.inputs.size()) + " inputs and " + std::to_string(g.outputs.size()) + " outputs");
    }

    [[nodiscard]] std::string_view name() const noexcept { return "Scan"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        std::vector<value_type> out;
        const graph_state& g = body_.state();
        for (const std::size_t output : g.outputs)
            out.push_back({g.values[output].type.type, symbolic_shape::unknown()});
        const auto once = iteration(in);
        if (!once) return out;
        const std::size_t along = detail::expect_axis(form_.input_axes[0], in[form_.states].shape.rank());
        for (std::size_t i = 0; i < out.size(); ++i) {
            const symbolic_shape& piece = once->outputs[i].shape;
            if (i < form_.states)
                out[i].shape = piece;
            else if (piece.ranked() && piece.rank() < shape::max_rank)
                out[i].shape = stacked(piece, form_.output_axes[i - form_.states], in[form_.states].shape[along]);
        }
        return out;
    }
    /// Not where each iteration keeps rows apart, and walks along another axis than theirs.
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        const auto once = iteration(in);
        if (!once || !once->row_mixer.empty()) return true;
        for (std::size_t s = 0; s < form_.input_axes.size(); ++s) {
            const symbolic_shape& whole = in[form_.states + s].shape;
            if (whole[detail::expect_axis(form_.input_axes[s], whole.rank())].depends_on_rows()) return true;
        }
        return false;
    }
    [[nodiscard]] bool unbounded() const { return detail::unbounded(body_); }
    [[nodiscard]] std::size_t weight_bytes() const { return body_.state().weight_bytes; }
    void operator()(std::span<const tensor_view> in, answer_room out, workspace& space) const {
        const std::size_t sequences = form_.input_axes.size();
        std::vector<std::size_t> axes;
        std::size_t length = 0;
        for (std::size_t s = 0; s < sequences; ++s) {
            const tensor_view& whole = in[form_.states + s];
            axes.push_back(detail::expect_axis(form_.input_axes[s], whole.rank()));
            const auto here = static_cast<std::size_t>(whole.extent(axes[s]));
            if (s != 0 && here != length)
                detail::refuse("sequences of one length", std::to_string(length) + " and " + std::to_string(here));
            length = here;
        }
        std::vector<tensor_view> now(in.begin(), in.end());
        std::vector<tensor> states;
        std::vector<mutable_tensor_view> stacks(form_.output_axes.size());
        std::vector<shape> pieces(stacks.size());
        for (std::size_t step = 0; step < length; ++step) {
            space.stop.check();
            std::vector<tensor> elements;  // dense copies of what the body reads
            for (std::size_t s = 0; s < sequences; ++s) {
                const std::size_t at = form_.input_backwards[s] ? length - 1 - step : step;
                const tensor element(in[form_.states + s].slice(axes[s], at, 1));
                std::vector<std::int64_t> extents(element.shape().begin(), element.shape().end());
                extents.erase(extents.begin() + static_cast<std::ptrdiff_t>(axes[s]));
                elements.emplace_back(tensor_view(element).reshaped(shape(std::span<const std::int64_t>(extents))));
            }
            for (std::size_t s = 0; s < sequences; ++s) now[form_.states + s] = elements[s];
            std::vector<tensor> made = body_.run(now, space);
            for (std::size_t o = 0; o < stacks.size(); ++o) {
                const tensor& piece = made[form_.states + o];
                const std::size_t axis = detail::expect_axis(form_.output_axes[o], piece.shape().rank() + 1);
                if (step == 0) {
                    pieces[o] = piece.shape();
                    stacks[o] = out(form_.states + o, piece.type(), detail::stacked_shape(piece.shape(), axis, length));
                }
                if (!(piece.shape() == pieces[o]))
                    detail::refuse("stacked values of one shape", pieces[o].text() + " and " + piece.shape().text());
                const std::size_t at = form_.output_backwards[o] ? length - 1 - step : step;
                const mutable_tensor_view place = stacks[o].slice(axis, at, 1);
                detail::copy_elements(tensor_view(piece).reshaped(place.shape()), place);
            }
            made.resize(form_.states);
            states = std::move(made);
            for (std::size_t i = 0; i < states.size(); ++i) now[i] = states[i];
        }
        if (length == 0 && !stacks.empty()) detail::refuse("sequences of length 1 or more", "0");
        for (std::size_t i = 0; i < form_.states; ++i)
            detail::copy_elements(now[i], out(i, now[i].type(), now[i].shape()));
    }

private:
    /// What one iteration answers, where it is told by shapes that stay the same in all of them.
    [[nodiscard]] std::optional<graph::deduced_outputs> iteration(std::span<const argument> in) const {
        std::vector<argument> once(in.begin(), in.end());
        for (std::size_t i = 0; i < form_.states + form_.input_axes.size(); ++i) {
            once[i].value.reset();
            once[i].sizes = nullptr;
            if (!in[i].shape.ranked()) return std::nullopt;
            if (i < form_.states) continue;
            const std::size_t along = detail::expect_axis(form_.input_axes[i - form_.states], in[i].shape.rank());
            once[i].shape = symbolic_shape();
            for (std::size_t axis = 0; axis < in[i].shape.rank(); ++axis)
                if (axis != along) once[i].shape.push_back(in[i].shape[axis]);
        }
        graph::deduced_outputs out = body_.deduced(once);
        for (std::size_t i = 0; i < form_.states; ++i)
            if (!in[i].shape.known() || !(out.outputs[i] == value_type(in[i]))) return std::nullopt;
        return out;
    }
    [[nodiscard]] static symbolic_shape stacked(const symbolic_shape& piece, std::int64_t axis, const extent& length) {
        const std::size_t at = detail::expect_axis(axis, piece.rank() + 1);
        symbolic_shape out;
        for (std::size_t a = 0; a <= piece.rank(); ++a) out.push_back(a == at ? length : piece[a < at ? a : a - 1]);
        return out;
    }

    graph body_;
    scan_form form_;
};
static_assert(graph_operation<scan>);

}  // namespace fanfold::inline FANFOLD_ABI
