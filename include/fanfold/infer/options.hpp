// fanfold/infer/options.hpp - how a job is to be done; every member has a default.
// SPDX-License-Identifier: MIT
#pragma once
#include <optional>    // std::optional
#include <stop_token>  // std::stop_token

#include "../context/events.hpp"
#include "../partition/any_partitioner.hpp"
#include "../schedule/executor.hpp"
#include "../verify/verifier.hpp"

namespace fanfold::inline FANFOLD_ABI {

struct options {
    any_partitioner partition = {};                     ///< which rows travel together; contiguous{} at first
    any_verifier verify = {};                           ///< what is checked of the answers, e.g. finite{}
    std::stop_token stop = {};                          ///< rows not computed when it is set come back as failures
    std::optional<time_point> deadline = {};            ///< the same, at a time
    idle_workers idle = idle_workers::help_few_shards;  ///< whether workers without a shard help inside of rows
    event_sink on_event = {};  ///< told of every attempt as it ends, by its worker: guard what it touches
};

}  // namespace fanfold::inline FANFOLD_ABI
