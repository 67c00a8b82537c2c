// tests/infer/virtual_run.hpp - runs the claims of infer's source on invented time, so that policies are seen alone.
// SPDX-License-Identifier: MIT
#pragma once
#include <fanfold/infer/policy_claims.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <vector>

#include "../catch.hpp"

namespace virtual_run {

using namespace fanfold;
using namespace std::chrono_literals;

inline const time_point start = time_point(std::chrono::hours(1));

struct lived {
    attempt what;
    std::vector<std::size_t> rows;
    outcome result;
};

struct ended {
    std::vector<lived> attempts;  ///< in the order of their ends
    std::vector<fault> failures;
    std::vector<int> committed;  ///< by row
    time_point finish = start;

    [[nodiscard]] std::vector<std::size_t> failed_rows() const {
        std::set<std::size_t> rows;
        for (const fault& f : failures) rows.insert(f.rows.begin(), f.rows.end());
        return {rows.begin(), rows.end()};
    }
    [[nodiscard]] std::size_t count(attempt_kind kind) const {
        return static_cast<std::size_t>(std::count_if(attempts.begin(), attempts.end(),
                                                      [&](const lived& one) { return one.what.what.kind == kind; }));
    }
};

inline outcome threw(const std::vector<std::size_t>& rows, unsigned attempts, const char* why = "no") {
    return {{{fault_kind::threw, why, rows, attempts}}};
}

struct set_up {
    std::size_t rows = 0;
    std::size_t rows_per_shard = 1;
    std::size_t workers = 1;
    fanfold::options how = {};
    fanfold::detail::shards_are divided = fanfold::detail::shards_are::divisible;
    std::optional<time_point> deadline = {};
};

/// `cost(attempt begun)` says how long an attempt takes, `result(claim, rows, now)` what comes of it. An attempt that
/// is stopped ends at once. Checks that no worker is left waiting for nothing.
template <class Cost, class Result>
ended run(const set_up& given, const Cost& cost, const Result& result) {
    time_point now = start;
    const fanfold::clock time([](const void* at) { return *static_cast<const time_point*>(at); }, &now);
    const plan shards = contiguous{.rows_per_shard = given.rows_per_shard}({.rows = given.rows, .workers = 1});
    const stop stopping(std::stop_token{}, given.deadline, time);
    fanfold::detail::policy_claims claims(shards, given.how, given.divided, claim_order::shared, given.workers,
                                          given.workers, stopping);
    struct running {
        attempt what;
        std::unique_ptr<workspace> space;
    };
    struct idle {
        std::size_t worker;
        time_point until;
    };
    std::vector<running> busy;
    std::vector<idle> free;
    for (std::size_t w = 0; w < given.workers; ++w) free.push_back({w, now});
    ended all;
    all.committed.resize(given.rows);
    while (!busy.empty() || !free.empty()) {
        for (std::size_t i = 0; i < free.size();) {
            if (free[i].until > now) {
                ++i;
                continue;
            }
            const next_claim next = claims.next(free[i].worker, now);
            if (const auto* until = std::get_if<wait_until>(&next)) {
                REQUIRE(until->when > now);
                free[i++].until = until->when;
                continue;
            }
            if (const auto* what = std::get_if<claim>(&next)) {
                attempt one{*what, free[i].worker, now, now};
                one.ended = now + cost(one);
                auto space = std::make_unique<workspace>();
                space->stop = stopping;
                claims.limit(*what, *space);
                busy.push_back({one, std::move(space)});
            }
            free.erase(free.begin() + static_cast<std::ptrdiff_t>(i));
        }
        time_point soonest = time_point::max();
        for (const running& one : busy) soonest = std::min(soonest, one.what.ended);
        for (const idle& one : free) soonest = std::min(soonest, one.until);
        if (busy.empty() && free.empty()) break;
        REQUIRE(soonest != time_point::max());  // else all wait for nothing
        now = std::max(now, soonest);
        for (std::size_t i = 0; i < busy.size(); ++i) {
            if (busy[i].what.ended > now) continue;
            running one = std::move(busy[i]);
            busy.erase(busy.begin() + static_cast<std::ptrdiff_t>(i));
            const fanfold::detail::row_set set = claims.rows(one.what.what);
            std::vector<std::size_t> rows;
            for (std::size_t at = 0; at < set.rows(); ++at) rows.push_back(set.row(at));
            const auto why = one.space->stop.reason();
            outcome came;
            if (why == stop_reason::requested)
                came = {{{fault_kind::stopped, "stopped", rows, one.what.what.attempt}}};
            else if (why == stop_reason::deadline)
                came = {{{fault_kind::timed_out, "late", rows, one.what.what.attempt}}};
            else
                came = result(one.what.what, rows, now);
            bool computed = true;  // a verifier's faults name some rows of a shard that was computed
            for (const fault& f : came.faults) computed &= f.kind == fault_kind::not_finite;
            if (computed && claims.commits(one.what.what, came)) {
                std::set<std::size_t> bad;
                for (const fault& f : came.faults) bad.insert(f.rows.begin(), f.rows.end());
                for (const std::size_t row : rows)
                    if (!bad.contains(row)) ++all.committed[row];
            }
            for (fault& f : claims.done(one.what, came).stay) all.failures.push_back(std::move(f));
            all.attempts.push_back({one.what, rows, came});
            all.finish = now;
            for (running& other : busy)
                if (other.space->stop.token().stop_possible() || other.space->stop.reason() == stop_reason::requested)
                    other.what.ended = now;
            free.push_back({one.what.worker, now});
            for (idle& other : free) other.until = now;
            break;
        }
    }
    for (fault& f : claims.given_up()) all.failures.push_back(std::move(f));
    return all;
}

}  // namespace virtual_run
