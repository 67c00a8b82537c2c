// fanfold/infer/options.hpp - how a job is to be done; every member has a default.
// SPDX-License-Identifier: MIT
#pragma once
#include <optional>    // std::optional
#include <stop_token>  // std::stop_token

#include "../checkpoint/ledger.hpp"
#include "../context/events.hpp"
#include "../partition/any_partitioner.hpp"
#include "../schedule/executor.hpp"
#include "../verify/checksum.hpp"
#include "../verify/duplicate.hpp"
#include "../verify/verifier.hpp"
#include "../verify/vote.hpp"
#include "breaker.hpp"
#include "hedge.hpp"
#include "retry.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// What has no answer when a shard keeps failing.
enum class give_up {
    shards,  ///< all of it
    rows,    ///< the rows that fail alone: it is halved until they are found (infer/bisect.hpp)
};

/// What is digested as it is computed, so that whoever has the answers later can tell whether they are still the same.
enum class digests {
    none,
    of_rows,    ///< each row's answers: XXH3 of its bytes or, with several answers, of their digests
    of_shards,  ///< each shard's: XXH3 of its rows' digests, as they travel
};

struct options {
    any_partitioner partition = {};                     ///< which rows travel together; contiguous{} at first
    any_verifier verify = {};                           ///< what is checked of the answers, e.g. finite{}
    std::optional<fanfold::checksum> checksum = {};     ///< products are checked as they are computed
    std::optional<fanfold::duplicate> duplicate = {};   ///< a sample of shards is computed twice, and compared
    std::optional<fanfold::vote> vote = {};             ///< every shard is computed by several workers
    fanfold::digests digests = digests::none;           ///< what `job::digests` holds
    fanfold::retry retry = {};                          ///< what is tried again; nothing at first
    fanfold::give_up give_up = give_up::shards;         ///< what is lost when that does not help
    std::optional<fanfold::hedge> hedge = {};           ///< shards slower than their peers are started twice
    std::optional<fanfold::breaker> breaker = {};       ///< nothing is started while too much fails
    std::optional<duration> time_limit = {};            ///< of an attempt; what takes longer has failed, and is stopped
    any_ledger ledger = {};                             ///< keeps what is done, so that the job can go on later
    std::uint64_t model_fingerprint = 0;                ///< tells the ledger which model it is, e.g. a file's digest
    std::stop_token stop = {};                          ///< rows not computed when it is set come back as failures
    std::optional<time_point> deadline = {};            ///< the same, at a time
    idle_workers idle = idle_workers::help_few_shards;  ///< whether workers without a shard help inside of rows
    event_sink on_event = {};  ///< told of every attempt as it ends, by its worker: guard what it touches
};

}  // namespace fanfold::inline FANFOLD_ABI
