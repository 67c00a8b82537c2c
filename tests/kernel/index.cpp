// SPDX-License-Identifier: MIT
#include <fanfold/kernel/index.hpp>

#include "../catch.hpp"

using namespace fanfold;
using kernel::detail::index_list;

TEST_CASE("indices of both types count from either end and stay within", "[kernel][index]") {
    const std::int64_t wide[] = {0, 4, -5, 5};
    const std::int32_t narrow[] = {0, 4, -5, -6};
    const index_list a("gather", view<const std::int64_t>(wide, {4})),
        b("gather", view<const std::int32_t>(narrow, {4}));
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(a.within(i, 5) == (i == 1 ? 4U : 0U));
        CHECK(b.within(i, 5) == (i == 1 ? 4U : 0U));
    }
    CHECK_THROWS_WITH(a.within(3, 5), "gather: index 5 is outside an extent of 5");
    CHECK_THROWS_WITH(b.within(3, 5), "gather: index -6 is outside an extent of 5");
    const float real = 0;
    CHECK_THROWS_WITH(index_list("gather", view<const float>(&real, {})),
                      "gather: expected indices of int32 or int64, got float32 []");
}
