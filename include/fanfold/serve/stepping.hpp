// fanfold/serve/stepping.hpp - models that step: called again and again for sequences, each with a state of its own.
// SPDX-License-Identifier: MIT
#pragma once
#include <concepts>  // std::same_as
#include <cstddef>   // std::size_t
#include <cstdint>   // std::uint8_t
#include <span>      // std::span

#include "../context/workspace.hpp"
#include "../core/batch.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// What a sequence consists of.
enum class sequence_kind : std::uint8_t {
    answer_by_item,  ///< each item has an answer: frames of a sound, say
    generating,      ///< the last item of a prompt has an answer, which is the next item, and so on: text, say
};

/// What a stepping model says of itself.
struct step_form {
    tensor_type item;    ///< one, without an axis that counts them
    tensor_type answer;  ///< the same; of a generating model, as `item`
    sequence_kind kind = sequence_kind::generating;
    std::size_t max_piece = 1;                             ///< items of one sequence that one call takes
    std::size_t max_items = static_cast<std::size_t>(-1);  ///< of one sequence in all
};

/// Items [position, position + items) of one sequence, in a call for several.
struct step_piece {
    std::size_t slot = 0;      ///< of its state
    std::size_t position = 0;  ///< 0: a new sequence; whatever the slot holds is another's
    std::size_t first = 0;     ///< which of the call's items is its first
    std::size_t items = 1;
    bool answered = true;  ///< whether the answer after its last item is wanted
};

/// A model that steps.
///   m.form()                          what its items and answers are
///   m.state(slots)                    states of that many sequences; called once by each group that steps
///   m.step(state, pieces, items, answers, workspace)
///                                     goes on with each sequence by its items: rows of `items`, piece after piece;
///                                     row i of `answers` is for pieces[i], left as it is where none is wanted
///   m.ends(answer)                    optional: whether a sequence ends with this answer (a view without the row axis)
/// A state is a function of its sequence's items, however these are cut into pieces, and its bits do not depend on
/// what else is in a call: after a step that throws, sequences are begun anew.
template <class M>
concept stepping_model = requires(const M& m, std::span<const step_piece> pieces, const tensor_view& items,
                                  const mutable_tensor_view& answers, workspace& space, std::size_t slots) {
    { m.form() } -> std::same_as<step_form>;
    { m.state(slots) } -> std::movable;
    requires requires(decltype(m.state(slots))& state) { m.step(state, pieces, items, answers, space); };
};

}  // namespace fanfold::inline FANFOLD_ABI
