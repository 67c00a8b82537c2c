// fanfold/model/operators/space.hpp - blocks of pixels into channels and back.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>      // std::int64_t
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "../../kernel/space.hpp"
#include "../operation.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

inline void check_block(std::int64_t block) {
    if (block < 1 || block > (std::int64_t{1} << 20)) refuse("a block of 1 to 2^20", std::to_string(block));
}
/// Any type [N, C, H, W].
inline symbolic_shape expect_pixels(std::span<const argument> in) {
    expect_inputs(in, 1);
    if (!in[0].shape.ranked()) return symbolic_shape::of_rank(4);
    if (in[0].shape.rank() != 4) refuse("a value [N, C, H, W]", in[0].text());
    return in[0].shape;
}
[[nodiscard]] inline extent exactly(const extent& whole, std::int64_t by, const argument& from) {
    if (whole.constant() && whole.fixed % by != 0)
        refuse("an extent that " + std::to_string(by) + " divides", from.text());
    return whole / extent(by);
}

}  // namespace detail

/// Channels become blocks of pixels.
///
/// shapes   any type [N, C, H, W] -> [N, C / block^2, H block, W block]
/// source   ONNX DepthToSpace-13
class depth_to_space {
public:
    explicit depth_to_space(std::int64_t block, kernel::depth_order order = kernel::depth_order::block_then_channel)
        : block_(block), order_(order) {
        detail::check_block(block);
    }

    [[nodiscard]] std::string_view name() const noexcept { return "DepthToSpace"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        const symbolic_shape x = detail::expect_pixels(in);
        return {{in[0].type, {x[0], detail::exactly(x[1], block_ * block_, in[0]), x[2] * block_, x[3] * block_}}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        kernel::depth_to_space(in[0], block_, order_, out[0]);
    }

private:
    std::int64_t block_;
    kernel::depth_order order_;
};
static_assert(graph_operation<depth_to_space>);

/// Blocks of pixels become channels.
///
/// shapes   any type [N, C, H, W] -> [N, C block^2, H / block, W / block]
/// source   ONNX SpaceToDepth-13
class space_to_depth {
public:
    explicit space_to_depth(std::int64_t block) : block_(block) { detail::check_block(block); }

    [[nodiscard]] std::string_view name() const noexcept { return "SpaceToDepth"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        const symbolic_shape x = detail::expect_pixels(in);
        return {{in[0].type,
                 {x[0], x[1] * (block_ * block_), detail::exactly(x[2], block_, in[0]),
                  detail::exactly(x[3], block_, in[0])}}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        kernel::space_to_depth(in[0], block_, out[0]);
    }

private:
    std::int64_t block_;
};
static_assert(graph_operation<space_to_depth>);

}  // namespace fanfold::inline FANFOLD_ABI
