// SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>
#include <fanfold/partition/longest_first.hpp>
#include <fanfold/schedule/simulated.hpp>

#include "../callables.hpp"
#include "../catch.hpp"

using namespace fanfold;
using namespace callables;
using namespace std::chrono_literals;

TEST_CASE("A job on a thousand virtual workers answers as a serial one and tells virtual times") {
    const std::vector<float> rows(3000, 1.5F);
    const simulated_executor cluster({.workers = 1000}, [](const claim&, std::size_t) -> duration { return 1s; });
    const job j = infer(cluster, twice, rows, {.partition = contiguous{.rows_per_shard = 1}});
    CHECK(digest(j.answers) == digest(infer(serial_executor(), twice, rows).answers));
    CHECK(j.events.finished - j.events.started == 3s);
    CHECK(j.events.workers == 1000);
    CHECK(j.events.executor == "simulated");
}

TEST_CASE("A deadline is one on the executor's clock") {
    const std::vector<float> rows(10, 1.0F);
    const simulated_executor cluster({.workers = 1}, [](const claim&, std::size_t) -> duration { return 1s; });
    const job j = infer(cluster, twice, rows,
                        {.partition = contiguous{.rows_per_shard = 1}, .deadline = cluster.time().now() + 4500ms});
    CHECK(j.failed_rows() == 6);  // the fifth was started, and gave up at its end
    for (const fault& f : j.failures) CHECK(f.kind == fault_kind::timed_out);
    CHECK(j.events.finished - j.events.started == 5s);
}

TEST_CASE("Shards of a plan with an order are claimed in that order, by executors that like shares, too") {
    std::vector<float> rows(400);
    std::vector<double> costs(400);
    for (std::size_t row = 0; row < 400; ++row) {
        rows[row] = static_cast<float>(row);
        costs[row] = static_cast<double>(1 + row * 7919 % 1000);
    }
    for (const claim_order order : {claim_order::shared, claim_order::own_share_first}) {
        std::vector<double> claimed;
        const plan sorted = longest_first{.cost = costs, .rows_per_shard = 1}({.rows = 400});
        const simulated_executor cluster({.workers = 8, .order = order}, [&](const claim& c, std::size_t) -> duration {
            claimed.push_back(costs[sorted.row(c.shard, 0)]);
            return std::chrono::microseconds(static_cast<long>(claimed.back()));
        });
        const job j = infer(cluster, twice, rows, {.partition = longest_first{.cost = costs, .rows_per_shard = 1}});
        CHECK(std::is_sorted(claimed.rbegin(), claimed.rend()));
        CHECK(digest(j.answers) == digest(infer(serial_executor(), twice, rows).answers));
        CHECK(j.shards == sorted);
    }
}
