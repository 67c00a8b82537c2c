// fanfold/model/graph_draft.hpp - a graph whose steps are all there and may still be rewritten.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>   // std::size_t
#include <memory>    // std::shared_ptr
#include <optional>  // std::optional
#include <string>    // std::string
#include <utility>   // std::move
#include <vector>    // std::vector

#include "graph_state.hpp"
#include "preference.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// What a pass over the steps works on. Values keep their indices; steps keep an order in which they can run.
class graph_draft {
public:
    graph_draft(graph_state& state, std::vector<knowledge>& known, const preference& prefer = {},
                build_budget* budget = nullptr)
        : state_(state), known_(known), prefer_(prefer), budget_(budget) {}

    [[nodiscard]] std::vector<graph_step>& steps() const noexcept { return state_.steps; }
    [[nodiscard]] const std::vector<std::size_t>& outputs() const noexcept { return state_.outputs; }
    [[nodiscard]] const preference& prefer() const noexcept { return prefer_; }
    [[nodiscard]] std::size_t values() const noexcept { return state_.values.size(); }
    [[nodiscard]] const value_type& type(std::size_t value) const { return state_.values[value].type; }
    [[nodiscard]] const std::string& name(std::size_t value) const { return state_.values[value].name; }
    [[nodiscard]] bool absent(std::size_t value) const { return known_[value].absent; }
    /// The elements where they are known.
    [[nodiscard]] const std::optional<tensor_view>& elements(std::size_t value) const { return known_[value].elements; }

    /// A value that a step will compute.
    [[nodiscard]] std::size_t add_value(value_type type, std::string name) const {
        const std::size_t value = values();
        state_.values.push_back({std::move(name), type, value_place::slot, 0, value});
        known_.push_back({type});
        return value;
    }
    [[nodiscard]] std::size_t add_constant(tensor elements) const {
        auto owner = std::make_shared<const tensor>(std::move(elements));
        knowledge known = knowledge::of(owner);
        const std::size_t value = values();
        state_.values.push_back({{}, known.type, value_place::constant, state_.constants.size(), value});
        state_.constants.push_back(std::move(owner));
        known_.push_back(std::move(known));
        return value;
    }
    /// Gives back the elements of a constant that no step reads any more.
    void release(std::size_t value) const {
        if (state_.values[value].place != value_place::constant) return;
        state_.constants[state_.values[value].index] = nullptr;
        known_[value].elements.reset();
        known_[value].owner = nullptr;
    }
    /// From now on `value` is another name for `whose`.
    /// An aliasing step from one to the other must be among the steps, too.
    void alias(std::size_t value, std::size_t whose) const {
        const std::size_t before = state_.values[value].root, root = state_.values[whose].root;
        for (graph_value& one : state_.values)
            if (one.root == before && one.root != root) one.root = root;
    }

    /// How many inputs and answers of the graph read each value.
    [[nodiscard]] std::vector<std::size_t> uses() const {
        std::vector<std::size_t> count(values(), 0);
        for (const graph_step& step : steps())
            for (const std::size_t input : step.inputs) ++count[input];
        for (const std::size_t output : outputs()) ++count[output];
        return count;
    }

    /// The step packs weights that it did not hold before.
    /// errors   throws std::invalid_argument when that is more than is left for the whole model
    [[nodiscard]] graph_step packing(graph_step step) const {
        if (budget_ != nullptr) detail::take_packed(*budget_, step.op, step.name);
        return step;
    }

private:
    graph_state& state_;
    std::vector<knowledge>& known_;
    preference prefer_;
    build_budget* budget_;
};

/// Rewrites a draft; what the graph answers stays the same within rounding.
using graph_pass = void (*)(const graph_draft&);

}  // namespace fanfold::inline FANFOLD_ABI
