// fanfold/onnx/load.hpp - an ONNX file, or its bytes, as a graph that is ready to run.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>     // std::byte
#include <cstdint>     // std::int64_t, std::uint8_t
#include <filesystem>  // std::filesystem::path
#include <map>         // std::map
#include <span>        // std::span
#include <string>      // std::string
#include <vector>      // std::vector

#include "../model/graph.hpp"
#include "../model/preference.hpp"
#include "error.hpp"
#include "operator_entry.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// When the sums that `checksum` compares with are taken: by the first job that wants them, or at load, as the digests
/// of the weights are in any case.
enum class weight_sums : std::uint8_t { at_first_checksum, at_load };

struct load_options {
    graph_limits limits{};
    /// Extents for symbolic dimensions, by name. By an input's name: how many elements the sequence has that the graph
    /// takes (it then takes tensors name[0], name[1], ..), or 1 or 0 for an optional tensor that is there or absent. An
    /// optional sequence that is absent has -1.
    std::map<std::string, std::int64_t> dims{};
    std::vector<operator_entry> operators{};  ///< operators of the user's own, asked before those that are built in
    preference prefer{};                      ///< accuracy or memory instead of speed
    weight_sums sums = weight_sums::at_first_checksum;  ///< at load: a tenth to a quarter longer, small networks more
};

/// "Add, And, ..., opset 1 to 22 of the domain ai.onnx"
[[nodiscard]] std::string supported_operators();

/// Reads a model from memory; the bytes are not needed afterwards. External data is refused. A sequence that the graph
/// answers comes as tensors name[0], name[1], ..; an optional value as what it holds, or not at all.
///
/// errors   throws load_error naming node, operator, version, what was expected and what came; std::bad_alloc.
///          Whatever the bytes are, memory stays within a multiple of them and options.limits, and time within a few
///          times limits.computing and what it takes to read and write that memory
/// threads  re-entrant
/// source   onnx.proto of ONNX 1.16; operators and versions as onnx/operators.hpp lists them
[[nodiscard]] graph load(std::span<const std::byte> bytes, const load_options& options = {});

/// Reads a model from a file; tensors in other files are found in its folder only.
///
/// example  auto model = fanfold::onnx::load("fashion_cnn.onnx");
/// cost     large initializers are read when a node packs them, by each node that does; keep the file as it is until
///          load returns. Others, constants of nodes and of inner graphs are held until then
/// errors   as above, with the file's name first
[[nodiscard]] graph load(const std::filesystem::path& path, const load_options& options = {});

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI

#if !FANFOLD_COMPILED
#include "load_inline.hpp"
#endif
