// tests/onnx/operators.cpp - the table: versions do not overlap, everything asked for is there. Also the part of
// model_writer.hpp that needs the table.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <fanfold/context/floating_point.hpp>
#include <fanfold/onnx/importer.hpp>
#include <fanfold/onnx/load.hpp>
#include <fanfold/onnx/operators.hpp>
#include <string>

#include "../catch.hpp"
#include "model_writer.hpp"

using namespace fanfold::onnx;

namespace written {

fanfold::graph load_as_written(const std::string& bytes) {
    const fanfold::floating_point_scope environment;
    const auto find = [](const import_context&, std::string_view domain, std::string_view name, std::int64_t opset) {
        return find_operator(domain, name, opset);
    };
    return import_model(parse_model(bytes), {.find = find, .model_bytes = bytes.size()}, {});
}

}  // namespace written

TEST_CASE("each operator has one entry a version, from its first to the last, without gaps") {
    const std::string list = supported_operators();
    for (const auto& family : operator_families)
        for (const operator_entry& one : family) {
            INFO(one.name << " of the domain '" << one.domain << "'");
            std::int64_t first = one.since;
            std::int64_t last = one.until;
            for (const auto& other_family : operator_families)
                for (const operator_entry& other : other_family) {
                    if (other.name != one.name || other.domain != one.domain) continue;
                    first = std::min(first, other.since);
                    last = std::max(last, other.until);
                }
            CHECK((first >= first_opset && (!one.domain.empty() || last <= last_opset)));
            for (std::int64_t opset = first; opset <= std::min(last, first + 30); ++opset) {
                int entries = 0;
                for (const auto& other_family : operator_families)
                    for (const operator_entry& other : other_family)
                        entries += other.name == one.name && other.domain == one.domain && other.since <= opset &&
                                   opset <= other.until;
                CHECK(entries == 1);
            }
            CHECK(find_operator(one.domain, one.name, first - 1) == nullptr);
            CHECK(list.find(std::string(one.name) + ", ") != std::string::npos);
        }
}

TEST_CASE("an operator is found by domain, name and version") {
    for (const char* name : {"Conv", "Gemm", "MatMul", "Relu", "Softmax", "Reshape", "Add", "Constant", "If", "TopK"})
        CHECK(find_operator("", name, 13) != nullptr);
    CHECK(find_operator("", "Relu", last_opset) != nullptr);
    CHECK(find_operator("", "Relu", last_opset + 1) == nullptr);
    CHECK(find_operator("", "Softmax", 12) != find_operator("", "Softmax", 13));
    CHECK(find_operator("", "relu", 13) == nullptr);
    CHECK(find_operator("", "", 13) == nullptr);
    CHECK(find_operator("other", "Relu", 13) == nullptr);
}
