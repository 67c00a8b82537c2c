// SPDX-License-Identifier: MIT
#include <fanfold/infer/retry_tokens.hpp>

#include "../catch.hpp"

using namespace fanfold;
using namespace std::chrono_literals;

namespace {

std::size_t all_of(fanfold::detail::retry_tokens& tokens, time_point now) {
    std::size_t count = 0;
    while (tokens.spend(now)) ++count;
    return count;
}

}  // namespace

TEST_CASE("Each request earns a share of a retry, and ten a second may always be spent") {
    const time_point start(1h);
    fanfold::detail::retry_tokens tokens(retry_budget{});
    tokens.earn(start, 1000);
    CHECK(all_of(tokens, start) == 200 + 100);
    CHECK(all_of(tokens, start + 5s) == 0);
    CHECK(all_of(tokens, start + 11s) == 100);  // what was earned and what was spent are both forgotten
    CHECK(all_of(tokens, start + 22s) == 100);
}

TEST_CASE("Requests of long ago have earned nothing that is left") {
    const time_point start(1h);
    fanfold::detail::retry_tokens tokens(retry_budget{.share = 0.5, .per_second = 0});
    tokens.earn(start, 0);
    tokens.earn(start + 100s, 10'000);  // at an even rate: a hundred a second
    const std::size_t left = all_of(tokens, start + 100s);
    CHECK(left <= 10 * 50);
    CHECK(left >= 9 * 50);
}
