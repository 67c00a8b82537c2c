// SPDX-License-Identifier: MIT
#include <fanfold/kernel/convolution_nd.hpp>

#include <vector>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;
using kernel::conv_geometry;

namespace {

struct sums {
    std::vector<double> value, magnitude;
};

std::array<std::int64_t, 5> five(const shape& s) {
    std::array<std::int64_t, 5> e{s[0], s[1], 1, 1, 1};
    for (std::size_t a = 2; a < s.rank(); ++a) e[a + 5 - s.rank()] = s[a];
    return e;
}

/// Every image element with every weight: added where the window says; the transpose swaps the two ends.
sums convolve(const std::vector<float>& in, const shape& in_shape, const std::vector<float>& w, const shape& w_shape,
              const std::vector<float>& bias, const conv_geometry& g, const shape& out_shape, bool transposed) {
    const auto i = five(in_shape), k = five(w_shape), o = five(out_shape);
    conv_geometry full;
    for (std::size_t a = 2; a < in_shape.rank(); ++a) {
        full.stride[a + 3 - in_shape.rank()] = g.stride[a - 2];
        full.dilation[a + 3 - in_shape.rank()] = g.dilation[a - 2];
        full.before[a + 3 - in_shape.rank()] = g.before[a - 2];
    }
    const auto at = [](const std::array<std::int64_t, 5>& e, std::int64_t a, std::int64_t b, std::int64_t c,
                       std::int64_t d, std::int64_t f) {
        return static_cast<std::size_t>((((a * e[1] + b) * e[2] + c) * e[3] + d) * e[4] + f);
    };
    sums s{std::vector<double>(out_shape.volume()), std::vector<double>(out_shape.volume())};
    const std::int64_t out_group = o[1] / g.groups, in_group = i[1] / g.groups;
    for (std::int64_t n = 0; n < o[0]; ++n)
        for (std::int64_t group = 0; group < g.groups; ++group)
            for (std::int64_t oc = 0; oc < out_group; ++oc)
                for (std::int64_t ic = 0; ic < in_group; ++ic)
                    for (std::int64_t kz = 0; kz < k[2]; ++kz)
                        for (std::int64_t ky = 0; ky < k[3]; ++ky)
                            for (std::int64_t kx = 0; kx < k[4]; ++kx) {
                                const auto& small = transposed ? i : o;
                                const auto& large = transposed ? o : i;
                                for (std::int64_t z = 0; z < small[2]; ++z)
                                    for (std::int64_t y = 0; y < small[3]; ++y)
                                        for (std::int64_t x = 0; x < small[4]; ++x) {
                                            const auto end = [&](std::size_t a, std::int64_t p, std::int64_t tap) {
                                                return p * full.stride[a] + tap * full.dilation[a] - full.before[a];
                                            };
                                            const std::int64_t lz = end(0, z, kz), ly = end(1, y, ky),
                                                               lx = end(2, x, kx);
                                            if (lz < 0 || ly < 0 || lx < 0 || lz >= large[2] || ly >= large[3] ||
                                                lx >= large[4])
                                                continue;
                                            const std::int64_t ci = group * in_group + ic, co = group * out_group + oc;
                                            const double weight =
                                                w[transposed ? at(k, ci, oc, kz, ky, kx) : at(k, co, ic, kz, ky, kx)];
                                            const double element =
                                                in[transposed ? at(i, n, ci, z, y, x) : at(i, n, ci, lz, ly, lx)];
                                            const auto to =
                                                transposed ? at(o, n, co, lz, ly, lx) : at(o, n, co, z, y, x);
                                            s.value[to] += weight * element;
                                            s.magnitude[to] += std::abs(weight * element);
                                        }
                            }
    const std::size_t plane = out_shape.volume() / static_cast<std::size_t>(o[0] * o[1]);
    for (std::size_t p = 0; p < s.value.size(); ++p) {
        const double b = bias.empty() ? 0.0 : double{bias[p / plane % static_cast<std::size_t>(o[1])]};
        s.value[p] += b;
        s.magnitude[p] += std::abs(b);
    }
    return s;
}

}  // namespace

TEST_CASE("convolution over one to three axes agrees with naive loops, amid poison, in float and double",
          "[kernel][convolution][every_isa]") {
    numbers next(1);
    workspace space;
    struct layer {
        shape in, weights;
        conv_geometry g;
    };
    for (const auto& [in_shape, w_shape, g] :
         {layer{{2, 3, 40}, {5, 3, 3}, {.stride = {2}, .before = {1}, .after = {2}}},
          layer{{2, 4, 7, 9}, {6, 2, 3, 2}, {.dilation = {2, 1}, .before = {2, 0}, .after = {1, 1}, .groups = 2}},
          layer{{3, 2, 5, 6, 7}, {4, 2, 2, 3, 1}, {.stride = {1, 2, 1}, .before = {1, 1, 0}, .after = {0, 2, 0}}},
          layer{{2, 6, 5, 5}, {6, 1, 3, 3}, {.before = {1, 1}, .after = {1, 1}, .groups = 6}},
          layer{{1, 200, 30, 30}, {2, 200, 2, 2}, {}}}) {
        const shape out_shape = kernel::conv_shape(in_shape, w_shape, g);
        const std::vector<float> values = next.some(in_shape.volume()), weights = next.some(w_shape.volume()),
                                 bias = next.some(static_cast<std::size_t>(w_shape[0]));
        const sums exact = convolve(values, in_shape, weights, w_shape, bias, g, out_shape, false);
        for (const auto set : every_isa()) {
            guarded in(values, 3), w(weights, 2), out(out_shape.volume());
            kernel::detail::conv_nd(set, in.as(in_shape), w.as(w_shape), bias, g, out.as(out_shape), space,
                                    kernel::activation::none);
            CHECK(out.intact());
            bool right = true;
            for (std::size_t i = 0; i < exact.value.size(); ++i)
                right = right && near(out.span()[i], exact.value[i], exact.magnitude[i], 8);
            CHECK(right);
            const shape one_in = in_shape.with(0, 1), one_out = out_shape.with(0, 1);
            std::vector<float> one(one_out.volume());
            kernel::detail::conv_nd(set, {in.data() + (values.size() - one_in.volume()), one_in}, w.as(w_shape), bias,
                                    g, {one.data(), one_out}, space, kernel::activation::none);
            CHECK(same_bits(one, out.span().subspan(exact.value.size() - one.size())));
            kernel::detail::conv_nd(set, {in.data() + (values.size() - one_in.volume()), one_in}, w.as(w_shape), bias,
                                    g, {one.data(), one_out}, space, kernel::activation::relu);
            bool positive = true;
            for (std::size_t i = 0; i < one.size(); ++i)
                positive = positive && one[i] == std::max(0.0F, out.span()[exact.value.size() - one.size() + i]);
            CHECK(positive);
        }
        const std::vector<double> wide(values.begin(), values.end()), wide_w(weights.begin(), weights.end()),
            wide_b(bias.begin(), bias.end());
        std::vector<double> out(out_shape.volume());
        kernel::conv_nd({wide.data(), in_shape}, {wide_w.data(), w_shape}, wide_b, g, {out.data(), out_shape}, space);
        bool right = true;
        for (std::size_t i = 0; i < out.size(); ++i) right = right && std::abs(out[i] - exact.value[i]) < 1e-11;
        CHECK(right);
    }
}

TEST_CASE("transposed convolution agrees with naive loops, whatever is cut off or added",
          "[kernel][convolution][every_isa]") {
    numbers next(2);
    workspace space;
    struct layer {
        shape in, weights, out;
        conv_geometry g;
    };
    for (const auto& [in_shape, w_shape, out_shape, g] :
         {layer{{2, 3, 9}, {3, 4, 3}, {2, 4, 19}, {.stride = {2}}},
          layer{{2, 4, 5, 6}, {4, 3, 3, 2}, {2, 6, 11, 10}, {.stride = {3, 2}, .before = {2, 1}, .groups = 2}},
          layer{{2, 2, 3, 4, 5}, {2, 3, 2, 2, 3}, {2, 3, 5, 5, 12}, {.stride = {1, 1, 2}, .dilation = {2, 1, 1}}},
          layer{{1, 2, 3, 3}, {2, 2, 3, 3}, {1, 2, 10, 8}, {.stride = {3, 2}, .before = {-1, 0}}},
          layer{{1, 3, 40, 40}, {3, 50, 3, 3}, {1, 50, 42, 42}, {}}}) {
        const std::vector<float> values = next.some(in_shape.volume()), weights = next.some(w_shape.volume()),
                                 bias = next.some(static_cast<std::size_t>(out_shape[1]));
        const sums exact = convolve(values, in_shape, weights, w_shape, bias, g, out_shape, true);
        for (const auto set : every_isa()) {
            guarded in(values, 3), w(weights, 2), out(out_shape.volume());
            kernel::detail::conv_transpose_nd(set, in.as(in_shape), w.as(w_shape), bias, g, out.as(out_shape), space);
            CHECK(out.intact());
            bool right = true;
            for (std::size_t i = 0; i < exact.value.size(); ++i)
                right = right && near(out.span()[i], exact.value[i], exact.magnitude[i], 8);
            CHECK(right);
            const shape one_in = in_shape.with(0, 1), one_out = out_shape.with(0, 1);
            std::vector<float> one(one_out.volume());
            kernel::detail::conv_transpose_nd(set, {in.data() + (values.size() - one_in.volume()), one_in},
                                              w.as(w_shape), bias, g, {one.data(), one_out}, space);
            CHECK(same_bits(one, out.span().subspan(exact.value.size() - one.size())));
        }
        const std::vector<double> wide(values.begin(), values.end()), wide_w(weights.begin(), weights.end()),
            wide_b(bias.begin(), bias.end());
        std::vector<double> out(out_shape.volume());
        kernel::conv_transpose_nd({wide.data(), in_shape}, {wide_w.data(), w_shape}, wide_b, g, {out.data(), out_shape},
                                  space);
        bool right = true;
        for (std::size_t i = 0; i < out.size(); ++i) right = right && std::abs(out[i] - exact.value[i]) < 1e-11;
        CHECK(right);
    }
}

TEST_CASE("convolutions refuse shapes that do not fit, by text", "[kernel][convolution]") {
    std::vector<float> a(64), b(64);
    workspace space;
    const view<const float> in(a.data(), {1, 4, 4, 4});
    const view<float> out(b.data(), {1, 2, 2, 2});
    CHECK_THROWS_AS(kernel::conv_nd(in, {a.data(), {2, 3, 1, 1}}, {}, {}, out, space), std::invalid_argument);
    CHECK_THROWS_AS(kernel::conv_nd(in, {a.data(), {2, 4, 1, 1}}, {}, {}, out, space), std::invalid_argument);
    CHECK_THROWS_AS(kernel::conv_nd(in, {a.data(), {2, 4, 1}}, {}, {}, out, space), std::invalid_argument);
    CHECK_THROWS_AS(kernel::conv_shape({1, 4, 4, 4}, {2, 4, 5, 1}, {}), std::invalid_argument);
    CHECK_THROWS_AS(kernel::conv_transpose_nd(in, {a.data(), {3, 2, 1, 1}}, {}, {}, out, space), std::invalid_argument);
    CHECK_THROWS_AS(kernel::conv_transpose_nd(in, {a.data(), {4, 2, 1, 1}}, {}, {.stride = {0, 1}}, out, space),
                    std::invalid_argument);
}
