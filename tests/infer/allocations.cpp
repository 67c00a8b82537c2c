// After warm-up a job allocates a constant number of times, however many shards and rows it has.
// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/serial.hpp>
#include <fanfold/schedule/tbb.hpp>
#include <fanfold/schedule/threads.hpp>
#include <fanfold/verify/finite.hpp>

#include <atomic>
#include <cstdlib>
#include <new>

#include "../catch.hpp"
#include "networks.hpp"

namespace {

std::atomic<std::size_t> allocations{0};

void* counted(std::size_t bytes, std::size_t alignment) {
    allocations.fetch_add(1, std::memory_order_relaxed);
    void* memory = nullptr;
    if (posix_memalign(&memory, std::max(alignment, sizeof(void*)), std::max<std::size_t>(bytes, 1)) != 0)
        throw std::bad_alloc();
    return memory;
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes, alignof(std::max_align_t)); }
void* operator new[](std::size_t bytes) { return counted(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) { return counted(bytes, std::size_t(alignment)); }
void* operator new[](std::size_t bytes, std::align_val_t alignment) { return counted(bytes, std::size_t(alignment)); }
// Not inlined: g++ 12 would see memory of an operator new that it did not look into given to free().
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

using namespace fanfold;

namespace {

template <class E>
std::size_t allocations_of(const E& executor, const graph& model, const tensor& rows, std::size_t each) {
    const options how{.partition = contiguous{.rows_per_shard = each}, .verify = fanfold::finite{}};
    const std::size_t before = allocations;
    const job done = infer(executor, model, rows, how);
    REQUIRE(done.failures.empty());
    return allocations - before;
}

/// The least of several runs: TBB and the threads library allocate now and then on their own account.
template <class E>
void allocates_a_constant(const E& executor, const graph& model) {
    const tensor rows = networks::noise(2048);
    (void)allocations_of(executor, model, rows, 64);  // warm-up
    std::size_t few = SIZE_MAX;
    std::size_t many = SIZE_MAX;
    for (int round = 0; round < 10; ++round) {
        few = std::min(few, allocations_of(executor, model, rows, 64));   // 32 shards
        many = std::min(many, allocations_of(executor, model, rows, 1));  // 2,048 shards
    }
    CHECK(few <= 60);
    CHECK(many <= few + 2);
}

}  // namespace

TEST_CASE("A warm job allocates no more for 2,048 shards than for 32") {
    for (const graph& model : {networks::lenet5(), networks::mlp()}) {
        allocates_a_constant(serial_executor(), model);
        allocates_a_constant(threads_executor({.workers = 2}), model);
        allocates_a_constant(tbb_executor(), model);
    }
}
