// fanfold/context/stop.hpp - when to give up: a stop token, a deadline, or both.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>   // std::min
#include <exception>   // std::exception
#include <optional>    // std::optional
#include <stop_token>  // std::stop_token
#include <utility>     // std::move

#include "clock.hpp"

namespace fanfold::inline FANFOLD_ABI {

enum class stop_reason { requested, deadline };

/// Thrown by `stop::check`, caught where the shard was started; a model lets it pass through.
class stopped_error : public std::exception {
public:
    explicit stopped_error(stop_reason reason) : reason_(reason) {}
    [[nodiscard]] stop_reason reason() const noexcept { return reason_; }
    [[nodiscard]] const char* what() const noexcept override {
        return reason_ == stop_reason::requested ? "stop was requested" : "the deadline has passed";
    }

private:
    stop_reason reason_;
};

/// Polled between operations and tiles.
///
/// cost     null tokens and no deadline: a few loads; a deadline reads the clock, about 20 ns
/// threads  const use from any thread
class stop {
public:
    stop() = default;
    explicit stop(std::stop_token token, std::optional<time_point> deadline = {}, fanfold::clock source = {})
        : token_(std::move(token)), deadline_(deadline ? *deadline : never), clock_(source) {}

    /// Why it is time to give up, empty while it is not; a request counts before a deadline.
    [[nodiscard]] std::optional<stop_reason> reason() const {
        if (requested()) return stop_reason::requested;
        if (passed()) return stop_reason::deadline;
        return std::nullopt;
    }
    /// Whether it is time to give up.
    [[nodiscard]] bool due() const { return requested() || passed(); }
    /// Throws stopped_error when it is time to give up.
    void check() const {
        if (due()) [[unlikely]]
            throw stopped_error(requested() ? stop_reason::requested : stop_reason::deadline);
    }
    /// Whether it may ever be time.
    [[nodiscard]] bool possible() const noexcept { return token_.stop_possible() || deadline_ != never; }
    [[nodiscard]] const std::stop_token& token() const noexcept { return token_; }
    [[nodiscard]] std::optional<time_point> deadline() const noexcept {
        if (deadline_ == never) return std::nullopt;
        return deadline_;
    }

    /// What counts besides, for one attempt; the next call says it for the next.
    void limit_attempt(std::stop_token token, time_point deadline) {
        attempt_token_ = std::move(token);
        attempt_deadline_ = deadline;
    }

private:
    static constexpr time_point never = time_point::max();  // g++ 12 warns about an empty optional read here

    [[nodiscard]] bool requested() const { return token_.stop_requested() || attempt_token_.stop_requested(); }
    [[nodiscard]] bool passed() const {
        const time_point last = std::min(deadline_, attempt_deadline_);
        return last != never && clock_.now() >= last;
    }

    std::stop_token token_;
    time_point deadline_ = never;
    fanfold::clock clock_;
    std::stop_token attempt_token_;
    time_point attempt_deadline_ = never;
};

}  // namespace fanfold::inline FANFOLD_ABI
