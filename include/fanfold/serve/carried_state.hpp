// fanfold/serve/carried_state.hpp - a network with its state among inputs and answers, as a model that steps.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <new>        // placement new
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

#include "../infer/rows.hpp"
#include "../model/model.hpp"
#include "stepping.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// A state that goes from an answer of one step to an input of the next.
struct carried {
    std::size_t input = 0;
    std::size_t answer = 0;
};

struct carried_state_options {
    std::size_t item = 0;    ///< the input that a sequence's items are for
    std::size_t answer = 0;  ///< the answer that is a sequence's
    std::vector<carried> states = {};
};

/// Each item has an answer. The states of all sequences stand in one tensor for each, along the row axis that its input
/// declares; a step gathers the rows of its sequences and puts back what the model answers.
///
/// example  carried_state vad(silero, batch{part{frame}, part{zeros, 1}, part{rate, shared_by_all_rows}},
///                            {.states = {{.input = 1, .answer = 1}}});
/// cost     a copy of each row's item, answer and states a step
/// errors   throws std::invalid_argument when inputs, answers and states do not fit
/// requires the model outlives it, and computes rows independently
template <declared_model M>
class carried_state {
public:
    /// `begin`: each input with one row, as a sequence begins.
    carried_state(const M& model, batch begin, carried_state_options how)
        : model_(model), begin_(std::move(begin)), how_(std::move(how)) {
        const std::vector<tensor_type> answers = model_.answers(begin_);
        const auto one_row = [](const tensor_type& type, std::size_t axis) {
            return type.rows && *type.rows == axis && type.shape[axis] == 1;
        };
        const auto refuse = [](const std::string& what) { throw std::invalid_argument("carried_state: " + what); };
        if (begin_.rows() != 1) refuse("expected one row as a sequence begins, got " + std::to_string(begin_.rows()));
        if (how_.item >= begin_.size() || begin_.parts()[how_.item].rows() != row_axis(0))
            refuse("input " + std::to_string(how_.item) + " has no rows along axis 0 that could be items");
        if (how_.answer >= answers.size() || !one_row(answers[how_.answer], 0))
            refuse("answer " + std::to_string(how_.answer) + " has no rows along axis 0");
        for (const carried& c : how_.states) {
            if (c.input >= begin_.size() || c.answer >= answers.size() || !begin_.parts()[c.input].rows())
                refuse("input " + std::to_string(c.input) + " and answer " + std::to_string(c.answer) +
                       " are no state of a row");
            const tensor_view& from = begin_[c.input];
            if (answers[c.answer].type != from.type() || !(answers[c.answer].shape == from.shape()) ||
                answers[c.answer].rows != begin_.parts()[c.input].rows())
                refuse("input " + describe(from) + " cannot be answer " + answers[c.answer].shape.text());
        }
        form_ = {of_row(begin_[how_.item].type(), begin_[how_.item].shape()),
                 of_row(answers[how_.answer].type, answers[how_.answer].shape), sequence_kind::answer_by_item, 1};
    }

    [[nodiscard]] step_form form() const { return form_; }

    struct state_of_all {
        std::vector<tensor> slots;                    // by state
        std::vector<std::vector<tensor_type>> types;  // of the answers, by rows
    };
    [[nodiscard]] state_of_all state(std::size_t slots) const {
        state_of_all made{{}, std::vector<std::vector<tensor_type>>(slots + 1)};
        for (const carried& c : how_.states)
            made.slots.emplace_back(begin_[c.input].type(), with_rows(begin_.parts()[c.input], slots));
        return made;
    }

    void step(state_of_all& states, std::span<const step_piece> pieces, const tensor_view& items,
              const mutable_tensor_view& answers, workspace& space) const {
        const std::size_t rows = pieces.size();
        for (std::size_t s = 0; s < how_.states.size(); ++s)
            for (const step_piece& p : pieces)
                if (p.position == 0)
                    detail::copy_elements(begin_[how_.states[s].input], row_of(states.slots[s], s, p.slot));
        const auto in = space.take<tensor_view>(begin_.size());
        for (std::size_t i = 0; i < begin_.size(); ++i) {
            const part& one = begin_.parts()[i];
            new (&in[i]) tensor_view(i == how_.item ? items : one.data());
            if (i == how_.item || !one.rows()) continue;
            const mutable_tensor_view gathered = detail::take_tensor(space, one.data().type(), with_rows(one, rows));
            for (std::size_t row = 0; row < rows; ++row)
                detail::copy_elements(source_of(states, i, pieces[row].slot), gathered.slice(*one.rows(), row, 1));
            new (&in[i]) tensor_view(gathered);
        }
        const std::vector<tensor_type>& types = types_of(states, in, rows);
        const auto out = space.take<mutable_tensor_view>(types.size());
        for (std::size_t i = 0; i < types.size(); ++i)
            new (&out[i]) mutable_tensor_view(
                i == how_.answer ? answers : detail::take_tensor(space, types[i].type, types[i].shape));
        model_(batch_view(in, rows), mutable_batch_view(out, rows), space);
        for (std::size_t s = 0; s < how_.states.size(); ++s)
            for (std::size_t row = 0; row < rows; ++row)
                detail::copy_elements(out[how_.states[s].answer].slice(axis_of(s), row, 1),
                                      row_of(states.slots[s], s, pieces[row].slot));
    }

private:
    [[nodiscard]] static tensor_type of_row(element type, const shape& whole) {
        std::int64_t extents[shape::max_rank] = {};
        for (std::size_t axis = 1; axis < whole.rank(); ++axis) extents[axis - 1] = whole[axis];
        return {type, shape({extents, whole.rank() - 1}), {}, {}};
    }
    [[nodiscard]] static shape with_rows(const part& one, std::size_t rows) {
        return one.data().shape().with(*one.rows(), static_cast<std::int64_t>(rows));
    }
    [[nodiscard]] std::size_t axis_of(std::size_t s) const { return *begin_.parts()[how_.states[s].input].rows(); }
    [[nodiscard]] mutable_tensor_view row_of(tensor& slots, std::size_t s, std::size_t slot) const {
        return static_cast<mutable_tensor_view>(slots).slice(axis_of(s), slot, 1);
    }
    /// A row of an input that no item is for: of its state, or as a sequence begins.
    [[nodiscard]] tensor_view source_of(const state_of_all& states, std::size_t input, std::size_t slot) const {
        for (std::size_t s = 0; s < how_.states.size(); ++s)
            if (how_.states[s].input == input)
                return static_cast<tensor_view>(states.slots[s]).slice(axis_of(s), slot, 1);
        return begin_[input];
    }
    [[nodiscard]] const std::vector<tensor_type>& types_of(state_of_all& states, std::span<const tensor_view> in,
                                                           std::size_t rows) const {
        std::vector<tensor_type>& types = states.types[rows];
        if (types.empty()) {
            std::vector<part> parts;
            for (std::size_t i = 0; i < in.size(); ++i)
                parts.emplace_back(in[i], begin_.parts()[i].rows(), begin_.parts()[i].name());
            types = model_.answers(batch(std::move(parts)));
        }
        return types;
    }

    const M& model_;
    batch begin_;
    carried_state_options how_;
    step_form form_;
};

}  // namespace fanfold::inline FANFOLD_ABI
