// fanfold/core/adapt.hpp - how a foreign container is seen as a tensor without a copy, and a tensor as it.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>        // std::array
#include <concepts>     // std::same_as
#include <span>         // std::span
#include <type_traits>  // std::remove_cvref_t
#include <vector>       // std::vector

#include "tensor.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Customization point. A specialization has any of
///   static tensor_view view(const T&);             the elements of a T, in place
///   static mutable_tensor_view mutable_view(T&);   the same, writable
///   using scalar = ...;                            where it is known at compile time: makes a T a view<const scalar>
///   static T from(const tensor_view&);             a T that refers to (or copies) the elements of a tensor
///   static T from(const mutable_tensor_view&);     the same, writable
///   using plain = ...;                             for lazy expressions: the type that owns their value
///   using owner = ...;                             where a copy of a T may not own the elements: the type that does
/// core/eigen.hpp and core/eigen_tensor.hpp add Eigen's types.
template <class T>
struct adapt {};

/// Its elements can be seen as a tensor where they lie.
template <class T>
concept viewable = requires(const std::remove_cvref_t<T>& value) {
    { adapt<std::remove_cvref_t<T>>::view(value) } -> std::same_as<tensor_view>;
};

template <class T>
using plain_of = typename adapt<std::remove_cvref_t<T>>::plain;

/// A lazy expression whose value has to be computed before it can be seen as a tensor.
template <class T>
concept materializable = viewable<plain_of<T>> && std::constructible_from<plain_of<T>, const std::remove_cvref_t<T>&>;

/// A tensor can be handed over as a T; `View` says whether it may be written.
template <class T, class View = tensor_view>
concept castable_from = requires(const View& elements) {
    { adapt<T>::from(elements) } -> std::same_as<T>;
};

/// The elements of any viewable object as a tensor, in place.
template <viewable T>
[[nodiscard]] tensor_view as_view(const T& value) {
    return adapt<T>::view(value);
}

template <>
struct adapt<tensor_view> {
    static tensor_view view(const tensor_view& v) { return v; }
    static tensor_view from(const tensor_view& v) { return v; }
};
template <>
struct adapt<mutable_tensor_view> {
    static tensor_view view(const mutable_tensor_view& v) { return v; }
    static mutable_tensor_view from(const mutable_tensor_view& v) { return v; }
};
template <>
struct adapt<tensor> {
    static tensor_view view(const tensor& t) { return t; }
};
template <class T>
requires element_type<std::remove_const_t<T>>
struct adapt<view<T>> {
    static tensor_view view(const fanfold::view<T>& v) { return v; }
    static fanfold::view<T> from(const tensor_view& v) requires std::is_const_v<T> {
        return v.as<std::remove_const_t<T>>();
    }
    static fanfold::view<T> from(const mutable_tensor_view& v) { return v.as<std::remove_const_t<T>>(); }
};
template <class T>
requires element_type<std::remove_const_t<T>>
struct adapt<std::span<T>> {
    static tensor_view view(const std::span<T>& s) { return fanfold::view<T>(s); }
    static std::span<T> from(const tensor_view& v) requires std::is_const_v<T> {
        return v.as<std::remove_const_t<T>>().flat();
    }
    static std::span<T> from(const mutable_tensor_view& v) { return v.as<std::remove_const_t<T>>().flat(); }
};
template <element_type T>
requires(!std::same_as<T, bool>)  // std::vector<bool> holds bits
    struct adapt<std::vector<T>> {
    using scalar = T;
    static tensor_view view(const std::vector<T>& v) { return fanfold::view<const T>(std::span<const T>(v)); }
    static mutable_tensor_view mutable_view(std::vector<T>& v) { return fanfold::view<T>(std::span<T>(v)); }
};
template <element_type T, std::size_t N>
struct adapt<std::array<T, N>> {
    using scalar = T;
    static tensor_view view(const std::array<T, N>& v) { return fanfold::view<const T>(std::span<const T>(v)); }
    static mutable_tensor_view mutable_view(std::array<T, N>& v) { return fanfold::view<T>(std::span<T>(v)); }
};

}  // namespace fanfold::inline FANFOLD_ABI
