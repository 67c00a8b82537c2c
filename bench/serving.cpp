// bench/serving.cpp - the batcher under load: against one row at a time and a thread per request, then over offered loads.
//   usage: serving MODEL.onnx [SECONDS [WORKERS [CURVE]]]    writes CURVE.json and CURVE.svg where CURVE is given
// SPDX-License-Identifier: MIT
#include <fanfold/evaluate/arrivals.hpp>
#include <fanfold/evaluate/load_json.hpp>
#include <fanfold/evaluate/load_table.hpp>
#include <fanfold/fanfold.hpp>
#include <fanfold/onnx/load.hpp>
#include <fanfold/serve/batcher.hpp>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace fanfold;
using namespace std::chrono_literals;

double seconds_since(time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Requests a second that `workers` threads answer by calling the model with one row after the other.
double one_row_at_a_time(const graph& model, const std::vector<tensor>& rows, std::size_t workers, double lasts) {
    std::atomic<std::size_t> done{0};
    const time_point start = std::chrono::steady_clock::now();
    {
        std::vector<std::jthread> threads;
        for (std::size_t worker = 0; worker < workers; ++worker)
            threads.emplace_back([&, worker] {
                workspace space(model.workspace_bytes(1));
                std::vector<float> answer(10);
                for (std::size_t i = worker; seconds_since(start) < lasts; i += workers) {
                    const tensor_view in = rows[i % rows.size()];
                    const mutable_tensor_view out(reinterpret_cast<std::byte*>(answer.data()), element::float32,
                                                  {1, 10});
                    const workspace::scope scratch(space);
                    model(batch_view({&in, 1}, 1), mutable_batch_view({&out, 1}, 1), space);
                    ++done;
                }
            });
    }
    return static_cast<double>(done) / seconds_since(start);
}

/// Rows a second of the model alone in batches of 64: what a batcher could reach if it cost nothing.
double in_batches(const graph& model, std::size_t workers, double lasts) {
    std::atomic<std::size_t> done{0};
    const time_point start = std::chrono::steady_clock::now();
    {
        std::vector<std::jthread> threads;
        for (std::size_t worker = 0; worker < workers; ++worker)
            threads.emplace_back([&] {
                workspace space(model.workspace_bytes(64));
                const tensor in(element::float32, {64, 1, 28, 28});
                tensor out(element::float32, {64, 10});
                const tensor_view from = in;
                const mutable_tensor_view to = out;
                while (seconds_since(start) < lasts) {
                    const workspace::scope scratch(space);
                    model(batch_view({&from, 1}, 64), mutable_batch_view({&to, 1}, 64), space);
                    done += 64;
                }
            });
    }
    return static_cast<double>(done) / seconds_since(start);
}

/// The same by a thread for each request, `workers` of them at once.
double thread_per_request(const graph& model, const std::vector<tensor>& rows, std::size_t workers, double lasts) {
    std::size_t done = 0;
    const time_point start = std::chrono::steady_clock::now();
    while (seconds_since(start) < lasts) {
        std::vector<std::jthread> threads;
        for (std::size_t worker = 0; worker < workers; ++worker, ++done)
            threads.emplace_back([&, row = done % rows.size()] {
                workspace space(model.workspace_bytes(1));
                std::vector<float> answer(10);
                const tensor_view in = rows[row];
                const mutable_tensor_view out(reinterpret_cast<std::byte*>(answer.data()), element::float32, {1, 10});
                model(batch_view({&in, 1}, 1), mutable_batch_view({&out, 1}, 1), space);
            });
    }
    return static_cast<double>(done) / seconds_since(start);
}

/// Requests a second of a batcher that always has `waiting` of them.
template <class Server>
double saturated(Server& server, const std::vector<tensor>& rows, std::size_t waiting, double lasts) {
    std::vector<pending<reply>> open;
    std::size_t done = 0, failed = 0;
    const time_point start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < waiting; ++i) open.push_back(server.submit(rows[i % rows.size()]));
    for (std::size_t i = 0; seconds_since(start) < lasts; ++i, ++done) {
        pending<reply>& oldest = open[i % waiting];
        failed += oldest.get().answered() ? 0 : 1;
        oldest = server.submit(rows[(i + waiting) % rows.size()]);
    }
    const double rate = static_cast<double>(done) / seconds_since(start);
    if (failed != 0) std::fprintf(stderr, "%zu requests failed\n", failed);
    return rate;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

load_end end_of(const reply& r) {
    if (r.answered()) return load_end::answered;
    switch (r.failures.front().kind) {
        case fault_kind::timed_out: return load_end::timed_out;
        case fault_kind::overloaded: return load_end::overloaded;
        default: return load_end::failed;
    }
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 2) {
        std::fprintf(stderr, "usage: serving MODEL.onnx [SECONDS [WORKERS [CURVE]]]\n");
        return 2;
    }
    const graph model = onnx::load(argv[1]);
    const double lasts = argc > 2 ? std::atof(argv[2]) : 1;
    const std::size_t cpus = usable_cpus();
    const std::size_t workers =
        argc > 3 ? static_cast<std::size_t>(std::atoi(argv[3])) : std::max<std::size_t>(cpus, 2) - 1;
    std::mt19937 random(1);
    std::vector<tensor> rows;
    for (int i = 0; i < 256; ++i) {
        rows.emplace_back(element::float32, shape{1, 1, 28, 28});
        for (float& pixel : rows.back().as<float>().flat()) pixel = static_cast<float>(random() % 256) / 255;
    }
    const tbb_executor cores({.workers = workers});

    std::printf("%s, %zu workers, %zu CPUs\n\n", argv[1], workers, cpus);
    std::vector<double> one, each, whole, batched;
    for (int round = 0; round < 5; ++round) {  // in turns
        one.push_back(one_row_at_a_time(model, rows, workers, lasts / 5));
        each.push_back(thread_per_request(model, rows, workers, lasts / 5));
        whole.push_back(in_batches(model, workers, lasts / 5));
        batcher server(cores, model, {.max_rows = 64});
        batched.push_back(saturated(server, rows, 256, lasts / 5));
    }
    std::printf("one row at a time  %8.0f requests/s\n", median(one));
    std::printf("thread per request %8.0f requests/s  %5.2f\n", median(each), median(each) / median(one));
    std::printf("batches of 64      %8.0f rows/s      %5.2f\n", median(whole), median(whole) / median(one));
    std::printf("batcher, saturated %8.0f requests/s  %5.2f\n\n", median(batched), median(batched) / median(one));

    const double capacity = median(batched);
    const duration allowed = 50ms;
    std::vector<load_point> curve;
    for (const double share : {0.1, 0.25, 0.5, 0.8, 0.9, 1.0, 1.2, 1.5}) {
        batcher server(cores, model, {.max_rows = 64, .max_queued_rows = 1024});
        const auto starts = poisson(share * capacity, detail::from_seconds(lasts), 7);
        curve.push_back(offer(starts, allowed, [&](load_request r) {
            server.submit(rows[r.number() % rows.size()], {.deadline = r.intended() + allowed})
                .then([r](const reply& got) { r.ended(end_of(got)); })
                .detach();
        }));
    }
    std::printf("offered by Poisson, %.0f ms allowed\n%s", std::chrono::duration<double, std::milli>(allowed).count(),
                load_table(curve).c_str());

    {  // every worker busy for a second: when are those told whose time ends meanwhile?
        const answering slow({{element::float32, {}}},
                             [](const batch_view&, const mutable_batch_view& out, workspace&) {
                                 const time_point start = std::chrono::steady_clock::now();
                                 while (std::chrono::steady_clock::now() - start < 1s) {
                                 }
                                 *out.as<float>().data() = 0;
                             });
        batcher server(cores, slow, {.max_rows = 1});
        std::vector<pending<reply>> busy;
        for (std::size_t worker = 0; worker < workers; ++worker) busy.push_back(server.submit(std::vector<float>(1)));
        const duration short_time = 20ms;
        const load_point p = offer(poisson(1000, 900ms), short_time, [&](load_request r) {
            server.submit(std::vector<float>(1), {.deadline = r.intended() + short_time})
                .then([r](const reply& got) { r.ended(end_of(got)); })
                .detach();
        });
        std::printf(
            "\nall workers busy for 1 s: %zu of %zu timed out, told late by p50 %.2f ms, p99 %.2f ms, max %.2f ms\n",
            p.timed_out, p.requests, p.report_us.p50 / 1000, p.report_us.p99 / 1000, p.report_us.max / 1000);
    }
    if (argc > 4) {
        std::ofstream(std::string(argv[4]) + ".json") << nlohmann::json(curve).dump(1) << "\n";
        std::ofstream(std::string(argv[4]) + ".svg") << load_svg(curve);
    }
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "serving: %s\n", error.what());
    return 1;
}
