// tests/model/operation.cpp - any type with a shape rule and a call is an operation; what it leaves out has a default.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operation.hpp>

#include "../catch.hpp"

using namespace fanfold;

namespace {

/// As a user would write it: the least there is.
struct doubled {
    std::string_view name() const { return "Doubled"; }
    std::vector<value_type> answers(std::span<const value_type> in) const { return {in[0]}; }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        const auto x = in[0].as<float>().flat();
        const auto y = out[0].as<float>().flat();
        for (std::size_t i = 0; i < x.size(); ++i) y[i] = 2 * x[i];
    }
};
static_assert(graph_operation<doubled>);
static_assert(!graph_operation<int>);

/// With everything.
struct elaborate : doubled {
    static constexpr bool aliases = true;
    kernel::activation fused = kernel::activation::none;
    std::size_t scratch_bytes(std::size_t rows) const { return 10 * rows; }
    std::size_t weight_bytes() const { return 99; }
    bool mixes_rows(std::span<const value_type> in) const { return in.size() == 2; }
    kernel::activation as_activation() const { return fused; }
    std::optional<elaborate> with(kernel::activation act) const {
        if (fused != kernel::activation::none) return std::nullopt;
        elaborate out = *this;
        out.fused = act;
        return out;
    }
};

}  // namespace

TEST_CASE("the least operation: defaults for what it leaves out") {
    const operation op = doubled{};
    CHECK(op.name() == "Doubled");
    CHECK(op.scratch_bytes(7) == 0);
    CHECK(op.weight_bytes() == 0);
    CHECK_FALSE(op.aliases());
    CHECK_FALSE(op.with(kernel::activation::relu).has_value());
    CHECK(op.as_activation() == kernel::activation::none);
    const std::vector<value_type> types{{element::float32, {rows_extent}}};
    CHECK_FALSE(op.mixes_rows(types));
    CHECK(op.answers(types) == types);

    const tensor x = tensor::of<float>({2}, {1, 2});
    tensor y(element::float32, {2});
    const tensor_view in[]{x};
    const mutable_tensor_view out[]{y};
    workspace space;
    const operation copy = op;
    copy(in, out, space);
    CHECK(y.as<float>()(1) == 4);
}

TEST_CASE("what an operation offers reaches those who ask") {
    const operation op = elaborate{};
    CHECK(op.scratch_bytes(7) == 70);
    CHECK(op.weight_bytes() == 99);
    CHECK(op.aliases());
    const std::vector<value_type> two(2);
    CHECK(op.mixes_rows(two));
    const auto fused = op.with(kernel::activation::tanh);
    REQUIRE(fused.has_value());
    CHECK(fused->as_activation() == kernel::activation::tanh);
    CHECK(op.as_activation() == kernel::activation::none);
    CHECK_FALSE(fused->with(kernel::activation::relu).has_value());
}
