// SPDX-License-Identifier: MIT
#include <fanfold/placement/workspaces.hpp>

#include <optional>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("A workspace that came back is lent again, with its memory") {
    workspace_store store;
    const workspace* first = nullptr;
    {
        const auto loan = store.lend(1000);
        first = &*loan;
        CHECK((*loan).capacity() >= 1000);
    }
    const auto again = store.lend(10);
    CHECK(&*again == first);
    CHECK((*again).capacity() >= 1000);
}

TEST_CASE("Two loans at once are two workspaces") {
    workspace_store store;
    const auto one = store.lend(64);
    const auto two = store.lend(64);
    CHECK(&*one != &*two);
    CHECK((*one).take<float>(4).data() != (*two).take<float>(4).data());
}

TEST_CASE("What a job put into a workspace does not reach the next job") {
    workspace_store store;
    std::stop_source source;
    source.request_stop();
    {
        const auto loan = store.lend(64);
        (*loan).stop = stop(source.get_token());
        CHECK((*loan).stop.reason().has_value());
    }
    CHECK_FALSE((*store.lend(64)).stop.reason().has_value());
}

TEST_CASE("A loan that is moved comes back once") {
    workspace_store store;
    {
        auto loan = store.lend(64);
        const auto moved = std::move(loan);
        (void)moved;
    }
    const auto one = store.lend(64);
    const auto two = store.lend(64);
    CHECK(&*one != &*two);
}
