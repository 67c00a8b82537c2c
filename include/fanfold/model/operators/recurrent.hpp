// fanfold/model/operators/recurrent.hpp - LSTM, GRU and simple recurrent layers, in one direction or both.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t, std::uint64_t
#include <memory>       // std::shared_ptr
#include <optional>     // std::optional
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../../kernel/recurrent.hpp"
#include "../operation.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Which of time and row comes first: x [T, N, I] and states [D, N, H], or x [N, T, I] and states [N, D, H].
enum class recurrent_layout { time_first, row_first };

/// One direction of a layer.
struct recurrent_direction {
    kernel::recurrent_options options{};
    kernel::direction way = kernel::direction::forward;
};

/// Weights of a layer where they are constant: W [D, gates H, I], R [D, gates H, H], B [D, 2 gates H] or nothing,
/// P [D, 3 H] or nothing.
struct recurrent_constants {
    tensor_view w, r, b, p;
};

/// A recurrent layer of D directions. Inputs: x, W, R, B, sequence lengths, initial h, initial c, P; all from B on may
/// be left out, and W, R, B, P where they were packed here. Answers: the states at each time, the last one, and an
/// LSTM's last cell.
///
/// shapes   x float32 [T, N, I], lengths int32 [N], states [D, N, H] -> y [T, D, N, H], y_h and y_c [D, N, H]; with
///          row_first x [N, T, I], states [N, D, H], y [N, T, D, H]
/// cost     weights known only in a run are packed in each
/// errors   throws std::invalid_argument naming what does not fit
/// threads  copies share the packed weights; const use from any thread
/// source   ONNX LSTM-14, GRU-14, RNN-14
class recurrent_layer {
public:
    static constexpr bool rereads_weights = true;

    recurrent_layer(std::vector<recurrent_direction> directions, recurrent_layout layout, std::int64_t hidden,
                    const std::optional<recurrent_constants>& constants = {})
        : directions_(std::move(directions)), layout_(layout), hidden_(hidden) {
        if (!constants) return;
        check_weights(value_type{constants->w.type(), constants->w.shape()},
                      value_type{constants->r.type(), constants->r.shape()});
        inputs_ = constants->w.extent(2);
        for (std::size_t d = 0; d < directions_.size(); ++d) {
            const view<const float> w = matrix(constants->w, d), r = matrix(constants->r, d);
            packed_.push_back(std::make_shared<const kernel::packed_recurrent>(
                directions_[d].options, w, r, row(constants->b, d), row(constants->p, d)));
        }
    }

    [[nodiscard]] std::string_view name() const noexcept {
        switch (cell()) {
            case kernel::recurrent_cell::lstm: return "LSTM";
            case kernel::recurrent_cell::gru: return "GRU";
            case kernel::recurrent_cell::rnn: break;
        }
        return "RNN";
    }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1, 8);
        const symbolic_shape& x = in[0].shape;
        if (in[0].type != element::float32 || (x.ranked() && x.rank() != 3))
            detail::refuse("float32 of rank 3", in[0].text());
        if (packed_.empty()) check_weights(in[1], in[2]);
        extent hidden = hidden_ > 0 ? extent(hidden_) : extent::unknown();
        if (!hidden.known() && packed_.empty() && in[2].shape.ranked()) hidden = in[2].shape[2];
        if (!hidden.known() && !packed_.empty()) hidden = static_cast<std::int64_t>(packed_.front()->seen().hidden);
        const extent inputs = !packed_.empty()       ? extent(inputs_)
                              : in[1].shape.ranked() ? in[1].shape[2]
                                                     : extent::unknown();
        if (x.ranked() && !may_equal(x[2], inputs))
            detail::refuse("inputs of " + inputs.text() + " elements", in[0].text());
        const bool rows_first = layout_ == recurrent_layout::row_first;
        const extent time = x.ranked() ? x[rows_first ? 1 : 0] : extent::unknown();
        const extent rows = x.ranked() ? x[rows_first ? 0 : 1] : extent::unknown();
        const auto count = static_cast<std::int64_t>(directions_.size());
        const symbolic_shape y =
            rows_first ? symbolic_shape{rows, time, count, hidden} : symbolic_shape{time, count, rows, hidden};
        const symbolic_shape state =
            rows_first ? symbolic_shape{rows, count, hidden} : symbolic_shape{count, rows, hidden};
        if (given(in, 4) && (in[4].type != element::int32 || !may_equal(in[4].shape, symbolic_shape{rows})))
            detail::refuse("lengths int32 [" + rows.text() + "]", in[4].text());
        for (std::size_t i = 5; i < 7; ++i)
            if (given(in, i) && (in[i].type != element::float32 || !may_equal(in[i].shape, state)))
                detail::refuse("a state float32 " + state.text(), in[i].text());
        std::vector<value_type> out{{element::float32, y}, {element::float32, state}};
        if (cell() == kernel::recurrent_cell::lstm) out.push_back(out.back());
        return out;
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        const std::size_t axis = layout_ == recurrent_layout::row_first ? 0 : 1;
        for (std::size_t i = 0; i < in.size(); ++i) {
            if (!in[i].shape.depends_on_rows()) continue;
            const bool by_row = i == 0 || (i >= 4 && i <= 6);
            if (!by_row || in[i].shape.row_axis() != (i == 4 ? 0 : axis)) return true;
        }
        return false;
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        const workspace::scope scope(space);
        for (std::size_t d = 0; d < directions_.size(); ++d) {
            const kernel::recurrent_weights weights = packed_.empty() ? pack(in, d, space) : packed_[d]->seen();
            kernel::recurrent_io io;
            io.x = by_time(in[0].as<float>());
            if (given(in, 4)) io.lengths = in[4].as<std::int32_t>().flat();
            if (given(in, 5)) io.initial_h = state(in[5].as<float>(), d);
            if (given(in, 6)) io.initial_c = state(in[6].as<float>(), d);
            io.y = states(out[0].as<float>(), d);
            io.y_h = state(out[1].as<float>(), d);
            if (out.size() > 2) io.y_c = state(out[2].as<float>(), d);
            kernel::recurrent(io, weights, directions_[d].way, space);
        }
    }
    /// Of the products.
    [[nodiscard]] std::uint64_t flops(std::span<const shape> in) const {
        const auto hidden = static_cast<std::uint64_t>(
            hidden_ > 0 ? hidden_ : packed_.empty() ? in[2][2] : static_cast<std::int64_t>(packed_[0]->seen().hidden));
        const auto steps = static_cast<std::uint64_t>(in[0][0] * in[0][1]),
                   inputs = static_cast<std::uint64_t>(in[0][2]);
        return 2 * directions_.size() * directions_.front().options.gates() * steps * hidden * (hidden + inputs);
    }
    [[nodiscard]] std::size_t weight_bytes() const {
        std::size_t bytes = 0;
        for (const auto& one : packed_) bytes += one->bytes();
        return bytes;
    }

private:
    [[nodiscard]] kernel::recurrent_cell cell() const { return directions_.front().options.cell; }

    void check_weights(const value_type& w, const value_type& r) const {
        const extent gates = static_cast<std::int64_t>(directions_.front().options.gates());
        const extent hidden = hidden_ > 0                               ? extent(hidden_)
                              : r.shape.ranked() && r.shape.rank() == 3 ? r.shape[2]
                                                                        : extent::unknown();
        const auto count = static_cast<std::int64_t>(directions_.size());
        const symbolic_shape both{count, hidden * gates, extent::unknown()};
        const symbolic_shape square{count, hidden * gates, hidden};
        if (w.type != element::float32 || r.type != element::float32 || !may_equal(w.shape, both) ||
            !may_equal(r.shape, square))
            detail::refuse("weights float32 " + both.text() + " and " + square.text(), w.text() + " and " + r.text());
    }
    static view<const float> matrix(const tensor_view& weights, std::size_t d) {
        const tensor_view one = weights.slice(0, d, 1);
        return {reinterpret_cast<const float*>(one.data()), shape{one.extent(1), one.extent(2)},
                strides{one.steps()[1], one.steps()[2]}};
    }
    static std::span<const float> row(const tensor_view& values, std::size_t d) {
        if (values.size() == 0) return {};
        if (values.rank() != 2) detail::refuse("biases and peepholes of rank 2", describe(values));
        return values.slice(0, d, 1).as<float>().flat();
    }
    kernel::recurrent_weights pack(std::span<const tensor_view> in, std::size_t d, workspace& space) const {
        const view<const float> w = matrix(in[1], d), r = matrix(in[2], d);
        const kernel::recurrent_options& options = directions_[d].options;
        const std::size_t floats = kernel::recurrent_weights::floats(options, static_cast<std::size_t>(w.extent(1)),
                                                                     static_cast<std::size_t>(r.extent(1)));
        return kernel::pack_recurrent(options, w, r, given(in, 3) ? row(in[3], d) : std::span<const float>(),
                                      given(in, 7) ? row(in[7], d) : std::span<const float>(),
                                      space.take<float>(floats));
    }

    /// [T, N, I]
    view<const float> by_time(const view<const float>& x) const {
        if (layout_ == recurrent_layout::time_first) return x;
        return {x.data(), shape{x.extent(1), x.extent(0), x.extent(2)}, strides{x.step(1), x.step(0), x.step(2)}};
    }
    /// [N, H] of direction d
    template <class T>
    view<T> state(const view<T>& all, std::size_t d) const {
        const bool rows_first = layout_ == recurrent_layout::row_first;
        const std::size_t rows = rows_first ? 0 : 1, directions = rows_first ? 1 : 0;
        return {all.data() + static_cast<std::int64_t>(d) * all.step(directions),
                shape{all.extent(rows), all.extent(2)}, strides{all.step(rows), all.step(2)}};
    }
    /// [T, N, H] of direction d
    template <class T>
    view<T> states(const view<T>& all, std::size_t d) const {
        const bool rows_first = layout_ == recurrent_layout::row_first;
        const std::size_t time = rows_first ? 1 : 0, directions = rows_first ? 2 : 1, rows = rows_first ? 0 : 2;
        return {all.data() + static_cast<std::int64_t>(d) * all.step(directions),
                shape{all.extent(time), all.extent(rows), all.extent(3)},
                strides{all.step(time), all.step(rows), all.step(3)}};
    }

    std::vector<recurrent_direction> directions_;
    recurrent_layout layout_;
    std::int64_t hidden_;
    std::int64_t inputs_ = 0;
    std::vector<std::shared_ptr<const kernel::packed_recurrent>> packed_;
};
static_assert(graph_operation<recurrent_layer>);

}  // namespace fanfold::inline FANFOLD_ABI
