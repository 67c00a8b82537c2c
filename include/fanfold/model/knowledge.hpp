// fanfold/model/knowledge.hpp - what is known of a graph's values before a run: types, constants, sizes, rows.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::clamp
#include <cstddef>    // std::size_t
#include <cstdint>    // SIZE_MAX
#include <memory>     // std::shared_ptr
#include <optional>   // std::optional
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

#include "../context/floating_point.hpp"
#include "operation.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// What a graph may ask for: models come from files, and a damaged one may ask for anything.
struct graph_limits {
    std::size_t bytes_per_value = std::size_t{1} << 32;  ///< of one row's share of a value, and of a folded constant
    /// For all constants that are computed while a graph is built, beyond 10 ns for each byte that they read and write.
    duration computing = std::chrono::seconds(3);
};

/// What is left for constants that are computed while a model is built, and for its packed weights: a short file can
/// ask for many.
struct build_budget {
    std::size_t computed_bytes = SIZE_MAX;
    std::size_t packed_bytes = SIZE_MAX;
    duration computing = graph_limits().computing;

    /// errors   throws std::invalid_argument when `left` is less
    static void take(std::size_t& left, std::size_t bytes, const char* what) {
        if (bytes > left)
            throw std::invalid_argument("expected " + std::string(what) + " of at most " + std::to_string(left) +
                                        " more bytes in the whole model, got " + std::to_string(bytes));
        left -= bytes;
    }
};

/// What is known of one value. Copies share the elements.
struct knowledge {
    value_type type;
    std::optional<tensor_view> elements = std::nullopt;   ///< where all of them are known
    std::shared_ptr<const tensor> owner = nullptr;        ///< of `elements`; null: they are the caller's
    std::optional<symbolic_values> sizes = std::nullopt;  ///< of an integer list without `elements`
    bool counts_rows = false;                             ///< elements depend on how many rows there are
    bool absent = false;

    /// Valid while this is.
    [[nodiscard]] argument as_argument() const {
        argument made = absent ? argument::none() : argument(type);
        made.value = elements;
        if (sizes) made.sizes = &*sizes;
        return made;
    }
    [[nodiscard]] static knowledge of(const tensor_view& elements, std::shared_ptr<const tensor> owner = nullptr) {
        return {{elements.type(), elements.shape()}, elements, std::move(owner)};
    }
    [[nodiscard]] static knowledge of(std::shared_ptr<const tensor> owner) {
        const tensor_view elements = *owner;
        return of(elements, std::move(owner));
    }
};

/// How an operation's answers depend on the batch.
enum class row_use { independent, mixed, unclear };

/// What one operation makes of what is known.
struct deduction {
    std::vector<knowledge> answers;
    row_use rows = row_use::independent;
};

namespace detail {

inline void check_size(const value_type& type, const graph_limits& limits, const std::string& what) {
    if (!type.shape.known()) return;
    const std::size_t elements = type.shape.at(1).volume();
    if (elements > limits.bytes_per_value / size_of(type.type))
        throw std::invalid_argument(what + " " + type.text() + " takes more than " +
                                    std::to_string(limits.bytes_per_value) + " bytes a row");
}

/// Runs an operation on constants, in the floating-point environment of every run.
/// errors   throws std::invalid_argument when it takes more than is left of the budget. To leave it to the run instead
///          would make weights of what was none, and another graph of the same file on a slower machine
[[nodiscard]] inline std::vector<std::shared_ptr<const tensor>> compute_now(const operation& op,
                                                                            std::span<const argument> in,
                                                                            std::span<const value_type> types,
                                                                            const graph_limits& limits,
                                                                            build_budget& budget) {
    const auto to_touch = [](std::size_t bytes) { return std::chrono::nanoseconds(bytes * 10); };
    const time_point start = clock().now();
    std::size_t touched = 0;
    std::vector<tensor_view> views;
    for (const argument& one : in) views.push_back(one.value ? present(*one.value) : tensor_view());
    std::vector<std::shared_ptr<tensor>> made(types.size());
    for (const tensor_view& one : views) touched += one.bytes();
    workspace space;
    space.stop = stop({}, start + to_touch(touched) + budget.computing);
    space.tiles = tile_loop(space.stop);
    const floating_point_scope environment;
    const auto make = [&](std::size_t answer, element type, const shape& extents) -> mutable_tensor_view {
        check_size({type, extents}, limits, "its answer");
        build_budget::take(budget.computed_bytes, extents.volume() * size_of(type), "constants computed at load");
        made.at(answer) = std::make_shared<tensor>(tensor::populated(type, extents));
        return *made[answer];
    };
    try {
        if (op.makes_answers()) {
            op(views, answer_room(make), space);
        } else {
            std::vector<mutable_tensor_view> out;
            for (std::size_t i = 0; i < types.size(); ++i) out.push_back(make(i, types[i].type, types[i].shape.at(1)));
            op(views, out, space);
        }
    } catch (const stopped_error&) {
        throw std::invalid_argument("expected constants that take at most " +
                                    std::to_string(limits.computing / std::chrono::milliseconds(1)) +
                                    " ms to compute in the whole model, got one that takes longer");
    }
    for (const std::shared_ptr<tensor>& one : made)
        if (one != nullptr) touched += one->bytes();
    budget.computing -= std::clamp(clock().now() - start - to_touch(touched), duration{}, budget.computing);
    for (std::shared_ptr<tensor>& one : made)
        if (one == nullptr) one = std::make_shared<tensor>(element::float32, shape{0});
    return {made.begin(), made.end()};
}

[[nodiscard]] inline row_use rows_in(const operation& op, std::span<const argument> in,
                                     std::span<const knowledge* const> from, std::span<const knowledge> answers) {
    bool rows_come = false;    // as an axis of what is computed with
    bool count_comes = false;  // as a number
    bool unclear = false;
    for (std::size_t i = 0; i < in.size(); ++i) {
        if (!op.reads(i)) continue;
        rows_come = rows_come || in[i].shape.depends_on_rows();
        count_comes = count_comes || from[i]->counts_rows;
        if (!in[i].shape.depends_on_rows()) continue;
        if (in[i].shape.known() && !in[i].shape.row_axis()) return row_use::mixed;
        unclear = unclear || !in[i].shape.known();
    }
    for (const knowledge& answer : answers) {
        const symbolic_shape& shape = answer.type.shape;
        if (!shape.known())
            unclear = unclear || rows_come || count_comes;
        else if (shape.depends_on_rows() ? !shape.row_axis() || count_comes : rows_come)
            return row_use::mixed;
    }
    if (rows_come && !unclear && op.mixes_rows(in)) return row_use::mixed;
    return unclear ? row_use::unclear : row_use::independent;
}

}  // namespace detail

/// Applies the shape rule; with all inputs known, computes, unless that might never end.
///
/// errors   throws std::invalid_argument as the rule does, and for answers beyond the limits or the budget
[[nodiscard]] inline deduction deduce(const operation& op, std::span<const knowledge* const> from,
                                      const graph_limits& limits, build_budget& budget) {
    std::vector<argument> in;
    bool known = true;
    for (const knowledge* one : from) {
        in.push_back(one->as_argument());
        known = known && (one->absent || one->elements);
    }
    std::vector<value_type> types = op.answers(in);
    deduction out;
    for (value_type& type : types) {
        detail::check_size(type, limits, "its answer");
        known = known && (op.makes_answers() || type.shape.constant());
        out.answers.push_back({type});
    }
    if (known && !from.empty() && !op.unbounded()) {
        const auto computed = detail::compute_now(op, in, types, limits, budget);
        for (std::size_t i = 0; i < computed.size(); ++i) out.answers[i] = knowledge::of(computed[i]);
        return out;
    }
    bool counts = false;
    for (std::size_t i = 0; i < from.size(); ++i) {
        counts = counts || (op.reads(i) && from[i]->counts_rows);
        if (!op.reads(i) && in[i].shape.depends_on_rows()) counts = true;  // Shape and Size
    }
    for (knowledge& answer : out.answers) answer.counts_rows = counts;
    if (!out.answers.empty()) {
        knowledge& first = out.answers.front();
        constexpr std::size_t most_sizes = 4096;  // a longer list is no shape, and takes more than its elements
        first.sizes = op.sizes(in);
        if (first.sizes && first.sizes->size() > most_sizes) first.sizes.reset();
        if (first.sizes) {
            first.counts_rows = false;
            bool constant = true;
            for (const extent& size : *first.sizes) {
                first.counts_rows = first.counts_rows || !size.constant();
                constant = constant && size.constant();
            }
            const element type = first.type.type;
            if (constant && first.type.shape.constant() && (type == element::int64 || type == element::boolean)) {
                auto elements = std::make_shared<tensor>(type, first.type.shape.at(1));
                for (std::size_t i = 0; i < first.sizes->size(); ++i)
                    if (type == element::int64)
                        elements->as<std::int64_t>().flat()[i] = (*first.sizes)[i].fixed;
                    else
                        elements->as<bool>().flat()[i] = (*first.sizes)[i].fixed != 0;
                first = knowledge::of(std::move(elements));
            } else if (type == element::boolean) {
                first.sizes.reset();
            }
        }
    }
    out.rows = detail::rows_in(op, in, from, out.answers);
    return out;
}

}  // namespace fanfold::inline FANFOLD_ABI
