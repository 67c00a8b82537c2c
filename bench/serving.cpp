// bench/serving.cpp - the batcher under load: against one row at a time and a thread per request,
// then over offered loads.
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

#include "load_ends.hpp"
#include "median.hpp"

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

struct rate_and_wait {
    double rows_per_s = 0;
    double p99_ms = 0;  ///< from a request's submission to its reply
};
double p99_of(std::vector<double>& values) {
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[values.size() * 99 / 100];
}
double ms_of(const reply& r) { return std::chrono::duration<double, std::milli>(r.finished - r.submitted).count(); }

/// A batcher that always has `waiting` requests of each of `clients` threads, who wait for the oldest and send another.
template <class Server>
rate_and_wait saturated(Server& server, const std::vector<tensor>& rows, std::size_t clients, std::size_t waiting,
                        double lasts) {
    std::atomic<std::size_t> done{0}, failed{0};
    std::vector<std::vector<double>> ms(clients);
    const time_point start = std::chrono::steady_clock::now();
    const auto client = [&](std::size_t me) {
        std::vector<pending<reply>> open;
        std::size_t mine = 0;
        for (std::size_t i = 0; i < waiting; ++i) open.push_back(server.submit(rows[i % rows.size()]));
        for (std::size_t i = 0; seconds_since(start) < lasts; ++i) {
            pending<reply>& oldest = open[i % waiting];
            const reply r = oldest.get();
            failed += r.answered() ? 0 : 1;
            mine += static_cast<std::size_t>(rows.front().shape()[0]);
            ms[me].push_back(ms_of(r));
            oldest = server.submit(rows[(i + waiting) % rows.size()]);
        }
        done += mine;
    };
    {
        std::vector<std::jthread> others;
        for (std::size_t me = 1; me < clients; ++me) others.emplace_back(client, me);
        client(0);
    }
    const double took = seconds_since(start);
    if (failed != 0) std::fprintf(stderr, "%zu requests failed\n", failed.load());
    for (std::size_t me = 1; me < clients; ++me) ms[0].insert(ms[0].end(), ms[me].begin(), ms[me].end());
    return {static_cast<double>(done) / took, p99_of(ms[0])};
}

/// The same without clients: each reply sends the next request, on the worker.
template <class Server>
rate_and_wait by_replies(Server& server, const std::vector<tensor>& rows, std::size_t waiting, double lasts) {
    std::atomic<std::size_t> done{0}, open{waiting};
    const time_point start = std::chrono::steady_clock::now();
    struct again {
        Server& server;
        const std::vector<tensor>& rows;
        std::atomic<std::size_t>&done, &open;
        time_point end;
        void send(std::size_t i) const {
            server.submit(rows[i % rows.size()])
                .then([this, i](const reply&) {
                    ++done;
                    if (std::chrono::steady_clock::now() < end)
                        send(i + 1);
                    else if (--open == 0)
                        open.notify_one();
                })
                .detach();
        }
    };
    const again one{server, rows, done, open, start + detail::from_seconds(lasts)};
    for (std::size_t i = 0; i < waiting; ++i) one.send(i);
    for (std::size_t left = open; left != 0; left = open) open.wait(left);
    return {static_cast<double>(done) / seconds_since(start), 0};
}

/// Pages of memory that the process has now, in MiB.
double resident_mib() {
    std::ifstream statm("/proc/self/statm");
    double all = 0, resident = 0;
    statm >> all >> resident;
    return resident * 4096 / (1 << 20);
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
    std::vector<tensor> eights;
    for (int i = 0; i < 32; ++i) {
        eights.emplace_back(element::float32, shape{8, 1, 28, 28});
        for (float& pixel : eights.back().as<float>().flat()) pixel = static_cast<float>(random() % 256) / 255;
    }
    struct way {
        const char* name;
        std::size_t max_rows, clients, waiting, rows_each;  ///< clients: 0: replies send the next
        std::chrono::microseconds delay = 0us;
    };
    const std::vector<way> ways{{"one client, 128 waiting", 64, 1, 128, 1},
                                {"the same, a delay of 0.2 ms asked", 64, 1, 128, 1, 200us},
                                {"one client, 256 waiting", 64, 1, 256, 1},
                                {"the same, batches of 128", 128, 1, 256, 1},
                                {"four clients, 64 waiting each", 64, 4, 64, 1},
                                {"replies send the next, 256 waiting", 64, 0, 256, 1},
                                {"one client, 32 of 8 rows waiting", 64, 1, 32, 8}};
    std::vector<double> one, each, whole;
    std::vector<std::vector<double>> rates(ways.size()), waits(ways.size());
    constexpr int rounds = 9;
    const double slice = lasts / rounds;
    for (int round = 0; round < rounds; ++round) {  // in turns
        one.push_back(one_row_at_a_time(model, rows, workers, slice));
        each.push_back(thread_per_request(model, rows, workers, slice));
        whole.push_back(in_batches(model, workers, slice));
        for (std::size_t i = 0; i < ways.size(); ++i) {
            const way& w = ways[i];
            batcher server(cores, model, {.max_rows = w.max_rows, .max_delay = w.delay});
            const std::vector<tensor>& given = w.rows_each == 1 ? rows : eights;
            const rate_and_wait got = w.clients == 0 ? by_replies(server, given, w.waiting, slice)
                                                     : saturated(server, given, w.clients, w.waiting, slice);
            rates[i].push_back(got.rows_per_s);
            waits[i].push_back(got.p99_ms);
        }
    }
    std::printf("one row at a time  %8.0f rows/s\n", median(one));
    std::printf("thread per request %8.0f rows/s  %5.2f\n", median(each), median(each) / median(one));
    std::printf("batches of 64      %8.0f rows/s  %5.2f  (a batch takes %.2f ms)\n", median(whole),
                median(whole) / median(one), 64e3 / median(whole));
    std::printf("batcher, saturated:\n");
    for (std::size_t i = 0; i < ways.size(); ++i)
        std::printf("  %-36s %8.0f rows/s  %5.2f  p99 %.2f ms\n", ways[i].name, median(rates[i]),
                    median(rates[i]) / median(one), median(waits[i]));

    const duration allowed = 50ms;
    const auto offered = [&](double rate, double seconds, std::size_t queued, std::uint64_t seed) {
        batcher server(cores, model, {.max_rows = 64, .max_queued_rows = queued});
        return offer(poisson(rate, detail::from_seconds(seconds), seed), allowed, [&](load_request r) {
            server.submit(rows[r.number() % rows.size()], {.deadline = r.intended() + allowed})
                .then([r](const reply& got) { r.ended(end_of(got)); })
                .detach();
        });
    };
    std::printf("\nPoisson arrivals, %.0f ms allowed, capacity measured before each, medians of %d rounds of %.2f s:\n"
                "queue   load  goodput/s  of offered or capacity (least to most)  p99 ms   late  timed out  "
                "overloaded  MiB\n",
                std::chrono::duration<double, std::milli>(allowed).count(), rounds, slice);
    struct load {
        std::size_t queued;
        double share;
        std::vector<double> goodput = {}, ratio = {}, p99 = {}, mib = {};
        std::size_t late = 0, timed_out = 0, overloaded = 0;
    };
    std::vector<load> loads{{1024, 0.5}, {1024, 0.8}, {1024, 1.2}, {100'000, 1.2}};
    double capacity = 0;
    for (int round = 0; round < rounds; ++round)
        for (load& l : loads) {
            {
                batcher server(cores, model, {.max_rows = 64});
                capacity = saturated(server, rows, 1, 256, slice / 2).rows_per_s;
            }
            const load_point p = offered(l.share * capacity, slice, l.queued, 7 + static_cast<std::uint64_t>(round));
            l.goodput.push_back(p.goodput_per_s);
            l.ratio.push_back(p.goodput_per_s / std::min(p.offered_per_s, capacity));
            l.p99.push_back(p.latency_us.p99 / 1000);
            l.mib.push_back(resident_mib());
            l.late += p.late;
            l.timed_out += p.timed_out;
            l.overloaded += p.overloaded;
        }
    for (const load& l : loads)
        std::printf("%6zu   %.1f  %9.0f  %.3f (%.3f to %.3f)                  %6.2f  %5zu  %9zu  %10zu  %.0f to %.0f\n",
                    l.queued, l.share, median(l.goodput), median(l.ratio),
                    *std::min_element(l.ratio.begin(), l.ratio.end()),
                    *std::max_element(l.ratio.begin(), l.ratio.end()), median(l.p99), l.late, l.timed_out, l.overloaded,
                    *std::min_element(l.mib.begin(), l.mib.end()), *std::max_element(l.mib.begin(), l.mib.end()));

    std::vector<load_point> curve;
    if (argc > 4) {
        for (const double share : {0.1, 0.25, 0.5, 0.8, 0.9, 1.0, 1.2, 1.5})
            curve.push_back(offered(share * capacity, lasts, 1024, 7));
        std::printf("\n%s", load_table(curve).c_str());
    }

    for (int round = 0; round < 5; ++round) {  // every worker busy for a second: who is told when?
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
