// fanfold/context/events.hpp - what happened, when, on which worker: plain values that evaluate/ reads.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <optional>     // std::optional
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "../core/fault.hpp"
#include "../core/function_ref.hpp"
#include "clock.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Why there was an attempt.
enum class attempt_kind : std::uint8_t {
    first,   ///< every shard has one
    retry,   ///< of rows that failed before
    part,    ///< of a shard that was halved to find the rows at fault
    second,  ///< beside a slow one, which may still run
    check,   ///< of rows that another attempt has answered, to compare the bits
};

/// One attempt at a shard, or at some of its rows.
struct event {
    std::size_t shard = 0;
    std::size_t rows = 0;
    std::size_t worker = 0;
    unsigned attempt = 1;
    time_point started;
    time_point finished;
    std::optional<fault_kind> fault;  ///< the first of them, where the attempt had any
    attempt_kind kind = attempt_kind::first;
};

/// Answers that differ from those that most copies of the same rows gave.
struct lie {
    std::size_t shard = 0;
    std::size_t worker = 0;
    std::uint64_t digest = 0;  ///< of what it gave
    std::uint64_t right = 0;   ///< of what counts
    time_point found;          ///< from then on, where workers are left, it was given nothing more
};

/// What came of comparing copies of the same rows: of a shard or, after faults, of some of its rows.
struct check_counts {
    std::size_t products = 0;     ///< rows of products, positions of convolutions, that had to add up
    std::size_t suspicious = 0;   ///< attempts in which some did not
    std::size_t unconfirmed = 0;  ///< of those, whose bits another computation gave as well
    std::size_t compared = 0;   ///< sets of rows whose answers count because enough copies agree
    std::size_t differing = 0;  ///< of those, with a copy that gave other bits
    std::size_t undecided = 0;  ///< sets of rows that failed because too few agree
    std::size_t alone = 0;      ///< of those compared, with a copy by a worker that had computed them before
};

/// Everything that happened in one job.
struct timeline {
    std::string executor;     ///< its name(): "serial", "threads", "tbb", "simulated", or a user's own
    std::size_t workers = 1;  ///< that could have taken part
    std::size_t rows = 0;     ///< asked for
    std::size_t resumed = 0;  ///< of those, done before by another run, and taken from its ledger
    time_point started;
    time_point finished;
    duration cpu_time{};          ///< of the whole process between the two, all threads
    std::vector<event> attempts;  ///< every attempt, by shard
    check_counts checks = {};
    std::vector<lie> lies = {};  ///< who gave other bits than most, in the order in which it turned out
};

/// Called for every event by the worker it happened on, several at once: guard what it touches.
using event_sink = function_ref<void(const event&)>;

/// One step of a graph, as it ends. Steps of a graph inside of another's step end before that one and lie within it.
struct step_event {
    std::string_view operation;  ///< valid during the call, as `name`
    std::string_view name;
    std::uint64_t flops = 0;  ///< 0 where the operation does not say
    time_point started;
    time_point finished;
};

/// Called for every step by the worker it happened on.
using step_sink = function_ref<void(const step_event&)>;

}  // namespace fanfold::inline FANFOLD_ABI
