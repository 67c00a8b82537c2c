// fanfold/model/operators/affine_grid.hpp - where the pixels of an image lie before an affine map,
// as grid_sample takes it.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <span>         // std::span
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "../operation.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// What -1 and 1 mean: the outer edges of the outermost pixels, or their centres.
enum class grid_ends { edges, centres };

/// Every pixel of images of the size that input 1 lists, mapped by a matrix for each image.
///
/// shapes   float32 or float64 [N, 2, 3] and int64 [4] = N, C, H, W -> [N, H, W, 2] as (horizontal, vertical);
///          or [N, 3, 4] and N, C, D, H, W -> [N, D, H, W, 3]
/// source   ONNX AffineGrid-20
class affine_grid {
public:
    static constexpr std::uint32_t shape_inputs = 0b10;

    explicit affine_grid(grid_ends ends = grid_ends::edges) : ends_(ends) {}

    [[nodiscard]] std::string_view name() const noexcept { return "AffineGrid"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2);
        const symbolic_shape size = detail::listed_shape(in[1]);
        const symbolic_shape& theta = in[0].shape;
        if (in[0].type != element::float32 && in[0].type != element::float64)
            detail::refuse("matrices of float32 or float64", in[0].text());
        if (!size.ranked()) return {{in[0].type, size}};
        const auto axes = static_cast<std::int64_t>(size.rank()) - 2;
        if (axes != 2 && axes != 3) detail::refuse("sizes N, C, H, W or N, C, D, H, W", in[1].text());
        if (!may_equal(theta, symbolic_shape{size[0], axes, axes + 1}))
            detail::refuse("matrices " + symbolic_shape{size[0], axes, axes + 1}.text(), in[0].text());
        symbolic_shape out{theta.ranked() ? theta[0] : size[0]};
        for (std::size_t axis = 2; axis < size.rank(); ++axis) out.push_back(size[axis]);
        out.push_back(axes);
        return {{in[0].type, out}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        if (in[0].type() == element::float32)
            fill(in[0].as<float>(), out[0].as<float>());
        else
            fill(in[0].as<double>(), out[0].as<double>());
    }

private:
    template <class T>
    [[nodiscard]] T place(std::int64_t i, std::int64_t count) const {
        if (ends_ == grid_ends::edges)
            return static_cast<T>(static_cast<double>(2 * i + 1) / static_cast<double>(count) - 1);
        return count == 1 ? T{0} : static_cast<T>(2 * static_cast<double>(i) / static_cast<double>(count - 1) - 1);
    }
    template <class T>
    void fill(const view<const T>& theta, const view<T>& out) const {
        const std::int64_t axes = theta.extent(1), volume = static_cast<std::int64_t>(out.size()) / axes;
        const std::int64_t plane = volume / out.extent(0);
        T* to = out.data();
        for (std::int64_t at = 0; at < volume; ++at) {
            T point[3] = {};
            std::int64_t rest = at % plane;
            for (std::int64_t axis = 0; axis < axes; ++axis) {  // horizontal first
                const std::int64_t count = out.extent(static_cast<std::size_t>(axes - axis));
                point[axis] = place<T>(rest % count, count);
                rest /= count;
            }
            for (std::int64_t row = 0; row < axes; ++row) {
                T sum = 0;
                for (std::int64_t k = 0; k < axes; ++k) sum += theta(at / plane, row, k) * point[k];
                *to++ = sum + theta(at / plane, row, axes);
            }
        }
    }

    grid_ends ends_;
};
static_assert(graph_operation<affine_grid>);

}  // namespace fanfold::inline FANFOLD_ABI
