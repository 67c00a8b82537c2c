// fanfold/core/element.hpp - the element types a tensor may hold, chosen at run time.
// SPDX-License-Identifier: MIT
#pragma once
#include <concepts>     // std::same_as
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view
#include <type_traits>  // std::remove_cv_t

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {

enum class element : std::uint8_t { float32, float64, int32, int64, boolean };

/// A C++ type that a tensor can hold.
template <class T>
concept element_type = std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, std::int32_t> ||
    std::same_as<T, std::int64_t> || std::same_as<T, bool>;

template <class T>
requires element_type<std::remove_cv_t<T>>
inline constexpr element element_of = [] {
    using plain = std::remove_cv_t<T>;
    if constexpr (std::same_as<plain, float>) return element::float32;
    if constexpr (std::same_as<plain, double>) return element::float64;
    if constexpr (std::same_as<plain, std::int32_t>) return element::int32;
    if constexpr (std::same_as<plain, std::int64_t>) return element::int64;
    if constexpr (std::same_as<plain, bool>) return element::boolean;
}();

[[nodiscard]] constexpr std::size_t size_of(element type) noexcept {
    switch (type) {
        case element::float32:
        case element::int32: return 4;
        case element::float64:
        case element::int64: return 8;
        case element::boolean: return 1;
    }
    return 0;
}

[[nodiscard]] constexpr std::string_view name_of(element type) noexcept {
    switch (type) {
        case element::float32: return "float32";
        case element::float64: return "float64";
        case element::int32: return "int32";
        case element::int64: return "int64";
        case element::boolean: return "bool";
    }
    return "?";
}

/// Calls `f` with a value of the C++ type that `type` names, e.g. `visit_element(t, [&]<class T>(T) { ... })`.
template <class F>
constexpr decltype(auto) visit_element(element type, F&& f) {
    switch (type) {
        case element::float64: return f(double{});
        case element::int32: return f(std::int32_t{});
        case element::int64: return f(std::int64_t{});
        case element::boolean: return f(bool{});
        case element::float32: break;
    }
    return f(float{});
}

}  // namespace fanfold::inline FANFOLD_ABI
