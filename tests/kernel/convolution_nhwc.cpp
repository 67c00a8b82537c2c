// SPDX-License-Identifier: MIT
#include <fanfold/kernel/convolution_nhwc.hpp>

#include "../catch.hpp"
#include "../sanitized.hpp"
#include "helpers.hpp"
#include "nhwc_problem.hpp"

using namespace fanfold;
using namespace fanfold_test;
using kernel::activation;

namespace {

std::vector<nhwc_problem> problems() {
    std::vector<nhwc_problem> all{
        {2, 1, 12, 11, 6, 5, 5, {.padding = {2, 2, 2, 2}}},
        {2, 6, 14, 14, 16, 5, 5, {}},
        {3, 3, 9, 11, 5, 3, 3, {.padding = {1, 1, 1, 1}}},
        {1, 2, 7, 5, 3, 7, 5, {}},  // one position
        {2, 4, 13, 17, 18, 3, 3, {.stride = {2, 2}, .padding = {1, 1, 1, 1}}},
        {1, 4, 20, 23, 7, 4, 2, {.stride = {3, 2}, .padding = {0, 1, 2, 3}}},
        {2, 4, 15, 16, 8, 3, 3, {.dilation = {2, 3}, .padding = {2, 3, 2, 3}}},
        {1, 6, 12, 12, 9, 3, 2, {.stride = {2, 3}, .dilation = {3, 2}, .padding = {4, 1, 0, 5}, .groups = 3}},
        {1, 140, 6, 7, 33, 3, 3, {.padding = {1, 1, 1, 1}}},  // three slices of taps
        {5, 70, 5, 5, 19, 1, 1, {}},                          // several images a block
        {2, 8, 9, 9, 40, 1, 1, {.stride = {2, 2}}},
        {1, 4, 30, 20, 35, 3, 3, {.padding = {1, 1, 1, 1}}},  // several blocks an image
        {1, 3, 2, 2, 4, 3, 3, {.padding = {5, 0, 3, 4}}},     // windows that see padding alone
        {1, 2, 5, 5, 3, 1, 1, {.padding = {0, 0, 1, 2}}},
    };
    for (nhwc_problem& p : all) p.fill();
    return all;
}

}  // namespace

TEST_CASE("a convolution with channels side by side agrees with the sum in double", "[every_isa]") {
    for (const kernel::isa set : every_isa())
        for (const nhwc_problem& p : problems())
            for (const activation act : {activation::none, activation::relu, activation::sigmoid}) {
                INFO(name_of(set) << " " << p.in_shape().text() << " to " << p.outputs);
                const kernel::packed_conv_nhwc packed(p.weight_view(), p.bias_view(), p.geometry);
                const shape answer = packed.output(p.in_shape());
                const guarded in(p.in);
                guarded out(answer.volume(), 3);
                workspace space;
                kernel::detail::conv_nhwc(set, {in.span().data(), p.in_shape()}, packed, out.as(answer), space, act,
                                          {});
                CHECK(p.right(out.as(answer), act));
                CHECK(out.intact());
            }
}

TEST_CASE("an addend is added before the activation", "[every_isa]") {
    for (const kernel::isa set : every_isa())
        for (const nhwc_problem& p : problems()) {
            const kernel::packed_conv_nhwc packed(p.weight_view(), p.bias_view(), p.geometry);
            const shape answer = packed.output(p.in_shape());
            const std::vector<float> addend = numbers(5).some(answer.volume());
            std::vector<float> alone(answer.volume()), apart(answer.volume());
            const view<const float> in(p.in.data(), p.in_shape());
            workspace space;
            kernel::detail::conv_nhwc(set, in, packed, {alone.data(), answer}, space, activation::none, {});
            kernel::detail::conv_nhwc(set, in, packed, {apart.data(), answer}, space, activation::relu,
                                      {addend.data(), answer});
            for (std::size_t i = 0; i < alone.size(); ++i) alone[i] = std::max(0.0F, alone[i] + addend[i]);
            CHECK(alone == apart);
        }
}

TEST_CASE("an answer may be some of the channels of images, with the same bits; the others stay as they are",
          "[every_isa]") {
    for (const kernel::isa set : every_isa())
        for (const nhwc_problem& p : problems())
            for (const activation act : {activation::none, activation::sigmoid}) {
                const kernel::packed_conv_nhwc packed(p.weight_view(), p.bias_view(), p.geometry);
                const shape answer = packed.output(p.in_shape());
                std::vector<float> alone(answer.volume());
                const view<const float> in(p.in.data(), p.in_shape());
                workspace space;
                kernel::detail::conv_nhwc(set, in, packed, {alone.data(), answer}, space, act, {});
                check_among_wider(alone, answer, [&](const view<float>& out) {
                    kernel::detail::conv_nhwc(set, in, packed, out, space, act, {});
                });
            }
}

TEST_CASE("an addend may be where the answer goes when it is written once", "[every_isa]") {
    for (const kernel::isa set : every_isa())
        for (const nhwc_problem& p : problems()) {
            const kernel::packed_conv_nhwc packed(p.weight_view(), p.bias_view(), p.geometry);
            if (packed.passes() != 1) continue;
            const shape answer = packed.output(p.in_shape());
            const std::vector<float> addend = numbers(5).some(answer.volume());
            std::vector<float> apart(answer.volume()), over = addend;
            const view<const float> in(p.in.data(), p.in_shape());
            workspace space;
            kernel::detail::conv_nhwc(set, in, packed, {apart.data(), answer}, space, activation::relu,
                                      {addend.data(), answer});
            kernel::detail::conv_nhwc(set, in, packed, {over.data(), answer}, space, activation::relu,
                                      {over.data(), answer});
            CHECK(same_bits(apart, over));
        }
}

TEST_CASE("an image has the same bits in every batch and at every place in it", "[every_isa]") {
    for (const kernel::isa set : every_isa())
        for (const nhwc_problem& p : problems()) {
            constexpr std::int64_t many = sanitized ? 19 : 131;
            const kernel::packed_conv_nhwc packed(p.weight_view(), p.bias_view(), p.geometry);
            const shape one = p.in_shape().with(0, 1), answer = packed.output(one);
            std::vector<float> rows, out(answer.volume() * many), alone(answer.volume());
            for (std::int64_t n = 0; n < many; ++n)
                rows.insert(rows.end(), p.in.begin(), p.in.begin() + static_cast<std::ptrdiff_t>(one.volume()));
            workspace space;
            kernel::detail::conv_nhwc(set, {rows.data(), one}, packed, {alone.data(), answer}, space, activation::none,
                                      {});
            kernel::detail::conv_nhwc(set, {rows.data(), one.with(0, many)}, packed, {out.data(), answer.with(0, many)},
                                      space, activation::none, {});
            for (std::size_t n = 0; n < many; ++n)
                CHECK(same_bits(alone, std::span<const float>(out).subspan(n * alone.size(), alone.size())));
        }
}

TEST_CASE("scratch that holds NaN does not matter, and no more is taken than scratch_bytes says") {
    for (const nhwc_problem& p : problems()) {
        const kernel::packed_conv_nhwc packed(p.weight_view(), p.bias_view(), p.geometry);
        const shape answer = packed.output(p.in_shape());
        std::vector<float> out(answer.volume());
        const std::size_t bytes = packed.scratch_bytes(p.in_shape());
        workspace space(bytes);
        {
            const workspace::scope scope(space);
            for (float& x : space.take<float>(bytes / sizeof(float))) x = poison();
        }
        kernel::conv_nhwc({p.in.data(), p.in_shape()}, packed, {out.data(), answer}, space);
        CHECK(space.capacity() == bytes);
        CHECK(p.right({out.data(), answer}, activation::none));
    }
}

TEST_CASE("what does not fit a convolution with channels side by side is refused with the numbers") {
    const std::vector<float> weights(2 * 3 * 3 * 3), in(2 * 5 * 5 * 3);
    const view<const float> w(weights.data(), shape{2, 3, 3, 3});
    const auto text = [](auto&& act) {
        try {
            act();
        } catch (const std::invalid_argument& error) {
            return std::string(error.what());
        }
        return std::string("nothing");
    };
    CHECK(text([&] { kernel::packed_conv_nhwc(w, {}, {.groups = 4}); }) == "conv2d: 4 groups for weights [2, 3, 3, 3]");
    CHECK(text([&] {
              kernel::packed_conv_nhwc(w, {}, {.stride = {0, 1}});
          }) == "conv2d: a stride or dilation below 1, or a padding below 0");
    const kernel::packed_conv_nhwc packed(w, {}, {});
    CHECK(text([&] { (void)packed.output({1, 3, 5, 5}); }) == "conv2d: [1, 3, 5, 5] is not [N, H, W, 3]");
    CHECK(text([&] {
              (void)packed.output({1, 2, 5, 3});
          }) == "conv2d: a window of 3, stride 1, dilation 1 does not fit an extent of 2 padded by 0 and 0");
    std::vector<float> out(3 * 3 * 6);
    workspace space;
    const view<const float> images(in.data(), shape{1, 5, 5, 3});
    const auto into = [&](const strides& steps, const view<const float>& addend) {
        kernel::conv_nhwc(images, packed, {out.data(), shape{1, 3, 3, 2}, steps}, space, activation::none, addend);
    };
    CHECK(text([&] { into({27, 9, 3, 1}, {}); }) == "nothing");
    CHECK(text([&] {
              into({18, 6, 1, 3}, {});
          }) == "conv2d: [1, 5, 5, 3] into [1, 3, 3, 2], expected dense [1, 3, 3, 2]");
    CHECK(text([&] { into({54, 18, 3, 1}, {}); }) != "nothing");
    const view<const float> addend(in.data(), shape{1, 3, 3, 2});
    CHECK(text([&] { into({27, 9, 3, 1}, addend); }) != "nothing");
}

TEST_CASE("a checked convolution has the same bits, nothing suspicious, and finds other weights", "[every_isa]") {
    std::size_t moved = 0;
    for (const kernel::isa set : every_isa())
        for (const nhwc_problem& p : problems())
            for (const activation act : {activation::none, activation::relu, activation::tanh})
                for (const bool adds : {false, true}) {
                    INFO(name_of(set) << " " << p.in_shape().text() << " to " << p.outputs << " " << adds);
                    const kernel::packed_conv_nhwc packed(p.weight_view(), p.bias_view(), p.geometry);
                    const auto sums = packed.sums();
                    const shape answer = packed.output(p.in_shape());
                    const view<const float> in(p.in.data(), p.in_shape());
                    const std::vector<float> more = numbers(5).some(answer.volume());
                    std::vector<float> plain = more, checked = more;  // the addend is where the answer goes
                    if (adds && packed.passes() != 1) continue;
                    const auto run = [&](std::vector<float>& out, const std::vector<kernel::product_sums>* with) {
                        workspace space;
                        if (with != nullptr) space.tiles = backwards(4);
                        const view<float> to(out.data(), answer);
                        const view<const float> addend(out.data(), answer);
                        return kernel::detail::conv_nhwc(set, in, packed, to, space, act,
                                                         adds ? addend : view<const float>(), with);
                    };
                    CHECK(run(plain, nullptr) == 0);
                    CHECK(run(checked, &sums) == 0);
                    CHECK(same_bits(plain, checked));
                    auto* weights = const_cast<float*>(packed.call(0, 0, 1).panels);
                    weights[0] += 1;  // of the first output
                    std::vector<float> wrong = more;
                    const std::size_t found = run(wrong, &sums);
                    std::size_t differ = 0;
                    if (act == activation::none)
                        for (std::size_t at = 0; at < wrong.size(); at += static_cast<std::size_t>(answer[3]))
                            differ += std::abs(wrong[at] - plain[at]) > 1e-3F;
                    CHECK(found >= differ);
                    moved += differ;
                }
    CHECK(moved > 1000);
}
