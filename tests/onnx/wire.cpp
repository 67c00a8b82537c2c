// tests/onnx/wire.cpp - protobuf fields with the wrong wire type are refused, not asserted on.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/wire.hpp>
#include <protozero/pbf_writer.hpp>

#include "../catch.hpp"

using namespace fanfold::onnx;
using Catch::Matchers::Contains;

namespace {
template <class Write>
std::string message(Write&& write) {
    std::string out;
    protozero::pbf_writer w(out);
    write(w);
    return out;
}
}  // namespace

TEST_CASE("each kind of field refuses the other wire types") {
    const std::string number = message([](auto& w) { w.add_int64(1, 5); });
    const std::string text = message([](auto& w) { w.add_string(1, "five5"); });
    const auto first = [](const std::string& bytes) {
        auto field = wire::read(bytes);
        REQUIRE(field.next());
        return field;
    };
    auto a = first(number);
    CHECK_THROWS_WITH(wire::bytes(a), "protobuf field 1: expected wire type 2, got 0");
    CHECK_THROWS_WITH(wire::real(a), Contains("expected wire type 5, got 0"));
    CHECK(wire::integer(a) == 5);
    auto b = first(text);
    CHECK_THROWS_WITH(wire::integer(b), Contains("expected wire type 0, got 2"));
    CHECK(wire::bytes(b) == "five5");
    auto c = first(number);
    CHECK_THROWS(wire::each_float(c, [](float) {}));
    auto d = first(number);
    CHECK_THROWS(wire::each_double(d, [](double) {}));
    auto e = first(text);  // five bytes are no whole number of floats
    CHECK_THROWS_WITH(wire::within("here", [&] { wire::each_float(e, [](float) {}); }),
                      Contains("here: expected a protobuf message, got one that is cut or damaged"));
}

TEST_CASE("within names the place, from the outside in") {
    CHECK_THROWS_WITH(wire::within("a", [] { wire::within("b", [] { throw std::invalid_argument("c"); }); }),
                      "a: b: c");
    CHECK(wire::within("a", [] { return 7; }) == 7);
}
