// fanfold/model/model.hpp - what can be inferred: any callable from rows to answers.
// SPDX-License-Identifier: MIT
#pragma once
#include <concepts>     // std::invocable
#include <cstddef>      // std::size_t
#include <span>         // std::span
#include <string>       // std::string
#include <type_traits>  // std::invoke_result_t
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../context/workspace.hpp"
#include "../core/batch.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// A model that knows its answers' types beforehand and writes into the caller's rows.
///   m.answers(batch)            types of the answers for these rows; throws std::invalid_argument when they do not fit
///   m.workspace_bytes(rows)     scratch memory for a shard of that many rows
///   m(rows, out, workspace)     fills `out` in full
template <class M>
concept declared_model = requires(const M& m, const batch& all, const batch_view& rows, const mutable_batch_view& out,
                                  workspace& space, std::size_t count) {
    { m.answers(all) } -> std::same_as<std::vector<tensor_type>>;
    { m.workspace_bytes(count) } -> std::convertible_to<std::size_t>;
    m(rows, out, space);
};

namespace detail {

/// Says only where elements lie: returned by a callable, it would mostly refer to what ended with the call.
template <class R>
inline constexpr bool only_refers = std::same_as<R, tensor_view> || std::same_as<R, mutable_tensor_view>;
template <class T>
inline constexpr bool only_refers<view<T>> = true;
template <class T, std::size_t Count>
inline constexpr bool only_refers<std::span<T, Count>> = true;

/// Something whose elements are answers: a tensor, a vector, an Eigen matrix or expression, or several tensors.
template <class R>
concept owned_answers = !only_refers<std::remove_cvref_t<R>> &&
                        (viewable<R> || materializable<R> || std::same_as<std::remove_cvref_t<R>, std::vector<tensor>>);

template <class M, class... Args>
concept answers_when_called =
    std::invocable<const M&, Args...> && owned_answers<std::invoke_result_t<const M&, Args...>>;

}  // namespace detail

/// answers = f(rows) or f(rows, workspace), where f's parameter is a batch_view or what one converts to: view<const
/// float>, std::span<const float>, matrix_map<const float>, tensor_map<const float, 4>, tensor_view. Axis 0 of the
/// answer counts the rows; a flat vector of rows * k elements is [rows, k].
template <class M>
concept returning_model =
    detail::answers_when_called<M, const batch_view&> || detail::answers_when_called<M, const batch_view&, workspace&>;

/// Called concurrently from all workers, so through a const reference.
template <class M>
concept model = declared_model<M> || returning_model<M>;

namespace detail {

/// How many rows a call must have, where the model says so; 0: any number.
template <class M>
[[nodiscard]] std::size_t fixed_rows(const M& m) {
    if constexpr (requires { m.rows_per_call(); })
        return m.rows_per_call();
    else
        return 0;
}

/// The name of what makes these rows depend on each other, where the model says so; else empty.
template <class M>
[[nodiscard]] std::string row_mixer_of(const M& m, const batch& rows) {
    if constexpr (requires { m.row_mixer(rows); })
        return std::string(m.row_mixer(rows));
    else
        return {};
}

/// Whether a row's answer has the same bits whatever travels with it and whoever computes it.
enum class rows_are { independent, unknown };

/// Models that know which of their operations mix rows are independent but for those, which no plan splits; of a
/// callable nothing is known unless it says so.
template <class M>
[[nodiscard]] constexpr rows_are rows_of_model(const M& m) {
    if constexpr (requires { M::rows_are_independent; })
        return M::rows_are_independent ? rows_are::independent : rows_are::unknown;
    else if constexpr (requires(const batch& rows) { m.row_mixer(rows); })
        return rows_are::independent;
    else
        return rows_are::unknown;
}

}  // namespace detail

/// A callable or a declared model that says: a row's answer has the same bits whichever rows travel with it, whichever
/// worker computes it, and however often. Then copies of it can be compared bit by bit (`duplicate`, `vote`).
///
/// example  infer(cores, independent_rows(f), rows, {.vote = vote{}})
template <class F>
struct independent_rows : F {
    static constexpr bool rows_are_independent = true;
    explicit independent_rows(F f) : F(std::move(f)) {}
};

/// A callable f(rows, out, workspace) together with what one row's answer looks like.
///
/// example  answering({{element::float32, {10}}}, [](const batch_view& rows, const mutable_batch_view& out, workspace&)
/// {...})
template <class F>
class answering {
public:
    answering(std::vector<tensor_type> of_one_row, F f, std::size_t workspace_bytes_per_row = 0)
        : of_one_row_(std::move(of_one_row)), f_(std::move(f)), bytes_per_row_(workspace_bytes_per_row) {}

    [[nodiscard]] std::vector<tensor_type> answers(const batch& all) const {
        std::vector<tensor_type> types;
        for (const tensor_type& one : of_one_row_) {
            std::int64_t extents[shape::max_rank + 1] = {static_cast<std::int64_t>(all.rows())};
            for (std::size_t axis = 0; axis < one.shape.rank(); ++axis) extents[axis + 1] = one.shape[axis];
            types.push_back({one.type, shape({extents, one.shape.rank() + 1}), row_axis(0), one.name});
        }
        return types;
    }
    [[nodiscard]] std::size_t workspace_bytes(std::size_t rows) const { return rows * bytes_per_row_; }
    void operator()(const batch_view& rows, const mutable_batch_view& out, workspace& space) const {
        f_(rows, out, space);
    }

private:
    std::vector<tensor_type> of_one_row_;
    F f_;
    std::size_t bytes_per_row_;
};

}  // namespace fanfold::inline FANFOLD_ABI
