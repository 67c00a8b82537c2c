// SPDX-License-Identifier: MIT
#include <fanfold/serve/unequal_lengths.hpp>

#include <vector>

#include "../catch.hpp"

using namespace fanfold;
using detail::rows_of_batch;

namespace {

batch sequences(std::int64_t rows, std::int64_t length) { return batch(tensor(element::float32, {rows, length})); }

/// How many tokens a group has with its padding.
std::size_t padded(const std::vector<detail::rows_of_piece>& group, const std::vector<rows_of_batch>& pieces) {
    std::size_t rows = 0, longest = 0;
    for (const auto& some : group) {
        rows += some.rows;
        longest = std::max(longest, detail::length_of(*pieces[some.piece].of, 1));
    }
    return rows * longest;
}

}  // namespace

TEST_CASE("Each row is in one group, and no group but that of a lone long row has more tokens than it may") {
    const batch two_long = sequences(2, 9), three_short = sequences(3, 2), too_long = sequences(1, 30);
    const std::vector<rows_of_batch> pieces{{&two_long, 0, 2}, {&three_short, 1, 2}, {&too_long, 0, 1}};
    const auto groups = detail::groups_by_length(pieces, {.tokens_per_batch = 12});
    std::vector<std::vector<int>> seen{{0, 0}, {0, 0, 0}, {0}};
    for (const auto& group : groups) {
        std::size_t rows = 0;
        for (const auto& some : group) {
            rows += some.rows;
            for (std::size_t row = some.first; row < some.first + some.rows; ++row) ++seen[some.piece][row];
        }
        CHECK((padded(group, pieces) <= 12 || rows == 1));
    }
    CHECK(seen == std::vector<std::vector<int>>{{1, 1}, {0, 1, 1}, {1}});
    CHECK(groups.size() == 4);  // each of the long ones alone, the short ones together
}

TEST_CASE("Rows of one request that stay together are one run") {
    const batch rows = sequences(4, 3);
    const std::vector<rows_of_batch> pieces{{&rows, 0, 4}};
    const auto groups = detail::groups_by_length(pieces, {.tokens_per_batch = 12});
    REQUIRE(groups.size() == 1);
    REQUIRE(groups[0].size() == 1);
    CHECK(groups[0][0].rows == 4);
}

TEST_CASE("Only the answers that are named are cut back, and only where they are longer and have the axis") {
    const batch answers(std::vector<part>{part(tensor(element::float32, {2, 9})),
                                          part(tensor(element::float32, {2, 9})), part(tensor(element::float32, {2}))});
    const unequal_lengths how{.tokens_per_batch = 100, .answers = {0, 2}};
    const batch cut = detail::cut_back(answers, sequences(1, 4), how);
    CHECK(cut[0].shape() == shape{2, 4});
    CHECK(cut[1].shape() == shape{2, 9});
    CHECK(cut[2].shape() == shape{2});
    CHECK(detail::cut_back(answers, sequences(1, 9), how)[0].shape() == shape{2, 9});
    CHECK(detail::cut_back(answers, sequences(1, 10), how)[0].shape() == shape{2, 9});
}
