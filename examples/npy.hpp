// examples/npy.hpp - tensors in NumPy's .npy files, format 1.0: what numpy.save writes and numpy.load reads.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::transform
#include <array>      // std::array
#include <charconv>   // std::from_chars
#include <cstddef>    // std::byte
#include <cstdint>    // std::int64_t
#include <cstring>    // std::memcpy
#include <fanfold/core/tensor.hpp>
#include <filesystem>    // std::filesystem::path
#include <fstream>       // std::ifstream
#include <iterator>      // std::istreambuf_iterator
#include <stdexcept>     // std::runtime_error
#include <string>        // std::string
#include <string_view>   // std::string_view
#include <system_error>  // std::errc
#include <utility>       // std::pair
#include <vector>        // std::vector

namespace npy {

namespace detail {

/// NumPy has no bfloat16; two bytes without a meaning are what ml_dtypes makes of it.
inline constexpr std::array<std::pair<fanfold::element, std::string_view>, 13> descriptions{{
    {fanfold::element::float32, "<f4"},
    {fanfold::element::float64, "<f8"},
    {fanfold::element::float16, "<f2"},
    {fanfold::element::bfloat16, "<V2"},
    {fanfold::element::int8, "|i1"},
    {fanfold::element::int16, "<i2"},
    {fanfold::element::int32, "<i4"},
    {fanfold::element::int64, "<i8"},
    {fanfold::element::uint8, "|u1"},
    {fanfold::element::uint16, "<u2"},
    {fanfold::element::uint32, "<u4"},
    {fanfold::element::uint64, "<u8"},
    {fanfold::element::boolean, "|b1"},
}};

inline constexpr std::string_view magic{"\x93NUMPY\x01\x00", 8};

[[noreturn]] inline void refuse(const std::string& expected, std::string_view got) {
    throw std::runtime_error("expected " + expected + ", got " + std::string(got.substr(0, 60)));
}

/// What follows "'key':" in the header, without spaces in front.
inline std::string_view value_of(std::string_view header, const std::string& key) {
    const std::size_t at = header.find("'" + key + "':");
    if (at == std::string_view::npos) refuse("a header with '" + key + "'", header);
    std::string_view value = header.substr(at + key.size() + 3);
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    return value;
}

inline fanfold::element element_in(std::string_view value) {
    if (value.size() >= 5 && (value[0] == '\'' || value[0] == '"') && value[4] == value[0])
        for (const auto& [type, text] : descriptions)
            if (value.substr(1, 3) == text ||
                (value[1] == '<' && text[0] == '|' && value.substr(2, 2) == text.substr(1)))
                return type;
    refuse("a little-endian number or bool as 'descr'", value);
}

/// "(3, 4)", "(3,)", "()"
inline fanfold::shape shape_in(std::string_view value) {
    const std::size_t end = value.find(')');
    if (value.empty() || value[0] != '(' || end == std::string_view::npos) refuse("a tuple as 'shape'", value);
    std::vector<std::int64_t> extents;
    for (const char* at = value.data() + 1; at != value.data() + end;) {
        if (*at == ' ' || *at == ',') {
            ++at;
            continue;
        }
        std::int64_t extent = 0;
        const auto [next, error] = std::from_chars(at, value.data() + end, extent);
        if (error != std::errc() || extent < 0) refuse("extents as 'shape'", value);
        extents.push_back(extent);
        at = next;
    }
    return fanfold::shape(std::span<const std::int64_t>(extents));
}

}  // namespace detail

/// A dense row-major tensor out of a file's bytes.
///
/// errors   throws std::runtime_error for other versions, column-major order, big-endian, structured or text elements,
///          and where data is missing or too long; std::invalid_argument for more axes than fanfold::shape holds
/// source   numpy.lib.format, version 1.0
[[nodiscard]] inline fanfold::tensor parse(std::string_view bytes) {
    using namespace detail;
    if (!bytes.starts_with(magic)) refuse("an .npy file of version 1.0", "other bytes");
    bytes.remove_prefix(magic.size());
    if (bytes.size() < 2) refuse("a header", "the end of the file");
    const std::size_t length =
        static_cast<unsigned char>(bytes[0]) + std::size_t{256} * static_cast<unsigned char>(bytes[1]);
    bytes.remove_prefix(2);
    if (bytes.size() < length) refuse("a header", "the end of the file");
    const std::string_view header = bytes.substr(0, length);
    bytes.remove_prefix(length);
    if (!value_of(header, "fortran_order").starts_with("False")) refuse("row-major order", "fortran_order");
    const fanfold::element type = element_in(value_of(header, "descr"));
    const fanfold::shape extents = shape_in(value_of(header, "shape"));
    std::size_t size = 0;
    if (__builtin_mul_overflow(extents.volume(), fanfold::size_of(type), &size) || size != bytes.size())
        refuse(std::string(fanfold::name_of(type)) + " " + extents.text(), std::to_string(bytes.size()) + " bytes");
    fanfold::tensor out = fanfold::tensor::uninitialized(type, extents);
    if (size != 0) std::memcpy(out.data(), bytes.data(), size);
    if (type == fanfold::element::boolean)  // any other byte than 0 and 1 is no bool to the compiler
        std::transform(out.data(), out.data() + size, out.data(),
                       [](std::byte b) { return b == std::byte{0} ? b : std::byte{1}; });
    return out;
}

/// The file that holds these elements.
[[nodiscard]] inline std::string text(const fanfold::tensor_view& elements) {
    std::string header = "{'descr': '";
    for (const auto& [type, description] : detail::descriptions)
        if (type == elements.type()) header += description;
    header += "', 'fortran_order': False, 'shape': (";
    for (const std::int64_t extent : elements.shape()) header += std::to_string(extent) + ", ";
    if (elements.rank() > 1) header.resize(header.size() - 2);
    if (elements.rank() == 1) header.pop_back();
    header += "), }";
    const std::size_t before = detail::magic.size() + 2;
    while ((before + header.size() + 1) % 64 != 0) header += ' ';
    header += '\n';
    std::string out(detail::magic);
    out += static_cast<char>(header.size() % 256);
    out += static_cast<char>(header.size() / 256);
    out += header;
    const fanfold::tensor dense(elements);
    return out.append(reinterpret_cast<const char*>(dense.data()), dense.bytes());
}

/// errors   as parse, with the file's name in front
[[nodiscard]] inline fanfold::tensor read(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw std::runtime_error(file.string() + ": cannot be opened");
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    try {
        return parse(bytes);
    } catch (const std::exception& error) {
        throw std::runtime_error(file.string() + ": " + error.what());
    }
}

inline void write(const std::filesystem::path& file, const fanfold::tensor_view& elements) {
    std::ofstream out(file, std::ios::binary);
    const std::string bytes = text(elements);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out) throw std::runtime_error(file.string() + ": cannot be written");
}

}  // namespace npy
