// tests/onnx/streams.cpp - sounds of unequal length, a frame a step, each with a network's state of its own.
// SPDX-License-Identifier: MIT
#include <cstring>
#include <fanfold/onnx/load.hpp>
#include <fanfold/schedule/threads.hpp>
#include <fanfold/serve/carried_state.hpp>
#include <fanfold/serve/continuous.hpp>
#include <random>
#include <vector>

#include "../catch.hpp"
#include "../test_data.hpp"

TEST_CASE("Streams of a recurrent network that join and leave have the bits of each alone", "[data]") {
    const auto folder = test_data::find("testsets/silero_16k_op15");
    if (!folder) return;
    const fanfold::graph network = fanfold::onnx::load(*folder / "model.onnx");
    const fanfold::batch begin{
        fanfold::part{fanfold::tensor(fanfold::element::float32, {1, 576}), 0, "input"},
        fanfold::part{fanfold::tensor(fanfold::element::float32, {2, 1, 128}), 1, "state"},
        fanfold::part{fanfold::tensor::of<std::int64_t>(fanfold::shape{}, {16000}), fanfold::shared_by_all_rows, "sr"}};
    const fanfold::carried_state vad(network, begin, {.states = {{.input = 1, .answer = 1}}});

    std::mt19937 random(5);
    std::vector<fanfold::tensor> sounds;
    for (int i = 0; i < 9; ++i) {
        fanfold::tensor& sound = sounds.emplace_back(fanfold::element::float32,
                                                     fanfold::shape{static_cast<std::int64_t>(1 + random() % 20), 576});
        for (float& sample : sound.as<float>().flat()) sample = static_cast<float>(random() % 2001) / 1000 - 1;
    }
    const fanfold::threads_executor cores({.workers = 2});
    fanfold::continuous server(cores, vad, {.max_slots = 4});
    std::vector<fanfold::pending<fanfold::reply>> there;
    for (const fanfold::tensor& sound : sounds) there.push_back(server.submit(sound));

    fanfold::workspace space;
    for (std::size_t i = 0; i < sounds.size(); ++i) {
        const fanfold::reply r = there[i].get();
        REQUIRE(r.answered());
        REQUIRE(r.answers.rows() == static_cast<std::size_t>(sounds[i].shape()[0]));
        fanfold::tensor state(fanfold::element::float32, {2, 1, 128});
        for (std::size_t frame = 0; frame < r.answers.rows(); ++frame) {
            const fanfold::tensor_view in[]{static_cast<fanfold::tensor_view>(sounds[i]).rows(frame, 1), state,
                                            begin[2]};
            std::vector<fanfold::tensor> alone = network.run(in, space);
            CHECK(std::memcmp(alone[0].data(), r.answers.as<float>().data() + frame, sizeof(float)) == 0);
            state = std::move(alone[1]);
        }
    }
}
