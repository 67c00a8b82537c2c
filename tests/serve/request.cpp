// SPDX-License-Identifier: MIT
#include <fanfold/serve/request.hpp>

#include <cmath>
#include <optional>
#include <vector>

#include "../catch.hpp"

using namespace fanfold;

namespace {

batch rows_of(std::int64_t rows, std::int64_t columns, float first = 0) {
    tensor t(element::float32, {rows, columns});
    for (float& x : t.as<float>().flat()) x = first++;
    return batch(std::move(t));
}

bool joins(const batch& a, const batch& b, std::optional<std::size_t> padded = {}) {
    const bool does = detail::look(a).joins(b, padded);
    CHECK(detail::look(b).joins(a, padded) == does);
    return does;
}

}  // namespace

TEST_CASE("Requests are alike when only their numbers of rows differ, and nothing is shared by all rows") {
    CHECK(joins(rows_of(1, 3), rows_of(5, 3)));
    CHECK_FALSE(joins(rows_of(1, 3), rows_of(1, 4)));
    CHECK_FALSE(joins(rows_of(1, 3), batch(tensor(element::int64, {1, 3}))));
    CHECK_FALSE(joins(rows_of(1, 3), batch(part(tensor(element::float32, {3, 1}), 1))));
    const batch shared(part(tensor(element::float32, {2, 3})), part(tensor(element::float32, {7}), shared_by_all_rows));
    CHECK_FALSE(joins(shared, shared));
    CHECK(joins(rows_of(2, 3), rows_of(5, 4), 1));  // of two lengths
    CHECK_FALSE(joins(rows_of(2, 3), rows_of(5, 4), 0));
    CHECK_FALSE(joins(rows_of(1, 3), batch(tensor(element::float32, {1, 3, 1}))));
    const part one(tensor(element::float32, {1, 3}));
    CHECK_FALSE(joins(rows_of(1, 3), batch(one, one)));
    const batch columns(part(tensor(element::float32, {3, 7}), 1));
    CHECK(joins(columns, batch(part(tensor(element::float32, {3, 2}), 1))));
    CHECK_FALSE(joins(columns, batch(part(tensor(element::float32, {4, 7}), 1))));
}

TEST_CASE("Rows are laid side by side along their own axis") {
    workspace space;
    const batch a = rows_of(3, 2), b = rows_of(2, 2, 100);
    const batch both = detail::joined({{&a, 1, 2}, {&b, 0, 2}}, space);
    const auto values = both.as<float>().flat();
    CHECK(std::vector<float>(values.begin(), values.end()) == std::vector<float>{2, 3, 4, 5, 100, 101, 102, 103});
    tensor wide(element::float32, {2, 1});
    wide.as<float>()(0, 0) = 7;
    const batch along_one{part(wide, 1)};
    const batch joined = detail::joined({{&along_one, 0, 1}, {&along_one, 0, 1}}, space);
    CHECK(joined[0].shape() == shape{2, 2});
    CHECK(joined[0].as<float>()(0, 1) == 7);
    CHECK(joined.rows() == 2);
}

TEST_CASE("A reply is put together from the batches that its rows were in, in any order") {
    const time_point now(std::chrono::seconds(5));
    detail::reply_parts parts(5, 3, now);
    CHECK_FALSE(parts.add(rows_of(3, 1, 40), {}, 1, 3, 2, now));  // rows 3 and 4 are 41 and 42
    CHECK_FALSE(parts.fail(fault_kind::timed_out, "too late", 2, 1));
    const std::vector<fault> failures{{fault_kind::threw, "other", {0}, 1}, {fault_kind::threw, "mine", {3}, 1}};
    CHECK(parts.add(rows_of(4, 1, 10), failures, 2, 0, 2, now));  // rows 0 and 1 are 12 and 13
    const reply r = parts.take(now);
    const auto values = r.answers.as<float>().flat();
    CHECK((values[0] == 12 && values[1] == 13 && std::isnan(values[2]) && values[3] == 41 && values[4] == 42));
    REQUIRE(r.failures.size() == 2);
    CHECK((r.failures[0].rows == std::vector<std::size_t>{1} && r.failures[0].message == "mine"));
    CHECK((r.failures[1].rows == std::vector<std::size_t>{2} && r.failures[1].message == "too late"));
    CHECK(r.batch_rows == 4);
}

TEST_CASE("Rows that failed for one reason are named in their order, whichever left first") {
    detail::reply_parts parts(6, 3, {});
    CHECK_FALSE(parts.fail(fault_kind::overloaded, "full", 4, 2));
    CHECK_FALSE(parts.fail(fault_kind::overloaded, "full", 0, 2));
    CHECK(parts.fail(fault_kind::overloaded, "full", 2, 2));
    const reply r = parts.take({});
    REQUIRE(r.failures.size() == 1);
    CHECK(r.failures[0].rows == std::vector<std::size_t>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("A request that no batch had gets rows of NaN") {
    detail::reply_parts parts(2, 1, {});
    CHECK(parts.fail(fault_kind::overloaded, "full", 0, 2));
    const reply r = parts.take({});
    CHECK(r.answers.rows() == 2);
    CHECK(std::isnan(r.answers.as<float>().flat()[1]));
    CHECK(r.failures[0].rows == std::vector<std::size_t>{0, 1});
}

TEST_CASE(
    "Small answers of a whole request stay in the memory of its batch, which lives on with it; large ones are copied") {
    const auto reply_of = [](const batch& answers) {
        detail::reply_parts parts(2, 1, {});
        CHECK(parts.add(answers, {}, 1, 0, 2, {}));
        return parts.take({});
    };
    std::optional<batch> small(rows_of(4, 3)), large(rows_of(4, 3000));
    const reply stays = reply_of(*small), copied = reply_of(*large);
    CHECK(stays.answers[0].data() == (*small)[0].rows(1, 2).data());
    CHECK(copied.answers[0].data() != (*large)[0].rows(1, 2).data());
    small.reset();
    large.reset();
    CHECK((stays.answers.rows() == 2 && copied.answers.rows() == 2));
    CHECK(stays.answers.as<float>()(1, 2) == 8);
    CHECK(copied.answers.as<float>()(1, 2999) == 8999);

    const tensor callers(element::float32, {4, 3});  // not the batch's own: it may change
    CHECK(reply_of(batch(callers)).answers[0].data() != callers.rows(1, 2).data());
    const batch other_axis(part(tensor(element::float32, {3, 4}), 1));
    CHECK(reply_of(other_axis).answers[0].dense());
}
