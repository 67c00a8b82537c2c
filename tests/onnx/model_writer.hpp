// tests/onnx/model_writer.hpp - writes small ONNX models, field by field, and runs the graphs that come of them.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <fanfold/onnx/load.hpp>
#include <filesystem>
#include <initializer_list>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "../model/run.hpp"
#include "../text.hpp"

namespace written {

using ints = std::vector<std::int64_t>;
using floats = std::vector<float>;
using texts = std::vector<std::string>;

/// TensorProto with raw_data.
template <class T>
std::string tensor(std::string_view name, const ints& dims, const std::vector<T>& values, int data_type) {
    std::string out;
    protozero::pbf_writer w(out);
    w.add_packed_int64(1, dims.begin(), dims.end());
    w.add_int32(2, data_type);
    w.add_string(8, name.data(), name.size());
    w.add_bytes(9, reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
    return out;
}
inline std::string tensor(std::string_view name, const ints& dims, const floats& values) {
    return tensor(name, dims, values, 1);
}
inline std::string tensor(std::string_view name, const ints& values) {
    return tensor(name, {static_cast<std::int64_t>(values.size())}, values, 7);
}

/// AttributeProto.
struct attribute {
    std::string name;
    std::variant<std::int64_t, float, std::string, ints, floats, texts> value;
    bool is_tensor = false;  ///< the string is a TensorProto
    bool is_graph = false;   ///< the string is a GraphProto

    std::string bytes() const {
        std::string out;
        protozero::pbf_writer w(out);
        w.add_string(1, name);
        if (const auto* i = std::get_if<std::int64_t>(&value)) w.add_int64(3, *i), w.add_int32(20, 2);
        if (const auto* f = std::get_if<float>(&value)) w.add_float(2, *f), w.add_int32(20, 1);
        if (const auto* s = std::get_if<std::string>(&value)) {
            w.add_bytes(is_tensor ? 5 : is_graph ? 6 : 4, *s);
            w.add_int32(20, is_tensor ? 4 : is_graph ? 5 : 3);
        }
        if (const auto* is = std::get_if<ints>(&value)) {
            for (const std::int64_t i : *is) w.add_int64(8, i);  // as exporters do: not packed
            w.add_int32(20, 7);
        }
        if (const auto* fs = std::get_if<floats>(&value)) {
            for (const float f : *fs) w.add_float(7, f);
            w.add_int32(20, 6);
        }
        if (const auto* ts = std::get_if<texts>(&value)) {
            for (const std::string& t : *ts) w.add_bytes(9, t);
            w.add_int32(20, 8);
        }
        return out;
    }
};

inline std::string node(std::string_view op, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs, const std::vector<attribute>& attributes = {},
                        std::string_view name = "it", std::string_view domain = {}) {
    std::string out;
    protozero::pbf_writer w(out);
    for (const auto& input : inputs) w.add_string(1, input);
    for (const auto& output : outputs) w.add_string(2, output);
    w.add_string(3, name.data(), name.size());
    w.add_string(4, op.data(), op.size());
    for (const auto& a : attributes) w.add_message(5, a.bytes());
    if (!domain.empty()) w.add_string(7, domain.data(), domain.size());
    return out;
}

/// A dimension: a number, a name, or nothing at all (an empty name).
using dim = std::variant<std::int64_t, std::string>;
inline const dim N{std::string("N")};
inline dim d(std::int64_t extent) { return extent; }
inline std::vector<dim> fixed(const ints& extents) { return {extents.begin(), extents.end()}; }

/// ValueInfoProto; a shape may be missing.
inline std::string value(std::string_view name, const std::vector<dim>* shape, int element = 1) {
    std::string out;
    protozero::pbf_writer w(out);
    w.add_string(1, name.data(), name.size());
    std::string type;  // messages as strings: a writer drops an empty one, and a scalar's shape is empty
    std::string tensor_type;
    protozero::pbf_writer(tensor_type).add_int32(1, element);
    if (shape != nullptr) {
        std::string dims;
        for (const dim& each : *shape) {
            std::string one;
            if (const auto* number = std::get_if<std::int64_t>(&each)) protozero::pbf_writer(one).add_int64(1, *number);
            if (const auto* text = std::get_if<std::string>(&each); text != nullptr && !text->empty())
                protozero::pbf_writer(one).add_string(2, *text);
            protozero::pbf_writer(dims).add_message(1, one);
        }
        protozero::pbf_writer(tensor_type).add_message(2, dims);
    }
    protozero::pbf_writer(type).add_message(1, tensor_type);
    w.add_message(2, type);
    return out;
}
inline std::string value(std::string_view name, const std::vector<dim>& shape, int element = 1) {
    return value(name, &shape, element);
}

/// A value of the type that `inside` says, held by a sequence (field 4 of a TypeProto) or an optional value (9).
inline std::string holder(const std::string& inside, protozero::pbf_tag_type field) {
    std::string out;
    protozero::pbf_writer w(out);
    for (protozero::pbf_reader part(inside); part.next();) {
        const protozero::pbf_tag_type tag = part.tag();
        const std::string bytes = part.get_string();
        if (tag == 1) {
            w.add_string(1, bytes);
            continue;
        }
        std::string type, of;
        protozero::pbf_writer(type).add_message(1, bytes);
        protozero::pbf_writer(of).add_message(field, type);
        w.add_message(2, of);
    }
    return out;
}
inline std::string sequence_of(const std::string& inside) { return holder(inside, 4); }
inline std::string optional_of(const std::string& inside) { return holder(inside, 9); }
/// A ValueInfoProto of a sequence of maps from strings, or integers, to floats.
inline std::string maps(std::string_view name, int key = 8) {
    std::string number, map, sequence, type, out;
    protozero::pbf_writer(number).add_int32(1, 1);
    {
        std::string value;
        protozero::pbf_writer(value).add_message(1, number);
        protozero::pbf_writer w(map);
        w.add_int32(1, key);
        w.add_message(2, value);
    }
    protozero::pbf_writer(type).add_message(5, map);
    protozero::pbf_writer(sequence).add_message(1, type);
    std::string whole;
    protozero::pbf_writer(whole).add_message(4, sequence);
    protozero::pbf_writer w(out);
    w.add_string(1, name.data(), name.size());
    w.add_message(2, whole);
    return out;
}
/// TensorProto of strings.
inline std::string strings(std::string_view name, const texts& values) {
    std::string out;
    protozero::pbf_writer w(out);
    w.add_int64(1, static_cast<std::int64_t>(values.size()));
    w.add_int32(2, 8);
    for (const std::string& value : values) w.add_bytes(6, value);
    w.add_string(8, name.data(), name.size());
    return out;
}

/// ModelProto, built from messages.
struct model_file {
    std::int64_t opset = 13;
    std::vector<std::string> nodes;
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
    std::vector<std::string> initializers = {};
    std::int64_t ml = 0;  ///< opset of the domain ai.onnx.ml; 0: not imported

    std::string bytes() const {
        std::string out;
        protozero::pbf_writer w(out);
        w.add_int64(1, 7);
        {
            protozero::pbf_writer graph(w, 7);
            for (const auto& n : nodes) graph.add_message(1, n);
            graph.add_string(2, "g");
            for (const auto& t : initializers) graph.add_message(5, t);
            for (const auto& v : inputs) graph.add_message(11, v);
            for (const auto& v : outputs) graph.add_message(12, v);
        }
        {
            protozero::pbf_writer set(w, 8);
            set.add_string(1, "");
            set.add_int64(2, opset);
        }
        if (ml != 0) {
            protozero::pbf_writer set(w, 8);
            set.add_string(1, "ai.onnx.ml");
            set.add_int64(2, ml);
        }
        return out;
    }
};

/// A ValueInfoProto without type: an output of whatever comes out.
inline std::string undeclared(std::string_view name) {
    std::string out;
    protozero::pbf_writer(out).add_string(1, name.data(), name.size());
    return out;
}

/// A graph as an attribute: a branch or a body.
inline attribute inner(std::string name, const std::vector<std::string>& nodes, const std::vector<std::string>& inputs,
                       const std::vector<std::string>& outputs, const std::vector<std::string>& initializers = {}) {
    std::string out;
    protozero::pbf_writer graph(out);
    for (const auto& n : nodes) graph.add_message(1, n);
    graph.add_string(2, name);
    for (const auto& t : initializers) graph.add_message(5, t);
    for (const auto& v : inputs) graph.add_message(11, v);
    for (const auto& v : outputs) graph.add_message(12, v);
    return {std::move(name), out, false, true};
}

/// "float32 [N, 3]": the type of an output.
inline std::string output_type(const fanfold::graph& g, std::size_t output = 0) {
    return g.state().values[g.state().outputs.at(output)].type.text();
}
/// "x[0] x[1] mask": what a graph takes.
inline std::string input_names(const fanfold::graph& g) {
    std::string out;
    for (const std::size_t input : g.state().inputs) out += (out.empty() ? "" : " ") + g.state().values[input].name;
    return out;
}
inline std::string output_names(const fanfold::graph& g) {
    std::string out;
    for (const std::string& name : g.state().output_names) out += (out.empty() ? "" : " ") + name;
    return out;
}
inline fanfold::tensor list(const ints& values) {
    return fanfold::tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())},
                                             std::span<const std::int64_t>(values));
}

// Defined in model_writer.cpp, so that the importer is compiled once for all these tests.
fanfold::graph load(const std::string& bytes, const fanfold::onnx::load_options& options = {});
fanfold::graph load(const model_file& m, const fanfold::onnx::load_options& options = {});
fanfold::graph load_file(const std::filesystem::path& file);
/// Without the optimizer. Defined in operators.cpp, which compiles the operators in any case.
fanfold::graph load_as_written(const std::string& bytes);

inline std::string complaint(const model_file& m, const fanfold::onnx::load_options& options = {}) {
    return text_of([&] { (void)load(m, options); });
}

using ::run;  // of model/run.hpp

/// Values between -1 and 1, the same for the same seed.
inline floats noise(std::size_t count, std::uint32_t seed) {
    floats out(count);
    for (float& x : out) {
        seed = seed * 1664525U + 1013904223U;
        x = static_cast<float>(seed >> 8) / 8388608.0F - 1.0F;
    }
    return out;
}
inline fanfold::tensor noise_tensor(const fanfold::shape& extents, std::uint32_t seed) {
    return fanfold::tensor::of<float>(extents, std::span<const float>(noise(extents.volume(), seed)));
}
inline std::size_t volume(const ints& dims) {
    std::size_t out = 1;
    for (const std::int64_t extent : dims) out *= static_cast<std::size_t>(extent);
    return out;
}

/// Largest difference, relative to 1 + |expected|; infinite when the lengths differ or a NaN is in it.
inline double difference(const fanfold::tensor& got, const std::vector<double>& expected) {
    const std::span<const float> values = got.as<float>().flat();
    if (values.size() != expected.size()) return 1e300;
    double worst = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const double apart = std::abs(static_cast<double>(values[i]) - expected[i]) / (1 + std::abs(expected[i]));
        if (!(apart <= worst)) worst = apart;
        if (apart != apart) return 1e300;
    }
    return worst;
}

}  // namespace written
