// fanfold/serve/staff.hpp - the threads around a server's queue: workers that are called for, one that keeps the time,
// and the way back to who asked. What they do is the server's; how they come, wait and leave is written here.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>           // std::max
#include <condition_variable>  // std::condition_variable
#include <cstddef>             // std::size_t
#include <memory>              // std::shared_ptr
#include <mutex>               // std::mutex
#include <optional>            // std::optional
#include <stop_token>          // std::stop_source
#include <utility>             // std::move
#include <vector>              // std::vector

#include "../context/stop.hpp"
#include "../context/tile_loop.hpp"
#include "../infer/pending.hpp"
#include "../placement/workspaces.hpp"
#include "request.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// What a request is waited for and called off by. `Asked` has a `core` whose cancel(asked) says whether the reply is
/// still to come.
template <class Asked>
struct reply_line {
    explicit reply_line(Asked& request)
        : of(request), there(nullptr, [](void* self) { return cancel(*static_cast<Asked*>(self)); }, &request) {}

    /// Calls the request off when the token is set: at once, where it is.
    void heed(const std::stop_token& token) {
        if (token.stop_possible()) stop.emplace(token, canceller{&of});
    }
    static bool cancel(Asked& of) { return of.core->cancel(of); }
    struct canceller {
        Asked* of;
        void operator()() const { static_cast<void>(cancel(*of)); }
    };

    Asked& of;
    promise<reply> there;
    std::optional<std::stop_callback<canceller>> stop;
};

/// What is left to do after the lock is given back.
template <class Gone>
struct errands {
    std::vector<Gone> gone;  ///< their reply is due
    std::size_t posts = 0;                     ///< workers to call
    bool earlier = false;                      ///< who keeps the time is to look again
};

/// Gives each its reply, make(asked, now); all are there before anybody is told. Without the lock: what comes of a
/// reply may ask again.
template <class Asked, class Make>
void reply_to(std::vector<std::shared_ptr<Asked>>& gone, const Make& make) {
    if (gone.empty()) return;
    const time_point now = std::chrono::steady_clock::now();
    for (const std::shared_ptr<Asked>& who : gone) who->line.there.store(make(*who, now));
    for (const std::shared_ptr<Asked>& who : gone) who->line.there.tell();
    gone.clear();
}

/// threads  members without a lock of their own are called with `mutex` held
template <class>
class basic_staff {
public:
    std::mutex mutex;  ///< the server's own: of its queue, too

    [[nodiscard]] bool closed() const noexcept { return closed_; }
    /// Fewer than `most` workers are called for.
    [[nodiscard]] bool room(std::size_t most) const noexcept { return !closed_ && active_ < most; }
    /// One more is called for from now on.
    void call() noexcept { ++active_; }
    /// One of them found nothing to do and leaves.
    void leave() noexcept { --active_; }
    /// Who keeps the time would wake later than this.
    [[nodiscard]] bool looks_later_than(time_point when) const noexcept { return when < looks_again_; }
    void wake() { time_.notify_one(); }

    /// A worker that was called: begin() under the lock, then work(space) without it until that says false. Its
    /// workspace's stop is that of `dismiss`.
    template <class Begin, class Work>
    void attend(workspace_store& spaces, const Begin& begin, const Work& work) {
        {
            const std::lock_guard lock(mutex);
            if (closed_) return;
            ++inside_;
            begin();
        }
        {
            const workspace_store::loan space = spaces.lend(0);
            (*space).stop = stop(stopper_.get_token());
            (*space).tiles = tile_loop((*space).stop);
            while (work(*space)) {
            }
        }
        const std::lock_guard lock(mutex);
        if (--inside_ == 0) idle_.notify_all();
    }

    /// Until the end: look(now) under the lock gives errands, run(errands) does them without it, next() says when there
    /// may be some again. Replies that are due close together are given at once.
    template <class Look, class Run, class Next>
    void keep_time(const Look& look, const Run& run, const Next& next) {
        constexpr duration together = std::chrono::microseconds(500);
        time_point last{};
        std::unique_lock lock(mutex);
        while (!closed_) {
            const time_point now = std::chrono::steady_clock::now();
            auto due = look(now);
            if (due.posts != 0 || !due.gone.empty()) {
                if (!due.gone.empty()) last = now;
                lock.unlock();
                run(due);
                lock.lock();
                continue;
            }
            looks_again_ = std::max(next(), last + together);
            if (looks_again_ == time_point::max())
                time_.wait(lock);
            else
                time_.wait_until(lock, looks_again_);
            looks_again_ = time_point::min();
        }
    }

    /// With the lock held; nobody begins any more.
    void close() noexcept { closed_ = true; }
    /// Without it, after `close`: stops who is at work, tells those who wait by tell(), returns when all have left.
    template <class Tell>
    void dismiss(const Tell& tell) {
        time_.notify_all();
        stopper_.request_stop();
        tell();
        std::unique_lock lock(mutex);
        idle_.wait(lock, [this] { return inside_ == 0; });
    }

private:
    std::stop_source stopper_;
    std::condition_variable time_;  // for who keeps it
    std::condition_variable idle_;
    time_point looks_again_ = time_point::min();  // when who keeps time wakes by itself; min: it is awake
    std::size_t active_ = 0;                      // workers called for
    std::size_t inside_ = 0;                      // of these, begun
    bool closed_ = false;
};
using staff = basic_staff<void>;

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
