// SPDX-License-Identifier: MIT
#include <fanfold/kernel/pooling_nhwc.hpp>

#include <limits>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;
using kernel::padding_counts;
using kernel::window2d;

namespace {

struct problem {
    shape in;
    window2d window;
};

std::vector<problem> problems() {
    const auto ceil = window2d::rounding::ceil;
    return {{{2, 7, 9, 5}, {{2, 2}, {2, 2}}},
            {{1, 8, 11, 19}, {{3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}}},
            {{1, 8, 11, 32}, {{3, 2}, {2, 3}, {1, 1}, {1, 0, 2, 1}, ceil}},
            {{2, 12, 10, 17}, {{2, 3}, {1, 2}, {3, 2}, {1, 2, 0, 1}}},
            {{1, 6, 6, 3}, {{6, 6}, {1, 1}}}};
}

/// Greatest, mean without padding, mean with it.
double expected(const problem& p, const std::vector<float>& in, const std::int64_t (&at)[4], int kind) {
    const window2d& w = p.window;
    double greatest = -std::numeric_limits<double>::infinity(), sum = 0, inside = 0, all = 0;
    for (std::int64_t ky = 0; ky < w.size[0]; ++ky)
        for (std::int64_t kx = 0; kx < w.size[1]; ++kx) {
            const std::int64_t y = at[1] * w.stride[0] + ky * w.dilation[0] - w.padding[0];
            const std::int64_t x = at[2] * w.stride[1] + kx * w.dilation[1] - w.padding[1];
            if (y < p.in[1] + w.padding[2] && x < p.in[2] + w.padding[3]) ++all;
            if (y < 0 || y >= p.in[1] || x < 0 || x >= p.in[2]) continue;
            ++inside;
            const double v = in[static_cast<std::size_t>(((at[0] * p.in[1] + y) * p.in[2] + x) * p.in[3] + at[3])];
            greatest = v > greatest ? v : greatest;
            sum += v;
        }
    return kind == 0 ? greatest : sum / (kind == 1 ? inside : all);
}

}  // namespace

TEST_CASE("pooling with channels side by side agrees with a loop", "[every_isa]") {
    for (const kernel::isa set : every_isa())
        for (const problem& p : problems()) {
            const std::vector<float> values = numbers(11).some(p.in.volume());
            const guarded in(values);
            const view<const float> x(in.span().data(), p.in);
            const shape answer = kernel::pooled_shape_nhwc(p.in, p.window);
            for (int kind = 0; kind < 3; ++kind) {
                INFO(name_of(set) << " " << p.in.text() << " kind " << kind);
                guarded out(answer.volume(), 5);
                if (kind == 0)
                    kernel::detail::max_pool_nhwc(set, x, p.window, out.as(answer));
                else
                    kernel::detail::average_pool_nhwc(set, x, p.window, out.as(answer),
                                                      kind == 1 ? padding_counts::no : padding_counts::yes);
                bool right = true;
                const view<float> got = out.as(answer);
                for (std::int64_t n = 0; n < answer[0]; ++n)
                    for (std::int64_t y = 0; y < answer[1]; ++y)
                        for (std::int64_t u = 0; u < answer[2]; ++u)
                            for (std::int64_t c = 0; c < answer[3]; ++c)
                                right = right && near(got(n, y, u, c), expected(p, values, {n, y, u, c}, kind), 2);
                CHECK(right);
                CHECK(out.intact());
            }
        }
}

TEST_CASE("NaN under a window is its greatest element, whatever stands after it", "[every_isa]") {
    for (const kernel::isa set : every_isa()) {
        std::vector<float> in(2 * 2 * 3, 1.0F), out(3);
        in[4] = std::numeric_limits<float>::quiet_NaN();
        kernel::detail::max_pool_nhwc(set, {in.data(), shape{1, 2, 2, 3}}, {{2, 2}}, {out.data(), shape{1, 1, 1, 3}});
        CHECK(out[0] == 1);
        CHECK(out[1] != out[1]);
        CHECK(out[2] == 1);
    }
}

TEST_CASE("images that do not fit a pooling with channels side by side are refused") {
    CHECK_THROWS_WITH(kernel::pooled_shape_nhwc({1, 2, 3}, {}), "pooling: [1, 2, 3] is not [N, H, W, C]");
    const std::vector<float> in(8);
    std::vector<float> out(8);
    CHECK_THROWS_WITH(kernel::max_pool_nhwc({in.data(), shape{1, 2, 2, 2}}, {{2, 2}}, {out.data(), shape{1, 2, 2, 2}}),
                      "pooling: [1, 2, 2, 2] into [1, 2, 2, 2], expected dense [1, 1, 1, 2]");
}
