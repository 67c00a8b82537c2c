// SPDX-License-Identifier: MIT
#include <fanfold/schedule/executor.hpp>

#include "contract.hpp"

using namespace fanfold;

namespace {

/// As a user would write one: last claims first, on the calling thread.
class hoarding_executor {
public:
    [[nodiscard]] static std::size_t workers() { return 1; }
    [[nodiscard]] static std::string_view name() { return "hoarding"; }
    [[nodiscard]] static claim_order order() { return claim_order::shared; }
    void run(const work& job) const {
        workspace space(job.workspace_bytes);
        std::vector<claim> claims;
        const time_point now = std::chrono::steady_clock::now();
        for (next_claim next = job.next(0, now); std::holds_alternative<claim>(next); next = job.next(0, now))
            claims.push_back(std::get<claim>(next));
        for (; !claims.empty(); claims.pop_back())
            job.done({claims.back(), 0, now, now}, job.run_attempt(claims.back(), space));
    }
};
static_assert(executor<hoarding_executor>);

}  // namespace

TEST_CASE("A user's own executor needs four members and nothing else") {
    contract::every_shard_once(hoarding_executor());
}

TEST_CASE("A ring between the last question and the sleep is heard") {
    fanfold::detail::doorbell bell;
    fanfold::detail::doorbell::sleeper here(bell);
    bell.ring();
    here.sleep(time_point::max());  // returns at once, or this test hangs
    SUCCEED();
}

TEST_CASE("A sleeper wakes at its time though nobody rings") {
    fanfold::detail::doorbell bell;
    fanfold::detail::doorbell::sleeper here(bell);
    here.sleep(std::chrono::steady_clock::now());
    SUCCEED();
}
