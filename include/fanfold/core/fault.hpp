// fanfold/core/fault.hpp - why rows have no answer, as data.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint8_t
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {

enum class fault_kind : std::uint8_t {
    threw,          ///< the model threw; the message is its what()
    out_of_memory,  ///< the model threw std::bad_alloc
    wrong_shape,    ///< the answer's shape or element type differs from what was promised, or from other shards'
    not_finite,     ///< an answer holds NaN or infinity, and that was checked for
    stopped,        ///< the job's stop token was set before the rows were computed
    timed_out,      ///< the job's deadline, or the attempt's time limit, passed before the rows were computed
    overloaded,     ///< a server had more requests waiting than it holds
    damaged,        ///< a model's weights in memory are not what they were
    disagreed,      ///< workers that computed the same rows gave different bits, and no majority
};

[[nodiscard]] constexpr std::string_view name_of(fault_kind kind) noexcept {
    switch (kind) {
        case fault_kind::threw: return "threw";
        case fault_kind::out_of_memory: return "out of memory";
        case fault_kind::wrong_shape: return "wrong shape";
        case fault_kind::not_finite: return "not finite";
        case fault_kind::stopped: return "stopped";
        case fault_kind::timed_out: return "timed out";
        case fault_kind::overloaded: return "overloaded";
        case fault_kind::damaged: return "damaged";
        case fault_kind::disagreed: return "disagreed";
    }
    return "?";
}

/// Rows that failed together, for one reason.
struct fault {
    fault_kind kind = fault_kind::threw;
    std::string message;
    std::vector<std::size_t> rows;  ///< row numbers of the batch, ascending
    unsigned attempts = 1;          ///< executions spent on them
};

}  // namespace fanfold::inline FANFOLD_ABI
