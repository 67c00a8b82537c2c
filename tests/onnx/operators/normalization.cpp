// tests/onnx/operators/normalization.cpp - attributes and versions of normalizations.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/normalization.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;

TEST_CASE("BatchNormalization of every age") {
    const auto normalized = [](std::int64_t opset, std::vector<attribute> attributes,
                               std::vector<std::string> outputs = {"y"}) {
        std::vector<std::string> declared;
        for (const std::string& name : outputs) declared.push_back(undeclared(name));
        attributes.push_back({"epsilon", 0.0F});
        return load(model_file{opset,
                               {node("BatchNormalization", {"x", "s", "b", "m", "v"}, outputs, attributes)},
                               {value("x", {N, d(2)})},
                               declared,
                               {tensor("s", {2}, floats{1, 2}), tensor("b", {2}, floats{0, 1}),
                                tensor("m", {2}, floats{1, 2}), tensor("v", {2}, floats{4, 1})}});
    };
    const auto x = fanfold::tensor::of<float>({2, 2}, {3, 4, 5, 8});
    for (const std::int64_t opset : {7, 9, 15})
        CHECK(difference(run(normalized(opset, {}), {x}, 2)[0], {1, 5, 2, 13}) < 1e-6);
    CHECK(difference(run(normalized(7, {{"spatial", std::int64_t{0}}}), {x}, 2)[0], {1, 5, 2, 13}) < 1e-6);
    const auto trains = normalized(15, {{"training_mode", std::int64_t{1}}, {"momentum", 0.5F}}, {"y", "rm", "rv"});
    CHECK(trains.row_mixer() == "it");
    const auto y = run(trains, {x}, 2);
    CHECK(difference(y[0], {-1, -1, 1, 3}) < 1e-6);
    CHECK(difference(y[1], {2.5, 4}) < 1e-6);
    CHECK(difference(y[2], {2.5, 2.5}) < 1e-6);
}

TEST_CASE("float64 is normalized in float64") {
    using doubles = std::vector<double>;
    const auto x = fanfold::tensor::of<double>({2, 2, 1}, {3, 4, 5, 8});
    const auto batch =
        load(model_file{15,
                        {node("BatchNormalization", {"x", "s", "b", "m", "v"}, {"y"}, {{"epsilon", 0.0F}})},
                        {value("x", {N, d(2), d(1)}, 11)},
                        {undeclared("y")},
                        {tensor("s", {2}, doubles{1, 2}, 11), tensor("b", {2}, doubles{0, 1e-12}, 11),
                         tensor("m", {2}, floats{1, 2}), tensor("v", {2}, floats{4, 1})}});
    const auto y = run(batch, {x}, 2)[0];
    CHECK(y.as<double>()(0, 0, 0) == 1);
    CHECK(y.as<double>()(0, 1, 0) == 4 + 1e-12);
    CHECK(y.as<double>()(1, 1, 0) == 12 + 1e-12);
    const auto layer = load(model_file{17,
                                       {node("LayerNormalization", {"x", "s", "b"}, {"y", "mean", "by"},
                                             {{"axis", std::int64_t{1}}, {"epsilon", 0.0F}})},
                                       {value("x", {N, d(2), d(1)}, 11)},
                                       {undeclared("y"), undeclared("mean"), undeclared("by")},
                                       {tensor("s", {2, 1}, doubles{1, 2}, 11), tensor("b", {1}, doubles{1e-12}, 11)}});
    CHECK(layer.row_mixer().empty());
    const auto z = run(layer, {x}, 2);
    CHECK(z[0].as<double>()(0, 0, 0) == -1 + 1e-12);
    CHECK(std::abs(z[0].as<double>()(1, 1, 0) - (2 + 1e-12)) < 1e-14);
    CHECK(difference(z[1], {3.5, 6.5}) == 0);
    CHECK(std::abs(z[2].as<float>()(1, 0, 0) - 1 / 1.5F) < 1e-6F);
}

TEST_CASE("other normalizations find their attributes") {
    const auto one = [](const char* op, std::int64_t opset, std::vector<attribute> attributes,
                        std::vector<std::string> inputs = {"x"}) {
        const auto g = load(model_file{opset,
                                       {node(op, inputs, {"y"}, attributes)},
                                       {value("x", {N, d(2), d(2)})},
                                       {undeclared("y")},
                                       {tensor("s", {2}, floats{1, 2})}});
        return run(g, {fanfold::tensor::of<float>({1, 2, 2}, {3, 4, 6, 8})}, 1);
    };
    const attribute exact{"epsilon", 0.0F};
    CHECK(difference(one("LayerNormalization", 17, {exact}, {"x", "s"})[0], {-1, 2, -1, 2}) < 1e-6);
    CHECK(difference(one("InstanceNormalization", 6, {exact}, {"x", "s", "s"})[0], {0, 2, 0, 4}) < 1e-6);
    CHECK(difference(one("GroupNormalization", 21, {exact, {"num_groups", std::int64_t{2}}}, {"x", "s", "s"})[0],
                     {0, 2, 0, 4}) < 1e-6);
    CHECK(difference(one("LpNormalization", 1, {{"p", std::int64_t{1}}})[0], {3 / 7., 4 / 7., 3 / 7., 4 / 7.}) < 1e-6);
    CHECK(difference(one("MeanVarianceNormalization", 13, {{"axes", ints{2}}})[0], {-1, 1, -1, 1}) < 1e-6);
    CHECK(difference(one("LRN", 13, {{"size", std::int64_t{1}}, {"alpha", 1.0F}, {"beta", 1.0F}, {"bias", 0.0F}})[0],
                     {1 / 3., 0.25, 1 / 6., 0.125}) < 1e-6);
}

TEST_CASE("positions are selected along their own axis where a constant has given a normalization more axes") {
    const auto answer = [](const ints& epsilon, std::int64_t axis) {
        const model_file m{
            17,
            {node("ReduceMean", {"x"}, {"mean"}, {{"axes", ints{-1}}}), node("Sub", {"x", "mean"}, {"z"}),
             node("Mul", {"z", "z"}, {"q"}), node("ReduceMean", {"q"}, {"var"}, {{"axes", ints{-1}}}),
             node("Add", {"var", "eps"}, {"sum"}), node("Sqrt", {"sum"}, {"sd"}), node("Div", {"z", "sd"}, {"n"}),
             node("Mul", {"n", "s"}, {"scaled"}), node("Add", {"scaled", "s"}, {"norm"}),
             node("MatMul", {"norm", "w"}, {"dense"}), node("Gather", {"dense", "i"}, {"y"}, {{"axis", axis}})},
            {value("x", fixed({3, 4, 4, 8}))},
            {undeclared("y")},
            {tensor("eps", epsilon, floats{1e-5F}), tensor("s", {8}, noise(8, 4)), tensor("w", {8, 1}, noise(8, 5)),
             tensor("i", ints{3, 1})}};
        return run(load(m), {noise_tensor({3, 4, 4, 8}, 9)}, 3)[0];
    };
    const auto usual = answer({}, 1), wide = answer({1, 1, 1, 1, 1}, 2);
    const auto expected = usual.as<float>().flat();
    CHECK(wide.shape() == fanfold::shape{1, 3, 2, 4, 1});
    CHECK(difference(wide, {expected.begin(), expected.end()}) < 1e-5);
}
