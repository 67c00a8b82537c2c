// fanfold/onnx/import_state.hpp - names and values while graphs are imported: what a node reads, here and around it.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>      // std::min
#include <cstdint>        // std::int64_t
#include <filesystem>     // std::filesystem::path
#include <memory>         // std::shared_ptr
#include <optional>       // std::optional
#include <set>            // std::set
#include <span>           // std::span
#include <stdexcept>      // std::invalid_argument
#include <string>         // std::string
#include <string_view>    // std::string_view
#include <system_error>   // std::error_code
#include <unordered_map>  // std::unordered_map
#include <utility>        // std::move
#include <vector>         // std::vector

#include "../model/graph_builder.hpp"
#include "operator_entry.hpp"
#include "tensor_proto.hpp"
#include "widening.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// What a name of the file stands for: a value of the graph, elements that nothing has asked for yet, a sequence, or
/// an optional value that is absent. An optional value that is there is its tensor, or its sequence.
struct named_value {
    std::optional<value_id> id{};
    const tensor_proto* stored = nullptr;
    std::optional<tensor> decoded{};  ///< of `stored`, while a node reads it
    std::int64_t declared = 0;  ///< the data type of a graph's input, or of what was cast; of a sequence's elements
    std::optional<std::vector<value_id>> sequence{};
    bool absent = false;
    std::shared_ptr<const value_names> names{};  ///< of strings, held as their positions, and of the columns of maps

    /// That the file says, where it says one; 0 of what is computed.
    [[nodiscard]] std::int64_t data_type() const noexcept { return stored != nullptr ? stored->data_type : declared; }
    [[nodiscard]] bool is_tensor() const noexcept { return !sequence && !absent; }
    /// "a sequence of 3": what is no tensor.
    [[nodiscard]] std::string text() const {
        return absent     ? "an optional value that is absent"
               : sequence ? "a sequence of " + std::to_string(sequence->size())
                          : "a tensor";
    }

    static named_value none() {
        named_value out;
        out.absent = true;
        return out;
    }
    static named_value of(std::vector<value_id> elements, std::int64_t data_type = 0) {
        named_value out;
        out.sequence = std::move(elements);
        out.declared = data_type;
        return out;
    }
};

struct import_state;
/// A graph inside a node, and the values around it that it takes as its last inputs.
struct inner_graph {
    graph_builder builder;
    std::vector<std::pair<std::string, value_id>> outputs;  ///< tensors: of a sequence its elements
    std::vector<named_value> answers;                       ///< what it answers, one for each that the file names
    std::vector<value_id> captures;
    graph_pass pass = nullptr;
    preference prefer{};

    [[nodiscard]] graph finish() && { return std::move(builder).finish(outputs, pass, prefer); }
};
/// What is known of the first inputs of an inner graph.
using inner_inputs = std::span<const knowledge>;

/// What bodies that become nodes of the graph around them, once for each iteration, have cost until now: a short file
/// can ask for many.
struct unrolled_bodies {
    static constexpr std::size_t most_nodes = std::size_t{1} << 16;

    std::size_t depth = 0;  ///< of bodies in bodies
    std::size_t nodes = 0;  ///< with initializers, inputs and outputs
    std::size_t bytes = 0;  ///< of constants, of values whatever they hold, and of the bodies' messages

    void charge(std::size_t more_nodes, std::size_t more_bytes, const graph_limits& limits) {
        if (depth == 0) return;
        nodes += more_nodes;
        if (nodes > most_nodes)
            throw std::invalid_argument("expected bodies of Loop and SequenceMap that come to at most " +
                                        std::to_string(most_nodes) + " nodes in all iterations, got more");
        if (more_bytes > limits.bytes_per_value - bytes)
            throw std::invalid_argument("expected bodies of Loop and SequenceMap that take at most " +
                                        std::to_string(limits.bytes_per_value) + " bytes in all iterations, got more");
        bytes += more_bytes;
    }
};

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
    std::size_t model_bytes = 0;
    std::int64_t opset = 0;
    std::vector<opset_proto> other_opsets{};
    std::vector<named_value> (*import_in_place)(const graph_proto&, import_state&, std::vector<named_value>) = nullptr;
    mutable unrolled_bodies unrolled{};
    std::shared_ptr<build_budget> budget = std::make_shared<build_budget>();

    mutable std::set<std::filesystem::path> external_files{};  ///< that have been allowed for

    /// Once for each file, however many tensors say that they lie in it.
    void allow_file(const std::filesystem::path& file) const {
        if (!external_files.insert(file).second) return;
        std::error_code code;
        const std::uintmax_t bytes = std::filesystem::file_size(file, code);
        if (!code) allow(static_cast<std::size_t>(bytes));
    }
    /// Memory is within a multiple of the limits and of what is stored.
    void allow(std::size_t stored_bytes) const {
        constexpr std::size_t multiple = 32;
        for (std::size_t* left : {&budget->computed_bytes, &budget->packed_bytes})
            *left += std::min(stored_bytes, (SIZE_MAX - *left) / multiple) * multiple;
    }
};

/// What the import of one graph carries along. A graph inside a node sees the names around it, too.
struct import_state {
    const import_context& context;
    import_state* around = nullptr;
    graph_builder& builder;  ///< that of `around`: the nodes of this graph become nodes of the one around it
    std::unordered_map<std::string_view, named_value> values{};
    std::vector<value_id> captures{};  ///< values of `around` that became inputs here, in their order

    [[nodiscard]] bool in_place() const noexcept { return around != nullptr && &around->builder == &builder; }

    /// The stored elements, widened; kept until `forget`.
    const tensor& decode(std::string_view name, named_value& value) const {
        if (!value.decoded)
            value.decoded = wire::within("tensor " + in_quotes(name), [&] {
                const value_type type = type_of(*value.stored);
                if (type.shape.at(1).volume() > context.limits.bytes_per_value / size_of(widened(type.type)))
                    throw std::invalid_argument("expected at most " + std::to_string(context.limits.bytes_per_value) +
                                                " bytes, got " + type.text());
                tensor elements = widened(to_tensor(*value.stored, context.folder));
                context.unrolled.charge(0, elements.bytes(), context.limits);
                if (value.stored->external)
                    context.allow_file(context.folder.file(std::string(value.stored->location)));
                return elements;
            });
        return *value.decoded;
    }
    /// Stored strings become positions in a list of them.
    void name_strings(std::string_view name, named_value& value) {
        constexpr std::int64_t string = 8;
        if (value.stored == nullptr || value.stored->data_type != string) return;
        auto names = std::make_shared<value_names>();
        tensor positions =
            wire::within("tensor " + in_quotes(name), [&] { return to_positions(*value.stored, names->categories); });
        context.unrolled.charge(0, positions.bytes(), context.limits);
        value = {builder.constant(std::move(positions), std::string(name))};
        value.declared = string;
        value.names = std::move(names);
    }
    static void forget(named_value& value) noexcept { value.decoded.reset(); }

    /// The value in the graph; stored elements become a constant of it.
    value_id materialize(std::string_view name, named_value& value) {
        if (!value.is_tensor())
            throw std::invalid_argument("expected " + in_quotes(name) + " to be a tensor, got " + value.text());
        name_strings(name, value);
        if (!value.id) {
            (void)decode(name, value);
            if (around != nullptr || value.stored->external)  // the same bytes may serve any number of names and graphs
                build_budget::take(context.budget->computed_bytes, value.decoded->bytes(), "copies of stored tensors");
            value.id = builder.constant(*std::move(value.decoded), std::string(name));
            forget(value);
        }
        return *value.id;
    }

    /// The value of that name here or in a graph around; null when there is none.
    named_value* find(std::string_view name) {
        if (const auto here = values.find(name); here != values.end()) return &here->second;
        named_value* outer = around == nullptr ? nullptr : around->find(name);
        if (outer == nullptr || in_place()) return outer;
        if (outer->stored != nullptr && !outer->id)  // stored elements serve every graph
            return &values.emplace(name, named_value{std::nullopt, outer->stored}).first->second;
        named_value here{std::nullopt, nullptr, std::nullopt, outer->declared, std::nullopt, outer->absent};
        if (outer->sequence) {
            here.sequence.emplace();
            for (const value_id item : *outer->sequence) here.sequence->push_back(capture(name, item));
        } else if (!outer->absent) {
            here.id = capture(name, around->materialize(name, *outer));
            here.names = outer->names;
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

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
