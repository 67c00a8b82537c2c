// fanfold/serve/batcher_options.hpp - what a batcher is asked to do, and what it counts.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>   // std::size_t
#include <optional>  // std::optional

#include "../verify/verifier.hpp"
#include "request_queue.hpp"
#include "unequal_lengths.hpp"

namespace fanfold::inline FANFOLD_ABI {

struct batcher_options {
    std::size_t max_rows = 64;  ///< of a batch
    duration max_delay{};       ///< how long the oldest waits for company while a worker is free; 0: not at all
    std::size_t max_queued_rows = 4096;  ///< that wait; who comes then is `overloaded` at once
    when_full full = when_full::refuse;
    duration aging = std::chrono::milliseconds(100);  ///< waiting this long is worth one step of priority
    duration latency_target{};                        ///< finds the size of batches, see serve/request_queue.hpp
    any_verifier verify = {};                         ///< what is checked of the answers, e.g. finite{}
    std::optional<unequal_lengths> lengths = {};      ///< empty: only rows of equal length share a batch
};

/// What a batcher has done so far. Every request is counted once in `submitted`, and once in one of the four below it.
struct batcher_counts {
    std::size_t submitted = 0;
    std::size_t computed = 0;    ///< was in a batch, whatever came of it
    std::size_t expired = 0;     ///< not computed: its deadline came
    std::size_t cancelled = 0;   ///< not computed: stopped, or its pending or the batcher went
    std::size_t overloaded = 0;  ///< not computed: the queue was full
    std::size_t batches = 0;
    std::size_t batch_rows = 0;      ///< in all batches together
    std::size_t queued_rows = 0;     ///< waiting now
    std::size_t max_batch_rows = 0;  ///< of the next batch, by the latency target
};

}  // namespace fanfold::inline FANFOLD_ABI
