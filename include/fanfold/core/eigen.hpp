// fanfold/core/eigen.hpp - Eigen matrices, arrays and vectors as tensors, and tensors as Eigen maps, without a copy.
// SPDX-License-Identifier: MIT
#pragma once
#include <Eigen/Core>   // Eigen::Map
#include <concepts>     // std::derived_from
#include <cstdint>      // std::int64_t
#include <stdexcept>    // std::invalid_argument
#include <type_traits>  // std::conditional_t

#include "adapt.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// A row-major matrix over elements that lie elsewhere; `T` is const for read-only ones. A callable that takes a
/// `matrix_map<const float>` is a model: it gets the rows of its shard as [rows, everything else].
template <class T>
using matrix_map = Eigen::Map<std::conditional_t<
    std::is_const_v<T>, const Eigen::Matrix<std::remove_const_t<T>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>,
    Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>>;

namespace detail {

template <class T>
concept eigen_dense = std::derived_from<T, Eigen::DenseBase<T>> && element_type<typename T::Scalar>;

/// Elements lie in memory (matrices, maps, refs, blocks), as opposed to being computed on access.
template <class T>
concept eigen_in_memory = eigen_dense<T> &&(int(Eigen::internal::traits<T>::Flags) & int(Eigen::DirectAccessBit)) != 0;

template <class T>
struct eigen_owner {};
template <class M, int Options, class Stride>
struct eigen_owner<Eigen::Ref<const M, Options, Stride>> {  // may hold a temporary, which its copy would only refer to
    using owner = M;
};

template <class T>
concept eigen_writable = (int(Eigen::internal::traits<T>::Flags) & int(Eigen::LvalueBit)) != 0;

}  // namespace detail

/// Any tensor as a matrix [extent(0), product of the other extents]; a rank-1 tensor is a column, rank 0 is [1, 1].
///
/// errors   throws std::invalid_argument when the element type differs or the tensor is strided
template <element_type T>
[[nodiscard]] matrix_map<const T> as_matrix(const tensor_view& elements) {
    const auto values = elements.as<T>().flat();
    const Eigen::Index rows = elements.rank() == 0 ? 1 : elements.extent(0);
    Eigen::Index columns = 1;  // without rows, too: an empty shard still multiplies with the weights
    for (std::size_t axis = 1; axis < elements.rank(); ++axis) columns *= elements.extent(axis);
    return {values.data(), rows, columns};
}
template <element_type T>
[[nodiscard]] matrix_map<T> as_matrix(const mutable_tensor_view& elements) {
    const auto seen = as_matrix<T>(tensor_view(elements));
    return {const_cast<T*>(seen.data()), seen.rows(), seen.cols()};
}

/// A matrix is a rank-2 tensor, a vector (known as one at compile time) a rank-1 tensor, in whichever storage order.
template <class T>
requires detail::eigen_in_memory<T>
struct adapt<T> : detail::eigen_owner<T> {
    using scalar = typename T::Scalar;

    static tensor_view view(const T& m) {
        if constexpr (T::IsVectorAtCompileTime)
            return fanfold::view<const scalar>(m.data(), shape{m.size()}, strides{m.innerStride()});
        else
            return fanfold::view<const scalar>(m.data(), shape{m.rows(), m.cols()},
                                               strides{m.rowStride(), m.colStride()});
    }
    static mutable_tensor_view mutable_view(T& m) requires detail::eigen_writable<T> {
        const tensor_view seen = view(m);
        return {const_cast<std::byte*>(seen.data()), seen.type(), seen.shape(), seen.steps()};
    }
    static T from(const tensor_view& v) requires std::same_as<T, matrix_map<const typename T::Scalar>> {
        return as_matrix<typename T::Scalar>(v);
    }
    static T from(const mutable_tensor_view& v) requires std::same_as<T, matrix_map<typename T::Scalar>> {
        return as_matrix<typename T::Scalar>(v);
    }
};

/// Expressions (`rows * weights`) are evaluated once, into the matrix that Eigen itself would choose.
template <class T>
requires(detail::eigen_dense<T> && !detail::eigen_in_memory<T>) struct adapt<T> {
    using plain = typename T::PlainObject;
};

}  // namespace fanfold::inline FANFOLD_ABI
