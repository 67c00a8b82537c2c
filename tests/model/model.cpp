// SPDX-License-Identifier: MIT
#include <fanfold/model/model.hpp>

#include <fanfold/core/eigen.hpp>
#include <fanfold/model/graph.hpp>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("Callables over rows in any of their forms are models, and other things are not") {
    const auto spans = [](std::span<const float> r) { return std::vector<float>(r.begin(), r.end()); };
    const auto matrices = [](matrix_map<const float> r) { return r * 2.0F; };
    const auto batches = [](const batch_view& r) { return tensor(r[0]); };
    const auto several = [](const batch_view&) { return std::vector<tensor>(2); };
    const auto with_workspace = [](const batch_view& r, workspace&) { return tensor(r[0]); };
    const auto takes_text = [](const std::string&) { return 1; };
    const auto returns_nothing = [](const batch_view&) {};
    const auto changes_itself = [n = 0](const batch_view& r) mutable { return ++n, tensor(r[0]); };
    const auto refers = [](std::span<const float> r) { return r; };
    CHECK_FALSE(model<decltype(refers)>);
    CHECK(model<decltype(spans)>);
    CHECK(model<decltype(matrices)>);
    CHECK(model<decltype(batches)>);
    CHECK(model<decltype(several)>);
    CHECK(model<decltype(with_workspace)>);
    CHECK_FALSE(model<decltype(takes_text)>);
    CHECK_FALSE(model<decltype(returns_nothing)>);
    CHECK_FALSE(model<std::remove_const_t<decltype(changes_itself)>>);  // called from all workers at once
    CHECK(declared_model<graph>);
}

TEST_CASE("A callable with declared answers has the number of rows in front") {
    const answering two(
        {{element::float32, {3, 2}, 0, "y"}}, [](const batch_view&, const mutable_batch_view&, workspace&) {}, 100);
    const tensor rows(element::float32, {7, 5});
    const auto types = two.answers(batch(rows));
    REQUIRE(types.size() == 1);
    CHECK(types[0].shape == shape{7, 3, 2});
    CHECK(types[0].name == "y");
    CHECK(two.workspace_bytes(7) == 700);
    CHECK(declared_model<decltype(two)>);
}
