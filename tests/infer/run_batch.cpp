// SPDX-License-Identifier: MIT
#include <fanfold/infer/run_batch.hpp>
#include <fanfold/verify/finite.hpp>

#include <cmath>
#include <stdexcept>
#include <vector>

#include "../catch.hpp"

using namespace fanfold;

namespace {

detail::batch_result run(const auto& model, const std::vector<float>& rows, const any_verifier& verify = {}) {
    workspace space;
    return detail::run_batch(model, batch(rows), verify, space);
}

std::vector<float> up_to(std::size_t count) {
    std::vector<float> rows;
    for (std::size_t row = 0; row < count; ++row) rows.push_back(static_cast<float>(row));
    return rows;
}

}  // namespace

TEST_CASE("A batch that passes is one call") {
    int calls = 0;
    const auto model = [&](std::span<const float> rows) {
        ++calls;
        return std::vector<float>(rows.begin(), rows.end());
    };
    const detail::batch_result result = run(model, up_to(64));
    CHECK(calls == 1);
    CHECK(result.failures.empty());
    CHECK(result.answers.as<float>().flat()[63] == 63);
}

TEST_CASE("A row at fault fails alone, found by halves: 2 log2 n + 1 calls at most") {
    for (std::size_t bad = 0; bad < 64; ++bad) {
        int calls = 0;
        const auto model = [&](std::span<const float> rows) {
            ++calls;
            for (const float x : rows)
                if (x == static_cast<float>(bad)) throw std::runtime_error("bad row");
            return std::vector<float>(rows.begin(), rows.end());
        };
        const detail::batch_result result = run(model, up_to(64));
        CHECK(calls <= 13);
        REQUIRE(result.failures.size() == 1);
        CHECK(result.failures[0].rows == std::vector<std::size_t>{bad});
        CHECK(result.failures[0].message == "bad row");
        const auto answers = result.answers.as<float>().flat();
        for (std::size_t row = 0; row < 64; ++row)
            CHECK((row == bad ? std::isnan(answers[row]) : answers[row] == static_cast<float>(row)));
    }
}

TEST_CASE("Where every row fails, each is named, and the answers hold as many rows") {
    const auto model = [](std::span<const float>) -> std::vector<float> { throw std::runtime_error("never"); };
    const detail::batch_result result = run(model, up_to(5));
    CHECK(result.failures.size() == 5);
    CHECK(result.answers.rows() == 5);
}

TEST_CASE("What a verifier finds wanting is not computed again") {
    int calls = 0;
    const auto model = [&](std::span<const float> rows) {
        ++calls;
        std::vector<float> answers;
        for (const float x : rows) answers.push_back(1 / (x - 3));
        return answers;
    };
    const detail::batch_result result = run(model, up_to(8), fanfold::finite{});
    CHECK(calls == 1);
    REQUIRE(result.failures.size() == 1);
    CHECK(result.failures[0].rows == std::vector<std::size_t>{3});
}
