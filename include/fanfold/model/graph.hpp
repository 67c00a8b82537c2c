// fanfold/model/graph.hpp - a checked list of steps over typed values, run as a plain loop.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min, std::clamp
#include <cstddef>    // std::size_t
#include <memory>     // std::shared_ptr
#include <optional>   // std::optional
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <vector>     // std::vector

#include "free_run.hpp"
#include "planned_run.hpp"
#include "summary.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// A trained network as fanfold runs it: a model in the sense of model/model.hpp. Made by a graph_builder or an
/// importer.
///
/// threads  const and shared by its copies: any number of runs at once, each with its own workspace
class graph {
public:
    explicit graph(graph_state state) : state_(std::make_shared<const graph_state>(std::move(state))) {}

    [[nodiscard]] const graph_state& state() const noexcept { return *state_; }
    /// A graph exported with a static batch takes exactly this many rows a call; 0: any number.
    [[nodiscard]] std::size_t rows_per_call() const noexcept { return state_->rows_per_call; }

    /// What an output's elements stand for: they are positions (int64) in this list. Empty where they are numbers.
    [[nodiscard]] std::span<const std::string> categories(std::size_t output) const {
        const auto& names = state_->values[state_->outputs.at(output)].names;
        return names == nullptr ? std::span<const std::string>() : names->categories;
    }
    /// What the columns of an output (its last axis) stand for, in their order; empty where nobody has named them.
    [[nodiscard]] std::span<const std::string> columns(std::size_t output) const {
        const auto& names = state_->values[state_->outputs.at(output)].names;
        return names == nullptr ? std::span<const std::string>() : names->columns;
    }

    /// The step that makes rows depend on each other, as far as it is known at load; empty when none does. Such a graph
    /// cannot be split into shards.
    [[nodiscard]] const std::string& row_mixer() const noexcept { return state_->row_mixer; }
    /// The same for these rows: also a step of which it cannot be told before a run. Where shapes follow from the
    /// number of rows alone, what is known at load.
    [[nodiscard]] std::string row_mixer(const batch& rows) const {
        if (state_->planned || !state_->row_mixer.empty()) return state_->row_mixer;
        return deduced(rows).row_mixer;
    }

    /// Takes the sums that `checksum` compares with, where that has not been done; the first job with checksums does.
    /// What changes weights before is found, too: their digests are taken at load.
    void prepare_checksums() const {
        for (const graph_step& step : state_->steps) step.op.prepare_checksum();
    }
    /// A step whose packed weights are not what they were at load, of matrix products and convolutions; empty when
    /// there is none.
    ///
    /// cost     reads the weights, about 10 GB/s
    [[nodiscard]] std::string damaged_weights() const {
        for (const graph_step& step : state_->steps)
            if (!step.op.weights_intact()) return detail::label_of(step.op, step.name);
        return {};
    }

    /// The answers' types for these rows; throws std::invalid_argument naming the input, what it expects and what came,
    /// or the output whose shape only a run can tell.
    [[nodiscard]] std::vector<tensor_type> answers(const batch& rows) const {
        if (rows.size() != state_->inputs.size())
            throw std::invalid_argument("the model has " + std::to_string(state_->inputs.size()) + " inputs, got " +
                                        std::to_string(rows.size()) + " tensors");
        const std::size_t calls = check_rows(rows.rows());
        for (std::size_t i = 0; i < rows.size(); ++i)
            check_input(state_->values[state_->inputs[i]], rows.parts()[i], rows.rows());
        std::vector<value_type> known;
        if (state_->planned)
            for (const std::size_t output : state_->outputs) known.push_back(state_->values[output].type);
        else
            known = deduced(rows).outputs;
        std::vector<tensor_type> types;
        for (std::size_t i = 0; i < known.size(); ++i) {
            const value_type& type = known[i];
            if (!type.shape.known())
                throw std::invalid_argument("output " + detail::in_quotes(state_->output_names[i]) + " " + type.text() +
                                            ": its shape follows from elements, so infer cannot make room for it; use "
                                            "graph::run");
            tensor_type answer{type.type, type.shape.at(rows.rows()), type.shape.row_axis(), state_->output_names[i]};
            if (state_->rows_per_call != 0) {
                answer.rows = row_axis(0);
                if (answer.shape.rank() == 0 || answer.shape[0] % static_cast<std::int64_t>(state_->rows_per_call) != 0)
                    answer.rows = shared_by_all_rows;
                else
                    answer.shape = answer.shape.with(0, answer.shape[0] * static_cast<std::int64_t>(calls));
            }
            types.push_back(std::move(answer));
        }
        return types;
    }

    /// What `rows` rows take from a workspace, as far as it follows from their number.
    [[nodiscard]] std::size_t workspace_bytes(std::size_t rows) const {
        return state_->planned ? detail::planned_bytes(*state_, rows_per_pass(rows)) : 0;
    }

    /// Computes the answers of `rows` into `out`, where sizes are known in passes of few enough rows that intermediate
    /// values stay in cache; a row's bits do not depend on the passes. Polls the stop between steps (throws
    /// stopped_error).
    void operator()(const batch_view& rows, const mutable_batch_view& out, workspace& space) const {
        if (!state_->planned) {
            const auto room = [&](std::size_t answer, element type, const shape& extents) {
                if (out[answer].type() != type || !(out[answer].shape() == extents))
                    throw std::invalid_argument("output " + detail::in_quotes(state_->output_names[answer]) +
                                                ": expected " + describe(out[answer]) + ", got " +
                                                std::string(name_of(type)) + " " + extents.text());
                return out[answer];
            };
            const auto in = space.take<tensor_view>(rows.size());
            for (std::size_t i = 0; i < in.size(); ++i) new (&in[i]) tensor_view(rows[i]);
            detail::free_run(*state_, in, answer_room(room), space);
            return;
        }
        const std::size_t pass = rows_per_pass(rows.rows());
        for (std::size_t first = 0; first < rows.rows(); first += pass)
            detail::planned_run(*state_, rows, out, first, std::min(pass, rows.rows() - first), space);
    }

    /// One call with these inputs, whatever their shapes; `out` makes room for each answer.
    ///
    /// errors   throws std::invalid_argument naming the input, what it expects and what came
    void run(std::span<const tensor_view> inputs, answer_room out, workspace& space) const {
        const std::size_t rows = check_inputs(inputs);
        if (!state_->planned) return detail::free_run(*state_, inputs, out, space);
        std::vector<mutable_tensor_view> made;
        for (std::size_t i = 0; i < state_->outputs.size(); ++i) {
            const value_type& type = state_->values[state_->outputs[i]].type;
            made.push_back(out(i, type.type, type.shape.at(rows)));
        }
        (*this)(batch_view(inputs, rows), mutable_batch_view(made, rows), space);
    }
    [[nodiscard]] std::vector<tensor> run(std::span<const tensor_view> inputs, workspace& space) const {
        std::vector<tensor> answers(state_->outputs.size());
        const auto room = [&](std::size_t answer, element type, const shape& extents) -> mutable_tensor_view {
            return answers[answer] = tensor::uninitialized(type, extents);
        };
        run(inputs, answer_room(room), space);
        return answers;
    }

    /// What can be told of the answers from what is known of the inputs.
    struct deduced_outputs {
        std::vector<value_type> outputs;
        std::string row_mixer;  ///< also when it cannot be told whether a step mixes rows
    };
    [[nodiscard]] deduced_outputs deduced(std::span<const argument> inputs) const {
        if (state_->planned) return planned_outputs(inputs);
        std::vector<knowledge> known(state_->values.size());
        for (std::size_t v = 0; v < known.size(); ++v) {
            const graph_value& value = state_->values[v];
            known[v].absent = value.place == value_place::absent;
            if (value.place == value_place::constant) known[v] = knowledge::of(state_->constants[value.index]);
        }
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            knowledge& input = known[state_->inputs[i]];
            input.type = inputs[i];
            input.elements = inputs[i].value;
            if (inputs[i].sizes != nullptr) input.sizes = *inputs[i].sizes;
            input.absent = inputs[i].absent;
        }
        deduced_outputs out{{}, state_->row_mixer};
        build_budget budget{.computed_bytes = state_->limits.bytes_per_value, .computing = state_->limits.computing};
        std::vector<const knowledge*> from;
        for (const graph_step& step : state_->steps) {
            from.clear();
            for (const std::size_t input : step.inputs) from.push_back(&known[input]);
            deduction made = detail::by_name(step, [&] { return deduce(step.op, from, state_->limits, budget); });
            if (made.rows != row_use::independent && out.row_mixer.empty())
                out.row_mixer = step.name.empty() ? std::string(step.op.name()) : step.name;
            for (std::size_t i = 0; i < step.outputs.size(); ++i)
                known[step.outputs[i]] = std::move(made.answers.at(i));
        }
        for (const std::size_t output : state_->outputs) out.outputs.push_back(known[output].type);
        return out;
    }

    /// One line a step: operation, name, shapes; what a row costs: floating-point operations where the step can tell
    /// them, bytes read and written where shapes are known; bytes of weights; whether checksums see it. Then outputs
    /// whose numbers have names, and the sums.
    [[nodiscard]] std::string summary() const { return detail::summary_of(*state_); }

private:
    /// Rows as N, everything else of the batch as it is: what all rows share with its elements.
    deduced_outputs deduced(const batch& rows) const {
        std::vector<argument> inputs;
        for (const part& given : rows.parts()) {
            argument one(value_type{given.data().type(), given.data().shape()});
            if (given.rows())
                one.shape[*given.rows()] = rows_extent;
            else if (given.data().dense())
                one.value = given.data();
            inputs.push_back(one);
        }
        return deduced(inputs);
    }

    /// Types as they were at load, for as many rows as the inputs have where those are counted already.
    deduced_outputs planned_outputs(std::span<const argument> inputs) const {
        std::optional<extent> rows;
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            const symbolic_shape& declared = state_->values[state_->inputs[i]].type.shape;
            for (std::size_t axis = 0; axis < declared.rank(); ++axis)
                if (declared[axis].depends_on_rows() && inputs[i].shape.ranked())
                    rows = (inputs[i].shape[axis] - declared[axis].fixed) / declared[axis].per_row;
        }
        deduced_outputs out{{}, state_->row_mixer};
        for (const std::size_t output : state_->outputs) {
            value_type type = state_->values[output].type;
            for (std::size_t axis = 0; rows && axis < type.shape.rank(); ++axis)
                type.shape[axis] = *rows * type.shape[axis].per_row + type.shape[axis].fixed;
            out.outputs.push_back(type);
        }
        return out;
    }

    std::size_t check_rows(std::size_t rows) const {
        if (state_->rows_per_call == 0) return rows;
        if (rows % state_->rows_per_call != 0)
            throw std::invalid_argument("the model takes exactly " + std::to_string(state_->rows_per_call) +
                                        " rows a call, and " + std::to_string(rows) + " is no multiple of that");
        return rows / state_->rows_per_call;
    }

    void check_input(const graph_value& value, const part& given, std::size_t rows) const {
        const symbolic_shape& shape = value.type.shape;
        symbolic_shape expected = shape;
        const bool fixed = shape.constant();
        if (fixed && given.rows() && shape.rank() > 0 && state_->rows_per_call != 0)
            expected[0] = static_cast<std::int64_t>(rows);
        const row_axis axis = shape.known() ? row_axis(shape.row_axis().value_or(0)) : given.rows();
        const bool axis_fits = given.rows() ? given.rows() == axis : !shape.depends_on_rows();
        if (fits(expected, given.data(), rows) && given.data().type() == value.type.type && axis_fits) return;
        throw std::invalid_argument(
            "input " + detail::in_quotes(value.name) + ": expected " + value.type.text() + ", got " +
            describe(given.data()) +
            (axis_fits || !given.rows() ? "" : " with rows along axis " + std::to_string(*given.rows())));
    }

    static bool fits(const symbolic_shape& expected, const tensor_view& given, std::size_t rows) {
        if (!expected.ranked()) return true;
        if (expected.rank() != given.rank()) return false;
        for (std::size_t axis = 0; axis < given.rank(); ++axis)
            if (expected[axis].known() && expected[axis].at(rows) != given.extent(axis)) return false;
        return true;
    }

    /// How many rows the inputs of one call have.
    std::size_t check_inputs(std::span<const tensor_view> inputs) const {
        if (inputs.size() != state_->inputs.size())
            throw std::invalid_argument("the model has " + std::to_string(state_->inputs.size()) + " inputs, got " +
                                        std::to_string(inputs.size()) + " tensors");
        std::size_t rows = std::max<std::size_t>(state_->rows_per_call, 1);
        bool bound = false;
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            const graph_value& value = state_->values[state_->inputs[i]];
            const symbolic_shape& shape = value.type.shape;
            for (std::size_t axis = 0; shape.ranked() && axis < shape.rank() && axis < inputs[i].rank(); ++axis)
                if (const auto told = bound ? std::nullopt : shape[axis].rows_at(inputs[i].extent(axis))) {
                    rows = *told;
                    bound = true;
                }
            if (inputs[i].type() != value.type.type || !fits(shape, inputs[i], rows) || !inputs[i].dense())
                throw std::invalid_argument("input " + detail::in_quotes(value.name) + ": expected " +
                                            value.type.text() + ", got " + (inputs[i].dense() ? "" : "strided ") +
                                            describe(inputs[i]));
        }
        return rows;
    }

    /// Few enough rows that a pass's values stay in a core's cache, many enough that weights are not read for few rows.
    std::size_t rows_per_pass(std::size_t rows) const {
        if (!state_->row_mixer.empty() || state_->rows_per_call != 0 || !rows_lead())
            return std::max<std::size_t>(rows, 1);
        constexpr std::size_t cache = std::size_t{1} << 18;
        constexpr std::size_t limit = std::size_t{1} << 26;
        const std::size_t budget = state_->rereads_weights ? limit : std::clamp(state_->weight_bytes, cache, limit);
        const std::size_t fitting = budget / std::max<std::size_t>(state_->slot_bytes_per_row, 1);
        return std::clamp<std::size_t>(fitting, 1, std::max<std::size_t>(rows, 1));
    }

    /// Inputs and answers can be cut along axis 0.
    bool rows_lead() const {
        const auto lead = [&](std::size_t v) {
            const symbolic_shape& shape = state_->values[v].type.shape;
            return shape.constant() || shape.rows_lead();
        };
        return std::all_of(state_->inputs.begin(), state_->inputs.end(), lead) &&
               std::all_of(state_->outputs.begin(), state_->outputs.end(), lead);
    }

    std::shared_ptr<const graph_state> state_;
};

}  // namespace fanfold::inline FANFOLD_ABI
