// examples/11_skewed_work.cpp - skewed work, balanced four ways, with a picture of each: who was busy when. On a
// virtual clock with 6 workers, so that the picture is the same everywhere; the last way once more on this machine's
// cores.
// SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>
#include <fanfold/partition/hashed.hpp>
#include <fanfold/partition/longest_first.hpp>
#include <fanfold/schedule/simulated.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

int main() {
    using namespace std::chrono_literals;
    constexpr std::size_t workers = 6;

    // Some rows are a hundred times as long as others, and a very long one comes near the end.
    std::vector<float> lengths;
    for (std::size_t row = 0; row < 120; ++row)
        lengths.push_back(row == 110 ? 120.0F : row % 13 == 5 ? 40.0F : 1.0F + static_cast<float>(row * 7 % 11));
    const auto cost = [&](std::size_t row) { return static_cast<double>(lengths[row]); };
    const auto model = [](std::span<const float> rows) { return std::vector<float>(rows.begin(), rows.end()); };

    double total = 0, largest = 0;
    for (std::size_t row = 0; row < lengths.size(); ++row) {
        total += cost(row);
        largest = std::max(largest, cost(row));
    }
    std::printf("%zu rows, %.0f ms of work, the longest %.0f: no way ends before %.0f ms on %zu workers\n",
                lengths.size(), total, largest, std::max(total / workers, largest), workers);

    struct way {
        const char* what;
        fanfold::any_partitioner cut;
    };
    const way ways[] = {
        {"contiguous, a shard for each worker", fanfold::contiguous{.shards = workers}},
        {"hashed, a shard for each worker", fanfold::hashed{.shards = workers}},
        {"row by row, claimed in row order", fanfold::contiguous{.rows_per_shard = 1}},
        {"longest first, claimed in that order", fanfold::longest_first{.cost = cost}},
    };
    for (const way& one : ways) {
        const fanfold::plan shards = one.cut({lengths.size(), workers});
        const auto takes = [&](const fanfold::claim& what, std::size_t) -> fanfold::duration {
            double ms = 0;
            for (std::size_t at = 0; at < shards.rows_of(what.shard); ++at) ms += cost(shards.row(what.shard, at));
            return std::chrono::microseconds(static_cast<long>(1000 * ms));
        };
        const fanfold::simulated_executor cluster({.workers = workers}, takes);
        const fanfold::job job = fanfold::infer(cluster, model, lengths, {.partition = one.cut});

        std::printf("\n%s: %lld ms\n", one.what,
                    static_cast<long long>((job.events.finished - job.events.started) / 1ms));
        std::vector<std::string> busy(workers);  // a column is 4 ms, a shard begins with |
        for (const fanfold::event& e : job.events.attempts) {
            const auto column = [&](fanfold::time_point t) {
                return static_cast<std::size_t>((t - job.events.started) / 4ms);
            };
            std::string& line = busy[e.worker];
            line.resize(std::max(line.size(), column(e.finished) + 1), ' ');
            for (std::size_t at = column(e.started); at < column(e.finished); ++at) line[at] = '=';
            line[column(e.started)] = '|';
        }
        for (std::size_t worker = 0; worker < workers; ++worker)
            std::printf("  worker %zu %s\n", worker, busy[worker].c_str());
    }

    const fanfold::job here =
        fanfold::infer(fanfold::tbb_executor(), model, lengths, {.partition = fanfold::longest_first{.cost = cost}});
    const auto answers = here.answers.as<float>().flat();
    const bool in_order = std::equal(answers.begin(), answers.end(), lengths.begin());
    std::printf("\nin row order, whichever way: %s\n", in_order ? "yes" : "no");
    return in_order ? 0 : 1;
}
