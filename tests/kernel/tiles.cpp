// What kernels compute does not depend on how they are split, in which order their tiles run, or where.
// SPDX-License-Identifier: MIT
#include <fanfold/kernel/attention.hpp>
#include <fanfold/kernel/convolution_nhwc.hpp>
#include <fanfold/kernel/depthwise_nhwc.hpp>
#include <fanfold/kernel/pooling_nhwc.hpp>
#include <fanfold/kernel/winograd.hpp>

#include <array>
#include <atomic>
#include <thread>

#include "../catch.hpp"
#include "../sanitized.hpp"
#include "helpers.hpp"
#include "nhwc_problem.hpp"

using namespace fanfold;
using namespace fanfold_test;
using kernel::activation;

namespace {

/// Splits are counted, so that a test that splits nothing is seen.
struct splitter {
    std::size_t width;
    mutable std::size_t loops = 0;

    /// From the last tile to the first, slots in turn.
    tile_loop backwards() const {
        return {[](const void* self, std::size_t count, tile_loop::body each) {
                    const auto& here = *static_cast<const splitter*>(self);
                    ++here.loops;
                    while (count-- > 0) each(count, count % here.width);
                },
                this, width};
    }
    /// On threads, whoever comes first.
    tile_loop threads() const {
        return {[](const void* self, std::size_t count, tile_loop::body each) {
                    const auto& here = *static_cast<const splitter*>(self);
                    ++here.loops;
                    std::atomic<std::size_t> next{0};
                    const auto take_part = [&](std::size_t slot) {
                        for (std::size_t tile; (tile = next++) < count;) each(tile, slot);
                    };
                    std::vector<std::jthread> helpers;
                    for (std::size_t slot = 1; slot < std::min(here.width, count); ++slot)
                        helpers.emplace_back(take_part, slot);
                    take_part(0);
                },
                this, width};
    }
};

/// `compute(set, space, out)` gives the same `count` floats with any tile loop.
template <class Compute>
void splits_without_a_trace(std::size_t count, const Compute& compute) {
    for (const kernel::isa set : every_isa()) {
        INFO(name_of(set));
        std::vector<float> expected(count);
        workspace space;
        compute(set, space, expected.data());
        for (const std::size_t width : {3UL, 2UL, 40UL}) {
            if (sanitized && width != 3) break;
            INFO("width " << width);
            const splitter split{width};
            for (const tile_loop& loop : {split.backwards(), split.threads()}) {
                guarded out(count, 1);
                space.tiles = loop;
                const std::size_t before = split.loops;
                compute(set, space, out.data());
                CHECK(split.loops > before);
                CHECK(same_bits(out.span(), expected));
                CHECK(out.intact());
            }
        }
    }
}

nhwc_problem filled(nhwc_problem p) {
    p.fill();
    return p;
}

}  // namespace

TEST_CASE("convolutions are split into blocks of positions, panels of channels and groups", "[every_isa]") {
    const nhwc_problem problems[] = {
        filled({1, 16, 40, 37, 40, 3, 3, {.padding = {1, 1, 1, 1}}}),  // many blocks
        filled({1, 130, 7, 7, 330, 3, 3, {.padding = {1, 1, 1, 1}}}),  // one block, many panels
        filled({3, 520, 7, 7, 145, 1, 1, {}}),                         // several images a block
        filled({1, 96, 13, 14, 96, 5, 5, {.stride = {2, 1}, .padding = {2, 2, 2, 2}, .groups = 3}}),
        filled({1, 600, 30, 31, 20, 1, 1, {.stride = {2, 2}}}),  // few panels, few blocks
    };
    for (const nhwc_problem& p : problems) {
        INFO(p.in_shape().text() << " to " << p.outputs);
        const kernel::packed_conv_nhwc packed(p.weight_view(), p.bias_view(), p.geometry);
        const shape answer = packed.output(p.in_shape());
        const std::vector<float> addend = numbers(3).some(answer.volume());
        const auto check = [&](activation act, const view<const float>& added) {
            splits_without_a_trace(answer.volume(), [&](kernel::isa set, workspace& space, float* out) {
                kernel::detail::conv_nhwc(set, {p.in.data(), p.in_shape()}, packed, {out, answer}, space, act, added);
            });
        };
        if (!sanitized) check(activation::sigmoid, {});
        check(activation::relu, {addend.data(), answer});
    }
}

TEST_CASE("Winograd's convolutions are split into blocks, or tiles and frequencies of a block", "[every_isa]") {
    for (const auto tile : {kernel::winograd_tile::two, kernel::winograd_tile::four})
        for (const nhwc_problem& p :
             {filled({sanitized ? 1 : 2, 40, sanitized ? 33 : 65, 63, 35, 3, 3, {.padding = {1, 1, 1, 1}}}),
              filled({1, 130, 14, 13, 133, 3, 3, {.padding = {1, 1, 1, 1}}})}) {
            INFO(p.in_shape().text() << " to " << p.outputs);
            const kernel::packed_winograd packed(p.weight_view(), p.bias_view(), p.geometry, tile);
            const shape answer = packed.output(p.in_shape());
            splits_without_a_trace(answer.volume(), [&](kernel::isa set, workspace& space, float* out) {
                kernel::detail::conv_winograd(set, {p.in.data(), p.in_shape()}, packed, {out, answer}, space,
                                              activation::gelu, {});
            });
        }
}

TEST_CASE("depthwise convolutions and pooling are split into rows of images", "[every_isa]") {
    const shape in{2, 61, 80, 70};
    const std::vector<float> x = numbers(1).some(in.volume()), weights = numbers(2).some(70 * 9);
    const kernel::packed_depthwise_nhwc packed({weights.data(), shape{70, 1, 3, 3}}, {},
                                               {.stride = {2, 1}, .padding = {1, 1, 1, 1}, .groups = 70});
    const shape answer = packed.output(in);
    splits_without_a_trace(answer.volume(), [&](kernel::isa set, workspace& space, float* out) {
        kernel::detail::depthwise_nhwc(set, {x.data(), in}, packed, {out, answer}, space.stop, activation::relu, {},
                                       space.tiles);
    });
    const kernel::window2d window{.size = {3, 2}, .stride = {2, 2}, .padding = {1, 0, 1, 1}};
    const shape pooled = kernel::pooled_shape_nhwc(in, window);
    splits_without_a_trace(pooled.volume(), [&](kernel::isa set, workspace& space, float* out) {
        kernel::detail::max_pool_nhwc(set, {x.data(), in}, window, {out, pooled}, space.tiles);
    });
    splits_without_a_trace(pooled.volume(), [&](kernel::isa set, workspace& space, float* out) {
        kernel::detail::average_pool_nhwc(set, {x.data(), in}, window, {out, pooled}, kernel::padding_counts::yes,
                                          space.tiles);
    });
}

TEST_CASE("products are split into rows and panels of columns", "[every_isa]") {
    for (const auto& sizes :
         {std::array<std::int64_t, 3>{1, 1500, 1001}, {7, 600, 700}, {500, 130, 40}, {100, 300, 260}}) {
        const std::int64_t m = sizes[0], k = sizes[1], n = sizes[2];
        INFO(m << " x " << k << " x " << n);
        const std::vector<float> a = numbers(1).some(static_cast<std::size_t>(m * k)),
                                 w = numbers(2).some(static_cast<std::size_t>(k * n)),
                                 bias = numbers(3).some(static_cast<std::size_t>(n));
        const kernel::packed_matrix packed({w.data(), shape{k, n}}, {bias.data(), shape{n}});
        splits_without_a_trace(static_cast<std::size_t>(m * n), [&](kernel::isa set, workspace& space, float* out) {
            kernel::detail::matmul(set, {a.data(), shape{m, k}}, packed.seen(), {out, shape{m, n}}, activation::tanh,
                                   kernel::detail::matmul_start::bias, space.tiles);
        });
        splits_without_a_trace(static_cast<std::size_t>(m * n), [&](kernel::isa set, workspace& space, float* out) {
            kernel::detail::matmul(set, {a.data(), shape{m, k}}, packed.seen(), {out, shape{m, n}, strides{1, m}},
                                   activation::none, kernel::detail::matmul_start::bias, space.tiles);
        });
    }
}

TEST_CASE("attention is split into heads of keys", "[every_isa]") {
    const shape queries{2, 6, 70, 40}, keys{2, 3, 150, 40}, values{2, 3, 150, 33}, answer{2, 6, 70, 33};
    const std::vector<float> q = numbers(1).some(queries.volume()), k = numbers(2).some(keys.volume()),
                             v = numbers(3).some(values.volume()), mask = numbers(4).some(70 * 150 * 2);
    const view<const float> steps(mask.data(), shape{1, 1, 70, 150}, strides{0, 0, 300, 2});
    splits_without_a_trace(answer.volume(), [&](kernel::isa set, workspace& space, float* out) {
        kernel::detail::attention(set, {q.data(), queries}, {k.data(), keys}, {v.data(), values}, steps, {.causal = 80},
                                  {out, answer}, space);
    });
}

TEST_CASE("small work is not split") {
    const nhwc_problem p = filled({1, 8, 10, 10, 8, 3, 3, {.padding = {1, 1, 1, 1}}});
    const kernel::packed_conv_nhwc packed(p.weight_view(), p.bias_view(), p.geometry);
    std::vector<float> out(packed.output(p.in_shape()).volume());
    const splitter split{4};
    workspace space;
    space.tiles = split.backwards();
    kernel::conv_nhwc({p.in.data(), p.in_shape()}, packed, {out.data(), packed.output(p.in_shape())}, space);
    CHECK(split.loops == 0);
}
