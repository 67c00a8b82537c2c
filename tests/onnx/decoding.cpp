// tests/onnx/decoding.cpp - a language model with a cache of keys and values: its text, and its bits however it is fed.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstring>
#include <fanfold/model/graph.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "../catch.hpp"
#include "../test_data.hpp"
#include "model_writer.hpp"

using fanfold::tensor;

namespace {

constexpr std::string_view vocabulary = "\n !'(),-.:;?ABCDEFGHIJKLMNOPQRSTUVWYZabcdefghijklmnopqrstuvwxyz";

/// logits, keys, values
using state = std::vector<tensor>;

state empty_cache() {
    state s(1);
    for (int i = 0; i < 2; ++i) s.emplace_back(fanfold::element::float32, fanfold::shape{3, 1, 4, 0, 32});
    return s;
}

state feed(const fanfold::graph& model, const std::vector<std::int64_t>& ids, const state& before,
           fanfold::workspace& space) {
    const auto in = tensor::of<std::int64_t>({1, static_cast<std::int64_t>(ids.size())}, ids);
    const fanfold::tensor_view inputs[]{in, before[1], before[2]};
    return model.run(inputs, space);
}

std::vector<std::int64_t> ids_of(std::string_view text) {
    std::vector<std::int64_t> ids;
    for (const char c : text) ids.push_back(static_cast<std::int64_t>(vocabulary.find(c)));
    return ids;
}

std::span<const float> last_logits(const state& s) {
    return s[0].as<float>().flat().last(vocabulary.size());
}

}  // namespace

TEST_CASE("a language model continues as it was trained to, and its bits do not depend on how the prompt is cut",
          "[data]") {
    const auto file = test_data::find("models/kjv_lm.onnx");
    if (!file) return;
    const fanfold::graph model = written::load_file(*file);
    fanfold::workspace space;

    state at_once = feed(model, ids_of("And God said"), empty_cache(), space);
    state by_token = empty_cache();
    for (const std::int64_t id : ids_of("And God said")) by_token = feed(model, {id}, by_token, space);
    for (std::size_t i = 0; i < 3; ++i) {
        const tensor& a = at_once[i];
        const tensor& b = by_token[i];
        if (i != 0) CHECK(a.shape() == b.shape());
    }
    CHECK(std::memcmp(last_logits(at_once).data(), last_logits(by_token).data(), vocabulary.size() * sizeof(float)) ==
          0);
    for (const std::size_t cache : {std::size_t{1}, std::size_t{2}})
        CHECK(std::memcmp(at_once[cache].data(), by_token[cache].data(), at_once[cache].bytes()) == 0);

    std::string text;
    while (text.size() < 120) {
        const auto logits = last_logits(at_once);
        const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
        text += vocabulary[static_cast<std::size_t>(best)];
        at_once = feed(model, {best}, at_once, space);
    }
    CHECK(text ==
          " unto him, The son of Abraham, and Abiaharai, and Abiaham, and Abiaharai, and Abiaham, and Abiaharai, and "
          "Abiaham, and A");
}
