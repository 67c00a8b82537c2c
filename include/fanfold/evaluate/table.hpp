// fanfold/evaluate/table.hpp - reports side by side, as a table to read.
//   in    reports with labels      out   text
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::find_if, std::max
#include <array>      // std::array
#include <cmath>      // std::llround
#include <cstddef>    // std::size_t
#include <cstdio>     // std::snprintf
#include <span>       // std::span
#include <string>     // std::string
#include <utility>    // std::pair
#include <vector>     // std::vector

#include "report.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// One column of a table: a report, what to call it, and lines of the caller's own to stand above its figures.
struct labelled_report {
    std::string label;
    fanfold::report figures;
    std::vector<std::pair<std::string, std::string>> more;
};

namespace detail {

[[nodiscard]] inline std::string decimal(double value, int digits) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.*f", digits, value);
    return text.data();
}

}  // namespace detail

/// 1234567 -> "1,234,567"
[[nodiscard]] inline std::string grouped(std::size_t value) {
    std::string text = std::to_string(value);
    for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, 1, ',');
    return text;
}

/// Reports side by side with units. Where one of them has one worker (the first such), the others are set against it:
/// speed-up is the ratio of rows a second, efficiency the speed-up a worker.
[[nodiscard]] inline std::string table(std::span<const labelled_report> columns) {
    using detail::decimal;
    const report* one_worker = nullptr;
    for (const labelled_report& column : columns)
        if (one_worker == nullptr && column.figures.workers == 1) one_worker = &column.figures;

    std::vector<std::vector<std::string>> lines{{""}};
    for (const labelled_report& column : columns) lines.front().push_back(column.label);
    for (const labelled_report& column : columns)  // own lines: in the order in which they first appear
        for (const auto& named : column.more) {
            const auto same = [&](const auto& line) { return line.front() == named.first; };
            if (std::any_of(lines.begin() + 1, lines.end(), same)) continue;
            lines.push_back({named.first});
            for (const labelled_report& each : columns) {
                const auto found = std::find_if(each.more.begin(), each.more.end(),
                                                [&](const auto& mine) { return mine.first == named.first; });
                lines.back().push_back(found == each.more.end() ? "" : found->second);
            }
        }
    const auto line = [&](const char* name, auto&& text_of) {
        lines.push_back({name});
        for (const labelled_report& column : columns) lines.back().push_back(text_of(column.figures));
    };
    line("executor", [](const report& r) { return r.executor; });
    line("workers (used)",
         [](const report& r) { return std::to_string(r.workers) + " (" + std::to_string(r.workers_used) + ")"; });
    line("rows", [](const report& r) { return grouped(r.rows); });
    line("failed rows", [](const report& r) { return grouped(r.failed_rows); });
    const auto faults = [&](const char* name, std::size_t report::*count) {  // where nothing happened nothing is said
        const auto happened = [&](const labelled_report& column) { return column.figures.*count != 0; };
        if (!std::any_of(columns.begin(), columns.end(), happened)) return false;
        line(name, [&](const report& r) { return grouped(r.*count); });
        return true;
    };
    faults("resumed rows", &report::resumed_rows);
    std::size_t kinds = 0;
    kinds += faults("retries", &report::retries);
    kinds += faults("second attempts", &report::seconds);
    kinds += faults("attempts at halves", &report::parts);
    if (faults("copies to compare", &report::checks)) {
        line("time in copies, s", [](const report& r) { return decimal(r.checks_s, 4); });
        faults("sets of rows compared", &report::compared);
        faults("of those, with other bits", &report::differing);
        faults("without a majority", &report::undecided);
        ++kinds;
    }
    if (kinds != 0) line("attempts", [](const report& r) { return grouped(r.attempts); });
    line("rows/s", [](const report& r) { return grouped(static_cast<std::size_t>(std::llround(r.rows_per_s))); });
    line("shard latency p50, us", [](const report& r) { return decimal(r.latency_us.p50, 0); });
    line("shard latency p95, us", [](const report& r) { return decimal(r.latency_us.p95, 0); });
    line("shard latency p99, us", [](const report& r) { return decimal(r.latency_us.p99, 0); });
    line("shard latency max, us", [](const report& r) { return decimal(r.latency_us.max, 0); });
    line("wall time, s", [](const report& r) { return decimal(r.wall_s, 4); });
    line("CPU time, s", [](const report& r) { return decimal(r.cpu_s, 4); });
    line("CPU time for 1,000,000 rows, s", [](const report& r) { return decimal(r.cpu_s_per_million_rows, 2); });
    line("utilization of workers used", [](const report& r) { return decimal(r.utilization * 100, 1) + " %"; });
    if (one_worker != nullptr && one_worker->rows_per_s > 0 && columns.size() > 1) {
        const auto speed_up = [&](const report& r) { return r.rows_per_s / one_worker->rows_per_s; };
        line("speed-up over one worker", [&](const report& r) { return decimal(speed_up(r), 2); });
        line("efficiency", [&](const report& r) {
            return r.workers == 0 ? "" : decimal(speed_up(r) / static_cast<double>(r.workers) * 100, 1) + " %";
        });
    }

    std::vector<std::size_t> widths(columns.size() + 1);
    for (const auto& cells : lines)
        for (std::size_t c = 0; c < cells.size(); ++c) widths[c] = std::max(widths[c], cells[c].size());
    std::string text;
    for (const auto& cells : lines) {
        std::string row = cells[0] + std::string(widths[0] - cells[0].size(), ' ');
        for (std::size_t c = 1; c < cells.size(); ++c)
            row += "  " + std::string(widths[c] - cells[c].size(), ' ') + cells[c];
        row.resize(row.find_last_not_of(' ') + 1);
        text += row + "\n";
    }
    return text;
}

}  // namespace fanfold::inline FANFOLD_ABI
