// fanfold/evaluate/trace.hpp - a job's attempts by worker over time, for chrome://tracing and ui.perfetto.dev.
//   in    the events of a job      out   JSON in the Trace Event Format
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>  // std::size_t
#include <string>   // std::string

#include "../context/events.hpp"

namespace fanfold::inline FANFOLD_ABI {

namespace detail {

/// Microseconds with three digits, as whole numbers: no locale, no rounding.
[[nodiscard]] inline std::string trace_us(duration d) {
    const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(d).count();
    std::string part = std::to_string(ns % 1000);
    return std::to_string(ns / 1000) + "." + std::string(3 - part.size(), '0') + part;
}
[[nodiscard]] inline std::string trace_text(const std::string& plain) {
    std::string quoted = "\"";
    for (const char c : plain) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return quoted + "\"";
}

}  // namespace detail

/// One bar for each attempt, one line for each worker; times from the start of the job.
///
/// example  std::ofstream("job.json") << chrome_trace(job.events);
/// cost     about 150 bytes an attempt
/// source   Trace Event Format, Google 2016: complete events ("X") and metadata ("M")
[[nodiscard]] inline std::string chrome_trace(const timeline& events) {
    std::string text = "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n";
    text += "{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"args\":{\"name\":" +
            detail::trace_text("fanfold " + events.executor) + "}}";
    for (std::size_t worker = 0; worker < events.workers; ++worker)
        text += ",\n{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":" + std::to_string(worker) +
                ",\"args\":{\"name\":\"worker " + std::to_string(worker) + "\"}}";
    for (const event& e : events.attempts) {
        text += ",\n{\"name\":\"shard " + std::to_string(e.shard) + "\",\"cat\":\"" + (e.fault ? "fault" : "attempt") +
                "\",\"ph\":\"X\",\"pid\":1,\"tid\":" + std::to_string(e.worker) +
                ",\"ts\":" + detail::trace_us(e.started - events.started) +
                ",\"dur\":" + detail::trace_us(e.finished - e.started) +
                ",\"args\":{\"rows\":" + std::to_string(e.rows) + ",\"attempt\":" + std::to_string(e.attempt);
        if (e.fault) text += ",\"fault\":" + detail::trace_text(std::string(name_of(*e.fault)));
        text += "}}";
    }
    return text + "\n]}\n";
}

}  // namespace fanfold::inline FANFOLD_ABI
