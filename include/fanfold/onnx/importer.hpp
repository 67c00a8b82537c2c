// fanfold/onnx/importer.hpp - a parsed model node by node into a graph, whatever the operators are.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>      // std::any_of, std::max
#include <cstddef>        // std::size_t
#include <cstdint>        // std::int64_t
#include <map>            // std::map
#include <memory>         // std::shared_ptr
#include <optional>       // std::optional
#include <stdexcept>      // std::invalid_argument
#include <string>         // std::string
#include <string_view>    // std::string_view
#include <unordered_map>  // std::unordered_map
#include <utility>        // std::move, std::pair
#include <vector>         // std::vector

#include "../model/graph_builder.hpp"
#include "../model/operators/elementwise.hpp"
#include "dimensions.hpp"
#include "node.hpp"
#include "proto.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// Turns the nodes of one graph into steps.
///
/// errors   throws std::invalid_argument naming the node (or input, or output), what was expected and what came
class graph_importer {
public:
    graph_importer(const graph_proto& graph, const import_context& context, import_state* around = nullptr)
        : graph_(graph), own_(context.limits, context.budget), state_{context, around, own_} {
        refuse_unsupported();
    }
    /// Its nodes become nodes of the graph around it.
    graph_importer(const graph_proto& graph, import_state& around)
        : graph_(graph), own_(around.context.limits), state_{around.context, &around, around.builder} {
        refuse_unsupported();
    }
    graph_importer(const graph_importer&) = delete;
    graph_importer& operator=(const graph_importer&) = delete;

    /// Initializers among the inputs are constants: models before IR version 4 list them there.
    void add_initializers() {
        for (const tensor_proto& stored : graph_.initializers) {
            if (stored.name.empty()) throw std::invalid_argument("expected initializers with names, got one without");
            if (!state_.values.emplace(stored.name, named_value{std::nullopt, &stored}).second)
                throw std::invalid_argument("expected one initializer " + in_quotes(stored.name) + ", got two");
        }
    }

    [[nodiscard]] std::vector<const value_info_proto*> inputs() const {
        std::vector<const value_info_proto*> inputs;
        for (const value_info_proto& input : graph_.inputs) {
            const auto found = state_.values.find(input.name);
            if (found == state_.values.end() || found->second.stored == nullptr) inputs.push_back(&input);
        }
        return inputs;
    }

    void add_input(const value_info_proto& input, knowledge known) {
        named_value value{take(std::string(input.name), std::move(known))};
        value.declared = input.element_type;
        add_input(input, std::move(value));
    }
    /// A sequence, as `count` tensors of one type; -1: absent.
    void add_sequence(const value_info_proto& input, const value_type& type, std::int64_t count) {
        std::vector<value_id> elements;
        for (std::int64_t i = 0; i < count; ++i)
            elements.push_back(take(element_name(input.name, elements.size()), knowledge{type}));
        add_input(input, count < 0 ? named_value::none() : named_value::of(std::move(elements), input.element_type));
    }
    void add_input(const value_info_proto& input, named_value value) {
        if (!state_.values.emplace(input.name, std::move(value)).second)
            throw std::invalid_argument("expected one input " + in_quotes(input.name) + ", got two");
    }

    void add_nodes() {
        count_readers();
        for (std::size_t index = 0; index < graph_.nodes.size(); ++index) {
            try {
                add_node(graph_.nodes[index], index);
                release_inputs(graph_.nodes[index]);
            } catch (const std::invalid_argument& error) {
                throw std::invalid_argument(label(index) + ": " + error.what());
            }
        }
    }

    /// What the graph answers, one for each output that it names. `rows`: the name of the dimension that counts rows.
    [[nodiscard]] std::vector<named_value> answers(std::string_view rows) {
        std::vector<named_value> out;
        for (const value_info_proto& output : graph_.outputs) {
            named_value* found = state_.find(output.name);
            if (found == nullptr)
                throw std::invalid_argument("expected a node that computes the output " + in_quotes(output.name) +
                                            ", got none");
            named_value answer = found->absent     ? named_value::none()
                                 : found->sequence ? named_value::of(*found->sequence)
                                                   : named_value{state_.materialize(output.name, *found)};
            answer.declared = found->data_type();
            wire::within("output " + in_quotes(output.name), [&] {
                if (found->names != nullptr) return name_output(output, *answer.id, found->names, rows);
                if (state_.around == nullptr) declare(output, answer, rows);
            });
            out.push_back(std::move(answer));
        }
        return out;
    }

    /// The same as a graph: a sequence is answered as its elements, what is absent not at all.
    [[nodiscard]] inner_graph finish(std::string_view rows) && {
        std::vector<named_value> all = answers(rows);
        std::vector<std::pair<std::string, value_id>> outputs;
        for (std::size_t i = 0; i < all.size(); ++i) {
            const std::string_view name = graph_.outputs[i].name;
            if (all[i].id) outputs.emplace_back(std::string(name), *all[i].id);
            if (!all[i].sequence) continue;
            for (std::size_t at = 0; at < all[i].sequence->size(); ++at)
                outputs.emplace_back(element_name(name, at), (*all[i].sequence)[at]);
        }
        std::map<std::string, std::int64_t> names;
        if (std::any_of(all.begin(), all.end(), [](const named_value& one) { return one.sequence.has_value(); }))
            for (const auto& [name, value] : outputs) expect_new(names, name, "output");
        return {std::move(own_),     std::move(outputs),   std::move(all), std::move(state_.captures),
                state_.context.pass, state_.context.prefer};
    }

private:
    void refuse_unsupported() const {
        if (graph_.sparse_initializers != 0)
            throw std::invalid_argument("expected dense initializers, got " +
                                        std::to_string(graph_.sparse_initializers) + " sparse ones");
        if (graph_.quantization_annotations != 0)
            throw std::invalid_argument("expected a graph of plain tensors, got " +
                                        std::to_string(graph_.quantization_annotations) + " quantization annotations");
    }

    /// An element of a sequence may have the name of another input or output.
    static void expect_new(std::map<std::string, std::int64_t>& names, const std::string& name, const char* what) {
        if (!names.emplace(name, 0).second)
            throw std::invalid_argument("expected one " + std::string(what) + " " + in_quotes(name) + ", got two");
    }

    static std::string element_name(std::string_view sequence, std::size_t index) {
        return std::string(sequence) + "[" + std::to_string(index) + "]";
    }

    value_id take(std::string name, knowledge known) {
        expect_new(taken_, name, "input");
        const bool narrow = is_narrow(known.type.type);
        const value_id made = state_.builder.known_input(name, std::move(known));
        return narrow ? state_.builder.add(cast(element::float32), {made}, std::move(name)).front() : made;
    }

    /// Narrow answers as the file declares them; refuses what contradicts it.
    void declare(const value_info_proto& output, named_value& answer, std::string_view rows) {
        const bool unlike = answer.absent ? !output.is_optional : output.is_sequence != answer.sequence.has_value();
        if (output.is_tensor && unlike)
            throw std::invalid_argument("expected " + std::string(output.is_sequence ? "a sequence" : "a tensor") +
                                        " as declared, got " + answer.text());
        const std::optional<element> declared = find_element(output.element_type);
        const auto declare_one = [&](value_id& value, std::string_view row_name) {
            if (declared && is_narrow(*declared) && state_.builder.type(value).type == element::float32)
                value = state_.builder.add(cast(*declared), {value}, std::string(output.name)).front();
            expect_declared(output, state_.builder.type(value), row_name);
        };
        if (answer.id) declare_one(*answer.id, rows);
        if (answer.sequence)
            for (value_id& element : *answer.sequence) declare_one(element, {});
    }

    /// Strings are declared as such and answered as their positions; maps as a sequence, and answered as a tensor.
    void name_output(value_info_proto declared, value_id value, const std::shared_ptr<const value_names>& names,
                     std::string_view rows) {
        constexpr std::int64_t string = 8, int64 = 7;
        const bool strings = !names->categories.empty();
        const char* const what = strings ? "strings" : "maps";
        if (state_.around != nullptr)
            throw std::invalid_argument("expected numbers from a graph in a node, got " + std::string(what));
        if (declared.is_tensor && declared.element_type != 0 && !(strings && declared.element_type == string))
            throw std::invalid_argument("expected " + declared_text(declared) + " as declared, got " + what);
        if (declared.element_type == string) declared.element_type = int64;
        expect_declared(declared, state_.builder.type(value), rows);
        state_.builder.name(value, names);
    }

    /// Inner graphs may read anything: with one of them, nothing is counted.
    void count_readers() {
        if (state_.around != nullptr) return;
        for (const node_proto& node : graph_.nodes) {
            for (const attribute_proto& attribute : node.attributes)
                if (attribute.inner || attribute.has_graphs) return readers_.clear();
            for (const std::string_view input : node.inputs) ++readers_[input];
        }
        for (const value_info_proto& output : graph_.outputs) ++readers_[output.name];
    }
    /// Large constants that have become packed weights, and that no later node reads.
    void release_inputs(const node_proto& node) {
        constexpr std::size_t large = std::size_t{1} << 16;
        for (const std::string_view input : node.inputs) {
            const auto left = readers_.find(input);
            if (left == readers_.end() || left->second == 0 || --left->second != 0) continue;
            const auto value = state_.values.find(input);
            if (value == state_.values.end() || !value->second.id) continue;
            const value_id id = *value->second.id;
            const std::optional<tensor_view> elements = state_.builder.constant_of(id);
            if (elements && elements->bytes() >= large && !read_by_another_name(id)) state_.builder.release(id);
        }
    }
    /// By itself or in a sequence.
    [[nodiscard]] bool read_by_another_name(value_id id) const {
        const auto same = [&](value_id other) { return other.index == id.index; };
        for (const auto& [name, value] : state_.values) {
            const bool here = (value.id && same(*value.id)) ||
                              (value.sequence && std::any_of(value.sequence->begin(), value.sequence->end(), same));
            if (const auto left = readers_.find(name); here && left != readers_.end() && left->second != 0) return true;
        }
        return false;
    }

    static bool default_domain(std::string_view domain) { return domain.empty() || domain == "ai.onnx"; }

    std::int64_t opset_of(std::string_view domain) const {
        for (const opset_proto& other : state_.context.other_opsets)
            if (other.domain == domain) return other.version;
        return state_.context.opset;
    }

    /// "node 'conv1' (Conv, opset 13)"
    std::string label(std::size_t index) const {
        const node_proto& node = graph_.nodes[index];
        const std::string name = node.name.empty() ? std::to_string(index) : in_quotes(node.name);
        const std::string op = in_quotes(node.op_type);
        return "node " + name + " (" + op.substr(1, op.size() - 2) + ", opset " +
               std::to_string(default_domain(node.domain) ? state_.context.opset : opset_of(node.domain)) + ")";
    }

    void add_node(const node_proto& node, std::size_t index) {
        const import_context& context = state_.context;
        const std::string_view domain = default_domain(node.domain) ? std::string_view() : node.domain;
        const operator_entry* entry =
            context.find(context, domain, node.op_type, domain.empty() ? context.opset : opset_of(domain));
        if (entry == nullptr)
            throw std::invalid_argument("expected a supported operator (onnx::supported_operators() lists them), got " +
                                        in_quotes(node.op_type) +
                                        (domain.empty() ? "" : " of the domain " + in_quotes(domain)));
        for (const std::string_view input : node.inputs)
            if (!input.empty() && state_.find(input) == nullptr) refuse_undefined(input, index);
        node_import import(node, state_);
        entry->import_node(import);
        import.expect_all_attributes_read();
        import.release();
    }

    /// An input that nothing before has defined: nowhere, only later, or on a cycle.
    [[noreturn]] void refuse_undefined(std::string_view input, std::size_t index) const {
        std::unordered_map<std::string_view, std::size_t> producer;
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i)
            for (const std::string_view output : graph_.nodes[i].outputs) producer.emplace(output, i);
        const auto found = producer.find(input);
        if (found == producer.end())
            throw std::invalid_argument("expected its input " + in_quotes(input) + " to be defined, got no such value");
        // Everything that the producer needs, depth first; on a cycle when this node is among it.
        std::vector<bool> seen(graph_.nodes.size(), false);
        std::vector<std::size_t> open{found->second};
        while (!open.empty()) {
            const std::size_t at = open.back();
            open.pop_back();
            if (at == index)
                throw std::invalid_argument("expected a graph without cycles, got its input " + in_quotes(input) +
                                            " from " + label(found->second) + ", which needs this node's output");
            if (seen[at]) continue;
            seen[at] = true;
            for (const std::string_view name : graph_.nodes[at].inputs)
                if (const auto from = producer.find(name); from != producer.end()) open.push_back(from->second);
        }
        throw std::invalid_argument("expected nodes in the order of execution, got its input " + in_quotes(input) +
                                    " from the later " + label(found->second));
    }

    const graph_proto& graph_;
    graph_builder own_;
    import_state state_;
    std::map<std::string, std::int64_t> taken_{};                  ///< names of inputs
    std::unordered_map<std::string_view, std::size_t> readers_{};  ///< of each value, nodes to come and outputs
};

/// What is known of an inner graph is deduced again by each graph around it: the work doubles with every level.
inline constexpr std::size_t max_graph_depth = 12;

inline void expect_graph_in(const import_state& around, const graph_proto& inner) {
    std::size_t depth = 1;
    for (const import_state* state = &around; state->around != nullptr; state = state->around) ++depth;
    if (depth > max_graph_depth)
        throw std::invalid_argument("expected graphs in graphs at most " + std::to_string(max_graph_depth) +
                                    " deep, got more");
    const std::size_t parts =
        inner.nodes.size() + inner.initializers.size() + inner.inputs.size() + inner.outputs.size();
    around.context.unrolled.charge(1 + parts, inner.bytes, around.context.limits);
}

inline void expect_inputs(std::size_t given, std::size_t declared) {
    if (given != declared)
        throw std::invalid_argument("expected a graph of " + std::to_string(given) + " inputs, got " +
                                    std::to_string(declared));
}

[[nodiscard]] inline inner_graph import_inner_graph(const graph_proto& inner, import_state& around,
                                                    std::optional<inner_inputs> inputs) {
    expect_graph_in(around, inner);
    graph_importer import(inner, around.context, &around);
    import.add_initializers();
    const auto declared = import.inputs();
    if (inputs) expect_inputs(inputs->size(), declared.size());
    for (std::size_t i = 0; i < declared.size(); ++i)
        import.add_input(*declared[i], inputs ? (*inputs)[i] : knowledge{input_type(*declared[i], {}, {})});
    import.add_nodes();
    return std::move(import).finish({});
}

[[nodiscard]] inline std::vector<named_value> import_in_place(const graph_proto& inner, import_state& around,
                                                              std::vector<named_value> inputs) {
    expect_graph_in(around, inner);
    graph_importer import(inner, around);
    import.add_initializers();
    const auto declared = import.inputs();
    expect_inputs(inputs.size(), declared.size());
    for (std::size_t i = 0; i < declared.size(); ++i) import.add_input(*declared[i], std::move(inputs[i]));
    import.add_nodes();
    return import.answers({});
}

/// Turns a model into a graph. `dims` states extents of open dimensions by name.
///
/// errors   as graph_importer
[[nodiscard]] inline graph import_model(const model_proto& model, import_context context,
                                        const std::map<std::string, std::int64_t>& dims) {
    if (!model.graph) throw std::invalid_argument("expected an ONNX model, got no graph");
    if (!model.opset && model.other_opsets.empty())
        throw std::invalid_argument("expected an opset of the domain ai.onnx, got none");
    context.import_inner = &import_inner_graph;
    context.import_in_place = &import_in_place;
    const std::size_t most = context.limits.bytes_per_value;  // beside a multiple of what is stored
    constexpr std::size_t mib = std::size_t{1} << 20;
    context.budget =
        std::make_shared<build_budget>(build_budget{most > SIZE_MAX / 2 ? SIZE_MAX : std::max(2 * most, 64 * mib),
                                                    std::max(most, 16 * mib), context.limits.computing});
    context.allow(context.model_bytes);
    context.opset = model.opset.value_or(last_opset);
    context.other_opsets = model.other_opsets;
    if (context.opset < first_opset || context.opset > last_opset)
        throw std::invalid_argument("expected opset " + std::to_string(first_opset) + " to " +
                                    std::to_string(last_opset) + " of the domain ai.onnx, got " +
                                    std::to_string(context.opset));
    graph_importer import(*model.graph, context);
    import.add_initializers();
    const auto inputs = import.inputs();
    for (const auto& [name, extent] : dims)
        if (names_dimension(inputs, name) ? names_holder(inputs, name) : !names_holder(inputs, name))
            throw std::invalid_argument(names_dimension(inputs, name)
                                            ? "expected one meaning of a name in load_options::dims, got " +
                                                  in_quotes(name) + ", which is a dimension and an input"
                                            : "expected in load_options::dims names of input dimensions, got " +
                                                  in_quotes(name));
    std::vector<std::int64_t> counts;
    std::vector<const value_info_proto*> tensors;  // extents of a sequence may differ from element to element
    for (const value_info_proto* input : inputs) {
        counts.push_back(
            wire::within("input " + in_quotes(input->name), [&] { return stated_elements(*input, dims); }));
        if (!input->is_sequence && counts.back() == 1) tensors.push_back(input);
    }
    const row_dimension rows = find_row_dimension(tensors, dims);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const value_info_proto& input = *inputs[i];
        value_type type = wire::within("input " + in_quotes(input.name), [&] { return input_type(input, rows, dims); });
        if (input.is_sequence)
            import.add_sequence(input, type, counts[i]);
        else if (counts[i] == 1)
            import.add_input(input, knowledge{std::move(type)});
        else
            import.add_input(input, named_value::none());
    }
    import.add_nodes();
    return std::move(import).finish(rows.name).finish();
}

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
