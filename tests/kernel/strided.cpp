// SPDX-License-Identifier: MIT
#include <fanfold/kernel/strided.hpp>

#include <vector>

#include "../catch.hpp"

using namespace fanfold;
using kernel::detail::for_each_run;
using kernel::detail::offsets;

namespace {

/// Where each element lies in both tensors, in the order of the runs.
std::vector<offsets<2>> walk(const shape& extents, const strides& a, const strides& b, std::size_t& runs) {
    std::vector<offsets<2>> seen;
    runs = 0;
    for_each_run<2>(extents, {a, b}, [&](const offsets<2>& at, std::size_t count, const offsets<2>& step) {
        ++runs;
        for (std::size_t i = 0; i < count; ++i) {
            const auto n = static_cast<std::int64_t>(i);
            seen.push_back({at[0] + n * step[0], at[1] + n * step[1]});
        }
    });
    return seen;
}

}  // namespace

TEST_CASE("Dense tensors are one run") {
    std::size_t runs = 0;
    const shape extents{3, 1, 4, 5};
    const auto seen = walk(extents, dense_strides(extents), dense_strides(extents), runs);
    CHECK(runs == 1);
    REQUIRE(seen.size() == 60);
    CHECK(seen[59] == offsets<2>{59, 59});
}

TEST_CASE("Broadcast and transposed axes are walked in row-major order") {
    const shape extents{2, 3, 4};
    const strides broadcast{0, 1, 0};   // one value for each of the middle axis
    const strides transposed{1, 2, 6};  // column-major
    std::size_t runs = 0;
    const auto seen = walk(extents, broadcast, transposed, runs);
    REQUIRE(seen.size() == 24);
    std::size_t next = 0;
    for (std::int64_t i = 0; i < 2; ++i)
        for (std::int64_t j = 0; j < 3; ++j)
            for (std::int64_t k = 0; k < 4; ++k) CHECK(seen[next++] == offsets<2>{j, i + 2 * j + 6 * k});
}

TEST_CASE("One element is one run, and no elements are none") {
    std::size_t runs = 0;
    CHECK(walk(shape{}, {}, {}, runs).size() == 1);
    CHECK(walk(shape{1, 1}, {7, 7}, {9, 9}, runs) == std::vector<offsets<2>>{{0, 0}});
    CHECK(walk(shape{3, 0, 2}, {}, {}, runs).empty());
    CHECK(runs == 0);
}
