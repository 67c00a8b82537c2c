// fanfold/core/element.hpp - the element types a tensor may hold, chosen at run time.
// SPDX-License-Identifier: MIT
#pragma once
#include <concepts>     // std::same_as
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view
#include <type_traits>  // std::remove_cv_t

#include "half.hpp"

namespace fanfold::inline FANFOLD_ABI {

enum class element : std::uint8_t {
    float32,
    float64,
    float16,
    bfloat16,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
    boolean
};

namespace detail {

template <element Type>
struct element_id {
    static constexpr element id = Type;
};
template <class T>
struct element_of_type {};
template <>
struct element_of_type<float> : element_id<element::float32> {};
template <>
struct element_of_type<double> : element_id<element::float64> {};
template <>
struct element_of_type<float16> : element_id<element::float16> {};
template <>
struct element_of_type<bfloat16> : element_id<element::bfloat16> {};
template <>
struct element_of_type<std::int8_t> : element_id<element::int8> {};
template <>
struct element_of_type<std::int16_t> : element_id<element::int16> {};
template <>
struct element_of_type<std::int32_t> : element_id<element::int32> {};
template <>
struct element_of_type<std::int64_t> : element_id<element::int64> {};
template <>
struct element_of_type<std::uint8_t> : element_id<element::uint8> {};
template <>
struct element_of_type<std::uint16_t> : element_id<element::uint16> {};
template <>
struct element_of_type<std::uint32_t> : element_id<element::uint32> {};
template <>
struct element_of_type<std::uint64_t> : element_id<element::uint64> {};
template <>
struct element_of_type<bool> : element_id<element::boolean> {};

}  // namespace detail

/// A C++ type that a tensor can hold.
template <class T>
concept element_type = requires {
    detail::element_of_type<T>::id;
};

template <class T>
requires element_type<std::remove_cv_t<T>>
inline constexpr element element_of = detail::element_of_type<std::remove_cv_t<T>>::id;

[[nodiscard]] constexpr std::size_t size_of(element type) noexcept {
    switch (type) {
        case element::boolean:
        case element::int8:
        case element::uint8: return 1;
        case element::float16:
        case element::bfloat16:
        case element::int16:
        case element::uint16: return 2;
        case element::float32:
        case element::int32:
        case element::uint32: return 4;
        case element::float64:
        case element::int64:
        case element::uint64: return 8;
    }
    return 0;
}

[[nodiscard]] constexpr std::string_view name_of(element type) noexcept {
    switch (type) {
        case element::float32: return "float32";
        case element::float64: return "float64";
        case element::float16: return "float16";
        case element::bfloat16: return "bfloat16";
        case element::int8: return "int8";
        case element::int16: return "int16";
        case element::int32: return "int32";
        case element::int64: return "int64";
        case element::uint8: return "uint8";
        case element::uint16: return "uint16";
        case element::uint32: return "uint32";
        case element::uint64: return "uint64";
        case element::boolean: return "bool";
    }
    return "?";
}

/// float32, float64, float16 or bfloat16.
[[nodiscard]] constexpr bool is_floating(element type) noexcept {
    return type == element::float32 || type == element::float64 || type == element::float16 ||
           type == element::bfloat16;
}

/// Calls `f` with a value of the C++ type that `type` names, e.g. `visit_element(t, [&]<class T>(T) { ... })`.
/// Everything in `f` is compiled once per type: for copies, use visit_width.
template <class F>
constexpr decltype(auto) visit_element(element type, F&& f) {
    switch (type) {
        case element::float64: return f(double{});
        case element::float16: return f(float16{});
        case element::bfloat16: return f(bfloat16{});
        case element::int8: return f(std::int8_t{});
        case element::int16: return f(std::int16_t{});
        case element::int32: return f(std::int32_t{});
        case element::int64: return f(std::int64_t{});
        case element::uint8: return f(std::uint8_t{});
        case element::uint16: return f(std::uint16_t{});
        case element::uint32: return f(std::uint32_t{});
        case element::uint64: return f(std::uint64_t{});
        case element::boolean: return f(bool{});
        case element::float32: break;
    }
    return f(float{});
}

/// Calls `f` with an unsigned integer as wide as an element: for what moves elements and never looks at them.
template <class F>
constexpr decltype(auto) visit_width(element type, F&& f) {
    switch (size_of(type)) {
        case 1: return f(std::uint8_t{});
        case 2: return f(std::uint16_t{});
        case 8: return f(std::uint64_t{});
        default: return f(std::uint32_t{});
    }
}

}  // namespace fanfold::inline FANFOLD_ABI
