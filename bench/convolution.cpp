// bench/convolution.cpp - convolutions of the networks that people export, in GFLOP/s of the direct sum, one thread;
// and what one core's fused multiply-add can do.
// SPDX-License-Identifier: MIT
#include <fanfold/kernel/convolution.hpp>
#include <fanfold/kernel/convolution_nhwc.hpp>
#include <fanfold/kernel/depthwise_nhwc.hpp>
#include <fanfold/kernel/winograd.hpp>

#include <benchmark/benchmark.h>

#include <random>
#include <vector>

namespace {

using fanfold::shape;
using fanfold::view;
namespace kernel = fanfold::kernel;

std::vector<float> some(std::size_t count) {
    std::minstd_rand next(7);
    std::uniform_real_distribution<float> unit(-1, 1);
    std::vector<float> made(count);
    for (float& x : made) x = unit(next);
    return made;
}

/// Images, height = width, channels, outputs, kernel, stride, groups
struct problem {
    std::int64_t images, extent, channels, outputs, size, stride, groups;
    kernel::conv2d_geometry geometry;
    shape weights;
    std::vector<float> in, packed_from, bias;

    explicit problem(const benchmark::State& state)
        : images(state.range(0)),
          extent(state.range(1)),
          channels(state.range(2)),
          outputs(state.range(3)),
          size(state.range(4)),
          stride(state.range(5)),
          groups(state.range(6)),
          weights{outputs, channels / groups, size, size},
          in(some(static_cast<std::size_t>(images * extent * extent * channels))),
          packed_from(some(weights.volume())),
          bias(some(static_cast<std::size_t>(outputs))) {
        const std::int64_t pad = size / 2;
        geometry = {.stride = {stride, stride}, .padding = {pad, pad, pad, pad}, .groups = groups};
    }
    void count(benchmark::State& state, const shape& out) const {
        state.counters["FLOP"] =
            benchmark::Counter(2.0 * static_cast<double>(out.volume()) * static_cast<double>(weights.volume()) /
                                   static_cast<double>(outputs),
                               benchmark::Counter::kIsIterationInvariantRate);
    }
};

void depthwise(benchmark::State& state, const problem& p) {
    const kernel::packed_depthwise_nhwc packed({p.packed_from.data(), p.weights}, {p.bias.data(), shape{p.outputs}},
                                               p.geometry);
    const view<const float> in(p.in.data(), shape{p.images, p.extent, p.extent, p.channels});
    const shape answer = packed.output(in.shape());
    std::vector<float> out(answer.volume());
    for (auto _ : state) {
        kernel::depthwise_nhwc(in, packed, view<float>(out.data(), answer), {}, kernel::activation::relu);
        benchmark::ClobberMemory();
    }
    p.count(state, answer);
}

void conv_nhwc(benchmark::State& state) {
    const problem p(state);
    if (p.groups == p.channels) return depthwise(state, p);
    const kernel::packed_conv_nhwc packed({p.packed_from.data(), p.weights}, {p.bias.data(), shape{p.outputs}},
                                          p.geometry);
    const view<const float> in(p.in.data(), shape{p.images, p.extent, p.extent, p.channels});
    const shape answer = packed.output(in.shape());
    std::vector<float> out(answer.volume());
    fanfold::workspace space(packed.scratch_bytes(in.shape()));
    for (auto _ : state) {
        kernel::conv_nhwc(in, packed, view<float>(out.data(), answer), space, kernel::activation::relu);
        benchmark::ClobberMemory();
    }
    p.count(state, answer);
}

/// GFLOP/s of the direct sum, as the others: more than the peak is what tiles save.
template <kernel::winograd_tile Tile>
void winograd(benchmark::State& state) {
    const problem p(state);
    const kernel::packed_winograd packed({p.packed_from.data(), p.weights}, {p.bias.data(), shape{p.outputs}},
                                         p.geometry, Tile);
    const view<const float> in(p.in.data(), shape{p.images, p.extent, p.extent, p.channels});
    const shape answer = packed.output(in.shape());
    std::vector<float> out(answer.volume());
    fanfold::workspace space(packed.scratch_bytes(in.shape()));
    for (auto _ : state) {
        kernel::conv_winograd(in, packed, view<float>(out.data(), answer), space, kernel::activation::relu);
        benchmark::ClobberMemory();
    }
    p.count(state, answer);
}

void conv_nchw(benchmark::State& state) {
    const problem p(state);
    const kernel::packed_conv2d packed({p.packed_from.data(), p.weights}, {p.bias.data(), shape{p.outputs}}, p.geometry,
                                       p.extent, p.extent);
    const view<const float> in(p.in.data(), packed.input(p.images));
    const shape answer = packed.output(p.images);
    std::vector<float> out(answer.volume());
    fanfold::workspace space(packed.scratch_bytes());
    for (auto _ : state) {
        kernel::conv2d(in, packed, view<float>(out.data(), answer), space, kernel::activation::relu);
        benchmark::ClobberMemory();
    }
    p.count(state, answer);
}

void sizes(benchmark::internal::Benchmark* b) {
    b->Args({1, 224, 3, 64, 7, 2, 1});  // ResNet-50, first
    b->Args({1, 56, 64, 64, 1, 1, 1});  // ResNet-50, stage 1
    b->Args({1, 56, 64, 64, 3, 1, 1});
    b->Args({1, 56, 64, 256, 1, 1, 1});
    b->Args({1, 28, 128, 128, 3, 1, 1});  // stage 2
    b->Args({1, 28, 512, 128, 1, 1, 1});
    b->Args({1, 14, 256, 256, 3, 1, 1});  // stage 3
    b->Args({1, 14, 256, 1024, 1, 1, 1});
    b->Args({1, 7, 512, 512, 3, 1, 1});  // stage 4
    b->Args({1, 7, 2048, 512, 1, 1, 1});
    b->Args({8, 7, 512, 512, 3, 1, 1});
    b->Args({1, 56, 256, 512, 1, 2, 1});
    b->Args({1, 224, 64, 64, 3, 1, 1});  // VGG-19
    b->Args({1, 28, 512, 512, 3, 1, 1});
    b->Args({1, 14, 512, 512, 3, 1, 1});
    b->Args({64, 28, 1, 6, 5, 1, 1});  // LeNet-5
    b->Args({64, 14, 6, 16, 5, 1, 1});
    b->Args({8, 28, 16, 16, 3, 1, 1});    // ResNet-8
    b->Args({1, 112, 32, 32, 3, 1, 32});  // depthwise
}

void windows_of_3(benchmark::internal::Benchmark* b) {
    for (const std::int64_t images : {1, 8}) {
        b->Args({images, 112, 128, 128, 3, 1, 1});  // VGG-19
        b->Args({images, 56, 256, 256, 3, 1, 1});
        b->Args({images, 28, 512, 512, 3, 1, 1});
        b->Args({images, 14, 512, 512, 3, 1, 1});
        b->Args({images, 56, 64, 64, 3, 1, 1});  // ResNet-50
        b->Args({images, 28, 128, 128, 3, 1, 1});
        b->Args({images, 14, 256, 256, 3, 1, 1});
        b->Args({images, 7, 512, 512, 3, 1, 1});
        b->Args({images, 55, 16, 64, 3, 1, 1});  // SqueezeNet
        b->Args({images, 13, 64, 256, 3, 1, 1});
        b->Args({images, 28, 16, 16, 3, 1, 1});  // ResNet-8
        b->Args({images, 14, 32, 32, 3, 1, 1});
        b->Args({images, 7, 64, 64, 3, 1, 1});
    }
}

void every_second_window_of_3(benchmark::internal::Benchmark* b) {
    for (const std::int64_t images : {1, 8}) {
        b->Args({images, 56, 128, 128, 3, 2, 1});  // ResNet-50
        b->Args({images, 28, 256, 256, 3, 2, 1});
        b->Args({images, 14, 512, 512, 3, 2, 1});
        b->Args({images, 28, 16, 32, 3, 2, 1});  // ResNet-8
        b->Args({images, 14, 32, 64, 3, 2, 1});
        b->Args({images, 224, 32, 64, 3, 2, 1});
    }
}

}  // namespace

BENCHMARK(conv_nhwc)->Apply(sizes);
BENCHMARK(conv_nchw)->Apply(sizes);
BENCHMARK(conv_nhwc)->Name("conv_3x3")->Apply(windows_of_3);
BENCHMARK(winograd<kernel::winograd_tile::two>)->Name("winograd_2x2")->Apply(windows_of_3);
BENCHMARK(conv_nhwc)->Name("conv_3x3_every_second")->Apply(every_second_window_of_3);
BENCHMARK(winograd<kernel::winograd_tile::two>)->Name("winograd_2x2_every_second")->Apply(every_second_window_of_3);
BENCHMARK(winograd<kernel::winograd_tile::four>)->Name("winograd_4x4")->Apply(windows_of_3);
