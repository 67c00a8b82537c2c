// fanfold/serve/stepper.hpp - one step of a group of sequences: items side by side, the model, what each answer means.
//   gather -> compute -> judge -> reply; no lock, no thread
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::max
#include <concepts>   // std::same_as
#include <cstddef>    // std::byte
#include <cstdint>    // std::int64_t
#include <cstring>    // std::memcpy
#include <memory>     // std::shared_ptr
#include <optional>   // std::optional
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

#include "../context/floating_point.hpp"
#include "../infer/attempt.hpp"
#include "../verify/verifier.hpp"
#include "request.hpp"
#include "sequence_queue.hpp"
#include "stepping.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// What is called with each answer of a sequence; false: that was the last.
struct answer_sink {
    std::shared_ptr<void> self;
    bool (*call)(void* self, std::size_t answer, const tensor_view& value) = nullptr;
};

/// A sequence as far as it has come.
struct kept_sequence {
    std::vector<std::byte> items;  ///< those given, then answers that are items
    std::vector<std::byte> answers;
    std::size_t answered = 0;
    answer_sink each;
    std::optional<fault> why;  ///< it has fewer answers than it was to have
    time_point submitted;
    time_point started;
    std::size_t largest = 0;  ///< of its steps, in sequences
};

/// threads  const members from several at once, each with a group of its own
template <class Model>
class stepper {
    using verdict = sequence_queue::verdict;
    using state = decltype(std::declval<const Model&>().state(std::size_t{}));

public:
    /// Sequences that step together, and what of their step is used again in the next.
    struct group {
        std::vector<kept_sequence*> who;  ///< by place in the step
        std::vector<verdict> said;
        std::vector<std::pair<std::size_t, fault>> faults;  ///< by place in the step
        std::vector<step_piece> pieces;
        std::vector<std::byte> items;
        std::vector<std::byte> answers;
        std::optional<state> states;
    };

    /// errors   throws std::invalid_argument for a form that no sequence can have
    stepper(const Model& model, std::size_t slots, any_verifier verify)
        : model_(model),
          slots_(slots),
          verify_(std::move(verify)),
          form_(model.form()),
          item_bytes_(bytes_of(form_.item)),
          answer_bytes_(bytes_of(form_.answer)) {
        if (form_.kind == sequence_kind::generating &&
            (form_.item.type != form_.answer.type || !(form_.item.shape == form_.answer.shape)))
            throw std::invalid_argument("continuous: answers " + text_of(form_.answer) +
                                        " of a generating model with items " + text_of(form_.item));
        if (form_.max_piece == 0) throw std::invalid_argument("continuous: a model that takes 0 items of a sequence");
    }

    [[nodiscard]] const step_form& form() const noexcept { return form_; }

    struct extent {
        std::size_t quiet = 0;    ///< items before the first that is answered
        std::size_t answers = 1;  ///< how many at most
    };
    /// A new sequence's items, copied.
    ///
    /// errors   throws std::invalid_argument for items and lengths that do not fit
    [[nodiscard]] extent take(const tensor_view& items, std::size_t max_answers, kept_sequence& into) const {
        const std::size_t given = items.rank() == 0 ? 0 : static_cast<std::size_t>(items.extent(0));
        if (given == 0 || items.type() != form_.item.type || !(items.shape() == stacked(form_.item, given)))
            throw std::invalid_argument("continuous: expected one or more items " + text_of(form_.item) + ", got " +
                                        describe(items));
        if (given > form_.max_items)
            throw std::invalid_argument("continuous: " + std::to_string(given) + " items of at most " +
                                        std::to_string(form_.max_items));
        extent all{0, given};
        if (form_.kind == sequence_kind::generating) {
            const std::size_t most = form_.max_items - given + 1;
            if (max_answers == 0 && !ends_by_itself && form_.max_items == static_cast<std::size_t>(-1))
                throw std::invalid_argument("continuous: max_answers = 0 for a model without end");
            if (max_answers > most)
                throw std::invalid_argument("continuous: " + std::to_string(given) +
                                            " items and max_answers = " + std::to_string(max_answers) + " of at most " +
                                            std::to_string(form_.max_items));
            all = {given - 1, max_answers != 0 ? max_answers : most};
        }
        into.items.resize(given * item_bytes_);
        copy_elements(items, mutable_tensor_view(into.items.data(), form_.item.type, items.shape()));
        return all;
    }

    /// Lays the items of `step` side by side, of the sequences g.who.
    void gather(group& g, std::span<const sequence_queue::piece> step, time_point now) const {
        g.pieces.clear();
        std::size_t items = 0;
        for (const sequence_queue::piece& p : step) {
            g.pieces.push_back({p.slot, p.position, items, p.items, p.answered});
            items += p.items;
        }
        g.items.resize(items * item_bytes_);
        g.answers.resize(step.size() * answer_bytes_);
        for (std::size_t i = 0; i < step.size(); ++i) {
            const step_piece& p = g.pieces[i];
            kept_sequence& who = *g.who[i];
            if (who.largest == 0) who.started = now;
            who.largest = std::max(who.largest, step.size());
            if (p.items * item_bytes_ != 0)
                std::memcpy(g.items.data() + p.first * item_bytes_, who.items.data() + p.position * item_bytes_,
                            p.items * item_bytes_);
        }
    }

    /// What the model threw, if it did: then nobody has an answer.
    [[nodiscard]] std::optional<fault> compute(group& g, workspace& space) const {
        try {
            const workspace::scope scratch(space);
            const floating_point_scope environment;
            space.stop.check();
            if (!g.states) g.states.emplace(model_.state(slots_));
            const std::size_t items = g.pieces.back().first + g.pieces.back().items;
            model_.step(
                *g.states, std::span<const step_piece>(g.pieces),
                tensor_view(g.items.data(), form_.item.type, stacked(form_.item, items)),
                mutable_tensor_view(g.answers.data(), form_.answer.type, stacked(form_.answer, g.pieces.size())),
                space);
        } catch (...) {
            return fault_in_flight();
        }
        return std::nullopt;
    }

    /// Who goes on, ends, or fails with its answer. Why it fails is in g.faults, not in its sequence, where others may
    /// write at the same time why it leaves.
    ///
    /// requires nobody else looks at the items and answers of these sequences
    void judge(group& g) const {
        g.said.assign(g.pieces.size(), verdict::goes_on);
        g.faults.clear();
        for (std::size_t i = 0; i < g.pieces.size(); ++i) {
            if (!g.pieces[i].answered) continue;
            kept_sequence& who = *g.who[i];
            const std::byte* at = g.answers.data() + i * answer_bytes_;
            const tensor_view value(at, form_.answer.type, form_.answer.shape);
            try {
                if (verify_) {
                    const tensor_view row(at, form_.answer.type, stacked(form_.answer, 1));
                    std::vector<fault> found = verify_(batch_view({&row, 1}, 1));
                    if (!found.empty()) {
                        fail(g, i, std::move(found.front()));
                        continue;
                    }
                }
                who.answers.insert(who.answers.end(), at, at + answer_bytes_);
                if (form_.kind == sequence_kind::generating) who.items.insert(who.items.end(), at, at + answer_bytes_);
                ++who.answered;
                bool ends = false;
                if constexpr (ends_by_itself) ends = model_.ends(value);
                const answer_sink& each = who.each;
                if (each.call != nullptr && !each.call(each.self.get(), who.answered - 1, value)) ends = true;
                if (ends) g.said[i] = verdict::ends;
            } catch (...) {  // the verifier, the model's ends(), or what was called with an answer
                fail(g, i, fault_in_flight());
            }
        }
    }

    [[nodiscard]] reply reply_of(kept_sequence& who, time_point now) const {
        tensor answers(form_.answer.type, stacked(form_.answer, who.answered));
        if (!who.answers.empty()) std::memcpy(answers.data(), who.answers.data(), who.answers.size());
        reply r{batch(std::move(answers)), {}, who.submitted, who.started, now, who.largest};
        if (who.why) {
            r.failures.push_back(std::move(*who.why));
            r.failures.back().rows.assign(1, who.answered);
        }
        return r;
    }

private:
    [[nodiscard]] static std::size_t bytes_of(const tensor_type& one) { return one.shape.volume() * size_of(one.type); }
    [[nodiscard]] static std::string text_of(const tensor_type& one) {
        return std::string(name_of(one.type)) + " " + one.shape.text();
    }
    [[nodiscard]] static shape stacked(const tensor_type& one, std::size_t count) {
        std::int64_t extents[shape::max_rank] = {static_cast<std::int64_t>(count)};
        for (std::size_t axis = 0; axis < one.shape.rank(); ++axis) extents[axis + 1] = one.shape[axis];
        return shape({extents, one.shape.rank() + 1});
    }
    static void fail(group& g, std::size_t at, fault why) {
        g.said[at] = verdict::fails;
        g.faults.emplace_back(at, std::move(why));
    }

    static constexpr bool ends_by_itself = requires(const Model& m, const tensor_view& answer) {
        { m.ends(answer) } -> std::same_as<bool>;
    };

    const Model& model_;
    std::size_t slots_;
    any_verifier verify_;
    step_form form_;
    std::size_t item_bytes_;
    std::size_t answer_bytes_;
};

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
