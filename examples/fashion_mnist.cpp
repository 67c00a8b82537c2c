// examples/fashion_mnist.cpp - the main job: 10,000 real images through a trained network, on every core, measured.
// SPDX-License-Identifier: MIT
//
// The program starts itself once for each measurement, so that peak memory and CPU time are of that run alone:
//   parent     flags -> child with the chosen workers, child with one worker -> table, JSON
//   child      model, images, labels -> one warm-up run, then timed runs; the one of median wall time -> JSON on a pipe
// With --checkpoint it is one run in this process, which goes on where an earlier one was, however that ended.
#include <fanfold/evaluate/report_json.hpp>
#include <fanfold/evaluate/table.hpp>
#include <fanfold/fanfold.hpp>
#include <fanfold/kernel/isa.hpp>
#include <fanfold/onnx/load.hpp>
#include <fanfold/sqlite/ledger.hpp>

#include <fcntl.h>      // O_CLOEXEC
#include <spawn.h>      // posix_spawn
#include <sys/prctl.h>  // prctl
#include <sys/wait.h>   // waitpid
#include <unistd.h>     // pipe2

#include <CLI/CLI.hpp>
#include <algorithm>  // std::sort
#include <array>      // std::array
#include <atomic>     // std::atomic
#include <cerrno>     // errno
#include <chrono>     // std::chrono::milliseconds
#include <csignal>    // SIGKILL
#include <cstdint>    // std::uint8_t
#include <cstdio>     // std::printf
#include <cstring>    // strsignal
#include <exception>  // std::exception
#include <fstream>    // std::ofstream
#include <nlohmann/json.hpp>
#include <stdexcept>     // std::runtime_error
#include <string>        // std::string
#include <system_error>  // std::system_error
#include <vector>        // std::vector

#include "idx.hpp"

namespace {

using nlohmann::json;

constexpr int timed_runs = 11;  // after one that warms up
constexpr int result_pipe = 3;

struct flags {
    std::string model = FANFOLD_EXAMPLE_DATA "/fmnist_lenet5.onnx";
    std::string images = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";
    std::string labels = "/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz";
    std::string executor = "tbb";
    std::size_t workers = 0;  // 0: as many as this process may use
    std::size_t rows_per_shard = 64;
    std::size_t limit = SIZE_MAX;
    std::string json_file;
    std::string checkpoint;
    bool is_child = false;
    bool shows_progress = false;
};

std::string counted(std::size_t count, const std::string& noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

// ---- the child: one measurement

/// One line on the terminal, rewritten at most ten times a second; workers call it at once.
class progress {
public:
    progress(const flags& given, std::size_t rows, int runs)
        : shown_(given.shows_progress),
          name_(given.executor + ", " + counted(given.workers, "worker")),
          rows_(rows * static_cast<std::size_t>(runs)),
          runs_(runs) {}
    /// Rows that an earlier run of this program has done.
    void start_at(std::size_t rows) { done_ = rows; }

    void operator()(const fanfold::event& attempt) {
        const std::size_t done = done_.fetch_add(attempt.rows) + attempt.rows;
        fanfold::time_point due = next_.load();
        if (!shown_ || attempt.finished < due) return;
        if (!next_.compare_exchange_strong(due, attempt.finished + std::chrono::milliseconds(100))) return;
        std::fprintf(stderr, "\r\033[K%s: %zu of %zu images in %s", name_.c_str(), done, rows_,
                     counted(static_cast<std::size_t>(runs_), "run").c_str());
    }
    void clear() const {
        if (shown_) std::fputs("\r\033[K", stderr);
    }

private:
    bool shown_;
    std::string name_;
    std::size_t rows_;
    int runs_;
    std::atomic<std::size_t> done_ = 0;
    std::atomic<fanfold::time_point> next_ = fanfold::time_point::min();
};

std::size_t count_correct(const fanfold::job& job, const std::vector<std::uint8_t>& labels) {
    const fanfold::tensor_view logits = job.answers;
    if (logits.rank() != 2 || logits.type() != fanfold::element::float32 || logits.extent(1) == 0)
        throw std::runtime_error("the model answers " + fanfold::describe(logits) +
                                 ", expected float32 [images, classes]");
    std::vector<bool> answered(labels.size(), true);
    for (const fanfold::fault& failed : job.failures)
        for (const std::size_t row : failed.rows) answered[row] = false;
    std::size_t correct = 0;
    for (std::size_t row = 0; row < labels.size(); ++row) {
        if (!answered[row]) continue;
        const auto classes = logits.rows(row, 1).as<float>().flat();
        const auto best = std::max_element(classes.begin(), classes.end()) - classes.begin();
        if (best == labels[row]) ++correct;
    }
    return correct;
}

/// The most memory this process has held, in KiB.
std::size_t peak_rss_kib() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
        if (std::size_t kib = 0; word == "VmHWM:" && status >> kib) return kib;
    throw std::runtime_error("/proc/self/status has no VmHWM");
}

/// Images and as many labels.
struct data_set {
    fanfold::tensor images;
    std::vector<std::uint8_t> labels;
};

data_set read_data(const flags& given) {
    data_set all{idx::read_images(given.images), idx::read_labels(given.labels)};
    const auto count = static_cast<std::size_t>(all.images.shape()[0]);
    if (all.labels.size() != count)
        throw std::runtime_error(given.labels + " holds " + counted(all.labels.size(), "label") + ", " + given.images +
                                 " " + counted(count, "image"));
    all.labels.resize(std::min(count, given.limit));
    if (all.labels.empty()) throw std::runtime_error(given.images + " holds no images");
    return all;
}

template <class Executor>
json measure_with(const Executor& executor, const flags& given) {
    const fanfold::graph model = fanfold::onnx::load(given.model);
    const data_set all = read_data(given);
    const std::vector<std::uint8_t>& labels = all.labels;
    const fanfold::tensor_view images = all.images.rows(0, labels.size());

    progress watch(given, labels.size(), timed_runs + 1);
    const fanfold::options how{.partition = fanfold::contiguous{.rows_per_shard = given.rows_per_shard},
                               .on_event = watch};
    std::vector<json> runs;
    for (int run = 0; run <= timed_runs; ++run) {
        const fanfold::job job = fanfold::infer(executor, model, images, how);
        json result = fanfold::report(job);
        result["correct"] = count_correct(job, labels);
        result["digest"] = fanfold::digest_text(fanfold::digest(job.answers));
        if (!job.failures.empty())
            result["first_failure"] =
                std::string(fanfold::name_of(job.failures[0].kind)) + ": " + job.failures[0].message;
        runs.push_back(std::move(result));
    }
    watch.clear();
    for (const json& run : runs)
        if (run["digest"] != runs[0]["digest"] && run["failed_rows"] == 0 && runs[0]["failed_rows"] == 0)
            throw std::runtime_error("two runs of the same job differ in their bits");
    runs.erase(runs.begin());  // the warm-up
    std::sort(runs.begin(), runs.end(), [](const json& a, const json& b) { return a["wall_s"] < b["wall_s"]; });
    json median = runs[runs.size() / 2];
    median["model"] = given.model;
    median["rows_per_shard"] = given.rows_per_shard;
    median["peak_rss_kib"] = peak_rss_kib();
    return median;
}

/// Calls `f` with the executor that the flags name.
template <class F>
auto with_executor(const flags& given, const F& f) {
    if (given.executor == "serial") return f(fanfold::serial_executor());
    if (given.executor == "threads") return f(fanfold::threads_executor({.workers = given.workers}));
    // TBB starts no more threads than there are CPUs unless this limit says otherwise.
    const tbb::global_control limit(
        tbb::global_control::max_allowed_parallelism,
        std::max(given.workers, tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism)));
    return f(fanfold::tbb_executor({.workers = given.workers}));
}

int child(const flags& given) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // a measurement that nobody waits for ends
    json result;
    try {
        result = with_executor(given, [&](const auto& executor) { return measure_with(executor, given); });
    } catch (const std::bad_alloc&) {
        result = {{"error", "out of memory"}};
    } catch (const std::exception& error) {
        result = {{"error", error.what()}};
    }
    const std::string text = result.dump(-1, ' ', false, json::error_handler_t::replace);
    for (std::size_t at = 0; at < text.size();) {
        const ssize_t wrote = write(result_pipe, text.data() + at, text.size() - at);
        if (wrote < 0 && errno != EINTR) return 1;
        if (wrote > 0) at += static_cast<std::size_t>(wrote);
    }
    return result.contains("error") ? 1 : 0;
}

// ---- the parent: starts measurements and tells what they found

[[noreturn]] void refuse_system(const std::string& call, int code) {
    throw std::system_error(code, std::generic_category(), call);
}

/// Starts this program again as a child and returns what it measured; throws what it could not.
json measure_in_a_process_of_its_own(const flags& given) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) refuse_system("pipe2", errno);
    std::vector<std::string> words{"fashion_mnist",    "--child",
                                   "--model",          given.model,
                                   "--images",         given.images,
                                   "--labels",         given.labels,
                                   "--executor",       given.executor,
                                   "--workers",        std::to_string(given.workers),
                                   "--rows-per-shard", std::to_string(given.rows_per_shard),
                                   "--limit",          std::to_string(given.limit)};
    if (isatty(STDERR_FILENO) != 0) words.emplace_back("--progress");
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], result_pipe);
    pid_t pid = 0;
    const int failed = posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);

    std::string text;
    std::array<char, 4096> piece{};
    for (ssize_t got = 1; failed == 0 && got != 0;) {
        got = read(ends[0], piece.data(), piece.size());
        if (got < 0 && errno != EINTR) break;
        if (got > 0) text.append(piece.data(), static_cast<std::size_t>(got));
    }
    close(ends[0]);
    if (failed != 0) refuse_system("cannot start the measurement", failed);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) refuse_system("waitpid", errno);

    json result = json::parse(text, nullptr, false);
    if (result.contains("error")) throw std::runtime_error(result["error"].get<std::string>());
    const std::string run = "the run with " + given.executor + ", " + counted(given.workers, "worker");
    if (WIFSIGNALED(status))
        throw std::runtime_error(run + " was ended by signal " + std::to_string(WTERMSIG(status)) + " (" +
                                 strsignal(WTERMSIG(status)) + ")");  // NOLINT(concurrency-mt-unsafe): no other threads
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || result.is_discarded())
        throw std::runtime_error(run + " ended with exit code " + std::to_string(WEXITSTATUS(status)) +
                                 " and no result");
    return result;
}

fanfold::labelled_report column(const json& run) {
    const auto correct = run["correct"].get<std::size_t>();
    const auto rows = run["rows"].get<std::size_t>();
    std::array<char, 32> peak{};
    std::snprintf(peak.data(), peak.size(), "%.1f", run["peak_rss_kib"].get<double>() / 1024);
    return {run["executor"].get<std::string>() + ", " + counted(run["workers"].get<std::size_t>(), "worker"),
            run.get<fanfold::report>(),
            {{"right answers", fanfold::grouped(correct) + " of " + fanfold::grouped(rows)},
             {"digest of all answers", run["digest"].get<std::string>()},
             {"peak memory of the process, MiB", peak.data()}}};
}

int parent(flags given) {
    json main_run = measure_in_a_process_of_its_own(given);
    std::vector<fanfold::labelled_report> columns{column(main_run)};
    json one_worker = main_run;
    if (given.workers != 1) {
        given.workers = 1;
        one_worker = measure_in_a_process_of_its_own(given);
        columns.push_back(column(one_worker));
    }
    std::printf("%s, %s in shards of %zu\n", given.model.c_str(),
                counted(main_run["rows"].get<std::size_t>(), "image").c_str(), given.rows_per_shard);
    std::printf("each column is a process of its own: a warm-up, then the run of median wall time out of %d\n\n%s",
                timed_runs, fanfold::table(columns).c_str());
    if (!given.json_file.empty()) {
        json figures = main_run;
        figures["timed_runs"] = timed_runs;
        figures["one_worker"] = one_worker;
        std::ofstream file(given.json_file);
        file << figures.dump(2, ' ', false, json::error_handler_t::replace) << '\n';
        file.close();
        if (!file)
            throw std::runtime_error(given.json_file +
                                     ": cannot be written: " + std::generic_category().message(errno));
    }
    for (const json& run : {main_run, one_worker})
        if (run["failed_rows"] != 0)
            throw std::runtime_error(counted(run["failed_rows"].get<std::size_t>(), "row") +
                                     " failed, the first: " + run["first_failure"].get<std::string>());
    if (main_run["digest"] != one_worker["digest"])
        throw std::runtime_error("the answers of the two runs differ in their bits");
    return 0;
}

// ---- with --checkpoint: one run, which may be ended at any time and started again

/// Of the file, and of whether kernels use fused products: avx2 and avx512 give the same bits, baseline others.
std::uint64_t fingerprint_of(const std::string& model) {
    std::ifstream file(model, std::ios::binary);
    std::vector<std::uint8_t> bytes((std::istreambuf_iterator<char>(file)), {});
    bytes.push_back(fanfold::kernel::active_isa() == fanfold::kernel::isa::baseline ? 0 : 1);
    return fanfold::digest(fanfold::as_view(bytes));
}

template <class Executor>
int go_on(const Executor& executor, const flags& given) {
    const fanfold::graph model = fanfold::onnx::load(given.model);
    const data_set all = read_data(given);
    fanfold::sqlite::ledger kept(given.checkpoint);
    progress watch(given, all.labels.size(), 1);
    watch.start_at(kept.safe_rows());
    const fanfold::job job = fanfold::infer(executor, model, all.images.rows(0, all.labels.size()),
                                            {.partition = fanfold::contiguous{.rows_per_shard = given.rows_per_shard},
                                             .ledger = kept,
                                             .model_fingerprint = fingerprint_of(given.model),
                                             .on_event = watch});
    watch.clear();
    const fanfold::report figures(job);
    const std::size_t correct = count_correct(job, all.labels);
    const std::string digest = fanfold::digest_text(fanfold::digest(job.answers));
    std::printf("%s: %s, %zu taken from %s, %zu computed, %zu failed\nright answers: %zu\ndigest: %s\n",
                given.model.c_str(), counted(figures.rows, "image").c_str(), figures.resumed_rows,
                given.checkpoint.c_str(), figures.rows - figures.resumed_rows - figures.failed_rows,
                figures.failed_rows, correct, digest.c_str());
    if (!given.json_file.empty()) {
        json result = figures;
        result["correct"] = correct;
        result["digest"] = digest;
        std::ofstream(given.json_file) << result.dump(2) << '\n';
    }
    if (!job.failures.empty())
        throw std::runtime_error(counted(figures.failed_rows, "row") +
                                 " failed, the first: " + job.failures[0].message);
    return 0;
}

}  // namespace

int main(int argc, char** argv) try {
    flags given;
    CLI::App app("Classifies images with a trained network on every core and tells what that cost.");
    app.name("fashion_mnist");
    app.option_defaults()->always_capture_default();
    app.add_option("--model", given.model, "ONNX file; takes float32 [N, 1, 28, 28] in [0, 1]");
    app.add_option("--images", given.images, "IDX file of images, gzipped or not");
    app.add_option("--labels", given.labels, "IDX file of their labels, gzipped or not");
    app.add_option("--executor", given.executor, "who runs the shards")
        ->check(CLI::IsMember({"serial", "threads", "tbb"}));
    app.add_option("--workers", given.workers, "how many at once; by default the CPUs this process may use")
        ->check(CLI::Range(1, 1024))
        ->default_str("");
    app.add_option("--rows-per-shard", given.rows_per_shard, "images that travel together")->check(CLI::PositiveNumber);
    app.add_option("--limit", given.limit, "at most so many of the images")
        ->check(CLI::PositiveNumber)
        ->default_str("");
    app.add_option("--json", given.json_file, "also write the figures to this file")->default_str("");
    app.add_option("--checkpoint", given.checkpoint,
                   "keep answers in this SQLite file, and go on from it: one run, no comparison")
        ->default_str("");
    app.add_flag("--child", given.is_child)->group("");  // hidden: how the program starts itself
    app.add_flag("--progress", given.shows_progress)->group("");
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& help) {
        return app.exit(help);
    } catch (const CLI::ParseError& wrong) {
        throw std::runtime_error(std::string(wrong.what()) + "; --help lists the flags");
    }
    if (given.executor == "serial" && given.workers > 1)
        throw std::runtime_error("--executor serial has one worker, --workers says " + std::to_string(given.workers));
    if (given.workers == 0) given.workers = given.executor == "serial" ? 1 : fanfold::usable_cpus();
    if (!given.checkpoint.empty()) {
        given.shows_progress = isatty(STDERR_FILENO) != 0;
        return with_executor(given, [&](const auto& executor) { return go_on(executor, given); });
    }
    return given.is_child ? child(given) : parent(given);
} catch (const std::exception& error) {
    std::fflush(stdout);
    std::fprintf(stderr, "fashion_mnist: %s\n", error.what());
    return 1;
}
