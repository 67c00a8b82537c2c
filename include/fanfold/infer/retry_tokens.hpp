// fanfold/infer/retry_tokens.hpp - what is left of a budget of retries.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>  // std::size_t

#include "retry.hpp"
#include "sliding_sum.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// The tokens of a retry_budget.
template <class>
class basic_retry_tokens {
public:
    explicit basic_retry_tokens(const retry_budget& how)
        : how_(how),
          reserve_(how.per_second * std::chrono::duration<double>(how.lifetime).count()),
          earned_(how.lifetime) {}

    /// `requests` so far, of the whole job.
    void earn(time_point now, std::size_t requests) {
        if (last_ == time_point()) last_ = now;
        earned_.spread(last_, now, how_.share * static_cast<double>(requests - requests_));
        last_ = now;
        requests_ = requests;
    }
    [[nodiscard]] bool spend(time_point now) {
        if (reserve_ + earned_.sum(now) < 1 - 1e-9) return false;  // sums round
        earned_.add(now, -1);
        return true;
    }

private:
    retry_budget how_;
    double reserve_;
    sliding_sum earned_;  ///< less what was spent
    time_point last_{};
    std::size_t requests_ = 0;
};
using retry_tokens = basic_retry_tokens<void>;

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
