// fanfold/model/graph.hpp - a checked list of steps over typed values, run as a plain loop.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min, std::clamp
#include <cstddef>    // std::size_t
#include <cstring>    // std::memcpy
#include <memory>     // std::shared_ptr
#include <new>        // placement new
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <vector>     // std::vector

#include "../core/batch.hpp"
#include "memory_plan.hpp"
#include "operation.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Where a value's elements lie while the graph runs.
enum class value_place { input, constant, output, slot, unused };

/// One edge of a graph.
struct graph_value {
    std::string name;
    value_type type;
    value_place place = value_place::slot;
    std::size_t index = 0;  ///< which input, constant, output or slot
    std::size_t root = 0;   ///< the value whose elements these are, itself unless it is an alias
};

/// One operation of a graph with the values that it reads and writes.
struct graph_step {
    operation op;
    std::string name;
    std::vector<std::size_t> inputs;
    std::vector<std::size_t> outputs;
};

/// What a graph_builder has finished: everything a run needs, decided.
struct graph_state {
    std::vector<graph_value> values;
    std::vector<graph_step> steps;
    std::vector<tensor> constants;
    std::vector<std::size_t> inputs;   ///< values
    std::vector<std::size_t> outputs;  ///< values
    std::vector<std::string> output_names;
    std::vector<std::vector<std::size_t>> slots;  ///< the values that share each slot
    std::string row_mixer;                        ///< the first step that mixes rows, empty when none does
    std::size_t rows_per_call = 0;                ///< of a graph with a static batch; 0: any number
    std::size_t slot_bytes_per_row = 0;
    std::size_t weight_bytes = 0;
};

/// A trained network as fanfold runs it: a model in the sense of model/model.hpp. Made by a graph_builder or an
/// importer.
///
/// threads  const and shared by its copies: any number of runs at once, each with its own workspace
class graph {
public:
    explicit graph(graph_state state) : state_(std::make_shared<const graph_state>(std::move(state))) {}

    [[nodiscard]] const graph_state& state() const noexcept { return *state_; }
    /// The step that makes rows depend on each other, empty when none does; such a graph cannot be split into shards.
    [[nodiscard]] const std::string& row_mixer() const noexcept { return state_->row_mixer; }
    /// A graph exported with a static batch takes exactly this many rows a call; 0: any number.
    [[nodiscard]] std::size_t rows_per_call() const noexcept { return state_->rows_per_call; }

    /// The answers' types for these rows; throws std::invalid_argument naming the input, what it expects and what came.
    [[nodiscard]] std::vector<tensor_type> answers(const batch& rows) const {
        if (rows.size() != state_->inputs.size())
            throw std::invalid_argument("the model has " + std::to_string(state_->inputs.size()) + " inputs, got " +
                                        std::to_string(rows.size()) + " tensors");
        const std::size_t calls = check_rows(rows.rows());
        for (std::size_t i = 0; i < rows.size(); ++i)
            check_input(state_->values[state_->inputs[i]], rows.parts()[i], rows.rows());
        std::vector<tensor_type> types;
        for (std::size_t i = 0; i < state_->outputs.size(); ++i) {
            const value_type& type = state_->values[state_->outputs[i]].type;
            tensor_type answer{type.type, type.shape.at(rows.rows()), row_axis(0), state_->output_names[i]};
            const bool leads = type.shape.rank() > 0 && !type.shape[0].constant();
            if (state_->rows_per_call != 0) {
                if (answer.shape.rank() == 0 || answer.shape[0] % static_cast<std::int64_t>(state_->rows_per_call) != 0)
                    answer.rows = shared_by_all_rows;
                else
                    answer.shape = answer.shape.with(0, answer.shape[0] * static_cast<std::int64_t>(calls));
            } else if (!leads) {
                answer.rows = shared_by_all_rows;
            }
            types.push_back(std::move(answer));
        }
        return types;
    }

    [[nodiscard]] std::size_t workspace_bytes(std::size_t rows) const {
        const std::size_t pass = rows_per_pass(rows);
        std::size_t bytes = workspace::rounded(state_->values.size() * sizeof(mutable_tensor_view)) +
                            workspace::rounded(state_->slots.size() * sizeof(std::byte*)) + view_bytes();
        for (const auto& members : state_->slots) bytes += slot_bytes(members, pass);
        std::size_t scratch = 0;
        for (const graph_step& step : state_->steps) scratch = std::max(scratch, step.op.scratch_bytes(pass));
        return bytes + scratch;
    }

    /// Computes the answers of `rows` into `out`, in passes of few enough rows that intermediate values stay in cache;
    /// a row's bits do not depend on the passes. Polls the stop between steps (throws stopped_error).
    void operator()(const batch_view& rows, const mutable_batch_view& out, workspace& space) const {
        const std::size_t pass = rows_per_pass(rows.rows());
        for (std::size_t first = 0; first < rows.rows(); first += pass)
            run(rows, out, first, std::min(pass, rows.rows() - first), space);
    }

    /// One line a step: operation, name, shapes, and the bytes of weights and values.
    [[nodiscard]] std::string summary() const {
        std::string text;
        for (const graph_step& step : state_->steps) {
            text += std::string(step.op.name()) + " '" + step.name + "'";
            for (const std::size_t input : step.inputs) text += " " + state_->values[input].type.text();
            text += " ->";
            for (const std::size_t output : step.outputs) text += " " + state_->values[output].type.text();
            text += "\n";
        }
        return text + std::to_string(state_->steps.size()) + " steps, " + std::to_string(state_->weight_bytes) +
               " bytes of weights, " + std::to_string(state_->slot_bytes_per_row) +
               " bytes of intermediate values a row\n";
    }

private:
    std::size_t check_rows(std::size_t rows) const {
        if (state_->rows_per_call == 0) return rows;
        if (rows % state_->rows_per_call != 0)
            throw std::invalid_argument("the model takes exactly " + std::to_string(state_->rows_per_call) +
                                        " rows a call, and " + std::to_string(rows) + " is no multiple of that");
        return rows / state_->rows_per_call;
    }

    void check_input(const graph_value& value, const part& given, std::size_t rows) const {
        const bool fixed = value.type.shape.constant();
        shape expected = value.type.shape.at(rows);
        if (fixed && given.rows() && expected.rank() > 0 && state_->rows_per_call != 0)
            expected = expected.with(0, static_cast<std::int64_t>(rows));
        const bool axis_fits = given.rows() ? *given.rows() == 0 : fixed;
        if (given.data().type() == value.type.type && given.data().shape() == expected && axis_fits) return;
        throw std::invalid_argument(
            "input '" + value.name + "': expected " + value.type.text() + ", got " + describe(given.data()) +
            (axis_fits || !given.rows() ? "" : " with rows along axis " + std::to_string(*given.rows())));
    }

    /// Few enough rows that a pass's values stay in a core's cache, many enough that weights are not read for few rows.
    std::size_t rows_per_pass(std::size_t rows) const {
        if (!state_->row_mixer.empty() || state_->rows_per_call != 0) return std::max<std::size_t>(rows, 1);
        constexpr std::size_t cache = std::size_t{1} << 18;
        constexpr std::size_t limit = std::size_t{1} << 26;
        const std::size_t budget = std::clamp(state_->weight_bytes, cache, limit);
        const std::size_t fitting = budget / std::max<std::size_t>(state_->slot_bytes_per_row, 1);
        return std::clamp<std::size_t>(fitting, 1, std::max<std::size_t>(rows, 1));
    }

    std::size_t slot_bytes(const std::vector<std::size_t>& members, std::size_t rows) const {
        std::size_t bytes = 0;
        for (const std::size_t member : members) {
            const value_type& type = state_->values[member].type;
            bytes = std::max(bytes, workspace::rounded(type.shape.at(rows).volume() * size_of(type.type)));
        }
        return bytes;
    }

    std::size_t view_bytes() const {
        std::size_t most_in = 0;
        std::size_t most_out = 0;
        for (const graph_step& step : state_->steps) {
            most_in = std::max(most_in, step.inputs.size());
            most_out = std::max(most_out, step.outputs.size());
        }
        return workspace::rounded(most_in * sizeof(tensor_view)) +
               workspace::rounded(most_out * sizeof(mutable_tensor_view));
    }

    /// Rows [first, first + count) of a tensor whose axis 0 counts rows; all of it when it is shared or taken whole.
    template <class View>
    static View pass_slice(const View& whole, const symbolic_shape& shape, std::size_t first, std::size_t count) {
        if (shape.rank() == 0 || shape[0].constant() || !shape.rows_lead()) return whole;
        const auto each = static_cast<std::size_t>(shape[0].per_row);
        return whole.slice(0, first * each, count * each);
    }

    void run(const batch_view& rows, const mutable_batch_view& out, std::size_t first, std::size_t count,
             workspace& space) const {
        const workspace::scope pass(space);
        const graph_state& g = *state_;
        // Elements of a value that may be written lie in `out` or the workspace; views of the others are only read.
        const auto views = space.take<mutable_tensor_view>(g.values.size());
        const auto slots = space.take<std::byte*>(g.slots.size());
        for (std::size_t s = 0; s < slots.size(); ++s)
            slots[s] = space.take<std::byte>(slot_bytes(g.slots[s], count)).data();
        const auto readable = [](const tensor_view& v) {
            return mutable_tensor_view(const_cast<std::byte*>(v.data()), v.type(), v.shape(), v.steps());
        };
        for (std::size_t v = 0; v < views.size(); ++v) {
            const graph_value& value = g.values[v];
            mutable_tensor_view seen;
            if (value.root != v) {
                seen = views[value.root].reshaped(value.type.shape.at(count));
            } else {
                switch (value.place) {
                    case value_place::input:
                        seen = readable(pass_slice(rows[value.index], value.type.shape, first, count));
                        break;
                    case value_place::constant: seen = readable(g.constants[value.index]); break;
                    case value_place::output:
                        seen = pass_slice(out[value.index], g.values[g.outputs[value.index]].type.shape, first, count);
                        seen = seen.reshaped(value.type.shape.at(count));
                        break;
                    case value_place::slot:
                        seen = {slots[value.index], value.type.type, value.type.shape.at(count)};
                        break;
                    case value_place::unused: break;
                }
            }
            new (&views[v]) mutable_tensor_view(seen);
        }
        for (const graph_step& step : g.steps) {
            space.stop.check();
            const workspace::scope one(space);
            const auto in = space.take<tensor_view>(step.inputs.size());
            const auto to = space.take<mutable_tensor_view>(step.outputs.size());
            for (std::size_t i = 0; i < in.size(); ++i) new (&in[i]) tensor_view(views[step.inputs[i]]);
            for (std::size_t i = 0; i < to.size(); ++i) new (&to[i]) mutable_tensor_view(views[step.outputs[i]]);
            step.op(in, to, space);
        }
        for (std::size_t i = 0; i < g.outputs.size(); ++i) {  // answers that are inputs, constants or other answers
            const graph_value& value = g.values[g.values[g.outputs[i]].root];
            if (value.place == value_place::output && value.index == i) continue;
            const mutable_tensor_view& from = views[g.outputs[i]];
            const mutable_tensor_view to = pass_slice(out[i], g.values[g.outputs[i]].type.shape, first, count);
            detail::copy_elements(from, to);
        }
    }

    std::shared_ptr<const graph_state> state_;
};

}  // namespace fanfold::inline FANFOLD_ABI
