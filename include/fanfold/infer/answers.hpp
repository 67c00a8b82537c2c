// fanfold/infer/answers.hpp - where shards write, and how their answers come back in row order.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::max
#include <cstddef>    // std::size_t
#include <limits>     // std::numeric_limits
#include <mutex>      // std::mutex
#include <new>        // placement new
#include <span>       // std::span
#include <stdexcept>  // std::runtime_error
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

#include "rows.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// A returned answer that does not fit; becomes fault_kind::wrong_shape.
struct wrong_shape_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The answers of a job. Attempts that commit own disjoint rows, so their workers write at once without a lock.
template <class>
class basic_answer_store {
public:
    basic_answer_store(const plan& shards, std::size_t rows, writing where = writing::in_place)
        : shards_(shards), rows_(rows), where_(where) {}

    /// Allocates; the memory is first touched by whoever computes it.
    void declare(std::vector<tensor_type> types) {
        for (const tensor_type& type : types) {
            tensors_.push_back(tensor::uninitialized(type.type, type.shape));
            place& there = places_.emplace_back();
            there.whole = tensors_.back();
            there.bytes = tensors_.back().bytes();
            if (type.rows == row_axis(0) && rows_ != 0) there.entries = entries_per_row(type.shape, 0, rows_);
        }
        types_ = std::move(types);
    }

    /// Declares by what the first shard returned; later ones must look alike but for their rows.
    void declare_like(std::span<const tensor_view> returned, std::size_t count) {
        const std::lock_guard lock(mutex_);
        if (types_.empty()) {
            std::vector<tensor_type> types;
            for (const tensor_view& r : returned)
                types.push_back({r.type(), r.shape().with(0, static_cast<std::int64_t>(rows_)), row_axis(0), {}});
            declare(std::move(types));
            return;
        }
        if (returned.size() != types_.size())
            throw wrong_shape_error("expected " + std::to_string(types_.size()) +
                                    " answers as other shards gave, got " + std::to_string(returned.size()));
        for (std::size_t i = 0; i < returned.size(); ++i) {
            const shape expected = types_[i].shape.with(0, static_cast<std::int64_t>(count));
            if (returned[i].type() == types_[i].type && returned[i].shape() == expected) continue;
            throw wrong_shape_error("expected " + std::string(name_of(types_[i].type)) + " " + expected.text() +
                                    " as other shards gave, got " + describe(returned[i]));
        }
    }

    /// What `room` takes from a workspace at most.
    [[nodiscard]] std::size_t room_bytes(pieces of = pieces::none) const {
        std::size_t bytes = workspace::rounded(types_.size() * sizeof(mutable_tensor_view)) +
                            workspace::rounded(types_.size() * sizeof(tensor_view));  // those that are verified
        for (const tensor_type& type : types_) {
            if (in_place() && of == pieces::none && shards_.order.empty() && type.rows == row_axis(0)) continue;
            const std::size_t rows = type.rows && rows_ != 0 ? rows_ : 1;
            bytes += workspace::rounded(type.shape.volume() * size_of(type.type) / rows *
                                        (type.rows ? shards_.largest() : 1));
        }
        return bytes;
    }

    /// Where the answers of these rows are to be written: their final place or the workspace.
    [[nodiscard]] mutable_batch_view room(const row_set& which, workspace& space) {
        const auto views = space.take<mutable_tensor_view>(tensors_.size());
        const bool together = in_place() && which.where() == writing::in_place && which.consecutive();
        for (std::size_t i = 0; i < views.size(); ++i) {
            if (const std::size_t each = places_[i].entries; together && each != 0 && which.rows() != 0) {
                new (&views[i]) mutable_tensor_view(places_[i].whole);
                views[i].narrow(0, which.row(0) * each, which.rows() * each);
                continue;
            }
            new (&views[i]) mutable_tensor_view(room_apart(i, which, space));
        }
        return {views, which.rows()};
    }

    /// Moves what was written elsewhere to its place.
    void commit(const row_set& which, const mutable_batch_view& written) {
        for (std::size_t i = 0; i < written.size(); ++i) {
            const std::byte* const begin = places_[i].whole.data();
            if (written[i].data() >= begin && written[i].data() < begin + places_[i].bytes) continue;  // in place
            move_to_place(i, which, written[i]);
        }
    }

    [[nodiscard]] const std::vector<tensor_type>& types() const noexcept { return types_; }

    /// Those rows' elements, dense, one answer behind the other.
    [[nodiscard]] std::vector<std::byte> get(std::size_t first, std::size_t count) const {
        std::vector<std::byte> bytes;
        for (std::size_t i = 0; i < tensors_.size(); ++i) {
            const auto rows = slice_of<tensor_view>(tensors_[i], i, first, count);
            const std::size_t at = bytes.size();
            bytes.resize(at + rows.bytes());
            copy_elements(rows, mutable_tensor_view(bytes.data() + at, rows.type(), rows.shape()));
        }
        return bytes;
    }
    /// What `get` gave; false when that is of another size.
    [[nodiscard]] bool put(std::size_t first, std::size_t count, std::span<const std::byte> bytes) {
        std::size_t at = 0;
        for (std::size_t i = 0; i < tensors_.size(); ++i) {
            const auto rows = slice_of<mutable_tensor_view>(tensors_[i], i, first, count);
            if (rows.bytes() > bytes.size() - at) return false;
            copy_elements(tensor_view(bytes.data() + at, rows.type(), rows.shape()), rows);
            at += rows.bytes();
        }
        return at == bytes.size();
    }

    /// Rows without an answer hold NaN, or 0 where the element type has none.
    void blank(std::span<const std::size_t> rows) {
        for (std::size_t i = 0; i < tensors_.size(); ++i) {
            if (!types_[i].rows) continue;
            const std::size_t axis = *types_[i].rows;
            const std::size_t each = entries_per_row(types_[i].shape, axis, rows_);
            const mutable_tensor_view whole = tensors_[i];
            const tensor none = nothing(whole.type(), whole.shape().with(axis, static_cast<std::int64_t>(each)));
            for (const std::size_t row : rows) copy_elements(none, whole.slice(axis, row * each, each));
        }
    }

    [[nodiscard]] batch take() && {
        std::vector<part> parts;
        for (std::size_t i = 0; i < tensors_.size(); ++i)
            parts.emplace_back(std::move(tensors_[i]), types_[i].rows, types_[i].name);
        if (parts.empty())  // no shard ever answered
            parts.push_back(part(nothing(element::float32, {static_cast<std::int64_t>(rows_)})));
        return batch(std::move(parts));
    }

    /// NaN everywhere, or 0 where the type has none.
    [[nodiscard]] static tensor nothing(element type, const shape& extents) {
        tensor none(type, extents);
        if (type == element::float32) fill_with_nan<float>(none);
        if (type == element::float64) fill_with_nan<double>(none);
        if (type == element::float16) fill_with_nan<float16>(none);
        if (type == element::bfloat16) fill_with_nan<bfloat16>(none);
        return none;
    }

private:
    [[nodiscard, gnu::noinline]] mutable_tensor_view room_apart(std::size_t i, const row_set& which, workspace& space) {
        const mutable_tensor_view there = final_place(i, which);
        return there.data() != nullptr ? there : take_tensor(space, types_[i].type, shape_of(i, which));
    }
    [[gnu::noinline]] void move_to_place(std::size_t i, const row_set& which, const mutable_tensor_view& written) {
        const mutable_tensor_view& whole = places_[i].whole;
        if (!types_[i].rows) {  // the same from every shard
            const std::lock_guard lock(mutex_);
            if (i >= shared_written_) copy_elements(written, whole);
            shared_written_ = std::max(shared_written_, i + 1);
            return;
        }
        const std::size_t axis = *types_[i].rows;
        const std::size_t each = entries_per_row(types_[i].shape, axis, rows_);
        if (which.consecutive())
            return copy_elements(written, whole.slice(axis, which.row(0) * each, which.rows() * each));
        for (std::size_t at = 0; at < which.rows(); ++at)
            copy_elements(written.slice(axis, at * each, each), whole.slice(axis, which.row(at) * each, each));
    }

    template <class T>
    static void fill_with_nan(tensor& whole) {
        T* values = reinterpret_cast<T*>(whole.data());
        for (std::size_t i = 0; i < whole.size(); ++i) values[i] = T(std::numeric_limits<float>::quiet_NaN());
    }

    template <class View>
    [[nodiscard]] View slice_of(const View& whole, std::size_t i, std::size_t first, std::size_t count) const {
        if (!types_[i].rows) return whole;
        const std::size_t axis = *types_[i].rows;
        const std::size_t each = entries_per_row(types_[i].shape, axis, rows_);
        return whole.slice(axis, first * each, count * each);
    }

    [[nodiscard]] bool in_place() const noexcept { return where_ == writing::in_place; }

    [[nodiscard]] shape shape_of(std::size_t i, const row_set& which) const {
        if (!types_[i].rows) return types_[i].shape;
        const std::size_t axis = *types_[i].rows;
        const std::size_t each = entries_per_row(types_[i].shape, axis, rows_);
        return types_[i].shape.with(axis, static_cast<std::int64_t>(which.rows() * each));
    }

    /// Those rows of answer `i`, or a view without data when they do not lie together.
    [[nodiscard]] mutable_tensor_view final_place(std::size_t i, const row_set& which) {
        if (!in_place() || which.where() == writing::apart || !types_[i].rows || !which.consecutive()) return {};
        const std::size_t axis = *types_[i].rows;
        const std::size_t each = entries_per_row(types_[i].shape, axis, rows_);
        const mutable_tensor_view whole = tensors_[i];
        const mutable_tensor_view slice = whole.slice(axis, which.row(0) * each, which.rows() * each);
        return slice.dense() ? slice : mutable_tensor_view{};
    }

    const plan& shards_;
    std::size_t rows_;
    writing where_;
    std::size_t shared_written_ = 0;  ///< answers before this one that are shared by all rows have been written
    std::mutex mutex_;
    std::vector<tensor_type> types_;
    std::vector<tensor> tensors_;
    struct place {
        mutable_tensor_view whole;
        std::size_t bytes = 0;
        std::size_t entries = 0;  ///< of a row along axis 0; 0: another axis, or none
    };
    std::vector<place> places_;
};
using answer_store = basic_answer_store<void>;

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
