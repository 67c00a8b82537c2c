// bench/checkpoint.cpp - what a ledger costs: LeNet-5 in shards of 64 rows, without and with one, in turns.
//   usage: checkpoint [--rows N] [--rounds N] [--workers N] [--folder F] [--commits]
//   --commits: how many commits a second instead
// SPDX-License-Identifier: MIT
#include <fanfold/checkpoint/memory_ledger.hpp>
#include <fanfold/infer/infer.hpp>
#include <fanfold/onnx/load.hpp>
#include <fanfold/placement/topology.hpp>
#include <fanfold/schedule/tbb.hpp>
#include <fanfold/sqlite/ledger.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <string>
#include <vector>

#include "median.hpp"

namespace {

struct given {
    std::size_t rows = 100'000;
    std::size_t rounds = 9;
    std::size_t workers = fanfold::usable_cpus();
    std::string folder = "/tmp";
    bool commits = false;
};

double seconds(fanfold::duration d) { return std::chrono::duration<double>(d).count(); }

/// The mean of the fastest fifth: others who take time away now and then do not matter.
double fastest(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    values.resize(std::max<std::size_t>(values.size() / 5, 1));
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// Where a ledger's files are, removed again.
class ledger_file {
public:
    explicit ledger_file(const std::string& folder)
        : path_(folder + "/fanfold_checkpoint_" + std::to_string(getpid()) + ".db") {
        remove();
    }
    ~ledger_file() { remove(); }
    ledger_file(const ledger_file&) = delete;
    ledger_file& operator=(const ledger_file&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    void remove() const {
        for (const char* end : {"", "-wal", "-journal"}) unlink((path_ + end).c_str());
    }
    std::string path_;
};

void jobs(const given& how) {
    const fanfold::graph model = fanfold::onnx::load(FANFOLD_BENCH_DATA "/fmnist_lenet5.onnx");
    fanfold::tensor images(fanfold::element::float32, {static_cast<std::int64_t>(how.rows), 1, 28, 28});
    std::uint32_t random = 1;
    for (float& pixel : images.as<float>().flat())
        pixel = static_cast<float>((random = random * 1664525 + 1013904223) >> 24) / 255;
    const fanfold::batch rows(std::move(images));
    const fanfold::tbb_executor workers({.workers = how.workers});
    fanfold::options plain{.partition = fanfold::contiguous{.rows_per_shard = 64}};
    const auto run = [&](fanfold::any_ledger kept) {
        fanfold::options with = plain;
        with.ledger = kept;
        const auto began = std::chrono::steady_clock::now();
        const fanfold::job job = fanfold::infer(workers, model, rows, with);
        if (!job.failures.empty()) std::exit(1);
        return std::array{seconds(std::chrono::steady_clock::now() - began), seconds(job.events.cpu_time)};
    };
    (void)run({});
    std::vector<double> wall[3], ratio[3], cpu[3];
    for (std::size_t round = 0; round < how.rounds; ++round) {
        std::array<double, 2> took[3];
        for (std::size_t step = 0; step < 3; ++step) {
            const std::size_t kind = (round + step) % 3;
            if (kind == 0) took[0] = run({});
            if (kind == 1) {
                fanfold::memory_ledger kept;
                took[1] = run(kept);
            }
            if (kind == 2) {
                const ledger_file file(how.folder);
                fanfold::sqlite::ledger kept(file.path());
                took[2] = run(kept);
            }
        }
        for (std::size_t kind = 0; kind < 3; ++kind) {
            wall[kind].push_back(took[kind][0]);
            ratio[kind].push_back(took[kind][0] / took[0][0]);
            cpu[kind].push_back(took[kind][1] / took[0][1]);
        }
    }
    const char* names[]{"no ledger", "in memory", "SQLite file"};
    std::printf("%zu rows, 64 a shard, %zu workers, %zu rounds\n", how.rows, how.workers, how.rounds);
    std::printf("             median s; to no ledger: wall time, median (quartiles), of the fastest fifth; CPU time\n");
    for (std::size_t kind = 0; kind < 3; ++kind) {
        std::vector<double> sorted = ratio[kind];
        std::sort(sorted.begin(), sorted.end());
        std::printf("%-12s %.3f  %.3f (%.3f %.3f)  %.3f  %.3f\n", names[kind], median(wall[kind]), median(ratio[kind]),
                    sorted[sorted.size() / 4], sorted[sorted.size() * 3 / 4], fastest(wall[kind]) / fastest(wall[0]),
                    median(cpu[kind]));
    }
}

void commits(const given& how) {
    std::printf("records of 64 and 2,560 bytes, committed in groups: groups and records a second\n");
    for (const std::size_t bytes : {64UL, 2560UL})
        for (const std::size_t group : {1UL, 64UL, 1024UL}) {
            const std::size_t records = group == 1 ? 4000 : group == 64 ? 64'000 : 256'000;
            const ledger_file file(how.folder);
            fanfold::sqlite::ledger kept(
                file.path(), {.group = group, .interval = std::chrono::seconds(1), .most_waiting = 2 * group});
            (void)kept.open({1, records});
            kept.declare({{fanfold::element::float32, {static_cast<std::int64_t>(records)}, 0, ""}});
            const auto began = std::chrono::steady_clock::now();
            for (std::size_t row = 0; row < records; ++row)
                kept.keep({row, 1, std::vector<std::byte>(bytes, std::byte{1})});
            kept.finish({});
            const double took = seconds(std::chrono::steady_clock::now() - began);
            std::printf("%5zu bytes, groups of %4zu: %8.0f groups/s %8.0f records/s\n", bytes, group,
                        static_cast<double>(records) / static_cast<double>(group) / took,
                        static_cast<double>(records) / took);
        }
}

}  // namespace

int main(int argc, char** argv) {
    given how;
    for (int i = 1; i < argc; ++i) {
        const auto number = [&] { return static_cast<std::size_t>(std::strtoull(argv[++i], nullptr, 10)); };
        const std::string flag = argv[i];
        if (flag == "--commits")
            how.commits = true;
        else if (i + 1 == argc)
            return 2;
        else if (flag == "--rows")
            how.rows = number();
        else if (flag == "--rounds")
            how.rounds = number();
        else if (flag == "--workers")
            how.workers = number();
        else if (flag == "--folder")
            how.folder = argv[++i];
        else
            return 2;
    }
    how.commits ? commits(how) : jobs(how);
    return 0;
}
