// fanfold/core/eigen_tensor.hpp - Eigen::Tensor and Eigen::TensorMap as tensors and back; apart, for its include cost.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>                       // std::max
#include <array>                           // std::array
#include <concepts>                        // std::derived_from
#include <span>                            // std::span
#include <stdexcept>                       // std::invalid_argument
#include <string>                          // std::to_string
#include <type_traits>                     // std::conditional_t
#include <unsupported/Eigen/CXX11/Tensor>  // Eigen::TensorMap

#include "adapt.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// A row-major Eigen tensor over elements that lie elsewhere; `T` is const for read-only ones. A callable that takes a
/// `tensor_map<const float, 4>` is a model.
template <class T, int Rank>
using tensor_map = Eigen::TensorMap<
    std::conditional_t<std::is_const_v<T>, const Eigen::Tensor<std::remove_const_t<T>, Rank, Eigen::RowMajor>,
                       Eigen::Tensor<T, Rank, Eigen::RowMajor>>>;

/// A dense tensor of rank `Rank` as an Eigen::TensorMap.
///
/// errors   throws std::invalid_argument when the element type or the rank differs or the tensor is strided
template <element_type T, int Rank>
[[nodiscard]] tensor_map<const T, Rank> as_tensor_map(const tensor_view& elements) {
    if (elements.rank() != static_cast<std::size_t>(Rank))
        throw std::invalid_argument("tensor " + elements.shape().text() + " as a map of rank " + std::to_string(Rank));
    std::array<Eigen::Index, static_cast<std::size_t>(Rank)> extents{};
    for (std::size_t axis = 0; axis < extents.size(); ++axis) extents[axis] = elements.extent(axis);
    return {elements.as<T>().flat().data(), extents};
}
template <element_type T, int Rank>
[[nodiscard]] tensor_map<T, Rank> as_tensor_map(const mutable_tensor_view& elements) {
    const auto seen = as_tensor_map<T, Rank>(tensor_view(elements));
    return {const_cast<T*>(seen.data()), seen.dimensions()};
}

namespace detail {

template <class T>
concept eigen_tensor_expression = std::derived_from<T, Eigen::TensorBase<T, Eigen::ReadOnlyAccessors>> ||
    std::derived_from<T, Eigen::TensorBase<T, Eigen::WriteAccessors>>;

template <class T>
inline constexpr bool is_eigen_tensor = false;
template <class S, int R, int O, class I>
inline constexpr bool is_eigen_tensor<Eigen::Tensor<S, R, O, I>> = true;
template <class P, int O, template <class> class M>
inline constexpr bool is_eigen_tensor<Eigen::TensorMap<P, O, M>> = true;

}  // namespace detail

template <class T>
requires detail::is_eigen_tensor<T>
struct adapt<T> {
    using scalar = std::remove_const_t<typename T::Scalar>;
    static constexpr int rank = T::NumIndices;

    static tensor_view view(const T& t) {
        shape extents;
        strides steps{};
        std::array<std::int64_t, static_cast<std::size_t>(rank)> sizes{};
        for (std::size_t axis = 0; axis < sizes.size(); ++axis) sizes[axis] = t.dimensions()[axis];
        extents = shape(std::span<const std::int64_t>(sizes));
        steps = dense_strides(extents);
        if constexpr (int(T::Layout) == int(Eigen::ColMajor)) {
            std::int64_t step = 1;
            for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
                steps[axis] = step;
                step *= std::max<std::int64_t>(sizes[axis], 1);
            }
        }
        return fanfold::view<const scalar>(t.data(), extents, steps);
    }
    static mutable_tensor_view mutable_view(T& t) requires(
        !std::is_const_v<std::remove_pointer_t<decltype(t.data())>>) {
        const tensor_view seen = view(t);
        return {const_cast<std::byte*>(seen.data()), seen.type(), seen.shape(), seen.steps()};
    }
    static T from(const tensor_view& v) requires std::same_as<T, tensor_map<const scalar, rank>> {
        return as_tensor_map<scalar, rank>(v);
    }
    static T from(const mutable_tensor_view& v) requires std::same_as<T, tensor_map<scalar, rank>> {
        return as_tensor_map<scalar, rank>(v);
    }
};

template <class T>
requires(detail::eigen_tensor_expression<T> && !detail::is_eigen_tensor<T>) struct adapt<T> {
    using plain = Eigen::Tensor<std::remove_const_t<typename T::Scalar>, Eigen::internal::traits<T>::NumDimensions,
                                Eigen::internal::traits<T>::Layout>;
};

}  // namespace fanfold::inline FANFOLD_ABI
