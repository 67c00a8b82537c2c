// SPDX-License-Identifier: MIT
#include <fanfold/infer/rows.hpp>

#include "../catch.hpp"

using namespace fanfold;
using fanfold::detail::row_set;

namespace {

tensor counting(const shape& extents) {
    tensor made(element::int32, extents);
    std::int32_t next = 0;
    for (std::int32_t& value : made.as<std::int32_t>().flat()) value = next++;
    return made;
}

}  // namespace

TEST_CASE("Consecutive rows along axis 0 are the batch's own elements") {
    const tensor t = counting({6, 2});
    const batch all(t);
    workspace space;
    const batch_view rows = fanfold::detail::shard_rows(all, row_set(plan{.order = {}, .cuts = {0, 2, 6}}, 1), space);
    CHECK(rows.rows() == 4);
    CHECK(rows[0].data() == t.data() + 2 * 2 * 4);
    CHECK(rows[0].shape() == shape{4, 2});
}

TEST_CASE("Rows along another axis, strided rows and scattered rows are gathered densely") {
    const tensor t = counting({2, 6});  // element (i, row) is 6 i + row
    const batch columns(part(t, 1));
    const view<const std::int32_t> turned(t.as<std::int32_t>().data(), shape{6, 2}, strides{1, 6});
    const batch transposed(turned);
    const plan straight{.order = {}, .cuts = {0, 2, 6}};
    const plan scattered{.order = {5, 0, 3, 1, 2, 4}, .cuts = {0, 2, 6}};
    workspace space;
    const auto a = fanfold::detail::shard_rows(columns, row_set(straight, 1), space)[0];
    CHECK(a.dense());
    CHECK(a.shape() == shape{2, 4});
    CHECK(a.as<std::int32_t>()(1, 0) == 8);
    const auto b = fanfold::detail::shard_rows(columns, row_set(scattered, 0), space)[0];
    CHECK(b.as<std::int32_t>()(0, 0) == 5);
    CHECK(b.as<std::int32_t>()(1, 1) == 6);
    const auto c = fanfold::detail::shard_rows(transposed, row_set(straight, 0), space)[0];
    CHECK(c.dense());
    CHECK(c.as<std::int32_t>()(1, 1) == 7);
    const auto d = fanfold::detail::shard_rows(transposed, row_set(scattered, 1), space)[0];
    CHECK(d.shape() == shape{4, 2});
    CHECK(d.as<std::int32_t>()(0, 1) == 9);
}

TEST_CASE("A shared tensor comes whole with every shard") {
    const tensor t = counting({4, 2});
    const tensor weights = counting({3, 3});
    const batch all(part(t), part(weights, shared_by_all_rows));
    workspace space;
    const plan scattered{.order = {3, 1, 0, 2}, .cuts = {0, 1, 4}};
    const batch_view rows = fanfold::detail::shard_rows(all, row_set(scattered, 0), space);
    CHECK(rows[1].data() == weights.data());
    CHECK(rows[1].shape() == shape{3, 3});
    CHECK(rows[0].as<std::int32_t>()(0, 1) == 7);
}

TEST_CASE("The bytes that are announced suffice, so that nothing is allocated while a shard runs") {
    const tensor t = counting({2, 60});
    const tensor u = counting({60, 5});
    const batch all(part(t, 1), part(u), part(t, shared_by_all_rows));
    plan scattered{.order = {}, .cuts = {0, 7, 60}};
    for (std::size_t row = 60; row-- > 0;) scattered.order.push_back(row == 0 ? 59 : row - 1);
    workspace space(fanfold::detail::shard_rows_bytes(all, scattered));
    const std::size_t before = space.capacity();
    for (const std::size_t shard : {0UL, 1UL}) {
        const workspace::scope scratch(space);
        (void)fanfold::detail::shard_rows(all, row_set(scattered, shard), space);
    }
    CHECK(space.capacity() == before);
}

TEST_CASE("Any rows of a shard may travel, as a slice where they are neighbours") {
    const tensor t = counting({6, 2});
    const batch all(t);
    workspace space;
    const std::size_t neighbours[] = {2, 3, 4};
    CHECK(fanfold::detail::shard_rows(all, row_set(neighbours), space)[0].data() == t.data() + 2 * 2 * 4);
    const std::size_t scattered[] = {5, 0};
    const auto rows = fanfold::detail::shard_rows(all, row_set(scattered), space)[0];
    CHECK(rows.as<std::int32_t>()(0, 1) == 11);
    CHECK(rows.as<std::int32_t>()(1, 0) == 0);
}
