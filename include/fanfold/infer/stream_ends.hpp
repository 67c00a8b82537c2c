// fanfold/infer/stream_ends.hpp - where a stream's rows come from and its answers go: channels, callables, ranges.
// SPDX-License-Identifier: MIT
#pragma once
#include <concepts>     // std::same_as, std::invocable
#include <cstddef>      // std::size_t
#include <cstring>      // std::memcpy
#include <iterator>     // std::begin, std::end
#include <optional>     // std::optional
#include <span>         // std::span
#include <type_traits>  // std::remove_cvref_t
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../core/batch.hpp"
#include "../core/fault.hpp"
#include "../schedule/channel.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// One row's answer as it leaves a stream; what it refers to is valid during the call.
struct streamed_row {
    std::size_t row = 0;                      ///< number of the row, as the source gave it
    std::span<const tensor_view> answers;     ///< one for each output, without the row axis where that is axis 0
    const fanfold::fault* failure = nullptr;  ///< why there is no answer; then `answers` hold NaN

    template <element_type T>
    [[nodiscard]] view<const T> as(std::size_t output = 0) const {
        return answers[output].as<T>();
    }
};

/// The same, kept: what a channel or a container of a sink holds.
struct kept_row {
    std::size_t row = 0;
    std::vector<tensor> answers;
    std::optional<fanfold::fault> failure;

    kept_row() = default;
    explicit kept_row(const streamed_row& seen) : row(seen.row) {
        for (const tensor_view& answer : seen.answers) answers.emplace_back(answer);
        if (seen.failure != nullptr) failure = *seen.failure;
    }
};

/// One row of a stream: a number, anything viewable (a tensor, a vector, an Eigen matrix),
/// or one tensor for each input.
template <class Row>
concept stream_row = element_type<Row> || viewable<Row> || std::same_as<Row, std::vector<tensor>>;

namespace detail {

template <class T>
inline constexpr bool is_channel = false;
template <class T>
inline constexpr bool is_channel<channel<T>> = true;

template <class F>
concept generator_of_rows = requires(F& f) {
    *f();
    static_cast<bool>(f());
};
template <class R>
concept range_of_rows = requires(R& r) {
    *std::begin(r);
    std::end(r);
};

/// pull(into, most): appends up to `most` rows; false once nothing will come. It may find nothing now.
/// ready(): whether a pull would find rows or the end.
template <class Source>
class stream_source;

template <class T>
class stream_source<channel<T>> {
public:
    using row = T;
    stream_source(channel<T>& from, doorbell& bell) : from_(from), watch_(from, bell) {}
    [[nodiscard]] bool ready() const { return from_.size() != 0 || from_.closed(); }
    bool pull(std::vector<T>& into, std::size_t most) { return from_.try_pop(into, most) != channel_status::closed; }

private:
    channel<T>& from_;
    typename channel<T>::watch watch_;
};

template <generator_of_rows F>
class stream_source<F> {
public:
    using row = std::remove_cvref_t<decltype(*std::declval<F&>()())>;
    stream_source(F& next, doorbell&) : next_(next) {}
    [[nodiscard]] static bool ready() noexcept { return true; }
    bool pull(std::vector<row>& into, std::size_t most) {
        for (; most != 0; --most) {
            auto value = next_();
            if (!value) return false;
            into.push_back(*std::move(value));
        }
        return true;
    }

private:
    F& next_;
};

template <range_of_rows R>
requires(!is_channel<R>) class stream_source<R> {
public:
    using row = std::remove_cvref_t<decltype(*std::begin(std::declval<R&>()))>;
    stream_source(R& rows, doorbell&) : at_(std::begin(rows)), end_(std::end(rows)) {}
    [[nodiscard]] static bool ready() noexcept { return true; }
    bool pull(std::vector<row>& into, std::size_t most) {
        for (; most != 0 && at_ != end_; --most, ++at_) into.push_back(*at_);
        return at_ != end_;
    }

private:
    decltype(std::begin(std::declval<R&>())) at_;
    decltype(std::end(std::declval<R&>())) end_;
};

enum class sink_answer { taken, full, closed };

/// ready(): whether a row would be taken, or refused for good.
template <class Sink>
class stream_sink;

template <>
class stream_sink<channel<kept_row>> {
public:
    stream_sink(channel<kept_row>& to, doorbell& bell) : to_(to), watch_(to, bell) {}
    [[nodiscard]] bool ready() const { return to_.size() < to_.capacity() || to_.closed(); }
    sink_answer take(const streamed_row& row) {
        switch (to_.try_push(kept_row(row))) {
            case channel_status::passed: return sink_answer::taken;
            case channel_status::would_wait: return sink_answer::full;
            default: return sink_answer::closed;
        }
    }

private:
    channel<kept_row>& to_;
    channel<kept_row>::watch watch_;
};

template <std::invocable<const streamed_row&> F>
class stream_sink<F> {
public:
    stream_sink(F& f, doorbell&) : f_(f) {}
    [[nodiscard]] static bool ready() noexcept { return true; }
    sink_answer take(const streamed_row& row) {
        f_(row);
        return sink_answer::taken;
    }

private:
    F& f_;
};

template <class Container>
requires requires(Container& c, const streamed_row& row) { c.push_back(kept_row(row)); }
class stream_sink<Container> {
public:
    stream_sink(Container& into, doorbell&) : into_(into) {}
    [[nodiscard]] static bool ready() noexcept { return true; }
    sink_answer take(const streamed_row& row) {
        into_.push_back(kept_row(row));
        return sink_answer::taken;
    }

private:
    Container& into_;
};

template <class S>
concept source_of_rows = requires(S& s, doorbell& bell) {
    stream_source<S>(s, bell);
    requires stream_row<typename stream_source<S>::row>;
};
template <class S>
concept sink_of_answers = requires(S& s, doorbell& bell) {
    stream_sink<S>(s, bell);
};

template <stream_row Row>
[[nodiscard]] std::size_t inputs_of(const Row& row) {
    if constexpr (std::same_as<Row, std::vector<tensor>>)
        return row.size();
    else
        return 1;
}
template <stream_row Row>
[[nodiscard]] tensor_view input_of(const Row& row, std::size_t input) {
    if constexpr (std::same_as<Row, std::vector<tensor>>)
        return row[input];
    else if constexpr (element_type<Row>)
        return view<const Row>(&row, shape(std::span<const std::int64_t>()));
    else
        return as_view(row);
}
template <stream_row Row>
[[nodiscard]] bool look_alike(const Row& a, const Row& b) {
    if constexpr (element_type<Row>) return true;
    if (inputs_of(a) != inputs_of(b)) return false;
    for (std::size_t input = 0; input < inputs_of(a); ++input) {
        const tensor_view one = input_of(a, input), other = input_of(b, input);
        if (one.type() != other.type() || !(one.shape() == other.shape())) return false;
    }
    return true;
}

/// Rows that look alike as one batch: a new axis 0 counts them.
template <stream_row Row>
[[nodiscard]] batch stacked(std::span<const Row> rows) {
    if constexpr (element_type<Row>) return batch(tensor::of<Row>({static_cast<std::int64_t>(rows.size())}, rows));
    std::vector<part> parts;
    for (std::size_t input = 0; input < inputs_of(rows.front()); ++input) {
        const tensor_view first = input_of(rows.front(), input);
        std::int64_t extents[shape::max_rank + 1] = {static_cast<std::int64_t>(rows.size())};
        for (std::size_t axis = 0; axis < first.rank(); ++axis) extents[axis + 1] = first.extent(axis);
        tensor whole = tensor::uninitialized(first.type(), shape({extents, first.rank() + 1}));
        const std::size_t bytes = first.bytes();
        for (std::size_t at = 0; at < rows.size() && bytes != 0; ++at) {
            const tensor_view row = input_of(rows[at], input);
            std::byte* place = whole.data() + at * bytes;
            if (row.dense())
                std::memcpy(place, row.data(), bytes);
            else
                copy_elements(row, mutable_tensor_view(place, row.type(), row.shape()));
        }
        parts.emplace_back(std::move(whole));
    }
    return batch(std::move(parts));
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
