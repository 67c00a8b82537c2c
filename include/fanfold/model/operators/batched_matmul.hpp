// fanfold/model/operators/batched_matmul.hpp - a matrix product of two values that are known at run time only.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::max, std::min
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t, std::uint64_t
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../../kernel/matmul.hpp"
#include "../../kernel/plain_matmul.hpp"
#include "../operation.hpp"
#include "matrix_stack.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

[[nodiscard]] inline bool multiplies(element type) noexcept {
    return type == element::float32 || type == element::float64 || type == element::int32 || type == element::uint32 ||
           type == element::int64 || type == element::uint64;
}

}  // namespace detail

/// y = a b over the last two axes; leading axes broadcast. A float32 b is packed into scratch, once a matrix.
///
/// shapes   a [.., M, K], b [.., K, C] -> [.., M, C], float32, float64, or integers of 32 or 64 bits; a of rank 1 is
///          [1, K], b of rank 1 is [K, 1], and the axis added goes again
/// errors   answers throws std::invalid_argument naming both operands when they do not fit
/// source   ONNX MatMul-13; Gemm-13 with operands known at run time
class batched_matmul {
public:
    explicit batched_matmul(transposed a_form = transposed::no, transposed b_form = transposed::no,
                            std::string name = "MatMul")
        : name_(std::move(name)), a_form_(a_form), b_form_(b_form) {}

    [[nodiscard]] std::string_view name() const noexcept { return name_; }

    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2);
        if (in[0].type != in[1].type || !detail::multiplies(in[0].type))
            detail::refuse("two operands of one type, float32, float64 or integers of 32 or 64 bits",
                           in[0].text() + " and " + in[1].text());
        return {{in[0].type, detail::product_of(in[0], a_form_, in[1], b_form_).answer}};
    }

    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        return detail::product_of(in[0], a_form_, in[1], b_form_).inner.depends_on_rows();
    }

    [[nodiscard]] std::size_t scratch_bytes(std::span<const shape> in) const {
        const std::size_t rank = in[1].rank();
        const std::int64_t columns = rank < 2 ? 1 : in[1][b_form_ == transposed::yes ? rank - 2 : rank - 1];
        const std::int64_t inner = rank < 2 ? in[1][0] : in[1][b_form_ == transposed::yes ? rank - 1 : rank - 2];
        return workspace::rounded(packed_floats(inner, columns) * sizeof(float));
    }

    [[nodiscard]] std::uint64_t flops(std::span<const shape> in) const {
        const auto type = [](const shape& s) { return value_type{element::float32, s}; };
        const auto product = detail::product_of(type(in[0]), a_form_, type(in[1]), b_form_);
        return 2 * static_cast<std::uint64_t>(product.inner.fixed) * product.answer.at(1).volume();
    }

    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        const detail::matrix_stack a(in[0], a_form_, operand::left);
        const detail::matrix_stack b(in[1], b_form_, operand::right);
        const std::int64_t count = static_cast<std::int64_t>(out[0].size()) / (a.rows * b.columns);
        switch (out[0].type()) {
            case element::float32: return packed(a, b, count, in, out[0].as<float>().data(), space);
            case element::float64: return plain<double>(a, b, count, out[0], space.tiles);
            case element::int32:
            case element::uint32: return plain<std::uint32_t>(a, b, count, out[0], space.tiles);
            default: return plain<std::uint64_t>(a, b, count, out[0], space.tiles);
        }
    }

    [[nodiscard]] transposed a_form() const noexcept { return a_form_; }
    [[nodiscard]] transposed b_form() const noexcept { return b_form_; }

private:
    static std::size_t packed_floats(std::int64_t inner, std::int64_t columns) {
        return kernel::packed_matrix::packed_floats(static_cast<std::size_t>(inner), static_cast<std::size_t>(columns));
    }

    void packed(const detail::matrix_stack& a, const detail::matrix_stack& b, std::int64_t count,
                std::span<const tensor_view> in, float* answers, workspace& space) const {
        const workspace::scope here(space);
        const std::size_t floats = packed_floats(a.columns, b.columns);
        if (b.count == 1 && a.count == count && a_form_ == transposed::no) {  // one tall product
            const kernel::packed_view right = kernel::pack(b.at(0).as<float>(), space.take<float>(floats));
            const view<const float> tall(in[0].as<float>().data(), shape{count * a.rows, a.columns});
            kernel::matmul(tall, right, view<float>(answers, shape{count * a.rows, b.columns}),
                           kernel::activation::none, space.tiles);
            return;
        }
        const auto matrix = static_cast<std::uint64_t>(a.columns * b.columns);
        const std::uint64_t work =
            (2 * static_cast<std::uint64_t>(a.rows) + 32) * matrix * static_cast<std::uint64_t>(count);
        const std::size_t parts = space.tiles.tiles(work, static_cast<std::size_t>(count));
        const std::size_t slots = space.tiles.slots(parts),
                          step = workspace::rounded(floats * sizeof(float)) / sizeof(float);
        const std::span<float> rooms = space.take<float>(slots * step);
        const tile_loop inside = parts > 1 ? tile_loop() : space.tiles;
        space.tiles(parts, [&](std::size_t part, std::size_t slot) {
            const std::span<float> room = rooms.subspan(slot * step, floats);
            const auto at = [&](std::size_t p) {
                return count * static_cast<std::int64_t>(p) / static_cast<std::int64_t>(parts);
            };
            kernel::packed_view right;
            std::int64_t packed_at = -1;
            detail::for_each_product(
                a, b, at(part), at(part + 1), [&](std::int64_t i, std::int64_t a_at, std::int64_t b_at) {
                    if (b_at != packed_at) right = kernel::pack(b.at(b_at).as<float>(), room);
                    packed_at = b_at;
                    kernel::matmul(a.at(a_at).as<float>(), right,
                                   view<float>(answers + i * a.rows * b.columns, shape{a.rows, b.columns}),
                                   kernel::activation::none, inside);
                });
        });
    }

    /// T is as wide as the elements; integers of either sign have the same products.
    template <class T>
    static void plain(const detail::matrix_stack& a, const detail::matrix_stack& b, std::int64_t count,
                      const mutable_tensor_view& out, const tile_loop& tiles) {
        const auto words = [](const tensor_view& v) {
            return view<const T>(reinterpret_cast<const T*>(v.data()), v.shape(), v.steps());
        };
        const auto rows = static_cast<std::size_t>(a.rows);
        const std::size_t all = rows * static_cast<std::size_t>(count);
        const std::uint64_t work = 8 * std::uint64_t{all} * static_cast<std::uint64_t>(a.columns * b.columns);
        tiles.ranges(all, work, [&](std::size_t first, std::size_t last) {
            const auto product = [&](std::size_t row) { return static_cast<std::int64_t>(row / rows); };
            detail::for_each_product(
                a, b, product(first), product(last - 1) + 1, [&](std::int64_t i, std::int64_t a_at, std::int64_t b_at) {
                    const std::int64_t from = std::max(static_cast<std::int64_t>(first), i * a.rows);
                    const std::int64_t to = std::min(static_cast<std::int64_t>(last), (i + 1) * a.rows);
                    const view<const T> left = words(a.at(a_at));
                    kernel::plain_matmul(
                        view<const T>(left.data() + (from - i * a.rows) * left.step(0), left.shape().with(0, to - from),
                                      left.steps()),
                        words(b.at(b_at)),
                        view<T>(reinterpret_cast<T*>(out.data()) + from * b.columns, shape{to - from, b.columns}));
                });
        });
    }

    std::string name_;
    transposed a_form_;
    transposed b_form_;
};
static_assert(graph_operation<batched_matmul>);

}  // namespace fanfold::inline FANFOLD_ABI
