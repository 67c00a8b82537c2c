// fanfold/model/early_selection.hpp - positions that a later Gather drops are not computed in the first place.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::copy
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <optional>   // std::optional
#include <utility>    // std::move
#include <vector>     // std::vector

#include "attention_fusion.hpp"
#include "graph_draft.hpp"
#include "operators/dense.hpp"
#include "operators/reshape.hpp"
#include "operators/rms_normalization.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Which positions of a value anybody reads.
struct positions_read {
    enum class kind { none, some, all } what = kind::none;
    std::size_t axis = 0;                 ///< of some
    std::vector<std::int64_t> indices{};  ///< of some, in this order

    [[nodiscard]] friend bool operator==(const positions_read&, const positions_read&) = default;
    void also(const positions_read& other) {
        if (what == kind::none)
            *this = other;
        else if (other.what != kind::none && !(*this == other))
            *this = {kind::all};
    }
};

class early_selection {
public:
    explicit early_selection(const graph_draft& draft) : draft_(draft), read_(draft.values()) {}

    void run() {
        for (const std::size_t output : draft_.outputs()) read_[output].also(all);
        bool worth_it = false;
        for (std::size_t s = draft_.steps().size(); s-- > 0;) {
            const graph_step& step = draft_.steps()[s];
            if (const auto picked = selection(step)) {
                read_[step.inputs[0]].also(*picked);
                continue;
            }
            const auto inputs = narrowed_inputs(step);
            for (std::size_t i = 0; i < step.inputs.size(); ++i)
                if (inputs)
                    read_[step.inputs[i]].also((*inputs)[i] ? some(step.outputs[0], *(*inputs)[i]) : all);
                else if (is_read(step))
                    read_[step.inputs[i]].also(all);
            worth_it =
                worth_it || (inputs && (step.op.as<fanfold::dense>() != nullptr || step.op.as<attention>() != nullptr));
        }
        if (!worth_it) return;
        narrow_.resize(draft_.values());
        for (graph_step& step : std::exchange(draft_.steps(), {})) place(std::move(step));
        draft_.steps() = std::move(made_);
    }

private:
    using kind = positions_read::kind;
    static inline const positions_read all{kind::all};

    [[nodiscard]] const symbolic_shape& shape_of(std::size_t v) const { return draft_.type(v).shape; }
    [[nodiscard]] bool is_read(const graph_step& step) const {
        for (const std::size_t output : step.outputs)
            if (read_[output].what != kind::none) return true;
        return false;
    }
    /// What is read of `value`, of which a narrowed step's answer is read along its own axis.
    [[nodiscard]] positions_read some(std::size_t answer, std::size_t axis) const {
        return {kind::some, axis, read_[answer].indices};
    }

    /// What a Gather with few constant indices reads.
    [[nodiscard]] std::optional<positions_read> selection(const graph_step& step) const {
        const auto* op = step.op.as<gather>();
        if (op == nullptr || !is_read(step)) return std::nullopt;
        const auto& indices = draft_.elements(step.inputs[1]);
        const symbolic_shape& x = shape_of(step.inputs[0]);
        if (!indices || indices->rank() > 1 || indices->size() == 0 || !x.ranked()) return std::nullopt;
        const std::size_t axis = expect_axis(op->axis(), x.rank());
        if (!x[axis].constant() || x[axis].fixed <= static_cast<std::int64_t>(indices->size())) return std::nullopt;
        positions_read out{kind::some, axis, integers_in(*indices)};
        for (std::int64_t& index : out.indices) {
            if (index < -x[axis].fixed || index >= x[axis].fixed) return std::nullopt;
            if (index < 0) index += x[axis].fixed;
        }
        return out;
    }

    /// For each input the axis along which fewer positions are enough, where that is so for the step at all.
    [[nodiscard]] std::optional<std::vector<std::optional<std::size_t>>> narrowed_inputs(const graph_step& step) const {
        if (read_[step.outputs[0]].what != kind::some) return std::nullopt;
        for (std::size_t i = 1; i < step.outputs.size(); ++i)
            if (read_[step.outputs[i]].what != kind::none) return std::nullopt;
        const std::size_t axis = read_[step.outputs[0]].axis;
        const symbolic_shape& y = shape_of(step.outputs[0]);
        if (!y.ranked()) return std::nullopt;
        std::vector<std::optional<std::size_t>> out(step.inputs.size());
        if (step.op.elementwise() && !step.op.aliases() && step.outputs.size() == 1) {
            for (std::size_t i = 0; i < out.size(); ++i) {
                const std::size_t v = step.inputs[i];
                if (draft_.absent(v)) continue;
                const symbolic_shape& x = shape_of(v);
                if (!x.ranked() || x.rank() > y.rank()) return std::nullopt;
                const std::size_t missing = y.rank() - x.rank();
                if (axis < missing || x[axis - missing] == extent(1)) continue;
                if (!(x[axis - missing] == y[axis])) return std::nullopt;
                out[i] = axis - missing;
            }
            return out;
        }
        const bool by_row = step.op.as<fanfold::dense>() != nullptr || step.op.as<rms_normalization>() != nullptr;
        const auto* norm = step.op.as<layer_normalization>();
        if (by_row || norm != nullptr) {
            const std::size_t first = norm != nullptr ? expect_axis(norm->axis(), y.rank()) : y.rank() - 1;
            if (axis >= first) return std::nullopt;
            out[0] = axis;
            return out;
        }
        if (const auto* turn = step.op.as<transpose>()) {
            out[0] = turn->order(y.rank())[axis];
            return out;
        }
        if (step.op.as<reshape>() != nullptr) {
            const symbolic_shape& x = shape_of(step.inputs[0]);
            if (!x.ranked()) return std::nullopt;
            for (std::size_t i = 0; i <= axis; ++i)
                if (i >= x.rank() || !(x[i] == y[i])) return std::nullopt;
            for (std::size_t i = axis + 1; i < y.rank(); ++i)
                if (!y[i].constant()) return std::nullopt;
            out[0] = axis;
            return out;
        }
        if (const auto* op = step.op.as<attention>()) {
            const std::size_t computed = op->order().empty() ? axis : op->order()[axis];
            const turned_operand& q = op->operand(0);
            if (computed + 2 != y.rank() || !shape_of(step.inputs[0]).ranked()) return std::nullopt;
            const std::size_t of_q = q.order[q.order.size() - 2];
            if (!(shape_of(step.inputs[0])[of_q] == y[axis])) return std::nullopt;
            if (step.inputs.size() > 3 && !draft_.absent(step.inputs[3])) {
                const symbolic_shape& mask = shape_of(step.inputs[3]);
                if (!mask.ranked()) return std::nullopt;
                if (mask.rank() >= 2 && !(mask[mask.rank() - 2] == extent(1))) out[3] = mask.rank() - 2;
                if (out[3] && !(mask[*out[3]] == y[axis])) return std::nullopt;
            }
            out[0] = of_q;
            return out;
        }
        return std::nullopt;
    }

    [[nodiscard]] value_type narrowed(std::size_t v, std::size_t axis, std::size_t count) const {
        value_type type = draft_.type(v);
        type.shape[axis] = static_cast<std::int64_t>(count);
        return type;
    }
    std::size_t indices_of(const std::vector<std::int64_t>& indices) {
        for (const listed& before : lists_)
            if (before.indices == indices) return before.value;
        tensor list(element::int64, shape{static_cast<std::int64_t>(indices.size())});
        std::copy(indices.begin(), indices.end(), list.as<std::int64_t>().flat().begin());
        lists_.push_back({indices, draft_.add_constant(std::move(list))});
        return lists_.back().value;
    }
    /// These positions of a value: computed narrow, or picked here, once.
    std::size_t narrow(std::size_t v, const positions_read& wanted) {
        if (v < narrow_.size() && narrow_[v]) return *narrow_[v];
        const std::size_t list = indices_of(wanted.indices);
        for (const selected& before : picked_)
            if (before.from == v && before.axis == wanted.axis && before.list == list) return before.value;
        const std::size_t made = draft_.add_value(narrowed(v, wanted.axis, wanted.indices.size()), draft_.name(v));
        made_.push_back({gather(static_cast<std::int64_t>(wanted.axis)), draft_.name(v), {v, list}, {made}});
        picked_.push_back({v, wanted.axis, list, made});
        return made;
    }

    void place(graph_step&& step) {
        if (selection(step) && narrow_[step.inputs[0]]) {
            const std::size_t from = *narrow_[step.inputs[0]], axis = read_[step.inputs[0]].axis;
            const bool goes = shape_of(step.outputs[0]).rank() < shape_of(from).rank();
            draft_.alias(step.outputs[0], from);
            if (goes)
                made_.push_back({squeeze({{static_cast<std::int64_t>(axis)}}), step.name, {from}, step.outputs});
            else
                made_.push_back({identity(), step.name, {from}, step.outputs});
            return;
        }
        const auto inputs = narrowed_inputs(step);
        if (!inputs) {
            made_.push_back(std::move(step));
            return;
        }
        const positions_read& wanted = read_[step.outputs[0]];
        graph_step made{step.op, step.name, step.inputs, {}};
        for (std::size_t i = 0; i < made.inputs.size(); ++i)
            if ((*inputs)[i]) made.inputs[i] = narrow(step.inputs[i], some(step.outputs[0], *(*inputs)[i]));
        for (const std::size_t output : step.outputs)
            made.outputs.push_back(
                draft_.add_value(narrowed(output, wanted.axis, wanted.indices.size()), draft_.name(output)));
        narrow_[step.outputs[0]] = made.outputs[0];
        if (step.op.as<reshape>() != nullptr) {
            const symbolic_shape& y = shape_of(made.outputs[0]);
            std::vector<std::int64_t> target(wanted.axis + 1, 0);  // as the input has them
            for (std::size_t axis = target.size(); axis < y.rank(); ++axis) target.push_back(y[axis].fixed);
            made.op = reshape(target);
            made.inputs.resize(1);
            draft_.alias(made.outputs[0], made.inputs[0]);
        }
        made_.push_back(std::move(made));
    }

    const graph_draft& draft_;
    std::vector<positions_read> read_;                  ///< by value that was there before
    std::vector<std::optional<std::size_t>> narrow_{};  ///< what stands for it
    struct listed {
        std::vector<std::int64_t> indices;
        std::size_t value;
    };
    struct selected {
        std::size_t from, axis, list, value;
    };
    std::vector<listed> lists_{};     ///< constants that were made
    std::vector<selected> picked_{};  ///< selections that were made
    std::vector<graph_step> made_{};
};

}  // namespace detail

/// A Gather of few positions moves in front of what works on each position by itself (products with weights, queries of
/// attention, normalizations, arithmetic), as classifiers that read one token have it.
inline void select_early(const graph_draft& draft) { detail::early_selection(draft).run(); }

}  // namespace fanfold::inline FANFOLD_ABI
