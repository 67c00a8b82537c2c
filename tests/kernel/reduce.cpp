// SPDX-License-Identifier: MIT
#include <fanfold/core/tensor.hpp>
#include <fanfold/kernel/reduce.hpp>

#include <cmath>
#include <limits>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;
using kernel::reduction;

namespace {

constexpr reduction every_reduction[] = {
    reduction::sum, reduction::mean, reduction::max,     reduction::min,         reduction::prod,
    reduction::l1,  reduction::l2,   reduction::log_sum, reduction::log_sum_exp, reduction::sum_square};

shape without(const shape& whole, const std::vector<std::size_t>& axes, bool keep) {
    std::vector<std::int64_t> left;
    for (std::size_t a = 0; a < whole.rank(); ++a) {
        const bool gone = std::find(axes.begin(), axes.end(), a) != axes.end();
        if (!gone || keep) left.push_back(gone ? 1 : whole[a]);
    }
    return shape(left);
}

/// The elements that each answer is made of, in row-major order.
std::vector<std::vector<double>> groups(const shape& whole, const std::vector<std::size_t>& axes,
                                        const std::vector<double>& values) {
    const shape kept = without(whole, axes, true);
    const strides steps = dense_strides(kept);
    std::vector<std::vector<double>> found(kept.volume());
    for (std::size_t i = 0; i < whole.volume(); ++i) {
        std::size_t rest = i, at = 0;
        for (std::size_t a = whole.rank(); a-- > 0;) {
            const auto extent = static_cast<std::size_t>(whole[a]);
            if (kept[a] == whole[a]) at += rest % extent * static_cast<std::size_t>(steps[a]);
            rest /= extent;
        }
        found[at].push_back(values[i]);
    }
    return found;
}

double naive(reduction op, const std::vector<double>& x, double* magnitude) {
    double sum = 0, most = -INFINITY, least = INFINITY, product = 1, size = 0, square = 0;
    for (const double v : x) {
        sum += v;
        size += std::abs(v);
        square += v * v;
        most = std::max(most, v);
        least = std::min(least, v);
        product *= v;
    }
    double exps = 0;
    for (const double v : x) exps += std::exp(v - most);
    *magnitude = size + 1;
    switch (op) {
        case reduction::sum: return sum;
        case reduction::mean: return sum / static_cast<double>(x.size());
        case reduction::max: return most;
        case reduction::min: return least;
        case reduction::prod: *magnitude = std::abs(product) * static_cast<double>(x.size()); return product;
        case reduction::l1: return size;
        case reduction::l2: return std::sqrt(square);
        case reduction::log_sum: *magnitude = 1 + size / std::abs(sum); return std::log(sum);
        case reduction::log_sum_exp: return std::log(exps) + most;
        case reduction::sum_square: *magnitude = square; return square;
    }
    return 0;
}

struct example {
    shape whole;
    std::vector<std::size_t> axes;
};
const std::vector<example> examples{{{7, 33}, {1}},
                                    {{7, 33}, {0}},
                                    {{7, 33}, {0, 1}},
                                    {{2, 6, 5, 7}, {2, 3}},
                                    {{2, 6, 5, 7}, {0, 2, 3}},
                                    {{3, 50, 19}, {1}},
                                    {{3, 50, 19}, {0, 2}},
                                    {{40}, {0}},
                                    {{4, 1, 3}, {1}},
                                    {{5, 4}, {}},
                                    {{}, {}},
                                    {{2, 3, 4, 5, 6}, {1, 3}},
                                    {{600, 3}, {0}},
                                    {{1, 1000}, {1}}};

void reduce(kernel::isa set, reduction op, const tensor_view& in, const std::vector<std::size_t>& axes,
            const mutable_tensor_view& out) {
    kernel::detail::reduce(set, op, in, axes, out);
}

}  // namespace

TEST_CASE("reductions of float along any axes agree with naive loops, amid poison", "[kernel][reduce][every_isa]") {
    numbers next(3);
    for (const auto& [whole, axes] : examples)
        for (const reduction op : every_reduction) {
            std::vector<float> values = next.some(whole.volume());
            if (op == reduction::log_sum || op == reduction::prod)
                for (float& x : values) x = std::abs(x) + 0.5F;
            const auto parts = groups(whole, axes, std::vector<double>(values.begin(), values.end()));
            for (const auto set : every_isa()) {
                guarded in(values, 3), out(parts.size(), 5), same(parts.size(), 1);
                reduce(set, op, in.as(whole), axes, out.as(without(whole, axes, false)));
                reduce(set, op, in.as(whole), axes, same.as(without(whole, axes, true)));
                bool right = out.intact() && same_bits(out.span(), same.span());
                for (std::size_t i = 0; i < parts.size(); ++i) {
                    double magnitude = 0;
                    const double expected = naive(op, parts[i], &magnitude);
                    right = right && near(out.span()[i], expected, magnitude, 8);
                }
                INFO(whole.text() << " " << kernel::name_of(op) << " " << kernel::name_of(set));
                CHECK(right);
            }
        }
}

TEST_CASE("a sum's bits depend neither on strides nor on the elements beside it", "[kernel][reduce][every_isa]") {
    const std::int64_t rows = 37, n = 150;
    std::vector<float> values = numbers(6).some(static_cast<std::size_t>(rows * n)), turned(values.size());
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t k = 0; k < n; ++k)
            turned[static_cast<std::size_t>(k * rows + r)] = values[static_cast<std::size_t>(r * n + k)];
    for (const auto set : every_isa())
        for (const reduction op : every_reduction) {
            std::vector<float> whole(37), across(37), split(37), strided(37);
            const shape out{rows};
            reduce(set, op, view<const float>(values.data(), {rows, n}), {1}, view<float>(whole.data(), out));
            reduce(set, op, view<const float>(turned.data(), {n, rows}), {0}, view<float>(across.data(), out));
            reduce(set, op, view<const float>(turned.data(), {rows, n}, {1, rows}), {1},
                   view<float>(strided.data(), out));
            reduce(set, op, view<const float>(values.data(), {rows, 10, 3, 5}), {1, 2, 3},
                   view<float>(split.data(), out));
            bool same = same_bits(whole, split) || op == reduction::log_sum;  // log of negative sums: NaN
            if (op != reduction::log_sum) same = same && same_bits(whole, across) && same_bits(whole, strided);
            for (std::int64_t r = 0; r < rows && op != reduction::log_sum; r += 5) {
                float one = 0, middle = 0;
                reduce(set, op, view<const float>(values.data() + r * n, {n}), {0}, view<float>(&one, {}));
                reduce(set, op, view<const float>(turned.data() + r, {15, 1, 10}, {rows * 10, 1, rows}), {0, 2},
                       view<float>(&middle, {1}));
                same = same && same_bits(one, whole[static_cast<std::size_t>(r)]) && same_bits(one, middle);
            }
            INFO(kernel::name_of(op) << " " << kernel::name_of(set));
            CHECK(same);
        }
}

TEST_CASE("other types agree with naive loops", "[kernel][reduce]") {
    numbers next(9);
    for (const element type : {element::float64, element::float16, element::bfloat16, element::int32, element::int64,
                               element::uint64, element::int8, element::uint8})
        for (const example& one : examples)
            for (const reduction op : every_reduction) {
                const auto& whole = one.whole;  // clang 14 captures no bindings
                const auto& axes = one.axes;
                if (size_of(type) < 4 && (op == reduction::sum_square || whole.volume() > 40)) continue;
                std::vector<double> values;
                tensor in(type, whole), out(type, without(whole, axes, false));
                visit_element(type, [&]<class T>(T) {
                    for (std::size_t i = 0; i < whole.volume(); ++i) {
                        const auto x = std::floor(static_cast<double>(next()) * 2 + 2) + 1;
                        values.push_back(x);
                        in.as<T>().data()[i] = kernel::detail::narrowed<T>(x);
                    }
                });
                kernel::reduce(op, in, axes, out);
                const auto parts = groups(whole, axes, values);
                if (op == reduction::prod && parts[0].size() > 7) continue;
                bool right = true;
                visit_element(type, [&]<class T>(T) {
                    for (std::size_t i = 0; i < parts.size(); ++i) {
                        double magnitude = 0;
                        const double expected = naive(op, parts[i], &magnitude);
                        const auto got = static_cast<double>(out.as<T>().data()[i]);
                        const double most = type == element::float64    ? 1e-10
                                            : type == element::float16  ? 0x1p-10
                                            : type == element::bfloat16 ? 0x1p-7
                                                                        : 0;
                        const auto exact = static_cast<double>(kernel::detail::narrowed<T>(expected));
                        const bool fits = type != element::int8 && type != element::uint8;
                        right =
                            right && (std::abs(got - exact) <= most * std::abs(expected) || (!fits && expected > 127));
                    }
                });
                INFO(whole.text() << " " << kernel::name_of(op) << " " << name_of(type));
                CHECK(right);
            }
}

TEST_CASE("nothing, infinities and NaN are reduced to what the definitions say", "[kernel][reduce][every_isa]") {
    const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    const auto one = [](reduction op, std::vector<float> x) {
        std::vector<float> found;
        for (const auto set : every_isa()) {
            float row = 0;
            float columns[2] = {};
            std::vector<float> twice;
            for (const float v : x) twice.insert(twice.end(), {v, v});
            const auto n = static_cast<std::int64_t>(x.size());
            reduce(set, op, view<const float>(x.data(), {n}), {0}, view<float>(&row, {}));
            reduce(set, op, view<const float>(twice.data(), {n, 2}), {0}, view<float>(columns, {2}));
            CHECK((same_bits(row, columns[0]) || (std::isnan(row) && std::isnan(columns[0]))));
            CHECK((same_bits(row, columns[1]) || (std::isnan(row) && std::isnan(columns[1]))));
            found.push_back(row);
        }
        return found.front();
    };
    CHECK(one(reduction::sum, {}) == 0);
    CHECK(one(reduction::prod, {}) == 1);
    CHECK(one(reduction::max, {}) == -inf);
    CHECK(one(reduction::min, {}) == inf);
    CHECK(one(reduction::log_sum_exp, {}) == -inf);
    CHECK(std::isnan(one(reduction::mean, {})));
    CHECK(one(reduction::log_sum_exp, {-inf, -inf}) == -inf);
    CHECK(one(reduction::log_sum_exp, {1, inf}) == inf);
    CHECK(one(reduction::log_sum_exp, {-inf, 3}) == 3);
    CHECK(one(reduction::log_sum_exp, {300, 300}) == Approx(300 + std::log(2.0)));
    for (const reduction op : every_reduction) CHECK(std::isnan(one(op, {1, nan, 2})));

    const tensor none(element::int32, {0, 2});
    tensor least(element::int32, {2});
    const std::size_t first[] = {0};
    kernel::reduce(reduction::max, none, first, least);
    CHECK(least.as<std::int32_t>().data()[1] == std::numeric_limits<std::int32_t>::min());
    const tensor bits = tensor::of<bool>({2, 2}, {true, false, true, true});
    tensor any(element::boolean, {2});
    kernel::reduce(reduction::min, bits, first, any);
    CHECK((any.as<bool>().data()[0] && !any.as<bool>().data()[1]));
}

TEST_CASE("reductions refuse axes, shapes and types that do not fit", "[kernel][reduce]") {
    tensor in(element::float32, {3, 4}), row(element::float32, {4}), other(element::float64, {4});
    const std::size_t first[] = {0}, second[] = {1}, third[] = {2}, twice[] = {0, 0};
    CHECK_THROWS_WITH(kernel::reduce(reduction::sum, in, second, row),
                      "ReduceSum of float32 [3, 4] along axes [1] into float32 [4]");
    CHECK_THROWS_AS(kernel::reduce(reduction::sum, in, third, row), std::invalid_argument);
    CHECK_THROWS_AS(kernel::reduce(reduction::sum, in, twice, row), std::invalid_argument);
    CHECK_THROWS_AS(kernel::reduce(reduction::sum, in, first, other), std::invalid_argument);
}
