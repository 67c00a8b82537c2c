// tests/onnx/operators/pooling.cpp - MaxPool, AveragePool, GlobalAveragePool against plain loops.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/pooling.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

namespace {

struct setup {
    ints image;  // [N, C, H, W]
    ints size;
    ints stride{1, 1};
    ints pads{0, 0, 0, 0};
    ints dilation{1, 1};
    bool ceil = false;
    bool counts = false;
};

std::int64_t windows(const setup& s, std::size_t axis) {
    const std::int64_t room =
        s.image[axis + 2] + s.pads[axis] + s.pads[axis + 2] - (s.size[axis] - 1) * s.dilation[axis] - 1;
    std::int64_t count = (s.ceil ? (room + s.stride[axis] - 1) / s.stride[axis] : room / s.stride[axis]) + 1;
    if (s.ceil && (count - 1) * s.stride[axis] >= s.image[axis + 2] + s.pads[axis]) --count;  // starts behind the image
    return count;
}

std::vector<double> plain(const setup& s, const floats& x, bool max) {
    std::vector<double> out;
    for (std::int64_t plane = 0; plane < s.image[0] * s.image[1]; ++plane)
        for (std::int64_t y = 0; y < windows(s, 0); ++y)
            for (std::int64_t xx = 0; xx < windows(s, 1); ++xx) {
                double best = -1e300, sum = 0, inside = 0, padded = 0;
                for (std::int64_t i = 0; i < s.size[0]; ++i)
                    for (std::int64_t j = 0; j < s.size[1]; ++j) {
                        const std::int64_t iy = y * s.stride[0] + i * s.dilation[0] - s.pads[0];
                        const std::int64_t ix = xx * s.stride[1] + j * s.dilation[1] - s.pads[1];
                        if (iy < s.image[2] + s.pads[2] && ix < s.image[3] + s.pads[3]) ++padded;
                        if (iy < 0 || iy >= s.image[2] || ix < 0 || ix >= s.image[3]) continue;
                        const auto v = static_cast<double>(
                            x[static_cast<std::size_t>((plane * s.image[2] + iy) * s.image[3] + ix)]);
                        best = std::max(best, v), sum += v, ++inside;
                    }
                out.push_back(max ? best : sum / (s.counts ? padded : inside));
            }
    return out;
}

}  // namespace

TEST_CASE("MaxPool and AveragePool agree with a plain loop") {
    const auto s = GENERATE(setup{{2, 3, 8, 8}, {2, 2}, {2, 2}}, setup{{1, 2, 7, 9}, {3, 2}, {2, 3}, {1, 0, 1, 1}},
                            setup{{1, 1, 6, 5}, {3, 3}, {2, 2}, {0, 0, 0, 0}, {1, 1}, true},
                            setup{{1, 1, 5, 5}, {2, 2}, {3, 3}, {1, 1, 0, 0}, {1, 1}, true, true},
                            setup{{2, 1, 9, 9}, {2, 3}, {1, 2}, {1, 2, 1, 2}, {3, 2}},
                            setup{{1, 2, 4, 4}, {3, 3}, {1, 1}, {2, 2, 2, 2}, {1, 1}, false, true},
                            setup{{1, 1, 3, 3}, {3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, true, true});
    const bool max = GENERATE(true, false);
    std::vector<attribute> attributes{{"kernel_shape", s.size},
                                      {"strides", s.stride},
                                      {"pads", s.pads},
                                      {"dilations", s.dilation},
                                      {"ceil_mode", std::int64_t{s.ceil}}};
    if (!max) attributes.push_back({"count_include_pad", std::int64_t{s.counts}});
    const auto g = load(model_file{19,
                                   {node(max ? "MaxPool" : "AveragePool", {"x"}, {"y"}, attributes)},
                                   {value("x", {N, d(s.image[1]), d(s.image[2]), d(s.image[3])})},
                                   {value("y", {N, d(s.image[1]), d(windows(s, 0)), d(windows(s, 1))})}});
    const floats x = noise(volume(s.image), 9);
    const auto rows = static_cast<std::size_t>(s.image[0]);
    const auto y = run(g, {fanfold::tensor::of<float>(fanfold::shape(std::span(s.image)), std::span(x))}, rows);
    CHECK(difference(y[0], plain(s, x, max)) < 1e-6);
}

TEST_CASE("auto_pad decides the number of windows, whatever ceil_mode says") {
    const auto shape_of = [](const char* mode, std::int64_t ceil) {
        const auto g = load(model_file{13,
                                       {node("MaxPool", {"x"}, {"y"},
                                             {{"kernel_shape", ints{3, 3}},
                                              {"strides", ints{2, 2}},
                                              {"auto_pad", std::string(mode)},
                                              {"ceil_mode", ceil}})},
                                       {value("x", {N, d(1), d(8), d(7)})},
                                       {undeclared("y")}});
        return g.state().values[g.state().outputs[0]].type.text();
    };
    for (const std::int64_t ceil : {0, 1}) {
        CHECK(shape_of("SAME_UPPER", ceil) == "float32 [N, 1, 4, 4]");
        CHECK(shape_of("SAME_LOWER", ceil) == "float32 [N, 1, 4, 4]");
        CHECK(shape_of("VALID", ceil) == "float32 [N, 1, 3, 3]");
    }
}

TEST_CASE("poolings over signals") {
    const auto x = fanfold::tensor::of<float>({1, 1, 5}, {1, 5, 2, 4, 3});
    const auto pool = [&](const char* op, std::vector<attribute> attributes) {
        return run(load(model_file{
                       13, {node(op, {"x"}, {"y"}, attributes)}, {value("x", {N, d(1), d(5)})}, {undeclared("y")}}),
                   {x}, 1);
    };
    CHECK(difference(pool("MaxPool", {{"kernel_shape", ints{2}}})[0], {5, 5, 4, 4}) == 0);
    const auto mean = pool("AveragePool", {{"kernel_shape", ints{2}}, {"strides", ints{2}}, {"pads", ints{1, 0}}});
    CHECK(mean[0].shape() == fanfold::shape{1, 1, 3});
    CHECK(difference(mean[0], {1, 3.5, 3.5}) == 0);
    CHECK(difference(pool("GlobalAveragePool", {})[0], {3}) < 1e-7);
}

TEST_CASE("GlobalAveragePool is the mean of each channel") {
    const auto g = load(model_file{7,
                                   {node("GlobalAveragePool", {"x"}, {"y"})},
                                   {value("x", {N, d(3), d(5), d(7)})},
                                   {value("y", {N, d(3), d(1), d(1)})}});
    const floats x = noise(2 * 3 * 35, 4);
    std::vector<double> expected;
    for (std::size_t plane = 0; plane < 6; ++plane) {
        double sum = 0;
        for (std::size_t i = 0; i < 35; ++i) sum += static_cast<double>(x[plane * 35 + i]);
        expected.push_back(sum / 35);
    }
    CHECK(difference(run(g, {fanfold::tensor::of<float>({2, 3, 5, 7}, std::span(x))}, 2)[0], expected) < 1e-6);
}

TEST_CASE("poolings refuse what they cannot compute, naming it") {
    const auto complain = [](std::vector<attribute> attributes, std::vector<std::string> outputs = {"y"},
                             std::vector<dim> image = {N, d(1), d(4), d(4)}, int element = 1) {
        return complaint(model_file{13,
                                    {node("MaxPool", {"x"}, outputs, attributes, "pool")},
                                    {value("x", image, element)},
                                    {undeclared("y")}});
    };
    CHECK_THAT(complain({}), Contains("node 'pool' (MaxPool, opset 13)") && Contains("'kernel_shape'"));
    CHECK_THAT(complain({{"kernel_shape", ints{2, 2}}}, {"y", "places", "more"}), Contains("'more'"));
    CHECK(complain({{"kernel_shape", ints{2, 2}}}, {"y", ""}).empty());
    CHECK_THAT(complain({{"kernel_shape", ints{5, 5}}}), Contains("does not fit an extent of 4"));
    CHECK_THAT(complain({{"kernel_shape", ints{2}}}), Contains("'kernel_shape': expected 2 numbers"));
    CHECK_THAT(complain({{"kernel_shape", ints{2, 2}}, {"pads", ints{2, 0, 0, 0}}}), Contains("padding of 2"));
    CHECK_THAT(complain({{"kernel_shape", ints{2, 2}}}, {"y"}, {N, d(4)}), Contains("rank 3 to 5"));
    CHECK_THAT(complain({{"kernel_shape", ints{2, 2}}}, {"y"}, {N, d(1), d(4), d(4)}, 6), Contains("int32"));
}

TEST_CASE("images whose size only a run tells, and places of maxima") {
    const auto g = load(model_file{
        12,
        {node("MaxPool", {"x"}, {"y", "i"}, {{"kernel_shape", ints{2, 2}}, {"auto_pad", std::string("SAME_UPPER")}}),
         node("GlobalMaxPool", {"x"}, {"m"})},
        {value("x", {N, d(1), dim("h"), dim("w")})},
        {undeclared("y"), undeclared("i"), undeclared("m")}});
    const auto x = fanfold::tensor::of<float>({1, 1, 2, 3}, {1, 5, 2, 4, 3, 6});
    fanfold::workspace space;
    const std::vector<fanfold::tensor_view> in{x};
    const auto y = g.run(in, space);
    CHECK(difference(y[0], {5, 6, 6, 4, 6, 6}) == 0);
    CHECK(y[1].as<std::int64_t>().flat()[0] == 1);
    CHECK(y[1].as<std::int64_t>().flat()[3] == 3);
    CHECK(difference(y[2], {6}) == 0);
}
