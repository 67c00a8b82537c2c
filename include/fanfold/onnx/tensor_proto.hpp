// fanfold/onnx/tensor_proto.hpp - the elements of a TensorProto as a tensor.
// SPDX-License-Identifier: MIT
#pragma once
#include <bit>           // std::endian
#include <charconv>      // std::from_chars
#include <cstddef>       // std::byte
#include <cstdint>       // std::int64_t
#include <cstring>       // std::memcpy
#include <optional>      // std::optional
#include <span>          // std::span
#include <stdexcept>     // std::invalid_argument
#include <string>        // std::string
#include <string_view>   // std::string_view
#include <system_error>  // std::errc
#include <type_traits>   // std::is_same_v
#include <vector>        // std::vector

#include "../core/tensor.hpp"
#include "../model/symbolic_shape.hpp"
#include "element.hpp"
#include "error.hpp"
#include "file.hpp"
#include "partly_read_file.hpp"
#include "proto.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian and copied as it is");

namespace detail {

/// The typed field of TensorProto that carries `T`.
template <class T>
inline constexpr int typed_field = std::is_same_v<T, float>          ? 4
                                   : std::is_same_v<T, double>       ? 10
                                   : std::is_same_v<T, std::int64_t> ? 7
                                   : std::is_same_v<T, std::uint32_t> || std::is_same_v<T, std::uint64_t>
                                       ? 11
                                       : 5;  // int32_data: narrower integers, bool, the bits of 16-bit floats

template <class T, class F>
void each_typed(std::string_view message, F&& each) {
    for (auto field = wire::read(message); field.next();) {
        if (field.tag() != typed_field<T>)
            field.skip();
        else if constexpr (std::is_same_v<T, float>)
            wire::each_float(field, each);
        else if constexpr (std::is_same_v<T, double>)
            wire::each_double(field, each);
        else if constexpr (std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>)
            wire::each_integer(field,
                               [&](std::int64_t value) { each(T::from_bits(static_cast<std::uint16_t>(value))); });
        else
            wire::each_integer(field, [&](std::int64_t value) { each(static_cast<T>(value)); });
    }
}

[[nodiscard]] inline std::uint64_t decimal(std::string_view text, const char* what) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        throw std::invalid_argument(std::string("expected a number as ") + what + ", got " + in_quotes(text));
    return value;
}

inline void expect_bytes(const value_type& type, std::uint64_t expected, std::uint64_t got, const char* where) {
    if (got != expected)
        throw std::invalid_argument("expected " + std::to_string(expected) + " bytes for " + type.text() + ", got " +
                                    std::to_string(got) + " in " + where);
}

inline void read_external(const tensor_proto& proto, const data_folder& folder, const value_type& type,
                          std::uint64_t bytes, std::optional<tensor>& out) {
    wire::within("external data " + in_quotes(proto.location), [&] {
        if (proto.raw_data && !proto.raw_data->empty())
            throw std::invalid_argument("expected no raw_data beside it, got some");
        input_file file(folder.file(std::string(proto.location)));
        const std::uint64_t offset = proto.offset.empty() ? 0 : decimal(proto.offset, "offset");
        if (offset > file.size())
            throw std::invalid_argument("expected an offset up to " + std::to_string(file.size()) + ", got " +
                                        std::to_string(offset));
        const std::uint64_t length = proto.length.empty() ? file.size() - offset : decimal(proto.length, "length");
        expect_bytes(type, bytes, length, "its file");
        if (length > file.size() - offset)
            throw std::invalid_argument("expected " + std::to_string(length) + " bytes from " + std::to_string(offset) +
                                        ", got a file of " + std::to_string(file.size()));
        out = tensor::populated(type.type, type.shape.at(1));
        file.read(offset, {out->data(), out->bytes()});
    });
}

/// The bytes of raw_data, wherever they are.
inline void read_raw(const tensor_proto& proto, std::span<std::byte> room) {
    if (proto.file != nullptr)
        proto.file->read(*proto.raw_data, room);
    else if (!room.empty())
        std::memcpy(room.data(), proto.raw_data->data(), room.size());
}

}  // namespace detail

/// Element type and shape of a stored tensor, checked.
/// errors   throws std::invalid_argument for unsupported types, negative or too many or too large extents
[[nodiscard]] inline value_type type_of(const tensor_proto& proto) {
    if (proto.segmented) throw std::invalid_argument("expected a whole tensor, got a segment of one");
    const element type = element_of_data_type(proto.data_type);
    const shape extents{std::span<const std::int64_t>(proto.dims)};
    std::size_t bytes = 0;
    if (__builtin_mul_overflow(extents.volume(), size_of(type), &bytes))
        throw std::invalid_argument("tensor " + extents.text() + " has more bytes than memory can address");
    return {type, extents};
}

namespace detail {

/// 8-bit floating point, one to a byte, or 4-bit integers, two to a byte, the first in the lower half.
[[nodiscard]] inline tensor packed_elements(const tensor_proto& proto, const data_folder& folder,
                                            const value_type& type) {
    const shape extents = type.shape.at(1);
    const std::size_t count = extents.volume();
    const bool halves = is_four_bits(proto.data_type);
    const std::size_t bytes = halves ? count / 2 + count % 2 : count;
    std::optional<tensor> file;
    std::string typed;
    std::string_view stored;
    if (proto.external) {
        const value_type plain{element::uint8, shape{static_cast<std::int64_t>(bytes)}};
        read_external(proto, folder, plain, bytes, file);
        stored = {reinterpret_cast<const char*>(file->data()), bytes};
    } else if (proto.raw_data && !proto.raw_data->empty()) {
        expect_bytes(type, bytes, proto.raw_data->size(), "the file");
        stored = *proto.raw_data;
        if (proto.file != nullptr) {
            typed.resize(bytes);
            read_raw(proto, std::as_writable_bytes(std::span(typed)));
            stored = typed;
        }
    } else {
        each_typed<std::uint8_t>(proto.message, [&](std::uint8_t byte) { typed.push_back(static_cast<char>(byte)); });
        stored = typed;
    }
    expect_bytes(type, bytes, stored.size(), "the file");
    tensor out = tensor::uninitialized(type.type, extents);
    for (std::size_t i = 0; i < count; ++i) {
        const auto byte = static_cast<std::uint8_t>(stored[halves ? i / 2 : i]);
        if (!halves) {
            out.as<float>().data()[i] = kernel::float8_value(float8_of(proto.data_type), byte);
            continue;
        }
        const int value = i % 2 == 0 ? byte & 0xF : byte >> 4;
        out.data()[i] = static_cast<std::byte>(type.type == element::int8 && value > 7 ? value - 16 : value);
    }
    return out;
}

}  // namespace detail

/// Copies the elements out of the file's bytes, from raw_data, a typed field, or a file in the model's folder.
///
/// errors   throws std::invalid_argument with both numbers when the data is not as long as the shape says, checked
///          before memory is asked for; and for external data as data_folder::file does
/// source   onnx.proto, TensorProto
[[nodiscard]] inline tensor to_tensor(const tensor_proto& proto, const data_folder& folder) {
    const value_type type = type_of(proto);
    if (is_float8(proto.data_type) || is_four_bits(proto.data_type))
        return detail::packed_elements(proto, folder, type);
    const shape extents = type.shape.at(1);
    const std::size_t count = extents.volume();
    const std::size_t bytes = count * size_of(type.type);
    std::optional<tensor> out;
    const bool raw = proto.raw_data && (!proto.raw_data->empty() || count == 0);
    if (proto.external) {
        detail::read_external(proto, folder, type, bytes, out);
    } else if (raw) {
        detail::expect_bytes(type, bytes, proto.raw_data->size(), "raw_data");
        out = tensor::populated(type.type, extents);
        detail::read_raw(proto, {out->data(), bytes});
    }
    visit_element(type.type, [&]<class T>(T) {
        if (!proto.external) {
            std::size_t found = 0;
            detail::each_typed<T>(proto.message, [&](T) { ++found; });
            if (raw && found != 0)
                throw std::invalid_argument("expected one form of data, got raw_data and " + std::to_string(found) +
                                            " typed values");
            if (!raw && found != count)
                throw std::invalid_argument("expected " + std::to_string(count) + " values for " + type.text() +
                                            ", got " + std::to_string(found));
            if (!raw) {
                out = tensor::uninitialized(type.type, extents);
                auto* next = reinterpret_cast<T*>(out->data());
                detail::each_typed<T>(proto.message, [&](T value) { *next++ = value; });
            }
        }
        if constexpr (std::is_same_v<T, bool>)  // any other byte than 0 and 1 is no bool to the compiler
            for (std::byte* byte = out->data(); byte != out->data() + out->bytes(); ++byte)
                if (*byte != std::byte{0}) *byte = std::byte{1};
    });
    return *std::move(out);
}

/// The positions of the strings of a TensorProto in `strings`, which takes them up.
///
/// errors   throws std::invalid_argument when there are not as many as the shape says
[[nodiscard]] inline tensor to_positions(const tensor_proto& proto, std::vector<std::string>& strings) {
    const shape extents{std::span<const std::int64_t>(proto.dims)};
    for (auto field = wire::read(proto.message); field.next();) {
        if (field.tag() == 6)
            strings.emplace_back(wire::bytes(field));
        else
            field.skip();
    }
    if (strings.size() != extents.volume())
        throw std::invalid_argument("expected " + std::to_string(extents.volume()) + " strings, got " +
                                    std::to_string(strings.size()));
    tensor out = tensor::uninitialized(element::int64, extents);
    std::int64_t position = 0;
    for (std::int64_t& one : out.as<std::int64_t>().flat()) one = position++;
    return out;
}

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
