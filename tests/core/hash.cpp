// SPDX-License-Identifier: MIT
#include <fanfold/core/hash.hpp>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("hash_bytes is XXH3 with 64 bits and seed 0") {
    CHECK(hash_bytes("", 0) == 0x2D06800538D394C2U);  // as `xxhsum -H3` prints
    CHECK(hash_bytes("a", 1) == 0xE6C632B61E964E1FU);
}
