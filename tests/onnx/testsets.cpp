// tests/onnx/testsets.cpp - networks of the outside world answer as ONNX Runtime does,
// on the inputs that come with them.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <fanfold/onnx/load.hpp>
#include <fanfold/onnx/tensor_proto.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "../catch.hpp"
#include "../model/run.hpp"
#include "../test_data.hpp"

namespace {

/// A file that holds one TensorProto.
fanfold::tensor read_tensor(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    return fanfold::onnx::to_tensor(fanfold::onnx::parse_tensor(bytes), {});
}

/// The largest |got - expected| / (1e-4 + 1e-3 |expected|): up to 1 is agreement.
float disagreement(const std::vector<float>& got, const std::vector<float>& expected) {
    REQUIRE(got.size() == expected.size());
    float worst = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
        const float error = std::abs(got[i] - expected[i]) / (1e-4F + 1e-3F * std::abs(expected[i]));
        worst = std::isnan(error) ? error : std::max(worst, error);
        if (std::isnan(worst)) break;
    }
    return worst;
}

}  // namespace

TEST_CASE("whole networks answer as ONNX Runtime does", "[data]") {
    const auto name =
        GENERATE(as<std::string>(), "own_fmnist_lenet5", "own_fmnist_mlp", "own_fmnist_resnet8", "own_bc_mlp");
    const auto folder = test_data::find("testsets/" + name);
    if (!folder) return;
    const fanfold::graph network = fanfold::onnx::load(*folder / "model.onnx");
    std::size_t sets = 0;
    for (; std::filesystem::exists(*folder / ("test_data_set_" + std::to_string(sets))); ++sets) {
        INFO(name << " set " << sets);
        const auto set = *folder / ("test_data_set_" + std::to_string(sets));
        const auto input = read_tensor(set / "input_0.pb");
        const auto answers = run(network, {input}, static_cast<std::size_t>(input.shape()[0]));
        const auto expected = read_tensor(set / "output_0.pb");
        CHECK(answers.at(0).shape() == expected.shape());
        CHECK(disagreement(floats_of(answers[0]), floats_of(expected)) <= 1);
    }
    CHECK(sets > 0);
}
