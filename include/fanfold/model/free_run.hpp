// fanfold/model/free_run.hpp - a run through a graph some of whose shapes only the run tells.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::all_of, std::max
#include <cstddef>    // std::size_t
#include <new>        // placement new
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <vector>     // std::vector

#include "graph_state.hpp"
#include "step_watch.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// The values of one run; what lies in blocks goes back to the workspace when its last reader is done, or at the end.
class free_frame {
public:
    free_frame(const graph_state& g, std::span<const tensor_view> in, answer_room out, workspace& space)
        : g_(g),
          out_(out),
          space_(space),
          watch_(space),
          views_(space.take<mutable_tensor_view>(g.values.size())),
          blocks_(space.take<std::byte*>(g.values.size())) {
        for (std::size_t v = 0; v < views_.size(); ++v) {
            new (&views_[v]) mutable_tensor_view();
            blocks_[v] = nullptr;
            const graph_value& value = g.values[v];
            if (value.place == value_place::constant) views_[v] = readable(*g.constants[value.index]);
            if (value.place == value_place::input) views_[v] = readable(in[value.index]);
        }
        for (const std::size_t input : g.inputs) bind_rows(input);
    }
    ~free_frame() {
        for (std::byte* block : blocks_)
            if (block != nullptr) space_.blocks.give(block);
    }
    free_frame(const free_frame&) = delete;
    free_frame& operator=(const free_frame&) = delete;

    void step(const graph_step& step) {
        const workspace::scope one(space_);
        const auto in = space_.take<tensor_view>(step.inputs.size());
        for (std::size_t i = 0; i < in.size(); ++i) new (&in[i]) tensor_view(views_[step.inputs[i]]);
        if (step.op.makes_answers()) {
            const auto make = [&](std::size_t answer, element type, const shape& extents) {
                if (answer >= step.outputs.size()) return spare(type, extents);
                return place(step.outputs[answer], type, extents);
            };
            by_name(step, [&] { step.op(in, answer_room(make), space_); });
        } else {
            const std::vector<value_type> types = all_known(step) ? std::vector<value_type>() : answers(step, in);
            const auto to = space_.take<mutable_tensor_view>(step.outputs.size());
            for (std::size_t i = 0; i < to.size(); ++i) {
                const std::size_t v = step.outputs[i];
                const value_type* type = types.empty() ? &g_.values[v].type : &types[i];
                const shape extents = type->shape.at(rows_);
                if (g_.values[v].root != v)
                    views_[v] = views_[g_.values[v].root].reshaped(extents);
                else
                    place(v, type->type, extents);
                new (&to[i]) mutable_tensor_view(views_[v]);
            }
            if (!step.op.aliases()) by_name(step, [&] { step.op(in, to, space_); });
        }
        watch_.ended(step, in);
        for (const std::size_t v : step.ends) {
            if (blocks_[v] == nullptr) continue;
            space_.blocks.give(blocks_[v]);
            blocks_[v] = nullptr;
        }
    }

    /// Answers that are inputs, constants, other answers, or other names of values.
    void copy_answers() {
        for (std::size_t i = 0; i < g_.outputs.size(); ++i) {
            const graph_value& value = g_.values[g_.outputs[i]];
            if (value.place == value_place::output && value.index == i) continue;
            const mutable_tensor_view& from = views_[g_.outputs[i]];
            copy_elements(from, out_(i, from.type(), from.shape()));
        }
    }

private:
    void bind_rows(std::size_t input) {
        const symbolic_shape& shape = g_.values[input].type.shape;
        if (!shape.ranked()) return;
        for (std::size_t axis = 0; axis < shape.rank() && axis < views_[input].rank(); ++axis)
            if (const auto rows = shape[axis].rows_at(views_[input].extent(axis))) rows_ = *rows;
    }

    /// The builder has held the operation's rule against the very shapes of this run, not against some that may be.
    bool all_known(const graph_step& step) const {
        const auto known = [&](std::size_t v) { return g_.values[v].type.shape.known(); };
        return std::all_of(step.inputs.begin(), step.inputs.end(), known) &&
               std::all_of(step.outputs.begin(), step.outputs.end(), known);
    }

    /// By the operation's rule; what does not fit it is refused here.
    std::vector<value_type> answers(const graph_step& step, std::span<const tensor_view> in) {
        const auto arguments = space_.take<argument>(in.size());
        for (std::size_t i = 0; i < in.size(); ++i)
            new (&arguments[i]) argument(in[i].data() == nullptr ? argument::none() : argument(in[i]));
        return by_name(step, [&] { return step.op.answers(arguments); });
    }

    const mutable_tensor_view& place(std::size_t v, element type, const shape& extents) {
        const graph_value& value = g_.values[v];
        const std::size_t bytes = extents.volume() * size_of(type);
        if (bytes / std::max<std::size_t>(rows_, 1) > g_.limits.bytes_per_value)
            throw std::invalid_argument("expected values of at most " + std::to_string(g_.limits.bytes_per_value) +
                                        " bytes, got " + in_quotes(value.name) + " of " + extents.text());
        if (value.place == value_place::output) {
            views_[v] = readable(out_(value.index, type, extents));
        } else {
            blocks_[v] = space_.blocks.take(bytes);
            views_[v] = {blocks_[v], type, extents};
        }
        return views_[v];
    }
    /// Room for an answer that nobody reads.
    mutable_tensor_view spare(element type, const shape& extents) {
        return {space_.take<std::byte>(extents.volume() * size_of(type)).data(), type, extents};
    }

    const graph_state& g_;
    answer_room out_;
    workspace& space_;
    step_watch watch_;
    std::span<mutable_tensor_view> views_;
    std::span<std::byte*> blocks_;
    std::size_t rows_ = 0;
};

/// Computes all answers; `out` makes room for each once its shape is known.
inline void free_run(const graph_state& g, std::span<const tensor_view> in, answer_room out, workspace& space) {
    const workspace::scope run(space);
    free_frame frame(g, in, out, space);
    for (const graph_step& step : g.steps) {
        space.stop.check();
        frame.step(step);
    }
    frame.copy_answers();
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
