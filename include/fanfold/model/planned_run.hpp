// fanfold/model/planned_run.hpp - one pass over rows through a graph whose sizes all follow from their number.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::max
#include <cstddef>    // std::size_t
#include <new>        // placement new

#include "../core/batch.hpp"
#include "graph_state.hpp"
#include "step_watch.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

[[nodiscard]] inline std::size_t slot_bytes(const graph_state& g, const std::vector<std::size_t>& members,
                                            std::size_t rows) {
    std::size_t bytes = 0;
    for (const std::size_t member : members) {
        const value_type& type = g.values[member].type;
        bytes = std::max(bytes, workspace::rounded(type.shape.at(rows).volume() * size_of(type.type)));
    }
    return bytes;
}

/// What a pass of `rows` rows takes from the workspace.
[[nodiscard]] inline std::size_t planned_bytes(const graph_state& g, std::size_t rows) {
    std::size_t bytes = workspace::rounded(g.values.size() * sizeof(mutable_tensor_view)) +
                        workspace::rounded(g.slots.size() * sizeof(std::byte*));
    for (const auto& members : g.slots) bytes += slot_bytes(g, members, rows);
    std::size_t most = 0;
    std::vector<shape> shapes;
    for (const graph_step& step : g.steps) {
        shapes.clear();
        for (const std::size_t input : step.inputs) shapes.push_back(g.values[input].type.shape.at(rows));
        most = std::max(most, workspace::rounded(step.inputs.size() * sizeof(tensor_view)) +
                                  workspace::rounded(step.outputs.size() * sizeof(mutable_tensor_view)) +
                                  step.op.scratch_bytes(shapes));
    }
    return bytes + most;
}

/// Rows [first, first + count) of a tensor whose axis 0 counts rows; all of it when it is shared or taken whole.
template <class View>
[[nodiscard]] View pass_slice(const View& whole, const symbolic_shape& shape, std::size_t first, std::size_t count) {
    if (!shape.rows_lead()) return whole;
    const auto each = static_cast<std::size_t>(shape[0].per_row);
    return whole.slice(0, first * each, count * each);
}

/// Computes answers [first, first + count).
inline void planned_run(const graph_state& g, const batch_view& rows, const mutable_batch_view& out, std::size_t first,
                        std::size_t count, workspace& space) {
    const workspace::scope pass(space);
    const auto views = space.take<mutable_tensor_view>(g.values.size());
    const auto slots = space.take<std::byte*>(g.slots.size());
    for (std::size_t s = 0; s < slots.size(); ++s)
        slots[s] = space.take<std::byte>(slot_bytes(g, g.slots[s], count)).data();
    for (std::size_t v = 0; v < views.size(); ++v) {
        const graph_value& value = g.values[v];
        mutable_tensor_view seen;
        switch (value.root == v ? value.place : value_place::unused) {
            case value_place::input:
                seen = readable(pass_slice(rows[value.index], value.type.shape, first, count));
                break;
            case value_place::constant: seen = readable(*g.constants[value.index]); break;
            case value_place::output:
                seen = pass_slice(out[value.index], g.values[g.outputs[value.index]].type.shape, first, count);
                seen = readable(seen.reshaped(value.type.shape.at(count)));
                break;
            case value_place::slot:
                seen = readable(mutable_tensor_view(slots[value.index], value.type.type, value.type.shape.at(count)));
                break;
            case value_place::block:
            case value_place::absent:
            case value_place::unused: break;
        }
        new (&views[v]) mutable_tensor_view(seen);
    }
    for (std::size_t v = 0; v < views.size(); ++v) {
        const graph_value& value = g.values[v];
        if (value.root != v) views[v] = views[value.root].reshaped(value.type.shape.at(count));
    }
    step_watch watch(space);
    for (const graph_step& step : g.steps) {
        space.stop.check();
        const workspace::scope one(space);
        const auto in = space.take<tensor_view>(step.inputs.size());
        const auto to = space.take<mutable_tensor_view>(step.outputs.size());
        for (std::size_t i = 0; i < in.size(); ++i) new (&in[i]) tensor_view(views[step.inputs[i]]);
        for (std::size_t i = 0; i < to.size(); ++i) new (&to[i]) mutable_tensor_view(views[step.outputs[i]]);
        by_name(step, [&] { step.op(in, to, space); });
        watch.ended(step, in);
    }
    for (std::size_t i = 0; i < g.outputs.size(); ++i) {  // answers that are inputs, constants or other answers
        const graph_value& value = g.values[g.values[g.outputs[i]].root];
        if (value.place == value_place::output && value.index == i) continue;
        copy_elements(views[g.outputs[i]], pass_slice(out[i], g.values[g.outputs[i]].type.shape, first, count));
    }
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
