// fanfold/onnx/importer.hpp - a parsed model node by node into a graph, whatever the operators are.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>        // std::size_t
#include <cstdint>        // std::int64_t
#include <map>            // std::map
#include <optional>       // std::optional
#include <stdexcept>      // std::invalid_argument
#include <string>         // std::string
#include <string_view>    // std::string_view
#include <unordered_map>  // std::unordered_map
#include <utility>        // std::move, std::pair
#include <vector>         // std::vector

#include "../model/graph_builder.hpp"
#include "dimensions.hpp"
#include "node.hpp"
#include "proto.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// Which operators there are: a lookup, and what to tell those who ask for others.
struct operator_table {
    const operator_entry* (*find)(std::string_view name, std::int64_t opset);
    std::string (*supported)();
};

/// Turns one model into a graph.
///
/// errors   throws std::invalid_argument naming the node (or input, or output), what was expected and what came
class importer {
public:
    importer(const model_proto& model, const operator_table& operators, const graph_limits& limits, data_folder folder)
        : model_(model),
          operators_(operators),
          state_{graph_builder(limits), limits, std::move(folder), model.opset.value_or(0), {}} {}

    [[nodiscard]] graph import_graph(const std::map<std::string, std::int64_t>& dims) && {
        check_model();
        add_initializers();
        add_inputs(dims);
        for (std::size_t index = 0; index < model_.nodes.size(); ++index) {
            try {
                add_node(model_.nodes[index], index);
            } catch (const std::invalid_argument& error) {
                throw std::invalid_argument(label(index) + ": " + error.what());
            }
        }
        return finish();
    }

private:
    static bool default_domain(std::string_view domain) { return domain.empty() || domain == "ai.onnx"; }

    /// "node 'conv1' (Conv, opset 13)"
    std::string label(std::size_t index) const {
        const node_proto& node = model_.nodes[index];
        const std::string name = node.name.empty() ? std::to_string(index) : in_quotes(node.name);
        const std::string op = in_quotes(node.op_type);
        return "node " + name + " (" + op.substr(1, op.size() - 2) + ", opset " + std::to_string(state_.opset) + ")";
    }

    void check_model() const {
        if (!model_.has_graph) throw std::invalid_argument("expected an ONNX model, got no graph");
        if (!model_.opset) throw std::invalid_argument("expected an opset of the domain ai.onnx, got none");
        if (*model_.opset < first_opset || *model_.opset > last_opset)
            throw std::invalid_argument("expected opset " + std::to_string(first_opset) + " to " +
                                        std::to_string(last_opset) + " of the domain ai.onnx, got " +
                                        std::to_string(*model_.opset));
        if (model_.sparse_initializers != 0)
            throw std::invalid_argument("expected dense initializers, got " +
                                        std::to_string(model_.sparse_initializers) + " sparse ones");
        if (model_.quantization_annotations != 0)
            throw std::invalid_argument("expected a model of plain tensors, got " +
                                        std::to_string(model_.quantization_annotations) + " quantization annotations");
    }

    void add_initializers() {
        for (const tensor_proto& stored : model_.initializers) {
            if (stored.name.empty()) throw std::invalid_argument("expected initializers with names, got one without");
            if (!state_.values.emplace(stored.name, named_value{std::nullopt, &stored, std::nullopt}).second)
                throw std::invalid_argument("expected one initializer " + in_quotes(stored.name) + ", got two");
        }
    }

    /// Initializers among the inputs are constants: models before IR version 4 list them there.
    void add_inputs(const std::map<std::string, std::int64_t>& dims) {
        std::vector<const value_info_proto*> inputs;
        for (const value_info_proto& input : model_.inputs) {
            const auto found = state_.values.find(input.name);
            if (found == state_.values.end() || found->second.stored == nullptr) inputs.push_back(&input);
        }
        for (const auto& [name, extent] : dims)
            if (!names_dimension(inputs, name))
                throw std::invalid_argument("expected in load_options::dims names of input dimensions, got " +
                                            in_quotes(name));
        const row_dimension rows = find_row_dimension(inputs, dims);
        for (const value_info_proto* input : inputs) {
            const std::string name(input->name);
            value_type type = wire::within("input " + in_quotes(name), [&] { return input_type(*input, rows, dims); });
            if (state_.values.contains(input->name))
                throw std::invalid_argument("expected one input " + in_quotes(name) + ", got two");
            state_.values.emplace(input->name,
                                  named_value{state_.builder.input(name, std::move(type)), nullptr, std::nullopt});
        }
        row_name_ = rows.name;
    }

    void add_node(const node_proto& node, std::size_t index) {
        const operator_entry* entry =
            default_domain(node.domain) ? operators_.find(node.op_type, state_.opset) : nullptr;
        if (entry == nullptr)
            throw std::invalid_argument(
                "expected an operator of " + operators_.supported() + "; got " + in_quotes(node.op_type) +
                (default_domain(node.domain) ? "" : " of the domain " + in_quotes(node.domain)));
        for (const std::string_view input : node.inputs)
            if (!input.empty() && !state_.values.contains(input)) refuse_undefined(input, index);
        for (const attribute_proto& attribute : node.attributes)
            if (attribute.has_subgraph)
                throw std::invalid_argument("expected no subgraphs, got one in attribute " + in_quotes(attribute.name));
        node_import import(node, state_);
        entry->import_node(import);
        import.expect_all_attributes_read();
        import.release();
    }

    /// An input that nothing before has defined: nowhere, only later, or on a cycle.
    [[noreturn]] void refuse_undefined(std::string_view input, std::size_t index) const {
        std::unordered_map<std::string_view, std::size_t> producer;
        for (std::size_t i = 0; i < model_.nodes.size(); ++i)
            for (const std::string_view output : model_.nodes[i].outputs) producer.emplace(output, i);
        const auto found = producer.find(input);
        if (found == producer.end())
            throw std::invalid_argument("expected its input " + in_quotes(input) + " to be defined, got no such value");
        // Everything that the producer needs, depth first; on a cycle when this node is among it.
        std::vector<bool> seen(model_.nodes.size(), false);
        std::vector<std::size_t> open{found->second};
        while (!open.empty()) {
            const std::size_t at = open.back();
            open.pop_back();
            if (at == index)
                throw std::invalid_argument("expected a graph without cycles, got its input " + in_quotes(input) +
                                            " from " + label(found->second) + ", which needs this node's output");
            if (seen[at]) continue;
            seen[at] = true;
            for (const std::string_view name : model_.nodes[at].inputs)
                if (const auto from = producer.find(name); from != producer.end()) open.push_back(from->second);
        }
        throw std::invalid_argument("expected nodes in the order of execution, got its input " + in_quotes(input) +
                                    " from the later " + label(found->second));
    }

    graph finish() {
        std::vector<std::pair<std::string, value_id>> outputs;
        for (const value_info_proto& output : model_.outputs) {
            const auto found = state_.values.find(output.name);
            if (found == state_.values.end())
                throw std::invalid_argument("expected a node that computes the output " + in_quotes(output.name) +
                                            ", got none");
            const value_id value = state_.materialize(output.name, found->second);
            wire::within("output " + in_quotes(output.name),
                         [&] { expect_declared(output, state_.builder.type(value), row_name_); });
            outputs.emplace_back(std::string(output.name), value);
        }
        return std::move(state_.builder).finish(outputs);
    }

    const model_proto& model_;
    operator_table operators_;
    import_state state_;
    std::string_view row_name_;
};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
