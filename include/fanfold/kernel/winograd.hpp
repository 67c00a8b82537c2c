// fanfold/kernel/winograd.hpp - 2-D convolution with 3x3 windows of images whose channels lie side by side, by
// Winograd's minimal filtering: fewer products, larger weights, more rounding.
//   in    images [N, H, W, C], weights [O, C, 3, 3] transformed and packed      out   act(bias + convolution + addend)
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min, std::max, std::fill
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t, std::uint8_t, SIZE_MAX
#include <iterator>   // std::begin, std::end
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string

#include "../context/workspace.hpp"
#include "../core/tensor.hpp"
#include "activation.hpp"
#include "matmul.hpp"
#include "window.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// F(2x2, 3x3): 16 products for 36, weights of 1.8 times the size; with a stride of 2, 25 for 36, 2.8 times.
/// F(4x4, 3x3): 36 for 144, 4 times.
enum class winograd_tile : std::uint8_t { two = 2, four = 4 };

namespace detail {

struct winograd_call {
    const float* in;
    std::ptrdiff_t height, width, channels, top, left;
    int size;  // of a tile of the answer
    int stride;
    std::ptrdiff_t tiles_across;  // of an image
    std::ptrdiff_t tiles_down;
    std::ptrdiff_t first;    // tile of this block, counted over all images
    const float* weights;    // [frequency][columns / 16][channels][16]
    const float* bias;       // columns
    std::ptrdiff_t columns;  // outputs, rounded up to whole panels
    const float* addend;     // null: none
    float* out;
    std::ptrdiff_t out_height, out_width, outputs, out_pixel;  // floats from a pixel of the answer to the next
    float* transformed;   // [frequency][tile][room], frequencies `frequency_in` apart
    std::ptrdiff_t room;  // channels, rounded up
    std::size_t frequency_in;
    float* products;  // [frequency][tile][columns]
    std::size_t frequency_out;
    activation act;
};

enum class winograd_phase : std::uint8_t { input, products, output };

/// Where a tile of a block lies among the answers.
struct winograd_place {
    std::ptrdiff_t image, y, x;
    winograd_place(const winograd_call& c, std::ptrdiff_t tile, std::ptrdiff_t size)
        : image((c.first + tile) / (c.tiles_down * c.tiles_across)),
          y((c.first + tile) / c.tiles_across % c.tiles_down * size),
          x((c.first + tile) % c.tiles_across * size) {}
};

}  // namespace detail
}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI

// The order matters.
// clang-format off
#include "target/baseline_begin.inc"
#include "body/winograd.inc"
#include "target/end.inc"
#if FANFOLD_X86_64
#include "target/avx2_begin.inc"
#include "body/winograd.inc"
#include "target/end.inc"

#include "target/avx512_begin.inc"
#include "body/winograd.inc"
#include "target/end.inc"
#endif
// clang-format on

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// Owns the transformed weights and the bias of a convolution over images [N, H, W, C] of any height and width.
///
/// shapes   weights [O, C, 3, 3] of any strides; bias [O], or of size 0 for none
/// layout   16, 25 or 36 frequencies of panels of 16 output channels, [C][16]; transformed in double, rounded once
/// errors   throws std::invalid_argument with the numbers when the shapes do not fit, windows are not 3x3, strides are
///          not 1 or (tiles of 2x2) 2 along both axes, or dilation or groups are not 1
/// threads  const use from any thread
class packed_winograd {
public:
    packed_winograd(const view<const float>& weights, const view<const float>& bias, const conv2d_geometry& geometry,
                    winograd_tile tile, isa set = active_isa())
        : geometry_(geometry), tile_(tile) {
        detail::check_conv_weights(weights, bias.shape(), geometry);
        if (!fits(weights.shape(), geometry))
            throw std::invalid_argument("winograd: weights " + weights.shape().text() +
                                        ", expected [O, C, 3, 3] with strides of 1 or of 2, dilation and groups of 1");
        if (stride() == 2 && tile == winograd_tile::four)
            throw std::invalid_argument("winograd: tiles of 4x4 with a stride of 2, expected tiles of 2x2");
        outputs_ = weights.extent(0);
        channels_ = weights.extent(1);
        const std::int64_t columns = columns_of(outputs_), count = frequencies();
        const auto mul = [](std::int64_t a, std::int64_t b) { return detail::checked_mul("winograd", a, b); };
        data_ = tensor::populated(element::float32, shape{mul(columns, mul(count, channels_) + 1)});
        auto* const to = reinterpret_cast<float*>(data_.data());
        const auto packer =
            detail::pick(set, &baseline::winograd_weights, &avx2::winograd_weights, &avx512::winograd_weights);
        alignas(64) float some[16 * 9 * 16] = {};
        for (std::int64_t panel = 0; panel < columns; panel += 16) {
            if (panel + 16 > outputs_) std::fill(std::begin(some), std::end(some), 0.0F);
            for (std::int64_t c = 0; c < channels_; c += 16) {
                const std::int64_t together = std::min<std::int64_t>(16, channels_ - c);
                gather(weights, panel, c, together, some);
                packer(transform(), static_cast<std::size_t>(points()), some, static_cast<std::size_t>(together),
                       to + panel * channels_ + c * 16, static_cast<std::size_t>(channels_ * columns));
            }
        }
        float* const biases = to + count * channels_ * columns;
        for (std::int64_t o = 0; o < columns; ++o) biases[o] = o < outputs_ && bias.size() != 0 ? bias(o) : 0.0F;
    }

    /// Windows of 3x3 with strides of 1 or of 2, dilation and groups of 1.
    [[nodiscard]] static bool fits(const shape& weights, const conv2d_geometry& g) {
        return weights.rank() == 4 && weights[2] == 3 && weights[3] == 3 && (g.stride[0] == 1 || g.stride[0] == 2) &&
               g.stride[1] == g.stride[0] && g.dilation[0] == 1 && g.dilation[1] == 1 && g.groups == 1;
    }

    /// What it makes of images of shape `in`.
    ///
    /// errors   throws std::invalid_argument with the numbers when they do not fit
    [[nodiscard]] shape output(const shape& in) const {
        return detail::conv_output_nhwc(geometry_, {3, 3}, channels_, outputs_, in);
    }
    /// What `conv_winograd` takes from the workspace for images of shape `in`, up to as often as tiles run at once.
    [[nodiscard]] std::size_t scratch_bytes(const shape& in) const {
        const blocks b = blocks_of(output(in));
        const auto count = static_cast<std::size_t>(frequencies());
        return workspace::rounded(count * b.frequency_in * sizeof(float)) +
               workspace::rounded(count * b.frequency_out * sizeof(float));
    }
    [[nodiscard]] std::size_t bytes() const { return data_.bytes(); }
    /// The packed weights and biases.
    [[nodiscard]] std::span<const std::byte> memory() const { return {data_.data(), data_.bytes()}; }
    [[nodiscard]] const conv2d_geometry& geometry() const noexcept { return geometry_; }
    [[nodiscard]] winograd_tile tile() const noexcept { return tile_; }
    [[nodiscard]] std::int64_t frequencies() const noexcept { return points() * points(); }

    /// How the tiles of all images are cut.
    struct blocks {
        std::int64_t down, across;  // tiles of an image
        std::int64_t tiles;         // of all images
        std::int64_t block;         // tiles of a block
        std::size_t frequency_in, frequency_out;
    };
    [[nodiscard]] blocks blocks_of(const shape& out) const {
        blocks b{};
        b.down = (out[1] + edge() - 1) / edge();
        b.across = (out[2] + edge() - 1) / edge();
        b.tiles = detail::checked_mul("winograd", out[0], detail::checked_mul("winograd", b.down, b.across));
        const std::int64_t room = columns_of(channels_), columns = columns_of(outputs_);
        const std::int64_t cached = cache / (frequencies() * (room + columns));
        const std::int64_t most = std::max(few_tiles, cached / 12 * 12);
        const std::int64_t count = std::max<std::int64_t>((b.tiles + most - 1) / most, 1);
        b.block = (b.tiles + count - 1) / count;
        // A line more between frequencies: powers of two would fall into the same sets of the cache.
        b.frequency_in = static_cast<std::size_t>(b.block * room + 16);
        b.frequency_out = static_cast<std::size_t>(b.block * columns + 16);
        return b;
    }
    /// Where things lie for images of shape `in`; the caller adds images, scratch and tiles.
    [[nodiscard]] detail::winograd_call call(const shape& in, const shape& out, const blocks& b) const {
        const auto* weights = reinterpret_cast<const float*>(data_.data());
        detail::winograd_call c{};
        c.height = in[1];
        c.width = in[2];
        c.channels = channels_;
        c.top = geometry_.padding[0];
        c.left = geometry_.padding[1];
        c.size = static_cast<int>(edge());
        c.stride = static_cast<int>(stride());
        c.tiles_down = b.down;
        c.tiles_across = b.across;
        c.columns = columns_of(outputs_);
        c.weights = weights;
        c.bias = weights + frequencies() * channels_ * c.columns;
        c.out_height = out[1];
        c.out_width = out[2];
        c.outputs = outputs_;
        c.room = columns_of(channels_);
        c.frequency_in = b.frequency_in;
        c.frequency_out = b.frequency_out;
        return c;
    }

private:
    static constexpr std::int64_t cache = std::int64_t{160} << 10;  // floats of a block's tiles and products
    static constexpr std::int64_t few_tiles = 48;                   // fewer would read the weights too often

    [[nodiscard]] static constexpr std::int64_t columns_of(std::int64_t channels) { return (channels + 15) / 16 * 16; }
    [[nodiscard]] constexpr std::int64_t edge() const { return static_cast<std::int64_t>(tile_); }
    [[nodiscard]] std::int64_t stride() const { return geometry_.stride[0]; }
    [[nodiscard]] std::int64_t points() const { return (edge() - 1) * stride() + 3; }

    /// G of this tile and stride, by point.
    [[nodiscard]] auto transform() const noexcept -> const double (*)[3] {
        static constexpr double for_two[][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
        static constexpr double for_every_second[][3] = {{1, 0, 0}, {0, 1, 0}, {1, 0, 1}, {0, 1, 0}, {0, 0, 1}};
        constexpr double a = 0.625, b = 1.5, at_a = 1 / (2 * a * a * (a * a - b * b)),
                         at_b = 1 / (2 * b * b * (b * b - a * a));
        static constexpr double for_four[][3] = {{1 / (a * a * b * b), 0, 0},     {at_a, at_a * a, at_a * a * a},
                                                 {at_a, -at_a * a, at_a * a * a}, {at_b, at_b * b, at_b * b * b},
                                                 {at_b, -at_b * b, at_b * b * b}, {0, 0, 1}};
        return stride() == 2 ? for_every_second : tile_ == winograd_tile::two ? for_two : for_four;
    }
    /// Some channels of 16 output channels, zeros where there are fewer: [channel][window][16].
    void gather(const view<const float>& weights, std::int64_t panel, std::int64_t channel, std::int64_t count,
                float* to) const {
        const std::int64_t filled = std::min<std::int64_t>(16, outputs_ - panel);
        const std::int64_t next = weights.step(1), below = weights.step(2), beside = weights.step(3);
        for (std::int64_t o = 0; o < filled; ++o) {
            const float* from = &weights(panel + o, channel, 0, 0);
            float* put = to + o;
            for (std::int64_t c = 0; c < count; ++c, from += next)
                for (std::int64_t ky = 0; ky < 3; ++ky)
                    for (std::int64_t kx = 0; kx < 3; ++kx, put += 16) *put = from[ky * below + kx * beside];
        }
    }

    conv2d_geometry geometry_;
    winograd_tile tile_;
    std::int64_t outputs_ = 0, channels_ = 0;
    tensor data_;  // frequencies, then the bias, padded to whole panels
};

namespace detail {

inline void conv_winograd(isa set, const view<const float>& in, const packed_winograd& w, const view<float>& out,
                          workspace& space, activation act, const view<const float>& addend) {
    const shape expected = w.output(in.shape());
    const std::int64_t pixel = expect_conv_nhwc(in, expected, out, addend);
    if (out.size() == 0) return;
    const workspace::scope scope(space);
    const auto b = w.blocks_of(expected);
    const auto frequencies = static_cast<std::size_t>(w.frequencies());
    winograd_call c = w.call(in.shape(), expected, b);
    c.in = in.data();
    c.addend = addend.size() != 0 ? addend.data() : nullptr;
    c.out = out.data();
    c.out_pixel = pixel;
    c.act = act;
    const auto kernel = pick(set, &baseline::winograd, &avx2::winograd, &avx512::winograd);
    const tile_loop& loop = space.tiles;
    const stop& stopping = space.stop;
    const auto flops = [&](std::size_t tiles) {
        return 2 * std::uint64_t{frequencies} * tiles * static_cast<std::uint64_t>(c.channels * c.columns);
    };
    const auto tiles = static_cast<std::size_t>(b.tiles), block = static_cast<std::size_t>(b.block);
    const std::size_t blocks = (tiles + block - 1) / block, wanted = loop.tiles(flops(tiles), SIZE_MAX);
    const bool whole = blocks >= wanted;  // a tile of the loop is some blocks, else a part of a phase of a block
    const std::size_t parts = whole ? wanted : 1, slots = loop.slots(parts);
    const std::size_t in_step = frequencies * b.frequency_in, out_step = frequencies * b.frequency_out;
    float* const transformed = space.take<float>(slots * in_step).data();
    float* const products = space.take<float>(slots * out_step).data();
    const tile_loop inside = whole ? tile_loop() : loop;
    loop(parts, [&](std::size_t part, std::size_t slot) {
        winograd_call one = c;
        one.transformed = transformed + slot * in_step;
        one.products = products + slot * out_step;
        for (std::size_t at = blocks * part / parts; at < blocks * (part + 1) / parts; ++at) {
            stopping.check();
            const std::size_t count = std::min(block, tiles - at * block);
            one.first = static_cast<std::ptrdiff_t>(at * block);
            const auto phase = [&](winograd_phase which, std::size_t of, std::uint64_t work) {
                inside.ranges(of, work,
                              [&](std::size_t first, std::size_t last) { kernel(one, which, count, first, last); });
            };
            phase(winograd_phase::input, count,
                  64 * std::uint64_t{frequencies} * count * static_cast<std::uint64_t>(c.room));
            phase(winograd_phase::products, frequencies, flops(count));
            phase(winograd_phase::output, count,
                  64 * std::uint64_t{frequencies} * count * static_cast<std::uint64_t>(c.columns));
        }
    });
}

}  // namespace detail

/// out[n, y, x, o] = act(bias[o] + sum over c, ky, kx of in[n, s y + ky - top, s x + kx - left, c] * w[o, c, ky, kx]
/// + addend[n, y, x, o]), where s is the stride
///
/// shapes   in [N, H, W, C], out and addend w.output(in), in and addend dense, out not overlapping. Out is dense, or
///          where nothing is added some of the channels of dense images. An addend of size 0: none; it may be out
/// cost     F(4x4): 4.5 N OH OW C O flops, F(2x2): 8, with a stride of 2 12.5, and about 18 N OH OW (C + O) for
///          transforms. Reads the weights once per block of 48 tiles or more; w.scratch_bytes(in) of scratch
/// errors   throws std::invalid_argument when the shapes do not fit; stopped_error between blocks when it is time.
///          Rounding: with inputs and weights of random sign, the largest error over the root mean square of the
///          answers is about 2e-6 for F(2x2) and 1e-5 for F(4x4), where the direct sum has 7e-6; an answer that is
///          small because its window is, beside others of its tile that are not, has their error. An infinity or a NaN
///          spoils its tile
/// threads  re-entrant with a workspace each; its tile loop shares blocks or, where they are few, the tiles and
///          frequencies of a block. Each tile is computed alone, each frequency by one chain of fused
///          multiply-adds in the order of channels: the bits of an image do not depend on N, or on how tiles are cut
/// source   Lavin & Gray 2015, "Fast Algorithms for Convolutional Neural Networks", F(2x2, 3x3), F(4x4, 3x3); a
///          stride of 2: Yepez & Ko 2020, "Stride 2 1-D, 2-D, and 3-D Winograd for Convolutional Neural Networks"
inline void conv_winograd(const view<const float>& in, const packed_winograd& w, const view<float>& out,
                          workspace& space, activation act = activation::none, const view<const float>& addend = {}) {
    detail::conv_winograd(active_isa(), in, w, out, space, act, addend);
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
