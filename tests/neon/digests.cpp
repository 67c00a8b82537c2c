// tests/neon/digests.cpp - one digest per kernel, of the active instruction set: avx2,
// avx512 and NEON must print the same.
// SPDX-License-Identifier: MIT
#include <fanfold/context/floating_point.hpp>
#include <fanfold/kernel/attention.hpp>
#include <fanfold/kernel/convolution.hpp>
#include <fanfold/kernel/convolution_nhwc.hpp>
#include <fanfold/kernel/elementwise.hpp>
#include <fanfold/kernel/matmul.hpp>
#include <fanfold/kernel/normalization.hpp>
#include <fanfold/kernel/recurrent.hpp>
#include <fanfold/kernel/reduce.hpp>
#include <fanfold/kernel/softmax.hpp>
#include <fanfold/kernel/winograd.hpp>
#include <fanfold/verify/digest.hpp>

#include <cmath>    // std::isfinite
#include <cstdio>   // std::printf
#include <cstdlib>  // EXIT_FAILURE
#include <vector>   // std::vector

#include "../kernel/helpers.hpp"

using namespace fanfold;
namespace kernels = fanfold::kernel;

namespace {

int faults = 0;

void print(const char* name, const char* variant, std::vector<float>& values) {
    for (const float x : values)
        if (!std::isfinite(x)) {  // the bits of a NaN are the architecture's own
            std::fprintf(stderr, "%s %s is not finite\n", name, variant);
            ++faults;
            break;
        }
    const view<const float> all(values.data(), shape{static_cast<std::int64_t>(values.size())});
    std::printf("%-12s %-12s %s\n", name, variant, digest_text(digest(tensor_view(all))).c_str());
}

}  // namespace

int main() {
    std::fprintf(stderr, "%s\n", kernels::name_of(kernels::active_isa()).data());
    const floating_point_scope same_everywhere;
    fanfold_test::numbers next(5);
    workspace space(std::size_t{64} << 20);

    {  // every activation, far and near
        std::vector<float> in = next.some(20'011), out(in.size());
        for (std::size_t i = 0; i < in.size(); ++i) in[i] *= i % 3 == 0 ? 90.0F : i % 3 == 1 ? 4.0F : 0.01F;
        const shape all{static_cast<std::int64_t>(in.size())};
        for (const auto act : {kernels::activation::relu, kernels::activation::sigmoid, kernels::activation::tanh,
                               kernels::activation::gelu, kernels::activation::gelu_tanh, kernels::activation::silu,
                               kernels::activation::hard_swish}) {
            kernels::apply(act, view<const float>(in.data(), all), view<float>(out.data(), all));
            print("activation", kernels::name_of(act).data(), out);
        }
        for (float& x : in) x *= 0.9F;
        kernels::exp(view<const float>(in.data(), all), view<float>(out.data(), all));
        print("exp", "", out);
    }
    for (const auto [rows, inner, columns] :
         {std::array<std::int64_t, 3>{1, 1030, 130}, {7, 33, 65}, {103, 1024, 272}}) {
        const auto size = [](std::int64_t n) { return static_cast<std::size_t>(n); };
        const std::vector<float> a = next.some(size(rows * inner)), w = next.some(size(inner * columns)),
                                 b = next.some(size(columns));
        std::vector<float> out(size(rows * columns));
        const kernels::packed_matrix packed(view<const float>(w.data(), shape{inner, columns}),
                                            view<const float>(b.data(), shape{columns}));
        kernels::matmul(view<const float>(a.data(), shape{rows, inner}), packed,
                        view<float>(out.data(), shape{rows, columns}), kernels::activation::gelu);
        print("matmul", std::to_string(rows).c_str(), out);
    }
    {
        const std::vector<float> in = next.some(3 * 19 * 17 * 13), w = next.some(21 * 13 * 9), b = next.some(21);
        const kernels::conv2d_geometry same{.stride = {1, 1}, .padding = {1, 1, 1, 1}};
        const shape weights{21, 13, 3, 3};
        const kernels::packed_conv2d planes(view<const float>(w.data(), weights),
                                            view<const float>(b.data(), shape{21}), same, 19, 17);
        std::vector<float> out(planes.output(3).volume());
        kernels::conv2d(view<const float>(in.data(), planes.input(3)), planes,
                        view<float>(out.data(), planes.output(3)), space, kernels::activation::relu);
        print("convolution", "nchw", out);
        const kernels::packed_conv_nhwc channels(view<const float>(w.data(), weights),
                                                 view<const float>(b.data(), shape{21}), same);
        const view<const float> images(in.data(), shape{3, 19, 17, 13});
        const shape answer = channels.output(images.shape());
        std::vector<float> beside(answer.volume());
        kernels::conv_nhwc(images, channels, view<float>(beside.data(), answer), space, kernels::activation::silu);
        print("convolution", "nhwc", beside);
        for (const auto tile : {kernels::winograd_tile::two, kernels::winograd_tile::four}) {
            const kernels::packed_winograd tiles(view<const float>(w.data(), weights),
                                                 view<const float>(b.data(), shape{21}), same, tile);
            kernels::conv_winograd(images, tiles, view<float>(beside.data(), answer), space);
            print("convolution", tile == kernels::winograd_tile::two ? "tiles of 2x2" : "tiles of 4x4", beside);
        }
    }
    {
        const std::vector<float> in = next.some(29 * 333), scale = next.some(333), bias = next.some(333);
        std::vector<float> out(in.size());
        const view<const float> from(in.data(), shape{29, 333});
        const view<float> to(out.data(), shape{29, 333});
        kernels::layer_norm(from, scale, bias, 1e-5F, to);
        print("layer_norm", "", out);
        kernels::rms_norm(from, scale, 1e-5F, to);
        print("rms_norm", "", out);
        kernels::softmax(from, 1, to);
        print("softmax", "", out);
        const std::size_t last[] = {1};
        std::vector<float> folded(29);
        const view<float> one(folded.data(), shape{29});
        for (const auto how : {kernels::reduction::sum, kernels::reduction::mean, kernels::reduction::max,
                               kernels::reduction::min, kernels::reduction::l1, kernels::reduction::l2,
                               kernels::reduction::log_sum_exp, kernels::reduction::sum_square}) {
            kernels::reduce(how, tensor_view(from), last, mutable_tensor_view(one));
            print("reduce", kernels::name_of(how).data(), folded);
        }
    }
    {
        const std::vector<float> q = next.some(2 * 3 * 70 * 24), k = next.some(2 * 3 * 70 * 24),
                                 v = next.some(2 * 3 * 70 * 24);
        std::vector<float> out(q.size());
        const shape all{2, 3, 70, 24};
        kernels::attention(view<const float>(q.data(), all), view<const float>(k.data(), all),
                           view<const float>(v.data(), all), {}, {.scale = 0.2F, .causal = {}},
                           view<float>(out.data(), all), space);
        print("attention", "", out);
    }
    for (const auto cell : {kernels::recurrent_cell::lstm, kernels::recurrent_cell::gru}) {
        const kernels::recurrent_options options{.cell = cell};
        const std::size_t wide = options.gates() * 40;
        const auto gates = static_cast<std::int64_t>(wide);
        const std::vector<float> x = next.some(9 * 5 * 18), w = next.some(wide * 18), r = next.some(wide * 40),
                                 b = next.some(2 * wide);
        std::vector<float> room(kernels::recurrent_weights::floats(options, 18, 40)), y(9 * 5 * 40);
        const auto packed = kernels::pack_recurrent(options, view<const float>(w.data(), shape{gates, 18}),
                                                    view<const float>(r.data(), shape{gates, 40}), b, {}, room);
        kernels::recurrent_io io;
        io.x = view<const float>(x.data(), shape{9, 5, 18});
        io.y = view<float>(y.data(), shape{9, 5, 40});
        kernels::recurrent(io, packed, kernels::direction::forward, space);
        print("recurrent", cell == kernels::recurrent_cell::lstm ? "lstm" : "gru", y);
    }
    return faults == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
