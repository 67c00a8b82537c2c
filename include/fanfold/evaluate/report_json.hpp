// fanfold/evaluate/report_json.hpp - a report as JSON and back (target fanfold::json, needs nlohmann-json).
// SPDX-License-Identifier: MIT
#pragma once
#include <nlohmann/json.hpp>  // nlohmann::json

#include "report.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Keys are the members' names.
///
/// example  nlohmann::json j = fanfold::report(job);  j["latency_us"]["p99"]
inline void to_json(nlohmann::json& j, const latency& l) {
    j = {{"p50", l.p50}, {"p95", l.p95}, {"p99", l.p99}, {"max", l.max}};
}
inline void to_json(nlohmann::json& j, const report& r) {
    j = {{"executor", r.executor},
         {"workers", r.workers},
         {"workers_used", r.workers_used},
         {"rows", r.rows},
         {"failed_rows", r.failed_rows},
         {"resumed_rows", r.resumed_rows},
         {"attempts", r.attempts},
         {"retries", r.retries},
         {"parts", r.parts},
         {"seconds", r.seconds},
         {"checks", r.checks},
         {"checks_s", r.checks_s},
         {"compared", r.compared},
         {"differing", r.differing},
         {"undecided", r.undecided},
         {"rows_per_s", r.rows_per_s},
         {"latency_us", r.latency_us},
         {"cpu_s", r.cpu_s},
         {"wall_s", r.wall_s},
         {"utilization", r.utilization},
         {"cpu_s_per_million_rows", r.cpu_s_per_million_rows}};
}

/// Other keys are ignored; throws nlohmann::json::exception when one is missing or of another type.
inline void from_json(const nlohmann::json& j, latency& l) {
    l = {j.at("p50").get<double>(), j.at("p95").get<double>(), j.at("p99").get<double>(), j.at("max").get<double>()};
}
inline void from_json(const nlohmann::json& j, report& r) {
    j.at("executor").get_to(r.executor);
    j.at("workers").get_to(r.workers);
    j.at("workers_used").get_to(r.workers_used);
    j.at("rows").get_to(r.rows);
    j.at("failed_rows").get_to(r.failed_rows);
    j.at("resumed_rows").get_to(r.resumed_rows);
    j.at("attempts").get_to(r.attempts);
    j.at("retries").get_to(r.retries);
    j.at("parts").get_to(r.parts);
    j.at("seconds").get_to(r.seconds);
    j.at("checks").get_to(r.checks);
    j.at("checks_s").get_to(r.checks_s);
    j.at("compared").get_to(r.compared);
    j.at("differing").get_to(r.differing);
    j.at("undecided").get_to(r.undecided);
    j.at("rows_per_s").get_to(r.rows_per_s);
    j.at("latency_us").get_to(r.latency_us);
    j.at("cpu_s").get_to(r.cpu_s);
    j.at("wall_s").get_to(r.wall_s);
    j.at("utilization").get_to(r.utilization);
    j.at("cpu_s_per_million_rows").get_to(r.cpu_s_per_million_rows);
}

}  // namespace fanfold::inline FANFOLD_ABI
