// fanfold/schedule/simulated.hpp - an executor on a virtual clock: any number of workers, no waiting, replayed by seed.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::push_heap, std::min
#include <atomic>       // std::atomic
#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <stdexcept>    // std::logic_error
#include <string_view>  // std::string_view
#include <utility>      // std::move, std::swap
#include <vector>       // std::vector

#include "../context/random.hpp"
#include "../placement/workspaces.hpp"
#include "executor.hpp"

namespace fanfold::inline FANFOLD_ABI {

struct simulated_options {
    std::size_t workers = 2;
    std::uint64_t seed = 1;  ///< decides who comes first of those that are ready at the same time
    claim_order order = claim_order::shared;
};

/// Runs the claims of any source, attempts included, on the calling thread; `cost(claim, worker)` says how long each
/// takes. Time passes from one event to the next: what an attempt reads from `time()` is the moment at which it ends,
/// and what it writes is there from then on.
///
/// example  simulated_executor cluster({.workers = 64}, [&](const claim& c, std::size_t) { return cost_of[c.shard]; });
///          infer(cluster, model, rows, {.deadline = cluster.time().now() + 5ms});
/// cost     about 100 ns a claim and what the attempt takes; workers that wait are asked after every attempt
/// errors   throws std::logic_error when all workers wait for an attempt to end and none runs, unless a stop or the
///          job's bell may end it
/// threads  jobs may run at once or nested; time() then shows the time of whichever moved last
template <class Cost>
class simulated_executor {
public:
    simulated_executor(simulated_options options, Cost cost) : options_(options), cost_(std::move(cost)) {}

    [[nodiscard]] std::size_t workers() const noexcept { return std::max<std::size_t>(options_.workers, 1); }
    [[nodiscard]] static std::string_view name() noexcept { return "simulated"; }
    [[nodiscard]] claim_order order() const noexcept { return options_.order; }
    /// The virtual clock; it goes on from job to job. Refers to this executor.
    [[nodiscard]] fanfold::clock time() const noexcept {
        return {[](const void* self) { return static_cast<const simulated_executor*>(self)->shown_.load(); }, this};
    }

    /// Whose attempt it is that runs, for models that behave by worker.
    [[nodiscard]] std::size_t worker() const noexcept { return worker_.load(); }

    void run(const work& job) const { simulation(*this, job).run(); }

private:
    struct ending {
        time_point when;
        std::uint64_t tie = 0;
        attempt what;
        [[nodiscard]] friend bool operator<(const ending& a, const ending& b) {  // the soonest is on top of a heap
            return a.when != b.when ? a.when > b.when : a.tie > b.tie;
        }
    };
    struct sleeper {
        std::size_t worker = 0;
        time_point until;
    };

    class simulation {
    public:
        simulation(const simulated_executor& executor, const work& job)
            : executor_(executor),
              job_(job),
              state_(job),
              waker_(state_),
              random_(executor.options_.seed),
              now_(executor.shown_.load()),
              space_(executor.spaces_.lend(job.workspace_bytes)) {
            state_.equip(*space_);
            const std::size_t useful = std::min(executor.workers(), std::max<std::size_t>(job.parallelism, 1));
            for (std::size_t worker = 0; worker < useful; ++worker) asleep_.push_back({worker, now_});
        }

        void run() {
            for (wake(); !asleep_.empty() || !running_.empty(); wake()) {
                if (!running_.empty() && running_.front().when <= soonest_) {
                    end_one();
                } else if (soonest_ != time_point::max()) {
                    move_to(soonest_);
                } else {
                    wait_for_others();
                }
            }
        }

    private:
        void move_to(time_point when) {
            now_ = when;
            executor_.shown_.store(when);
        }

        /// Asks for all whose time has come.
        void wake() {
            for (std::size_t left = asleep_.size(); left > 1; --left)
                std::swap(asleep_[left - 1], asleep_[random_.below(left)]);
            soonest_ = time_point::max();
            std::size_t kept = 0;
            for (sleeper one : asleep_) {
                if (one.until <= now_) {
                    const next_claim next = job_.next(one.worker, now_);
                    if (std::holds_alternative<finished>(next)) continue;
                    if (const auto* what = std::get_if<claim>(&next)) {
                        start(*what, one.worker);
                        continue;
                    }
                    one.until = std::max(std::get<wait_until>(next).when, now_ + duration(1));
                }
                soonest_ = std::min(soonest_, one.until);
                asleep_[kept++] = one;
            }
            asleep_.resize(kept);
        }

        void start(const claim& what, std::size_t worker) {
            const time_point when = now_ + std::max<duration>(executor_.cost_(what, worker), duration(0));
            running_.push_back({when, random_(), {what, worker, now_, when}});
            std::push_heap(running_.begin(), running_.end());
        }

        void end_one() {
            std::pop_heap(running_.begin(), running_.end());
            const attempt ended = running_.back().what;
            running_.pop_back();
            move_to(ended.ended);
            executor_.worker_.store(ended.worker);
            job_.done(ended, job_.run_attempt(ended.what, *space_));
            executor_.shown_.store(now_);  // if a job within moved it
            call_all();
            asleep_.push_back({ended.worker, now_});
        }

        /// Only another thread can make claims ready: here alone real time passes.
        void wait_for_others() {
            if (job_.bell == nullptr && !job_.stop.token().stop_possible())
                throw std::logic_error(
                    "simulated_executor: all workers wait for an attempt to end, and none is running");
            detail::doorbell::sleeper here(state_.bell());
            call_all();
            wake();
            if (!running_.empty() || asleep_.empty() || soonest_ != time_point::max()) return;
            here.sleep(time_point::max());
            call_all();
        }

        void call_all() noexcept {
            for (sleeper& one : asleep_) one.until = now_;
        }

        const simulated_executor& executor_;
        const work& job_;
        detail::run_state state_;
        detail::stop_bell waker_;
        random_bits random_;
        time_point now_;
        time_point soonest_ = time_point::max();  ///< at which a sleeper wakes
        workspace_store::loan space_;             ///< one is enough: attempts do not overlap here
        std::vector<ending> running_;
        std::vector<sleeper> asleep_;
    };

    simulated_options options_;
    Cost cost_;
    mutable workspace_store spaces_;
    mutable std::atomic<std::size_t> worker_{0};
    mutable std::atomic<time_point> shown_{time_point(std::chrono::hours(1))};
};

}  // namespace fanfold::inline FANFOLD_ABI
