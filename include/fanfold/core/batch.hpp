// fanfold/core/batch.hpp - what a model is asked: one or more tensors, each with its row axis or shared by all rows.
// SPDX-License-Identifier: MIT
#pragma once
#include <concepts>     // std::same_as
#include <cstddef>      // std::size_t
#include <memory>       // std::shared_ptr
#include <optional>     // std::optional
#include <span>         // std::span
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <type_traits>  // std::remove_cvref_t
#include <utility>      // std::forward
#include <vector>       // std::vector

#include "adapt.hpp"
#include "in_quotes.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Which axis of a tensor counts rows; empty: the whole tensor is shared by all rows.
using row_axis = std::optional<std::size_t>;
inline constexpr row_axis shared_by_all_rows = std::nullopt;

/// What one tensor of a batch looks like: element type, extents, row axis, name (may be empty).
struct tensor_type {
    element type = element::float32;
    fanfold::shape shape;
    row_axis rows = 0;
    std::string name;
};

namespace detail {

template <class T>
struct kept_as {
    using type = T;
};
template <class T>
requires requires { typename adapt<T>::owner; }
struct kept_as<T> {
    using type = typename adapt<T>::owner;
};

}  // namespace detail

/// One tensor of a batch.
class part {
public:
    /// Borrows `value` when it is an lvalue (it must outlive the batch), keeps it when it is a temporary.
    template <viewable T>
    requires(!std::same_as<std::remove_cvref_t<T>, part>) part(T&& value, row_axis rows = 0, std::string name = {})
        : rows_(rows), name_(std::move(name)) {
        using plain = std::remove_cvref_t<T>;
        if constexpr (std::is_lvalue_reference_v<T>) {
            data_ = as_view(value);
        } else {
            auto kept = std::make_shared<const typename detail::kept_as<plain>::type>(std::forward<T>(value));
            data_ = as_view(*kept);
            owner_ = std::move(kept);
        }
        if (rows_ && *rows_ >= data_.rank())
            throw std::invalid_argument("batch: row axis " + std::to_string(*rows_) + " of a tensor " +
                                        describe(data_));
    }

    [[nodiscard]] const tensor_view& data() const noexcept { return data_; }
    [[nodiscard]] row_axis rows() const noexcept { return rows_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    /// Whether it keeps what it refers to.
    [[nodiscard]] bool owning() const noexcept { return owner_ != nullptr; }
    /// Entries [first, first + count) along the row axis, which it must have: the same memory, kept alike.
    template <class = void>
    [[nodiscard]] part slice(std::size_t first, std::size_t count) const {
        part some(*this);
        some.data_ = data_.slice(*rows_, first, count);
        return some;
    }

private:
    tensor_view data_;
    row_axis rows_;
    std::string name_;
    std::shared_ptr<const void> owner_;
};

/// One or more tensors of any element type. Made from anything viewable: a tensor, an Eigen matrix, a std::vector.
///
/// example  infer(cores, model, batch{part{ids}, part{past, 1}, part{mask, shared_by_all_rows}});
/// errors   throws std::invalid_argument when no part has rows or two parts disagree about their number
/// threads  a value that may borrow: concurrent const use is safe
class batch {
public:
    template <class... Parts>
    requires(sizeof...(Parts) > 0 && (... && (viewable<Parts> || std::same_as<std::remove_cvref_t<Parts>, part>)))
        batch(Parts&&... parts) {
        parts_.reserve(sizeof...(Parts));
        (parts_.emplace_back(std::forward<Parts>(parts)), ...);
        count_rows();
    }
    explicit batch(std::vector<part> parts) : parts_(std::move(parts)) { count_rows(); }

    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::size_t size() const noexcept { return parts_.size(); }
    [[nodiscard]] const std::vector<part>& parts() const noexcept { return parts_; }
    [[nodiscard]] const tensor_view& operator[](std::size_t index) const { return parts_.at(index).data(); }

    // A batch of one tensor reads like that tensor; of several, these throw std::invalid_argument.
    [[nodiscard]] const fanfold::shape& shape() const { return only().shape(); }
    [[nodiscard]] element type() const { return only().type(); }
    template <element_type T>
    [[nodiscard]] view<const T> as() const {
        return only().as<T>();
    }
    [[nodiscard]] operator tensor_view() const { return only(); }

private:
    const tensor_view& only() const {
        if (parts_.size() != 1)
            throw std::invalid_argument("batch of " + std::to_string(parts_.size()) +
                                        " tensors: say which, as in batch[0]");
        return parts_.front().data();
    }

    void count_rows() {
        const part* first = nullptr;
        for (const part& p : parts_) {
            if (!p.rows()) continue;
            const auto count = static_cast<std::size_t>(p.data().extent(*p.rows()));
            if (first == nullptr) {
                first = &p;
                rows_ = count;
            } else if (count != rows_) {
                throw std::invalid_argument("batch: tensor " + detail::in_quotes(p.name()) + " " + describe(p.data()) +
                                            " has " + std::to_string(count) + " rows along axis " +
                                            std::to_string(*p.rows()) + ", tensor " + detail::in_quotes(first->name()) +
                                            " has " + std::to_string(rows_));
            }
        }
        if (first == nullptr) throw std::invalid_argument("batch: no tensor has a row axis");
    }

    std::vector<part> parts_;
    std::size_t rows_ = 0;
};

namespace detail {

/// What a model sees of a shard; `View` is tensor_view for what it reads, mutable_tensor_view for what it writes.
template <class View>
class basic_batch_view {
public:
    basic_batch_view(std::span<const View> parts, std::size_t rows) : parts_(parts), rows_(rows) {}

    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::size_t size() const noexcept { return parts_.size(); }
    [[nodiscard]] const View& operator[](std::size_t index) const { return parts_[index]; }
    [[nodiscard]] auto begin() const noexcept { return parts_.begin(); }
    [[nodiscard]] auto end() const noexcept { return parts_.end(); }

    template <element_type T>
    [[nodiscard]] auto as() const {
        return only().template as<T>();
    }
    /// A view of one tensor becomes whatever the callable's parameter is: view<const float>, std::span<const float>,
    /// matrix_map<const float> (core/eigen.hpp), tensor_map<const float, 4> (core/eigen_tensor.hpp), tensor_view.
    template <class T>
    requires castable_from<T, View>
    [[nodiscard]] operator T() const { return adapt<T>::from(only()); }

private:
    const View& only() const {
        if (parts_.size() != 1)
            throw std::invalid_argument("batch of " + std::to_string(parts_.size()) +
                                        " tensors: say which, as in rows[0]");
        return parts_.front();
    }

    std::span<const View> parts_;
    std::size_t rows_ = 0;
};

}  // namespace detail

/// The rows of a shard: dense tensors whose row axes all count `rows()`.
using batch_view = detail::basic_batch_view<tensor_view>;
/// Where the answers of a shard go: dense tensors to be written in full.
using mutable_batch_view = detail::basic_batch_view<mutable_tensor_view>;

}  // namespace fanfold::inline FANFOLD_ABI
