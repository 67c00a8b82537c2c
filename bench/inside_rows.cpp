// bench/inside_rows.cpp - one image through networks of ResNet-50's and VGG-19's shapes: one worker, or two that share
// every operation. SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>
#include <fanfold/kernel/winograd.hpp>
#include <fanfold/model/graph_builder.hpp>
#include <fanfold/model/operators/dense.hpp>
#include <fanfold/model/operators/images_nhwc.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace {

using fanfold::kernel::activation;

/// Small numbers of either sign; what they are does not matter to the time.
fanfold::tensor numbers(const fanfold::shape& extents) {
    fanfold::tensor made(fanfold::element::float32, extents);
    std::uint32_t state = 1;
    for (float& x : made.as<float>().flat()) {
        state = state * 1664525U + 1013904223U;
        x = static_cast<float>(static_cast<std::int32_t>(state)) * 0x1p-36F;
    }
    return made;
}

/// Makes a graph of convolutions and what ResNet needs beside them.
class network {
public:
    fanfold::value_id image(std::int64_t size, std::int64_t channels) {
        return build_.input("x", {fanfold::element::float32, {fanfold::rows_extent, size, size, channels}});
    }
    fanfold::value_id conv(fanfold::value_id x, std::int64_t in, std::int64_t out, std::int64_t window,
                           std::int64_t stride, activation act) {
        return build_.add(with(step(in, out, window, stride), act), {x}).front();
    }
    fanfold::value_id conv(fanfold::value_id x, fanfold::value_id addend, std::int64_t in, std::int64_t out) {
        return build_.add(with(*step(in, out, 1, 1).with_addend(), activation::relu), {x, addend}).front();
    }
    fanfold::graph_builder& build() { return build_; }

private:
    static fanfold::convolution_nhwc with(fanfold::convolution_nhwc conv, activation act) {
        return act == activation::none ? conv : *conv.with(act);
    }
    static fanfold::convolution_nhwc step(std::int64_t in, std::int64_t out, std::int64_t window, std::int64_t stride) {
        const std::int64_t pad = window / 2;
        const fanfold::tensor weights = numbers({out, in, window, window});
        return {weights.as<float>(), {}, {.stride = {stride, stride}, .padding = {pad, pad, pad, pad}}};
    }
    fanfold::graph_builder build_;
};

fanfold::graph resnet50() {
    network net;
    auto x = net.conv(net.image(224, 3), 3, 64, 7, 2, activation::relu);
    const fanfold::kernel::window2d three{.size = {3, 3}, .stride = {2, 2}, .padding = {1, 1, 1, 1}};
    x = net.build().add(fanfold::pooling_nhwc(fanfold::pooling_nhwc::kind::greatest, three), {x}).front();
    const auto stage = [&](std::int64_t in, std::int64_t middle, int blocks, std::int64_t stride) {
        const std::int64_t out = 4 * middle;
        for (int block = 0; block < blocks; ++block) {
            const std::int64_t from = block == 0 ? in : out, step = block == 0 ? stride : 1;
            const auto around = block == 0 ? net.conv(x, from, out, 1, step, activation::none) : x;
            auto y = net.conv(x, from, middle, 1, 1, activation::relu);
            y = net.conv(y, middle, middle, 3, step, activation::relu);
            x = net.conv(y, around, middle, out);
        }
    };
    stage(64, 64, 3, 1);
    stage(256, 128, 4, 2);
    stage(512, 256, 6, 2);
    stage(1024, 512, 3, 2);
    x = net.build().add(fanfold::global_pooling_nhwc(fanfold::pooling_nhwc::kind::mean), {x}).front();
    const fanfold::tensor weights = numbers({2048, 1000});
    x = net.build().add(fanfold::dense(weights.as<float>()), {x}).front();
    return std::move(net.build()).finish({{"y", x}});
}

/// The eight layers of VGG-19 that differ, by F(4x4, 3x3); each answer is thrown away.
class vgg_layers {
public:
    vgg_layers() {
        for (const auto& [size, in, out] : layers) {
            const fanfold::tensor weights = numbers({out, in, 3, 3});
            packed_.push_back(std::make_unique<fanfold::kernel::packed_winograd>(
                weights.as<float>(), fanfold::view<const float>(), same, fanfold::kernel::winograd_tile::four));
        }
    }
    std::vector<float> operator()(std::span<const float> row, fanfold::workspace& space) const {
        for (std::size_t i = 0; i < packed_.size(); ++i) {
            const fanfold::workspace::scope scope(space);
            const fanfold::shape in{1, layers[i][0], layers[i][0], layers[i][1]}, out = packed_[i]->output(in);
            const auto to = space.take<float>(out.volume());
            fanfold::kernel::conv_winograd({image_.as<float>().data(), in}, *packed_[i], {to.data(), out}, space,
                                           activation::relu);
        }
        return {row.begin(), row.end()};
    }

private:
    static constexpr fanfold::kernel::conv2d_geometry same{.padding = {1, 1, 1, 1}};
    static constexpr std::array<std::int64_t, 3> layers[] = {{224, 64, 64},  {112, 64, 128}, {112, 128, 128},
                                                             {56, 128, 256}, {56, 256, 256}, {28, 256, 512},
                                                             {28, 512, 512}, {14, 512, 512}};
    std::vector<std::unique_ptr<fanfold::kernel::packed_winograd>> packed_;
    fanfold::tensor image_ = numbers({224, 224, 64});
};

template <class Executor, class Model, class Rows>
void one_row(benchmark::State& state, const Executor& executor, const Model& model, const Rows& rows) {
    for (auto _ : state) {
        const fanfold::job job = fanfold::infer(executor, model, rows);
        if (!job.failures.empty()) state.SkipWithError("the row failed");
    }
}

template <class Executor>
void resnet50_one_image(benchmark::State& state, const Executor& executor) {
    static const fanfold::graph model = resnet50();
    static const fanfold::tensor image = numbers({1, 224, 224, 3});
    one_row(state, executor, model, image);
}
template <class Executor>
void vgg19_winograd_layers(benchmark::State& state, const Executor& executor) {
    static const vgg_layers model;
    static const std::vector<float> row(1);
    one_row(state, executor, model, row);
}

/// A few large rows, a row a shard: do those who have none left help to the end?
template <class Executor>
void resnet50_few_images(benchmark::State& state, const Executor& executor) {
    static const fanfold::graph model = resnet50();
    static const fanfold::tensor images = numbers({7, 224, 224, 3});
    const auto rows = static_cast<std::size_t>(state.range(0));
    const auto how = static_cast<fanfold::idle_workers>(state.range(1));
    const fanfold::tensor_view some = static_cast<fanfold::tensor_view>(images).rows(0, rows);
    for (auto _ : state) {
        const fanfold::job job =
            fanfold::infer(executor, model, some, {.partition = fanfold::contiguous{.rows_per_shard = 1}, .idle = how});
        if (!job.failures.empty()) state.SkipWithError("a row failed");
    }
}
void few(benchmark::internal::Benchmark* b) {
    b->ArgNames({"rows", "help"})->Unit(benchmark::kMillisecond)->UseRealTime();
    for (const std::int64_t rows : {1, 2, 3, 5, 7})
        for (const fanfold::idle_workers how : {fanfold::idle_workers::rest, fanfold::idle_workers::help})
            b->Args({rows, static_cast<std::int64_t>(how)});
}

const fanfold::serial_executor serial;
const fanfold::tbb_executor tbb_2({.workers = 2});
const fanfold::threads_executor threads_2({.workers = 2});

}  // namespace

BENCHMARK_CAPTURE(resnet50_one_image, serial, serial)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(resnet50_one_image, tbb_2, tbb_2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(resnet50_one_image, threads_2, threads_2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(vgg19_winograd_layers, serial, serial)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(vgg19_winograd_layers, tbb_2, tbb_2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(vgg19_winograd_layers, threads_2, threads_2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(resnet50_few_images, tbb_2, tbb_2)->Apply(few);
BENCHMARK_CAPTURE(resnet50_few_images, threads_2, threads_2)->Apply(few);
