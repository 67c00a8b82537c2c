// SPDX-License-Identifier: MIT
#include <fanfold/verify/digest.hpp>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("A digest is XXH3 of the bytes") {
    const tensor none;
    CHECK(digest_text(digest(none)) == "2d06800538d394c2");  // xxHash's own value for no input and seed 0
    const tensor t = tensor::of<float>({2, 2}, {1, 2, 3, 4});
    CHECK(digest(t) == XXH3_64bits(t.data(), 16));
}

TEST_CASE("Equal elements have equal digests, whatever their strides") {
    const tensor t = tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
    const tensor columns = tensor::of<float>({3, 2}, {1, 4, 2, 5, 3, 6});
    const view<const float> turned(columns.as<float>().data(), shape{2, 3}, strides{1, 2});
    CHECK(digest(turned) == digest(t));
}

TEST_CASE("One flipped bit changes the digest") {
    tensor t(element::float32, {100});
    const auto clean = digest(t);
    for (std::size_t bit = 0; bit < 3200; ++bit) {
        t.data()[bit / 8] ^= std::byte(1 << (bit % 8));
        REQUIRE(digest(t) != clean);
        t.data()[bit / 8] ^= std::byte(1 << (bit % 8));
    }
}

TEST_CASE("A digest is written as 16 hex digits") {
    CHECK(digest_text(0) == "0000000000000000");
    CHECK(digest_text(0x0123456789abcdefULL) == "0123456789abcdef");
}
