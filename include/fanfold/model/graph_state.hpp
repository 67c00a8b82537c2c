// fanfold/model/graph_state.hpp - a finished graph as plain data: values, steps, where each value lies and how long.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>    // std::size_t
#include <cstdint>    // SIZE_MAX
#include <memory>     // std::shared_ptr
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <vector>     // std::vector

#include "../core/in_quotes.hpp"
#include "knowledge.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Where a value's elements lie while the graph runs: in a slot when its size follows from the number of rows, in a
/// block of the workspace when only the run tells it.
enum class value_place { input, constant, output, slot, block, absent, unused };

/// What numbers of a value stand for, where a file has names for them.
struct value_names {
    std::vector<std::string> categories{};  ///< of elements, which are positions in this list; empty: plain numbers
    std::vector<std::string> columns{};     ///< of the last axis
};

/// One edge of a graph.
struct graph_value {
    std::string name;
    value_type type;
    value_place place = value_place::slot;
    std::size_t index = 0;                       ///< which input, constant, output or slot
    std::size_t root = 0;                        ///< the value whose elements these are, itself unless it is an alias
    std::shared_ptr<const value_names> names{};  ///< null: none
};

/// One operation of a graph with the values that it reads and writes.
struct graph_step {
    operation op;
    std::string name;
    std::vector<std::size_t> inputs;
    std::vector<std::size_t> outputs;
    std::vector<std::size_t> ends{};  ///< values in blocks that nobody reads after this step
};

/// What a graph_builder has finished: everything a run needs, decided.
struct graph_state {
    std::vector<graph_value> values;
    std::vector<graph_step> steps;
    std::vector<std::shared_ptr<const tensor>> constants;
    std::vector<std::size_t> inputs;   ///< values
    std::vector<std::size_t> outputs;  ///< values
    std::vector<std::string> output_names;
    std::vector<std::vector<std::size_t>> slots;  ///< the values that share each slot
    bool planned = true;                          ///< every size follows from the number of rows
    std::string row_mixer;                        ///< the first step that mixes rows, empty when none is known to
    std::size_t rows_per_call = 0;                ///< of a graph with a static batch; 0: any number
    std::size_t slot_bytes_per_row = 0;
    std::size_t weight_bytes = 0;
    bool rereads_weights = false;  ///< some step does, for each step of a sequence
    graph_limits limits{};
};

namespace detail {

/// Elements of a value that may be written lie in the caller's rows or the workspace;
/// views of the others are only read.
[[nodiscard]] inline mutable_tensor_view readable(const tensor_view& elements) {
    const tensor_view v = present(elements);
    return {const_cast<std::byte*>(v.data()), v.type(), v.shape(), v.steps()};
}

/// "node 'conv1' (Conv)"
[[nodiscard]] inline std::string label_of(const operation& op, const std::string& name) {
    return "node " + in_quotes(name) + " (" + std::string(op.name()) + ")";
}

/// f(); what the operation refuses meanwhile, it refuses by its name.
template <class F>
decltype(auto) by_name(const operation& op, const std::string& name, F&& f) {
    try {
        return f();
    } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(label_of(op, name) + ": " + error.what());
    }
}
template <class F>
decltype(auto) by_name(const graph_step& step, F&& f) {
    return by_name(step.op, step.name, f);
}

/// errors   throws std::invalid_argument when the weights it has packed are more than is left for the whole model
inline void take_packed(build_budget& budget, const operation& op, const std::string& name) {
    by_name(op, name, [&] { build_budget::take(budget.packed_bytes, op.weight_bytes(), "packed weights"); });
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
