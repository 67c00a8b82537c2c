// fanfold/kernel/convolution_nhwc.hpp - 2-D convolution of images whose channels lie side by side; weights packed once,
// for any image size.
//   in    images [N, H, W, C], weights [O, C / groups, kh, kw] packed      out   act(bias + convolution + addend)
// Longer than 400 lines: how weights are packed, how a batch is cut and how blocks are computed fit each other.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::max, std::min, std::clamp, std::fill_n, std::copy_n
#include <array>      // std::array
#include <atomic>     // std::atomic
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t, SIZE_MAX
#include <span>       // std::span
#include <utility>    // std::index_sequence
#include <vector>     // std::vector

#include "../context/workspace.hpp"
#include "../core/tensor.hpp"
#include "activation.hpp"
#include "product_check.hpp"
#include "window.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel::detail {

/// Taps whose inputs lie side by side: `length` floats from `from` on, seen from where a window begins.
using nhwc_run = check_run;

struct nhwc_call {
    const float* in;
    const std::ptrdiff_t* at;  // where the window of each position begins
    std::size_t positions;
    const nhwc_run* runs;
    std::size_t slices, runs_per_slice, depth;
    const float* panels;
    const float* bias;
    const float* addend;  // null: none
    float* out;
    std::size_t out_step, columns;
    activation act;
    bool heavy, far;
};

}  // namespace kernel::detail
}  // namespace fanfold::inline FANFOLD_ABI

// The order matters.
// clang-format off
#include "target/baseline_begin.inc"
#include "body/convolution_nhwc.inc"
#include "target/end.inc"
#if FANFOLD_X86_64
#include "target/avx2_begin.inc"
#include "body/convolution_nhwc.inc"
#include "target/end.inc"

#include "target/avx512_begin.inc"
#include "body/convolution_nhwc.inc"
#include "target/end.inc"
#endif
// clang-format on

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// Owns the packed weights and bias of a convolution over images [N, H, W, C] of any height and width.
///
/// shapes   weights [O, C / groups, kh, kw] of any strides; bias [O], or of size 0 for none
/// layout   per group panels of 16 output channels, [taps][16]; taps in the order slice of channels, ky, kx, channel of
///          the slice, where slices hold at most about 576 taps
/// errors   throws std::invalid_argument with the numbers when the shapes do not fit, a stride, dilation or group count
///          is below 1, or a padding is negative
/// threads  const use from any thread
class packed_conv_nhwc {
public:
    packed_conv_nhwc(const view<const float>& weights, const view<const float>& bias, const conv2d_geometry& geometry)
        : geometry_(geometry) {
        detail::check_conv_weights(weights, bias.shape(), geometry);
        outputs_ = weights.extent(0) / geometry.groups;
        channels_ = weights.extent(1);
        size_ = {weights.extent(2), weights.extent(3)};
        for (std::size_t axis = 0; axis < 2; ++axis)
            if (size_[axis] == 1) geometry_.dilation[axis] = 1;
        const std::int64_t window = size_[0] * size_[1];
        slices_ = std::clamp<std::int64_t>((channels_ * window + most_depth - 1) / most_depth, 1, channels_);
        const std::int64_t padded = (outputs_ + 15) / 16 * 16, depth = channels_ * window;
        data_ = tensor::populated(
            element::float32,
            shape{detail::checked_mul("conv2d", detail::checked_mul("conv2d", geometry.groups, padded), depth + 1)});
        auto* to = reinterpret_cast<float*>(data_.data());
        for (std::int64_t group = 0; group < geometry.groups; ++group)
            for (std::int64_t panel = 0; panel < padded; panel += 16)
                for (std::int64_t slice = 0; slice < slices_; ++slice)
                    for (std::int64_t ky = 0; ky < size_[0]; ++ky)
                        for (std::int64_t kx = 0; kx < size_[1]; ++kx)
                            for (std::int64_t c = first_channel(slice); c < first_channel(slice + 1); ++c)
                                for (std::int64_t o = panel; o < panel + 16; ++o)
                                    *to++ = o < outputs_ ? weights(group * outputs_ + o, c, ky, kx) : 0.0F;
        for (std::int64_t group = 0; group < geometry.groups; ++group)
            for (std::int64_t o = 0; o < padded; ++o)
                *to++ = o < outputs_ && bias.size() != 0 ? bias(group * outputs_ + o) : 0.0F;
    }

    /// What it makes of images of shape `in`.
    ///
    /// errors   throws std::invalid_argument with the numbers when they do not fit
    [[nodiscard]] shape output(const shape& in) const {
        return detail::conv_output_nhwc(geometry_, size_, channels_ * geometry_.groups, outputs_ * geometry_.groups,
                                        in);
    }
    /// What `conv_nhwc` takes from the workspace for images of shape `in`, up to as often as tiles run at once.
    [[nodiscard]] std::size_t scratch_bytes(const shape& in) const {
        const blocks b = blocks_of(in, output(in));
        return workspace::rounded(b.scratch * sizeof(float)) +
               workspace::rounded(b.positions * sizeof(std::ptrdiff_t)) + workspace::rounded(4 * sizeof(void*)) +
               workspace::rounded(run_count() * sizeof(detail::nhwc_run));
    }
    [[nodiscard]] std::size_t bytes() const { return data_.bytes(); }
    [[nodiscard]] const conv2d_geometry& geometry() const noexcept { return geometry_; }

    /// How a batch is cut: blocks of output rows of one image, or of several whole images.
    struct blocks {
        std::int64_t rows = 0, images = 0;    // of a block
        std::int64_t in_rows = 0, width = 0;  // of a block's scratch
        std::size_t scratch = 0, positions = 0;
        bool padded = false;  // windows read a padded copy
    };
    /// `at_least` blocks, where there are as many output rows.
    [[nodiscard]] blocks blocks_of(const shape& in, const shape& out, std::int64_t at_least = 1) const {
        const auto mul = [](std::int64_t a, std::int64_t b) { return detail::checked_mul("conv2d", a, b); };
        blocks b{};
        const auto& pad = geometry_.padding;
        b.padded = pad[0] != 0 || pad[1] != 0 || pad[2] != 0 || pad[3] != 0;
        const std::int64_t depth = channels_ * size_[0] * size_[1];
        const std::int64_t good = mul(depth, outputs_) > heavy_weights ? many_positions : few_positions;
        const std::int64_t all = mul(in[0], mul(out[1], out[2]));
        const std::int64_t wanted = std::min(good, (all + at_least - 1) / at_least);
        b.rows = std::clamp<std::int64_t>(wanted / out[2], 1, out[1]);
        b.images = 1;
        if (b.rows == out[1])
            b.images = std::clamp<std::int64_t>(wanted / mul(out[1], out[2]), 1, std::max<std::int64_t>(in[0], 1));
        else
            b.rows = (out[1] + (out[1] + b.rows - 1) / b.rows - 1) / ((out[1] + b.rows - 1) / b.rows);
        b.positions = static_cast<std::size_t>(mul(mul(b.rows, b.images), out[2]));
        b.in_rows = (b.rows - 1) * geometry_.stride[0] + (size_[0] - 1) * geometry_.dilation[0] + 1;
        b.width = b.padded ? (out[2] - 1) * geometry_.stride[1] + (size_[1] - 1) * geometry_.dilation[1] + 1 : in[2];
        if (b.padded) b.scratch = static_cast<std::size_t>(mul(mul(mul(b.in_rows, b.images), b.width), in[3]));
        return b;
    }
    /// How many parts the columns of a block can be cut into: groups, or 64 columns.
    [[nodiscard]] std::size_t column_units() const noexcept {
        return static_cast<std::size_t>(geometry_.groups > 1 ? geometry_.groups : (outputs_ + 63) / 64);
    }
    [[nodiscard]] std::size_t run_count() const {
        return static_cast<std::size_t>(slices_ * size_[0] * (whole_rows() ? 1 : size_[1]));
    }
    /// Where the taps lie from the beginning of a window in images `width` wide.
    void write_runs(std::int64_t width, detail::nhwc_run* to) const {
        const std::int64_t pixel = channels_ * geometry_.groups;
        for (std::int64_t slice = 0; slice < slices_; ++slice)
            for (std::int64_t ky = 0; ky < size_[0]; ++ky) {
                const std::int64_t row = ky * geometry_.dilation[0] * width * pixel;
                if (whole_rows()) {
                    *to++ = {row, size_[1] * channels_};
                    continue;
                }
                for (std::int64_t kx = 0; kx < size_[1]; ++kx)
                    *to++ = {row + kx * geometry_.dilation[1] * pixel + first_channel(slice),
                             first_channel(slice + 1) - first_channel(slice)};
            }
    }
    /// Of each group.
    template <class = void>
    [[nodiscard]] std::vector<product_sums> sums() const {
        std::vector<product_sums> all;
        for (std::int64_t group = 0; group < geometry_.groups; ++group) {
            const detail::nhwc_call c = call(group, 0, outputs_);
            all.push_back(product_sums::of(c.panels, c.depth, c.columns, std::span(c.bias, c.columns)));
        }
        return all;
    }
    /// The packed weights and biases.
    [[nodiscard]] std::span<const std::byte> memory() const { return {data_.data(), data_.bytes()}; }
    /// Where things lie for one group, and those of its columns that are in [first, last); the caller adds positions.
    [[nodiscard]] detail::nhwc_call call(std::int64_t group, std::int64_t first, std::int64_t last) const {
        const std::int64_t padded = (outputs_ + 15) / 16 * 16, depth = channels_ * size_[0] * size_[1];
        const auto* weights = reinterpret_cast<const float*>(data_.data());
        detail::nhwc_call c{};
        c.slices = static_cast<std::size_t>(slices_);
        c.runs_per_slice = run_count() / c.slices;
        c.depth = static_cast<std::size_t>(depth);
        c.panels = weights + (group * padded + first) * depth;
        c.bias = weights + geometry_.groups * padded * depth + group * padded + first;
        c.columns = static_cast<std::size_t>(last - first);
        return c;
    }

    [[nodiscard]] std::int64_t outputs() const noexcept { return outputs_; }  ///< of a group
    /// How often an answer is written.
    [[nodiscard]] std::int64_t passes() const noexcept { return slices_; }
    [[nodiscard]] std::int64_t depth() const noexcept { return channels_ * size_[0] * size_[1]; }

private:
    static constexpr std::int64_t most_depth = 576;                          // of a slice
    static constexpr std::int64_t heavy_weights = std::int64_t{1} << 16;     // floats
    static constexpr std::int64_t many_positions = 256, few_positions = 96;  // of a block

    [[nodiscard]] std::int64_t first_channel(std::int64_t slice) const { return channels_ * slice / slices_; }
    [[nodiscard]] bool whole_rows() const {
        return slices_ == 1 && geometry_.dilation[1] == 1 && geometry_.groups == 1;
    }

    conv2d_geometry geometry_;
    std::array<std::int64_t, 2> size_{};
    std::int64_t outputs_ = 0, channels_ = 0;  // of a group
    std::int64_t slices_ = 1;
    tensor data_;  // panels of all groups, then their biases padded to whole panels
};

namespace detail {

/// Input rows [first, first + rows) of the padded image, columns from the left padding on, into `to`.
inline void copy_padded(const float* image, const shape& in, const conv2d_geometry& g, std::int64_t first,
                        std::int64_t rows, std::int64_t width, float* to) {
    const std::int64_t c = in[3], left = std::min(g.padding[1], width), line = in[2] * c;
    const std::int64_t inside = std::min(in[2], width - left);
    for (std::int64_t row = first; row < first + rows; ++row) {
        const std::int64_t y = row - g.padding[0];
        if (y < 0 || y >= in[1]) {
            to = std::fill_n(to, width * c, 0.0F);
            continue;
        }
        to = std::fill_n(to, left * c, 0.0F);
        to = std::copy_n(image + y * line, inside * c, to);
        to = std::fill_n(to, (width - left - inside) * c, 0.0F);
    }
}

/// How the work of a convolution is shared: tiles of some of its blocks times some of its columns.
struct conv_nhwc_tiles {
    packed_conv_nhwc::blocks block;
    std::size_t down = 0, blocks = 0;  // blocks of an image, of all images
    std::size_t block_parts = 1, column_parts = 1;

    conv_nhwc_tiles(const packed_conv_nhwc& w, const shape& in, const shape& out, const tile_loop& tiles,
                    std::size_t units) {
        const std::size_t wanted =
            tiles.tiles(2 * std::uint64_t{out.volume()} * static_cast<std::uint64_t>(w.depth()), SIZE_MAX);
        const std::size_t needed = std::min(wanted, tiles.width());
        cut(w.blocks_of(in, out), in, out, wanted, units);
        if (block_parts * column_parts < needed)
            cut(w.blocks_of(in, out, static_cast<std::int64_t>((needed + units - 1) / units)), in, out, wanted, units);
    }

private:
    void cut(const packed_conv_nhwc::blocks& b, const shape& in, const shape& out, std::size_t wanted,
             std::size_t units) {
        block = b;
        down = static_cast<std::size_t>((out[1] + b.rows - 1) / b.rows);
        blocks = static_cast<std::size_t>((in[0] + b.images - 1) / b.images) * down;
        block_parts = wanted > 1 && blocks <= 2 * wanted ? blocks : std::min(blocks, wanted);
        column_parts = std::min(units, (wanted + block_parts - 1) / block_parts);
    }
};

/// One convolution, and what it computes with.
struct conv_nhwc_pass {
    const view<const float>& in;
    const packed_conv_nhwc& w;
    const view<float>& out;
    const view<const float>& addend;
    activation act;
    const conv_nhwc_tiles& cut;
    const nhwc_run* runs;
    std::int64_t pixel;  // floats from one of the answer to the next
    void (*kernel)(const nhwc_call&);

    /// Fetches the images of a block. `at`: where the window of each of its positions begins, from the result.
    [[nodiscard]] const float* fetch(std::size_t block, float* padded, std::ptrdiff_t* at) const {
        const auto& b = cut.block;
        const conv2d_geometry& g = w.geometry();
        const std::int64_t channels = in.extent(3), image = in.extent(1) * in.extent(2) * channels;
        const std::int64_t n = first_image(block), y = first_row(block);
        const float* from = in.data() + n * image + y * g.stride[0] * b.width * channels;
        std::int64_t image_step = image;
        if (b.padded) {
            image_step = b.in_rows * b.width * channels;
            const std::int64_t in_rows = b.in_rows - (b.rows - rows(block)) * g.stride[0];
            for (std::int64_t i = 0; i < images(block); ++i)
                copy_padded(in.data() + (n + i) * image, in.shape(), g, y * g.stride[0], in_rows, b.width,
                            padded + i * image_step);
            from = padded;
        }
        for (std::int64_t i = 0; i < images(block); ++i)
            for (std::int64_t row = 0; row < rows(block); ++row)
                for (std::int64_t x = 0; x < out.extent(2); ++x)
                    *at++ = i * image_step + (row * g.stride[0] * b.width + x * g.stride[1]) * channels;
        return from;
    }
    /// A part of the columns of a block.
    void compute(std::size_t block, std::size_t part, const float* from, const std::ptrdiff_t* at) const {
        const std::int64_t groups = w.geometry().groups;
        const auto units = static_cast<std::int64_t>(w.column_units());
        const auto parts = static_cast<std::int64_t>(cut.column_parts), one = static_cast<std::int64_t>(part);
        if (parts == 1) {
            for (std::int64_t group = 0; group < groups; ++group) columns(block, group, 0, w.outputs(), from, at);
            return;
        }
        const std::int64_t first = units * one / parts, last = units * (one + 1) / parts;
        if (groups == 1) {
            columns(block, 0, 64 * first, std::min(64 * last, w.outputs()), from, at);
            return;
        }
        for (std::int64_t group = first; group < last; ++group) columns(block, group, 0, w.outputs(), from, at);
    }
    /// Sums of what is added to a block, before it is: [groups][positions][2].
    void sum_addend(isa set, std::size_t block, double* to) const {
        const auto positions = static_cast<std::size_t>(images(block) * rows(block) * out.extent(2));
        for (std::int64_t group = 0; group < w.geometry().groups; ++group, to += 2 * positions)
            addend_sums(set, addend.data() + first_position(block) * pixel + group * w.outputs(),
                        static_cast<std::size_t>(pixel), positions, static_cast<std::size_t>(w.outputs()), to);
    }
    /// Of a block that is computed but for its activation: how many positions do not add up. Then activates them.
    [[nodiscard]] std::size_t check(isa set, std::size_t block, const std::vector<product_sums>& sums, activation last,
                                    const float* from, const std::ptrdiff_t* at, const double* added) const {
        const auto positions = static_cast<std::size_t>(images(block) * rows(block) * out.extent(2));
        std::size_t suspicious = 0;
        for (std::int64_t group = 0; group < w.geometry().groups; ++group) {
            const product_sums& expected = sums[static_cast<std::size_t>(group)];
            check_call c{};
            c.in = from + group * (in.extent(3) / w.geometry().groups);
            c.at = at;
            c.rows = positions;
            c.runs = runs;
            c.run_count = w.run_count();
            c.inner = expected.inner;
            c.ones = expected.ones.data();
            c.squares = expected.squares.data();
            c.bias = expected.bias;
            c.out = out.data() + first_position(block) * pixel + group * w.outputs();
            c.out_step = static_cast<std::size_t>(pixel);
            c.columns = expected.columns;
            c.addend = added == nullptr ? nullptr : added + static_cast<std::size_t>(group) * 2 * positions;
            c.act = last;
            c.group = positions_together(c.inner, c.columns);
            suspicious += check_products(set, c);
        }
        return suspicious;
    }

private:
    [[nodiscard]] std::int64_t first_position(std::size_t block) const {
        return (first_image(block) * out.extent(1) + first_row(block)) * out.extent(2);
    }
    [[nodiscard]] std::int64_t first_image(std::size_t block) const {
        return static_cast<std::int64_t>(block / cut.down) * cut.block.images;
    }
    [[nodiscard]] std::int64_t first_row(std::size_t block) const {
        return static_cast<std::int64_t>(block % cut.down) * cut.block.rows;
    }
    [[nodiscard]] std::int64_t images(std::size_t block) const {
        return std::min(cut.block.images, in.extent(0) - first_image(block));
    }
    [[nodiscard]] std::int64_t rows(std::size_t block) const {
        return std::min(cut.block.rows, out.extent(1) - first_row(block));
    }
    void columns(std::size_t block, std::int64_t group, std::int64_t first, std::int64_t last, const float* from,
                 const std::ptrdiff_t* at) const {
        nhwc_call c = w.call(group, first, last);
        const std::int64_t to = first_position(block) * pixel + group * w.outputs() + first;
        c.in = from + group * (in.extent(3) / w.geometry().groups);
        c.at = at;
        c.positions = static_cast<std::size_t>(images(block) * rows(block) * out.extent(2));
        c.runs = runs;
        c.addend = addend.size() != 0 ? addend.data() + to : nullptr;
        c.out = out.data() + to;
        c.out_step = static_cast<std::size_t>(pixel);
        c.act = act;
        c.far = out.size() > 262144;
        c.heavy = c.depth * c.columns > 65536;
        kernel(c);
    }
};

/// `sums`, where given, are checked, block by block; returns how many positions do not add up.
inline std::size_t conv_nhwc(isa set, const view<const float>& in, const packed_conv_nhwc& w, const view<float>& out,
                             workspace& space, activation act, const view<const float>& addend,
                             const std::vector<product_sums>* sums = nullptr) {
    const shape expected = w.output(in.shape());
    const std::int64_t pixel = expect_conv_nhwc(in, expected, out, addend);
    if (out.size() == 0) return 0;
    const workspace::scope scope(space);
    const std::size_t units = sums == nullptr ? w.column_units() : 1;  // a check sees all columns
    const conv_nhwc_tiles cut(w, in.shape(), expected, space.tiles, units);
    const std::size_t tiles = cut.block_parts * cut.column_parts, slots = space.tiles.slots(tiles);
    struct room {
        float* padded;
        std::ptrdiff_t* at;
        const float* from;
        std::size_t block;  // that is fetched
        double* added;
    };
    const auto runs = space.take<nhwc_run>(w.run_count());
    const auto rooms = space.take<room>(slots);
    for (room& r : rooms)
        r = {space.take<float>(cut.block.scratch).data(), space.take<std::ptrdiff_t>(cut.block.positions).data(),
             nullptr, SIZE_MAX, nullptr};
    const bool adds = sums != nullptr && addend.size() != 0;
    const auto groups = static_cast<std::size_t>(w.geometry().groups);
    for (room& r : rooms)
        if (adds) r.added = space.take<double>(2 * groups * cut.block.positions).data();
    w.write_runs(cut.block.width, runs.data());
    const conv_nhwc_pass pass{in,
                              w,
                              out,
                              addend,
                              sums == nullptr ? act : activation::none,
                              cut,
                              runs.data(),
                              pixel,
                              pick(set, &baseline::conv_nhwc, &avx2::conv_nhwc, &avx512::conv_nhwc)};
    const stop& stopping = space.stop;
    std::atomic<std::size_t> suspicious{0};
    space.tiles(tiles, [&](std::size_t tile, std::size_t slot) {
        room& r = rooms[slot];
        const std::size_t part = tile / cut.column_parts;
        const std::size_t last = cut.blocks * (part + 1) / cut.block_parts;
        for (std::size_t block = cut.blocks * part / cut.block_parts; block < last; ++block) {
            stopping.check();
            if (r.block != block) r.from = pass.fetch(block, r.padded, r.at);
            r.block = block;
            if (r.added != nullptr) pass.sum_addend(set, block, r.added);
            pass.compute(block, tile % cut.column_parts, r.from, r.at);
            if (sums != nullptr)
                suspicious.fetch_add(pass.check(set, block, *sums, act, r.from, r.at, r.added),
                                     std::memory_order_relaxed);
        }
    });
    return suspicious.load();
}

}  // namespace detail

/// out[n, y, x, o] = act(bias[o] + addend[n, y, x, o]
///                       + sum over c, ky, kx of in[n, y s + ky d - top, x s + kx d - left, c] * w[o, c, ky, kx])
///
/// shapes   in [N, H, W, C], out and addend w.output(in), in and addend dense, out not overlapping. Out is dense, or
///          where nothing is added some of the channels of dense images. An addend of size 0: none; it may be out where
///          w.passes() is 1
/// cost     2 N O OH OW (C / groups) kh kw flops; with padding, the input is copied once, blocks of rows at a time,
///          through w.scratch_bytes(in) of scratch. Reads the weights once per block of 96 to 256 positions or more
/// errors   throws std::invalid_argument when the shapes do not fit; stopped_error between blocks when it is time
/// threads  re-entrant with a workspace each; splits itself by its tile loop, into blocks of positions and of 64 output
///          channels. One chain of fused multiply-adds in the order of the packed taps for each output, starting from
///          the bias: the bits of an image do not depend on N, H or W. Padding counts as zeros that
///          are multiplied
/// source   ONNX Conv-11
inline void conv_nhwc(const view<const float>& in, const packed_conv_nhwc& w, const view<float>& out, workspace& space,
                      activation act = activation::none, const view<const float>& addend = {}) {
    detail::conv_nhwc(active_isa(), in, w, out, space, act, addend);
}

/// The same, to the bit, and how many positions do not add up (see kernel/checked_matmul.hpp). Where a group has at
/// most 512 output channels, four positions have to add up together, by the least tolerance of the four;
/// where they do not, each.
///
/// cost     about 4/N + 3/K of it besides, N output channels of a group and K taps; with more channels 8/N
/// requires sums of these weights
[[nodiscard]] inline std::size_t checked_conv_nhwc(const view<const float>& in, const packed_conv_nhwc& w,
                                                   const std::vector<product_sums>& sums, const view<float>& out,
                                                   workspace& space, activation act = activation::none,
                                                   const view<const float>& addend = {}) {
    return detail::conv_nhwc(active_isa(), in, w, out, space, act, addend, &sums);
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
