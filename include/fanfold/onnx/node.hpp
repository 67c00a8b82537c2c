// fanfold/onnx/node.hpp - what an operator's import function sees of its node, and how it answers.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>        // std::size_t
#include <cstdint>        // std::int64_t
#include <optional>       // std::optional
#include <span>           // std::span
#include <stdexcept>      // std::invalid_argument
#include <string>         // std::string
#include <string_view>    // std::string_view
#include <unordered_map>  // std::unordered_map
#include <utility>        // std::move
#include <vector>         // std::vector

#include "../model/graph_builder.hpp"
#include "operator_entry.hpp"
#include "tensor_proto.hpp"
#include "widening.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// What a name of the file stands for: a value of the graph, elements that nothing has asked for yet, or a sequence.
struct named_value {
    std::optional<value_id> id{};
    const tensor_proto* stored = nullptr;
    std::optional<tensor> decoded{};  ///< of `stored`, while a node reads it
    std::int64_t declared = 0;        ///< the data type of a graph's input, or of what was cast
    std::optional<std::vector<value_id>> sequence{};
};

struct import_state;
/// A graph inside a node, and the values around it that it takes as its last inputs.
struct inner_graph {
    graph_builder builder;
    std::vector<std::pair<std::string, value_id>> outputs;
    std::vector<value_id> captures;
    graph_pass pass = nullptr;
    preference prefer{};

    [[nodiscard]] graph finish() && { return std::move(builder).finish(outputs, pass, prefer); }
};
/// What is known of the first inputs of an inner graph.
using inner_inputs = std::span<const knowledge>;

/// What the import of all graphs of one model shares.
struct import_context {
    const operator_entry* (*find)(const import_context&, std::string_view domain, std::string_view name,
                                  std::int64_t opset) = nullptr;
    inner_graph (*import_inner)(const graph_proto&, import_state&, std::optional<inner_inputs>) = nullptr;
    std::span<const operator_entry> more{};  ///< the user's operators
    graph_limits limits{};
    data_folder folder{};
    graph_pass pass = nullptr;  ///< over the steps of each graph before it is finished
    preference prefer{};
    std::int64_t opset = 0;
    std::vector<opset_proto> other_opsets{};
};

/// What the import of one graph carries along. A graph inside a node sees the names around it, too.
struct import_state {
    const import_context& context;
    import_state* around = nullptr;
    graph_builder builder;
    std::unordered_map<std::string_view, named_value> values{};
    std::vector<value_id> captures{};  ///< values of `around` that became inputs here, in their order
    bool has_sequences = false;

    /// The stored elements, widened; kept until `forget`.
    const tensor& decode(std::string_view name, named_value& value) const {
        if (!value.decoded)
            value.decoded = wire::within("tensor " + in_quotes(name), [&] {
                const value_type type = type_of(*value.stored);
                if (type.shape.at(1).volume() > context.limits.bytes_per_value / size_of(widened(type.type)))
                    throw std::invalid_argument("expected at most " + std::to_string(context.limits.bytes_per_value) +
                                                " bytes, got " + type.text());
                return widened(to_tensor(*value.stored, context.folder));
            });
        return *value.decoded;
    }
    static void forget(named_value& value) noexcept { value.decoded.reset(); }

    /// The value in the graph; stored elements become a constant of it.
    value_id materialize(std::string_view name, named_value& value) {
        if (value.sequence)
            throw std::invalid_argument("expected " + in_quotes(name) + " to be a tensor, got a sequence of " +
                                        std::to_string(value.sequence->size()));
        if (!value.id) {
            (void)decode(name, value);
            value.id = builder.constant(*std::move(value.decoded), std::string(name));
            forget(value);
        }
        return *value.id;
    }

    /// The value of that name here or in a graph around; null when there is none.
    named_value* find(std::string_view name) {
        if (const auto here = values.find(name); here != values.end()) return &here->second;
        named_value* outer = around == nullptr ? nullptr : around->find(name);
        if (outer == nullptr) return nullptr;
        if (outer->stored != nullptr && !outer->id)  // stored elements serve every graph
            return &values.emplace(name, named_value{std::nullopt, outer->stored}).first->second;
        named_value here{std::nullopt, nullptr, std::nullopt, outer->declared, std::nullopt};
        if (outer->sequence) {
            here.sequence.emplace();
            for (const value_id item : *outer->sequence) here.sequence->push_back(capture(name, item));
        } else {
            here.id = capture(name, around->materialize(name, *outer));
        }
        return &values.emplace(name, std::move(here)).first->second;
    }

private:
    /// A value of the graph around, as one of this graph.
    value_id capture(std::string_view name, value_id there) {
        knowledge known = around->builder.known(there);
        if (known.sizes)  // an inner graph learns N from its inputs' shapes alone
            for (extent& size : *known.sizes)
                if (!size.constant()) size = extent::unknown();
        if (known.owner != nullptr) return builder.constant(known.owner, std::string(name));
        captures.push_back(there);
        return builder.known_input(std::string(name), std::move(known));
    }
};

/// One node while it is imported: typed access to attributes and inputs, and a way to add operations.
///
/// errors   every call throws std::invalid_argument with what was expected and what came; the importer adds file
///          and node
class node_import {
public:
    node_import(const node_proto& node, import_state& state)
        : node_(node), state_(state), used_(node.attributes.size(), false) {}

    [[nodiscard]] std::string_view op_type() const noexcept { return node_.op_type; }
    /// Of the default domain.
    [[nodiscard]] std::int64_t opset() const noexcept { return state_.context.opset; }
    [[nodiscard]] const graph_limits& limits() const noexcept { return state_.context.limits; }

    // --- inputs ---

    void expect_inputs(std::size_t least, std::size_t most) const {
        for (std::size_t index = 0; index < least && index < node_.inputs.size(); ++index)
            if (node_.inputs[index].empty())
                throw std::invalid_argument("expected input " + std::to_string(index) + ", got none");
        if (node_.inputs.size() >= least && node_.inputs.size() <= most) return;
        const std::string range =
            least == most ? std::to_string(least) : std::to_string(least) + " to " + std::to_string(most);
        throw std::invalid_argument("expected " + range + " inputs, got " + std::to_string(node_.inputs.size()));
    }
    /// False for an input that is left out, at the end or by an empty name.
    [[nodiscard]] bool has_input(std::size_t index) const {
        return index < node_.inputs.size() && !node_.inputs[index].empty();
    }
    /// The value in the graph.
    [[nodiscard]] value_id input(std::size_t index) {
        named_value& value = named(index);
        return state_.materialize(node_.inputs[index], value);
    }
    /// The value, or one that stands for its absence.
    [[nodiscard]] value_id input_or_none(std::size_t index) {
        return has_input(index) ? input(index) : state_.builder.none();
    }
    /// All inputs; those left out between others stand as none.
    [[nodiscard]] std::vector<value_id> inputs() {
        std::vector<value_id> all;
        for (std::size_t index = 0; index < node_.inputs.size(); ++index) all.push_back(input_or_none(index));
        return all;
    }
    [[nodiscard]] value_id none() { return state_.builder.none(); }
    /// Its elements, where the input is a sequence; null where it is a tensor.
    [[nodiscard]] const std::vector<value_id>* sequence(std::size_t index) const {
        if (!has_input(index)) throw std::invalid_argument("expected input " + std::to_string(index) + ", got none");
        const named_value* const value = state_.find(node_.inputs[index]);
        return value->sequence ? &*value->sequence : nullptr;
    }
    [[nodiscard]] std::size_t input_count() const noexcept { return node_.inputs.size(); }
    [[nodiscard]] std::size_t output_count() const noexcept { return node_.outputs.size(); }
    /// Somebody named this output.
    [[nodiscard]] bool has_output(std::size_t index) const {
        return index < node_.outputs.size() && !node_.outputs[index].empty();
    }
    [[nodiscard]] value_type type(std::size_t index) {
        const named_value& value = named(index);
        if (value.id) return state_.builder.type(*value.id);
        value_type stored =
            wire::within("tensor " + in_quotes(node_.inputs[index]), [&] { return type_of(*value.stored); });
        stored.type = widened(stored.type);
        return stored;
    }
    /// The data type that the file says, where it says one; 0 of what is computed.
    [[nodiscard]] std::int64_t data_type(std::size_t index) {
        const named_value& value = named(index);
        return value.stored != nullptr ? value.stored->data_type : value.declared;
    }
    /// The elements where they are known at load; valid until the import function returns.
    [[nodiscard]] std::optional<tensor_view> constant(std::size_t index) {
        named_value& value = named(index);
        if (!value.id) return state_.decode(node_.inputs[index], value);
        return state_.builder.constant_of(*value.id);
    }
    /// Integers that the standard made an input in a later version: from input `index`, or from the attribute.
    /// errors   throws std::invalid_argument when the input is computed at run time
    [[nodiscard]] std::optional<std::vector<std::int64_t>> integers_of(std::size_t index, std::string_view attribute) {
        if (const auto* stored = integers(attribute)) return *stored;
        if (!has_input(index)) return std::nullopt;
        const std::optional<tensor_view> found = constant(index);
        if (!found)
            throw std::invalid_argument("expected " + in_quotes(node_.inputs[index]) + " known at load, got " +
                                        type(index).text() + " computed at run time");
        return integers_in(*found);
    }
    /// The same for an input that has to be known, `what` in the error's text.
    template <element_type T>
    [[nodiscard]] view<const T> known(std::size_t index, const char* what) {
        const std::optional<tensor_view> found = constant(index);
        if (!found || found->type() != element_of<T>)
            throw std::invalid_argument("expected " + std::string(what) + " of " + std::string(name_of(element_of<T>)) +
                                        " known at load, got " + in_quotes(node_.inputs[index]) + " " +
                                        (found ? describe(*found) : "computed at run time"));
        return found->as<T>();
    }

    // --- attributes ---

    [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t otherwise) {
        const attribute_proto* found = find(name, attribute_proto::integer, "an integer");
        return found != nullptr ? found->i : otherwise;
    }
    [[nodiscard]] float real(std::string_view name, float otherwise) {
        const attribute_proto* found = find(name, attribute_proto::real, "a float");
        return found != nullptr ? found->f : otherwise;
    }
    [[nodiscard]] std::string_view text(std::string_view name, std::string_view otherwise) {
        const attribute_proto* found = find(name, attribute_proto::text, "a string");
        return found != nullptr ? found->s : otherwise;
    }
    [[nodiscard]] const std::vector<std::int64_t>* integers(std::string_view name) {
        const attribute_proto* found = find(name, attribute_proto::integers, "integers");
        return found != nullptr ? &found->ints : nullptr;
    }
    [[nodiscard]] const std::vector<float>* reals(std::string_view name) {
        const attribute_proto* found = find(name, attribute_proto::reals, "floats");
        return found != nullptr ? &found->floats : nullptr;
    }
    [[nodiscard]] const tensor_proto* stored_tensor(std::string_view name) {
        const attribute_proto* found = find(name, attribute_proto::tensor, "a tensor");
        if (found != nullptr && !found->t)
            throw std::invalid_argument("attribute " + in_quotes(name) + ": expected a tensor, got none");
        return found != nullptr ? &*found->t : nullptr;
    }
    [[nodiscard]] const std::vector<std::string_view>* texts(std::string_view name) {
        const attribute_proto* found = find(name, attribute_proto::texts, "strings");
        return found != nullptr ? &found->strings : nullptr;
    }
    /// A branch or body. Without `inputs`, its own take what they declare.
    [[nodiscard]] inner_graph subgraph(std::string_view name, std::optional<inner_inputs> inputs = {}) {
        const attribute_proto* found = find(name, attribute_proto::graph, "a graph");
        if (found == nullptr || !found->inner)
            throw std::invalid_argument("expected attribute " + in_quotes(name) + " with a graph, got none");
        return wire::within("attribute " + in_quotes(name),
                            [&] { return state_.context.import_inner(parse_graph(*found->inner), state_, inputs); });
    }
    /// The steps of a graph that takes nothing but captures, as steps of this one; its answers.
    [[nodiscard]] std::vector<value_id> splice(const inner_graph& inner) {
        std::vector<value_id> wanted;
        for (const auto& [name, value] : inner.outputs) wanted.push_back(value);
        return state_.builder.splice(inner.builder, inner.captures, wanted);
    }
    [[nodiscard]] const knowledge& known(value_id value) const { return state_.builder.known(value); }
    [[nodiscard]] bool has_attribute(std::string_view name) const {
        for (const attribute_proto& attribute : node_.attributes)
            if (attribute.name == name) return true;
        return false;
    }
    /// Takes an attribute for read that does not matter here.
    void ignore_attribute(std::string_view name) {
        for (std::size_t i = 0; i < node_.attributes.size(); ++i)
            if (node_.attributes[i].name == name) used_[i] = true;
    }
    /// Refuses attributes that nobody asked for: they would change what the node means.
    void expect_all_attributes_read() const {
        for (std::size_t i = 0; i < used_.size(); ++i)
            if (!used_[i])
                throw std::invalid_argument("expected only attributes that are supported here, got " +
                                            in_quotes(node_.attributes[i].name));
    }

    // --- answers ---

    /// Adds an operation; its answers.
    std::vector<value_id> add_all(const operation& op, const std::vector<value_id>& inputs) {
        std::string label(node_.name.empty() && !node_.outputs.empty() ? node_.outputs.front() : node_.name);
        check_scratch(op, inputs);
        const std::string prefix = model_label(op, label) + ": ";
        try {
            return state_.builder.add(op, inputs, std::move(label));
        } catch (const std::invalid_argument& error) {  // the importer names the node, with its version
            std::string text = error.what();
            if (text.starts_with(prefix)) text.erase(0, prefix.size());
            throw std::invalid_argument(text);
        }
    }
    /// Adds an operation; its first answer.
    value_id add(const operation& op, const std::vector<value_id>& inputs) { return add_all(op, inputs).front(); }
    value_id constant_value(tensor value) { return state_.builder.constant(std::move(value)); }

    /// Names the node's one answer, which stands for elements of this data type.
    void answer(value_id value, std::int64_t data_type) {
        expect_outputs(1);
        define(0, {value, nullptr, std::nullopt, data_type, std::nullopt});
    }
    /// Names the node's one answer.
    void answer(value_id value) { answer(std::vector<value_id>{value}); }
    /// Names the node's one answer, a sequence.
    void answer_sequence(std::vector<value_id> elements) {
        expect_outputs(1);
        state_.has_sequences = true;
        define(0, {std::nullopt, nullptr, std::nullopt, 0, std::move(elements)});
    }
    void answer(const tensor_proto& stored) {
        expect_outputs(1);
        define(0, {std::nullopt, &stored});
    }
    /// Names the node's answers; some of them may be of no interest to anybody.
    void answer(const std::vector<value_id>& values) {
        expect_outputs(values.size());
        for (std::size_t i = 0; i < values.size() && i < node_.outputs.size(); ++i)
            if (!node_.outputs[i].empty()) define(i, {values[i]});
    }

    /// Adds an operation; its answers are the node's.
    void answer(const operation& op, const std::vector<value_id>& inputs) { answer(add_all(op, inputs)); }

    /// Frees what was decoded for this node alone.
    void release() {
        for (const std::string_view name : node_.inputs)
            if (const auto found = state_.values.find(name); found != state_.values.end())
                import_state::forget(found->second);
    }

private:
    named_value& named(std::size_t index) {
        if (!has_input(index)) throw std::invalid_argument("expected input " + std::to_string(index) + ", got none");
        named_value& value = *state_.find(node_.inputs[index]);  // the importer has checked that it is defined
        if (value.sequence)
            throw std::invalid_argument("expected input " + std::to_string(index) +
                                        " to be a tensor, got a sequence of " + std::to_string(value.sequence->size()));
        return value;
    }

    static std::string model_label(const operation& op, const std::string& name) {
        return fanfold::detail::label_of(op, name);
    }

    void check_scratch(const operation& op, const std::vector<value_id>& inputs) const {
        std::vector<shape> shapes;
        for (const value_id input : inputs) {
            if (!state_.builder.type(input).shape.known()) return;
            shapes.push_back(state_.builder.type(input).shape.at(1));
        }
        if (op.makes_answers()) return;
        const std::size_t scratch = op.scratch_bytes(shapes);
        if (scratch > limits().bytes_per_value)
            throw std::invalid_argument("expected an operation with at most " +
                                        std::to_string(limits().bytes_per_value) + " bytes of scratch, got " +
                                        std::to_string(scratch));
    }

    const attribute_proto* find(std::string_view name, std::int64_t kind, const char* expected) {
        const attribute_proto* found = nullptr;
        for (std::size_t i = 0; i < node_.attributes.size(); ++i) {
            const attribute_proto& attribute = node_.attributes[i];
            if (attribute.name != name) continue;
            if (found != nullptr)
                throw std::invalid_argument("expected attribute " + in_quotes(name) + " once, got it twice");
            if (attribute.type != kind || attribute.refers_to_function)
                throw std::invalid_argument("attribute " + in_quotes(name) + ": expected " + expected + " (type " +
                                            std::to_string(kind) + "), got type " + std::to_string(attribute.type));
            used_[i] = true;
            found = &attribute;
        }
        return found;
    }

    void expect_outputs(std::size_t most) const {
        for (std::size_t i = most; i < node_.outputs.size(); ++i)
            if (!node_.outputs[i].empty())
                throw std::invalid_argument("expected " + std::to_string(most) + (most == 1 ? " output" : " outputs") +
                                            ", got another one " + in_quotes(node_.outputs[i]));
        if (node_.outputs.empty()) throw std::invalid_argument("expected an output, got none");
    }

    void define(std::size_t output, named_value value) {
        if (node_.outputs[output].empty()) throw std::invalid_argument("expected an output with a name, got none");
        if (!state_.values.emplace(node_.outputs[output], std::move(value)).second)
            throw std::invalid_argument("expected a new name for its output, got " + in_quotes(node_.outputs[output]) +
                                        ", which is defined already");
    }

    const node_proto& node_;
    import_state& state_;
    std::vector<bool> used_;
};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
