// SPDX-License-Identifier: MIT
#include <fanfold/schedule/claim.hpp>

#include "../catch.hpp"
#include "contract.hpp"

using namespace fanfold;

TEST_CASE("A claim is a first attempt that anyone may run, unless it says otherwise") {
    const claim first{.shard = 3};
    CHECK(first.attempt == 1);
    CHECK(first.avoid == no_worker);
}

TEST_CASE("A claim source is any type with next and done") {
    CHECK(claim_source<contract::scripted>);
    CHECK_FALSE(claim_source<int>);
    struct forgets_done {
        next_claim next(std::size_t, time_point) { return finished{}; }
    };
    CHECK_FALSE(claim_source<forgets_done>);
}
