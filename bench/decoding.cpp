// bench/decoding.cpp - sequences that join and leave between steps, against static batches: a character decoder over
// offered loads, and streams of a recurrent network; prompts and lengths are those of a text's lines.
//   usage: decoding KJV_LM.onnx TEXT [SILERO.onnx [SECONDS [WORKERS [SLOTS]]]]    TEXT: bible -f gen1:1-rev22:21
// SPDX-License-Identifier: MIT
#include <fanfold/evaluate/arrivals.hpp>
#include <fanfold/fanfold.hpp>
#include <fanfold/onnx/load.hpp>
#include <fanfold/serve/carried_state.hpp>
#include <fanfold/serve/continuous.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <fstream>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "../examples/character_decoder.hpp"

namespace {

using namespace fanfold;

struct asked {
    std::vector<std::int64_t> prompt;
    std::size_t answers = 0;
};

/// Part of a line is the prompt, the rest says how many characters are asked for.
std::vector<asked> requests_of(const std::string& file) {
    std::ifstream in(file);
    std::vector<asked> all;
    std::mt19937_64 random(1);
    for (std::string line; std::getline(in, line);) {
        line.erase(0, std::min(line.find(' ') + 1, line.size()));  // the reference
        if (line.size() < 8) continue;
        const std::size_t prompt = 4 + random() % (line.size() / 2 - 3);
        all.push_back({character_decoder::ids_of(line.substr(0, prompt)), line.size() - prompt});
    }
    if (all.empty()) throw std::invalid_argument(file + " has no lines");
    std::shuffle(all.begin(), all.end(), random);
    return all;
}

double seconds(duration d) { return std::chrono::duration<double>(d).count(); }

double p99(std::vector<double> values) {
    if (values.empty()) return 0;
    const auto at = static_cast<std::ptrdiff_t>(static_cast<double>(values.size() - 1) * 0.99);
    std::nth_element(values.begin(), values.begin() + at, values.end());
    return values[static_cast<std::size_t>(at)];
}

struct figures {
    double answers_per_s = 0;
    double p99_step_us = 0;        ///< between two answers of a sequence
    double p99_per_answer_us = 0;  ///< from the intended start to the end, by answers
    double sequences_a_step = 0;
};

/// What is asked of `server`, and what came of it.
class record {
public:
    template <class Server, class Items>
    void ask(Server& server, const Items& items, std::size_t answers, std::size_t useful, time_point intended) {
        struct told {
            time_point last;
            std::vector<double> gaps;
        };
        const auto seen = std::make_shared<told>();
        ++open_;
        server
            .submit(items, {.max_answers = answers},
                    [seen](std::size_t number, const tensor_view&) {
                        const time_point now = std::chrono::steady_clock::now();
                        if (number != 0) seen->gaps.push_back(1e6 * seconds(now - seen->last));
                        seen->last = now;
                    })
            .then([this, seen, useful, intended](const reply& r) {
                const std::lock_guard lock(mutex_);
                if (!r.answered()) ++failed_;
                useful_ += useful;
                end_ = std::max(end_, r.finished);
                per_answer_.push_back(1e6 * seconds(r.finished - intended) / static_cast<double>(useful));
                gaps_.insert(gaps_.end(), seen->gaps.begin(), seen->gaps.end());
                --open_;
                open_.notify_all();
            })
            .detach();
    }
    figures wait(time_point start, const continuous_counts& counts) {
        for (std::size_t left = open_; left != 0; left = open_) open_.wait(left);
        const std::lock_guard lock(mutex_);
        if (failed_ != 0) std::printf("%zu sequences failed\n", failed_);
        return {static_cast<double>(useful_) / seconds(end_ - start), p99(gaps_), p99(per_answer_),
                static_cast<double>(counts.pieces) / static_cast<double>(std::max<std::size_t>(counts.steps, 1))};
    }

private:
    std::atomic<std::size_t> open_{0};
    std::mutex mutex_;
    std::size_t failed_ = 0, useful_ = 0;
    time_point end_{};
    std::vector<double> gaps_, per_answer_;
};

/// All at once: what is the most that can be had?
template <class Executor, class Model, class Submit>
figures saturated(const Executor& cores, const Model& model, continuous_options how, std::size_t count,
                  const Submit& submit) {
    how.max_queued = count;
    record all;
    continuous server(cores, model, how);
    const time_point start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < count; ++i) submit(all, server, i, start);
    figures f = all.wait(start, server.counts());
    const continuous_counts counts = server.counts();
    f.sequences_a_step = static_cast<double>(counts.pieces) / static_cast<double>(counts.steps);
    return f;
}

/// Sends requests at their times, whatever comes of those before.
template <class Send>
time_point send(const std::vector<asked>& requests, double sequences_per_s, double lasts, const Send& each) {
    const auto starts = poisson(sequences_per_s, detail::from_seconds(lasts), 11);
    const time_point start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < starts.size(); ++i) {
        std::this_thread::sleep_until(start + starts[i]);
        each(requests[i % requests.size()], start + starts[i]);
    }
    return start;
}

template <class Executor, class Model, class Ask>
figures offered(const Executor& cores, const Model& model, continuous_options how, const std::vector<asked>& requests,
                double sequences_per_s, double lasts, const Ask& ask) {
    how.max_queued = 1U << 20;
    record all;
    continuous server(cores, model, how);
    const time_point start = send(requests, sequences_per_s, lasts, [&](const asked& a, time_point intended) {
        ask(all, server, a, intended);
    });
    return all.wait(start, server.counts());
}

/// Texts that one worker continues together.
class texts {
public:
    texts(const character_decoder& model, std::size_t slots) : model_(model), states_(model.state(slots)) {}
    [[nodiscard]] static std::size_t length(const asked& a) { return a.answers; }
    void begin(const std::vector<const asked*>& rows) {
        items_.clear();
        pieces_.clear();
        answers_.resize(rows.size());
        for (std::size_t i = 0; i < rows.size(); ++i) {
            pieces_.push_back({i, 0, items_.size(), rows[i]->prompt.size(), true});
            items_.insert(items_.end(), rows[i]->prompt.begin(), rows[i]->prompt.end());
        }
    }
    void step() {
        const workspace::scope scratch(space_);
        model_.step(states_, pieces_, as_view(items_),
                    view<std::int64_t>(answers_.data(), shape{static_cast<std::int64_t>(answers_.size())}), space_);
        items_ = answers_;
        for (std::size_t i = 0; i < pieces_.size(); ++i)
            pieces_[i] = {i, pieces_[i].position + pieces_[i].items, i, 1, true};
    }

private:
    const character_decoder& model_;
    decltype(std::declval<const character_decoder&>().state(1)) states_;
    workspace space_;
    std::vector<std::int64_t> items_, answers_;
    std::vector<step_piece> pieces_;
};

/// Sounds, frame by frame.
class sounds {
public:
    sounds(const carried_state<graph>& model, std::size_t slots) : model_(model), states_(model.state(slots)) {}
    [[nodiscard]] static std::size_t length(const asked& a) { return 1 + a.answers / 4; }
    void begin(const std::vector<const asked*>& rows) {
        const auto count = static_cast<std::int64_t>(rows.size());
        frames_ = tensor(element::float32, {count, 576});
        answers_ = tensor(model_.form().answer.type, {count, 1});
        pieces_.clear();
        for (std::size_t i = 0; i < rows.size(); ++i) pieces_.push_back({i, 0, i, 1, true});
    }
    void step() {
        const workspace::scope scratch(space_);
        model_.step(states_, pieces_, frames_, answers_, space_);
        for (step_piece& p : pieces_) ++p.position;
    }

private:
    const carried_state<graph>& model_;
    decltype(std::declval<const carried_state<graph>&>().state(1)) states_;
    workspace space_;
    tensor frames_, answers_;
    std::vector<step_piece> pieces_;
};

/// Batches as a graph takes them that has one length for all rows: who waits when a worker is free is a batch, and all
/// of its rows are computed until the longest has its answers. Each is told when its own are there.
template <class Rows, class Model>
figures offered_in_padded_batches(const Model& model, std::size_t workers, std::size_t slots,
                                  const std::vector<asked>& requests, double sequences_per_s, double lasts) {
    struct waiting {
        const asked* what;
        time_point intended;
    };
    std::mutex mutex;
    std::condition_variable come;
    std::deque<waiting> line;
    bool closed = false;
    std::vector<double> per_answer;
    std::size_t useful = 0;
    time_point end{};
    const auto work = [&] {
        Rows together(model, slots);
        for (;;) {
            std::vector<waiting> rows;
            {
                std::unique_lock lock(mutex);
                come.wait(lock, [&] { return closed || !line.empty(); });
                for (; !line.empty() && rows.size() < slots; line.pop_front()) rows.push_back(line.front());
            }
            if (rows.empty()) return;
            std::vector<const asked*> whose;
            std::vector<time_point> ends(rows.size());
            std::size_t longest = 0;
            for (const waiting& one : rows) {
                whose.push_back(one.what);
                longest = std::max(longest, Rows::length(*one.what));
            }
            together.begin(whose);
            for (std::size_t number = 1; number <= longest; ++number) {
                together.step();
                for (std::size_t i = 0; i < rows.size(); ++i)
                    if (Rows::length(*whose[i]) == number) ends[i] = std::chrono::steady_clock::now();
            }
            const std::lock_guard lock(mutex);
            for (std::size_t i = 0; i < rows.size(); ++i) {
                useful += Rows::length(*whose[i]);
                end = std::max(end, ends[i]);
                per_answer.push_back(1e6 * seconds(ends[i] - rows[i].intended) /
                                     static_cast<double>(Rows::length(*whose[i])));
            }
        }
    };
    std::vector<std::jthread> threads;
    for (std::size_t worker = 0; worker < workers; ++worker) threads.emplace_back(work);
    const time_point start = send(requests, sequences_per_s, lasts, [&](const asked& a, time_point intended) {
        {
            const std::lock_guard lock(mutex);
            line.push_back({&a, intended});
        }
        come.notify_one();
    });
    {
        const std::lock_guard lock(mutex);
        closed = true;
    }
    come.notify_all();
    threads.clear();
    return {static_cast<double>(useful) / seconds(end - start), 0, p99(per_answer), 0};
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 3) {
        std::fprintf(stderr, "usage: decoding KJV_LM.onnx TEXT [SILERO.onnx [SECONDS [WORKERS [SLOTS]]]]\n");
        return 2;
    }
    const character_decoder model(argv[1]);
    const std::vector<asked> requests = requests_of(argv[2]);
    const double lasts = argc > 4 ? std::atof(argv[4]) : 1;
    const auto workers = static_cast<std::size_t>(argc > 5 ? std::atoi(argv[5]) : 0);
    const auto slots = static_cast<std::size_t>(argc > 6 ? std::atoi(argv[6]) : 8);
    const tbb_executor cores({.workers = workers});
    const continuous_options joins{.max_slots = slots};
    continuous_options waits = joins;
    waits.join = joining::when_all_have_left;

    std::size_t tokens = 0, most = 0;
    for (const asked& a : requests) tokens += a.answers, most = std::max(most, a.answers);
    const double mean = static_cast<double>(tokens) / static_cast<double>(requests.size());
    std::printf("%zu workers, %zu slots each; characters asked for: mean %.0f, most %zu\n\n", cores.workers(), slots,
                mean, most);

    const auto plain = [&](record& all, auto& server, std::size_t i, time_point start) {
        const asked& a = requests[i % requests.size()];
        all.ask(server, a.prompt, a.answers, a.answers, start);
    };
    /// As a graph with one length for all rows: who has finished is computed until the longest of its batch has.
    const auto padded = [&](record& all, auto& server, std::size_t i, time_point start) {
        std::size_t longest = 0;
        for (std::size_t k = i / slots * slots; k < i / slots * slots + slots; ++k)
            longest = std::max(longest, requests[k % requests.size()].answers);
        const asked& a = requests[i % requests.size()];
        all.ask(server, a.prompt, longest, a.answers, start);
    };
    const auto count = static_cast<std::size_t>(lasts * 400);
    std::printf("all at once                     tokens/s   p99 between two (us)   sequences a step\n");
    const auto show = [](const char* name, const figures& f) {
        std::printf("%-30s %9.0f   %20.0f   %16.1f\n", name, f.answers_per_s, f.p99_step_us, f.sequences_a_step);
    };
    static_cast<void>(saturated(cores, model, joins, count / 4, plain));  // warm up
    const figures best = saturated(cores, model, joins, count, plain);
    const figures kind = saturated(cores, model, waits, count, plain);
    const figures full = saturated(cores, model, waits, count, padded);
    show("continuous", best);
    show("static, who is done rests", kind);
    show("static, padded to the longest", full);
    show("one at a time", saturated(cores, model, {.max_slots = 1}, count / 2, plain));

    const auto compare = [&](const char* what, double most_per_s, double mean_length, const auto& each) {
        std::printf(
            "\nPoisson arrivals    continuous             static, who is done rests   static, padded\n"
            "offered %6s/s    %6s/s  p99 (us)        per s  p99 (us)             per s  p99 (us) of one\n",
            what, what);
        std::vector<figures> of[3];
        for (const double share : {0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95}) {
            for (std::size_t k = 0; k < 3; ++k) of[k].push_back(each(k, share * most_per_s / mean_length));
            std::printf("%16.0f", share * most_per_s);
            for (const auto& one : of)
                std::printf("    %8.0f  %8.0f       ", one.back().answers_per_s, one.back().p99_per_answer_us);
            std::printf("\n");
        }
        std::printf("\nmost %s/s with p99 at most   continuous   who is done rests   padded\n", what);
        for (const double limit : {150.0, 250.0, 400.0, 600.0, 1000.0, 2000.0}) {
            std::printf("%15.0f us", limit);
            for (const auto& one : of) {
                double most_of_all = 0;
                for (const figures& f : one)
                    if (f.p99_per_answer_us <= limit) most_of_all = std::max(most_of_all, f.answers_per_s);
                std::printf("   %12.0f", most_of_all);
            }
            std::printf("\n");
        }
    };
    const auto text = [](record& all, auto& server, const asked& a, time_point intended) {
        all.ask(server, a.prompt, a.answers, a.answers, intended);
    };
    compare("tokens", best.answers_per_s, mean, [&](std::size_t k, double per_s) {
        return k == 2 ? offered_in_padded_batches<texts>(model, cores.workers(), slots, requests, per_s, lasts)
                      : offered(cores, model, k == 0 ? joins : waits, requests, per_s, lasts, text);
    });

    if (argc > 3 && *argv[3] != '\0') {
        const graph network = onnx::load(argv[3]);
        const batch begin{part{tensor(element::float32, {1, 576}), 0, "input"},
                          part{tensor(element::float32, {2, 1, 128}), 1, "state"},
                          part{tensor::of<std::int64_t>(shape{}, {16000}), shared_by_all_rows, "sr"}};
        const carried_state vad(network, begin, {.states = {{.input = 1, .answer = 1}}});
        const auto stream = [&](record& all, auto& server, std::size_t i, time_point start) {
            const std::size_t frames = 1 + requests[i % requests.size()].answers / 4;
            const tensor sound(element::float32, {static_cast<std::int64_t>(frames), 576});
            all.ask(server, sound, 0, frames, start);
        };
        std::printf("\nstreams, all at once            frames/s   p99 between two (us)   streams a step\n");
        const auto padded_stream = [&](record& all, auto& server, std::size_t i, time_point start) {
            std::size_t longest = 0;
            for (std::size_t k = i / slots * slots; k < i / slots * slots + slots; ++k)
                longest = std::max(longest, sounds::length(requests[k % requests.size()]));
            const tensor sound(element::float32, {static_cast<std::int64_t>(longest), 576});
            all.ask(server, sound, 0, sounds::length(requests[i % requests.size()]), start);
        };
        const auto streams = static_cast<std::size_t>(lasts * 200);
        static_cast<void>(saturated(cores, vad, joins, streams / 4, stream));
        const figures most_frames = saturated(cores, vad, joins, streams, stream);
        show("continuous", most_frames);
        show("static, who is done rests", saturated(cores, vad, waits, streams, stream));
        show("static, padded to the longest", saturated(cores, vad, waits, streams, padded_stream));
        show("one at a time", saturated(cores, vad, {.max_slots = 1}, streams / 2, stream));
        double frames = 0;
        for (const asked& a : requests) frames += static_cast<double>(sounds::length(a));
        const auto sound = [](record& all, auto& server, const asked& a, time_point intended) {
            const std::size_t length = sounds::length(a);
            all.ask(server, tensor(element::float32, {static_cast<std::int64_t>(length), 576}), 0, length, intended);
        };
        compare("frames", most_frames.answers_per_s, frames / static_cast<double>(requests.size()),
                [&](std::size_t k, double per_s) {
                    if (k == 2)
                        return offered_in_padded_batches<sounds>(vad, cores.workers(), slots, requests, per_s, lasts);
                    return offered(cores, vad, k == 0 ? joins : waits, requests, per_s, lasts, sound);
                });
    }
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "decoding: %s\n", error.what());
    return 1;
}
