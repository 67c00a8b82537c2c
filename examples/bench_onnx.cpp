// examples/bench_onnx.cpp - how fast an ONNX file runs: rows a second, time of a batch, load time, peak memory.
// SPDX-License-Identifier: MIT
//
// A batch is what one call takes: as many rows as --batch says, or exactly the model's own number. Several workers
// share the rows of each batch where it can be cut; else each works on batches of its own, side by side. With --intra
// they share every operation of one call at a time instead.
#include <fanfold/fanfold.hpp>
#include <fanfold/onnx/load.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>  // std::sort
#include <chrono>     // std::chrono::duration
#include <cstdint>    // std::int64_t
#include <cstdio>     // std::printf
#include <exception>  // std::exception
#include <fstream>    // std::ofstream
#include <nlohmann/json.hpp>
#include <numeric>    // std::iota
#include <stdexcept>  // std::runtime_error
#include <string>     // std::string
#include <vector>     // std::vector

#include "model_inputs.hpp"

namespace {

using clock = std::chrono::steady_clock;
using nlohmann::json;

struct flags {
    std::string model;
    std::size_t batch = 1;
    std::size_t workers = 1;
    double seconds = 2;
    std::string share = "auto";
    bool intra = false;
    std::string json_file;
    std::vector<std::string> dims;
    std::string accuracy = "usual", weights = "usual";
    std::vector<std::string> inputs;
};

double seconds_since(clock::time_point start) { return std::chrono::duration<double>(clock::now() - start).count(); }

/// The most memory this process has held, in KiB.
std::size_t peak_rss_kib() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
        if (std::size_t kib = 0; word == "VmHWM:" && status >> kib) return kib;
    throw std::runtime_error("/proc/self/status has no VmHWM");
}

/// Why the rows of one batch cannot be shared by the workers; empty when they can.
std::string why_whole(const fanfold::graph& model, const std::vector<fanfold::part>& parts, const flags& given) {
    if (given.workers == 1) return "there is one worker";
    if (model.rows_per_call() != 0)
        return "the model takes exactly " + std::to_string(model.rows_per_call()) + " rows a call";
    if (given.batch < given.workers) return "the batch has fewer rows than there are workers";
    try {
        const fanfold::batch rows(parts);
        if (const std::string mixer = model.row_mixer(rows); !mixer.empty())
            return "'" + mixer + "' makes rows depend on each other";
        (void)model.answers(rows);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return {};
}

struct timing {
    std::vector<double> calls_s;
    double wall_s = 0;
};

/// Calls again and again until the time is up, after a tenth of it to warm up.
template <class Call>
timing measure(double seconds, const Call& call) {
    const auto warm = clock::now();
    do call();
    while (seconds_since(warm) < seconds / 10);
    timing out;
    const auto start = clock::now();
    for (auto now = start; out.calls_s.empty() || now - start < std::chrono::duration<double>(seconds);) {
        call();
        const auto end = clock::now();
        out.calls_s.push_back(std::chrono::duration<double>(end - now).count());
        now = end;
    }
    out.wall_s = seconds_since(start);
    return out;
}

void expect_answers(const fanfold::job& job) {
    if (!job.failures.empty())
        throw std::runtime_error("the model failed: " + std::string(fanfold::name_of(job.failures[0].kind)) + ": " +
                                 job.failures[0].message);
}

/// TBB starts no more threads than there are CPUs unless this says otherwise.
tbb::global_control as_many_threads(const flags& given) {
    constexpr auto most = tbb::global_control::max_allowed_parallelism;
    return {most, std::max(given.workers, tbb::global_control::active_value(most))};
}

/// One batch at a time, its rows shared by the workers.
timing measure_rows(const fanfold::graph& model, const std::vector<fanfold::part>& parts, const flags& given) {
    const fanfold::batch rows(parts);
    const tbb::global_control limit = as_many_threads(given);
    const fanfold::tbb_executor cores({.workers = given.workers});
    const fanfold::options how{.partition = fanfold::contiguous{.shards = given.workers}};
    return measure(given.seconds, [&] { expect_answers(fanfold::infer(cores, model, rows, how)); });
}

/// Every worker calls the model with batches of its own; with --intra one does, and the others help.
timing measure_batches(const fanfold::graph& model, const std::vector<fanfold::tensor>& inputs, const flags& given) {
    const std::vector<fanfold::tensor_view> views(inputs.begin(), inputs.end());
    std::vector<timing> lanes(given.intra ? 1 : given.workers);
    const auto repeat = [&](fanfold::view<const std::int64_t> lane, fanfold::workspace& space) {
        std::vector<fanfold::tensor> answers(model.state().outputs.size());
        const auto room = [&](std::size_t answer, fanfold::element type, const fanfold::shape& extents) {
            fanfold::tensor& here = answers[answer];  // kept from call to call
            if (here.type() != type || !(here.shape() == extents)) here = fanfold::tensor(type, extents);
            return fanfold::mutable_tensor_view(here);
        };
        lanes[static_cast<std::size_t>(lane(0))] = measure(given.seconds, [&] {
            const fanfold::workspace::scope one(space);
            model.run(views, fanfold::answer_room(room), space);
        });
        return std::vector<std::int64_t>{lane(0)};
    };
    std::vector<std::int64_t> ids(lanes.size());
    std::iota(ids.begin(), ids.end(), 0);
    const fanfold::options how{.partition = fanfold::contiguous{.rows_per_shard = 1}};
    if (given.intra) {
        const tbb::global_control limit = as_many_threads(given);
        expect_answers(fanfold::infer(fanfold::tbb_executor({.workers = given.workers}), repeat, ids, how));
    } else {
        expect_answers(fanfold::infer(fanfold::threads_executor({.workers = given.workers}), repeat, ids, how));
    }
    timing all;
    double calls_a_second = 0;
    for (const timing& lane : lanes) {
        calls_a_second += static_cast<double>(lane.calls_s.size()) / lane.wall_s;
        all.calls_s.insert(all.calls_s.end(), lane.calls_s.begin(), lane.calls_s.end());
    }
    all.wall_s = static_cast<double>(all.calls_s.size()) / calls_a_second;
    return all;
}

json bench(const flags& given) {
    const auto start = clock::now();
    const fanfold::graph model = fanfold::onnx::load(
        given.model,
        {.dims = model_inputs::dims(given.dims), .prefer = model_inputs::preference(given.accuracy, given.weights)});
    const double load_s = seconds_since(start);

    const std::vector<fanfold::tensor> inputs = model_inputs::make(model, given.inputs, given.batch);
    std::vector<fanfold::part> parts;
    for (std::size_t i = 0; i < inputs.size(); ++i)
        parts.emplace_back(inputs[i], model_inputs::rows_of(model.state().values[model.state().inputs[i]].type));
    const std::string whole = why_whole(model, parts, given);
    if (given.share == "rows" && !whole.empty())
        throw std::runtime_error("--share rows: a batch cannot be cut: " + whole);
    const bool shared = whole.empty() && given.share != "batches" && !given.intra;

    timing took = shared ? measure_rows(model, parts, given) : measure_batches(model, inputs, given);
    std::sort(took.calls_s.begin(), took.calls_s.end());
    const std::size_t rows = model.rows_per_call() != 0 ? model.rows_per_call() : given.batch;
    return {{"model", given.model},
            {"batch", rows},
            {"workers", given.workers},
            {"share", shared        ? "rows"
                      : given.intra ? "operations"
                                    : "batches"},
            {"isa", std::string(fanfold::kernel::name_of(fanfold::kernel::active_isa()))},
            {"calls", took.calls_s.size()},
            {"rows_per_s", static_cast<double>(rows * took.calls_s.size()) / took.wall_s},
            {"ms_min", took.calls_s.front() * 1e3},
            {"ms_median", took.calls_s[took.calls_s.size() / 2] * 1e3},
            {"load_ms", load_s * 1e3},
            {"peak_rss_kib", peak_rss_kib()}};
}

}  // namespace

int main(int argc, char** argv) try {
    flags given;
    CLI::App app("Measures how fast an ONNX file runs.");
    app.name("bench_onnx");
    app.option_defaults()->always_capture_default();
    app.add_option("MODEL", given.model, "ONNX file")->required()->default_str("");
    app.add_option("--batch", given.batch, "rows a call; a model with a static batch takes its own number")
        ->check(CLI::Range(1, 1 << 20));
    app.add_option("--workers", given.workers, "threads that compute at once")->check(CLI::Range(1, 1024));
    app.add_option("--seconds", given.seconds, "how long to measure, after a tenth of it to warm up")
        ->check(CLI::Range(0.001, 86400.0));
    app.add_option("--share", given.share,
                   "what workers share: the rows of a batch, or batches; auto: rows if possible")
        ->check(CLI::IsMember({"auto", "rows", "batches"}));
    app.add_flag("--intra", given.intra, "all workers share the operations of one call at a time");
    app.add_option("--accuracy", given.accuracy, "of convolutions; high: tiles of 2x2 at most, direct: no tiles")
        ->check(CLI::IsMember({"usual", "high", "direct"}));
    app.add_option("--weights", given.weights, "memory for them; small: no more than in the file")
        ->check(CLI::IsMember({"usual", "small"}));
    app.add_option("--dim", given.dims, "NAME=N: the extent of an open dimension; 1 where none is given")
        ->default_str("");
    app.add_option("--input", given.inputs,
                   "NAME=FILE.npy or .pb, its rows repeated to the batch; random where none is given")
        ->default_str("");
    app.add_option("--json", given.json_file, "also write the figures to this file")->default_str("");
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& help) {
        return app.exit(help);
    } catch (const CLI::ParseError& wrong) {
        throw std::runtime_error(std::string(wrong.what()) + "; --help lists the flags");
    }
    const json figures = bench(given);
    const std::string text = figures.dump(2, ' ', false, json::error_handler_t::replace);
    std::printf("%s\n", text.c_str());
    if (!given.json_file.empty()) {
        std::ofstream file(given.json_file);
        file << text << '\n';
        file.close();
        if (!file) throw std::runtime_error(given.json_file + ": cannot be written");
    }
    return 0;
} catch (const std::bad_alloc&) {
    std::fprintf(stderr, "bench_onnx: out of memory\n");
    return 1;
} catch (const std::exception& error) {
    std::fprintf(stderr, "bench_onnx: %s\n", error.what());
    return 1;
}
