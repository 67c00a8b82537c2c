// fanfold/infer/retry.hpp - what is tried again, how often and after how long.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min, std::max
#include <cstdint>    // std::uint64_t

#include "../context/clock.hpp"
#include "../context/random.hpp"
#include "../core/fault.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// How delays are spread, so that what failed together is not tried again together.
enum class jitter {
    full,          ///< U(0, min(cap, base 2^n)) after the n-th failure, counted from 0
    decorrelated,  ///< min(cap, U(base, 3 previous delay))
    none,          ///< min(cap, base 2^n)
};

enum class fault_class {
    transient,  ///< may pass when it is tried again
    permanent,  ///< will fail again: the row itself is at fault
};

/// An exception, memory that ran out and a time limit that passed may not come again; an answer of the wrong shape, one
/// that is not finite, and damaged weights will.
[[nodiscard]] constexpr fault_class usual_class(fault_kind kind) noexcept {
    const bool again = kind != fault_kind::wrong_shape && kind != fault_kind::not_finite && kind != fault_kind::damaged;
    return again ? fault_class::transient : fault_class::permanent;
}

/// Bounds the retries of a job when much fails at once: each first attempt earns `share` of a retry, time earns
/// `per_second`, and what is earned is gone after `lifetime`.
///
/// source   Finagle's RetryBudget: 20 %, 10 a second, 10 s
struct retry_budget {
    double share = 0.2;
    double per_second = 10;
    duration lifetime = std::chrono::seconds(10);
};

/// Rows that fail for a transient reason are tried again, later, while workers go on with other shards.
///
/// example  options{.retry = {.max_attempts = 3, .base = 50ms}}
/// source   full and decorrelated jitter: Brooker, "Exponential Backoff And Jitter", AWS 2015
struct retry {
    unsigned max_attempts = 1;  ///< the first included; 1: nothing is tried again
    duration base = std::chrono::milliseconds(50);
    duration cap = std::chrono::seconds(20);
    fanfold::jitter jitter = fanfold::jitter::full;
    retry_budget budget = {};
    duration deadline = duration::max();  ///< no attempt starts later than this after the start of the first
    fault_class (*classify)(const fault&) = [](const fault& f) { return usual_class(f.kind); };
    std::uint64_t seed = 0;  ///< of the delays: the same seed, the same delays
};

/// The delay after failure number `failures`, counted from 1; `previous` is the delay before that,
/// 0 when there was none.
template <class = void>
[[nodiscard]] duration backoff(const retry& how, unsigned failures, duration previous, random_bits& random) {
    const auto between = [&](duration low, duration high) {
        return low + duration(static_cast<duration::rep>(random.uniform() * static_cast<double>((high - low).count())));
    };
    if (how.jitter == jitter::decorrelated) {
        const duration last = std::max(previous, how.base);
        return std::min(how.cap, between(how.base, last > how.cap ? how.cap : 3 * last));
    }
    duration longest = how.base;
    for (unsigned n = 1; n < failures && longest < how.cap; ++n) longest *= 2;
    longest = std::min(longest, how.cap);
    return how.jitter == jitter::full ? between(duration(0), longest) : longest;
}

}  // namespace fanfold::inline FANFOLD_ABI
