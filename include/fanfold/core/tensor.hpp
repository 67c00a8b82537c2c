// fanfold/core/tensor.hpp - an owning, dense, row-major tensor with a run-time element type, 64-byte aligned.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>    // std::byte
#include <cstdint>    // PTRDIFF_MAX
#include <cstring>    // std::memcpy, std::memset
#include <memory>     // std::unique_ptr
#include <new>        // std::align_val_t
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <utility>    // std::swap

#include "pages.hpp"
#include "view.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Every buffer of fanfold's starts on a cache line, which is also the widest vector register.
inline constexpr std::size_t buffer_alignment = 64;

namespace detail {

struct aligned_delete {
    std::align_val_t alignment{buffer_alignment};
    void operator()(std::byte* bytes) const noexcept { ::operator delete(bytes, alignment); }
};
using aligned_bytes = std::unique_ptr<std::byte[], aligned_delete>;

[[nodiscard]] inline aligned_bytes allocate_aligned(std::size_t bytes) {
    if (bytes > PTRDIFF_MAX) throw std::bad_alloc();  // libstdc++ 12 rounds sizes near SIZE_MAX up to 0
    return aligned_bytes(static_cast<std::byte*>(::operator new (bytes, std::align_val_t{buffer_alignment})));
}

/// For memory that is used again and again, in huge pages where it has room for them.
[[nodiscard]] inline aligned_bytes allocate_for_long(std::size_t bytes) {
    if (bytes < 2 * huge_page || bytes > PTRDIFF_MAX) return allocate_aligned(bytes);
    const std::align_val_t alignment{huge_page};
    aligned_bytes block(static_cast<std::byte*>(::operator new(bytes, alignment)), aligned_delete{alignment});
    ask_for_huge_pages(block.get(), bytes);
    return block;
}

/// Copies `from` (any strides) to `to` (any strides); equal type and shape.
template <class = void>
void copy_elements(const tensor_view& from, const mutable_tensor_view& to) {
    if (from.type() != to.type() || !(from.shape() == to.shape()))
        throw std::invalid_argument("cannot copy " + describe(from) + " to " + describe(to));
    if (from.size() == 0) return;
    if (from.dense() && to.dense()) {
        std::memcpy(to.data(), from.data(), from.bytes());
        return;
    }
    visit_width(from.type(), [&]<class Word>(Word) {
        const auto recurse = [&](auto&& self, std::size_t axis, const std::byte* source, std::byte* target) -> void {
            const auto width = static_cast<std::int64_t>(sizeof(Word));
            const std::int64_t count = from.rank() == 0 ? 1 : from.extent(axis);
            const std::int64_t read = from.rank() == 0 ? width : from.steps()[axis] * width;
            const std::int64_t write = from.rank() == 0 ? width : to.steps()[axis] * width;
            if (axis + 1 >= from.rank()) {
                for (std::int64_t i = 0; i < count; ++i)
                    std::memcpy(target + i * write, source + i * read, sizeof(Word));
                return;
            }
            for (std::int64_t i = 0; i < count; ++i) self(self, axis + 1, source + i * read, target + i * write);
        };
        recurse(recurse, 0, from.data(), to.data());
    });
}

}  // namespace detail

/// Owns its elements. Copies copy the elements; a moved-from tensor is empty (shape [0]).
///
/// layout   row-major, first element 64-byte aligned, elements zero unless said otherwise
/// errors   std::bad_alloc when memory is short; std::invalid_argument on a wrong element type, or when the bytes
///          do not fit 63 bits
/// threads  as a standard container: concurrent const use is safe
class tensor {
public:
    tensor() = default;
    tensor(element type, const fanfold::shape& extents) : tensor(uninitialized(type, extents)) {
        if (bytes() != 0) std::memset(data_.get(), 0, bytes());
    }
    /// A dense copy of `source`, whatever its strides.
    explicit tensor(const tensor_view& source) : tensor(uninitialized(source.type(), source.shape())) {
        detail::copy_elements(source, *this);
    }
    tensor(const tensor& other) : tensor(static_cast<tensor_view>(other)) {}
    tensor(tensor&& other) noexcept { swap(other); }
    tensor& operator=(tensor other) noexcept {
        swap(other);
        return *this;
    }
    ~tensor() = default;

    /// Elements are left as the allocator gave them: for memory that is written in full, or first touched elsewhere.
    [[nodiscard]] static tensor uninitialized(element type, const fanfold::shape& extents) {
        tensor made;
        std::size_t bytes = 0;
        if (__builtin_mul_overflow(extents.volume(), size_of(type), &bytes) || bytes > PTRDIFF_MAX)
            throw std::invalid_argument("tensor: " + extents.text() + " has more bytes than memory can address");
        if (bytes != 0) made.data_ = detail::allocate_aligned(bytes);
        made.type_ = type;
        made.shape_ = extents;
        return made;
    }

    /// The same with its pages present already, for weights and the like: large, and written in full by this thread.
    [[nodiscard]] static tensor populated(element type, const fanfold::shape& extents) {
        tensor made = uninitialized(type, extents);
        detail::populate(made.data(), made.bytes());
        return made;
    }

    /// `tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6})`
    template <element_type T>
    [[nodiscard]] static tensor of(const fanfold::shape& extents, std::span<const T> values) {
        if (values.size() != extents.volume())
            throw std::invalid_argument("tensor: " + std::to_string(values.size()) + " values for " + extents.text());
        tensor made = uninitialized(element_of<T>, extents);
        if (!values.empty()) std::memcpy(made.data_.get(), values.data(), values.size_bytes());
        return made;
    }
    template <element_type T>
    [[nodiscard]] static tensor of(const fanfold::shape& extents, std::initializer_list<T> values) {
        return of<T>(extents, std::span<const T>(values.begin(), values.size()));
    }

    [[nodiscard]] element type() const noexcept { return type_; }
    [[nodiscard]] const fanfold::shape& shape() const noexcept { return shape_; }
    [[nodiscard]] std::size_t size() const { return shape_.volume(); }
    [[nodiscard]] std::size_t bytes() const { return size() * size_of(type_); }
    [[nodiscard]] std::byte* data() noexcept { return data_.get(); }
    [[nodiscard]] const std::byte* data() const noexcept { return data_.get(); }

    [[nodiscard]] operator tensor_view() const& { return {data_.get(), type_, shape_}; }
    [[nodiscard]] operator mutable_tensor_view() & { return {data_.get(), type_, shape_}; }
    operator tensor_view() const&& = delete;  // would dangle

    template <element_type T>
    [[nodiscard]] view<T> as() & {
        return static_cast<mutable_tensor_view>(*this).as<T>();
    }
    template <element_type T>
    [[nodiscard]] view<const T> as() const& {
        return static_cast<tensor_view>(*this).as<T>();
    }
    template <element_type T>
    view<const T> as() const&& = delete;  // would dangle

    /// Rows [first, first + count) along axis 0, without a copy.
    [[nodiscard]] tensor_view rows(std::size_t first, std::size_t count) const& {
        return static_cast<tensor_view>(*this).rows(first, count);
    }
    tensor_view rows(std::size_t first, std::size_t count) const&& = delete;  // would dangle
    [[nodiscard]] mutable_tensor_view rows(std::size_t first, std::size_t count) & {
        return static_cast<mutable_tensor_view>(*this).rows(first, count);
    }

    void swap(tensor& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(type_, other.type_);
        std::swap(shape_, other.shape_);
    }

private:
    detail::aligned_bytes data_;
    element type_ = element::float32;
    fanfold::shape shape_{0};
};

}  // namespace fanfold::inline FANFOLD_ABI
