// fanfold/onnx/load_inline.hpp - what stands behind load.hpp: all operators with all their kernels. Included by
// load.hpp, or compiled once into a library where FANFOLD_COMPILED is set.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::byte
#include <cstdint>      // std::int64_t
#include <filesystem>   // std::filesystem::path
#include <optional>     // std::optional
#include <span>         // std::span
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <string_view>  // std::string_view

#include "../context/floating_point.hpp"
#include "../model/optimize.hpp"
#include "file.hpp"
#include "importer.hpp"
#include "load.hpp"
#include "operators.hpp"
#include "partly_read_file.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {
namespace detail {

[[nodiscard]] inline const operator_entry* find_any_operator(const import_context& context, std::string_view domain,
                                                             std::string_view name, std::int64_t opset) {
    for (const operator_entry& entry : context.more)
        if (entry.name == name && entry.domain == domain && entry.since <= opset && opset <= entry.until) return &entry;
    return find_operator(domain, name, opset);
}

[[nodiscard]] inline graph load(std::span<const std::byte> bytes, const std::string& name, const data_folder& folder,
                                const load_options& options, partly_read_file* file = nullptr) {
    const floating_point_scope environment;  // folded constants have the same bits whatever the caller set
    try {
        if (bytes.empty()) throw std::invalid_argument("expected an ONNX model, got no bytes");
        model_proto model = parse_model(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
        if (file != nullptr && model.graph) file->claim(*model.graph);
        graph made = import_model(model,
                                  {&find_any_operator, nullptr, options.operators, options.limits, folder, &optimize,
                                   options.prefer, bytes.size()},
                                  options.dims);
        if (options.sums == weight_sums::at_load) made.prepare_checksums();
        return made;
    } catch (const std::invalid_argument& error) {
        throw load_error(name + ": " + error.what());
    }
}

}  // namespace detail

FANFOLD_INLINE std::string supported_operators() {
    std::string text;
    std::string_view last;
    for (const auto& family : operator_families)
        for (const operator_entry& entry : family) {
            if (entry.name == last) continue;
            last = entry.name;
            text += std::string(entry.name) + ", ";
        }
    return text + "opset " + std::to_string(first_opset) + " to " + std::to_string(last_opset) +
           " of the domain ai.onnx";
}

FANFOLD_INLINE graph load(std::span<const std::byte> bytes, const load_options& options) {
    return detail::load(bytes, "model in memory", {}, options);
}

FANFOLD_INLINE graph load(const std::filesystem::path& path, const load_options& options) {
    const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    std::optional<partly_read_file> file;
    try {
        file.emplace(path);
    } catch (const std::invalid_argument& error) {
        throw load_error(path.string() + ": " + error.what());
    }
    return detail::load(file->bytes(), path.string(), {folder}, options, &*file);
}

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
