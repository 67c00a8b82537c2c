// SPDX-License-Identifier: MIT
#include <fanfold/core/tensor.hpp>
#include <fanfold/kernel/log_softmax.hpp>

#include <cmath>
#include <limits>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;

namespace {

double naive(const std::vector<double>& x, std::size_t start, std::size_t step, std::size_t n, std::size_t at) {
    double most = x[start], sum = 0;
    for (std::size_t k = 0; k < n; ++k) most = std::max(most, x[start + k * step]);
    for (std::size_t k = 0; k < n; ++k) sum += std::exp(x[start + k * step] - most);
    return x[at] - most - std::log(sum);
}

}  // namespace

TEST_CASE("log_softmax along any axis agrees with a naive loop, amid poison and in place",
          "[kernel][log_softmax][every_isa]") {
    numbers next(4);
    for (const shape& extents : {shape{7, 10}, shape{3, 16, 5}, shape{2, 33, 1, 17}, shape{1, 1}, shape{70}})
        for (std::size_t axis = 0; axis < extents.rank(); ++axis) {
            std::vector<float> values = next.some(extents.volume());
            for (float& x : values) x *= 30;
            const std::vector<double> wide(values.begin(), values.end());
            const auto step = static_cast<std::size_t>(dense_strides(extents)[axis]);
            const auto n = static_cast<std::size_t>(extents[axis]);
            for (const auto set : every_isa()) {
                guarded in(values, 3), out(values.size(), 2);
                kernel::detail::log_softmax(set, in.as(extents), axis, out.as(extents));
                bool right = out.intact();
                for (std::size_t i = 0; i < values.size(); ++i) {
                    const double exact = naive(wide, i - i / step % n * step, step, n, i);
                    right = right && near(out.span()[i], exact, 60);
                }
                kernel::detail::log_softmax(set, in.as(extents), axis, in.as(extents));
                INFO(kernel::name_of(set) << " " << extents.text() << " axis " << axis);
                CHECK((right && same_bits(in.span(), out.span())));
            }
            for (const element type : {element::float64, element::float16, element::bfloat16}) {
                tensor in(type, extents), out(type, extents), plain(type, extents);
                bool right = true;
                visit_element(type, [&]<class T>(T) {
                    std::vector<double> stored;
                    for (std::size_t i = 0; i < wide.size(); ++i) {
                        in.as<T>().data()[i] = kernel::detail::narrowed<T>(wide[i]);
                        stored.push_back(static_cast<double>(in.as<T>().data()[i]));
                    }
                    kernel::log_softmax(in, axis, out);
                    kernel::softmax(in, axis, plain);
                    for (std::size_t i = 0; i < wide.size(); ++i) {
                        const double exact = naive(stored, i - i / step % n * step, step, n, i);
                        const double close = type == element::float64 ? 1e-12 : type == element::float16 ? 1e-3 : 1e-2;
                        const auto log = static_cast<double>(out.as<T>().data()[i]);
                        const auto probability = static_cast<double>(plain.as<T>().data()[i]);
                        right = right && std::abs(log - exact) <= close * std::max(1.0, std::abs(exact));
                        right = right && std::abs(probability - std::exp(exact)) <= close;
                    }
                });
                CHECK(right);
            }
        }
}

TEST_CASE("a row's log_softmax has the same bits along any axis and beside any rows",
          "[kernel][log_softmax][every_isa]") {
    const std::int64_t rows = 37, n = 45;
    const std::vector<float> values = numbers(6).some(static_cast<std::size_t>(rows * n));
    std::vector<float> turned(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) turned[i % 45 * 37 + i / 45] = values[i];
    for (const auto set : every_isa()) {
        std::vector<float> whole(values.size()), across(values.size()), one(45);
        const auto run = [&](const float* in, const shape& extents, std::size_t axis, float* out) {
            kernel::detail::log_softmax(set, view<const float>(in, extents), axis, view<float>(out, extents));
        };
        run(values.data(), {rows, n}, 1, whole.data());
        run(turned.data(), {n, rows}, 0, across.data());
        bool same = true;
        for (std::size_t i = 0; i < values.size(); ++i)
            same = same && same_bits(across[i % 45 * 37 + i / 45], whole[i]);
        run(values.data() + 5 * n, {n}, 0, one.data());
        same = same && same_bits(one, std::span<const float>(whole).subspan(5 * 45, 45));
        CHECK(same);
    }
}

TEST_CASE("log_softmax keeps what softmax would lose, and refuses what does not fit", "[kernel][log_softmax]") {
    const float inf = std::numeric_limits<float>::infinity();
    std::vector<float> x{0, 300, -inf}, z(3);
    kernel::log_softmax(view<const float>(x.data(), {3}), 0, view<float>(z.data(), {3}));
    CHECK(z == std::vector<float>{-300, 0, -inf});
    x[0] = inf;
    kernel::log_softmax(view<const float>(x.data(), {3}), 0, view<float>(z.data(), {3}));
    for (const float v : z) CHECK(std::isnan(v));
    tensor whole(element::int32, {3});
    CHECK_THROWS_WITH(kernel::log_softmax(whole, 0, whole), "log_softmax of int32 [3]: expected floating point");
    CHECK_THROWS_WITH(kernel::softmax(whole, 0, whole), "softmax of int32 [3]: expected floating point");
    CHECK_THROWS_AS(kernel::log_softmax(view<const float>(x.data(), {3}), 1, view<float>(z.data(), {3})),
                    std::invalid_argument);
}
