// fanfold/core/view.hpp - non-owning tensors: typed (`view<T>`) and with a run-time element type (`tensor_view`).
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::find
#include <cassert>      // assert
#include <concepts>     // std::convertible_to
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <span>         // std::span
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <type_traits>  // std::is_const_v

#include "element.hpp"
#include "shape.hpp"

namespace fanfold::inline FANFOLD_ABI {

namespace detail {

[[nodiscard]] constexpr bool dense(const shape& extents, const strides& steps) noexcept {
    for (const std::int64_t extent : extents)
        if (extent == 0) return true;
    std::int64_t expected = 1;
    for (std::size_t axis = extents.rank(); axis-- > 0;) {
        if (extents[axis] != 1 && steps[axis] != expected) return false;
        expected *= extents[axis];
    }
    return true;
}

}  // namespace detail

template <class T>
struct adapt;  // core/adapt.hpp

/// Typed, strided, non-owning; `T` is const for read-only data.
///
/// layout   element (i, j, ...) lies at data[i * step(0) + j * step(1) + ...]; "dense" means row-major without gaps
/// errors   throws std::invalid_argument where a dense view is needed and this one is not
/// threads  a value; the data it points to is the caller's to guard
template <class T>
class view {
public:
    using value_type = std::remove_const_t<T>;

    constexpr view() = default;
    constexpr view(T* data, const shape& extents) : view(data, extents, dense_strides(extents)) {}
    constexpr view(T* data, const shape& extents, const strides& steps) : data_(data), shape_(extents), steps_(steps) {}
    constexpr view(std::span<T> values)
        : view(values.data(), fanfold::shape{static_cast<std::int64_t>(values.size())}) {}
    /// A writable view reads as a read-only one.
    template <class U>
    requires(std::is_const_v<T>&& std::same_as<U, value_type>) constexpr view(const view<U>& other)
        : view(other.data(), other.shape(), other.steps()) {}

    /// Whatever holds elements of this type (std::vector, std::array, Eigen's types with core/eigen.hpp) is seen
    /// in place.
    template <class C>
        requires(std::is_const_v<T> && std::same_as<typename adapt<C>::scalar, value_type>)
    view(const C& container) : view(adapt<C>::view(container).template as<value_type>()) {}
    template <class C>
        requires(!std::is_const_v<T> && !std::is_const_v<std::remove_reference_t<C>> &&
                 std::same_as<typename adapt<std::remove_cvref_t<C>>::scalar, value_type> &&
                 requires(C& container) { adapt<std::remove_cvref_t<C>>::mutable_view(container); })
    view(C&& container)
        : view(adapt<std::remove_cvref_t<C>>::mutable_view(container).template as<value_type>()) {}

    [[nodiscard]] constexpr T* data() const noexcept { return data_; }
    [[nodiscard]] constexpr const fanfold::shape& shape() const noexcept { return shape_; }
    [[nodiscard]] constexpr const strides& steps() const noexcept { return steps_; }
    [[nodiscard]] constexpr std::size_t rank() const noexcept { return shape_.rank(); }
    [[nodiscard]] constexpr std::int64_t extent(std::size_t axis) const { return shape_[axis]; }
    [[nodiscard]] constexpr std::int64_t step(std::size_t axis) const { return steps_[axis]; }
    [[nodiscard]] constexpr std::size_t size() const { return shape_.volume(); }
    [[nodiscard]] constexpr bool dense() const noexcept { return detail::dense(shape_, steps_); }

    template <std::convertible_to<std::int64_t>... Index>
    [[nodiscard]] constexpr T& operator()(Index... index) const {
        assert(sizeof...(index) == rank());
        std::size_t axis = 0;
        std::int64_t at = 0;
        ((at += static_cast<std::int64_t>(index) * steps_[axis++]), ...);
        return data_[at];
    }

    /// All elements in row-major order.
    [[nodiscard]] constexpr std::span<T> flat() const {
        if (!dense()) throw std::invalid_argument("view: " + shape_.text() + " is strided; flat() needs a dense one");
        return {data_, size()};
    }

private:
    T* data_ = nullptr;
    fanfold::shape shape_{0};
    strides steps_{1};
};

namespace detail {

/// What `tensor_view` and `mutable_tensor_view` share; `Byte` is const for the read-only one.
template <class Byte>
class basic_tensor_view {
    template <class T>
    using as_const = std::conditional_t<std::is_const_v<Byte>, const T, T>;

public:
    constexpr basic_tensor_view() = default;
    basic_tensor_view(Byte* data, element type, const shape& extents)
        : basic_tensor_view(data, type, extents, dense_strides(extents)) {}
    basic_tensor_view(Byte* data, element type, const shape& extents, const strides& steps)
        : data_(data), type_(type), shape_(extents), steps_(steps) {}
    template <class T>
    requires(element_type<std::remove_const_t<T>> && (std::is_const_v<Byte> || !std::is_const_v<T>))
        basic_tensor_view(const view<T>& typed)
        : basic_tensor_view(reinterpret_cast<Byte*>(typed.data()), element_of<T>, typed.shape(), typed.steps()) {}
    template <class Other>
    requires(std::is_const_v<Byte>&& std::same_as<Other, std::remove_const_t<Byte>>)
        basic_tensor_view(const basic_tensor_view<Other>& other)
        : basic_tensor_view(other.data(), other.type(), other.shape(), other.steps()) {}

    [[nodiscard]] Byte* data() const noexcept { return data_; }
    [[nodiscard]] element type() const noexcept { return type_; }
    [[nodiscard]] const fanfold::shape& shape() const noexcept { return shape_; }
    [[nodiscard]] const strides& steps() const noexcept { return steps_; }
    [[nodiscard]] std::size_t rank() const noexcept { return shape_.rank(); }
    [[nodiscard]] std::int64_t extent(std::size_t axis) const { return shape_[axis]; }
    [[nodiscard]] std::size_t size() const { return shape_.volume(); }
    [[nodiscard]] std::size_t bytes() const { return size() * size_of(type_); }
    [[nodiscard]] bool dense() const noexcept { return detail::dense(shape_, steps_); }
    /// From now on the same of other elements.
    void move_to(Byte* data) noexcept { data_ = data; }

    /// Typed view of the same elements; throws std::invalid_argument when `T` is not the element type.
    template <element_type T>
    [[nodiscard]] view<as_const<T>> as() const {
        if (element_of<T> != type_) refuse_type(element_of<T>);
        return {reinterpret_cast<as_const<T>*>(data_), shape_, steps_};
    }

    /// Elements [first, first + count) along `axis`, without a copy; throws std::invalid_argument when there are fewer.
    [[nodiscard]] basic_tensor_view slice(std::size_t axis, std::size_t first, std::size_t count) const {
        basic_tensor_view some = *this;
        some.narrow(axis, first, count);
        return some;
    }
    /// From now on only those elements, which costs less than a slice of one view as another.
    void narrow(std::size_t axis, std::size_t first, std::size_t count) {
        const std::size_t there = axis < rank() ? static_cast<std::size_t>(shape_[axis]) : 0;
        if (axis >= rank() || first > there || count > there - first) refuse_slice(axis, first, count);
        shape_.set(axis, static_cast<std::int64_t>(count));
        if (std::find(shape_.begin(), shape_.end(), 0) != shape_.end()) return;  // data_ may be null
        data_ += static_cast<std::int64_t>(first) * steps_[axis] * static_cast<std::int64_t>(size_of(type_));
    }

    /// Rows [first, first + count) along axis 0, without a copy.
    [[nodiscard]] basic_tensor_view rows(std::size_t first, std::size_t count) const { return slice(0, first, count); }

    /// The same elements under another shape of the same volume; needs a dense view.
    [[nodiscard]] basic_tensor_view reshaped(const fanfold::shape& extents) const {
        if (!dense() || extents.volume() != size())
            throw std::invalid_argument("cannot reshape " + std::string(dense() ? "" : "strided ") + shape_.text() +
                                        " to " + extents.text());
        return {data_, type_, extents};
    }

    /// All bytes in row-major order; throws std::invalid_argument when strided.
    [[nodiscard]] std::span<Byte> flat_bytes() const {
        if (!dense()) throw std::invalid_argument("tensor " + shape_.text() + " is strided; a dense one is needed");
        return {data_, bytes()};
    }

private:
    [[noreturn, gnu::cold, gnu::noinline]] void refuse_type(element asked) const {
        throw std::invalid_argument("tensor holds " + std::string(name_of(type_)) + ", asked for " +
                                    std::string(name_of(asked)));
    }
    [[noreturn, gnu::cold, gnu::noinline]] void refuse_slice(std::size_t axis, std::size_t first,
                                                             std::size_t count) const {
        throw std::invalid_argument("slice of " + std::to_string(count) + " from " + std::to_string(first) +
                                    " along axis " + std::to_string(axis) + " of " + shape_.text());
    }

    Byte* data_ = nullptr;
    element type_ = element::float32;
    fanfold::shape shape_{0};
    strides steps_{1};
};

}  // namespace detail

/// A read-only tensor whose element type is known at run time; owns nothing.
using tensor_view = detail::basic_tensor_view<const std::byte>;
/// The same, writable.
using mutable_tensor_view = detail::basic_tensor_view<std::byte>;

/// "float32 [10000, 1, 28, 28]"
[[nodiscard]] inline std::string describe(const tensor_view& t) {
    return std::string(name_of(t.type())) + " " + t.shape().text();
}

}  // namespace fanfold::inline FANFOLD_ABI
