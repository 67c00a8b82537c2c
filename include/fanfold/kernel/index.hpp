// fanfold/kernel/index.hpp - what the kernels that move elements share: dense tensors as bytes, indices of two types.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::byte
#include <cstdint>      // std::int64_t
#include <cstring>      // std::memcpy
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <string_view>  // std::string_view

#include "../core/view.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel::detail {

/// "gather: " and what was wrong.
[[noreturn]] inline void refuse(std::string_view operation, const std::string& why) {
    throw std::invalid_argument(std::string(operation) + ": " + why);
}
template <class... View>
void expect_dense(std::string_view operation, const View&... views) {
    if (!(views.dense() && ...)) refuse(operation, "expected dense tensors");
}

/// The product of extents [first, last).
[[nodiscard]] inline std::size_t volume_of(const shape& extents, std::size_t first, std::size_t last) {
    std::size_t product = 1;
    for (std::size_t axis = first; axis < last; ++axis) product *= static_cast<std::size_t>(extents[axis]);
    return product;
}

/// Dense int32 or int64 indices; negative ones count from the end.
class index_list {
public:
    index_list(std::string_view operation, const tensor_view& indices)
        : operation_(operation), data_(indices.data()), wide_(indices.type() == element::int64) {
        if (!wide_ && indices.type() != element::int32)
            refuse(operation, "expected indices of int32 or int64, got " + describe(indices));
        expect_dense(operation, indices);
    }
    [[nodiscard]] std::int64_t operator[](std::size_t i) const noexcept {
        return wide_ ? reinterpret_cast<const std::int64_t*>(data_)[i]
                     : std::int64_t{reinterpret_cast<const std::int32_t*>(data_)[i]};
    }
    /// Index `i` within [0, extent); throws std::invalid_argument naming it when it is outside.
    [[nodiscard]] std::size_t within(std::size_t i, std::int64_t extent) const {
        const std::int64_t index = (*this)[i];
        if (index < -extent || index >= extent)
            refuse(operation_, "index " + std::to_string(index) + " is outside an extent of " + std::to_string(extent));
        return static_cast<std::size_t>(index < 0 ? index + extent : index);
    }

private:
    std::string_view operation_;
    const std::byte* data_;
    bool wide_;
};

/// Copies `bytes`; elements by themselves without a call.
[[gnu::always_inline]] inline void copy_bytes(std::byte* to, const std::byte* from, std::size_t bytes) {
    if (bytes == 4)
        std::memcpy(to, from, 4);
    else if (bytes == 8)
        std::memcpy(to, from, 8);
    else
        std::memcpy(to, from, bytes);
}

}  // namespace kernel::detail
}  // namespace fanfold::inline FANFOLD_ABI
