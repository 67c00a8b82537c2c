// Every shard is computed under the same floating-point environment, whatever the caller or a model sets.
// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/serial.hpp>
#include <fanfold/schedule/tbb.hpp>
#include <fanfold/schedule/threads.hpp>

#include <tbb/global_control.h>

#include <atomic>
#include <cfenv>
#include <cmath>
#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>
#include <thread>

#include "../catch.hpp"
#include "../text.hpp"
#include "networks.hpp"

#if FANFOLD_X86_64
using namespace fanfold;

namespace {

constexpr unsigned standard = 0x1F80, status_flags = 0x003F;

/// What a caller may have set.
struct setting {
    const char* name;
    unsigned mxcsr;
    std::uint16_t x87 = 0x037F;
};
constexpr setting settings[] = {
    {"standard", standard},
    {"flush-to-zero", standard | 0x8000},
    {"denormals-are-zero", standard | 0x0040},
    {"both", standard | 0x8040},
    {"down", standard | 0x2000, 0x077F},
    {"up", standard | 0x4000, 0x0B7F},
    {"toward zero", standard | 0x6000, 0x0F7F},
    {"divide-by-zero unmasked", standard & ~0x0200U, 0x037B},
    {"invalid unmasked", standard & ~0x0080U, 0x037E},
    {"both unmasked", standard & ~0x0280U, 0x037A},
    {"every exception unmasked", 0, 0x0340},
    {"all at once", 0x8040 | 0x6000, 0x0F40},
};

unsigned control() { return _mm_getcsr() & ~status_flags; }
std::uint16_t x87_control() {
    std::uint16_t word = 0;
    asm volatile("fnstcw %0" : "=m"(word));
    return word;
}
void set(unsigned mxcsr, std::uint16_t x87) {
    asm volatile("fnclex\n\tfldcw %0" : : "m"(x87));
    _mm_setcsr(mxcsr);
}

/// On this thread while it lives.
class caller_setting {
public:
    explicit caller_setting(const setting& s) : mxcsr_(_mm_getcsr()), x87_(x87_control()) { set(s.mxcsr, s.x87); }
    ~caller_setting() { set(mxcsr_, x87_); }
    caller_setting(const caller_setting&) = delete;
    caller_setting& operator=(const caller_setting&) = delete;

private:
    unsigned mxcsr_;
    std::uint16_t x87_;
};

/// Calls `call` under a setting, and nothing of the test itself: whether the setting was there afterwards.
template <class F>
bool kept_by(const setting& s, F&& call) {
    bool kept = false;
    std::exception_ptr thrown;
    {
        const caller_setting callers(s);
        try {
            call();
        } catch (...) {
            thrown = std::current_exception();
        }
        kept = control() == s.mxcsr && x87_control() == s.x87;
    }
    if (thrown != nullptr) std::rethrow_exception(thrown);
    return kept;
}

/// Calls `each` with every executor at several worker counts: made under the setting `made`, warm or not.
template <class F>
void with_executors(const setting& made, F&& each) {
    std::unique_ptr<serial_executor> serial;
    (void)kept_by(made, [&] { serial = std::make_unique<serial_executor>(); });
    each(*serial);
    for (const std::size_t workers : {1UL, 2UL, 3UL, 8UL}) {
        std::unique_ptr<threads_executor> threads;
        std::unique_ptr<tbb_executor> cores;
        REQUIRE(kept_by(made, [&] {
            threads = std::make_unique<threads_executor>(threads_options{workers});
            cores = std::make_unique<tbb_executor>(tbb_options{workers});
        }));
        each(*threads);
        each(*cores);
    }
}

bool same_bits(const batch& a, const batch& b) {
    return a.shape() == b.shape() && a.type() == b.type() && std::memcmp(a[0].data(), b[0].data(), a[0].bytes()) == 0;
}

const std::vector<float> numbers = [] {
    std::vector<float> made(200);
    for (std::size_t i = 0; i < made.size(); ++i)
        made[i] = (i % 2 == 0 ? 1e-38F : 1.0F) * (static_cast<float>(i % 10) - 3);
    return made;
}();

/// Everything a setting can change: rounding in SSE and in the x87 unit, subnormals in and out,
/// division by zero, 0 / 0.
std::vector<float> delicate(std::span<const float> rows) {
    std::vector<float> out;
    for (const float row : rows) {
        const volatile float x = row;
        const volatile float tiny = x * 0.01F;
        const volatile float by_tiny = tiny * 1e6F;
        const volatile float third = x / 3.0F;
        const volatile float inverse = 1.0F / x;
        const volatile float same = x / x;
        const volatile long double wide = x;
        const volatile double narrow = static_cast<double>(wide / 7.0L);
        const volatile long double none = 1.0L / (wide - wide);
        out.insert(out.end(), {tiny, by_tiny, third, inverse, same, static_cast<float>(narrow),
                               static_cast<float>(narrow - static_cast<double>(static_cast<float>(narrow))),
                               std::isinf(none) ? 1.0F : 0.0F});
    }
    return out;
}

}  // namespace

TEST_CASE("Every shard sees the standard environment, whatever the caller set before the executor was made or after") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    for (const setting& made : {settings[0], settings[3], settings[6], settings[10]})
        with_executors(made, [&](const auto& executor) {
            for (const setting& callers : settings) {
                INFO(executor.name() << " with " << executor.workers() << " workers, made under " << made.name
                                     << ", called under " << callers.name);
                std::atomic<int> shards{0};
                std::atomic<int> odd{0};
                const auto model = [&](std::span<const float> rows) {
                    ++shards;
                    if (control() != standard || x87_control() != 0x037F) ++odd;
                    return std::vector<float>(rows.begin(), rows.end());
                };
                const options how{.partition = contiguous{.rows_per_shard = 5}};
                REQUIRE(kept_by(callers, [&] { (void)infer(executor, model, numbers, how); }));
                REQUIRE(shards == 40);
                REQUIRE(odd == 0);
            }
        });
}

TEST_CASE(
    "A model that divides by zero, rounds and underflows gives the same bits under every setting, without a trap") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    const job expected = infer(serial_executor(), delicate, numbers);
    REQUIRE(expected.failures.empty());
    REQUIRE(expected.answers.shape() == shape{200, 8});
    for (const setting& callers : settings) {
        if ((callers.mxcsr & standard) == standard && callers.mxcsr != standard) {  // else it would trap right here
            std::vector<float> changed;
            (void)kept_by(callers, [&] { changed = delicate(numbers); });
            REQUIRE(std::memcmp(changed.data(), expected.answers[0].data(), expected.answers[0].bytes()) != 0);
        }
        with_executors(callers, [&](const auto& executor) {
            INFO(executor.name() << " with " << executor.workers() << " workers, " << callers.name);
            for (const std::size_t each : {1UL, 64UL}) {
                job done = expected;
                const options how{.partition = contiguous{.rows_per_shard = each}};
                REQUIRE(kept_by(callers, [&] { done = infer(executor, delicate, numbers, how); }));
                REQUIRE(done.failures.empty());
                REQUIRE(same_bits(done.answers, expected.answers));
            }
        });
    }
}

TEST_CASE("LeNet-5 gives the same bits under every setting, also when it was loaded under one", "[isa]") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    const graph plain = networks::lenet5();
    tensor rows = networks::noise(20);
    for (std::size_t i = 0; i < 10 * 784; ++i) rows.as<float>().flat()[i] *= 1e-38F;  // something to flush
    const job expected = infer(serial_executor(), plain, rows);
    for (const setting& callers : settings) {
        INFO(callers.name);
        std::unique_ptr<graph> loaded;
        REQUIRE(kept_by(callers, [&] { loaded = std::make_unique<graph>(networks::lenet5()); }));
        REQUIRE(same_bits(infer(serial_executor(), *loaded, rows).answers, expected.answers));
        with_executors(callers, [&](const auto& executor) {
            job done = expected;
            const options how{.partition = contiguous{.rows_per_shard = 3}};
            REQUIRE(kept_by(callers, [&] { done = infer(executor, *loaded, rows, how); }));
            REQUIRE(done.failures.empty());
            REQUIRE(same_bits(done.answers, expected.answers));
        });
    }
}

TEST_CASE("What a model sets reaches neither another shard nor the caller, also when the model throws") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    const std::span<const float> some(numbers.data(), 60);
    for (const setting& callers : {settings[0], settings[4], settings[9]})
        with_executors(settings[0], [&](const auto& executor) {
            INFO(executor.name() << " with " << executor.workers() << " workers, " << callers.name);
            std::atomic<int> odd{0};
            const auto model = [&](std::span<const float> rows) {
                if (control() != standard || x87_control() != 0x037F) ++odd;
                std::vector<float> out(rows.begin(), rows.end());
                const auto row = static_cast<std::size_t>(rows.data() - numbers.data());
                const setting& own = settings[row % std::size(settings)];
                set(own.mxcsr, own.x87);
                if (row % 4 == 0) throw std::runtime_error("with settings of its own");
                return out;
            };
            job done = infer(serial_executor(), delicate, numbers);
            REQUIRE(kept_by(callers, [&] {
                done = infer(executor, model, some, {.partition = contiguous{.rows_per_shard = 1}});
            }));
            REQUIRE(odd == 0);
            REQUIRE(done.failed_rows() == 15);
        });
}

TEST_CASE("The caller's setting is there again when infer throws") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    struct without_answers {
        [[nodiscard]] std::vector<tensor_type> answers(const batch&) const { throw std::runtime_error("no answers"); }
        [[nodiscard]] std::size_t workspace_bytes(std::size_t) const { return 0; }
        void operator()(const batch_view&, const mutable_batch_view&, workspace&) const {}
    };
    struct without_plan {
        plan operator()(const workload&) const { throw std::runtime_error("no plan"); }
    };
    struct watching {
        void operator()(const event&) const { throw std::runtime_error("no events"); }
    };
    const watching watcher;
    for (const setting& callers : settings)
        with_executors(callers, [&](const auto& executor) {
            INFO(executor.name() << " with " << executor.workers() << " workers, " << callers.name);
            const auto throws = [&](const std::string& text, auto&& call) {
                CHECK(kept_by(callers, [&] {
                    const std::string thrown = text_of(call);
                    if (thrown != text) throw std::runtime_error("threw '" + thrown + "'");
                }));
            };
            throws("no answers", [&] { (void)infer(executor, without_answers(), numbers); });
            throws("no plan", [&] { (void)infer(executor, delicate, numbers, {.partition = without_plan()}); });
            throws("no events", [&] { (void)infer(executor, delicate, numbers, {.on_event = watcher}); });
        });
}

TEST_CASE("Constants are folded under the standard environment") {
    const tensor ones = tensor::of<float>({1, 1}, {1.0F});
    for (const setting& callers : settings) {
        INFO(callers.name);
        std::unique_ptr<graph> built;
        REQUIRE(kept_by(callers, [&] { built = std::make_unique<graph>(networks::folded_third()); }));
        CHECK(infer(serial_executor(), *built, ones).answers.as<float>()(0, 0) == 1.0F / 3.0F);
    }
}
#endif
