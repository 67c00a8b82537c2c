// fanfold/infer/breaker.hpp - stops calling what keeps failing, and probes until it is well again.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>  // std::size_t

#include "../context/clock.hpp"
#include "sliding_sum.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// For models that call something outside. Opens when a share of the attempts of the last `window` failed for transient
/// reasons; then nothing is started for `open_for`; then `probes` attempts decide whether it closes or opens again.
///
/// source   Nygard, "Release It!"; Polly's defaults: 10 % of at least 100 calls in 30 s, open for 5 s
struct breaker {
    double failure_share = 0.1;
    std::size_t min_attempts = 100;  ///< fewer in the window say nothing
    duration window = std::chrono::seconds(30);
    duration open_for = std::chrono::seconds(5);
    std::size_t probes = 1;
};

namespace detail {

/// threads  one user at a time
template <class>
class basic_breaker_state {
public:
    explicit basic_breaker_state(const breaker& how) : how_(how), attempts_(how.window), failures_(how.window) {}

    [[nodiscard]] bool closed() const noexcept { return state_ == state::closed; }
    /// Whether one more attempt may start now; counts it as a probe when half open.
    [[nodiscard]] bool allows(time_point now) {
        if (state_ == state::closed) return true;
        if (state_ == state::open) {
            if (now < reopens_) return false;
            state_ = state::half_open;
            half_open_since_ = now;
            started_ = passed_ = 0;
        }
        if (started_ == how_.probes) return false;
        ++started_;
        return true;
    }
    /// An attempt that was allowed was not needed.
    void give_back() {
        if (state_ == state::half_open) --started_;
    }
    /// When to ask again; time_point::max(): when an attempt has ended.
    [[nodiscard]] time_point reopens() const noexcept { return state_ == state::open ? reopens_ : time_point::max(); }

    /// `attempts` of the whole job so far, this one included.
    void failed(time_point started, time_point now, std::size_t attempts) {
        if (state_ == state::half_open && started >= half_open_since_) return open(now);
        if (state_ != state::closed) return;
        if (last_ == time_point()) last_ = started;
        attempts_.spread(last_, now, static_cast<double>(attempts - counted_));
        last_ = now;
        counted_ = attempts;
        failures_.add(now, 1);
        const double all = attempts_.sum(now);
        if (all >= static_cast<double>(how_.min_attempts) && failures_.sum(now) >= how_.failure_share * all) open(now);
    }
    void passed(time_point started, time_point now, std::size_t attempts) {
        if (state_ != state::half_open || started < half_open_since_ || ++passed_ < how_.probes) return;
        state_ = state::closed;
        attempts_ = sliding_sum(how_.window);
        failures_ = sliding_sum(how_.window);
        last_ = now;
        counted_ = attempts;
    }

private:
    enum class state { closed, open, half_open };

    void open(time_point now) {
        state_ = state::open;
        reopens_ = now + how_.open_for;
    }

    breaker how_;
    state state_ = state::closed;
    sliding_sum attempts_;
    sliding_sum failures_;
    time_point last_{};
    std::size_t counted_ = 0;
    time_point reopens_{};
    time_point half_open_since_{};
    std::size_t started_ = 0;
    std::size_t passed_ = 0;
};
using breaker_state = basic_breaker_state<void>;

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
