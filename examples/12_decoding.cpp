// examples/12_decoding.cpp - texts that are continued together: each joins when it comes and leaves when it has enough.
//   usage: 12_decoding [KJV_LM.onnx]    else $FANFOLD_TESTDATA/models/kjv_lm.onnx; without either it counts by tens
// SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>
#include <fanfold/serve/continuous.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "character_decoder.hpp"

namespace {

constexpr const char* beginnings[]{"And God said",        "In the beginning", "The LORD is my",
                                   "And it came to pass", "Blessed are the",  "Thou shalt not"};

/// Counts on by tens: what a model that steps looks like, at its smallest.
struct tens {
    static fanfold::step_form form() {
        const fanfold::tensor_type number{fanfold::element::int64, fanfold::shape{}, {}, {}};
        return {.item = number, .answer = number, .max_piece = 8};
    }
    static std::vector<std::int64_t> state(std::size_t slots) { return std::vector<std::int64_t>(slots); }
    static void step(std::vector<std::int64_t>& last, std::span<const fanfold::step_piece> pieces,
                     const fanfold::tensor_view& items, const fanfold::mutable_tensor_view& answers,
                     fanfold::workspace&) {
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            const fanfold::step_piece& p = pieces[i];
            last[p.slot] = items.as<std::int64_t>().flat()[p.first + p.items - 1];
            if (p.answered) answers.as<std::int64_t>().flat()[i] = last[p.slot] + 10;
        }
    }
};

bool count_by_tens(const fanfold::tbb_executor& cores) {
    const tens model;
    fanfold::continuous server(cores, model, {.max_slots = 2});
    std::vector<fanfold::pending<fanfold::reply>> all;
    for (std::int64_t first = 1; first <= 5; ++first)
        all.push_back(server.submit(std::vector<std::int64_t>{first}, {.max_answers = 3}));
    bool right = true;
    for (auto& one : all) {
        const fanfold::reply r = one.get();
        for (const std::int64_t number : r.answers.as<std::int64_t>().flat())
            std::printf("%ld ", static_cast<long>(number));
        std::printf("\n");
        right = right && r.answered() && r.answers.rows() == 3;
    }
    return right;
}

}  // namespace

int main(int argc, char** argv) try {
    const fanfold::tbb_executor cores;
    if (!count_by_tens(cores)) return 1;

    const char* data = std::getenv("FANFOLD_TESTDATA");
    const std::filesystem::path file = argc > 1
                                           ? std::filesystem::path(argv[1])
                                           : std::filesystem::path(data != nullptr ? data : "") / "models/kjv_lm.onnx";
    if (!std::filesystem::exists(file)) {
        std::printf("no texts: %s is missing\n", file.c_str());
        return 0;
    }
    const character_decoder model(file);
    fanfold::continuous server(cores, model, {.max_slots = 4});
    std::vector<fanfold::pending<fanfold::reply>> all;
    for (const char* text : beginnings) {
        // Up to the end of a sentence, 200 characters at most: said by who asks, as each character comes.
        const auto each = [](std::size_t, const fanfold::tensor_view& character) {
            const auto id = static_cast<std::size_t>(character.as<std::int64_t>().data()[0]);
            return character_decoder::vocabulary[id] != '.';
        };
        all.push_back(server.submit(character_decoder::ids_of(text), {.max_answers = 200}, each));
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        const fanfold::reply r = all[i].get();
        if (!r.answered()) return 1;
        std::printf("%s%s\n", beginnings[i], character_decoder::text_of(r.answers.as<std::int64_t>().flat()).c_str());
    }
    const fanfold::continuous_counts counts = server.counts();
    std::printf("%zu characters in %zu steps\n", counts.items, counts.steps);
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "12_decoding: %s\n", error.what());
    return 1;
}
