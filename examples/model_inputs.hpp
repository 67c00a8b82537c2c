// examples/model_inputs.hpp - inputs for a model of which nothing but its file is known: from files, or random.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::find_if
#include <charconv>   // std::from_chars
#include <cstdint>    // std::int64_t
#include <fanfold/onnx/load.hpp>
#include <fanfold/onnx/proto.hpp>
#include <fanfold/onnx/tensor_proto.hpp>
#include <filesystem>  // std::filesystem::path
#include <fstream>     // std::ifstream
#include <iterator>    // std::istreambuf_iterator
#include <map>         // std::map
#include <random>      // std::mt19937
#include <stdexcept>   // std::runtime_error
#include <string>      // std::string
#include <vector>      // std::vector

#include "npy.hpp"

namespace model_inputs {

/// "NAME=VALUE", cut at the first '='.
inline std::pair<std::string, std::string> named(const std::string& flag, const std::string& text) {
    const std::size_t at = text.find('=');
    if (at == std::string::npos || at == 0 || at + 1 == text.size())
        throw std::runtime_error(flag + ": expected NAME=VALUE, got '" + text + "'");
    return {text.substr(0, at), text.substr(at + 1)};
}

/// What --dim says, for onnx::load_options.
inline std::map<std::string, std::int64_t> dims(const std::vector<std::string>& flags) {
    std::map<std::string, std::int64_t> out;
    for (const std::string& flag : flags) {
        const auto [name, text] = named("--dim", flag);
        std::int64_t extent = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), extent);
        if (error != std::errc() || end != text.data() + text.size() || extent < 0)
            throw std::runtime_error("--dim: expected a number after '" + name + "=', got '" + text + "'");
        out[name] = extent;
    }
    return out;
}

/// What --accuracy and --weights say, for onnx::load_options.
inline fanfold::preference preference(const std::string& accuracy, const std::string& weights) {
    fanfold::preference out;
    if (accuracy == "high") out.accuracy = fanfold::accuracy::high;
    if (accuracy == "direct") out.accuracy = fanfold::accuracy::direct;
    if (weights == "small") out.memory = fanfold::weight_memory::small;
    return out;
}

/// A tensor from an .npy file, or from a .pb file that holds a TensorProto.
inline fanfold::tensor read(const std::filesystem::path& file) {
    if (file.extension() == ".npy") return npy::read(file);
    if (file.extension() != ".pb")
        throw std::runtime_error(file.string() + ": expected a file .npy or .pb, got '" + file.extension().string() +
                                 "'");
    std::ifstream in(file, std::ios::binary);
    if (!in) throw std::runtime_error(file.string() + ": cannot be opened");
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    try {
        return fanfold::onnx::to_tensor(fanfold::onnx::parse_tensor(bytes), {});
    } catch (const std::exception& error) {
        throw std::runtime_error(file.string() + ": " + error.what());
    }
}

/// Floating-point elements from [0, 1), others 0 or 1: valid as indices and masks. The same for the same seed.
inline fanfold::tensor random(fanfold::element type, const fanfold::shape& extents, unsigned seed) {
    fanfold::tensor out(type, extents);
    std::mt19937 next(seed);
    fanfold::visit_element(type, [&]<class T>(T) {
        for (T& one : out.as<T>().flat()) {
            const auto drawn = static_cast<float>(next() >> 8);
            one = fanfold::is_floating(type) ? T(drawn / 16777216.0F) : T(drawn >= 8388608.0F ? 1.0F : 0.0F);
        }
    });
    return out;
}

/// As many rows as asked for: those that are there, again and again.
inline fanfold::tensor repeated(const fanfold::tensor& given, std::size_t axis, std::size_t rows) {
    const auto there = static_cast<std::size_t>(given.shape()[axis]);
    if (there == 0) throw std::runtime_error("expected rows to repeat, got " + fanfold::describe(given));
    fanfold::tensor out(given.type(), given.shape().with(axis, static_cast<std::int64_t>(rows)));
    const fanfold::tensor_view from = given;
    const fanfold::mutable_tensor_view to = out;
    for (std::size_t row = 0; row < rows; ++row)
        fanfold::detail::copy_elements(from.slice(axis, row % there, 1), to.slice(axis, row, 1));
    return out;
}

/// Where an input counts its rows; empty when it does not, or the model's batch is static.
inline fanfold::row_axis rows_of(const fanfold::value_type& type) {
    if (type.shape.ranked())
        for (std::size_t axis = 0; axis < type.shape.rank(); ++axis)
            if (type.shape[axis] == fanfold::rows_extent) return axis;
    return {};
}

inline std::map<std::string, std::filesystem::path> files(const fanfold::graph& model,
                                                          const std::vector<std::string>& flags) {
    std::map<std::string, std::filesystem::path> out;
    std::string names;
    for (const std::size_t input : model.state().inputs) names += " '" + model.state().values[input].name + "'";
    for (const std::string& flag : flags) {
        const auto [name, file] = named("--input", flag);
        if (names.find(" '" + name + "'") == std::string::npos)
            throw std::runtime_error("--input: the model has no input '" + name + "'; there are" + names);
        out[name] = file;
    }
    return out;
}

/// One tensor an input, in the model's order. `rows`: files are repeated to it; 0: as many as the first file with rows
/// has, else one. Extents that are still open are 1.
inline std::vector<fanfold::tensor> make(const fanfold::graph& model, const std::vector<std::string>& flags,
                                         std::size_t rows) {
    const auto from = files(model, flags);
    const fanfold::graph_state& g = model.state();
    std::vector<fanfold::tensor> out(g.inputs.size());
    const bool as_given = rows == 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto found = from.find(g.values[g.inputs[i]].name);
        if (found == from.end()) continue;
        out[i] = read(found->second);
        const auto axis = rows_of(g.values[g.inputs[i]].type);
        if (rows == 0 && axis && *axis < out[i].shape().rank()) rows = static_cast<std::size_t>(out[i].shape()[*axis]);
    }
    if (as_given && rows == 0) rows = 1;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const fanfold::graph_value& input = g.values[g.inputs[i]];
        const auto axis = rows_of(input.type);
        if (from.contains(input.name)) {
            if (!as_given && axis && *axis < out[i].shape().rank()) out[i] = repeated(out[i], *axis, rows);
            continue;
        }
        std::vector<std::int64_t> extents;
        for (std::size_t at = 0; input.type.shape.ranked() && at < input.type.shape.rank(); ++at)
            extents.push_back(input.type.shape[at].known() ? input.type.shape[at].at(rows) : 1);
        out[i] = random(input.type.type, fanfold::shape(std::span<const std::int64_t>(extents)),
                        static_cast<unsigned>(i + 1));
    }
    return out;
}

/// "; taken as 1: axis 3 of 'x' (--dim W=N)": what `make` guessed, for the text of an error; empty when it had to guess
/// nothing.
inline std::string guesses(const fanfold::graph& model, const std::vector<std::string>& flags,
                           const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    const fanfold::onnx::model_proto proto = fanfold::onnx::parse_model(bytes);
    const auto from = files(model, flags);
    std::string out;
    for (const std::size_t index : model.state().inputs) {
        const fanfold::graph_value& input = model.state().values[index];
        if (from.contains(input.name) || !input.type.shape.ranked()) continue;
        for (std::size_t at = 0; at < input.type.shape.rank(); ++at) {
            if (input.type.shape[at].known()) continue;
            out += (out.empty() ? "; taken as 1: axis " : ", axis ") + std::to_string(at) + " of '" + input.name + "'";
            for (const auto& declared : proto.graph->inputs)
                if (declared.name == input.name && declared.shape && !(*declared.shape)[at].param.empty())
                    out += " (--dim " + std::string((*declared.shape)[at].param) + "=N)";
        }
    }
    return out;
}

}  // namespace model_inputs
