// examples/run_onnx.cpp - runs an ONNX file once: answers as .npy files, their digests, where the time goes.
// SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>
#include <fanfold/onnx/load.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>   // std::max
#include <cctype>      // std::isalnum
#include <chrono>      // std::chrono::duration
#include <cstdio>      // std::printf
#include <exception>   // std::exception
#include <filesystem>  // std::filesystem::create_directories
#include <set>         // std::set
#include <stdexcept>   // std::runtime_error
#include <string>      // std::string
#include <utility>     // std::pair
#include <vector>      // std::vector

#include "model_inputs.hpp"

namespace {

struct flags {
    std::string model;
    std::vector<std::string> inputs;
    std::vector<std::string> dims;
    std::string accuracy = "usual", weights = "usual";
    std::string output_dir;
    std::size_t workers = 1;
    bool profile = false;
    bool summary = false;
};

double seconds_between(fanfold::time_point first, fanfold::time_point last) {
    return std::chrono::duration<double>(last - first).count();
}

/// Time and operations of each step, by operation and name, in the order in which they first end.
class profile {
public:
    void operator()(const fanfold::step_event& step) {
        line& here = at(std::string(step.operation), std::string(step.name));
        double own = seconds_between(step.started, step.finished);
        const double whole = own;
        while (!open_.empty() && open_.back().first >= step.started) {  // steps of a graph inside of this one
            own -= open_.back().second;
            open_.pop_back();
        }
        open_.emplace_back(step.started, whole);
        here.seconds += own;
        here.flops += static_cast<double>(step.flops);
    }
    void end_run() { open_.clear(); }

    void print(std::size_t runs) const {
        double all = 0;
        for (const line& one : lines_) all += one.seconds;
        std::printf("\n%8s %7s %8s  step (of %zu runs)\n", "ms", "share", "GFLOP/s", runs);
        for (const line& one : lines_) {
            std::printf("%8.3f %6.1f%% ", one.seconds * 1e3 / static_cast<double>(runs),
                        all > 0 ? one.seconds / all * 100 : 0.0);
            if (one.flops > 0 && one.seconds > 0)
                std::printf("%8.1f", one.flops / one.seconds / 1e9);
            else
                std::printf("%8s", "");
            std::printf("  %s '%s'\n", one.operation.c_str(), one.name.c_str());
        }
        std::printf("%8.3f %6.1f%% %8s  all steps\n", all * 1e3 / static_cast<double>(runs), 100.0, "");
    }

private:
    struct line {
        std::string operation;
        std::string name;
        double seconds = 0;
        double flops = 0;
    };
    line& at(std::string operation, std::string name) {
        for (line& one : lines_)
            if (one.operation == operation && one.name == name) return one;
        lines_.push_back({std::move(operation), std::move(name)});
        return lines_.back();
    }

    std::vector<line> lines_;
    std::vector<std::pair<fanfold::time_point, double>> open_;
};

/// The answers of rows shared by several workers.
std::vector<fanfold::tensor> answers_of_workers(const fanfold::graph& model, const std::vector<fanfold::tensor>& inputs,
                                                std::size_t workers) {
    std::vector<fanfold::part> parts;
    for (std::size_t i = 0; i < inputs.size(); ++i)
        parts.emplace_back(inputs[i], model_inputs::rows_of(model.state().values[model.state().inputs[i]].type));
    const fanfold::job job =
        fanfold::infer(fanfold::threads_executor({.workers = workers}), model, fanfold::batch(std::move(parts)));
    if (!job.failures.empty())
        throw std::runtime_error(std::string(fanfold::name_of(job.failures[0].kind)) + ": " + job.failures[0].message);
    std::vector<fanfold::tensor> answers;
    for (const fanfold::part& one : job.answers.parts()) answers.emplace_back(one.data());
    return answers;
}

void print_profile(const fanfold::graph& model, const std::vector<fanfold::tensor_view>& inputs) {
    const fanfold::floating_point_scope environment;
    fanfold::workspace space;
    (void)model.run(inputs, space);  // warms up
    profile watch;
    space.steps = watch;
    std::size_t runs = 0;
    const auto start = std::chrono::steady_clock::now();
    while (runs < 3 || (runs < 1000 && seconds_between(start, std::chrono::steady_clock::now()) < 1)) {
        (void)model.run(inputs, space);
        watch.end_run();
        ++runs;
    }
    watch.print(runs);
}

/// A name from the model as a file's name, another one for each.
std::string file_name(const std::string& name, std::set<std::string>& taken) {
    std::string out;
    for (const char c : name)
        out += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.' ? c : '_';
    if (out.empty() || out[0] == '.') out = "_" + out;
    while (!taken.insert(out).second) out += "_";
    return out + ".npy";
}

void run(const flags& given) {
    const fanfold::graph model = fanfold::onnx::load(
        given.model,
        {.dims = model_inputs::dims(given.dims), .prefer = model_inputs::preference(given.accuracy, given.weights)});
    const fanfold::graph_state& g = model.state();
    if (given.summary) std::printf("%s\n", model.summary().c_str());

    const std::vector<fanfold::tensor> inputs = model_inputs::make(model, given.inputs, 0);
    const auto from = model_inputs::files(model, given.inputs);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const std::string& name = g.values[g.inputs[i]].name;
        const auto file = from.find(name);
        std::printf("input  '%s' %s %s\n", name.c_str(), fanfold::describe(inputs[i]).c_str(),
                    file == from.end() ? "random" : file->second.c_str());
    }
    const std::vector<fanfold::tensor_view> views(inputs.begin(), inputs.end());
    std::vector<fanfold::tensor> answers;
    try {
        if (given.workers > 1) {
            answers = answers_of_workers(model, inputs, given.workers);
        } else {
            const fanfold::floating_point_scope environment;
            fanfold::workspace space;
            answers = model.run(views, space);
        }
    } catch (const std::runtime_error& error) {
        throw std::runtime_error(error.what() + model_inputs::guesses(model, given.inputs, given.model));
    } catch (const std::logic_error& error) {
        throw std::runtime_error(error.what() + model_inputs::guesses(model, given.inputs, given.model));
    }
    if (!given.output_dir.empty()) std::filesystem::create_directories(given.output_dir);
    std::set<std::string> taken;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        std::printf("output '%s' %s digest %s", g.output_names[i].c_str(), fanfold::describe(answers[i]).c_str(),
                    fanfold::digest_text(fanfold::digest(answers[i])).c_str());
        if (!given.output_dir.empty()) {
            const auto file = std::filesystem::path(given.output_dir) / file_name(g.output_names[i], taken);
            npy::write(file, answers[i]);
            std::printf(" %s", file.c_str());
        }
        std::printf("\n");
    }
    if (given.profile) print_profile(model, views);
}

}  // namespace

int main(int argc, char** argv) try {
    flags given;
    CLI::App app("Runs an ONNX file once.");
    app.name("run_onnx");
    app.option_defaults()->always_capture_default();
    app.add_option("MODEL", given.model, "ONNX file")->required()->default_str("");
    app.add_option("--input", given.inputs, "NAME=FILE.npy or .pb (a TensorProto); random where none is given")
        ->default_str("");
    app.add_option("--accuracy", given.accuracy, "of convolutions; high: tiles of 2x2 at most, direct: no tiles")
        ->check(CLI::IsMember({"usual", "high", "direct"}));
    app.add_option("--weights", given.weights, "memory for them; small: no more than in the file")
        ->check(CLI::IsMember({"usual", "small"}));
    app.add_option("--dim", given.dims, "NAME=N: the extent of an open dimension; 1 where none is given")
        ->default_str("");
    app.add_option("--output-dir", given.output_dir, "write NAME.npy for each output to this folder")->default_str("");
    app.add_option("--workers", given.workers, "threads that share the rows")->check(CLI::Range(1, 1024));
    app.add_flag("--profile", given.profile, "run it again for a second on one thread and print what each step takes");
    app.add_flag("--summary", given.summary, "print the steps with their shapes");
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& help) {
        return app.exit(help);
    } catch (const CLI::ParseError& wrong) {
        throw std::runtime_error(std::string(wrong.what()) + "; --help lists the flags");
    }
    run(given);
    return 0;
} catch (const std::bad_alloc&) {
    std::fprintf(stderr, "run_onnx: out of memory\n");
    return 1;
} catch (const std::exception& error) {
    std::fflush(stdout);
    std::fprintf(stderr, "run_onnx: %s\n", error.what());
    return 1;
}
