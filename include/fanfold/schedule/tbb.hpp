// fanfold/schedule/tbb.hpp - workers of oneTBB, in an arena of our own or in the caller's.
// SPDX-License-Identifier: MIT
#pragma once
#include <pthread.h>                      // pthread_atfork
#include <tbb/cache_aligned_allocator.h>  // tbb::cache_aligned_allocator
#include <tbb/global_control.h>           // tbb::global_control
#include <tbb/task_arena.h>               // tbb::task_arena
#include <tbb/task_group.h>               // tbb::task_group

#include <algorithm>    // std::min
#include <atomic>       // std::atomic
#include <cstddef>      // std::size_t
#include <list>         // std::list
#include <memory>       // std::shared_ptr
#include <mutex>        // std::mutex
#include <stdexcept>    // std::runtime_error
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../context/floating_point.hpp"
#include "../placement/affinity.hpp"
#include "../placement/places.hpp"
#include "../placement/workspaces.hpp"
#include "entrance.hpp"
#include "executor.hpp"
#include "task.hpp"
#include "tile_crew.hpp"

namespace fanfold::inline FANFOLD_ABI {

struct tbb_options {
    std::size_t workers = 0;  ///< the caller included; 0: the CPUs that this process may use
    pinning pin = pinning::nodes;
};

namespace detail {

/// oneTBB does not survive fork(): the child has none of its threads, and locks that one of them held stay locked. Most
/// jobs in a child then run on the calling thread alone, about one in a hundred hangs; so none is begun.
class fork_watch {
public:
    /// Called before TBB is first used; fork() from then on is noticed in the child.
    static void begin() {
        static const int registered = pthread_atfork(nullptr, nullptr, [] { forked_.store(true); });
        static_cast<void>(registered);
    }
    [[nodiscard]] static bool forked() noexcept { return forked_.load(std::memory_order_relaxed); }
    static void check() {
        if (forked())
            throw std::runtime_error(
                "tbb_executor: this process was forked from one that had made a tbb_executor, and TBB's threads are "
                "not in it; fork before the first tbb_executor is made, or use a threads_executor after the fork");
    }

private:
    static inline std::atomic<bool> forked_{false};
};

/// Arenas of our own, one for each NUMA node that has workers. Those that came along in a fork are left alone: ending
/// them may hang, too.
class own_arenas {
public:
    own_arenas() = default;
    ~own_arenas() {
        if (fork_watch::forked()) return;
        for (const one& a : all_) delete a.arena;
    }
    own_arenas(const own_arenas&) = delete;
    own_arenas& operator=(const own_arenas&) = delete;

    /// The first has a place for the calling thread.
    template <class = void>
    void add(std::size_t node, std::size_t workers, cpu_list cpus) {
        all_.reserve(all_.size() + 1);
        const unsigned for_callers = all_.empty() ? 1 : 0;
        all_.push_back({new tbb::task_arena(static_cast<int>(workers), for_callers), node, workers, std::move(cpus)});
    }
    struct one {
        tbb::task_arena* arena;
        std::size_t node;
        std::size_t workers;
        cpu_list cpus;  ///< of its node, where there are several
    };
    [[nodiscard]] const std::vector<one>& all() const noexcept { return all_; }

private:
    std::vector<one> all_;
};

/// TBB keeps what it was asked to call for seconds on a busy machine, or until the process ends: what it calls is
/// dropped when the executor goes.
template <class Tasks>
struct handed_to_tbb {
    handed_to_tbb() = default;
    ~handed_to_tbb() {
        if (!fork_watch::forked()) tasks->drop();
    }
    handed_to_tbb(const handed_to_tbb&) = delete;
    handed_to_tbb& operator=(const handed_to_tbb&) = delete;

    // In TBB's memory, as what refers to it: leak checkers see neither.
    std::shared_ptr<Tasks> tasks = std::allocate_shared<Tasks>(tbb::cache_aligned_allocator<Tasks>());
};

}  // namespace detail

/// The calling thread is worker 0 and takes part; the others are tasks, each with a worker number and a workspace of
/// its own, so a thread that picks up a second task while it waits in a first one shares nothing with itself.
/// Where no claim is ready the tasks end and their threads are free for other work; the calling thread waits for the
/// next claim, or, while it is busy, one task does in its place. Operations that split themselves into tiles start
/// tasks that help; while an operation waits for them its thread takes nothing else up.
/// On a machine of several NUMA nodes there is an arena for each, workers keep to their node's CPUs during a job, the
/// calling thread too, and use memory that was first touched there; tiles are shared within a node.
///
/// errors   more workers than tbb::global_control allows are not asked for: workers() tells how many there are. In the
///          child of a fork(), if any tbb_executor was made before it, making one and running a job throw
///          std::runtime_error; destroying one is safe. Other uses of TBB before a fork are not noticed
class tbb_executor {
public:
    template <class = void>
    explicit tbb_executor(tbb_options options = {}) : tbb_executor(options, detail::machine_for(options.pin)) {}
    /// As if on `machine`: an arena for each of its nodes that has workers.
    template <class = void>
    tbb_executor(const tbb_options& options, const topology& machine)
        : workers_(allowed(options.workers != 0 ? options.workers : machine.usable_cpus())),
          places_(worker_places(machine, workers_, options.pin)) {
        for (std::size_t first = 0, last = 0; first < workers_; first = last) {
            const std::size_t node = places_[first].node;
            while (last < workers_ && places_[last].node == node) ++last;
            own_.add(node, last - first, machine.nodes.size() > 1 ? machine.nodes[node] : cpu_list());
        }
        arena_ = own_.all().front().arena;
        busy_ = std::make_shared<std::vector<std::atomic<std::size_t>>>(own_.all().size());
    }
    /// Runs in the caller's arena, which must outlive this executor.
    template <class = void>
    explicit tbb_executor(tbb::task_arena& arena)
        : workers_(allowed(static_cast<std::size_t>(arena.max_concurrency()))), arena_(&arena) {}

    [[nodiscard]] std::size_t workers() const noexcept { return workers_; }
    [[nodiscard]] static std::string_view name() noexcept { return "tbb"; }
    [[nodiscard]] static claim_order order() noexcept { return claim_order::own_share_first; }

    template <class Later = void>
    void run(const work& job) const {
        detail::fork_watch::check();
        detail::basic_run_state<Later> state(job);
        const detail::basic_stop_bell<Later> waker(state);
        arena_->execute([&] { team<Later>(*this, state).run(); });
        state.rethrow();
    }

    /// Runs `what` on a thread of the arena. TBB itself has no thread for one of an arena's places, the caller's: in an
    /// arena of our own, a thread that is started for it takes that place.
    template <class Later = void>
    void post(task what) const {
        detail::fork_watch::check();
        if (!own_.all().empty() && (workers_ == 1 || !in_callers_place_->exchange(true))) {
            const auto there = std::make_shared<placed<Later>>(
                placed<Later>{std::move(what), arena_, in_callers_place_, own_.all().front().cpus});
            callers_place_.post({there, [](void* self) { static_cast<placed<Later>*>(self)->run(); }});
            return;
        }
        if (own_.all().size() > 1) return post_to_a_node(std::move(what));
        posted_.tasks->add(std::move(what));
        arena_->enqueue([of = posted_.tasks] { of->run_one(); });
    }
    [[nodiscard]] workspace_store& spaces() const noexcept { return spaces_; }

private:
    template <class = void>
    static std::size_t allowed(std::size_t wanted) {
        detail::fork_watch::begin();
        detail::fork_watch::check();
        return std::min(wanted, tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism));
    }

    /// To the node with the fewest tasks for its workers.
    template <class = void>
    void post_to_a_node(task what) const {
        const auto free_places = [&](std::size_t k) {
            const std::size_t places = own_.all()[k].workers - (k == 0 ? 1 : 0);  // the caller's has a thread of ours
            return static_cast<std::ptrdiff_t>(places) - static_cast<std::ptrdiff_t>((*busy_)[k].load());
        };
        std::size_t most = 0;
        for (std::size_t k = 1; k < own_.all().size(); ++k)
            if (free_places(k) > free_places(most)) most = k;
        ++(*busy_)[most];
        posted_.tasks->add(std::move(what));
        own_.all()[most].arena->enqueue([of = posted_.tasks, busy = busy_, most, cpus = own_.all()[most].cpus] {
            {
                const affinity_scope kept(cpus);
                of->run_one();
            }
            --(*busy)[most];
        });
    }

    template <class = void>
    struct placed {
        task what;
        tbb::task_arena* arena = nullptr;
        std::shared_ptr<std::atomic<bool>> taken;
        cpu_list cpus;
        void run() const {
            const affinity_scope kept(cpus);
            arena->execute([this] { what(); });
            taken->store(false);
        }
    };

    /// The workers of one job.
    template <class = void>
    class team {
    public:
        team(const tbb_executor& executor, detail::run_state& state)
            : executor_(executor),
              state_(state),
              idle_(std::min(executor.workers_, std::max<std::size_t>(state.job().parallelism, 1)), true),
              first_(*this, *executor.arena_,
                     executor.own_.all().empty() ? executor.workers_ : executor.own_.all()[0].workers,
                     executor.own_.all().empty() ? executor.anywhere_.cpus : executor.own_.all()[0].cpus) {
            for (std::size_t k = 1; k < executor.own_.all().size(); ++k)
                others_.emplace_back(*this, *executor.own_.all()[k].arena, executor.own_.all()[k].workers,
                                     executor.own_.all()[k].cpus);
            if (state.tile_width(executor.workers_) > 1 || !others_.empty())
                entrance_ = std::allocate_shared<detail::entrance>(tbb::cache_aligned_allocator<detail::entrance>());
        }

        void run() {
            side_of(0).crew.join();
            state_.guard([&] { call_idle(); });
            run_task(0);
            tasks_.wait();
            if (entrance_ != nullptr) entrance_->close();
        }

    private:
        /// Starts a task for every worker that has none.
        void call_idle() {
            const std::lock_guard lock(mutex_);
            for (std::size_t worker = 1; worker < idle_.size(); ++worker) {
                if (!idle_[worker]) continue;
                idle_[worker] = false;
                side& here = side_of(worker);
                here.crew.join();
                if (!others_.empty())
                    send(here.arena, [this, worker] { run_task(worker); });
                else
                    tasks_.run([this, worker] { run_task(worker); });
            }
        }
        void run_task(std::size_t worker) {
            side& here = side_of(worker);
            state_.guard([&] { take_part(worker); });
            here.crew.leave();
        }

        /// In the arena's own time: its threads may be waiting themselves.
        template <class Part>
        void send(tbb::task_arena& arena, Part part) {
            arena.enqueue([there = entrance_, part] {
                if (!there->enter()) return;
                part();
                there->leave();
            });
        }

        /// The workers of one arena, who share operations.
        struct side {
            side(team& job, tbb::task_arena& where, std::size_t workers, const cpu_list& kept_to)
                : of(job),
                  arena(where),
                  cpus(kept_to),
                  crew(*this, job.state_, std::min(workers, job.state_.tile_width(job.executor_.workers_)), workers) {}

            void call(std::size_t missing) {
                for (; missing != 0; --missing) {
                    crew.expect();
                    try {
                        of.send(arena, [this] {
                            const affinity_scope kept(cpus);
                            crew.attend();
                        });
                    } catch (...) {  // then with those that could be called
                        crew.expect_no_more();
                        return;
                    }
                }
            }
            template <class F>
            static void apart(const F& tiles) {
                tbb::this_task_arena::isolate([&] { tiles(); });
            }

            team& of;
            tbb::task_arena& arena;
            const cpu_list& cpus;
            detail::tile_crew<side> crew;
        };
        side& side_of(std::size_t worker) {
            std::size_t k = 0;
            for (side& other : others_)
                if (executor_.own_.all()[++k].node == executor_.places_[worker].node) return other;
            return first_;
        }

        /// What this worker may not take may be for one that has left.
        void call_for(const next_claim& last) {
            const auto* until = std::get_if<wait_until>(&last);
            if (until != nullptr && until->for_others) call_idle();
        }

        /// Runs claims; returns when the job has finished or, for a task, when somebody else watches for claims.
        void take_part(std::size_t worker) {
            const worker_place& place = executor_.place_of(worker);
            const affinity_scope kept(place.cpus);
            const workspace_store::loan space = executor_.spaces_.lend(state_.job().workspace_bytes, place.node);
            state_.equip(*space);
            const tile_loop shared = side_of(worker).crew.loop();
            if (shared.width() > 1) (*space).tiles = shared;
            next_claim last = state_.drain(state_.ask(worker), worker, *space);
            while (!std::holds_alternative<finished>(last)) {
                call_for(last);
                if (!start_watch(worker)) return;
                const next_claim next = watch(worker);
                if (std::holds_alternative<claim>(next)) call_idle();  // there may be more where this came from
                last = state_.drain(next, worker, *space);
            }
            state_.bell().ring();
        }

        /// While a worker is idle, somebody watches. The calling thread cannot leave, so it relieves a task that does.
        bool start_watch(std::size_t worker) {
            {
                const std::lock_guard lock(mutex_);
                if (worker != 0 && watchers_ != 0) {
                    idle_[worker] = true;
                    return false;
                }
                if (++watchers_ == 1) return true;
            }
            state_.bell().ring();
            return true;
        }

        next_claim watch(std::size_t worker) {
            detail::doorbell::sleeper here(state_.bell());
            next_claim next = state_.ask(worker);
            if (const auto* until = std::get_if<wait_until>(&next)) {
                call_for(next);
                side_of(worker).crew.rest([&] { here.sleep(until->when); });
                next = state_.ask(worker);
            }
            const std::lock_guard lock(mutex_);
            --watchers_;
            return next;
        }

        const tbb_executor& executor_;
        detail::run_state& state_;
        std::mutex mutex_;
        std::vector<bool> idle_;  ///< by worker: it has no task
        std::size_t watchers_ = 0;
        tbb::task_group tasks_;
        std::shared_ptr<detail::entrance> entrance_;
        side first_;
        std::list<side> others_;  ///< of other NUMA nodes
    };

    [[nodiscard]] const worker_place& place_of(std::size_t worker) const noexcept {
        return worker < places_.size() ? places_[worker] : anywhere_;
    }

    std::size_t workers_;
    std::vector<worker_place> places_;  // none in a caller's arena
    worker_place anywhere_;
    detail::own_arenas own_;
    tbb::task_arena* arena_ = nullptr;
    std::shared_ptr<std::vector<std::atomic<std::size_t>>> busy_;  // tasks posted to each of our arenas
    mutable workspace_store spaces_;
    detail::handed_to_tbb<detail::posted_tasks> posted_;
    std::shared_ptr<std::atomic<bool>> in_callers_place_ = std::make_shared<std::atomic<bool>>(false);
    mutable detail::task_threads callers_place_{1};
};

}  // namespace fanfold::inline FANFOLD_ABI
