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

namespace {

/// Takes four rows a call, and says so.
struct by_fours {
    [[nodiscard]] static std::size_t rows_per_call() { return 4; }
    [[nodiscard]] static std::vector<tensor_type> answers(const batch& all) {
        if (all.rows() % 4 != 0) throw std::invalid_argument("no multiple of four");
        return {{element::float32, {static_cast<std::int64_t>(all.rows()), 2}, row_axis(0), {}}};
    }
    [[nodiscard]] static std::size_t workspace_bytes(std::size_t) { return 0; }
    void operator()(const batch_view& rows, const mutable_batch_view& out, workspace&) const {
        ++calls;
        if (rows.rows() != 4) throw std::invalid_argument("not four rows");
        const auto in = rows.as<float>().flat();
        for (const float x : in)
            if (x == bad) throw std::runtime_error("bad row");
        const auto y = out.as<float>().flat();
        for (std::size_t row = 0; row < 4; ++row) y[2 * row] = y[2 * row + 1] = -in[row];
    }
    float bad = -1;
    mutable int calls = 0;
};
static_assert(declared_model<by_fours>);

}  // namespace

TEST_CASE("A model with a fixed number of rows a call is filled up, and its rows still fail alone") {
    for (const std::size_t count : {1UL, 3UL, 4UL, 6UL, 8UL, 11UL})
        for (std::size_t bad = 0; bad <= count; ++bad) {
            const by_fours model{.bad = static_cast<float>(bad)};
            const detail::batch_result result = run(model, up_to(count));
            REQUIRE(result.answers.shape() == shape{static_cast<std::int64_t>(count), 2});
            REQUIRE(result.failures.size() == (bad < count ? 1 : 0));
            if (bad < count) CHECK(result.failures[0].rows == std::vector<std::size_t>{bad});
            if (bad == count) CHECK(model.calls == static_cast<int>((count + 3) / 4));
            const auto answers = result.answers.as<float>().flat();
            for (std::size_t row = 0; row < count; ++row)
                CHECK(
                    (row == bad ? std::isnan(answers[2 * row + 1]) : answers[2 * row + 1] == -static_cast<float>(row)));
        }
}
