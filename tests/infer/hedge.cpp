// SPDX-License-Identifier: MIT
#include <fanfold/infer/hedge.hpp>

#include "../catch.hpp"

using namespace fanfold;
using namespace std::chrono_literals;

TEST_CASE("The last times of a worker are kept, fewer of one that has ended fewer") {
    fanfold::detail::recent_times fast;
    fanfold::detail::recent_times slow;
    for (int i = 1; i <= 320; ++i) fast.add(std::chrono::nanoseconds(i));
    for (int i = 1; i <= 32; ++i) slow.add(std::chrono::nanoseconds(1000 + i));
    std::vector<duration::rep> all;
    fast.append_to(all, 320);
    CHECK(all.size() == 32);
    CHECK(*std::min_element(all.begin(), all.end()) == 289);
    all.clear();
    slow.append_to(all, 320);
    CHECK(all.size() == 4);
    CHECK(*std::min_element(all.begin(), all.end()) == 1029);
    all.clear();
    slow.append_to(all, 32);
    CHECK(all.size() == 32);
}

TEST_CASE("A quantile is the element at that share of the order") {
    std::vector<duration::rep> values{5, 1, 4, 2, 3};
    CHECK(fanfold::detail::quantile_of(values, 0.5) == duration(3));
    CHECK(fanfold::detail::quantile_of(values, 1) == duration(5));
    CHECK(fanfold::detail::quantile_of(values, 0) == duration(1));
    values.clear();
    CHECK(fanfold::detail::quantile_of(values, 0.5) == duration::max());
}
