// fanfold/serve/spare_blocks.hpp - memory of requests that are over, for later ones.
// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>   // std::atomic
#include <cstddef>  // std::size_t
#include <memory>   // std::shared_ptr
#include <mutex>    // std::mutex
#include <new>      // operator new
#include <utility>  // std::exchange

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Blocks of one size. Requests are made by some threads and ended by others, for which general allocators take the
/// same lock: who ends one must not make who asks wait.
///
/// cost     4 MiB are kept at most
/// threads  all members from several at once; `give` takes no lock
template <class>
class basic_spare_blocks {
public:
    basic_spare_blocks() = default;
    basic_spare_blocks(const basic_spare_blocks&) = delete;
    basic_spare_blocks& operator=(const basic_spare_blocks&) = delete;
    ~basic_spare_blocks() {
        release(given_.load(std::memory_order_acquire));
        release(taken_);
    }

    /// `bytes` are the same at each call.
    [[nodiscard]] void* take(std::size_t bytes) {
        {
            const std::lock_guard lock(mutex_);
            if (taken_ == nullptr) taken_ = given_.exchange(nullptr, std::memory_order_acquire);
            if (taken_ != nullptr) {
                void* block = std::exchange(taken_, taken_->next);
                count_.fetch_sub(1, std::memory_order_relaxed);
                return block;
            }
        }
        return ::operator new(bytes < sizeof(link) ? sizeof(link) : bytes);
    }
    void give(void* block, std::size_t bytes) noexcept {
        if (count_.fetch_add(1, std::memory_order_relaxed) * bytes >= most_bytes) {
            count_.fetch_sub(1, std::memory_order_relaxed);
            ::operator delete(block);
            return;
        }
        link* const first = ::new (block) link{given_.load(std::memory_order_relaxed)};
        while (
            !given_.compare_exchange_weak(first->next, first, std::memory_order_release, std::memory_order_relaxed)) {
        }
    }

private:
    struct link {
        link* next;
    };
    static constexpr std::size_t most_bytes = std::size_t{4} << 20U;

    static void release(link* first) noexcept {
        while (first != nullptr) ::operator delete(std::exchange(first, first->next));
    }

    std::atomic<link*> given_{nullptr};  // only ever taken as a whole: nobody sees one come back (ABA)
    std::atomic<std::size_t> count_{0};
    std::mutex mutex_;
    link* taken_ = nullptr;
};
using spare_blocks = basic_spare_blocks<void>;

/// Allocates single objects of one type from them, as for std::allocate_shared.
template <class T>
struct from_spare_blocks {
    using value_type = T;

    explicit from_spare_blocks(std::shared_ptr<spare_blocks> of) : blocks(std::move(of)) {}
    template <class Other>
    from_spare_blocks(const from_spare_blocks<Other>& other) : blocks(other.blocks) {}

    [[nodiscard]] T* allocate(std::size_t) {
        static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
        return static_cast<T*>(blocks->take(sizeof(T)));
    }
    void deallocate(T* block, std::size_t) noexcept { blocks->give(block, sizeof(T)); }
    template <class Other>
    friend bool operator==(const from_spare_blocks& a, const from_spare_blocks<Other>& b) {
        return a.blocks == b.blocks;
    }

    std::shared_ptr<spare_blocks> blocks;
};

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
