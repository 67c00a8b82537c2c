// tests/model/operation.cpp - any type with a shape rule and a call is an operation; what it leaves out has a default.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operation.hpp>

#include "../catch.hpp"

using namespace fanfold;

namespace {

/// As a user would write it: the least there is.
struct doubled {
    std::string_view name() const { return "Doubled"; }
    std::vector<value_type> answers(std::span<const argument> in) const { return {in[0]}; }
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
    static constexpr std::uint32_t shape_inputs = 0b10;
    kernel::activation fused = kernel::activation::none;
    std::size_t scratch_bytes(std::span<const shape> in) const { return 10 * in[0].volume(); }
    std::optional<symbolic_values> sizes(std::span<const argument>) const { return symbolic_values{7}; }
    std::size_t weight_bytes() const { return 99; }
    bool mixes_rows(std::span<const argument> in) const { return in.size() == 2; }
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
    CHECK(op.scratch_bytes({}) == 0);
    CHECK_FALSE(op.sizes({}).has_value());
    CHECK(op.reads(0));
    CHECK_FALSE(op.makes_answers());
    CHECK(op.weight_bytes() == 0);
    CHECK_FALSE(op.aliases());
    CHECK_FALSE(op.with(kernel::activation::relu).has_value());
    CHECK(op.as_activation() == kernel::activation::none);
    const value_type rows{element::float32, {rows_extent}};
    const std::vector<argument> types{rows};
    CHECK_FALSE(op.mixes_rows(types));
    const std::vector<argument> columns{value_type{element::float32, {3, rows_extent}}};
    CHECK(op.mixes_rows(columns));
    CHECK(op.answers(types) == std::vector{rows});

    const tensor x = tensor::of<float>({2}, {1, 2});
    tensor y(element::float32, {2});
    const tensor_view in[]{x};
    const mutable_tensor_view out[]{y};
    workspace space;
    const operation copy = op;
    copy(in, out, space);
    CHECK(y.as<float>()(1) == 4);
}

TEST_CASE("an operation may make room for its answers itself") {
    struct counted {
        std::string_view name() const { return "Counted"; }
        std::vector<value_type> answers(std::span<const argument>) const {
            return {{element::float32, symbolic_shape::of_rank(1)}};
        }
        void operator()(std::span<const tensor_view> in, answer_room out, workspace&) const {
            const auto kept = out(0, element::float32, shape{in[0].extent(0) - 1});
            kept.as<float>()(0) = 5;
        }
    };
    const operation op = counted{};
    CHECK(op.makes_answers());
    const tensor x = tensor::of<float>({2}, {1, 2});
    const tensor_view in[]{x};
    tensor made;
    const auto room = [&](std::size_t, element type, const shape& extents) -> mutable_tensor_view {
        return made = tensor(type, extents);
    };
    workspace space;
    op(in, answer_room(room), space);
    CHECK(made.shape() == shape{1});
    CHECK(made.as<float>()(0) == 5);
}

TEST_CASE("what an operation offers reaches those who ask") {
    const operation op = elaborate{};
    const std::vector<shape> shapes{shape{7}};
    CHECK(op.scratch_bytes(shapes) == 70);
    CHECK(op.sizes({}) == symbolic_values{7});
    CHECK(op.reads(0));
    CHECK_FALSE(op.reads(1));
    CHECK(op.weight_bytes() == 99);
    CHECK(op.aliases());
    const std::vector<argument> two(2);
    CHECK(op.mixes_rows(two));
    const auto fused = op.with(kernel::activation::tanh);
    REQUIRE(fused.has_value());
    CHECK(fused->as_activation() == kernel::activation::tanh);
    CHECK(op.as_activation() == kernel::activation::none);
    CHECK_FALSE(fused->with(kernel::activation::relu).has_value());
}
