// fanfold/kernel/space.hpp - moves blocks of pixels into channels and back.
//   in    [N, C, H, W] of any type      out   [N, C / b^2, H b, W b], or the other way round
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string

#include "../core/view.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// Whether the block's place is the slower or the faster part of the channel number: DCR or CRD.
enum class depth_order : std::uint8_t { block_then_channel, channel_then_block };

namespace detail {

inline void check_space(const char* who, const tensor_view& deep, const tensor_view& wide, std::int64_t block) {
    const bool ranks = deep.rank() == 4 && wide.rank() == 4 && block >= 1;
    if (!ranks || deep.extent(1) != wide.extent(1) * block * block || deep.extent(0) != wide.extent(0) ||
        deep.extent(2) * block != wide.extent(2) || deep.extent(3) * block != wide.extent(3) || !deep.dense() ||
        !wide.dense() || deep.type() != wide.type())
        throw std::invalid_argument(std::string(who) + ": " + describe(deep) + " and " + describe(wide) +
                                    " are not the two ends of blocks of " + std::to_string(block));
}

/// Calls copy(deep offset, wide offset, count, wide step) for runs of pixels.
template <class Copy>
void for_each_block_run(const shape& deep, const shape& wide, std::int64_t b, depth_order order, Copy&& copy) {
    const std::int64_t channels = wide[1], height = deep[2], width = deep[3];
    for (std::int64_t n = 0; n < wide[0]; ++n)
        for (std::int64_t c = 0; c < channels; ++c)
            for (std::int64_t y = 0; y < height; ++y)
                for (std::int64_t i = 0; i < b; ++i)
                    for (std::int64_t j = 0; j < b; ++j) {
                        const std::int64_t place = i * b + j;
                        const std::int64_t channel =
                            order == depth_order::block_then_channel ? place * channels + c : c * b * b + place;
                        copy(((n * deep[1] + channel) * height + y) * width,
                             (((n * channels + c) * height + y) * b + i) * width * b + j, width, b);
                    }
}

}  // namespace detail

/// Channels become blocks of pixels.
///
/// shapes   in [N, C, H, W], out [N, C / block^2, H block, W block], dense, of one type
/// errors   throws std::invalid_argument when the shapes do not fit
/// source   ONNX DepthToSpace-13
inline void depth_to_space(const tensor_view& in, std::int64_t block, depth_order order,
                           const mutable_tensor_view& out) {
    detail::check_space("depth_to_space", in, out, block);
    visit_width(in.type(), [&]<class Word>(Word) {
        const auto* from = reinterpret_cast<const Word*>(in.data());
        auto* to = reinterpret_cast<Word*>(out.data());
        detail::for_each_block_run(in.shape(), out.shape(), block, order,
                                   [&](std::int64_t deep, std::int64_t wide, std::int64_t count, std::int64_t step) {
                                       for (std::int64_t x = 0; x < count; ++x) to[wide + x * step] = from[deep + x];
                                   });
    });
}

/// Blocks of pixels become channels, the block's place first:
/// the inverse of depth_to_space in block_then_channel order.
///
/// shapes   in [N, C, H, W], out [N, C block^2, H / block, W / block], dense, of one type
/// errors   throws std::invalid_argument when the shapes do not fit
/// source   ONNX SpaceToDepth-13
inline void space_to_depth(const tensor_view& in, std::int64_t block, const mutable_tensor_view& out) {
    detail::check_space("space_to_depth", out, in, block);
    visit_width(in.type(), [&]<class Word>(Word) {
        const auto* from = reinterpret_cast<const Word*>(in.data());
        auto* to = reinterpret_cast<Word*>(out.data());
        detail::for_each_block_run(out.shape(), in.shape(), block, depth_order::block_then_channel,
                                   [&](std::int64_t deep, std::int64_t wide, std::int64_t count, std::int64_t step) {
                                       for (std::int64_t x = 0; x < count; ++x) to[deep + x] = from[wide + x * step];
                                   });
    });
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
