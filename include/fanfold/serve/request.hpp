// fanfold/serve/request.hpp - what a server is asked, and what it answers: rows in, one reply out.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>   // std::max, std::fill_n, std::sort
#include <cstddef>     // std::size_t
#include <cstdint>     // std::int64_t
#include <mutex>       // std::mutex
#include <optional>    // std::optional
#include <stop_token>  // std::stop_token
#include <string>      // std::string
#include <utility>     // std::move
#include <vector>      // std::vector

#include "../context/clock.hpp"
#include "../core/batch.hpp"
#include "../core/fault.hpp"
#include "../infer/answers.hpp"

namespace fanfold::inline FANFOLD_ABI {

struct request_options {
    int priority = 0;                         ///< higher comes first; waiting makes up for less of it
    std::optional<time_point> deadline = {};  ///< not computed, and told so, when it comes before a worker does
    std::stop_token stop = {};                ///< the same, when it is set
};

/// What came of a request: exactly one of these for each.
struct reply {
    batch answers;                ///< in the order of the rows; a failed row holds NaN (0 where the type has none)
    std::vector<fault> failures;  ///< rows of the request, by reason, in their order; empty when all are answered
    time_point submitted;
    time_point started;  ///< of the first batch it was in; the epoch where it was in none
    time_point finished;
    std::size_t batch_rows = 0;  ///< of the largest batch it was in

    [[nodiscard]] bool answered() const noexcept { return failures.empty(); }
};

namespace detail {

/// A batch that owns its elements: parts of `seen` that may borrow are copied.
template <class = void>
[[nodiscard]] batch owned_copy(const batch& seen) {
    std::vector<part> parts;
    for (const part& p : seen.parts()) parts.emplace_back(tensor(p.data()), p.rows(), p.name());
    return batch(std::move(parts));
}

/// Whether a part is made longer along `axis` to stand beside others: it has rows, along another axis.
template <class = void>
[[nodiscard]] bool has_length(const part& p, std::size_t axis) {
    return p.rows() && *p.rows() != axis && axis < p.data().rank();
}
/// Of the rows of a request; 1 where no part has a length.
template <class = void>
[[nodiscard]] std::size_t length_of(const batch& rows, std::size_t axis) {
    for (const part& p : rows.parts())
        if (has_length(p, axis)) return static_cast<std::size_t>(p.data().extent(axis));
    return 1;
}

/// What the rows of a request look like, without the request: which others may stand in one batch with them.
class look {
public:
    template <class = void>
    explicit look(const batch& rows) {
        for (const part& p : rows.parts()) parts_.push_back({p.data().type(), p.rows(), p.data().shape()});
    }

    /// Alike but for their number, and for their length along the axis `padded`, where given; nothing shared by all
    /// rows.
    template <class = void>
    [[nodiscard]] bool joins(const batch& rows, std::optional<std::size_t> padded) const {
        if (parts_.size() != rows.size()) return false;
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            const like& mine = parts_[i];
            const part& other = rows.parts()[i];
            const shape& extents = other.data().shape();
            if (!mine.rows || mine.rows != other.rows() || mine.type != other.data().type()) return false;
            if (mine.extents.rank() != extents.rank()) return false;
            for (std::size_t axis = 0; axis < extents.rank(); ++axis)
                if (extents[axis] != mine.extents[axis] && axis != *mine.rows && axis != padded) return false;
        }
        return true;
    }

private:
    struct like {
        element type;
        row_axis rows;
        shape extents;
    };
    std::vector<like> parts_;
};

/// Rows [first, first + rows) of a request.
struct rows_of_batch {
    const batch* of = nullptr;
    std::size_t first = 0;
    std::size_t rows = 0;
};

/// Rows that look alike side by side, in one batch that lies in the workspace; zeros behind those that are shorter
/// along `padded` than others.
template <class = void>
[[nodiscard]] batch joined(const std::vector<rows_of_batch>& pieces, workspace& space,
                           std::optional<std::size_t> padded = {}) {
    if (pieces.size() == 1 && pieces.front().rows == pieces.front().of->rows()) return *pieces.front().of;
    std::size_t rows = 0;
    for (const rows_of_batch& piece : pieces) rows += piece.rows;
    std::vector<part> parts;
    for (std::size_t i = 0; i < pieces.front().of->size(); ++i) {
        const part& like = pieces.front().of->parts()[i];
        if (!like.rows()) {  // then there is one piece
            parts.push_back(like);
            continue;
        }
        const std::size_t axis = *like.rows();
        shape extents = like.data().shape().with(axis, static_cast<std::int64_t>(rows));
        bool equal = true;
        for (const rows_of_batch& piece : pieces)
            if (padded && has_length(like, *padded) && extents[*padded] != (*piece.of)[i].extent(*padded)) {
                equal = false;
                extents = extents.with(*padded, std::max(extents[*padded], (*piece.of)[i].extent(*padded)));
            }
        const mutable_tensor_view whole = take_tensor(space, like.data().type(), extents);
        if (!equal) std::fill_n(whole.data(), whole.bytes(), std::byte{});
        std::size_t at = 0;
        for (const rows_of_batch& piece : pieces) {
            const tensor_view from = (*piece.of)[i].slice(axis, piece.first, piece.rows);
            mutable_tensor_view to = whole.slice(axis, at, piece.rows);
            if (!equal) to = to.slice(*padded, 0, static_cast<std::size_t>(from.extent(*padded)));
            copy_elements(from, to);
            at += piece.rows;
        }
        const tensor_view seen = whole;
        parts.emplace_back(seen, axis, like.name());
    }
    return batch(std::move(parts));
}

/// Puts a reply together from the batches that its rows were in.
///
/// threads  `add` by several workers at once
template <class>
class basic_reply_parts {
public:
    basic_reply_parts(std::size_t rows, std::size_t pieces, time_point submitted)
        : rows_(rows), pieces_(pieces), submitted_(submitted) {}

    /// Rows [at, at + rows) of `answers` are rows [first, first + rows) of the request. True when nothing is missing.
    bool add(const batch& answers, const std::vector<fault>& failures, std::size_t at, std::size_t first,
             std::size_t rows, time_point started) {
        const std::lock_guard lock(mutex_);
        if (batch_rows_ == 0 || started < started_) started_ = started;
        if (answers.rows() > batch_rows_) batch_rows_ = answers.rows();
        keep(answers, at, first, rows);
        for (const fault& f : failures) {
            fault mine{f.kind, {}, {}, f.attempts};
            for (const std::size_t row : f.rows)
                if (row >= at && row < at + rows) mine.rows.push_back(row - at + first);
            if (mine.rows.empty()) continue;
            mine.message = f.message;
            failures_.push_back(std::move(mine));
        }
        return --pieces_ == 0;
    }
    /// One of the pieces has become that many more.
    void split(std::size_t more) {
        const std::lock_guard lock(mutex_);
        pieces_ += more;
    }
    /// Rows that no batch will have. True when nothing is missing.
    bool fail(fault_kind kind, const std::string& message, std::size_t first, std::size_t rows) {
        const std::lock_guard lock(mutex_);
        if (failures_.empty() || failures_.back().kind != kind) failures_.push_back({kind, message, {}, 0});
        for (std::size_t row = first; row < first + rows; ++row) failures_.back().rows.push_back(row);
        return --pieces_ == 0;
    }
    [[nodiscard]] reply take(time_point now) {
        for (fault& f : failures_) std::sort(f.rows.begin(), f.rows.end());  // batches end in any order
        std::sort(failures_.begin(), failures_.end(),
                  [](const fault& a, const fault& b) { return a.rows.front() < b.rows.front(); });
        if (!shared_.empty())
            return {batch(std::move(shared_)), std::move(failures_), submitted_, started_, now, batch_rows_};
        if (kept_.empty()) return {nothing(), std::move(failures_), submitted_, {}, now, 0};
        std::vector<part> parts;
        parts.reserve(kept_.size());
        for (answer& a : kept_) parts.emplace_back(std::move(a.rows), a.axis, std::move(a.name));
        return {batch(std::move(parts)), std::move(failures_), submitted_, started_, now, batch_rows_};
    }

private:
    void keep(const batch& answers, std::size_t at, std::size_t first, std::size_t rows) {
        const bool unknown = kept_.empty();
        if (unknown && rows == rows_ && share(answers, at)) return;
        if (!unknown && kept_.size() != answers.size()) return;  // a batch of which nothing is known
        if (unknown) kept_.reserve(answers.size());
        for (std::size_t i = 0; i < answers.size(); ++i) {
            const part& p = answers.parts()[i];
            if (!p.rows()) {
                if (unknown) kept_.push_back({tensor(p.data()), p.rows(), p.name()});
                continue;
            }
            const std::size_t axis = *p.rows();
            const std::size_t each = entries_per_row(p.data().shape(), axis, answers.rows());
            const tensor_view from = p.data().slice(axis, at * each, rows * each);
            if (unknown && rows == rows_) {
                kept_.push_back({tensor(from), axis, p.name()});
                continue;
            }
            if (unknown) {
                const shape whole = from.shape().with(axis, static_cast<std::int64_t>(rows_ * each));
                kept_.push_back({answer_store::nothing(from.type(), whole), axis, p.name()});
            }
            const mutable_tensor_view whole = kept_[i].rows;
            if (whole.rank() <= axis || whole.type() != from.type()) continue;
            const mutable_tensor_view to = whole.slice(axis, first * each, rows * each);
            if (to.shape() == from.shape()) copy_elements(from, to);
        }
    }
    /// Small answers of a whole request stay where they are: beside those of others, which stay as long as one of them.
    bool share(const batch& answers, std::size_t at) {
        std::size_t bytes = 0;
        for (const part& p : answers.parts()) {
            bytes += p.data().bytes();
            if (!p.owning() || p.rows() != row_axis(0)) return false;
        }
        if (bytes > shared_bytes) return false;
        shared_.reserve(answers.size());
        for (const part& p : answers.parts()) {
            const std::size_t each = entries_per_row(p.data().shape(), 0, answers.rows());
            shared_.push_back(p.slice(at * each, rows_ * each));
        }
        return true;
    }
    [[nodiscard]] batch nothing() const {
        return batch(part(answer_store::nothing(element::float32, {static_cast<std::int64_t>(rows_)})));
    }

    static constexpr std::size_t shared_bytes = 16384;

    std::size_t rows_;
    std::size_t pieces_;
    time_point submitted_;
    std::mutex mutex_;
    time_point started_;
    std::size_t batch_rows_ = 0;
    struct answer {
        tensor rows;
        row_axis axis;
        std::string name;
    };
    std::vector<answer> kept_;
    std::vector<part> shared_;
    std::vector<fault> failures_;
};
using reply_parts = basic_reply_parts<void>;

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
