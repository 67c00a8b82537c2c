// SPDX-License-Identifier: MIT
#include <fanfold/kernel/matmul.hpp>

#include <fanfold/core/eigen.hpp>
#include <fanfold/kernel/elementwise.hpp>

#include <cmath>

#include "../catch.hpp"
#include "../sanitized.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;
using kernel::activation;

namespace {

double activated(activation act, double x) {
    switch (act) {
        case activation::relu: return x < 0 ? 0 : x;
        case activation::sigmoid: return 1 / (1 + std::exp(-x));
        case activation::tanh: return std::tanh(x);
        case activation::gelu: return x / 2 * std::erfc(-x / std::sqrt(2.0));
        case activation::silu: return x / (1 + std::exp(-x));
        default: break;
    }
    return x;
}

struct problem {
    std::int64_t m, k, n;
    std::vector<float> a, w, bias;
    problem(std::int64_t rows, std::int64_t inner, std::int64_t columns) : m(rows), k(inner), n(columns) {
        numbers next(static_cast<std::uint64_t>(m * 10007 + k * 101 + n));
        a = next.some(static_cast<std::size_t>(m * k));
        w = next.some(static_cast<std::size_t>(k * n));
        bias = next.some(static_cast<std::size_t>(n));
    }
    view<const float> weights() const { return {w.data(), shape{k, n}}; }
    view<const float> offsets() const { return {bias.data(), shape{n}}; }
    bool right(const view<const float>& out, activation act, bool with_bias) const {
        for (std::int64_t i = 0; i < m; ++i)
            for (std::int64_t j = 0; j < n; ++j) {
                double sum = with_bias ? bias[static_cast<std::size_t>(j)] : 0, size = std::abs(sum) + 1e-3;
                for (std::int64_t l = 0; l < k; ++l) {
                    const double term =
                        double{a[static_cast<std::size_t>(i * k + l)]} * double{w[static_cast<std::size_t>(l * n + j)]};
                    sum += term;
                    size += std::abs(term);
                }
                if (!near(out(i, j), activated(act, sum), size + 1)) return false;
            }
        return true;
    }
};

}  // namespace

TEST_CASE("matmul agrees with a naive loop at odd sizes, amid poison, for every activation",
          "[kernel][matmul][every_isa]") {
    const std::int64_t sizes[][3] = {{1, 1, 1},    {1, 7, 3},     {2, 5, 16},   {3, 16, 17},    {4, 3, 31},
                                     {5, 33, 33},  {7, 20, 65},   {11, 9, 100}, {12, 64, 32},   {13, 1, 129},
                                     {17, 513, 5}, {97, 40, 48},  {6, 600, 49}, {1, 1030, 130}, {100, 3, 1},
                                     {8, 1, 257},  {25, 1025, 18}};
    std::size_t turn = 0;
    for (const auto set : every_isa())
        for (const auto& s : sizes) {
            const problem p(s[0], s[1], s[2]);
            const auto act = static_cast<activation>(turn++ % 4);
            const bool with_bias = turn % 3 != 0;
            INFO(kernel::name_of(set) << " " << p.m << " x " << p.k << " x " << p.n << " " << kernel::name_of(act));
            const kernel::packed_matrix w(p.weights(), with_bias ? p.offsets() : view<const float>{});
            guarded a(p.a, turn % 9), out(static_cast<std::size_t>(p.m * p.n), turn % 5);
            kernel::detail::matmul(set, a.as({p.m, p.k}), w.seen(), out.as({p.m, p.n}), act);
            CHECK(p.right(out.as({p.m, p.n}), act, with_bias));
            CHECK(out.intact());
        }
}

TEST_CASE("a row's bits do not depend on how many rows there are", "[kernel][matmul][every_isa]") {
    const problem p(70, 530, 83);
    const kernel::packed_matrix w(p.weights(), p.offsets());
    for (const auto set : every_isa()) {
        std::vector<float> single(static_cast<std::size_t>(p.m * p.n));
        for (std::int64_t i = 0; i < p.m; ++i)
            kernel::detail::matmul(set, {p.a.data() + i * p.k, shape{1, p.k}}, w.seen(),
                                   {single.data() + i * p.n, shape{1, p.n}}, activation::tanh);
        for (std::int64_t m = 1; m <= p.m; m += sanitized ? 9 : 1) {
            std::vector<float> out(static_cast<std::size_t>(m * p.n));
            kernel::detail::matmul(set, {p.a.data(), shape{m, p.k}}, w.seen(), {out.data(), shape{m, p.n}},
                                   activation::tanh);
            REQUIRE(same_bits(out, std::span<const float>(single).first(out.size())));
        }
    }
}

TEST_CASE("strides change nothing: column-major, padded, reversed and transposed operands",
          "[kernel][matmul][every_isa]") {
    const problem p(29, 700, 37);
    const kernel::packed_matrix w(p.weights(), p.offsets());
    std::vector<float> transposed(p.w.size());
    for (std::int64_t l = 0; l < p.k; ++l)
        for (std::int64_t j = 0; j < p.n; ++j)
            transposed[static_cast<std::size_t>(j * p.k + l)] = p.w[static_cast<std::size_t>(l * p.n + j)];
    const kernel::packed_matrix same_w(view<const float>(transposed.data(), shape{p.k, p.n}, strides{1, p.k}),
                                       p.offsets());
    CHECK(same_bits(w.panels(), same_w.panels()));
    CHECK(same_bits(w.bias(), same_w.bias()));
    for (const auto set : every_isa())
        for (const auto act : {activation::none, activation::relu, activation::sigmoid, activation::gelu}) {
            std::vector<float> plain(static_cast<std::size_t>(p.m * p.n));
            kernel::detail::matmul(set, {p.a.data(), shape{p.m, p.k}}, w.seen(), {plain.data(), shape{p.m, p.n}}, act);
            const strides inputs[] = {{1, p.m}, {p.k + 3, 1}, {2 * p.k, 2}, {-p.k, 1}};
            const strides outputs[] = {{1, p.m}, {p.n + 5, 1}, {3 * p.n, 3}, {-p.n, 1}};
            for (const strides& in : inputs)
                for (const strides& step : outputs) {
                    guarded a(static_cast<std::size_t>(p.m * p.k * 2 + 3 * p.m));
                    guarded out(static_cast<std::size_t>(p.m * p.n * 3 + 5 * p.m));
                    const view<float> av(a.data() + (in[0] < 0 ? (p.m - 1) * p.k : 0), {p.m, p.k}, in);
                    const view<float> ov(out.data() + (step[0] < 0 ? (p.m - 1) * p.n : 0), {p.m, p.n}, step);
                    for (std::int64_t i = 0; i < p.m; ++i)
                        for (std::int64_t l = 0; l < p.k; ++l) av(i, l) = p.a[static_cast<std::size_t>(i * p.k + l)];
                    kernel::detail::matmul(set, av, w.seen(), ov, act);
                    std::size_t written = 0;
                    for (const float x : out.span()) written += !same_bits(x, poison());
                    CHECK(written == plain.size());
                    bool equal = true;
                    for (std::int64_t i = 0; i < p.m; ++i)
                        for (std::int64_t j = 0; j < p.n; ++j)
                            equal = equal && same_bits(ov(i, j), plain[static_cast<std::size_t>(i * p.n + j)]);
                    CHECK(equal);
                    CHECK(out.intact());
                }
        }
}

TEST_CASE("weights packed into the caller's room give the same bits as a packed matrix", "[kernel][matmul]") {
    const problem p(9, 50, 21);
    const kernel::packed_matrix w(p.weights());
    guarded room(kernel::packed_matrix::packed_floats(50, 21));
    const auto packed = kernel::pack(p.weights(), {room.data(), room.span().size()});
    CHECK(room.intact());
    std::vector<float> a(9 * 21), b(9 * 21);
    kernel::matmul({p.a.data(), shape{9, 50}}, w, {a.data(), shape{9, 21}});
    kernel::matmul({p.a.data(), shape{9, 50}}, packed, {b.data(), shape{9, 21}});
    CHECK(same_bits(a, b));
    CHECK_THROWS_AS(kernel::pack(p.weights(), {room.data(), room.span().size() - 1}), std::invalid_argument);
}

TEST_CASE("weights that lie column by column are packed as others", "[kernel][matmul]") {
    for (const std::int64_t inner : {3, 16, 50})
        for (const std::int64_t columns : {5, 16, 37}) {
            const problem p(1, inner, columns);
            std::vector<float> turned(static_cast<std::size_t>(inner * columns));
            const view<float> by_column(turned.data(), {inner, columns}, {1, inner});
            for (std::int64_t k = 0; k < inner; ++k)
                for (std::int64_t n = 0; n < columns; ++n) by_column(k, n) = p.weights()(k, n);
            const kernel::packed_matrix plain(p.weights()), other{view<const float>(by_column)};
            CHECK(same_bits(plain.panels(), other.panels()));
        }
}

TEST_CASE("empty extents: no rows, no columns, and K = 0 gives act(bias)", "[kernel][matmul][every_isa]") {
    const float bias[] = {-1, 2, 3};
    for (const auto set : every_isa()) {
        const kernel::packed_matrix w(view<const float>(nullptr, shape{0, 3}), view<const float>(bias, shape{3}));
        guarded out(6);
        kernel::detail::matmul(set, {nullptr, shape{2, 0}}, w.seen(), out.as({2, 3}), activation::relu);
        const float expected[] = {0, 2, 3, 0, 2, 3};
        CHECK(same_bits(out.span(), expected));
        kernel::detail::matmul(set, {nullptr, shape{0, 0}}, w.seen(), {nullptr, shape{0, 3}}, activation::relu);
        const kernel::packed_matrix none(view<const float>(nullptr, shape{4, 0}));
        kernel::detail::matmul(set, {bias, shape{0, 4}}, none.seen(), {nullptr, shape{0, 0}}, activation::relu);
        const kernel::packed_matrix zero(view<const float>(nullptr, shape{0, 3}));
        kernel::detail::matmul(set, {nullptr, shape{2, 0}}, zero.seen(), out.as({2, 3}), activation::none);
        CHECK(same_bits(out.span(), std::vector<float>(6, 0.0F)));
    }
}

TEST_CASE("NaN and infinity in a row reach that row alone", "[kernel][matmul][every_isa]") {
    problem p(14, 40, 20);
    p.a[3 * 40 + 5] = poison();
    const kernel::packed_matrix w(p.weights());
    for (const auto set : every_isa()) {
        std::vector<float> out(14 * 20);
        kernel::detail::matmul(set, {p.a.data(), shape{14, 40}}, w.seen(), {out.data(), shape{14, 20}},
                               activation::relu);
        for (std::size_t i = 0; i < out.size(); ++i) CHECK(std::isnan(out[i]) == (i / 20 == 3));
    }
}

TEST_CASE("shapes that do not fit are refused with both shapes in the text", "[kernel][matmul]") {
    const problem p(4, 6, 5);
    const kernel::packed_matrix w(p.weights());
    std::vector<float> out(100);
    try {
        kernel::matmul({p.a.data(), shape{4, 5}}, w, {out.data(), shape{4, 5}});
        FAIL("accepted");
    } catch (const std::invalid_argument& error) {
        CHECK(std::string(error.what()) == "matmul: [4, 5] times weights [6, 5] into [4, 5]");
    }
    CHECK_THROWS_AS(kernel::matmul({p.a.data(), shape{4, 6}}, w, {out.data(), shape{4, 6}}), std::invalid_argument);
    CHECK_THROWS_AS(kernel::matmul({p.a.data(), shape{4, 6}}, w, {out.data(), shape{3, 5}}), std::invalid_argument);
    CHECK_THROWS_AS(kernel::matmul({p.a.data(), shape{24}}, w, {out.data(), shape{4, 5}}), std::invalid_argument);
    CHECK_THROWS_AS(kernel::packed_matrix(view<const float>(p.w.data(), shape{30})), std::invalid_argument);
    CHECK_THROWS_AS(kernel::packed_matrix(p.weights(), view<const float>(out.data(), shape{6})), std::invalid_argument);
    CHECK_THROWS_AS(kernel::packed_matrix::packed_floats(std::size_t{1} << 60, 1), std::invalid_argument);
    CHECK_THROWS_AS(kernel::packed_matrix::packed_floats(1, SIZE_MAX), std::invalid_argument);
}

TEST_CASE("a packed matrix copies and moves with its weights", "[kernel][matmul]") {
    const problem p(3, 8, 4);
    kernel::packed_matrix w(p.weights(), p.offsets());
    const kernel::packed_matrix copy = w;
    std::vector<float> a(12), b(12), c(12);
    kernel::matmul({p.a.data(), shape{3, 8}}, w, {a.data(), shape{3, 4}});
    const kernel::packed_matrix moved = std::move(w);
    kernel::matmul({p.a.data(), shape{3, 8}}, copy, {b.data(), shape{3, 4}});
    kernel::matmul({p.a.data(), shape{3, 8}}, moved, {c.data(), shape{3, 4}});
    CHECK(same_bits(a, b));
    CHECK(same_bits(a, c));
    CHECK(kernel::packed_matrix().columns() == 0);
}

TEST_CASE("avx2 and avx512 products agree in every bit", "[kernel][matmul]") {
    if (!kernel::supports(kernel::isa::avx512)) return;
    for (const auto act : {activation::none, activation::relu, activation::sigmoid, activation::tanh}) {
        const problem p(31, 1100, 77);
        const kernel::packed_matrix w(p.weights(), p.offsets());
        std::vector<float> a(31 * 77), b(31 * 77);
        kernel::detail::matmul(kernel::isa::avx2, {p.a.data(), shape{31, 1100}}, w.seen(), {a.data(), shape{31, 77}},
                               act);
        kernel::detail::matmul(kernel::isa::avx512, {p.a.data(), shape{31, 1100}}, w.seen(), {b.data(), shape{31, 77}},
                               act);
        CHECK(same_bits(a, b));
    }
}

TEST_CASE("Eigen matrices go into kernels as they are") {
    const Eigen::MatrixXf a = Eigen::MatrixXf::Random(33, 17);  // column-major
    const Eigen::MatrixXf weights = Eigen::MatrixXf::Random(17, 9);
    const Eigen::VectorXf bias = Eigen::VectorXf::Random(9);
    Eigen::MatrixXf out(33, 9);
    const kernel::packed_matrix packed(weights, bias);
    kernel::matmul(a.topRows(20), packed, out.topRows(20));
    kernel::matmul(a.bottomRows(13), packed, out.bottomRows(13));
    const Eigen::MatrixXf expected = (a * weights).rowwise() + bias.transpose();
    CHECK((out - expected).cwiseAbs().maxCoeff() < 1e-5F);
    kernel::apply(kernel::activation::relu, out, out);
    CHECK((out - expected.cwiseMax(0.0F)).cwiseAbs().maxCoeff() < 1e-5F);
    CHECK(out.minCoeff() == 0);
}

TEST_CASE("blocks of rows and of the inner extent do not change a bit", "[kernel][matmul][every_isa]") {
    numbers next(23);
    // inner extents beyond a block; rows 4 KiB apart, which narrow tiles gather;
    // columns beside each other (a transposed)
    const std::pair<std::size_t, std::size_t> sizes[] = {{1024, 272}, {1300, 33}, {530, 256}};
    for (const auto& [inner, columns] : sizes) {
        const std::size_t most = 103;
        const std::vector<float> a = next.some(most * inner), w = next.some(inner * columns), b = next.some(columns);
        std::vector<float> turned(a.size());
        for (std::size_t r = 0; r < most; ++r)
            for (std::size_t k = 0; k < inner; ++k) turned[k * most + r] = a[r * inner + k];
        const auto k = static_cast<std::int64_t>(inner), n = static_cast<std::int64_t>(columns);
        const kernel::packed_matrix packed(view<const float>(w.data(), shape{k, n}),
                                           view<const float>(b.data(), shape{n}));
        for (const auto set : every_isa()) {
            std::vector<float> alone(most * columns);
            for (std::size_t r = 0; r < most; ++r)
                kernel::detail::matmul(set, view<const float>(a.data() + r * inner, shape{1, k}), packed.seen(),
                                       view<float>(alone.data() + r * columns, shape{1, n}), kernel::activation::relu);
            for (const std::int64_t rows : {3, 49, 103, 2, 6, 7, 47, 96}) {
                if (sanitized && rows == 2) break;
                const auto count = static_cast<std::size_t>(rows) * columns;
                guarded straight(count), strided(count);
                kernel::detail::matmul(set, view<const float>(a.data(), shape{rows, k}), packed.seen(),
                                       straight.as(shape{rows, n}), kernel::activation::relu);
                kernel::detail::matmul(set, view<const float>(turned.data(), shape{rows, k}, {1, most}), packed.seen(),
                                       strided.as(shape{rows, n}), kernel::activation::relu);
                CHECK(same_bits(straight.span(), std::span<const float>(alone).first(count)));
                CHECK(same_bits(strided.span(), std::span<const float>(alone).first(count)));
                CHECK((straight.intact() && strided.intact()));
            }
        }
    }
}
