// SPDX-License-Identifier: MIT
#include <fanfold/schedule/tile_crew.hpp>

#include <thread>
#include <vector>

#include "../catch.hpp"

using namespace fanfold;

namespace {

/// Starts threads that attend, as many as it is asked for but at most `most`.
struct host {
    explicit host(std::size_t width, std::size_t most_helpers = SIZE_MAX)
        : crew(*this, state, width, width), most(most_helpers) {}

    void call(std::size_t missing) {
        asked.push_back(missing);
        for (; missing != 0 && helpers.size() < most; --missing) {
            crew.expect();
            helpers.emplace_back([this] { crew.attend(); });
        }
    }
    template <class F>
    void apart(const F& tiles) {
        ++apart_count;
        tiles();
    }

    work job{};
    detail::run_state state{job};
    detail::tile_crew<host> crew;
    std::size_t most;
    std::atomic<std::size_t> apart_count{0};
    std::vector<std::size_t> asked;
    std::vector<std::jthread> helpers;
};

}  // namespace

TEST_CASE("an operation asks for as many as could take part and runs each tile once, whoever comes") {
    for (const std::size_t most : {std::size_t{0}, std::size_t{1}, std::size_t{3}}) {
        host here(4, most);
        std::vector<std::atomic<int>> ran(50);
        std::atomic<std::size_t> highest{0};
        here.crew.loop()(ran.size(), tile_loop::body([&](std::size_t tile, std::size_t slot) {
                             ++ran[tile];
                             std::size_t seen = highest;
                             while (slot > seen && !highest.compare_exchange_weak(seen, slot)) {
                             }
                         }));
        REQUIRE(here.asked.size() == 1);
        CHECK(here.asked[0] == 3);
        CHECK(highest <= most);
        for (const auto& count : ran) CHECK(count == 1);
    }
}

TEST_CASE("no more take part than there are tiles, and each apart from other work") {
    host here(8);
    std::atomic<int> together{0};
    here.crew.loop()(2, [&](std::size_t) {
        ++together;
        while (together < 2) std::this_thread::yield();  // hangs where nobody helps
    });
    REQUIRE(here.asked.size() == 1);
    CHECK(here.asked[0] == 1);
    CHECK(here.apart_count == 2);
}

TEST_CASE("who attends leaves when nothing is shared, and is asked for again") {
    host here(2);
    for (int round = 0; round < 3; ++round) {
        here.helpers.clear();  // waits for those of the round before
        std::atomic<int> together{0};
        here.crew.loop()(2, [&](std::size_t) {
            ++together;
            while (together < 2) std::this_thread::yield();
        });
    }
    CHECK(here.asked.size() == 3);
}

TEST_CASE("an exception of a helper's tile reaches the operation's caller after all have left") {
    host here(3);
    std::atomic<int> inside{0}, together{0};
    const auto run = [&] {
        here.crew.loop()(3, [&](std::size_t tile) {
            ++inside;
            ++together;
            while (together < 3) std::this_thread::yield();
            --inside;
            if (tile == 2) throw std::runtime_error("tile 2");
        });
    };
    CHECK_THROWS_WITH(run(), "tile 2");
    CHECK(inside == 0);
    CHECK_FALSE(here.crew.help());
}

TEST_CASE("workers that have shards are not idle, and those that rest are") {
    host here(2);
    constexpr std::uint64_t much = std::uint64_t{1} << 40;
    const tile_loop tiles = here.crew.loop();
    CHECK(tiles.tiles(much, 1000) == 8);
    here.crew.join();
    here.crew.join();
    CHECK(here.crew.working());
    CHECK(tiles.tiles(much, 1000) == 1);
    here.crew.rest([&] { CHECK(tiles.tiles(much, 1000) == 8); });
    CHECK(tiles.tiles(much, 1000) == 1);
    here.crew.leave();
    here.crew.leave();
    CHECK(tiles.tiles(much, 1000) == 8);
    CHECK_FALSE(here.crew.working());
}
