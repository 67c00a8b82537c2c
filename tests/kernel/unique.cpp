// SPDX-License-Identifier: MIT
#include <fanfold/kernel/unique.hpp>

#include <limits>

#include "../catch.hpp"

using namespace fanfold;
using kernel::unique_order;
using list = std::vector<std::int64_t>;

TEST_CASE("distinct elements come sorted or as seen, with where, which and how often", "[kernel][unique]") {
    const tensor in = tensor::of<float>({6}, {2, 1, 1, 3, 4, 3});
    const auto sorted = kernel::unique(unique_order::sorted, in, 0);
    CHECK((sorted.values.shape() == shape{4} && sorted.values.as<float>().data()[0] == 1));
    CHECK(sorted.first == list{1, 0, 3, 4});
    CHECK(sorted.inverse == list{1, 0, 0, 2, 3, 2});
    CHECK(sorted.counts == list{2, 1, 2, 1});
    const auto seen = kernel::unique(unique_order::seen, in, 0);
    const auto values = seen.values.as<float>().flat();
    CHECK(std::vector<float>(values.begin(), values.end()) == std::vector<float>{2, 1, 3, 4});
    CHECK(seen.first == list{0, 1, 3, 4});
    CHECK(seen.inverse == list{0, 1, 1, 2, 3, 2});
    CHECK(seen.counts == list{1, 2, 2, 1});
}

TEST_CASE("distinct slices along any axis; NaN equals itself; nothing gives nothing", "[kernel][unique]") {
    const tensor in = tensor::of<std::int32_t>({3, 3}, {1, 0, 1, 1, 0, 1, 2, 3, 2});
    const auto rows = kernel::unique(unique_order::sorted, in, 0),
               columns = kernel::unique(unique_order::sorted, in, 1);
    CHECK((rows.values.shape() == shape{2, 3} && rows.inverse == list{0, 0, 1}));
    CHECK((columns.values.shape() == shape{3, 2} && columns.inverse == list{1, 0, 1} && columns.first == list{1, 0}));
    CHECK(columns.values.as<std::int32_t>().data()[4] == 3);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const tensor nans = tensor::of<float>({3}, {nan, 1, nan});
    const auto odd = kernel::unique(unique_order::sorted, nans, 0);
    CHECK((odd.first == list{1, 0} && odd.counts == list{1, 2}));
    const tensor none(element::float32, {0});
    CHECK(kernel::unique(unique_order::seen, none, 0).values.size() == 0);
    CHECK_THROWS_WITH(kernel::unique(unique_order::seen, none, 1), "unique: no axis 1 in float32 [0]");
}
