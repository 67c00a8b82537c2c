// SPDX-License-Identifier: MIT
#include <fanfold/partition/any_partitioner.hpp>

#include <algorithm>

#include "contract.hpp"

using namespace fanfold;

namespace {

/// As a user would write one: last row first.
struct backwards {
    plan operator()(const workload& w) const {
        plan p = contiguous{.rows_per_shard = 2}(w);
        for (std::size_t row = w.rows; row-- > 0;) p.order.push_back(row);
        return p;
    }
};

}  // namespace

TEST_CASE("A partitioner behind any_partitioner keeps the contract of partitioners") {
    contract::partitions_every_batch([](std::size_t, std::uint64_t) { return any_partitioner(backwards{}); });
}

TEST_CASE("Any callable from a workload to a plan is a partitioner") {
    const any_partitioner p = backwards{};
    const plan cut = p({.rows = 5});
    check_plan(cut, 5);
    CHECK(cut.order.front() == 4);
    CHECK(any_partitioner([](const workload& w) { return contiguous{.shards = 1}(w); })({.rows = 5}).shards() == 1);
}

TEST_CASE("Without a choice a batch is cut into consecutive shards") {
    CHECK(any_partitioner{}({.rows = 1000, .workers = 2}) == contiguous{}({.rows = 1000, .workers = 2}));
}
