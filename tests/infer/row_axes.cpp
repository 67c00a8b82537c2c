// tests/infer/row_axes.cpp - rows along any axis of a graph's inputs, sizes known at load or in the run: the same bits.
// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/serial.hpp>
#include <fanfold/schedule/threads.hpp>

#include <cstring>

#include "../catch.hpp"
#include "../text.hpp"
#include "networks.hpp"

using namespace fanfold;

namespace {

const extent N = rows_extent, unknown = extent::unknown();

tensor sequence() {
    tensor made(element::float32, {5, 13, 3});
    std::size_t i = 0;
    for (float& x : made.as<float>().flat()) x = static_cast<float>(i++ * 7919 % 101) / 30 - 1;
    return made;
}

bool same_bits(const tensor_view& a, const tensor_view& b) {
    return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.bytes()) == 0;
}

}  // namespace

TEST_CASE("Rows at axis 1 give the same bits for every shard size, planned or not", "[isa]") {
    const tensor x = sequence();
    const batch rows(part(x, 1));
    const job whole =
        infer(serial_executor(), networks::rows_at_axis_1({5, N, 3}), rows, {.partition = contiguous{.shards = 1}});
    REQUIRE(whole.failures.empty());
    REQUIRE(whole.answers[0].shape() == shape{5, 13, 3});
    CHECK(whole.answers.parts()[0].rows() == row_axis(1));
    CHECK(whole.answers[1].shape() == shape{13, 5, 3});
    CHECK(whole.answers[2].shape() == shape{13, 3});
    for (const symbolic_shape& of : {symbolic_shape{5, N, 3}, symbolic_shape{unknown, N, 3},
                                     symbolic_shape::of_rank(3), symbolic_shape::unknown()}) {
        const graph g = networks::rows_at_axis_1(of);
        for (const std::size_t each : {1UL, 2UL, 3UL, 7UL, 13UL}) {
            INFO(of.text() << ", " << each << " rows a shard");
            const options cut{.partition = contiguous{.rows_per_shard = each}};
            for (const job& done : {infer(serial_executor(), g, rows, cut),
                                    infer(threads_executor({.workers = 3}), g, rows, cut)}) {
                REQUIRE(done.failures.empty());
                for (std::size_t i = 0; i < 3; ++i) CHECK(same_bits(done.answers[i], whole.answers[i]));
            }
        }
    }
}

TEST_CASE("What mixes the rows of this batch is named, though the graph alone does not tell") {
    const tensor x = sequence();
    const graph g = networks::rows_at_axis_1(symbolic_shape::unknown());
    CHECK(g.row_mixer().empty());
    CHECK(g.row_mixer(batch(part(x, 1))).empty());
    CHECK(g.row_mixer(batch(part(x, 0))) == "mean");
    CHECK(g.row_mixer(batch(part(x, 2))) == "softmax");
    CHECK(text_of([&] {
              (void)infer(serial_executor(), g, batch(part(x, 2)), {.partition = contiguous{.shards = 2}});
          }).starts_with("infer: 'softmax' makes rows depend on each other"));
    CHECK(infer(serial_executor(), g, batch(part(x, 2)), {.partition = contiguous{.shards = 1}}).failures.empty());
}
