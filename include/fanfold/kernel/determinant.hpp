// fanfold/kernel/determinant.hpp - determinants of square matrices.
//   in    [..., M, M]      out   [...]
// SPDX-License-Identifier: MIT
#pragma once
#include <cmath>      // std::abs
#include <cstddef>    // std::size_t
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <utility>    // std::swap

#include "../context/workspace.hpp"
#include "../core/view.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// out = the determinant of each matrix: Gaussian elimination with row exchanges, in double; 1 for an empty matrix.
///
/// shapes   in [..., M, M], out as many elements as there are matrices; dense, float or double
/// cost     2/3 M^3 flops a matrix
/// errors   throws std::invalid_argument when the shapes do not fit
/// threads  re-entrant with a workspace each
/// source   ONNX Det-11
template <class T>
void determinant(const view<const T>& in, const view<T>& out, workspace& space) {
    const std::size_t rank = in.rank();
    std::size_t matrices = rank < 2 ? 0 : 1;
    for (std::size_t axis = 0; axis + 2 < rank; ++axis) matrices *= static_cast<std::size_t>(in.extent(axis));
    if (rank < 2 || in.extent(rank - 1) != in.extent(rank - 2) || out.size() != matrices || !in.dense() || !out.dense())
        throw std::invalid_argument("determinant: " + in.shape().text() + " into " + out.shape().text());
    const auto n = static_cast<std::size_t>(in.extent(rank - 1));
    const workspace::scope scope(space);
    const auto m = space.take<double>(n * n);
    for (std::size_t matrix = 0; matrix < matrices; ++matrix) {
        for (std::size_t i = 0; i < n * n; ++i) m[i] = static_cast<double>(in.data()[matrix * n * n + i]);
        double product = 1;
        for (std::size_t k = 0; k < n; ++k) {
            if (n > 64) space.stop.check();
            std::size_t pivot = k;
            for (std::size_t row = k + 1; row < n; ++row)
                if (std::abs(m[row * n + k]) > std::abs(m[pivot * n + k])) pivot = row;
            if (pivot != k) {
                product = -product;
                for (std::size_t i = k; i < n; ++i) std::swap(m[k * n + i], m[pivot * n + i]);
            }
            product *= m[k * n + k];
            if (m[k * n + k] == 0) break;
            for (std::size_t row = k + 1; row < n; ++row) {
                const double factor = m[row * n + k] / m[k * n + k];
                for (std::size_t i = k + 1; i < n; ++i) m[row * n + i] -= factor * m[k * n + i];
            }
        }
        out.data()[matrix] = static_cast<T>(product);
    }
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
