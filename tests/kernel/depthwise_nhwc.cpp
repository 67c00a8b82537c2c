// SPDX-License-Identifier: MIT
#include <fanfold/kernel/depthwise_nhwc.hpp>

#include "../catch.hpp"
#include "helpers.hpp"
#include "nhwc_problem.hpp"

using namespace fanfold;
using namespace fanfold_test;
using kernel::activation;

namespace {

std::vector<nhwc_problem> problems() {
    std::vector<nhwc_problem> all{
        {2, 3, 9, 11, 3, 3, 3, {.padding = {1, 1, 1, 1}, .groups = 3}},
        {2, 16, 10, 33, 16, 3, 3, {.padding = {1, 1, 1, 1}, .groups = 16}},
        {1, 37, 13, 17, 37, 3, 3, {.stride = {2, 2}, .padding = {1, 1, 1, 1}, .groups = 37}},
        {1, 20, 20, 23, 20, 4, 2, {.stride = {3, 2}, .padding = {0, 1, 2, 3}, .groups = 20}},
        {1, 17, 15, 16, 17, 3, 5, {.dilation = {2, 3}, .padding = {2, 3, 2, 3}, .groups = 17}},
        {2, 40, 7, 7, 40, 5, 5, {.padding = {2, 2, 2, 2}, .groups = 40}},
        {1, 8, 2, 2, 8, 3, 3, {.padding = {5, 0, 3, 4}, .groups = 8}},  // windows that see padding alone
        {1, 18, 5, 5, 18, 1, 1, {.groups = 18}},
    };
    for (nhwc_problem& p : all) p.fill();
    return all;
}

}  // namespace

TEST_CASE("a convolution of each channel by itself agrees with the sum in double", "[every_isa]") {
    for (const kernel::isa set : every_isa())
        for (const nhwc_problem& p : problems())
            for (const activation act : {activation::none, activation::relu, activation::sigmoid}) {
                INFO(name_of(set) << " " << p.in_shape().text());
                const kernel::packed_depthwise_nhwc packed(p.weight_view(), p.bias_view(), p.geometry);
                const shape answer = packed.output(p.in_shape());
                const guarded in(p.in);
                guarded out(answer.volume(), 3);
                kernel::detail::depthwise_nhwc(set, {in.span().data(), p.in_shape()}, packed, out.as(answer), {}, act,
                                               {});
                CHECK(p.right(out.as(answer), act));
                CHECK(out.intact());
            }
}

TEST_CASE("a depthwise addend is added before the activation", "[every_isa]") {
    for (const kernel::isa set : every_isa())
        for (const nhwc_problem& p : problems()) {
            const kernel::packed_depthwise_nhwc packed(p.weight_view(), p.bias_view(), p.geometry);
            const shape answer = packed.output(p.in_shape());
            const std::vector<float> addend = numbers(5).some(answer.volume());
            std::vector<float> alone(answer.volume()), apart(answer.volume());
            const view<const float> in(p.in.data(), p.in_shape());
            kernel::detail::depthwise_nhwc(set, in, packed, {alone.data(), answer}, {}, activation::none, {});
            kernel::detail::depthwise_nhwc(set, in, packed, {apart.data(), answer}, {}, activation::relu,
                                           {addend.data(), answer});
            for (std::size_t i = 0; i < alone.size(); ++i) alone[i] = std::max(0.0F, alone[i] + addend[i]);
            CHECK(alone == apart);
        }
}

TEST_CASE("weights that are not one filter a channel are refused") {
    const std::vector<float> weights(4 * 2 * 3 * 3);
    CHECK_THROWS_WITH(kernel::packed_depthwise_nhwc({weights.data(), shape{4, 2, 3, 3}}, {}, {.groups = 2}),
                      "conv2d: weights [4, 2, 3, 3] in 2 groups are not one filter a channel");
}
