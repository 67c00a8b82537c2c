// fanfold/infer/pending.hpp - something that will be there: get it, say what happens then, or co_await it.
// SPDX-License-Identifier: MIT
#pragma once
#include <condition_variable>  // std::condition_variable
#include <coroutine>           // std::coroutine_handle
#include <exception>           // std::exception_ptr
#include <memory>              // std::shared_ptr
#include <mutex>               // std::mutex
#include <optional>            // std::optional
#include <stdexcept>           // std::logic_error
#include <type_traits>         // std::invoke_result_t
#include <utility>             // std::move
#include <variant>             // std::monostate

#include "../schedule/task.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Where a result is left by one thread and found by another, once.
template <class T>
class promise {
public:
    promise() = default;
    /// `help` is asked by who is about to wait: it may do the work itself. `abandon` is told when nobody wants the
    /// result any more; true: it will be there soon, and who abandons waits for that.
    promise(void (*helping)(void* of), bool (*abandoning)(void* of), void* of)
        : help_(helping), abandon_(abandoning), of_(of) {}

    void finish(T value) {
        finish([&] { value_.emplace(std::move(value)); });
    }
    void fail(std::exception_ptr error) {
        finish([&] { error_ = std::move(error); });
    }
    /// `finish` in two: of many results at once all are there before anybody is told, so that who waits for one of them
    /// and then for the next is woken once. Who calls both keeps this alive meanwhile.
    void store(T value) {
        const std::lock_guard lock(mutex_);
        value_.emplace(std::move(value));
        done_ = true;
    }
    void tell() {
        task next;
        {
            const std::lock_guard lock(mutex_);
            next = std::move(continuation_);
            continuation_ = {};
        }
        come_.notify_all();
        if (next.run != nullptr) next();
    }

    [[nodiscard]] bool done() const {
        const std::lock_guard lock(mutex_);
        return done_;
    }
    void wait() {
        if (help_ != nullptr && !done()) help_(of_);
        std::unique_lock lock(mutex_);
        come_.wait(lock, [this] { return done_; });
    }
    /// When it is there.
    [[nodiscard]] T take() {
        if (error_ != nullptr) std::rethrow_exception(std::move(error_));  // who takes it frees it
        return *std::move(value_);
    }

    /// False, and nothing is kept, when it is there already.
    [[nodiscard]] bool then(task what) {
        const std::lock_guard lock(mutex_);
        if (done_) return false;
        continuation_ = std::move(what);
        return true;
    }
    void abandon() {
        {
            const std::lock_guard lock(mutex_);
            if (done_) return;
        }
        forget();
        if (abandon_ != nullptr && abandon_(of_)) {
            std::unique_lock lock(mutex_);
            come_.wait(lock, [this] { return done_; });
        }
    }
    void help() {
        if (help_ != nullptr) help_(of_);
    }
    /// For who came by `then` and goes: false when nothing will call it any more.
    [[nodiscard]] bool abandon_source() {
        const bool soon = abandon_ != nullptr && abandon_(of_);
        if (!soon) forget();
        return soon;
    }

private:
    template <class Set>
    void finish(const Set& set) {
        task next;
        {
            const std::lock_guard lock(mutex_);
            set();
            done_ = true;
            next = std::move(continuation_);
            continuation_ = {};
            come_.notify_all();  // under the lock: who waits may end this right after
        }
        if (next.run != nullptr) next();
    }
    void forget() {
        task gone;
        const std::lock_guard lock(mutex_);
        std::swap(gone, continuation_);
    }

    mutable std::mutex mutex_;
    std::condition_variable come_;
    bool done_ = false;
    std::optional<T> value_;
    std::exception_ptr error_;
    task continuation_;
    void (*help_)(void*) = nullptr;
    bool (*abandon_)(void*) = nullptr;
    void* of_ = nullptr;
};

}  // namespace detail

/// A result that is there now or later. Where it comes from says whether it may be destroyed before.
///
///   get()            waits, and gives the result or throws what was thrown
///   then(f)          f(result) is called once, by the thread that has it first; gives f's result as something pending
///   co_await         suspends; resumed by the thread that has the result first
///   detach()         nobody waits any more; what was begun, and `then`, still happen
///
/// threads  one user at a time
template <class T>
class [[nodiscard]] pending {
public:
    explicit pending(std::shared_ptr<detail::promise<T>> state) : state_(std::move(state)) {}
    pending(pending&&) noexcept = default;
    pending& operator=(pending&& other) noexcept {
        if (this == &other) return *this;
        abandon();
        state_ = std::move(other.state_);
        return *this;
    }
    ~pending() { abandon(); }

    [[nodiscard]] bool ready() const { return state().done(); }
    void wait() const { state().wait(); }
    /// Once.
    T get() {
        state().wait();
        const std::shared_ptr<detail::promise<T>> state = std::move(state_);
        return state->take();
    }
    void detach() && noexcept { state_.reset(); }

    template <class F>
    [[nodiscard]] auto then(F f) && {
        using plain = std::invoke_result_t<F&, T>;
        using result = std::conditional_t<std::is_void_v<plain>, std::monostate, plain>;
        const auto next = std::make_shared<chain<result, F>>(std::move(state_), std::move(f));
        pending<result> after(std::shared_ptr<detail::promise<result>>(next, &next->there));
        if (!next->source->then({next, [](void* self) { static_cast<chain<result, F>*>(self)->go_on(); }}))
            next->go_on();
        return after;
    }

    [[nodiscard]] auto operator co_await() && {
        struct awaiter {
            pending source;

            [[nodiscard]] bool await_ready() const { return source.ready(); }
            [[nodiscard]] bool await_suspend(std::coroutine_handle<> waiting) {
                const std::shared_ptr<void> unowned(std::shared_ptr<void>(), waiting.address());
                return source.state().then(
                    {unowned, [](void* self) { std::coroutine_handle<>::from_address(self).resume(); }});
            }
            [[nodiscard]] T await_resume() { return source.get(); }
        };
        return awaiter{std::move(*this)};
    }

private:
    /// Kept alive by what it waits for until that has come.
    template <class Result, class F>
    struct chain {
        chain(std::shared_ptr<detail::promise<T>> from, F what) : source(std::move(from)), f(std::move(what)) {}

        void go_on() {
            std::exception_ptr error;
            try {
                if constexpr (std::is_void_v<std::invoke_result_t<F&, T>>) {
                    f(source->take());
                    there.finish(std::monostate());
                } else {
                    there.finish(f(source->take()));
                }
            } catch (...) {
                error = std::current_exception();
            }
            if (error != nullptr) there.fail(std::move(error));
        }

        std::shared_ptr<detail::promise<T>> source;
        F f;
        detail::promise<Result> there{[](void* self) { static_cast<chain*>(self)->source->help(); },
                                      [](void* self) { return static_cast<chain*>(self)->source->abandon_source(); },
                                      this};
    };

    [[nodiscard]] detail::promise<T>& state() const {
        if (state_ == nullptr) throw std::logic_error("pending: the result has been taken already");
        return *state_;
    }
    void abandon() noexcept {
        if (state_ == nullptr) return;
        state_->abandon();
        state_.reset();
    }

    std::shared_ptr<detail::promise<T>> state_;
};

}  // namespace fanfold::inline FANFOLD_ABI
