// SPDX-License-Identifier: MIT
#include <fanfold/infer/pending.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;

namespace {

pending<int> pending_of(const std::shared_ptr<detail::promise<int>>& promise) { return pending<int>(promise); }

}  // namespace

TEST_CASE("then is called once, whether the result was there before or comes after") {
    for (const bool before : {true, false}) {
        const auto promise = std::make_shared<detail::promise<int>>();
        int called = 0;
        if (before) promise->finish(20);
        pending<std::string> text =
            pending_of(promise).then([&](int x) { return ++called, 2 * x + 2; }).then([](int x) {
                return std::to_string(x);
            });
        CHECK(text.ready() == before);
        if (!before) promise->finish(20);
        CHECK(text.get() == "42");
        CHECK(called == 1);
    }
}

TEST_CASE("What fails passes by every then and is thrown at the end") {
    const auto promise = std::make_shared<detail::promise<int>>();
    int called = 0;
    pending<std::monostate> end =
        pending_of(promise).then([&](int x) { return x + ++called; }).then([&](int) { ++called; });
    promise->fail(std::make_exception_ptr(std::runtime_error("lost")));
    CHECK(text_of([&] { end.get(); }) == "lost");
    CHECK(called == 0);
}

TEST_CASE("A pending that goes is not told any more, one that is detached is") {
    const auto gone = std::make_shared<detail::promise<int>>();
    int called = 0;
    {
        const auto dropped = pending_of(gone).then([&](int) { ++called; });
    }
    gone->finish(1);
    CHECK(called == 0);
    CHECK(gone.use_count() == 1);  // nothing is kept
    const auto kept = std::make_shared<detail::promise<int>>();
    pending_of(kept).then([&](int) { ++called; }).detach();
    kept->finish(1);
    CHECK(called == 1);
    CHECK(kept.use_count() == 1);
}

TEST_CASE("Who waits is woken by another thread") {
    for (int round = 0; round < 200; ++round) {
        const auto promise = std::make_shared<detail::promise<int>>();
        pending<int> result = pending_of(promise);
        std::jthread other([&] { promise->finish(round); });
        CHECK(result.get() == round);
    }
}
