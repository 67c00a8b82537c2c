// SPDX-License-Identifier: MIT
#include <fanfold/model/graph_state.hpp>
#include <fanfold/model/operators/elementwise.hpp>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("a step is called by its name and its operation") {
    CHECK(detail::label_of(unary_function(kernel::unary::leaky_relu), "act1") == "node 'act1' (LeakyRelu)");
    CHECK(detail::label_of(unary_function(kernel::unary::leaky_relu), "a\nb\xff") == "node 'a?b?' (LeakyRelu)");
}

TEST_CASE("what is read lies somewhere, even without elements") {
    const tensor x(element::int32, {2, 3}), none(element::int32, {2, 0});
    CHECK(detail::readable(x).data() == x.data());
    CHECK(detail::readable(x).shape() == shape{2, 3});
    CHECK(detail::readable(none).data() != nullptr);
    CHECK(detail::readable(none).shape() == shape{2, 0});
}

TEST_CASE("an empty state is planned and mixes nothing") {
    const graph_state empty;
    CHECK(empty.planned);
    CHECK(empty.row_mixer.empty());
    CHECK(empty.rows_per_call == 0);
}
