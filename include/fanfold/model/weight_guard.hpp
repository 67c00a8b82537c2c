// fanfold/model/weight_guard.hpp - what an operation's weights were when they were packed,
// and the sums that checksums need.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>  // std::byte, std::size_t
#include <cstdint>  // std::uint64_t
#include <mutex>    // std::once_flag
#include <span>     // std::span
#include <string>   // std::string
#include <vector>   // std::vector

#include "../context/sum_checks.hpp"
#include "../core/hash.hpp"
#include "../kernel/product_check.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// The digest of packed weights, taken at load, and their sums, one for each group of them, made when they are first
/// asked for: most graphs never are, and damage in between shows, since the weights are looked at then.
///
/// cost     at load about 10 GB/s; at the first call of `sums` what product_sums says, and the digest once more
/// threads  const use from any thread: the first makes the sums, others wait
class weight_guard {
public:
    weight_guard() = default;
    explicit weight_guard(std::span<const std::byte> packed) : packed_(of(packed)) {}
    /// Of the same weights, with a bias that is kept apart.
    weight_guard(const weight_guard& weights, std::span<const float> bias)
        : packed_(weights.packed_), bias_(of(std::as_bytes(bias))) {}

    template <class Make>
    [[nodiscard]] const std::vector<kernel::product_sums>& sums(std::span<const std::byte> packed,
                                                                std::span<const float> bias, const Make& make) const {
        std::call_once(once_, [&] {
            sums_ = make();
            late_ = !unchanged(packed, bias);
        });
        return sums_;
    }
    /// Whether the weights are those that were packed, and the sums of them.
    [[nodiscard]] bool intact(std::span<const std::byte> packed, std::span<const float> bias = {}) const noexcept {
        return !late_ && unchanged(packed, bias);
    }
    /// The sums are of weights that had changed already. After a call of `sums`.
    [[nodiscard]] bool late() const noexcept { return late_; }
    /// Tells a job's checks what one operation found with `sums`: where it is suspicious, the weights are looked at.
    void tell(sum_checks& job, std::size_t products, std::size_t suspicious, const std::string& operation,
              std::span<const std::byte> packed, std::span<const float> bias = {}) const {
        job.add(products, suspicious);
        if (late_ || (suspicious != 0 && !unchanged(packed, bias))) job.damaged(operation);
    }

private:
    [[nodiscard]] static std::uint64_t of(std::span<const std::byte> bytes) noexcept {
        return hash_bytes(bytes.data(), bytes.size());
    }
    [[nodiscard]] bool unchanged(std::span<const std::byte> packed, std::span<const float> bias) const noexcept {
        return of(packed) == packed_ && (bias.empty() || of(std::as_bytes(bias)) == bias_);
    }

    std::uint64_t packed_ = 0, bias_ = 0;
    mutable std::once_flag once_;
    mutable bool late_ = false;
    mutable std::vector<kernel::product_sums> sums_;
};

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
