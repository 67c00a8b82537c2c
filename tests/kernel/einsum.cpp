// SPDX-License-Identifier: MIT
#include <fanfold/kernel/einsum.hpp>

#include <vector>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using kernel::einsum_plan;

namespace {

std::vector<double> counted(const shape& extents, double first) {
    std::vector<double> made(extents.volume());
    for (double& x : made) x = first++;
    return made;
}
std::vector<double> run(std::string_view equation, const std::vector<shape>& shapes, const shape& expected) {
    const einsum_plan plan(equation, shapes);
    CHECK(plan.answer().text() == expected.text());
    std::vector<std::vector<double>> values;
    std::vector<view<const double>> tensors;
    for (const shape& s : shapes) values.push_back(counted(s, static_cast<double>(values.size()) - 3));
    for (std::size_t t = 0; t < shapes.size(); ++t) tensors.emplace_back(values[t].data(), shapes[t]);
    std::vector<double> out(plan.answer().volume(), -99.0);
    kernel::einsum<double>(plan, tensors, {out.data(), plan.answer()});
    return out;
}
double a(std::int64_t i) { return static_cast<double>(i) - 3; }
double b(std::int64_t i) { return static_cast<double>(i) - 2; }

}  // namespace

TEST_CASE("products, transposes, diagonals and sums over named axes", "[kernel][einsum]") {
    std::vector<double> product, explicit_one = run("bij,bjk->bik", {{2, 2, 3}, {2, 3, 4}}, {2, 2, 4});
    for (std::int64_t n = 0; n < 2; ++n)
        for (std::int64_t i = 0; i < 2; ++i)
            for (std::int64_t k = 0; k < 4; ++k) {
                double sum = 0;
                for (std::int64_t j = 0; j < 3; ++j) sum += a((n * 2 + i) * 3 + j) * b((n * 3 + j) * 4 + k);
                product.push_back(sum);
            }
    CHECK(explicit_one == product);
    CHECK(run("bij, bjk -> bik", {{2, 2, 3}, {2, 3, 4}}, {2, 2, 4}) == product);
    CHECK(run("...ij,...jk", {{2, 2, 3}, {2, 3, 4}}, {2, 2, 4}) == product);
    CHECK(run("ij->ji", {{2, 3}}, {3, 2}) == std::vector<double>{-3, 0, -2, 1, -1, 2});
    CHECK(run("ba", {{2, 3}}, {3, 2}) == std::vector<double>{-3, 0, -2, 1, -1, 2});
    CHECK(run("ij->i", {{2, 3}}, {2}) == std::vector<double>{-6, 3});
    CHECK(run("ij->", {{2, 3}}, {}) == std::vector<double>{-3});
    CHECK(run("...ii->...i", {{2, 2, 2}}, {2, 2}) == std::vector<double>{-3, 0, 1, 4});
    CHECK(run("ii", {{3, 3}}, {}) == std::vector<double>{3});
    CHECK(run("i,i", {{4}, {4}}, {}) == std::vector<double>{8});
    CHECK(run("i,j->ji", {{2}, {2}}, {2, 2}) == std::vector<double>{6, 4, 3, 2});
    CHECK(run("i,i,i->i", {{2}, {2}, {2}}, {2}) == std::vector<double>{-6, 0});
    CHECK(run(",i->i", {{}, {2}}, {2}) == std::vector<double>{6, 3});
}

TEST_CASE("ellipses broadcast from their right end; empty sums are zero", "[kernel][einsum]") {
    CHECK(run("...i,...i->...", {{2, 1, 2}, {3, 2}}, {2, 3}) ==
          std::vector<double>{-3 * -2 + -2 * -1, 0 - 2 * 1, -3 * 2 - 2 * 3, -1 * -2 + 0, 0, -1 * 2});
    CHECK(run("ij,j->i", {{2, 0}, {0}}, {2}) == std::vector<double>{0, 0});
    CHECK(run("ij->ji", {{0, 2}}, {2, 0}).empty());
}

TEST_CASE("equations that cannot be read or do not fit are refused by text", "[kernel][einsum]") {
    const auto refused = [](std::string_view equation, const std::vector<shape>& shapes) {
        CHECK_THROWS_AS(einsum_plan(equation, shapes), std::invalid_argument);
    };
    refused("ij", {{2}});
    refused("ij,j", {{2, 2}});
    refused("ij,jk", {{2, 3}, {4, 5}});
    refused("i->j", {{2}});
    refused("i->ii", {{2}});
    refused("i1", {{2, 2}});
    refused("...", {});
    refused("....i", {{2, 2}});
    refused("...ijk", {{2, 2}});
    refused("i->i->i", {{2}});
}
