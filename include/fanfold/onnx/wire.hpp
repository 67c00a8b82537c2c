// fanfold/onnx/wire.hpp - protobuf fields read with their wire type checked first; protozero would assert.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>                   // std::int64_t
#include <protozero/pbf_reader.hpp>  // protozero::pbf_reader
#include <stdexcept>                 // std::invalid_argument
#include <string>                    // std::string
#include <string_view>               // std::string_view
#include <utility>                   // std::forward
#include <vector>                    // std::vector

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx::wire {

using reader = protozero::pbf_reader;
using protozero::pbf_wire_type;

[[nodiscard]] inline reader read(std::string_view message) { return {message.data(), message.size()}; }

inline void expect(const reader& field, pbf_wire_type type) {
    if (field.wire_type() != type)
        throw std::invalid_argument("protobuf field " + std::to_string(field.tag()) + ": expected wire type " +
                                    std::to_string(static_cast<int>(type)) + ", got " +
                                    std::to_string(static_cast<int>(field.wire_type())));
}

[[nodiscard]] inline std::string_view bytes(reader& field) {
    expect(field, pbf_wire_type::length_delimited);
    const protozero::data_view found = field.get_view();
    return {found.data(), found.size()};
}
[[nodiscard]] inline std::int64_t integer(reader& field) {
    expect(field, pbf_wire_type::varint);
    return field.get_int64();
}
[[nodiscard]] inline float real(reader& field) {
    expect(field, pbf_wire_type::fixed32);
    return field.get_float();
}

/// Calls `each` for every number of a repeated field, packed or not.
template <class F>
void each_integer(reader& field, F&& each) {
    if (field.wire_type() != pbf_wire_type::length_delimited) return static_cast<void>(each(integer(field)));
    for (const std::int64_t value : field.get_packed_int64()) each(value);
}
template <class F>
void each_float(reader& field, F&& each) {
    if (field.wire_type() != pbf_wire_type::length_delimited) return static_cast<void>(each(real(field)));
    for (const float value : field.get_packed_float()) each(value);
}
template <class F>
void each_double(reader& field, F&& each) {
    if (field.wire_type() != pbf_wire_type::length_delimited) {
        expect(field, pbf_wire_type::fixed64);
        return static_cast<void>(each(field.get_double()));
    }
    for (const double value : field.get_packed_double()) each(value);
}

/// Runs `parse`; what it throws names `where` then.
/// errors   std::invalid_argument also for a message that ends too soon or is no protobuf
template <class F>
decltype(auto) within(const std::string& where, F&& parse) {
    try {
        return std::forward<F>(parse)();
    } catch (const protozero::exception& error) {
        throw std::invalid_argument(where + ": expected a protobuf message, got one that is cut or damaged (" +
                                    error.what() + ")");
    } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(where + ": " + error.what());
    }
}

}  // namespace onnx::wire
}  // namespace fanfold::inline FANFOLD_ABI
