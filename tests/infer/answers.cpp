// SPDX-License-Identifier: MIT
#include <fanfold/infer/answers.hpp>

#include <cmath>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;
using fanfold::detail::answer_store;

TEST_CASE("Consecutive shards write where the answers stay; others are moved there in row order") {
    const plan shards{.order = {2, 3, 1, 0}, .cuts = {0, 2, 4}};
    answer_store store(shards, 4);
    store.declare({{element::float32, {4, 2}, 0, "y"}});
    workspace space;
    const mutable_batch_view first = store.room({shards, 0}, space);
    const mutable_batch_view second = store.room({shards, 1}, space);
    for (int row = 0; row < 2; ++row)
        for (int j = 0; j < 2; ++j) {
            first.as<float>()(row, j) = static_cast<float>(10 * (row + 2) + j);
            second.as<float>()(row, j) = static_cast<float>(10 * (1 - row) + j);
        }
    store.commit({shards, 0}, first);
    store.commit({shards, 1}, second);
    const batch answers = std::move(store).take();
    CHECK(answers[0].data() + 16 == static_cast<const std::byte*>(first[0].data()));
    for (int row = 0; row < 4; ++row)
        for (int j = 0; j < 2; ++j) CHECK(answers.as<float>()(row, j) == static_cast<float>(10 * row + j));
}

TEST_CASE("An answer with several entries a row keeps them together") {
    const plan shards{.order = {1, 0}, .cuts = {0, 1, 2}};
    answer_store store(shards, 2);
    store.declare({{element::int32, {6}, 0, {}}});  // three a row
    workspace space;
    for (const std::size_t shard : {0UL, 1UL}) {
        const mutable_batch_view room = store.room({shards, shard}, space);
        REQUIRE(room[0].shape() == shape{3});
        for (int j = 0; j < 3; ++j) room.as<std::int32_t>()(j) = static_cast<std::int32_t>(shard) * 10 + j;
        store.commit({shards, shard}, room);
    }
    const batch answers = std::move(store).take();
    CHECK(answers.as<std::int32_t>()(0) == 10);
    CHECK(answers.as<std::int32_t>()(5) == 2);
}

TEST_CASE("A blank row is NaN, or 0 where the type has none, and touches no other row") {
    const plan shards{.order = {}, .cuts = {0, 3}};
    answer_store store(shards, 3);
    store.declare({{element::float64, {2, 3}, 1, {}}, {element::int64, {3}, 0, {}}});
    workspace space;
    const mutable_batch_view room = store.room({shards, 0}, space);
    for (double& value : room[0].as<double>().flat()) value = 1;
    for (std::int64_t& value : room[1].as<std::int64_t>().flat()) value = 1;
    store.commit({shards, 0}, room);
    const std::size_t failed = 1;
    store.blank({&failed, 1});
    const batch answers = std::move(store).take();
    CHECK(std::isnan(answers[0].as<double>()(0, 1)));
    CHECK(std::isnan(answers[0].as<double>()(1, 1)));
    CHECK(answers[0].as<double>()(1, 2) == 1);
    CHECK(answers[1].as<std::int64_t>()(1) == 0);
    CHECK(answers[1].as<std::int64_t>()(2) == 1);
}

TEST_CASE("What the first shard returns decides what later ones must look like") {
    const plan shards{.order = {}, .cuts = {0, 2, 5}};
    answer_store store(shards, 5);
    const tensor two(element::float32, {2, 7});
    const tensor three(element::float32, {3, 7});
    const tensor other_type(element::int32, {3, 7});
    const tensor_view first = two;
    const tensor_view fits = three;
    const tensor_view differs = other_type;
    store.declare_like({&first, 1}, 2);
    store.declare_like({&fits, 1}, 3);
    CHECK(text_of([&] {
              store.declare_like({&differs, 1}, 3);
          }) == "expected float32 [3, 7] as other shards gave, got int32 [3, 7]");
    const tensor_view both[] = {fits, fits};
    CHECK(text_of([&] { store.declare_like(both, 3); }) == "expected 1 answers as other shards gave, got 2");
    CHECK(std::move(store).take().shape() == shape{5, 7});
}

TEST_CASE("Apart from the final place, nothing shows before it is committed") {
    const plan shards{.order = {}, .cuts = {0, 2, 3}};
    answer_store store(shards, 3, fanfold::detail::writing::apart);
    store.declare({{element::int32, {3}, 0, {}}});
    workspace space;
    const mutable_batch_view one = store.room({shards, 0}, space);
    const mutable_batch_view twin = store.room({shards, 0}, space);
    one.as<std::int32_t>()(0) = one.as<std::int32_t>()(1) = 7;
    twin.as<std::int32_t>()(0) = twin.as<std::int32_t>()(1) = 8;
    store.commit({shards, 0}, one);
    CHECK(std::move(store).take().as<std::int32_t>()(1) == 7);
}

TEST_CASE("An answer that all rows share is kept from whichever shard commits first") {
    const plan shards{.order = {}, .cuts = {0, 2, 3}};
    answer_store store(shards, 3);
    store.declare({{element::int32, {3}, 0, {}}, {element::int32, {1}, shared_by_all_rows, {}}});
    workspace space;
    for (const std::size_t shard : {1UL, 0UL}) {
        const mutable_batch_view room = store.room({shards, shard}, space);
        room[1].as<std::int32_t>()(0) = static_cast<std::int32_t>(shard);
        store.commit({shards, shard}, room);
    }
    CHECK(std::move(store).take()[1].as<std::int32_t>()(0) == 1);
}
