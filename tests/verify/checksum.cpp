// tests/verify/checksum.cpp - what the options of `checksum` say, seen in what a job does.
// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>
#include <fanfold/model/graph_builder.hpp>
#include <fanfold/model/operators/dense.hpp>
#include <fanfold/schedule/serial.hpp>
#include <fanfold/verify/checksum.hpp>

#include <cmath>
#include <string>
#include <vector>

#include "../callables.hpp"
#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;

namespace {

/// A product with 64 weights.
graph product() {
    const std::vector<float> weights = callables::ramp(8 * 8);
    graph_builder build;
    const auto x = build.input("x", {element::float32, {rows_extent, 8}});
    const auto y = build.add(dense(view<const float>(weights.data(), shape{8, 8})), {x}).front();
    return std::move(build).finish({{"y", y}});
}

/// How many of the rows were looked at. Shards have 1, 2, 4, ... rows, so that every sample has a number of its own.
std::size_t looked_at(const checksum& how) {
    static const graph g = product();
    const auto doubling = [](const workload& all) {
        plan made;
        for (std::size_t rows = 1; made.cuts.back() < all.rows; rows *= 2) made.cuts.push_back(made.cuts.back() + rows);
        return made;
    };
    const job done =
        infer(serial_executor(), g, tensor(element::float32, {1023, 8}), {.partition = doubling, .checksum = how});
    CHECK(done.failures.empty());
    return done.events.checks.products;
}

}  // namespace

TEST_CASE("Checksums: every shard unless another fraction is given, and the same seed is the same sample") {
    CHECK(looked_at({}) == 1023);
    CHECK(looked_at({.fraction = 0}) == 0);
    const std::size_t half = looked_at({.fraction = 0.5});
    CHECK((half > 0 && half < 1023));
    CHECK(looked_at({.fraction = 0.5, .seed = 0}) == half);
    CHECK(looked_at({.fraction = 0.5, .seed = 1}) != half);
    CHECK(looked_at({.weights_every = 1}) == 1023);
}

TEST_CASE("Checksums of a fraction that is none are refused") {
    for (const double fraction : {-0.1, 1.1, std::nan("")})
        CHECK(text_of([&] { (void)looked_at({.fraction = fraction}); }) ==
              "infer: checksum expects a fraction in [0, 1], got " + std::to_string(fraction));
}
