// fanfold/onnx/node.hpp - what an operator's import function sees of its node, and how it answers.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <memory>       // std::shared_ptr
#include <optional>     // std::optional
#include <span>         // std::span
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "import_state.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

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
    /// Of the elements of a sequence, as `data_type`.
    [[nodiscard]] std::int64_t element_data_type(std::size_t index) const { return any_named(index).declared; }
    /// Its elements, where the input is a sequence; null where it is none.
    [[nodiscard]] const std::vector<value_id>* sequence(std::size_t index) const {
        const named_value& value = any_named(index);
        return value.sequence ? &*value.sequence : nullptr;
    }
    /// The input as it is: a tensor, a sequence, or absent.
    [[nodiscard]] named_value any_input(std::size_t index) {
        const named_value& value = any_named(index);
        if (value.is_tensor()) return {input(index), nullptr, std::nullopt, value.data_type()};
        named_value copy;
        copy.sequence = value.sequence;
        copy.declared = value.declared;
        copy.absent = value.absent;
        return copy;
    }
    /// The strings of which the input holds positions; null where it holds numbers. Its positions may be read then.
    [[nodiscard]] std::shared_ptr<const value_names> strings(std::size_t index) {
        if (!has_input(index)) throw std::invalid_argument("expected input " + std::to_string(index) + ", got none");
        named_value& value = *state_.find(node_.inputs[index]);
        state_.name_strings(node_.inputs[index], value);
        if (value.names == nullptr || value.names->categories.empty()) return nullptr;
        reads_strings_ = index;
        return value.names;
    }
    /// The operator moves elements of input 0, whatever they are: where they are strings, its first answer's are, too.
    void moves_strings() {
        if (has_input(0)) moved_ = strings(0);
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
    [[nodiscard]] std::int64_t data_type(std::size_t index) { return named(index).data_type(); }
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
        const graph_proto inner = parsed(name);
        return wire::within("attribute " + in_quotes(name),
                            [&] { return state_.context.import_inner(inner, state_, inputs); });
    }
    /// A branch or body for `inlined`.
    [[nodiscard]] graph_proto parsed(std::string_view name) {
        const attribute_proto* found = find(name, attribute_proto::graph, "a graph");
        if (found == nullptr || !found->inner)
            throw std::invalid_argument("expected attribute " + in_quotes(name) + " with a graph, got none");
        state_.context.unrolled.charge(0, found->inner->size(), limits());
        return wire::within("attribute " + in_quotes(name), [&] { return parse_graph(*found->inner); });
    }
    /// Its nodes become nodes of this graph; what it answers. Inputs may be sequences, or absent.
    [[nodiscard]] std::vector<named_value> inlined(std::string_view name, const graph_proto& inner,
                                                   std::vector<named_value> inputs) {
        return wire::within("attribute " + in_quotes(name),
                            [&] { return state_.context.import_in_place(inner, state_, std::move(inputs)); });
    }
    /// The same for one iteration of several, whose number and constants are bounded over the whole model.
    [[nodiscard]] std::vector<named_value> unrolled(std::string_view name, const graph_proto& inner,
                                                    std::vector<named_value> inputs) {
        unrolled_bodies& all = state_.context.unrolled;
        ++all.depth;
        std::vector<named_value> made = inlined(name, inner, std::move(inputs));
        --all.depth;
        return made;
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
        state_.context.unrolled.charge(0, inputs.size() * sizeof(graph_value), limits());
        check_scratch(op, inputs);
        const std::string prefix = model_label(op, label) + ": ";
        try {
            std::vector<value_id> made = state_.builder.add(op, inputs, std::move(label));
            charge(op, inputs, made);
            return made;
        } catch (const std::invalid_argument& error) {  // the importer names the node, with its version
            std::string text = error.what();
            if (text.starts_with(prefix)) text.erase(0, prefix.size());
            throw std::invalid_argument(text);
        }
    }
    /// Adds an operation; its first answer.
    value_id add(const operation& op, const std::vector<value_id>& inputs) { return add_all(op, inputs).front(); }
    value_id constant_value(tensor value) {
        state_.context.unrolled.charge(0, value.bytes() + sizeof(graph_value), limits());
        return state_.builder.constant(std::move(value));
    }

    /// Names the node's one answer, which stands for elements of this data type.
    void answer(value_id value, std::int64_t data_type) {
        expect_outputs(1);
        define(0, {value, nullptr, std::nullopt, data_type, std::nullopt});
    }
    /// Names the node's one answer.
    void answer(value_id value) { answer(std::vector<value_id>{value}); }
    /// Names the node's one answer, a sequence of elements of this data type.
    void answer_sequence(std::vector<value_id> elements, std::int64_t data_type) {
        answer_any({named_value::of(std::move(elements), data_type)});
    }
    /// Names the node's answers, be they tensors, sequences or absent.
    void answer_any(std::vector<named_value> values) {
        expect_outputs(values.size());
        for (std::size_t i = 0; i < values.size() && i < node_.outputs.size(); ++i)
            if (!node_.outputs[i].empty()) define(i, std::move(values[i]));
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

    /// Says what the numbers of an answer stand for that is named already.
    void name(std::size_t output, value_names names) {
        if (!has_output(output)) return;
        state_.find(node_.outputs[output])->names = std::make_shared<const value_names>(std::move(names));
    }

    /// Frees what was decoded for this node alone.
    void release() {
        for (const std::string_view name : node_.inputs)
            if (named_value* const found = state_.find(name)) import_state::forget(*found);
    }

private:
    [[nodiscard]] named_value& any_named(std::size_t index) const {
        if (!has_input(index)) throw std::invalid_argument("expected input " + std::to_string(index) + ", got none");
        return *state_.find(node_.inputs[index]);  // the importer has checked that it is defined
    }
    [[nodiscard]] named_value& named(std::size_t index) const {
        named_value& value = any_named(index);
        if (!value.is_tensor())
            throw std::invalid_argument("expected input " + std::to_string(index) + " to be a tensor, got " +
                                        value.text());
        state_.name_strings(node_.inputs[index], value);
        if (value.names != nullptr && reads_strings_ != index)
            throw std::invalid_argument("expected input " + std::to_string(index) + " to hold numbers, got " +
                                        (value.names->categories.empty() ? "maps" : "strings"));
        return value;
    }

    /// Values, what was computed while loading, what it was computed from, and packed weights.
    void charge(const operation& op, const std::vector<value_id>& inputs, const std::vector<value_id>& made) const {
        if (state_.context.unrolled.depth == 0 || made.empty()) return;
        std::size_t bytes = op.weight_bytes() + made.size() * sizeof(graph_value);
        const bool computed = state_.builder.known(made.front()).owner != nullptr;
        for (const std::vector<value_id>* values : {&inputs, &made})
            for (const value_id value : *values)
                if (const auto elements = state_.builder.constant_of(value); elements && computed)
                    bytes += elements->bytes();
        state_.context.unrolled.charge(0, bytes, limits());
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
        if (output == 0 && moved_ != nullptr) value.names = moved_;
        if (value.sequence) {
            const std::size_t bytes = value.sequence->size() * sizeof(value_id);
            state_.context.unrolled.charge(0, bytes, limits());
            build_budget::take(state_.context.budget->computed_bytes, bytes, "sequences");
        }
        if (node_.outputs[output].empty()) throw std::invalid_argument("expected an output with a name, got none");
        if (!state_.values.emplace(node_.outputs[output], std::move(value)).second)
            throw std::invalid_argument("expected a new name for its output, got " + in_quotes(node_.outputs[output]) +
                                        ", which is defined already");
    }

    const node_proto& node_;
    import_state& state_;
    std::vector<bool> used_;
    std::optional<std::size_t> reads_strings_{};  ///< the input whose positions may be read
    std::shared_ptr<const value_names> moved_{};
};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
