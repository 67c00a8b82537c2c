// SPDX-License-Identifier: MIT
#include <fanfold/kernel/recurrent.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;
using kernel::gate_activation;
using kernel::recurrent_cell;

namespace {

double applied(const gate_activation& a, double x) {
    using kind = gate_activation::kind;
    const double alpha = a.alpha, beta = a.beta;
    switch (a.function) {
        case kind::sigmoid: return 1 / (1 + std::exp(-x));
        case kind::tanh: return std::tanh(x);
        case kind::relu: return std::max(x, 0.0);
        case kind::leaky_relu: return x < 0 ? alpha * x : x;
        case kind::thresholded_relu: return x > alpha ? x : 0;
        case kind::scaled_tanh: return alpha * std::tanh(beta * x);
        case kind::hard_sigmoid: return std::min(1.0, std::max(0.0, alpha * x + beta));
        case kind::elu: return x < 0 ? alpha * std::expm1(x) : x;
        case kind::softsign: return x / (1 + std::abs(x));
        case kind::softplus: return std::log1p(std::exp(x));
        case kind::affine: return alpha * x + beta;
    }
    return 0;
}

struct layer {
    kernel::recurrent_options options;
    std::int64_t inputs, hidden;
    std::vector<float> w, r, b, p;

    layer(const kernel::recurrent_options& o, std::int64_t i, std::int64_t h, bool peepholes, numbers& next)
        : options(o), inputs(i), hidden(h) {
        const std::size_t wide = o.gates() * static_cast<std::size_t>(h);
        w = next.some(wide * static_cast<std::size_t>(i));
        r = next.some(wide * static_cast<std::size_t>(h));
        b = next.some(2 * wide);
        for (float& x : r) x /= std::sqrt(static_cast<float>(h));
        if (peepholes) p = next.some(static_cast<std::size_t>(3 * h));
    }
    kernel::packed_recurrent packed() const {
        const auto wide = static_cast<std::int64_t>(options.gates()) * hidden;
        return {options, {w.data(), shape{wide, inputs}}, {r.data(), shape{wide, hidden}}, b, p};
    }

    /// One step of one row, in double.
    void step(const float* x, std::vector<double>& h, std::vector<double>& c) const {
        const auto size = static_cast<std::size_t>(hidden), in = static_cast<std::size_t>(inputs);
        const std::size_t wide = options.gates() * size;
        const auto from_x = [&](std::size_t g) {
            double sum = b[g];
            for (std::size_t i = 0; i < in; ++i) sum += double{w[g * in + i]} * x[i];
            return sum;
        };
        const auto from_h = [&](std::size_t g, const std::vector<double>& state) {
            double sum = b[wide + g];
            for (std::size_t i = 0; i < size; ++i) sum += r[g * size + i] * state[i];
            return sum;
        };
        const auto act = [&](std::size_t which, double v) {
            return applied(options.activations[which], std::clamp<double>(v, -options.clip, options.clip));
        };
        const std::vector<double> before = h;
        std::vector<double> reset = h;
        if (options.cell == recurrent_cell::gru)
            for (std::size_t k = 0; k < size; ++k) reset[k] *= act(0, from_x(size + k) + from_h(size + k, before));
        for (std::size_t k = 0; k < size; ++k) {
            const auto sum = [&](std::size_t gate) {
                return from_x(gate * size + k) + from_h(gate * size + k, before);
            };
            if (options.cell == recurrent_cell::rnn) {
                h[k] = act(0, sum(0));
            } else if (options.cell == recurrent_cell::gru) {
                const double z = act(0, sum(0));
                const double product = options.reset == kernel::reset_order::after_product
                                           ? act(0, sum(1)) * from_h(2 * size + k, before)
                                           : from_h(2 * size + k, reset);
                h[k] = (1 - z) * act(1, from_x(2 * size + k) + product) + z * before[k];
            } else {
                const auto peep = [&](std::size_t which) { return p.empty() ? 0.0 : double{p[which * size + k]}; };
                const double i = act(0, sum(0) + peep(0) * c[k]);
                const double f =
                    options.forget == kernel::forget_gate::coupled ? 1 - i : act(0, sum(2) + peep(2) * c[k]);
                c[k] = f * c[k] + i * act(1, sum(3));
                h[k] = act(0, sum(1) + peep(1) * c[k]) * act(2, c[k]);
            }
        }
    }
};

void check_layer(kernel::isa set, const layer& l, std::int64_t steps, std::int64_t rows, kernel::direction way,
                 std::vector<std::int32_t> lengths, numbers& next) {
    workspace space;
    const auto packed = l.packed();
    const auto h = static_cast<std::size_t>(l.hidden), n_rows = static_cast<std::size_t>(rows);
    const shape states{rows, l.hidden}, answers{steps, rows, l.hidden};
    const std::vector<float> x = next.some(static_cast<std::size_t>(steps * rows * l.inputs));
    const std::vector<float> h0 = next.some(n_rows * h), c0 = next.some(n_rows * h);
    guarded in(x, 3), y(static_cast<std::size_t>(steps) * n_rows * h), y_h(n_rows * h), y_c(n_rows * h);
    kernel::detail::recurrent(set,
                              {in.as({steps, rows, l.inputs}),
                               lengths,
                               {h0.data(), states},
                               {c0.data(), states},
                               y.as(answers),
                               y_h.as(states),
                               y_c.as(states)},
                              packed.seen(), way, space);
    CHECK((y.intact() && y_h.intact() && y_c.intact()));
    bool right = true;
    for (std::int64_t n = 0; n < rows; ++n) {
        const auto row = static_cast<std::size_t>(n);
        const std::int64_t length = lengths.empty() ? steps : lengths[row];
        std::vector<double> state(h0.begin() + n * l.hidden, h0.begin() + (n + 1) * l.hidden);
        std::vector<double> cell(c0.begin() + n * l.hidden, c0.begin() + (n + 1) * l.hidden);
        for (std::int64_t s = 0; s < steps; ++s) {
            const std::int64_t t = way == kernel::direction::forward || s >= length ? s : length - 1 - s;
            if (s < length) l.step(x.data() + (t * rows + n) * l.inputs, state, cell);
            for (std::size_t k = 0; k < h; ++k)
                right = right && near(y.span()[static_cast<std::size_t>(t * rows + n) * h + k],
                                      s < length ? state[k] : 0.0, 3, 60);
        }
        for (std::size_t k = 0; k < h; ++k) {
            right = right && near(y_h.span()[row * h + k], state[k], 3, 60);
            if (l.options.cell == recurrent_cell::lstm) right = right && near(y_c.span()[row * h + k], cell[k], 3, 60);
        }
    }
    CHECK(right);
    // Each row alone, with steps behind the batch axis (layout 1), gives the same bits.
    bool same = true;
    for (std::int64_t n = 0; n < rows; ++n) {
        const auto row = static_cast<std::size_t>(n);
        std::vector<float> one(static_cast<std::size_t>(steps) * h);
        const auto length = lengths.empty() ? std::span<const std::int32_t>() : std::span(lengths).subspan(row, 1);
        kernel::detail::recurrent(
            set,
            {{in.data() + n * l.inputs, shape{steps, 1, l.inputs}, strides{rows * l.inputs, 7, 1}},
             length,
             {h0.data() + row * h, shape{1, l.hidden}},
             {c0.data() + row * h, shape{1, l.hidden}},
             {one.data(), shape{steps, 1, l.hidden}},
             {},
             {}},
            packed.seen(), way, space);
        for (std::int64_t t = 0; t < steps; ++t)
            same = same && same_bits(std::span<const float>(one).subspan(static_cast<std::size_t>(t) * h, h),
                                     y.span().subspan(static_cast<std::size_t>(t * rows + n) * h, h));
    }
    CHECK(same);
}

}  // namespace

TEST_CASE("LSTM, GRU and RNN agree with ONNX's equations in double; a row alone gives the same bits",
          "[kernel][recurrent][every_isa]") {
    numbers next(1);
    kernel::recurrent_options lstm, gru, late, rnn, coupled;
    gru.cell = late.cell = recurrent_cell::gru;
    late.reset = kernel::reset_order::after_product;
    rnn.cell = recurrent_cell::rnn;
    rnn.activations[0] = kernel::gate_activation_named("Tanh");
    coupled.forget = kernel::forget_gate::coupled;
    coupled.clip = 0.7F;
    for (const auto set : every_isa())
        for (const auto& options : {lstm, gru, late, rnn, coupled})
            for (const auto way : {kernel::direction::forward, kernel::direction::reverse})
                for (const std::int64_t hidden : {1, 5, 19, 32}) {
                    INFO(kernel::name_of(set) << " cell " << int(options.cell) << " hidden " << hidden);
                    const layer l(options, 7, hidden, options.cell == recurrent_cell::lstm && hidden != 5, next);
                    check_layer(set, l, 6, 4, way, {}, next);
                    check_layer(set, l, 5, 3, way, {2, 5, 0}, next);
                }
}

TEST_CASE("inputs that do not fit one block of steps meet their weights block by block", "[kernel][recurrent]") {
    numbers next(2);
    const layer l({}, 2, 160, false, next);
    for (const auto way : {kernel::direction::forward, kernel::direction::reverse})
        check_layer(kernel::active_isa(), l, 4, 60, way, {}, next);
}

TEST_CASE("every activation that ONNX names can stand in a cell", "[kernel][recurrent][every_isa]") {
    numbers next(3);
    for (const char* name :
         {"Relu", "LeakyRelu", "ThresholdedRelu", "ScaledTanh", "HardSigmoid", "Elu", "Softsign", "Softplus", "Affine"})
        for (const auto set : every_isa()) {
            INFO(name);
            kernel::recurrent_options options;
            options.cell = recurrent_cell::rnn;
            options.activations[0] = kernel::gate_activation_named(name, 0.3F, 0.6F);
            const layer l(options, 3, 17, false, next);
            check_layer(set, l, 3, 2, kernel::direction::forward, {}, next);
        }
}

TEST_CASE("recurrent layers refuse what does not fit, by text", "[kernel][recurrent]") {
    numbers next(4);
    const layer l({}, 2, 3, false, next);
    const auto packed = l.packed();
    workspace space;
    std::vector<float> x(4), y(6);
    const std::vector<std::int32_t> long_one{3};
    CHECK_THROWS_AS(kernel::recurrent({{x.data(), shape{2, 2, 1}}, {}, {}, {}, {}, {}, {}}, packed.seen(),
                                      kernel::direction::forward, space),
                    std::invalid_argument);
    CHECK_THROWS_AS(kernel::recurrent({{x.data(), shape{2, 1, 2}}, long_one, {}, {}, {}, {}, {}}, packed.seen(),
                                      kernel::direction::forward, space),
                    std::invalid_argument);
    CHECK_THROWS_AS(kernel::packed_recurrent({}, {x.data(), shape{2, 2}}, {x.data(), shape{2, 2}}, {}, {}),
                    std::invalid_argument);
}

TEST_CASE("a state of another number of rows does not fit one hidden element either", "[kernel][recurrent]") {
    numbers next(4);
    const layer l({}, 1, 1, false, next);
    const auto packed = l.packed();
    workspace space;
    std::vector<float> x(8), h(8);
    const view<const float> steps{x.data(), shape{1, 8, 1}};
    CHECK_NOTHROW(kernel::recurrent({steps, {}, {h.data(), shape{8, 1}, strides{1, 7}}, {}, {}, {}, {}}, packed.seen(),
                                    kernel::direction::forward, space));
    CHECK_THROWS_AS(kernel::recurrent({steps, {}, {h.data(), shape{1, 1}}, {}, {}, {}, {}}, packed.seen(),
                                      kernel::direction::forward, space),
                    std::invalid_argument);
}
