// SPDX-License-Identifier: MIT
#include <fanfold/kernel/winograd.hpp>

#include "../catch.hpp"
#include "../sanitized.hpp"
#include "helpers.hpp"
#include "nhwc_problem.hpp"

using namespace fanfold;
using namespace fanfold_test;
using kernel::activation;
using kernel::packed_winograd;
using kernel::winograd_tile;

namespace {

/// Heights and widths that tiles of two and four cover exactly or in part; padding that they begin or end in.
std::vector<nhwc_problem> problems() {
    std::vector<nhwc_problem> all{
        {2, 3, 8, 8, 5, 3, 3, {.padding = {1, 1, 1, 1}}},
        {1, 16, 6, 6, 16, 3, 3, {}},  // one tile of four
        {1, 1, 3, 3, 1, 3, 3, {}},    // one position
        {2, 17, 7, 9, 18, 3, 3, {.padding = {1, 1, 1, 1}}},
        {1, 32, 14, 13, 48, 3, 3, {.padding = {1, 0, 0, 1}}},
        {2, 33, 5, 12, 31, 3, 3, {.padding = {0, 2, 3, 1}}},
        {1, 4, 1, 1, 3, 3, 3, {.padding = {1, 1, 1, 1}}},
        {1, 2, 2, 3, 4, 3, 3, {.padding = {7, 0, 5, 9}}},  // tiles that see padding alone
        {2, 3, 8, 8, 5, 3, 3, {.stride = {2, 2}, .padding = {1, 1, 1, 1}}},
        {1, 16, 5, 5, 16, 3, 3, {.stride = {2, 2}}},  // one tile of two
        {1, 1, 3, 3, 1, 3, 3, {.stride = {2, 2}}},
        {2, 17, 11, 14, 18, 3, 3, {.stride = {2, 2}, .padding = {1, 0, 0, 1}}},
        {1, 33, 4, 13, 31, 3, 3, {.stride = {2, 2}, .padding = {0, 6, 5, 1}}},
        {1, 530, 6, 5, 33, 3, 3, {.padding = {1, 1, 1, 1}}},  // products in two blocks of channels
        {3, 40, 11, 10, 20, 3, 3, {.padding = {1, 1, 1, 1}}},
        {1, 20, 40, 37, 35, 3, 3, {.padding = {1, 1, 1, 1}}},
        {2, 20, 40, 37, 35, 3, 3, {.stride = {2, 2}, .padding = {1, 1, 1, 1}}},
    };
    if (sanitized) all.resize(14);  // the last are large, and no different
    for (nhwc_problem& p : all) p.fill();
    return all;
}

packed_winograd packed(const nhwc_problem& p, winograd_tile tile, kernel::isa set = kernel::active_isa()) {
    return {p.weight_view(), p.bias_view(), p.geometry, tile, set};
}

std::vector<winograd_tile> tiles_of(const nhwc_problem& p) {
    if (p.geometry.stride[0] == 2) return {winograd_tile::two};
    return {winograd_tile::two, winograd_tile::four};
}

}  // namespace

TEST_CASE("a convolution by tiles agrees with the sum in double", "[every_isa]") {
    for (const nhwc_problem& p : problems())
        for (const kernel::isa set : every_isa())
            for (const winograd_tile tile : tiles_of(p))
                for (const activation act : {activation::none, activation::relu, activation::sigmoid}) {
                    INFO(name_of(set) << " " << p.in_shape().text() << " to " << p.outputs);
                    const packed_winograd weights = packed(p, tile, set);
                    const shape answer = weights.output(p.in_shape());
                    const guarded in(p.in);
                    guarded out(answer.volume(), 3);
                    workspace space;
                    kernel::detail::conv_winograd(set, {in.span().data(), p.in_shape()}, weights, out.as(answer), space,
                                                  act, {});
                    CHECK(p.right(out.as(answer), act, 24));
                    CHECK(out.intact());
                }
}

TEST_CASE("weights are transformed in double and rounded once, alike wherever products are fused", "[every_isa]") {
    for (const nhwc_problem& p : problems())
        for (const winograd_tile tile : tiles_of(p)) {
            std::vector<std::byte> fused;
            for (const kernel::isa set : every_isa()) {
                INFO(name_of(set) << " " << p.outputs << " from " << p.channels);
                const packed_winograd weights = packed(p, tile, set);
                const auto* all = reinterpret_cast<const float*>(weights.memory().data());
                // The first and the last frequency are a corner of the window, and some of its factor.
                const double corner = tile == winograd_tile::four ? 1 / (0.625 * 0.625 * 1.5 * 1.5) : 1;
                const std::int64_t columns = (p.outputs + 15) / 16 * 16, size = p.channels * columns;
                const view<const float> w = p.weight_view();
                std::int64_t wrong = 0;
                for (std::int64_t o = 0; o < columns; ++o)
                    for (std::int64_t c = 0; c < p.channels; ++c) {
                        const std::int64_t at = o / 16 * 16 * p.channels + c * 16 + o % 16;
                        const bool there = o < p.outputs;
                        const double first = there ? corner * (corner * static_cast<double>(w(o, c, 0, 0))) : 0;
                        const float last = there ? w(o, c, 2, 2) : 0.0F;
                        wrong += !same_bits(all[at], static_cast<float>(first));
                        wrong += !same_bits(all[(weights.frequencies() - 1) * size + at], last);
                    }
                CHECK(wrong == 0);
                if (set == kernel::isa::baseline) continue;
                const std::vector<std::byte> bytes(weights.memory().begin(), weights.memory().end());
                if (fused.empty()) fused = bytes;
                CHECK(bytes == fused);
            }
        }
}

TEST_CASE("the error of tiles is that of their documentation", "[every_isa]") {
    const std::int64_t stride = GENERATE(1, 2);
    nhwc_problem p{1, 128, 16, 16, 32, 3, 3, {.stride = {stride, stride}, .padding = {1, 1, 1, 1}}};
    p.fill();
    const auto exact = p.naive(packed(p, winograd_tile::two).output(p.in_shape()));
    double squares = 0;
    for (const auto& [sum, terms] : exact) squares += sum * sum;
    const double size = std::sqrt(squares / static_cast<double>(exact.size()));
    for (const kernel::isa set : every_isa())
        for (const winograd_tile tile : tiles_of(p)) {
            std::vector<float> out(exact.size());
            workspace space;
            const packed_winograd weights = packed(p, tile);
            kernel::detail::conv_winograd(set, {p.in.data(), p.in_shape()}, weights,
                                          {out.data(), weights.output(p.in_shape())}, space, activation::none, {});
            double most = 0;
            for (std::size_t i = 0; i < out.size(); ++i)
                most = std::max(most, std::abs(static_cast<double>(out[i]) - exact[i][0]));
            CAPTURE(most / size);
            CHECK(most / size < (tile == winograd_tile::two ? 4e-6 : 2e-5));
        }
}

TEST_CASE("an addend is added to tiles before the activation", "[every_isa]") {
    for (const kernel::isa set : every_isa())
        for (const nhwc_problem& p : problems())
            for (const winograd_tile tile : tiles_of(p)) {
                const packed_winograd weights = packed(p, tile);
                const shape answer = weights.output(p.in_shape());
                const std::vector<float> addend = numbers(5).some(answer.volume());
                std::vector<float> alone(answer.volume()), apart(answer.volume());
                const view<const float> in(p.in.data(), p.in_shape());
                workspace space;
                kernel::detail::conv_winograd(set, in, weights, {alone.data(), answer}, space, activation::none, {});
                kernel::detail::conv_winograd(set, in, weights, {apart.data(), answer}, space, activation::relu,
                                              {addend.data(), answer});
                for (std::size_t i = 0; i < alone.size(); ++i) alone[i] = std::max(0.0F, alone[i] + addend[i]);
                CHECK(alone == apart);
            }
}

TEST_CASE("tiles may be some of the channels of images, with the same bits; the others stay as they are",
          "[every_isa]") {
    for (const kernel::isa set : every_isa())
        for (const nhwc_problem& p : problems())
            for (const winograd_tile tile : tiles_of(p))
                for (const activation act : {activation::relu, activation::sigmoid}) {
                    const packed_winograd weights = packed(p, tile);
                    const shape answer = weights.output(p.in_shape());
                    std::vector<float> alone(answer.volume());
                    const view<const float> in(p.in.data(), p.in_shape());
                    workspace space;
                    kernel::detail::conv_winograd(set, in, weights, {alone.data(), answer}, space, act, {});
                    check_among_wider(alone, answer, [&](const view<float>& out) {
                        kernel::detail::conv_winograd(set, in, weights, out, space, act, {});
                    });
                }
}

TEST_CASE("the addend of tiles may be where the answer goes", "[every_isa]") {
    for (const kernel::isa set : every_isa())
        for (const nhwc_problem& p : problems())
            for (const winograd_tile tile : tiles_of(p)) {
                const packed_winograd weights = packed(p, tile);
                const shape answer = weights.output(p.in_shape());
                const std::vector<float> addend = numbers(5).some(answer.volume());
                std::vector<float> apart(answer.volume()), over = addend;
                const view<const float> in(p.in.data(), p.in_shape());
                workspace space;
                kernel::detail::conv_winograd(set, in, weights, {apart.data(), answer}, space, activation::relu,
                                              {addend.data(), answer});
                kernel::detail::conv_winograd(set, in, weights, {over.data(), answer}, space, activation::relu,
                                              {over.data(), answer});
                CHECK(same_bits(apart, over));
            }
}

TEST_CASE("tiles have the same bits in every batch, at every place in it, with AVX2 and AVX-512", "[every_isa]") {
    for (const nhwc_problem& p : problems())
        for (const winograd_tile tile : tiles_of(p)) {
            std::vector<float> by_avx2;
            for (const kernel::isa set : every_isa()) {
                constexpr std::int64_t many = sanitized ? 3 : 19;  // 19: more than one block of images
                const packed_winograd weights = packed(p, tile);
                const shape one = p.in_shape().with(0, 1), answer = weights.output(one);
                const std::vector<float> rows = numbers(9).some(one.volume() * many);
                std::vector<float> out(answer.volume() * many), alone(answer.volume());
                workspace space;
                kernel::detail::conv_winograd(set, {rows.data(), one.with(0, many)}, weights,
                                              {out.data(), answer.with(0, many)}, space, activation::none, {});
                bool same = true;
                for (std::size_t n = 0; n < many; ++n) {
                    kernel::detail::conv_winograd(set, {rows.data() + n * one.volume(), one}, weights,
                                                  {alone.data(), answer}, space, activation::none, {});
                    same =
                        same && same_bits(alone, std::span<const float>(out).subspan(n * alone.size(), alone.size()));
                }
                CHECK(same);
                if (set == kernel::isa::avx2) by_avx2 = out;
                if (set == kernel::isa::avx512) CHECK(same_bits(out, by_avx2));
            }
        }
}

TEST_CASE("scratch of tiles that holds NaN does not matter, and no more is taken than scratch_bytes says") {
    for (const nhwc_problem& p : problems())
        for (const winograd_tile tile : tiles_of(p)) {
            const packed_winograd weights = packed(p, tile);
            const shape answer = weights.output(p.in_shape());
            std::vector<float> out(answer.volume());
            const std::size_t bytes = weights.scratch_bytes(p.in_shape());
            workspace space(bytes);
            {
                const workspace::scope scope(space);
                for (float& x : space.take<float>(bytes / sizeof(float))) x = poison();
            }
            kernel::conv_winograd({p.in.data(), p.in_shape()}, weights, {out.data(), answer}, space);
            CHECK(space.capacity() == bytes);
            CHECK(p.right({out.data(), answer}, activation::none, 24));
        }
}

TEST_CASE("a convolution by tiles has the same bits when workers share it") {
    std::vector<nhwc_problem> all = problems();
    all.push_back({9, 64, 33, 34, 48, 3, 3, {.padding = {1, 1, 1, 1}}});  // many blocks
    all.push_back({1, 96, 12, 12, 160, 3, 3, {.padding = {1, 1, 1, 1}}});
    all.back().fill();
    all[all.size() - 2].fill();
    for (const nhwc_problem& p : all)
        for (const winograd_tile tile : tiles_of(p)) {
            const packed_winograd weights = packed(p, tile);
            const shape answer = weights.output(p.in_shape());
            std::vector<float> alone(answer.volume()), shared(answer.volume());
            workspace one, several;
            several.tiles = backwards(3);
            kernel::conv_winograd({p.in.data(), p.in_shape()}, weights, {alone.data(), answer}, one);
            kernel::conv_winograd({p.in.data(), p.in_shape()}, weights, {shared.data(), answer}, several);
            CHECK(same_bits(alone, shared));
        }
}

TEST_CASE("what cannot be done by tiles is refused with the numbers") {
    const std::vector<float> weights(2 * 3 * 3 * 3);
    const view<const float> w(weights.data(), shape{2, 3, 3, 3});
    const auto text = [](auto&& act) {
        try {
            act();
        } catch (const std::invalid_argument& error) {
            return std::string(error.what());
        }
        return std::string("nothing");
    };
    CHECK(text([&] {
              packed_winograd(w, {}, {.stride = {1, 2}}, winograd_tile::two);
          }) ==
          "winograd: weights [2, 3, 3, 3], expected [O, C, 3, 3] with strides of 1 or of 2, dilation and groups of 1");
    CHECK(text([&] {
              packed_winograd(w, {}, {.stride = {2, 2}}, winograd_tile::four);
          }) == "winograd: tiles of 4x4 with a stride of 2, expected tiles of 2x2");
    CHECK(text([&] {
              packed_winograd({weights.data(), shape{2, 3, 1, 9}}, {}, {}, winograd_tile::four);
          }) ==
          "winograd: weights [2, 3, 1, 9], expected [O, C, 3, 3] with strides of 1 or of 2, dilation and groups of 1");
    const packed_winograd two(w, {}, {}, winograd_tile::two);
    CHECK(text([&] { (void)two.output({1, 3, 5, 5}); }) == "conv2d: [1, 3, 5, 5] is not [N, H, W, 3]");
    CHECK(packed_winograd(w, {}, {}, winograd_tile::four).bytes() == (36 * 3 + 1) * 16 * sizeof(float));
    CHECK(two.bytes() == (16 * 3 + 1) * 16 * sizeof(float));
    CHECK(packed_winograd(w, {}, {.stride = {2, 2}}, winograd_tile::two).bytes() == (25 * 3 + 1) * 16 * sizeof(float));
}
