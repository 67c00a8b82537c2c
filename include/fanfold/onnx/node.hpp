// fanfold/onnx/node.hpp - what an operator's import function sees of its node, and how it answers.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>        // std::size_t
#include <cstdint>        // std::int64_t
#include <optional>       // std::optional
#include <stdexcept>      // std::invalid_argument
#include <string>         // std::string
#include <string_view>    // std::string_view
#include <unordered_map>  // std::unordered_map
#include <utility>        // std::move
#include <vector>         // std::vector

#include "../model/graph_builder.hpp"
#include "tensor_proto.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// What a name of the file stands for: a value of the graph, or elements that nothing has asked for yet.
struct named_value {
    std::optional<value_id> id;
    const tensor_proto* stored = nullptr;
    std::optional<tensor> decoded;  ///< of `stored`, while a node reads it
};

/// What the import of one graph carries along.
struct import_state {
    graph_builder builder;
    graph_limits limits;
    data_folder folder;
    std::int64_t opset = 0;
    std::unordered_map<std::string_view, named_value> values;

    /// The stored elements; kept until `forget`.
    const tensor& decode(std::string_view name, named_value& value) const {
        if (!value.decoded)
            value.decoded = wire::within("tensor " + in_quotes(name), [&] {
                const value_type type = type_of(*value.stored);
                if (type.shape.at(1).volume() > limits.bytes_per_value / size_of(type.type))
                    throw std::invalid_argument("expected at most " + std::to_string(limits.bytes_per_value) +
                                                " bytes, got " + type.text());
                return to_tensor(*value.stored, folder);
            });
        return *value.decoded;
    }
    static void forget(named_value& value) noexcept { value.decoded.reset(); }

    /// The value in the graph; stored elements become a constant of it.
    value_id materialize(std::string_view name, named_value& value) {
        if (!value.id) {
            (void)decode(name, value);
            value.id = builder.constant(*std::move(value.decoded), std::string(name));
            forget(value);
        }
        return *value.id;
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
    [[nodiscard]] std::int64_t opset() const noexcept { return state_.opset; }
    [[nodiscard]] const graph_limits& limits() const noexcept { return state_.limits; }

    // --- inputs ---

    void expect_inputs(std::size_t least, std::size_t most) const {
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
    [[nodiscard]] value_type type(std::size_t index) {
        const named_value& value = named(index);
        if (value.id) return state_.builder.type(*value.id);
        return wire::within("tensor " + in_quotes(node_.inputs[index]), [&] { return type_of(*value.stored); });
    }
    /// The elements where they are known at load; valid until the import function returns.
    [[nodiscard]] std::optional<tensor_view> constant(std::size_t index) {
        named_value& value = named(index);
        if (!value.id) return state_.decode(node_.inputs[index], value);
        const tensor* known = state_.builder.constant_of(*value.id);
        if (known == nullptr) return std::nullopt;
        return *known;
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
    [[nodiscard]] bool has_attribute(std::string_view name) const {
        for (const attribute_proto& attribute : node_.attributes)
            if (attribute.name == name) return true;
        return false;
    }
    /// Refuses attributes that nobody asked for: they would change what the node means.
    void expect_all_attributes_read() const {
        for (std::size_t i = 0; i < used_.size(); ++i)
            if (!used_[i])
                throw std::invalid_argument("expected only attributes that are supported here, got " +
                                            in_quotes(node_.attributes[i].name));
    }

    // --- answers ---

    /// Adds an operation of one answer.
    value_id add(const operation& op, const std::vector<value_id>& inputs) {
        std::string label(node_.name.empty() && !node_.outputs.empty() ? node_.outputs.front() : node_.name);
        const std::size_t scratch = op.scratch_bytes(1);
        if (scratch > state_.limits.bytes_per_value)
            throw std::invalid_argument("expected an operation with at most " +
                                        std::to_string(state_.limits.bytes_per_value) + " bytes of scratch, got " +
                                        std::to_string(scratch));
        const std::string prefix = "node '" + label + "' (" + std::string(op.name()) + "): ";
        try {
            return state_.builder.add(op, inputs, std::move(label)).front();
        } catch (const std::invalid_argument& error) {  // the importer names the node, with its version
            std::string text = error.what();
            if (text.starts_with(prefix)) text.erase(0, prefix.size());
            throw std::invalid_argument(text);
        }
    }
    value_id constant_value(tensor value) { return state_.builder.constant(std::move(value)); }

    /// Names the node's one answer.
    void answer(value_id value) { define({value, nullptr, std::nullopt}); }
    void answer(const tensor_proto& stored) { define({std::nullopt, &stored, std::nullopt}); }

    /// Adds an operation; its one answer is the node's.
    void answer(const operation& op, const std::vector<value_id>& inputs) { answer(add(op, inputs)); }

    /// Frees what was decoded for this node alone.
    void release() {
        for (const std::string_view name : node_.inputs)
            if (const auto found = state_.values.find(name); found != state_.values.end())
                import_state::forget(found->second);
    }

private:
    named_value& named(std::size_t index) {
        if (!has_input(index)) throw std::invalid_argument("expected input " + std::to_string(index) + ", got none");
        return state_.values.at(node_.inputs[index]);  // the importer has checked that it is defined
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

    void define(named_value value) {
        for (std::size_t i = 0; i < node_.outputs.size(); ++i)
            if (i > 0 && !node_.outputs[i].empty())
                throw std::invalid_argument("expected one output, got a second one " + in_quotes(node_.outputs[i]));
        if (node_.outputs.empty() || node_.outputs.front().empty())
            throw std::invalid_argument("expected one output, got none");
        if (!state_.values.emplace(node_.outputs.front(), std::move(value)).second)
            throw std::invalid_argument("expected a new name for its output, got " + in_quotes(node_.outputs.front()) +
                                        ", which is defined already");
    }

    const node_proto& node_;
    import_state& state_;
    std::vector<bool> used_;
};

/// One line of the table of operators: versions [since, until] of the default domain's opset.
struct operator_entry {
    std::string_view name;
    std::int64_t since;
    std::int64_t until;
    void (*import_node)(node_import&);
};

inline constexpr std::int64_t first_opset = 7;
inline constexpr std::int64_t last_opset = 21;

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
