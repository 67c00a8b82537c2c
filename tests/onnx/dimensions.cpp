// tests/onnx/dimensions.cpp - which axis counts rows, what a declaration may say.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/dimensions.hpp>

#include "../catch.hpp"

using namespace fanfold;
using namespace fanfold::onnx;
using Catch::Matchers::Contains;

namespace {
const dimension_proto open{}, rows{std::nullopt, "N"}, other{std::nullopt, "T"}, three{3, {}};
value_info_proto value(std::vector<dimension_proto> shape) { return {"x", true, 1, std::move(shape)}; }
}  // namespace

TEST_CASE("rows are the first open axis 0") {
    const value_info_proto fixed = value({three}), named = value({rows, three}), nameless = value({open, three});
    CHECK_FALSE(find_row_dimension({&fixed}, {}).any);
    CHECK(find_row_dimension({&fixed, &named}, {}).name == "N");
    CHECK(find_row_dimension({&nameless}, {}).any);
    CHECK_FALSE(find_row_dimension({&named}, {{"N", 4}}).any);
    CHECK(names_dimension({&fixed, &named}, "N"));
    CHECK_FALSE(names_dimension({&fixed, &named}, "T"));
}

TEST_CASE("an input's type: numbers, rows wherever their name stands, and what only a run tells") {
    const row_dimension n{true, "N"};
    CHECK(input_type(value({rows, three}), n, {}).text() == "float32 [N, 3]");
    CHECK(input_type(value({open, three}), n, {}).text() == "float32 [N, 3]");
    CHECK(input_type(value({rows, other}), n, {{"T", 9}}).text() == "float32 [N, 9]");
    CHECK(input_type(value({}), n, {}).text() == "float32 []");
    CHECK(input_type(value({rows, other}), n, {}).text() == "float32 [N, ?]");
    CHECK(input_type(value({three, rows}), n, {}).text() == "float32 [3, N]");
    CHECK(input_type(value({three, open}), n, {}).text() == "float32 [3, ?]");
    CHECK(input_type({"x", true, 1, std::nullopt}, n, {}).text() == "float32 [..]");
    CHECK_THROWS_WITH(input_type(value({{-3, {}}}), n, {}),
                      Contains("axis 0: expected an extent of 0 or more, got -3"));
}

TEST_CASE("a declaration contradicts, or says nothing") {
    const value_type inferred{element::float32, {rows_extent, 3}};
    CHECK_NOTHROW(expect_declared(value({rows, three}), inferred, "N"));
    CHECK_NOTHROW(expect_declared(value({open, open}), inferred, "N"));
    CHECK_NOTHROW(expect_declared(value({other, other}), inferred, "N"));
    CHECK_NOTHROW(expect_declared({"x", false, 0, std::nullopt}, inferred, "N"));
    CHECK_THROWS_WITH(expect_declared(value({rows, rows}), inferred, "N"),
                      "expected float32 (1) ['N', 'N'] as declared, got float32 [N, 3]");
    CHECK_THROWS(expect_declared(value({three, three}), inferred, "N"));
    CHECK_THROWS(expect_declared(value({rows}), inferred, "N"));
    CHECK_THROWS(expect_declared({"x", true, 7, std::nullopt}, inferred, "N"));
}

TEST_CASE("how many tensors an input stands for: what dims says of a sequence, or of what may be absent") {
    const std::map<std::string, std::int64_t> none;
    CHECK(stated_elements({"x", true, 1, {}}, none) == 1);
    CHECK_THROWS_WITH(stated_elements({"x", false, 0, {}}, none), "expected a tensor, got another type");
    CHECK_THROWS_WITH(stated_elements({"x", false, 0, {}, true}, none), "expected a tensor, got another type");
    const value_info_proto sequence{"x", true, 1, {}, true, false}, maybe{"x", true, 1, {}, false, true},
        maybe_sequence{"x", true, 1, {}, true, true};
    CHECK(stated_elements(sequence, {{"x", 0}}) == 0);
    CHECK(stated_elements(sequence, {{"x", 65536}}) == 65536);
    CHECK_THROWS_WITH(stated_elements(sequence, {{"y", 1}}),
                      "expected load_options::dims to say how many elements the sequence has, got no number for 'x'");
    CHECK_THROWS_WITH(stated_elements(sequence, {{"x", 65537}}), Contains("at most 65536, got 65537"));
    CHECK_THROWS_WITH(stated_elements(sequence, {{"x", -1}}), Contains("got -1"));
    CHECK(stated_elements(maybe, {{"x", 0}}) == 0);
    CHECK(stated_elements(maybe, {{"x", 1}}) == 1);
    CHECK_THROWS_WITH(stated_elements(maybe, none), Contains("whether the optional tensor is there (0 or 1)"));
    CHECK_THROWS_WITH(stated_elements(maybe, {{"x", 2}}), Contains("at most 1, got 2"));
    CHECK(stated_elements(maybe_sequence, {{"x", -1}}) == -1);
    CHECK(stated_elements(maybe_sequence, {{"x", 0}}) == 0);
    CHECK_THROWS_WITH(stated_elements(maybe_sequence, {{"x", -2}}), Contains("(-1 where it is absent)"));
    CHECK(names_holder({&sequence}, "x"));
    CHECK_FALSE(names_holder({&sequence}, "y"));
    const value_info_proto plain = value({three});
    CHECK_FALSE(names_holder({&plain}, "x"));
}
