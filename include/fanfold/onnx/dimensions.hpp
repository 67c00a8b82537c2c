// fanfold/onnx/dimensions.hpp - declared shapes: which axis counts rows, and what may not contradict what.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <map>          // std::map
#include <optional>     // std::optional
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../model/symbolic_shape.hpp"
#include "element.hpp"
#include "error.hpp"
#include "proto.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// The dimension that counts rows: the open axis 0 of the first input that has one.
struct row_dimension {
    bool any = false;
    std::string_view name;  ///< empty when that axis has none
};

/// The extent that a dimension states, in itself or through `dims`.
[[nodiscard]] inline std::optional<std::int64_t> stated(const dimension_proto& dim,
                                                        const std::map<std::string, std::int64_t>& dims) {
    if (dim.value) return dim.value;
    if (dim.param.empty()) return std::nullopt;
    const auto found = dims.find(std::string(dim.param));
    return found == dims.end() ? std::nullopt : std::optional(found->second);
}

[[nodiscard]] inline bool names_dimension(const std::vector<const value_info_proto*>& inputs, std::string_view name) {
    for (const value_info_proto* input : inputs)
        if (input->shape)
            for (const dimension_proto& dim : *input->shape)
                if (!dim.value && dim.param == name) return true;
    return false;
}

/// An input that is a sequence, or optional.
[[nodiscard]] inline bool names_holder(const std::vector<const value_info_proto*>& inputs, std::string_view name) {
    for (const value_info_proto* input : inputs)
        if (!input->is_plain() && input->name == name) return true;
    return false;
}

[[nodiscard]] inline row_dimension find_row_dimension(const std::vector<const value_info_proto*>& inputs,
                                                      const std::map<std::string, std::int64_t>& dims) {
    for (const value_info_proto* input : inputs)
        if (input->shape && !input->shape->empty() && !stated(input->shape->front(), dims))
            return {true, input->shape->front().param};
    return {};
}

/// How many tensors an input stands for: one; of a sequence, as many as `dims` says for its name; of an optional
/// tensor 0 or 1; of an optional sequence -1 where it is absent.
///
/// errors   throws std::invalid_argument where `dims` says nothing, or what cannot be
[[nodiscard]] inline std::int64_t stated_elements(const value_info_proto& input,
                                                  const std::map<std::string, std::int64_t>& dims) {
    constexpr std::int64_t most = std::int64_t{1} << 16;
    if (!input.is_tensor) throw std::invalid_argument("expected a tensor, got another type");
    if (input.is_plain()) return 1;
    const auto found = dims.find(std::string(input.name));
    const std::string what = !input.is_sequence  ? "whether the optional tensor is there (0 or 1)"
                             : input.is_optional ? "how many elements the optional sequence has (-1 where it is absent)"
                                                 : "how many elements the sequence has";
    if (found == dims.end())
        throw std::invalid_argument("expected load_options::dims to say " + what + ", got no number for " +
                                    in_quotes(input.name));
    const std::int64_t least = input.is_sequence && input.is_optional ? -1 : 0;
    if (found->second < least || found->second > (input.is_sequence ? most : 1))
        throw std::invalid_argument("expected load_options::dims to say " + what + ", at most " +
                                    std::to_string(input.is_sequence ? most : 1) + ", got " +
                                    std::to_string(found->second));
    return found->second;
}

/// Type of an input, or of each element of a sequence: rows wherever their dimension's name stands; other open
/// dimensions are known at run time only.
///
/// errors   throws std::invalid_argument for values that are no tensors, and for unsupported element types
[[nodiscard]] inline value_type input_type(const value_info_proto& input, const row_dimension& rows,
                                           const std::map<std::string, std::int64_t>& dims) {
    if (!input.is_tensor) throw std::invalid_argument("expected a tensor, got another type");
    const element type = element_of_data_type(input.element_type);
    if (!input.shape) return {type, symbolic_shape::unknown()};
    if (input.shape->size() > shape::max_rank)
        throw std::invalid_argument("expected rank " + std::to_string(shape::max_rank) + " at most, got " +
                                    std::to_string(input.shape->size()));
    symbolic_shape extents;
    for (const dimension_proto& dim : *input.shape) {
        if (const auto value = stated(dim, dims)) {
            if (*value < 0)
                throw std::invalid_argument("axis " + std::to_string(extents.rank()) +
                                            ": expected an extent of 0 or more, got " + std::to_string(*value));
            extents.push_back(*value);
            continue;
        }
        const bool is_rows = rows.any && (dim.param.empty() ? extents.rank() == 0 : dim.param == rows.name);
        extents.push_back(is_rows ? rows_extent : extent::unknown());
    }
    return {type, extents};
}

/// "float32 ['N', 10]": what a file declares.
[[nodiscard]] inline std::string declared_text(const value_info_proto& value) {
    std::string text = name_of_data_type(value.element_type);
    if (!value.shape) return text;
    text += " [";
    for (std::size_t axis = 0; axis < value.shape->size() && axis < 16; ++axis) {
        const dimension_proto& dim = (*value.shape)[axis];
        text += axis == 0 ? "" : ", ";
        text += dim.value ? std::to_string(*dim.value) : dim.param.empty() ? "?" : in_quotes(dim.param);
    }
    return text + "]";
}

/// Refuses an output whose declaration contradicts what was inferred. A dimension with a name of its own says nothing.
/// errors   throws std::invalid_argument naming both
inline void expect_declared(const value_info_proto& declared, const value_type& inferred, std::string_view rows) {
    bool agrees = true;
    if (declared.shape && declared.shape->size() > shape::max_rank) agrees = false;
    if (declared.is_tensor && declared.element_type != 0) agrees = find_element(declared.element_type) == inferred.type;
    if (declared.shape) {
        if (!inferred.shape.ranked()) return;
        agrees = agrees && declared.shape->size() == inferred.shape.rank();
        for (std::size_t axis = 0; agrees && axis < declared.shape->size(); ++axis) {
            const dimension_proto& dim = (*declared.shape)[axis];
            const extent& found = inferred.shape[axis];
            if (dim.value)
                agrees = may_equal(found, *dim.value);
            else if (!dim.param.empty() && dim.param == rows)
                agrees = may_equal(found, rows_extent);
        }
    }
    if (!agrees)
        throw std::invalid_argument("expected " + declared_text(declared) + " as declared, got " + inferred.text());
}

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
