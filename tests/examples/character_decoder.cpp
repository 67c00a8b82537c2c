// SPDX-License-Identifier: MIT
#include "character_decoder.hpp"

#include <fanfold/schedule/tbb.hpp>
#include <fanfold/schedule/threads.hpp>
#include <fanfold/serve/continuous.hpp>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "sanitized.hpp"
#include "test_data.hpp"

using namespace fanfold;

namespace {

constexpr std::string_view verses[]{
    "In the beginning God created the heaven and the earth.",
    "And the earth was without form, and void; and darkness was upon the face of the deep. And the Spirit of God moved "
    "upon the face of the waters.",
    "And God said, Let there be light: and there was light.",
    "And God saw the light, that it was good: and God divided the light from the darkness.",
    "And God called the light Day, and the darkness he called Night. And the evening and the morning were the first "
    "day."};

std::vector<std::int64_t> alone(const character_decoder& model, std::vector<std::int64_t> items, std::size_t answers) {
    auto states = model.state(1);
    const std::size_t given = items.size();
    std::int64_t answer = 0;
    workspace space;
    for (std::size_t at = 0; at + 1 < given + answers; ++at) {
        const workspace::scope scratch(space);
        const step_piece piece{0, at, 0, 1, true};
        model.step(states, {&piece, 1}, view<const std::int64_t>(&items[at], shape{1}),
                   view<std::int64_t>(&answer, shape{1}), space);
        if (at + 1 >= given) items.push_back(answer);
    }
    return {items.begin() + static_cast<std::ptrdiff_t>(given), items.end()};
}

}  // namespace

TEST_CASE("The decoder continues a prompt as the network that was trained does", "[data]") {
    const auto file = test_data::find("models/kjv_lm.onnx");
    if (!file) return;
    const character_decoder model(*file);
    CHECK(model.text_of(alone(model, model.ids_of("And God said"), 120)) ==
          " unto him, The son of Abraham, and Abiaharai, and Abiaham, and Abiaharai, and Abiaham, and Abiaharai, and "
          "Abiaham, and A");
}

TEST_CASE("Sequences that are decoded together have the bits of each decoded alone, token by token", "[data]") {
    const auto file = test_data::find("models/kjv_lm.onnx");
    if (!file) return;
    const character_decoder model(*file);
    struct asked {
        std::vector<std::int64_t> prompt;
        std::size_t answers;
    };
    std::vector<asked> all;
    std::mt19937 random(3);
    for (int i = 0; i < 14; ++i) {
        const std::string_view verse = verses[random() % 5];
        const std::size_t most = fanfold_test::sanitized ? 12 : 1000;
        const std::size_t length = 1 + random() % std::min(most, verse.size());
        all.push_back({model.ids_of(verse.substr(0, length)), 1 + random() % std::min<std::size_t>(most, 90)});
    }
    std::vector<std::vector<std::int64_t>> expected;
    for (const asked& a : all) expected.push_back(alone(model, a.prompt, a.answers));
    const auto compare = [&](const auto& executor, const continuous_options& how) {
        continuous server(executor, model, how);
        std::vector<pending<reply>> there;
        for (const asked& a : all) there.push_back(server.submit(a.prompt, {.max_answers = a.answers}));
        for (std::size_t i = 0; i < all.size(); ++i) {
            const reply r = there[i].get();
            REQUIRE(r.answered());
            const auto got = r.answers.as<std::int64_t>().flat();
            REQUIRE(got.size() == expected[i].size());
            CHECK(std::memcmp(got.data(), expected[i].data(), got.size_bytes()) == 0);
        }
    };
    compare(threads_executor({.workers = 1}), {.max_slots = 5, .prefill_items = 7});
    compare(threads_executor({.workers = 2}), {.max_slots = 14, .prefill_items = 200});
    compare(tbb_executor({.workers = 2}), {.max_slots = 3, .join = joining::when_all_have_left});
}

TEST_CASE("Keys and values, and so all that follows, have the same bits however a prompt is cut and whoever is beside",
          "[data]") {
    const auto file = test_data::find("models/kjv_lm.onnx");
    if (!file) return;
    const character_decoder model(*file);
    const auto first = model.ids_of(verses[1]), second = model.ids_of(verses[3]);
    auto lonely = model.state(1), shared = model.state(2);
    workspace space;
    std::int64_t answers[2] = {};
    const auto step = [&](auto& states, const std::vector<step_piece>& pieces, const std::vector<std::int64_t>& items) {
        const workspace::scope scratch(space);
        model.step(states, pieces, as_view(items),
                   view<std::int64_t>(answers, shape{static_cast<std::int64_t>(pieces.size())}), space);
    };
    for (std::size_t at = 0; at < 80; ++at) step(lonely, {{0, at, 0, 1, false}}, {first[at]});
    for (std::size_t at = 0; at < 80; at += 16) {
        std::vector<std::int64_t> items(second.begin() + static_cast<std::ptrdiff_t>(at / 16),
                                        second.begin() + static_cast<std::ptrdiff_t>(at / 16) + 1);
        items.insert(items.end(), first.begin() + static_cast<std::ptrdiff_t>(at),
                     first.begin() + static_cast<std::ptrdiff_t>(at) + 16);
        step(shared, {{0, at / 16, 0, 1, false}, {1, at, 1, 16, false}}, items);
    }
    for (std::size_t i = 0; i < lonely[0].size(); ++i) {
        const auto same = [](const auto& a, const auto& b) {
            return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof a[0]) == 0;
        };
        CHECK(same(lonely[0][i].keys, shared[1][i].keys));
        CHECK(same(lonely[0][i].values[0], shared[1][i].values[0]));
        CHECK(same(lonely[0][i].values[1], shared[1][i].values[1]));
    }
}

TEST_CASE("A character that is not in the vocabulary fails its sequence alone", "[data]") {
    const auto file = test_data::find("models/kjv_lm.onnx");
    if (!file) return;
    const character_decoder model(*file);
    const threads_executor cores({.workers = 1});
    continuous server(cores, model);
    auto bad = server.submit(std::vector<std::int64_t>{1, 99}, {.max_answers = 3});
    auto good = server.submit(model.ids_of("And God said"), {.max_answers = 12});
    CHECK(bad.get().failures.at(0).message == "character 99 is not in the vocabulary");
    CHECK(model.text_of(good.get().answers.as<std::int64_t>().flat()) == " unto him, T");
}
