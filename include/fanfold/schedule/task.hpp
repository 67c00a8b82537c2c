// fanfold/schedule/task.hpp - something to be run later on a worker of an executor; threads for those without a pool.
// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>              // std::atomic
#include <condition_variable>  // std::condition_variable
#include <cstddef>             // std::size_t
#include <exception>           // std::exception
#include <memory>              // std::shared_ptr
#include <mutex>               // std::mutex
#include <thread>              // std::jthread
#include <utility>             // std::move
#include <vector>              // std::vector

#include "../placement/workspaces.hpp"
#include "entrance.hpp"
#include "executor.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Called once, or never: an executor that goes drops those that have not begun. Must not throw.
struct task {
    std::shared_ptr<void> self;
    void (*run)(void* self) = nullptr;

    void operator()() const { run(self.get()); }
};

/// An executor that also takes work without waiting for it.
///   post(task)   runs it some time on one of at most `workers()` threads, the caller's not among them
///   spaces()     workspaces that are kept between jobs
template <class E>
concept posting_executor = executor<E> && requires(const E& e, task t) {
    e.post(std::move(t));
    { e.spaces() } -> std::same_as<workspace_store&>;
};

namespace detail {

/// Tasks that have not begun, the first first. With a lock around it.
template <class Task>
class basic_task_queue {
public:
    [[nodiscard]] std::size_t size() const noexcept { return tasks_.size() - first_; }
    void push(Task what) {
        if (first_ > tasks_.size() / 2) {
            tasks_.erase(tasks_.begin(), tasks_.begin() + static_cast<std::ptrdiff_t>(first_));
            first_ = 0;
        }
        tasks_.push_back(std::move(what));
    }
    /// There must be one.
    [[nodiscard]] Task pop() { return std::move(tasks_[first_++]); }

private:
    std::vector<Task> tasks_;  // those from first_ on
    std::size_t first_ = 0;
};
using task_queue = basic_task_queue<task>;

/// Tasks of an executor that can only ask somebody else to call, once for each of them.
///
/// threads  all members from several at once
template <class Queue>
class basic_posted_tasks {
public:
    void add(task what) {
        const std::lock_guard lock(mutex_);
        tasks_.push(std::move(what));
    }
    void run_one() {
        task next;
        {
            const std::lock_guard lock(mutex_);
            if (tasks_.size() == 0) return;
            next = tasks_.pop();
        }
        next();
    }
    /// Those that have not begun never will.
    void drop() {
        Queue gone;  // ended without the lock
        const std::lock_guard lock(mutex_);
        std::swap(gone, tasks_);
    }

private:
    std::mutex mutex_;
    Queue tasks_;
};
using posted_tasks = basic_posted_tasks<task_queue>;

/// Threads that run tasks in the order in which they come. Started when first needed, they sleep without tasks.
///
/// errors   with fewer threads than asked for when the system gives no more; `post` throws when there is none at all
/// threads  `post` from any number at once; the destructor waits for tasks that have begun and drops the others
template <class Thread>
class basic_task_threads {
public:
    explicit basic_task_threads(std::size_t most) : most_(most) {}
    ~basic_task_threads() {
        {
            const std::lock_guard lock(mutex_);
            ended_ = true;
        }
        come_.notify_all();
        threads_.clear();  // joins
    }
    basic_task_threads(const basic_task_threads&) = delete;
    basic_task_threads& operator=(const basic_task_threads&) = delete;

    void post(task what) {
        {
            const std::lock_guard lock(mutex_);
            if (waiting_ <= tasks_.size() && threads_.size() < most_) try {
                    threads_.emplace_back([this] { work(); });
                } catch (const std::exception&) {
                    if (threads_.empty()) throw;
                }
            tasks_.push(std::move(what));
        }
        come_.notify_one();
    }

private:
    void work() {
        std::unique_lock lock(mutex_);
        while (true) {
            ++waiting_;
            come_.wait(lock, [this] { return ended_ || tasks_.size() != 0; });
            --waiting_;
            if (ended_) return;
            {
                const task next = tasks_.pop();
                lock.unlock();
                next();
            }
            lock.lock();
        }
    }

    std::size_t most_;
    std::mutex mutex_;
    std::condition_variable come_;
    task_queue tasks_;
    std::size_t waiting_ = 0;
    bool ended_ = false;
    std::vector<Thread> threads_;
};
using task_threads = basic_task_threads<std::jthread>;

/// An executor whose workers are tasks of another and the calling thread, which may be a worker of that one: what has
/// not begun when the calling thread is done is not waited for.
template <posting_executor E>
class posted_workers {
public:
    explicit posted_workers(const E& of) : of_(of) {}

    [[nodiscard]] std::size_t workers() const noexcept { return of_.workers(); }
    [[nodiscard]] auto name() const { return of_.name(); }
    [[nodiscard]] static claim_order order() noexcept { return claim_order::shared; }

    void run(const work& job) const {
        run_state state(job);
        const stop_bell waker(state);
        const auto helping = std::make_shared<crew>(of_, state);
        for (std::size_t worker = 1; worker < std::min(of_.workers(), job.parallelism); ++worker)
            of_.post({helping, [](void* self) { static_cast<crew*>(self)->help(); }});
        helping->take_part(0);
        helping->leave();
        state.rethrow();
    }

private:
    class crew {
    public:
        crew(const E& of, run_state& state) : of_(of), state_(state) {}

        void take_part(std::size_t worker) {
            state_.guard([&] {
                const workspace_store::loan space = of_.spaces().lend(state_.job().workspace_bytes);
                state_.equip(*space);
                state_.work_to_the_end(worker, *space);
            });
        }
        void help() {
            if (!entrance_.enter()) return;
            take_part(++workers_);
            entrance_.leave();
        }
        /// By the calling thread: what `state` and `of` refer to may go after this.
        void leave() { entrance_.close(); }

    private:
        const E& of_;
        run_state& state_;
        entrance entrance_;
        std::atomic<std::size_t> workers_{0};
    };

    const E& of_;
};

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
