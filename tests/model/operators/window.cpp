// tests/model/operators/window.cpp - images, and signals as images of height 1.
// SPDX-License-Identifier: MIT
#include <fanfold/core/tensor.hpp>
#include <fanfold/model/operators/window.hpp>

#include "../../catch.hpp"

using namespace fanfold;

TEST_CASE("images and signals") {
    const symbolic_shape image{rows_extent, 3, 8, 9}, signal{rows_extent, 3, 9};
    CHECK_NOTHROW(detail::expect_images({element::float32, image}));
    CHECK_NOTHROW(detail::expect_images({element::float32, signal}));
    CHECK_THROWS(detail::expect_images({element::float32, {rows_extent, 3}}));
    CHECK_THROWS(detail::expect_images({element::float64, image}));
    CHECK_THROWS(detail::expect_images({element::float32, {1, 3, rows_extent, 9}}));
    CHECK(detail::height_of(image) == 8);
    CHECK(detail::height_of(signal) == 1);
    CHECK(detail::width_of(signal) == 9);
    CHECK(detail::images_like(image, 5, 4, 2).text() == "float32 [N, 5, 4, 2]");
    CHECK(detail::images_like(signal, 5, 1, 2).text() == "float32 [N, 5, 2]");
    const tensor t(element::float32, {2, 3, 9});
    CHECK(detail::as_images(static_cast<tensor_view>(t)).shape() == shape{2, 3, 1, 9});
}
