// tests/onnx/operators/conv.cpp - Conv against a plain loop, with every attribute at work.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/conv.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;

namespace {

struct setup {
    ints image;    // [N, C, H, W]
    ints weights;  // [O, C / groups, kh, kw]
    ints stride{1, 1};
    ints dilation{1, 1};
    ints pads{0, 0, 0, 0};
    std::int64_t groups = 1;
    bool bias = true;
};

std::vector<double> plain(const setup& s, const floats& x, const floats& w, const floats& b, ints& answer) {
    const std::int64_t O = s.weights[0], C = s.image[1], H = s.image[2], W = s.image[3], cg = s.weights[1];
    const std::int64_t oh = (H + s.pads[0] + s.pads[2] - (s.weights[2] - 1) * s.dilation[0] - 1) / s.stride[0] + 1;
    const std::int64_t ow = (W + s.pads[1] + s.pads[3] - (s.weights[3] - 1) * s.dilation[1] - 1) / s.stride[1] + 1;
    answer = {s.image[0], O, oh, ow};
    std::vector<double> out;
    for (std::int64_t n = 0; n < s.image[0]; ++n)
        for (std::int64_t o = 0; o < O; ++o)
            for (std::int64_t y = 0; y < oh; ++y)
                for (std::int64_t xx = 0; xx < ow; ++xx) {
                    double sum = s.bias ? static_cast<double>(b[static_cast<std::size_t>(o)]) : 0;
                    for (std::int64_t c = 0; c < cg; ++c)
                        for (std::int64_t i = 0; i < s.weights[2]; ++i)
                            for (std::int64_t j = 0; j < s.weights[3]; ++j) {
                                const std::int64_t iy = y * s.stride[0] + i * s.dilation[0] - s.pads[0];
                                const std::int64_t ix = xx * s.stride[1] + j * s.dilation[1] - s.pads[1];
                                if (iy < 0 || iy >= H || ix < 0 || ix >= W) continue;
                                const std::int64_t channel = o / (O / s.groups) * cg + c;
                                sum += static_cast<double>(
                                           x[static_cast<std::size_t>(((n * C + channel) * H + iy) * W + ix)]) *
                                       static_cast<double>(w[static_cast<std::size_t>(
                                           ((o * cg + c) * s.weights[2] + i) * s.weights[3] + j)]);
                            }
                    out.push_back(sum);
                }
    return out;
}

std::vector<dim> open_rows(const ints& extents) {
    auto dims = fixed(extents);
    dims[0] = N;
    return dims;
}

}  // namespace

TEST_CASE("Conv agrees with a plain loop") {
    const auto s =
        GENERATE(setup{{2, 1, 28, 28}, {6, 1, 5, 5}, {1, 1}, {1, 1}, {2, 2, 2, 2}}, setup{{1, 3, 9, 7}, {4, 3, 3, 2}},
                 setup{{3, 4, 8, 11}, {6, 2, 3, 3}, {2, 1}, {1, 1}, {1, 0, 0, 2}, 2},
                 setup{{2, 2, 12, 12}, {3, 2, 3, 3}, {1, 2}, {2, 3}, {2, 3, 1, 0}},
                 setup{{2, 5, 6, 6}, {5, 1, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 5, false},
                 setup{{1, 8, 5, 5}, {16, 8, 1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}, 1, false},
                 setup{{1, 1, 2, 2}, {1, 1, 4, 4}, {1, 1}, {1, 1}, {1, 1, 1, 1}});
    const floats x = noise(volume(s.image), 1);
    const floats w = noise(volume(s.weights), 2);
    const floats b = noise(static_cast<std::size_t>(s.weights[0]), 3);
    std::vector<std::string> inputs{"x", "w"};
    std::vector<std::string> initializers{tensor("w", s.weights, w)};
    if (s.bias) inputs.push_back("b"), initializers.push_back(tensor("b", {s.weights[0]}, b));
    const auto g = load(model_file{13,
                                   {node("Conv", inputs, {"y"},
                                         {{"kernel_shape", ints{s.weights[2], s.weights[3]}},
                                          {"strides", s.stride},
                                          {"dilations", s.dilation},
                                          {"pads", s.pads},
                                          {"group", s.groups}})},
                                   {value("x", open_rows(s.image))},
                                   {undeclared("y")},
                                   initializers});
    ints answer;
    const auto expected = plain(s, x, w, b, answer);
    const auto rows = static_cast<std::size_t>(s.image[0]);
    const auto got = run(g, {fanfold::tensor::of<float>(fanfold::shape(std::span(s.image)), std::span(x))}, rows);
    CHECK(got[0].shape() == fanfold::shape(std::span<const std::int64_t>(answer)));
    CHECK(difference(got[0], expected) < 1e-5);
}

TEST_CASE("Conv pads by itself where auto_pad says so") {
    struct automatic {
        std::string mode;
        std::int64_t extent, size, stride, dilation;
        ints pads;  // what it must come to along both axes
    };
    const auto s = GENERATE(automatic{"SAME_UPPER", 7, 4, 2, 1, {1, 2}}, automatic{"SAME_LOWER", 7, 4, 2, 1, {2, 1}},
                            automatic{"SAME_UPPER", 8, 3, 1, 2, {2, 2}}, automatic{"SAME_LOWER", 6, 1, 3, 1, {0, 0}},
                            automatic{"VALID", 7, 3, 2, 1, {0, 0}});
    const floats w = noise(static_cast<std::size_t>(2 * s.size * s.size), 5);
    const auto with = [&](std::vector<attribute> attributes) {
        attributes.push_back({"strides", ints{s.stride, s.stride}});
        attributes.push_back({"dilations", ints{s.dilation, s.dilation}});
        return load(model_file{11,
                               {node("Conv", {"x", "w"}, {"y"}, attributes)},
                               {value("x", {N, d(1), d(s.extent), d(s.extent)})},
                               {undeclared("y")},
                               {tensor("w", {2, 1, s.size, s.size}, w)}});
    };
    const auto x = noise_tensor({2, 1, s.extent, s.extent}, 4);
    const auto by_itself = run(with({{"auto_pad", s.mode}}), {x}, 2);
    const auto said = run(with({{"pads", ints{s.pads[0], s.pads[0], s.pads[1], s.pads[1]}}}), {x}, 2);
    REQUIRE(by_itself[0].shape() == said[0].shape());
    if (s.mode != "VALID") CHECK(by_itself[0].shape()[2] == (s.extent + s.stride - 1) / s.stride);
    CHECK(std::memcmp(by_itself[0].data(), said[0].data(), said[0].bytes()) == 0);
}

TEST_CASE("Conv over signals is Conv over images of height 1") {
    const floats w = noise(3 * 2 * 5, 7);
    const auto signals =
        load(model_file{13,
                        {node("Conv", {"x", "w"}, {"y"}, {{"pads", ints{2, 1}}, {"strides", ints{2}}})},
                        {value("x", {N, d(2), d(16)})},
                        {value("y", {N, d(3), d(8)})},
                        {tensor("w", {3, 2, 5}, w)}});
    const auto images =
        load(model_file{13,
                        {node("Conv", {"x", "w"}, {"y"}, {{"pads", ints{0, 2, 0, 1}}, {"strides", ints{1, 2}}})},
                        {value("x", {N, d(2), d(1), d(16)})},
                        {undeclared("y")},
                        {tensor("w", {3, 2, 1, 5}, w)}});
    const auto a = run(signals, {noise_tensor({3, 2, 16}, 8)}, 3);
    const auto b = run(images, {noise_tensor({3, 2, 1, 16}, 8)}, 3);
    CHECK(a[0].shape() == fanfold::shape{3, 3, 8});
    REQUIRE(a[0].bytes() == b[0].bytes());
    CHECK(std::memcmp(a[0].data(), b[0].data(), a[0].bytes()) == 0);
}

TEST_CASE("Conv refuses what it cannot compute, naming it") {
    const auto complain = [](std::vector<attribute> attributes, ints weights = {2, 3, 3, 3},
                             std::vector<dim> image = {N, d(3), d(8), d(8)}) {
        return complaint(model_file{13,
                                    {node("Conv", {"x", "w"}, {"y"}, attributes, "conv 1")},
                                    {value("x", image)},
                                    {undeclared("y")},
                                    {tensor("w", weights, floats(volume(weights)))}});
    };
    using Catch::Matchers::Contains;
    CHECK(complain({}).empty());
    CHECK_THAT(complain({{"kernel_shape", ints{5, 5}}}),
               Contains("model in memory: node 'conv 1' (Conv, opset 13): expected weights as 'kernel_shape' says, "
                        "[5, 5], got [3, 3]"));
    CHECK_THAT(complain({{"pads", ints{1, 1}}}), Contains("'pads': expected 4 numbers"));
    CHECK_THAT(complain({{"pads", ints{-1, 0, 0, 0}}}), Contains("'pads': expected 4 numbers from 0"));
    CHECK_THAT(complain({{"strides", ints{0, 1}}}), Contains("'strides': expected 2 numbers from 1"));
    CHECK_THAT(complain({{"strides", std::int64_t{1}}}), Contains("'strides': expected integers"));
    CHECK_THAT(complain({{"group", std::int64_t{2}}}), Contains("2 groups"));
    CHECK_THAT(complain({{"group", std::int64_t{0}}}), Contains("0 groups"));
    CHECK_THAT(complain({{"auto_pad", std::string("SAME")}}), Contains("'auto_pad'") && Contains("'SAME'"));
    CHECK_THAT(complain({{"auto_pad", std::string("VALID")}, {"pads", ints{1, 1, 1, 1}}}), Contains("beside auto_pad"));
    CHECK_THAT(complain({{"activation", std::string("relu")}}), Contains("'activation'"));
    CHECK_THAT(complain({}, {2, 4, 3, 3}), Contains("[2, 4, 3, 3]"));
    CHECK_THAT(complain({}, {2, 3, 9, 9}), Contains("does not fit an extent of 8"));
    CHECK_THAT(complain({}, {2, 3, 3}), Contains("rank"));
    CHECK_THAT(complain({}, {2, 3, 3, 3}, {N, d(3), d(8), d(8), d(8)}), Contains("[N, 3, 8, 8, 8]"));
    CHECK_THAT(complain({{"pads", ints{1 << 28, 1 << 28, 1 << 28, 1 << 28}}}), Contains("takes more than"));
}

TEST_CASE("Conv with weights, or over images, that only a run tells") {
    const auto known = load(model_file{11,
                                       {node("Conv", {"x", "w"}, {"y"}, {{"pads", ints{1, 0, 1, 0}}})},
                                       {value("x", {N, d(2), d(5), d(6)})},
                                       {undeclared("y")},
                                       {tensor("w", {3, 2, 3, 2}, noise(36, 3))}});
    const auto open = load(model_file{11,
                                      {node("Conv", {"x", "w"}, {"y"}, {{"pads", ints{1, 0, 1, 0}}})},
                                      {value("x", {N, d(2), dim("h"), dim("w")}), value("w", fixed({3, 2, 3, 2}))},
                                      {undeclared("y")}});
    const auto x = noise_tensor({2, 2, 5, 6}, 8), w = noise_tensor({3, 2, 3, 2}, 3);
    const auto a = run(known, {x}, 2);
    fanfold::workspace space;
    const std::vector<fanfold::tensor_view> in{x, w};
    const auto b = open.run(in, space);
    REQUIRE(a[0].shape() == b[0].shape());
    const auto expected = a[0].as<float>().flat();
    CHECK(difference(b[0], std::vector<double>(expected.begin(), expected.end())) < 1e-6);
}

TEST_CASE("ConvTranspose lays its weights down") {
    const auto transposed = [](std::vector<attribute> attributes) {
        return run(load(model_file{11,
                                   {node("ConvTranspose", {"x", "w", "b"}, {"y"}, std::move(attributes))},
                                   {value("x", {N, d(1), d(3)})},
                                   {undeclared("y")},
                                   {tensor("w", {1, 1, 2}, floats{1, 10}), tensor("b", {1}, floats{100})}}),
                   {fanfold::tensor::of<float>({1, 1, 3}, {1, 2, 3})}, 1);
    };
    CHECK(difference(transposed({})[0], {101, 112, 123, 130}) == 0);
    CHECK(difference(transposed({{"strides", ints{2}}})[0], {101, 110, 102, 120, 103, 130}) == 0);
    CHECK(difference(transposed({{"pads", ints{1, 0}}})[0], {112, 123, 130}) == 0);
    CHECK(difference(transposed({{"output_padding", ints{1}}, {"strides", ints{2}}})[0],
                     {101, 110, 102, 120, 103, 130, 100}) == 0);
    CHECK(difference(transposed({{"output_shape", ints{3}}, {"auto_pad", std::string("SAME_UPPER")}})[0],
                     {101, 112, 123}) == 0);
    CHECK(difference(transposed({{"auto_pad", std::string("SAME_LOWER")}})[0], {112, 123, 130}) == 0);
}

TEST_CASE("Col2Im puts blocks back, DeformConv moves its taps") {
    const model_file columns{18,
                             {node("Col2Im", {"x", "i", "b"}, {"y"}, {{"strides", ints{1, 2}}})},
                             {value("x", {N, d(2), d(4)})},
                             {value("y", {N, d(1), d(2), d(4)})},
                             {tensor("i", ints{2, 4}), tensor("b", ints{1, 2})}};
    const auto x = fanfold::tensor::of<float>({1, 2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
    CHECK(difference(run(load(columns), {x}, 1)[0], {1, 5, 2, 6, 3, 7, 4, 8}) == 0);
    floats moved(32, 0.0F);
    moved[0] = 0.5F;
    moved[21] = -0.1F;
    const model_file deformed{19,
                              {node("DeformConv", {"x", "w", "o"}, {"y"})},
                              {value("x", fixed({1, 1, 3, 3}))},
                              {value("y", fixed({1, 1, 2, 2}))},
                              {tensor("w", {1, 1, 2, 2}, floats(4, 1.0F)), tensor("o", {1, 8, 2, 2}, moved)}};
    const auto image = fanfold::tensor::of<float>({1, 1, 3, 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8});
    CHECK(difference(run(load(deformed), {image}, 1)[0], {9.5, 11.9, 20, 24}) < 1e-6);
}
