// fanfold/infer/rows.hpp - the rows of a shard as a model sees them: slices of the batch, or gathered side by side.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>  // std::size_t
#include <new>      // placement new
#include <span>     // std::span

#include "../context/workspace.hpp"
#include "../core/batch.hpp"
#include "../partition/plan.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Elements that belong to one row along the row axis: 1, or k where an axis counts k entries a row.
[[nodiscard]] inline std::size_t entries_per_row(const shape& whole, std::size_t axis, std::size_t rows) {
    return rows == 0 ? 1 : static_cast<std::size_t>(whole[axis]) / rows;
}

/// Dense, uninitialized room for a tensor like `like`, in the workspace.
[[nodiscard]] inline mutable_tensor_view take_tensor(workspace& space, element type, const shape& extents) {
    return {space.take<std::byte>(extents.volume() * size_of(type)).data(), type, extents};
}

/// Where attempts write: to the final place of their rows, where that is dense, or apart, where another attempt may be
/// at the same rows.
enum class writing { in_place, apart };

/// The rows that one attempt computes, by their numbers in the batch, in the order they travel. Borrows.
class row_set {
public:
    /// All of a shard.
    row_set(const plan& shards, std::size_t shard)
        : first_(shards.cuts[shard]),
          rows_(shards.rows_of(shard)),
          order_(shards.order.empty() ? nullptr : shards.order.data() + first_) {}
    explicit row_set(std::span<const std::size_t> rows) : rows_(rows.size()), order_(rows.data()) {}
    /// The same rows, which others have written or write at the same time.
    [[nodiscard]] row_set apart() const {
        row_set same = *this;
        same.where_ = writing::apart;
        return same;
    }
    [[nodiscard]] writing where() const noexcept { return where_; }

    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::size_t row(std::size_t position) const {
        return order_ == nullptr ? first_ + position : order_[position];
    }
    /// Neighbours in the batch, so that a slice serves and nothing is gathered.
    [[nodiscard]] bool consecutive() const {
        for (std::size_t at = 1; order_ != nullptr && at < rows_; ++at)
            if (order_[at] != order_[at - 1] + 1) return false;
        return true;
    }

private:
    std::size_t first_ = 0;
    std::size_t rows_ = 0;
    const std::size_t* order_ = nullptr;  ///< null: from first_ on
    writing where_ = writing::in_place;
};

/// Those rows of the batch: without a copy where they lie together, else copied into the workspace in their order.
template <class = void>
[[nodiscard]] batch_view shard_rows(const batch& all, const row_set& which, workspace& space) {
    const std::size_t count = which.rows();
    const bool consecutive = which.consecutive();
    const auto views = space.take<tensor_view>(all.size());
    for (std::size_t p = 0; p < views.size(); ++p) {
        const part& from = all.parts()[p];
        const tensor_view& whole = from.data();
        if (from.rows() && !consecutive) {
            const std::size_t axis = *from.rows();
            const mutable_tensor_view room =
                take_tensor(space, whole.type(), whole.shape().with(axis, static_cast<std::int64_t>(count)));
            for (std::size_t i = 0; i < count; ++i)
                copy_elements(whole.slice(axis, which.row(i), 1), room.slice(axis, i, 1));
            new (&views[p]) tensor_view(room);
            continue;
        }
        new (&views[p]) tensor_view(whole);
        if (from.rows()) views[p].narrow(*from.rows(), which.row(0), count);
        if (views[p].dense()) continue;
        const mutable_tensor_view room = take_tensor(space, views[p].type(), views[p].shape());
        copy_elements(views[p], room);
        views[p] = room;
    }
    return {views, count};
}

/// Whether some of a shard's rows may be computed without the others: not where they depend on each other, or where the
/// model takes a fixed number.
enum class shards_are { divisible, whole };

/// What an attempt's rows come from: whole shards, which may lie together, or any rows of them.
enum class pieces { none, any };

/// What `shard_rows` takes from a workspace at most.
[[nodiscard]] inline std::size_t shard_rows_bytes(const batch& all, const plan& shards, pieces of = pieces::none) {
    std::size_t bytes = workspace::rounded(all.size() * sizeof(tensor_view));
    for (const part& p : all.parts()) {
        if (of == pieces::none && shards.order.empty() && p.rows() == row_axis(0) && p.data().dense()) continue;
        const std::size_t rows = p.rows() && all.rows() != 0 ? all.rows() : 1;
        bytes += workspace::rounded(p.data().bytes() / rows * (p.rows() ? shards.largest() : 1));
    }
    return bytes;
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
