// SPDX-License-Identifier: MIT
#include <fanfold/kernel/attention.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;
using kernel::attention_options;

namespace {

const float inf = std::numeric_limits<float>::infinity();

struct problem {
    std::int64_t n, heads, shared, queries, keys, depth, width;
    std::vector<float> q, k, v, mask;
    shape mask_shape{0};

    problem(std::array<std::int64_t, 7> e, numbers& next)
        : n(e[0]), heads(e[1]), shared(e[2]), queries(e[3]), keys(e[4]), depth(e[5]), width(e[6]) {
        q = next.some(q_shape().volume());
        k = next.some(k_shape().volume());
        v = next.some(v_shape().volume());
        for (float& x : q) x *= 3;
    }
    shape q_shape() const { return {n, heads, queries, depth}; }
    shape k_shape() const { return {n, shared, keys, depth}; }
    shape v_shape() const { return {n, shared, keys, width}; }
    shape out_shape() const { return {n, heads, queries, width}; }
    view<const float> masked() const {
        return mask.empty() ? view<const float>() : view<const float>(mask.data(), mask_shape);
    }
    std::vector<float> run(kernel::isa set, const attention_options& o) const {
        workspace space;
        guarded from(q, 3), keyed(k, 1), valued(v, 2), out(out_shape().volume());
        kernel::detail::attention(set, from.as(q_shape()), keyed.as(k_shape()), valued.as(v_shape()), masked(), o,
                                  out.as(out_shape()), space);
        CHECK(out.intact());
        return {out.span().begin(), out.span().end()};
    }
    /// All scores of one query at once, in double.
    std::vector<double> exact(std::int64_t i, std::int64_t h, std::int64_t t, const attention_options& o) const {
        const auto at = [](const std::vector<float>& x, std::int64_t p) {
            return double{x[static_cast<std::size_t>(p)]};
        };
        const std::int64_t from = i * shared + h / (heads / shared);
        std::vector<double> scores, out(static_cast<std::size_t>(width));
        double most = -inf, total = 0;
        for (std::int64_t s = 0; s < keys; ++s) {
            double dot = 0;
            for (std::int64_t d = 0; d < depth; ++d)
                dot += at(q, ((i * heads + h) * queries + t) * depth + d) * at(k, (from * keys + s) * depth + d);
            dot *= o.scale ? double{*o.scale} : 1 / std::sqrt(static_cast<double>(depth));
            if (!mask.empty()) {
                const auto m = [&](std::size_t axis, std::int64_t index) { return mask_shape[axis] == 1 ? 0 : index; };
                dot +=
                    at(mask, ((m(0, i) * mask_shape[1] + m(1, h)) * mask_shape[2] + m(2, t)) * mask_shape[3] + m(3, s));
            }
            if (o.causal && s > t + *o.causal) dot = -inf;
            scores.push_back(dot);
            most = std::max(most, dot);
        }
        for (double& x : scores) total += x = std::exp(x - most);
        for (std::int64_t s = 0; s < keys; ++s)
            for (std::int64_t e = 0; e < width; ++e)
                out[static_cast<std::size_t>(e)] +=
                    scores[static_cast<std::size_t>(s)] / total * at(v, (from * keys + s) * width + e);
        return out;
    }
    void check(kernel::isa set, const attention_options& o) const {
        const std::vector<float> got = run(set, o);
        bool right = true;
        std::size_t p = 0;
        for (std::int64_t i = 0; i < n; ++i)
            for (std::int64_t h = 0; h < heads; ++h)
                for (std::int64_t t = 0; t < queries; ++t)
                    for (const double y : exact(i, h, t, o))
                        right = right && near(got[p++], y, 1 + static_cast<double>(depth), 20);
        CHECK(right);
    }
};

}  // namespace

TEST_CASE("attention agrees with all scores at once in double: masks, causes, shared heads",
          "[kernel][attention][every_isa]") {
    numbers next(1);
    for (const auto set : every_isa())
        for (const auto& extents : {std::array<std::int64_t, 7>{2, 4, 2, 5, 70, 8, 19},
                                    {1, 1, 1, 100, 129, 33, 16},
                                    {2, 3, 3, 7, 7, 5, 5},
                                    {1, 2, 1, 1, 1, 1, 1},
                                    {1, 1, 1, 3, 200, 64, 64}}) {
            problem p(extents, next);
            p.check(set, {});
            p.check(set, {.scale = 0.3F});
            p.check(set, {.causal = 0});
            p.check(set, {.causal = p.keys / 2});
            for (const shape& m : {shape{p.n, p.heads, p.queries, p.keys}, shape{1, 1, p.queries, p.keys},
                                   shape{p.n, 1, 1, p.keys}, shape{1, 1, p.queries, 1}}) {
                p.mask_shape = m;
                p.mask = next.some(m.volume());
                for (std::size_t i = 1; i < p.mask.size(); i += 3)
                    if (m[3] != 1 && i % static_cast<std::size_t>(p.keys) != 0) p.mask[i] = -inf;
                p.check(set, {});
            }
        }
}

TEST_CASE("a query's bits depend neither on other queries nor on hidden keys, and layouts are a matter of strides",
          "[kernel][attention][every_isa]") {
    numbers next(2);
    workspace space;
    const problem p({2, 2, 1, 110, 150, 20, 21}, next);
    for (const auto set : every_isa()) {
        const std::vector<float> all = p.run(set, {.causal = 3});
        bool same = true;
        for (const std::int64_t t : {0, 5, 60, 61, 97, 109}) {
            std::vector<float> one(21), cut(21);
            const std::int64_t row = 3 * 110 + t, seen = std::min<std::int64_t>(t + 4, 150);
            const view<const float> q(p.q.data() + row * 20, {1, 1, 1, 20});
            kernel::detail::attention(set, q, {p.k.data() + 3000, {1, 1, 150, 20}},
                                      {p.v.data() + 3150, {1, 1, 150, 21}}, {}, {.causal = t + 3},
                                      {one.data(), {1, 1, 1, 21}}, space);
            kernel::detail::attention(set, q, {p.k.data() + 3000, {1, 1, seen, 20}},
                                      {p.v.data() + 3150, {1, 1, seen, 21}}, {}, {}, {cut.data(), {1, 1, 1, 21}},
                                      space);
            const auto whole = std::span<const float>(all).subspan(static_cast<std::size_t>(row * 21), 21);
            same = same && same_bits(one, whole) && same_bits(cut, whole);
        }
        CHECK(same);
        // [N, T, H, D] instead of [N, H, T, D].
        std::vector<float> turned(p.q.size()), out(all.size());
        for (std::int64_t i = 0; i < 2; ++i)
            for (std::int64_t h = 0; h < 2; ++h)
                for (std::int64_t t = 0; t < 110; ++t)
                    for (std::int64_t d = 0; d < 20; ++d)
                        turned[static_cast<std::size_t>(((i * 110 + t) * 2 + h) * 20 + d)] =
                            p.q[static_cast<std::size_t>(((i * 2 + h) * 110 + t) * 20 + d)];
        kernel::detail::attention(set, {turned.data(), p.q_shape(), strides{4400, 20, 40, 1}},
                                  {p.k.data(), p.k_shape()}, {p.v.data(), p.v_shape()}, {}, {.causal = 3},
                                  {out.data(), p.out_shape(), strides{4620, 21, 42, 1}}, space);
        same = true;
        for (std::int64_t i = 0; i < 2; ++i)
            for (std::int64_t h = 0; h < 2; ++h)
                for (std::int64_t t = 0; t < 110; ++t)
                    same = same && same_bits(std::span<const float>(out).subspan(
                                                 static_cast<std::size_t>(((i * 110 + t) * 2 + h) * 21), 21),
                                             std::span<const float>(all).subspan(
                                                 static_cast<std::size_t>(((i * 2 + h) * 110 + t) * 21), 21));
        CHECK(same);
    }
}

TEST_CASE("whole blocks of -infinity are harmless; nothing to see gives NaN", "[kernel][attention][every_isa]") {
    numbers next(3);
    problem p({1, 1, 1, 2, 200, 4, 4}, next);
    p.mask_shape = {1, 1, 2, 200};
    p.mask.assign(400, -inf);
    p.mask[70] = p.mask[150] = 0;  // query 0 only, behind a block of nothing
    for (const auto set : every_isa()) {
        const std::vector<float> got = p.run(set, {});
        const auto exact = p.exact(0, 0, 0, {});
        for (std::size_t e = 0; e < 4; ++e) {
            CHECK(near(got[e], exact[e], 5, 20));
            CHECK(std::isnan(got[4 + e]));
        }
    }
}

TEST_CASE("attention refuses shapes that do not fit", "[kernel][attention]") {
    std::vector<float> a(64), b(64);
    workspace space;
    const view<const float> q(a.data(), {1, 3, 2, 4}), k(a.data(), {1, 2, 3, 4});
    CHECK_THROWS_AS(kernel::attention(q, k, k, {}, {}, {b.data(), {1, 3, 2, 4}}, space), std::invalid_argument);
    CHECK_THROWS_AS(kernel::attention(k, k, k, {a.data(), {1, 2, 2, 3}}, {}, {b.data(), {1, 2, 3, 4}}, space),
                    std::invalid_argument);
    CHECK_THROWS_AS(kernel::attention(k, k, k, {}, {}, {b.data(), {1, 2, 3, 5}}, space), std::invalid_argument);
}
