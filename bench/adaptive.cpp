// bench/adaptive.cpp - a batcher with a latency target on the real clock: against fixed sizes and delays of a grid,
// and when its model becomes half as fast.
//   usage: adaptive MODEL.onnx|calls [ROUNDS]
// SPDX-License-Identifier: MIT
#include <fanfold/evaluate/arrivals.hpp>
#include <fanfold/evaluate/load.hpp>
#include <fanfold/fanfold.hpp>
#include <fanfold/onnx/load.hpp>
#include <fanfold/serve/batcher.hpp>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "load_ends.hpp"
#include "median.hpp"

namespace {

using namespace fanfold;
using namespace std::chrono_literals;

double ms_of(duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

/// A network that is computed `times` times.
struct repeated {
    const graph& network;
    const std::atomic<int>& times;

    [[nodiscard]] std::vector<tensor_type> answers(const batch& rows) const { return network.answers(rows); }
    [[nodiscard]] std::size_t workspace_bytes(std::size_t rows) const { return network.workspace_bytes(rows); }
    void operator()(const batch_view& rows, const mutable_batch_view& out, workspace& space) const {
        for (int i = 0; i < times; ++i) {
            const workspace::scope scratch(space);
            network(rows, out, space);
        }
    }
};

/// What a call costs by itself matters here: 1 ms and 20 us a row, `times` times.
struct costly_calls {
    const std::atomic<int>& times;

    [[nodiscard]] static std::vector<tensor_type> answers(const batch& rows) {
        return {{element::float32, {static_cast<std::int64_t>(rows.rows()), 10}, 0, {}}};
    }
    [[nodiscard]] static std::size_t workspace_bytes(std::size_t) { return 0; }
    void operator()(const batch_view& rows, const mutable_batch_view& out, workspace&) const {
        const time_point end =
            std::chrono::steady_clock::now() + times.load() * (1ms + static_cast<long>(rows.rows()) * duration(20us));
        while (std::chrono::steady_clock::now() < end) {
        }
        std::fill_n(out.as<float>().data(), out.as<float>().size(), 0.0F);
    }
};

template <class Model>
class bench {
public:
    using server = batcher<tbb_executor, Model>;
    bench(const tbb_executor& cores, const Model& model, std::atomic<int>& times, duration target)
        : cores_(cores), model_(model), times_(times), target_(target) {}

    /// Answers a second within the target.
    double goodput(server& of, double rate, double seconds, std::uint64_t seed) {
        return offer(poisson(rate, detail::from_seconds(seconds), seed), target_,
                     [&](load_request r) {
                         of.submit(row_, {.deadline = r.intended() + target_})
                             .then([r](const reply& got) { r.ended(end_of(got)); })
                             .detach();
                     })
            .goodput_per_s;
    }
    std::unique_ptr<server> adaptive() {
        return std::make_unique<server>(cores_, model_, batcher_options{.max_rows = 1024, .latency_target = target_});
    }

    /// Requests a second where 2,000 always wait, however long.
    double saturated(server& of, double seconds) {
        std::vector<pending<reply>> open;
        for (std::size_t i = 0; i < 2000; ++i) open.push_back(of.submit(row_));
        const time_point start = std::chrono::steady_clock::now(), end = start + detail::from_seconds(seconds);
        std::size_t done = 0;
        for (; std::chrono::steady_clock::now() < end; ++done) {
            pending<reply>& oldest = open[done % open.size()];
            (void)oldest.get();
            oldest = of.submit(row_);
        }
        return static_cast<double>(done) / seconds;
    }

    void against_a_grid(int rounds) {
        struct fixed {
            std::size_t rows;
            duration delay;
            std::vector<double> goodput = {};
        };
        std::vector<fixed> grid;
        for (const std::size_t rows : {16UL, 64UL, 128UL, 256UL, 512UL, 1024UL})
            for (const int share : {0, 8, 3}) grid.push_back({rows, share == 0 ? duration{} : target_ / share});
        const auto learned = adaptive();
        (void)saturated(*learned, 0.5);  // it learns
        const double rate = 1.3 * saturated(*learned, 0.5), slice = 0.25;
        std::vector<double> found;
        const std::size_t found_a_round = grid.size() / 3;
        for (int round = 0; round < rounds; ++round) {
            const auto seed = static_cast<std::uint64_t>(2 + round);
            for (fixed& f : grid) {
                server s(cores_, model_, {.max_rows = f.rows, .max_delay = f.delay});
                f.goodput.push_back(goodput(s, rate, slice, seed));
                if ((&f - grid.data()) % 3 == 0)
                    found.push_back(goodput(*learned, rate, slice, seed));
            }
        }
        // The best by every other round, compared in the rest: else it would be the luckiest.
        const auto half = [](const std::vector<double>& of, std::size_t first, std::size_t each) {
            std::vector<double> some;
            for (std::size_t i = 0; i < of.size(); ++i)
                if (of.size() < 2 * each || i / each % 2 == first) some.push_back(of[i]);
            return median(some);
        };
        const auto best = std::max_element(grid.begin(), grid.end(), [&](const fixed& a, const fixed& b) {
            return half(a.goodput, 0, 1) < half(b.goodput, 0, 1);
        });
        for (const fixed& f : grid)
            std::printf("  %4zu rows, %5.2f ms  %8.0f\n", f.rows, ms_of(f.delay), median(f.goodput));
        std::printf("  found: %4zu rows      %8.0f  %.3f of the best, %zu rows and %.2f ms\n",
                    learned->counts().max_batch_rows, half(found, 1, found_a_round),
                    half(found, 1, found_a_round) / half(best->goodput, 1, 1), best->rows, ms_of(best->delay));
        capacity_ = median(found);
    }

    /// Half as fast from 1.5 s on; the 99th percentile of each tenth of a second's arrivals.
    void half_as_fast(double share) {
        struct seen {
            duration came;
            double ms = -1;
        };
        const std::vector<duration> starts = poisson(share * capacity_, 4200ms, 5);
        std::vector<seen> log(starts.size());
        const auto s = adaptive();
        (void)goodput(*s, share * capacity_, 1, 6);
        std::size_t rows_before = 0;
        times_ = 1;
        const load_point all = offer(starts, target_, [&](load_request r) {
            const std::size_t i = r.number();
            if (starts[i] > 1500ms && times_ == 1) {
                rows_before = s->counts().max_batch_rows;
                times_ = 2;
            }
            log[i].came = starts[i];
            s->submit(row_, {.deadline = r.intended() + target_})
                .then([r, &at = log[i]](const reply& got) {
                    if (got.answered()) at.ms = ms_of(std::chrono::steady_clock::now() - r.intended());
                    r.ended(end_of(got));
                })
                .detach();
        });
        times_ = 1;
        constexpr std::size_t windows = 40;
        std::vector<std::vector<double>> ms(windows);
        for (const seen& one : log)
            if (const auto w = static_cast<std::size_t>(one.came / 100ms); one.ms >= 0 && w < windows)
                ms[w].push_back(one.ms);
        int above_within_2s = 0, above_later = 0;
        std::string p99s;
        for (std::size_t w = 0; w < windows; ++w) {
            std::sort(ms[w].begin(), ms[w].end());
            const double p99 = ms[w].empty() ? 0 : ms[w][ms[w].size() * 99 / 100];
            if (w >= 15 && p99 > ms_of(target_)) ++(w < 35 ? above_within_2s : above_later);
            char text[16];
            std::snprintf(text, sizeof text, " %.1f", p99);
            if (w >= 12 && w < 24) p99s += text;
        }
        std::printf(
            "  load %.2f, then %.2f: p99 above %.0f ms in %d of 20 tenths of a second after the change, in %d of 5 "
            "after these; size %zu, then %zu; in time %.3f; p99 ms from 0.3 s before:%s\n",
            share, 2 * share, ms_of(target_), above_within_2s, above_later, rows_before, s->counts().max_batch_rows,
            static_cast<double>(all.answered - all.late) / static_cast<double>(all.requests), p99s.c_str());
    }

private:
    const tbb_executor& cores_;
    const Model& model_;
    std::atomic<int>& times_;
    duration target_;
    tensor row_ = tensor(element::float32, {1, 1, 28, 28});
    double capacity_ = 0;
};

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 2) {
        std::fprintf(stderr, "usage: adaptive MODEL.onnx|calls [ROUNDS]\n");
        return 2;
    }
    const int rounds = argc > 2 ? std::atoi(argv[2]) : 3;
    const tbb_executor cores({.workers = std::max<std::size_t>(usable_cpus(), 2) - 1});
    std::atomic<int> times{1};
    const auto all = [&](const char* name, const auto& model, duration target) {
        std::printf("%s, target %.0f ms; answers a second in time at 1.3 times the capacity:\n", name, ms_of(target));
        bench here(cores, model, times, target);
        here.against_a_grid(rounds);
        for (const double share : {0.3, 0.45, 0.8}) here.half_as_fast(share);
    };
    if (std::string(argv[1]) == "calls") {
        all("1 ms a call and 20 us a row", costly_calls{times}, 20ms);
    } else {
        const graph network = onnx::load(argv[1]);
        all(argv[1], repeated{network, times}, 10ms);
    }
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "adaptive: %s\n", error.what());
    return 1;
}
