// fanfold/kernel/recurrent.hpp - LSTM, GRU and simple recurrent layers, one direction at a time.
//   in    x [T, N, I], packed weights      out   the state after each step [T, N, H], and after the last one [N, H]
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min, std::max, std::fill_n
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int32_t
#include <cstring>    // std::memcpy
#include <limits>     // std::numeric_limits
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string

#include "../context/workspace.hpp"
#include "activation.hpp"
#include "gate_activation.hpp"
#include "matmul.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

enum class recurrent_cell : std::uint8_t { lstm, gru, rnn };
/// Whether a GRU's reset gate meets the state before the product with its weights,
/// or the product (linear_before_reset).
enum class reset_order : std::uint8_t { before_product, after_product };
/// Whether an LSTM's forget gate is computed, or 1 - input gate (input_forget).
enum class forget_gate : std::uint8_t { own, coupled };
enum class direction : std::uint8_t { forward, reverse };

/// How a cell computes; `activations` are ONNX's f, g and h.
struct recurrent_options {
    recurrent_cell cell = recurrent_cell::lstm;
    std::array<gate_activation, 3> activations{{{gate_activation::kind::sigmoid, 0, 0},
                                                {gate_activation::kind::tanh, 0, 0},
                                                {gate_activation::kind::tanh, 0, 0}}};
    float clip = std::numeric_limits<float>::infinity();  ///< of what goes into an activation
    reset_order reset = reset_order::before_product;
    forget_gate forget = forget_gate::own;

    /// How many gates the weights hold.
    [[nodiscard]] std::size_t gates() const noexcept {
        return cell == recurrent_cell::lstm ? 4 : cell == recurrent_cell::gru ? 3 : 1;
    }
    /// Whether the last gate has a product of its own: a GRU that resets before it.
    [[nodiscard]] bool splits() const noexcept {
        return cell == recurrent_cell::gru && reset != reset_order::after_product;
    }
};

namespace detail {

struct cell_call {
    // Gates of one row; null recurrent: it is in the input already.
    const float *input = nullptr, *recurrent = nullptr, *candidate = nullptr;
    float *state = nullptr, *cell = nullptr, *update = nullptr, *held = nullptr;
    const float* peepholes = nullptr;
    std::size_t hidden = 0;
    std::array<gate_activation, 3> activations;
    float clip = 0;
    forget_gate forget = forget_gate::own;
};

}  // namespace detail
}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI

// The order matters.
// clang-format off
#include "target/baseline_begin.inc"
#include "body/recurrent.inc"
#include "target/end.inc"
#if FANFOLD_X86_64
#include "target/avx2_begin.inc"
#include "body/recurrent.inc"
#include "target/end.inc"

#include "target/avx512_begin.inc"
#include "body/recurrent.inc"
#include "target/end.inc"
#endif
// clang-format on

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// Weights of one direction, packed elsewhere.
struct recurrent_weights {
    recurrent_options options;
    packed_view input;         ///< [I, gates * H] with all biases that may be added early
    packed_view recurrent;     ///< [H, gates * H]; a GRU that resets before the product: [H, 2 H]
    packed_view candidate;     ///< then its third gate [H, H]; else empty
    const float* peepholes{};  ///< [3 H]: i, o, f; null for none
    std::size_t hidden = 0;

    /// What pack_recurrent needs for inputs of `inputs` elements.
    [[nodiscard]] static std::size_t floats(const recurrent_options& options, std::size_t inputs, std::size_t hidden) {
        const std::size_t wide = options.gates() * hidden, padded = (wide + 15) / 16 * 16;
        const std::size_t together = options.splits() ? 2 * hidden : wide;
        return packed_view::floats(inputs, wide) + packed_view::floats(hidden, together) +
               (options.splits() ? packed_view::floats(hidden, hidden) : 0) + 2 * padded + (3 * hidden + 15) / 16 * 16;
    }
};

/// Packs ONNX's W, R, B and P of one direction into `room`, which must outlive the result.
///
/// shapes   w [gates * H, I], r [gates * H, H] of any strides; gates in ONNX's order (LSTM i o f c, GRU z r h);
///          bias [2 * gates * H] or empty; peepholes [3 H] (i o f) or empty; room of recurrent_weights::floats
/// cost     reads and writes each weight once; weights known only at run time can be packed into a workspace per call
/// errors   throws std::invalid_argument when the shapes do not fit or a cell other than LSTM has peepholes
[[nodiscard]] inline recurrent_weights pack_recurrent(const recurrent_options& options, const view<const float>& w,
                                                      const view<const float>& r, std::span<const float> bias,
                                                      std::span<const float> peepholes, std::span<float> room) {
    const std::size_t gates = options.gates();
    const std::size_t hidden = r.rank() == 2 ? static_cast<std::size_t>(r.extent(1)) : 0, wide = gates * hidden;
    const auto is = [](std::int64_t extent, std::size_t expected) {
        return static_cast<std::size_t>(extent) == expected;
    };
    if (w.rank() != 2 || r.rank() != 2 || !is(w.extent(0), wide) || !is(r.extent(0), wide) ||
        (!bias.empty() && bias.size() != 2 * wide) ||
        (!peepholes.empty() && (options.cell != recurrent_cell::lstm || peepholes.size() != 3 * hidden)))
        throw std::invalid_argument("recurrent: W " + w.shape().text() + ", R " + r.shape().text() + ", B of " +
                                    std::to_string(bias.size()) + " and P of " + std::to_string(peepholes.size()) +
                                    " do not fit " + std::to_string(gates) + " gates");
    const auto inputs = static_cast<std::size_t>(w.extent(1));
    if (room.size() < recurrent_weights::floats(options, inputs, hidden))
        throw std::invalid_argument("recurrent: room for " + std::to_string(room.size()) + " floats is too small");
    std::size_t used = 0;
    const auto take = [&](std::size_t count) {
        const auto taken = room.subspan(used, count);
        used += (count + 15) / 16 * 16;
        return taken;
    };
    const auto packed = [&](const view<const float>& weights, std::size_t first, std::size_t count) {
        const view<const float> turned(weights.data() + static_cast<std::int64_t>(first) * weights.step(0),
                                       shape{weights.extent(1), static_cast<std::int64_t>(count)},
                                       strides{weights.step(1), weights.step(0)});
        return pack(turned, take(packed_view::floats(static_cast<std::size_t>(weights.extent(1)), count)));
    };
    const bool late = options.cell == recurrent_cell::gru && options.reset == reset_order::after_product;
    const bool split = options.splits();
    recurrent_weights made;
    made.options = options;
    made.hidden = hidden;
    made.input = packed(w, 0, wide);
    made.recurrent = packed(r, 0, split ? 2 * hidden : wide);
    if (split) made.candidate = packed(r, 2 * hidden, hidden);
    if (!bias.empty()) {
        const std::size_t padded = (wide + 15) / 16 * 16;
        const auto early = take(padded), with_product = take(padded);
        for (std::size_t n = 0; n < padded; ++n) {
            const bool waits = late && n >= 2 * hidden;  // is multiplied by the reset gate first
            early[n] = n >= wide ? 0.0F : waits ? bias[n] : bias[n] + bias[wide + n];
            with_product[n] = n < wide && waits ? bias[wide + n] : 0.0F;
        }
        made.input.bias = early.data();
        if (late) made.recurrent.bias = with_product.data();
    }
    if (!peepholes.empty()) {
        const auto kept = take(peepholes.size());
        std::memcpy(kept.data(), peepholes.data(), peepholes.size_bytes());
        made.peepholes = kept.data();
    }
    return made;
}

/// Owns packed weights of one direction: pack once, run often. As pack_recurrent.
///
/// threads  const use from any thread
class packed_recurrent {
public:
    packed_recurrent(const recurrent_options& options, const view<const float>& w, const view<const float>& r,
                     std::span<const float> bias, std::span<const float> peepholes) {
        const auto last = [](const view<const float>& v) {
            return v.rank() == 2 ? static_cast<std::size_t>(v.extent(1)) : std::size_t{0};
        };
        const std::size_t floats = recurrent_weights::floats(options, last(w), last(r));
        data_ = tensor::populated(element::float32, shape{static_cast<std::int64_t>(floats)});
        seen_ = pack_recurrent(options, w, r, bias, peepholes, {reinterpret_cast<float*>(data_.data()), floats});
    }
    packed_recurrent(packed_recurrent&&) = default;
    packed_recurrent& operator=(packed_recurrent&&) = default;
    packed_recurrent(const packed_recurrent&) = delete;  // seen() points into the memory
    packed_recurrent& operator=(const packed_recurrent&) = delete;

    [[nodiscard]] const recurrent_weights& seen() const& { return seen_; }
    const recurrent_weights& seen() const&& = delete;  // would dangle
    [[nodiscard]] std::size_t bytes() const { return data_.bytes(); }

private:
    tensor data_;
    recurrent_weights seen_;
};

/// What a recurrent layer reads and writes. A view of size 0 stands for what is absent or not wanted.
///
/// shapes   x [T, N, I] of any strides; lengths [N] or empty; initial_h, initial_c, y_h, y_c [N, H]; y [T, N, H]; all
///          but x with step 1 along H. Other layouts and directions are a matter of strides
struct recurrent_io {
    view<const float> x;
    std::span<const std::int32_t> lengths;
    view<const float> initial_h, initial_c;
    view<float> y, y_h, y_c;
};

namespace detail {

inline void check_recurrent(const recurrent_io& io, const recurrent_weights& w) {
    const auto hidden = static_cast<std::int64_t>(w.hidden);
    const bool ranks = io.x.rank() == 3;
    const std::int64_t steps = ranks ? io.x.extent(0) : 0, rows = ranks ? io.x.extent(1) : 0;
    const auto fits = [&](const auto& v, const shape& expected) {
        return v.size() == 0 || (v.shape() == expected && (v.step(expected.rank() - 1) == 1 || w.hidden == 1));
    };
    const shape state{rows, hidden};
    bool right = ranks && static_cast<std::size_t>(io.x.extent(2)) == w.input.inner && fits(io.initial_h, state) &&
                 fits(io.initial_c, state) && fits(io.y_h, state) && fits(io.y_c, state) &&
                 fits(io.y, {steps, rows, hidden}) &&
                 (io.lengths.empty() || io.lengths.size() == static_cast<std::size_t>(rows));
    for (const std::int32_t length : io.lengths) right = right && length >= 0 && length <= steps;
    if (!right)
        throw std::invalid_argument("recurrent: x " + io.x.shape().text() + ", h " + io.initial_h.shape().text() +
                                    ", c " + io.initial_c.shape().text() + " into " + io.y.shape().text() +
                                    " with weights [" + std::to_string(w.input.inner) + ", " +
                                    std::to_string(w.hidden) + "] and " + std::to_string(io.lengths.size()) +
                                    " lengths");
}

/// What nearly every network has: sigmoid, tanh, tanh, nothing clipped, coupled or peeped through.
[[nodiscard]] inline bool usual_lstm(const recurrent_weights& w) {
    using kind = gate_activation::kind;
    const recurrent_options& o = w.options;
    return o.activations[0].function == kind::sigmoid && o.activations[1].function == kind::tanh &&
           o.activations[2].function == kind::tanh && o.clip == std::numeric_limits<float>::infinity() &&
           o.forget == forget_gate::own && w.peepholes == nullptr;
}

inline void recurrent(isa set, const recurrent_io& io, const recurrent_weights& w, direction way, workspace& space) {
    check_recurrent(io, w);
    const std::int64_t steps = io.x.extent(0), rows = io.x.extent(1), inputs = io.x.extent(2);
    const auto hidden = static_cast<std::int64_t>(w.hidden), wide = static_cast<std::int64_t>(w.input.columns);
    if (rows == 0 || hidden == 0) return;
    const workspace::scope scope(space);
    const std::int64_t block = std::clamp<std::int64_t>((std::int64_t{1} << 16) / (rows * wide), 1,
                                                        std::max<std::int64_t>(steps, 1));  // steps at a time: 256 KiB
    const auto room = [&](std::int64_t columns) { return space.take<float>(static_cast<std::size_t>(rows * columns)); };
    const auto projected = space.take<float>(static_cast<std::size_t>(block * rows * wide));
    const bool split = w.candidate.panels != nullptr;
    const bool late = w.recurrent.bias != nullptr || (w.options.cell == recurrent_cell::gru && !split);
    const auto product = room(late ? wide : 0), state = room(hidden), cell = room(hidden);
    const auto update = room(split ? hidden : 0), held = room(split ? hidden : 0), candidate = room(split ? hidden : 0);

    const auto bytes = w.hidden * sizeof(float);
    const auto row_of = [hidden](auto floats, std::int64_t n) { return floats.data() + n * hidden; };
    for (std::int64_t n = 0; n < rows; ++n) {
        std::fill_n(row_of(state, n), hidden, 0.0F);
        std::fill_n(row_of(cell, n), hidden, 0.0F);
        if (io.initial_h.size() != 0) std::memcpy(row_of(state, n), &io.initial_h(n, 0), bytes);
        if (io.initial_c.size() != 0) std::memcpy(row_of(cell, n), &io.initial_c(n, 0), bytes);
    }
    const auto length = [&](std::int64_t n) {
        return io.lengths.empty() ? steps : std::int64_t{io.lengths[static_cast<std::size_t>(n)]};
    };
    const auto row_function = [&] {
        if (w.options.cell == recurrent_cell::lstm)
            return usual_lstm(w) ? pick(set, &baseline::usual_lstm_row, &avx2::usual_lstm_row, &avx512::usual_lstm_row)
                                 : pick(set, &baseline::lstm_row, &avx2::lstm_row, &avx512::lstm_row);
        if (w.options.cell == recurrent_cell::rnn)
            return pick(set, &baseline::rnn_row, &avx2::rnn_row, &avx512::rnn_row);
        return split ? pick(set, &baseline::gru_update_row, &avx2::gru_update_row, &avx512::gru_update_row)
                     : pick(set, &baseline::gru_row, &avx2::gru_row, &avx512::gru_row);
    }();
    const auto reset_function = pick(set, &baseline::gru_reset_row, &avx2::gru_reset_row, &avx512::gru_reset_row);
    const shape states{rows, hidden};
    for (std::int64_t start = 0; start < steps; start += block) {
        const std::int64_t end = std::min(start + block, steps);
        // The inputs of each row's steps [start, end), at [step - start][row].
        const auto time = [&](std::int64_t step, std::int64_t n) {
            return way == direction::forward ? step : length(n) - 1 - step;
        };
        if (way == direction::forward) {
            for (std::int64_t step = start; step < end;) {
                const bool joined = rows == 1 || io.x.step(0) == rows * io.x.step(1);
                const std::int64_t count = joined ? end - step : 1;
                matmul(set,
                       {io.x.data() + step * io.x.step(0), shape{count * rows, inputs},
                        strides{rows == 1 ? io.x.step(0) : io.x.step(1), io.x.step(2)}},
                       w.input, {projected.data() + (step - start) * rows * wide, shape{count * rows, wide}},
                       activation::none);
                step += count;
            }
        } else {
            for (std::int64_t n = 0; n < rows; ++n) {
                const std::int64_t count = std::min(end, length(n)) - start;
                if (count <= 0) continue;
                matmul(set,
                       {io.x.data() + time(start, n) * io.x.step(0) + n * io.x.step(1), shape{count, inputs},
                        strides{-io.x.step(0), io.x.step(2)}},
                       w.input, {projected.data() + n * wide, shape{count, wide}, strides{rows * wide, 1}},
                       activation::none);
            }
        }
        for (std::int64_t step = start; step < end; ++step) {
            space.stop.check();
            float* const gates = projected.data() + (step - start) * rows * wide;
            const shape all_gates{rows, static_cast<std::int64_t>(w.recurrent.columns)};
            matmul(set, {state.data(), states}, w.recurrent,
                   {late ? product.data() : gates, all_gates, strides{wide, 1}}, activation::none,
                   late ? matmul_start::bias : matmul_start::out);
            const auto each = [&](auto function) {
                for (std::int64_t n = 0; n < rows; ++n) {
                    if (step >= length(n)) continue;
                    function({gates + n * wide, late ? product.data() + n * wide : nullptr, row_of(candidate, n),
                              row_of(state, n), row_of(cell, n), row_of(update, n), row_of(held, n), w.peepholes,
                              w.hidden, w.options.activations, w.options.clip, w.options.forget});
                }
            };
            if (split) {
                std::fill(held.begin(), held.end(), 0.0F);  // of rows that have ended
                each(reset_function);
                matmul(set, {held.data(), states}, w.candidate, {candidate.data(), states}, activation::none);
            }
            each(row_function);
            if (io.y.size() == 0) continue;
            for (std::int64_t n = 0; n < rows; ++n) {
                if (step < length(n))
                    std::memcpy(&io.y(time(step, n), n, 0), row_of(state, n), bytes);
                else
                    std::fill_n(&io.y(step, n, 0), hidden, 0.0F);
            }
        }
    }
    for (std::int64_t n = 0; n < rows; ++n) {
        if (io.y_h.size() != 0) std::memcpy(&io.y_h(n, 0), row_of(state, n), bytes);
        if (io.y_c.size() != 0) std::memcpy(&io.y_c(n, 0), row_of(cell, n), bytes);
    }
}

}  // namespace detail

/// One direction of a recurrent layer. A row's steps behind its length give 0 in y and leave its state alone; the
/// reverse direction starts at the row's own last step, and y stays in the order of time.
///
/// cost     2 T N (I + H) gates H flops; inputs meet their weights in blocks of steps, then there is one product a step
///          for all rows. About 256 KiB of scratch, more when one step needs more
/// errors   throws std::invalid_argument when the shapes do not fit, stopped_error between steps when it is time
/// threads  re-entrant with a workspace each; the bits of a row do not depend on N
/// source   ONNX LSTM-14, GRU-14, RNN-14
inline void recurrent(const recurrent_io& io, const recurrent_weights& w, direction way, workspace& space) {
    detail::recurrent(active_isa(), io, w, way, space);
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
