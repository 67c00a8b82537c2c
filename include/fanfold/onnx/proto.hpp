// fanfold/onnx/proto.hpp - an ONNX file as plain structs that point into its bytes.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <optional>     // std::optional
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "wire.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

class partly_read_file;

/// TensorProto. Elements stay where they are; onnx/tensor_proto.hpp reads them.
struct tensor_proto {
    std::string_view name;
    std::vector<std::int64_t> dims;
    std::int64_t data_type = 0;
    std::string_view message;  ///< the whole of it: typed fields are read from here
    std::optional<std::string_view> raw_data;
    partly_read_file* file = nullptr;  ///< where raw_data is to be read from: its bytes here are not
    bool external = false;
    std::string_view location;  ///< of external data, with its offset and length as text
    std::string_view offset;
    std::string_view length;
    bool segmented = false;
};

/// AttributeProto.
struct attribute_proto {
    enum kind : std::int64_t { undefined, real, integer, text, tensor, graph, reals, integers, texts };

    std::string_view name;
    std::int64_t type = undefined;
    float f = 0;
    std::int64_t i = 0;
    std::string_view s;
    std::optional<tensor_proto> t;
    std::vector<float> floats;
    std::vector<std::int64_t> ints;
    std::vector<std::string_view> strings;
    std::optional<std::string_view> inner;  ///< a GraphProto, for parse_graph
    bool has_graphs = false;
    bool refers_to_function = false;
};

/// NodeProto.
struct node_proto {
    std::string_view name;
    std::string_view op_type;
    std::string_view domain;
    std::vector<std::string_view> inputs;
    std::vector<std::string_view> outputs;
    std::vector<attribute_proto> attributes;
};

/// One extent of a declared shape: a number, a name, or neither.
struct dimension_proto {
    std::optional<std::int64_t> value;
    std::string_view param;
};

/// ValueInfoProto: a tensor, a sequence of tensors, an optional one of either, or something else.
struct value_info_proto {
    std::string_view name;
    bool is_tensor = false;  ///< or, as a sequence or optional, holds tensors; else a map or the like, or nothing
    std::int64_t element_type = 0;
    std::optional<std::vector<dimension_proto>> shape;
    bool is_sequence = false;
    bool is_optional = false;

    [[nodiscard]] bool is_plain() const noexcept { return !is_sequence && !is_optional; }
};

/// GraphProto: a model's, or a branch or body inside a node.
struct graph_proto {
    std::vector<node_proto> nodes;
    std::vector<tensor_proto> initializers;
    std::vector<value_info_proto> inputs;
    std::vector<value_info_proto> outputs;
    std::size_t sparse_initializers = 0;
    std::size_t quantization_annotations = 0;
    std::size_t bytes = 0;  ///< of the message
};

/// One entry of ModelProto.opset_import.
struct opset_proto {
    std::string_view domain;
    std::int64_t version = 0;
};

/// ModelProto with its graph.
struct model_proto {
    std::int64_t ir_version = 0;
    std::optional<std::int64_t> opset;  ///< of the default domain
    std::vector<opset_proto> other_opsets;
    std::optional<graph_proto> graph;
};

[[nodiscard]] inline tensor_proto parse_tensor(std::string_view message) {
    tensor_proto out;
    out.message = message;
    for (auto field = wire::read(message); field.next();) {
        switch (field.tag()) {
            case 1: wire::each_integer(field, [&](std::int64_t dim) { out.dims.push_back(dim); }); break;
            case 2: out.data_type = wire::integer(field); break;
            case 3: out.segmented = true, field.skip(); break;
            case 8: out.name = wire::bytes(field); break;
            case 9: out.raw_data = wire::bytes(field); break;
            case 13: {
                std::string_view key;
                std::string_view value;
                for (auto entry = wire::read(wire::bytes(field)); entry.next();) {
                    if (entry.tag() == 1)
                        key = wire::bytes(entry);
                    else if (entry.tag() == 2)
                        value = wire::bytes(entry);
                    else
                        entry.skip();
                }
                if (key == "location") out.location = value;
                if (key == "offset") out.offset = value;
                if (key == "length") out.length = value;
                break;
            }
            case 14: out.external = wire::integer(field) == 1; break;
            default: field.skip();
        }
    }
    return out;
}

[[nodiscard]] inline attribute_proto parse_attribute(std::string_view message) {
    attribute_proto out;
    std::int64_t deduced = attribute_proto::undefined;  // files of IR version 1 state no type
    for (auto field = wire::read(message); field.next();) {
        const auto tag = field.tag();
        if (tag >= 2 && tag <= 9) deduced = static_cast<std::int64_t>(tag) - 1;
        switch (tag) {
            case 1: out.name = wire::bytes(field); break;
            case 2: out.f = wire::real(field); break;
            case 3: out.i = wire::integer(field); break;
            case 4: out.s = wire::bytes(field); break;
            case 5: out.t = parse_tensor(wire::bytes(field)); break;
            case 7: wire::each_float(field, [&](float value) { out.floats.push_back(value); }); break;
            case 8: wire::each_integer(field, [&](std::int64_t value) { out.ints.push_back(value); }); break;
            case 9: out.strings.push_back(wire::bytes(field)); break;
            case 6: out.inner = wire::bytes(field); break;
            case 11: out.has_graphs = true, field.skip(); break;
            case 20: out.type = wire::integer(field); break;
            case 21: out.refers_to_function = !wire::bytes(field).empty(); break;
            default: field.skip();
        }
    }
    if (out.type == attribute_proto::undefined) out.type = deduced;
    return out;
}

[[nodiscard]] inline node_proto parse_node(std::string_view message) {
    node_proto out;
    for (auto field = wire::read(message); field.next();) {
        switch (field.tag()) {
            case 1: out.inputs.push_back(wire::bytes(field)); break;
            case 2: out.outputs.push_back(wire::bytes(field)); break;
            case 3: out.name = wire::bytes(field); break;
            case 4: out.op_type = wire::bytes(field); break;
            case 5: out.attributes.push_back(parse_attribute(wire::bytes(field))); break;
            case 7: out.domain = wire::bytes(field); break;
            default: field.skip();
        }
    }
    return out;
}

[[nodiscard]] inline value_info_proto parse_value_info(std::string_view message) {
    value_info_proto out;
    const auto dimension = [](std::string_view bytes) {
        dimension_proto dim;
        for (auto field = wire::read(bytes); field.next();) {
            if (field.tag() == 1)
                dim.value = wire::integer(field);
            else if (field.tag() == 2)
                dim.param = wire::bytes(field);
            else
                field.skip();
        }
        return dim;
    };
    const auto tensor_type = [&](std::string_view bytes) {
        out.is_tensor = true;
        for (auto field = wire::read(bytes); field.next();) {
            if (field.tag() == 1) {
                out.element_type = wire::integer(field);
            } else if (field.tag() == 2) {
                if (!out.shape) out.shape.emplace();
                for (auto dim = wire::read(wire::bytes(field)); dim.next();) {
                    if (dim.tag() == 1)
                        out.shape->push_back(dimension(wire::bytes(dim)));
                    else
                        dim.skip();
                }
            } else {
                field.skip();
            }
        }
    };
    const auto inside_of = [](std::string_view bytes) {  // of a sequence, or an optional value
        std::string_view type;
        for (auto field = wire::read(bytes); field.next();) {
            if (field.tag() == 1)
                type = wire::bytes(field);
            else
                field.skip();
        }
        return type;
    };
    const auto read_type = [&](std::string_view bytes) {
        std::string_view inside;
        for (auto type = wire::read(bytes); type.next();) {
            if (type.tag() == 1)
                tensor_type(wire::bytes(type));
            else if (type.tag() == 4 && !out.is_sequence)
                out.is_sequence = true, inside = inside_of(wire::bytes(type));
            else if (type.tag() == 9 && out.is_plain())
                out.is_optional = true, inside = inside_of(wire::bytes(type));
            else
                type.skip();
        }
        return inside;
    };
    for (auto field = wire::read(message); field.next();) {
        if (field.tag() == 1)
            out.name = wire::bytes(field);
        else if (field.tag() == 2)  // an optional value of a sequence of tensors is the deepest that there is
            (void)read_type(read_type(read_type(wire::bytes(field))));
        else
            field.skip();
    }
    return out;
}

[[nodiscard]] inline graph_proto parse_graph(std::string_view message) {
    graph_proto out;
    out.bytes = message.size();
    const auto part = [](const char* kind, std::size_t index) { return kind + std::to_string(index); };
    for (auto field = wire::read(message); field.next();) {
        switch (field.tag()) {
            case 1:
                wire::within(part("node ", out.nodes.size()),
                             [&] { out.nodes.push_back(parse_node(wire::bytes(field))); });
                break;
            case 5:
                wire::within(part("initializer ", out.initializers.size()),
                             [&] { out.initializers.push_back(parse_tensor(wire::bytes(field))); });
                break;
            case 11:
                wire::within(part("graph input ", out.inputs.size()),
                             [&] { out.inputs.push_back(parse_value_info(wire::bytes(field))); });
                break;
            case 12:
                wire::within(part("graph output ", out.outputs.size()),
                             [&] { out.outputs.push_back(parse_value_info(wire::bytes(field))); });
                break;
            case 14: ++out.quantization_annotations, field.skip(); break;
            case 15: ++out.sparse_initializers, field.skip(); break;
            default: field.skip();
        }
    }
    return out;
}

/// Reads a ModelProto. Graphs inside of nodes are left for later; functions and training parts are not read.
///
/// cost     one pass over the messages; elements of tensors are skipped
/// errors   throws std::invalid_argument naming the part that is cut or damaged
[[nodiscard]] inline model_proto parse_model(std::string_view bytes) {
    model_proto out;
    wire::within("the model", [&] {
        for (auto field = wire::read(bytes); field.next();) {
            switch (field.tag()) {
                case 1: out.ir_version = wire::integer(field); break;
                case 7: {
                    const std::string_view graph = wire::bytes(field);
                    if (out.graph) throw std::invalid_argument("expected one graph, got a second one");
                    wire::within("its graph", [&] { out.graph = parse_graph(graph); });
                    break;
                }
                case 8: {
                    std::string_view domain;
                    std::int64_t version = 0;
                    for (auto set = wire::read(wire::bytes(field)); set.next();) {
                        if (set.tag() == 1)
                            domain = wire::bytes(set);
                        else if (set.tag() == 2)
                            version = wire::integer(set);
                        else
                            set.skip();
                    }
                    if (!domain.empty() && domain != "ai.onnx") {
                        out.other_opsets.push_back({domain, version});
                        break;
                    }
                    if (out.opset && *out.opset != version)
                        throw std::invalid_argument("expected one opset of the default domain, got " +
                                                    std::to_string(*out.opset) + " and " + std::to_string(version));
                    out.opset = version;
                    break;
                }
                default: field.skip();
            }
        }
    });
    return out;
}

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
