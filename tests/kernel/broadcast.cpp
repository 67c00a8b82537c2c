// SPDX-License-Identifier: MIT
#include <fanfold/kernel/broadcast.hpp>

#include <string>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("broadcasting follows ONNX", "[kernel][broadcast]") {
    CHECK(kernel::broadcast_shape({2, 3, 4, 5}, {}) == shape{2, 3, 4, 5});
    CHECK(kernel::broadcast_shape({2, 3, 4, 5}, {5}) == shape{2, 3, 4, 5});
    CHECK(kernel::broadcast_shape({4, 5}, {2, 3, 4, 5}) == shape{2, 3, 4, 5});
    CHECK(kernel::broadcast_shape({1, 4, 5}, {2, 3, 1, 1}) == shape{2, 3, 4, 5});
    CHECK(kernel::broadcast_shape({3, 1}, {0}) == shape{3, 0});
    try {
        (void)kernel::broadcast_shape({2, 3}, {4, 3});
        FAIL("accepted");
    } catch (const std::invalid_argument& error) {
        CHECK(std::string(error.what()) == "cannot broadcast [2, 3] with [4, 3]");
    }
}

TEST_CASE("a stretched tensor has stride 0 where it repeats", "[kernel][broadcast]") {
    const strides wide = kernel::detail::stretched({4, 1, 3}, {3, 7, 1}, {2, 4, 5, 3});
    CHECK((wide[0] == 0 && wide[1] == 3 && wide[2] == 0 && wide[3] == 1));
}
