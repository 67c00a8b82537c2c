// fanfold/evaluate/load_json.hpp - load points as JSON (target fanfold::json, needs nlohmann-json).
// SPDX-License-Identifier: MIT
#pragma once
#include <nlohmann/json.hpp>  // nlohmann::json

#include "load.hpp"
#include "report_json.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Keys are the members' names. A vector of points is the whole curve.
inline void to_json(nlohmann::json& j, const load_point& p) {
    j = {{"offered_per_s", p.offered_per_s},
         {"requests", p.requests},
         {"answered", p.answered},
         {"late", p.late},
         {"failed", p.failed},
         {"timed_out", p.timed_out},
         {"overloaded", p.overloaded},
         {"goodput_per_s", p.goodput_per_s},
         {"latency_us", p.latency_us},
         {"report_us", p.report_us},
         {"sent_us", p.sent_us}};
}

}  // namespace fanfold::inline FANFOLD_ABI
