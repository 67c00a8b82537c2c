// tests/onnx/networks.cpp - trained networks on all test images, and a language model that writes as it did.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <fanfold/onnx/load.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "../catch.hpp"
#include "../model/run.hpp"
#include "../test_data.hpp"
#include "idx.hpp"

namespace {

using fanfold::tensor;

#ifdef __OPTIMIZE__
constexpr std::size_t some_images = 10000;
#else
constexpr std::size_t some_images = 100;  // the rest would take minutes
#endif

struct trained {
    const char* name;
    std::size_t correct;  ///< of 10,000
    float tolerance;      ///< to PyTorch's logits
};

std::size_t largest(const float* values, std::size_t count) {
    return static_cast<std::size_t>(std::max_element(values, values + count) - values);
}

}  // namespace

TEST_CASE("as many right answers as PyTorch gives, and its logits", "[data]") {
    const auto one =
        GENERATE(trained{"lenet5", 9051, 1e-4F}, trained{"mlp", 8856, 1e-4F}, trained{"resnet8", 9083, 1e-4F},
                 trained{"lstm", 8902, 5e-4F}, trained{"transformer", 8847, 5e-4F});
    INFO(one.name);
    const auto file = test_data::find("models/fmnist_" + std::string(one.name) + ".onnx");
    const auto images = test_data::find(test_data::fashion_mnist / "t10k-images-idx3-ubyte.gz");
    const auto labels = test_data::find(test_data::fashion_mnist / "t10k-labels-idx1-ubyte.gz");
    if (!file || !images || !labels) return;
    const tensor all = idx::read_images(*images);
    const std::vector<std::uint8_t> right = idx::read_labels(*labels);
    const fanfold::graph network = fanfold::onnx::load(*file);
    std::vector<float> logits;
    for (std::size_t first = 0; first < some_images; first += 100) {
        const tensor part(fanfold::tensor_view(all).slice(0, first, 100));
        const std::vector<float> answers = floats_of(run(network, {part}, 100)[0]);
        logits.insert(logits.end(), answers.begin(), answers.end());
    }
    std::size_t correct = 0;
    for (std::size_t i = 0; i < some_images; ++i) correct += largest(&logits[i * 10], 10) == right[i] ? 1 : 0;
    if (some_images == 10000) CHECK(correct == one.correct);
    std::ifstream stored(file->parent_path() / ("fmnist_" + std::string(one.name) + ".logits100.f32"),
                         std::ios::binary);
    std::array<float, 1000> expected{};
    REQUIRE(stored.read(reinterpret_cast<char*>(expected.data()), sizeof expected));
    float worst = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) worst = std::max(worst, std::abs(logits[i] - expected[i]));
    CHECK(worst <= one.tolerance);
}

TEST_CASE("a prompt in one call or token by token gives the same bits, and the same text after it", "[data]") {
    const auto file = test_data::find("models/kjv_lm.onnx");
    if (!file) return;
    const std::string_view letters = "\n !'(),-.:;?ABCDEFGHIJKLMNOPQRSTUVWYZabcdefghijklmnopqrstuvwxyz",
                           prompt = "And God said";
    const fanfold::graph network = fanfold::onnx::load(*file);
    fanfold::workspace space;
    const auto next = [&](std::string_view text, const tensor& keys, const tensor& values) {
        tensor ids(fanfold::element::int64, {1, static_cast<std::int64_t>(text.size())});
        for (std::size_t i = 0; i < text.size(); ++i)
            ids.as<std::int64_t>().data()[i] = static_cast<std::int64_t>(letters.find(text[i]));
        const std::vector<fanfold::tensor_view> in{ids, keys, values};
        return network.run(in, space);
    };
    const auto bytes = [](const tensor& t) { return std::string(reinterpret_cast<const char*>(t.data()), t.bytes()); };
    const tensor nothing(fanfold::element::float32, {3, 1, 4, 0, 32});
    const std::vector<tensor> at_once = next(prompt, nothing, nothing);
    std::vector<tensor> state = next(prompt.substr(0, 1), nothing, nothing);
    std::string logits = bytes(state[0]);
    for (std::size_t i = 1; i < prompt.size(); ++i) {
        state = next(prompt.substr(i, 1), state[1], state[2]);
        logits += bytes(state[0]);
    }
    CHECK(logits == bytes(at_once[0]));
    CHECK(bytes(state[1]) == bytes(at_once[1]));
    CHECK(bytes(state[2]) == bytes(at_once[2]));
    std::string text;
    while (text.size() < 120) {
        text += letters[largest(state[0].as<float>().data(), 63)];
        state = next(std::string_view(text).substr(text.size() - 1), state[1], state[2]);
    }
    CHECK(text ==
          " unto him, The son of Abraham, and Abiaharai, and Abiaham, and Abiaharai, and Abiaham, and Abiaharai, and "
          "Abiaham, and A");
}

TEST_CASE("speech is found where it is, in all three spellings of the network", "[data]") {
    const auto* const name = GENERATE("silero_v6", "silero_16k_op15", "silero_op18_ifless");
    const auto folder = test_data::find("testsets/" + std::string(name));
    // From Debian's package pocketsphinx-testdata: 16-bit samples at 16 kHz behind a header of 44 bytes.
    const std::filesystem::path clip =
        "/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-0880.wav";
    if (!folder || !std::filesystem::exists(clip)) return;
    std::ifstream in(clip, std::ios::binary);
    std::vector<std::int16_t> samples((std::filesystem::file_size(clip) - 44) / 2);
    in.seekg(44);
    REQUIRE(in.read(reinterpret_cast<char*>(samples.data()), static_cast<std::streamsize>(samples.size() * 2)));
    const fanfold::graph network = fanfold::onnx::load(*folder / "model.onnx");
    fanfold::workspace space;
    tensor frame(fanfold::element::float32, {1, 576}), state(fanfold::element::float32, {2, 1, 128});
    const tensor rate = tensor::of<std::int64_t>({}, {16000});
    std::size_t frames = 0, speech = 0;
    for (std::size_t first = 0; first + 512 <= samples.size(); first += 512, ++frames) {
        float* to = frame.as<float>().data();  // 64 samples of context, then 512 new ones
        std::copy(to + 512, to + 576, to);
        for (std::size_t i = 0; i < 512; ++i) to[64 + i] = static_cast<float>(samples[first + i]) / 32768;
        std::vector<fanfold::tensor_view> inputs;
        for (const std::size_t input : network.state().inputs) {
            const std::string& asked = network.state().values[input].name;
            inputs.emplace_back(asked == "input" ? frame : asked == "state" ? state : rate);
        }
        std::vector<tensor> made = network.run(inputs, space);
        speech += made[0].as<float>().data()[0] > 0.5F ? 1 : 0;
        state = std::move(made[1]);
    }
    CHECK(frames == 93);
    CHECK(speech == 78);
}
