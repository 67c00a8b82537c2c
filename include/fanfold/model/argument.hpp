// fanfold/model/argument.hpp - what a shape rule sees of an input: its type, and its elements where they are known.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>    // std::byte
#include <cstdint>    // std::int64_t
#include <optional>   // std::optional
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <vector>     // std::vector

#include "../core/view.hpp"
#include "symbolic_shape.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Elements that are sizes: constants, multiples of N, or unknown one by one.
using symbolic_values = std::vector<extent>;

/// One input of an operation as far as it is known. At load: whatever constants and shapes tell; in a run: everything.
struct argument : value_type {
    argument() = default;
    argument(const value_type& known) : value_type(known) {}
    argument(const tensor_view& elements) : value_type{elements.type(), elements.shape()}, value(elements) {}
    /// An input that is left out.
    [[nodiscard]] static argument none() {
        argument made(value_type{element::float32, fanfold::shape{0}});
        made.absent = true;
        return made;
    }

    std::optional<tensor_view> value{};      ///< all elements
    const symbolic_values* sizes = nullptr;  ///< elements of an integer tensor of rank 0 or 1, when `value` is empty
    bool absent = false;
};

/// Input `index` is there.
[[nodiscard]] inline bool given(std::span<const argument> in, std::size_t index) noexcept {
    return index < in.size() && !in[index].absent;
}
/// The same in a run: an input that is left out has no elements and no place.
[[nodiscard]] inline bool given(std::span<const tensor_view> in, std::size_t index) noexcept {
    return index < in.size() && in[index].data() != nullptr;
}

/// A tensor without elements may lie nowhere; one that is given lies somewhere.
[[nodiscard]] inline tensor_view present(const tensor_view& v) noexcept {
    static constexpr std::byte somewhere{};
    return v.data() != nullptr ? v : tensor_view(&somewhere, v.type(), v.shape(), v.steps());
}

/// Integer elements as sizes; empty when they are not known or the tensor is no list of integers.
[[nodiscard]] inline std::optional<symbolic_values> sizes_in(const argument& from) {
    if (from.sizes != nullptr) return *from.sizes;
    if (!from.value || from.value->rank() > 1 || !from.value->dense()) return std::nullopt;
    symbolic_values out;
    if (from.type == element::int64)
        for (const std::int64_t size : from.value->as<std::int64_t>().flat()) out.emplace_back(size);
    else if (from.type == element::int32)
        for (const std::int32_t size : from.value->as<std::int32_t>().flat()) out.emplace_back(size);
    else
        return std::nullopt;
    return out;
}

/// The integers of a tensor in a run, or of one known at load.
///
/// errors   throws std::invalid_argument when it holds other elements
[[nodiscard]] inline std::vector<std::int64_t> integers_in(const tensor_view& from) {
    std::vector<std::int64_t> out;
    if (from.type() == element::int32)
        for (const std::int32_t value : from.as<std::int32_t>().flat()) out.push_back(value);
    else
        for (const std::int64_t value : from.as<std::int64_t>().flat()) out.push_back(value);
    return out;
}
/// The one integer of a tensor in a run.
/// errors   throws std::invalid_argument when it holds another number of elements, or others
[[nodiscard]] inline std::int64_t integer_in(const tensor_view& from) {
    if (from.size() != 1) throw std::invalid_argument("expected one integer, got " + describe(from));
    return integers_in(from).front();
}
/// The same as `integers_in` where all are known and constant.
[[nodiscard]] inline std::optional<std::vector<std::int64_t>> integers_in(const argument& from) {
    const std::optional<symbolic_values> sizes = sizes_in(from);
    if (!sizes) return std::nullopt;
    std::vector<std::int64_t> out;
    for (const extent& size : *sizes) {
        if (!size.constant()) return std::nullopt;
        out.push_back(size.fixed);
    }
    return out;
}

}  // namespace fanfold::inline FANFOLD_ABI
