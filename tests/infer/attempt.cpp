// SPDX-License-Identifier: MIT
#include <fanfold/infer/attempt.hpp>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;

TEST_CASE("A returned tensor counts rows along axis 0; a flat one may hold several values a row") {
    const tensor flat(element::float32, {12});
    const tensor_view as_given = fanfold::detail::as_answers(flat, 12);
    CHECK(as_given.shape() == shape{12});
    CHECK(fanfold::detail::as_answers(flat, 4).shape() == shape{4, 3});
    CHECK(text_of([&] { (void)fanfold::detail::as_answers(flat, 5); }) ==
          "expected answers for 5 rows along axis 0, got float32 [12]");
    const tensor scalar(element::float32, {});
    CHECK_FALSE(text_of([&] { (void)fanfold::detail::as_answers(scalar, 1); }).empty());
}

TEST_CASE("A fault names the rows of its shard by their numbers in the batch, in ascending order") {
    const tensor xs(element::float32, {5});
    const batch all(xs);
    const plan shards{.order = {4, 0, 3, 1, 2}, .cuts = {0, 3, 5}};
    fanfold::detail::answer_store answers(shards, 5);
    workspace space;
    const auto throws = [](const batch_view&) -> tensor { throw std::runtime_error("no"); };
    const outcome result =
        fanfold::detail::run_attempt(throws, all, {shards, 0}, {.shard = 0, .attempt = 3}, {}, answers, space);
    REQUIRE(result.faults.size() == 1);
    CHECK(result.faults[0].rows == std::vector<std::size_t>{0, 3, 4});
    CHECK(result.faults[0].attempts == 3);
    CHECK(result.faults[0].message == "no");
}

TEST_CASE("An attempt gives back all it took from the workspace, also when the model throws") {
    const tensor xs(element::float32, {4});
    const batch all(xs);
    const plan shards{.order = {}, .cuts = {0, 4}};
    fanfold::detail::answer_store answers(shards, 4);
    workspace space(1 << 12);
    const std::byte* before = nullptr;
    {
        const workspace::scope probe(space);
        before = space.take<std::byte>(1).data();
    }
    const auto takes_and_throws = [](const batch_view&, workspace& w) -> tensor {
        (void)w.take<float>(100);
        throw std::bad_alloc();
    };
    const outcome result =
        fanfold::detail::run_attempt(takes_and_throws, all, {shards, 0}, {.shard = 0}, {}, answers, space);
    CHECK(result.faults.front().kind == fault_kind::out_of_memory);
    CHECK(space.take<std::byte>(1).data() == before);
}
