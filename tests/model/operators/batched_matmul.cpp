// tests/model/operators/batched_matmul.cpp - products of run-time values: shapes, scratch, rows that mix.
// SPDX-License-Identifier: MIT
#include <cstring>
#include <fanfold/model/operators/batched_matmul.hpp>

#include "../../catch.hpp"
#include "../../kernel/helpers.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {

value_type of(symbolic_shape s) { return {element::float32, std::move(s)}; }
std::string answer(const value_type& a, const value_type& b) {
    return answers_of(batched_matmul(), {a, b})[0].shape.text();
}
const extent N = rows_extent;

}  // namespace

TEST_CASE("leading axes broadcast, vectors lose the axis they were given") {
    CHECK(answer(of({N, 4, 5, 6}), of({N, 4, 6, 7})) == "[N, 4, 5, 7]");
    CHECK(answer(of({N, 5, 6}), of({6, 7})) == "[N, 5, 7]");
    CHECK(answer(of({N, 6}), of({6, 7})) == "[N, 7]");
    CHECK(answer(of({N, 6}), of({6})) == "[N]");
    CHECK(answer(of({6}), of({6, 7})) == "[7]");
    CHECK(answer(of({6}), of({6})) == "[]");
    CHECK(answer(of({5, 6}), of({N, 6, 7})) == "[N, 5, 7]");
    CHECK_THROWS_WITH(answer(of({N, 6}), of({5, 7})),
                      "expected operands that agree in the inner extent, got float32 [N, 6] and float32 [5, 7]");
    CHECK_THROWS(answer(of({N, 6}), of({})));
}

TEST_CASE("a product over N mixes rows, others do not") {
    const auto mixes = [](const value_type& a, const value_type& b) {
        const std::vector<argument> both{a, b};
        return batched_matmul().mixes_rows(both);
    };
    CHECK(mixes(of({N}), of({N, 3})));
    CHECK(mixes(of({3, N}), of({N, 3})));
    CHECK_FALSE(mixes(of({N, 3, 4}), of({N, 4, 3})));
}

TEST_CASE("one product or many: the same bits; the scratch is what was promised") {
    const batched_matmul op;
    const tensor x = [] {
        tensor t = tensor::uninitialized(element::float32, {3, 2, 5, 9});
        int i = 0;
        for (float& e : t.as<float>().flat()) e = static_cast<float>(i++ * 37 % 100) / 100;
        return t;
    }();
    tensor w = tensor::uninitialized(element::float32, {3, 1, 9, 33});
    int i = 0;
    for (float& e : w.as<float>().flat()) e = static_cast<float>(i++ * 61 % 97) / 97;
    tensor y(element::float32, {3, 2, 5, 33});
    const std::vector<shape> shapes{x.shape(), w.shape()};
    workspace space(op.scratch_bytes(shapes));
    const std::size_t before = space.capacity();
    const std::vector<tensor_view> in{x, w};
    const std::vector<mutable_tensor_view> out{y};
    op(in, out, space);
    CHECK(space.capacity() == before);

    for (std::size_t row = 0; row < 3; ++row) {
        const tensor one_x(x.rows(row, 1)), one_w(static_cast<tensor_view>(w).rows(row, 1));
        tensor one_y(element::float32, {1, 2, 5, 33});
        const std::vector<tensor_view> one_in{one_x, one_w};
        const std::vector<mutable_tensor_view> one_out{one_y};
        op(one_in, one_out, space);
        CHECK(std::memcmp(one_y.data(), y.rows(row, 1).data(), one_y.bytes()) == 0);
    }
}

TEST_CASE("transposed operands") {
    const value_type a = of({3, 2}), b = of({4, 3});
    const batched_matmul op(transposed::yes, transposed::yes, "Gemm");
    CHECK(answers_of(op, {a, b})[0].shape.text() == "[2, 4]");
    const tensor x = tensor::of<float>({3, 2}, {1, 2, 3, 4, 5, 6});
    const tensor w = tensor::of<float>({4, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1});
    tensor y(element::float32, {2, 4});
    workspace space;
    const std::vector<tensor_view> in{x, w};
    const std::vector<mutable_tensor_view> out{y};
    op(in, out, space);
    CHECK(floats_of(y) == std::vector<float>{1, 3, 5, 9, 2, 4, 6, 12});
}

TEST_CASE("doubles and integers: workers share the rows of all products, and a stop ends them") {
    const batched_matmul op(transposed::yes);
    for (const element type : {element::float64, element::int32, element::uint64}) {
        tensor a(type, {3, 2, 90, 140}), b(type, {2, 90, 80});
        int next = 0;
        const auto fill = [&]<class T>(const view<T>& to) {
            for (T& x : to.flat()) x = static_cast<T>(next++ * 37 % 101);
        };
        visit_element(type, [&]<class T>(T) {
            if constexpr (std::is_arithmetic_v<T>) fill(a.as<T>()), fill(b.as<T>());
        });
        tensor alone(type, {3, 2, 140, 80}), shared(type, {3, 2, 140, 80});
        const std::vector<tensor_view> in{a, b};
        workspace one, several, stopped;
        several.tiles = fanfold_test::backwards(3);
        op(in, std::vector<mutable_tensor_view>{alone}, one);
        op(in, std::vector<mutable_tensor_view>{shared}, several);
        CHECK(std::memcmp(alone.data(), shared.data(), alone.bytes()) == 0);
        std::int64_t wrong = 0;
        visit_element(type, [&]<class T>(T) {
            if constexpr (std::is_arithmetic_v<T>)
                for (std::int64_t n = 0; n < 6; ++n)
                    for (std::int64_t m = 0; m < 140; ++m) {
                        T sum{};
                        for (std::int64_t k = 0; k < 90; ++k)
                            sum = static_cast<T>(sum + a.as<T>()(n / 2, n % 2, k, m) * b.as<T>()(n % 2, k, 79));
                        wrong += alone.as<T>()(n / 2, n % 2, m, 79) == sum ? 0 : 1;
                    }
        });
        CHECK(wrong == 0);
        stopped.stop = fanfold::stop({}, fanfold::clock().now());
        stopped.tiles = tile_loop(stopped.stop);
        CHECK_THROWS_AS(op(in, std::vector<mutable_tensor_view>{alone}, stopped), stopped_error);
    }
}
