// tests/infer/networks.cpp - the part of networks.hpp that compiles the importer and kernels.
// SPDX-License-Identifier: MIT
#include "networks.hpp"

#include <fanfold/model/graph_builder.hpp>
#include <fanfold/model/operators/axes.hpp>
#include <fanfold/model/operators/batched_matmul.hpp>
#include <fanfold/model/operators/dense.hpp>
#include <fanfold/model/operators/elementwise.hpp>
#include <fanfold/model/operators/images_nhwc.hpp>
#include <fanfold/model/operators/normalization.hpp>
#include <fanfold/model/operators/reduce.hpp>
#include <fanfold/model/operators/softmax.hpp>
#include <fanfold/onnx/load.hpp>

using namespace fanfold;

namespace networks {

graph lenet5() { return onnx::load(folder + "/fmnist_lenet5.onnx"); }
graph mlp() { return onnx::load(folder + "/fmnist_mlp.onnx"); }

graph splittable() {
    const tensor first = small_numbers({48, 24, 3, 3}, 1), each = small_numbers({48, 1, 3, 3}, 2),
                 wide = small_numbers({130, 48, 1, 1}, 3), weights = small_numbers({130, 260}, 4),
                 scale = small_numbers({260}, 5), bias = small_numbers({260}, 6);
    const auto floats = [](const tensor& of) { return of.as<float>(); };
    const kernel::conv2d_geometry same{.padding = {1, 1, 1, 1}};
    kernel::conv2d_geometry depthwise = same;
    depthwise.groups = 48;
    graph_builder build;
    const auto x = build.input("x", {element::float32, {rows_extent, 33, 31, 24}});
    const auto a = build.add(*convolution_nhwc(floats(first), {}, same).with(kernel::activation::relu), {x}).front();
    const auto b = build.add(convolution_nhwc(floats(each), {}, depthwise), {a}).front();
    const auto sum = build.add(arithmetic(kernel::binary::add), {a, b}).front();
    const auto c = build.add(convolution_nhwc(floats(wide), {}, {}), {sum}).front();
    const auto d = build.add(unary_function(kernel::activation::sigmoid), {c}).front();
    const auto scores = build.add(batched_matmul(transposed::no, transposed::yes), {d, d}).front();
    const kernel::window2d window{.size = {3, 3}, .stride = {2, 2}};
    const auto e = build.add(pooling_nhwc(pooling_nhwc::kind::greatest, window), {d}).front();
    const auto f = build.add(dense(floats(weights), floats(bias)), {e}).front();
    const auto g = build.add(softmax(3), {f}).front();
    const auto h = build.add(layer_normalization(3, 1e-5F), {g, build.constant(scale), build.constant(bias)}).front();
    return std::move(build).finish({{"scores", scores}, {"h", h}});
}

graph rows_at_axis_1(const symbolic_shape& x_shape) {
    graph_builder g;
    const auto x = g.input("x", {element::float32, x_shape});
    const auto e = g.add(unary_function(kernel::unary::exp), {x}, "exp").front();
    const auto s = g.add(softmax(2), {e}, "softmax").front();
    const auto t = g.add(transpose({1, 0, 2}), {s}, "transpose").front();
    const auto r = g.add(reduce(kernel::reduction::mean, {{0}}, reduced_axis::removed), {s}, "mean").front();
    return std::move(g).finish({{"s", s}, {"t", t}, {"r", r}});
}

graph folded_third() {
    graph_builder g;
    const auto third = g.constant(tensor::of<float>({1}, {1.0F})), three = g.constant(tensor::of<float>({1}, {3.0F}));
    const auto x = g.input("x", {element::float32, {rows_extent, 1}});
    const auto folded = g.add(arithmetic(kernel::binary::div), {third, three}).front();
    return std::move(g).finish({{"y", g.add(arithmetic(kernel::binary::mul), {x, folded}).front()}});
}

}  // namespace networks
