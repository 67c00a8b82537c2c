// SPDX-License-Identifier: MIT
#include <fanfold/context/tile_loop.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#include "../catch.hpp"

using namespace fanfold;

namespace {

struct backwards {
    mutable std::vector<std::size_t> counts;

    tile_loop loop(std::size_t width = 3) const {
        return {[](const void* source, std::size_t count, tile_loop::body each) {
                    static_cast<const backwards*>(source)->counts.push_back(count);
                    while (count-- > 0) each(count, count % 3);
                },
                this, width};
    }
};

using tiles = std::vector<std::size_t>;

}  // namespace

TEST_CASE("A tile loop runs every tile once, in order, unless told otherwise") {
    tiles ran;
    tile_loop{}(5, [&](std::size_t tile) { ran.push_back(tile); });
    CHECK(ran == tiles{0, 1, 2, 3, 4});
}

TEST_CASE("A tile loop without tiles calls nothing") {
    const backwards runner;
    int calls = 0;
    tile_loop{}(0, [&](std::size_t) { ++calls; });
    runner.loop()(0, [&](std::size_t) { ++calls; });
    CHECK(calls == 0);
    CHECK(runner.counts.empty());
}

TEST_CASE("A tile loop leaves the tiles to its runner, with their number") {
    const backwards runner;
    tiles ran;
    runner.loop()(4, [&](std::size_t tile) { ran.push_back(tile); });
    CHECK(runner.counts == tiles{4});
    CHECK(ran == tiles{3, 2, 1, 0});
}

TEST_CASE("A single tile runs here, without the runner") {
    const backwards runner;
    tiles ran;
    runner.loop()(1, [&](std::size_t tile) { ran.push_back(tile); });
    CHECK(runner.counts.empty());
    CHECK(ran == tiles{0});
}

TEST_CASE("A tile loop runs inside a tile of another") {
    const backwards runner;
    const tile_loop loop = runner.loop();
    tiles ran;
    loop(2, [&](std::size_t outer) { loop(2, [&](std::size_t inner) { ran.push_back(10 * outer + inner); }); });
    CHECK(ran == tiles{11, 10, 1, 0});
}

TEST_CASE("An exception of a tile reaches the caller, and later tiles do not run") {
    tiles ran;
    const auto fail_at_two = [&](std::size_t tile) {
        if (tile == 2) throw tile;
        ran.push_back(tile);
    };
    REQUIRE_THROWS_AS(tile_loop{}(5, fail_at_two), std::size_t);
    CHECK(ran == tiles{0, 1});
    ran.clear();
    const backwards runner;
    REQUIRE_THROWS_AS(runner.loop()(5, fail_at_two), std::size_t);
    CHECK(ran == tiles{4, 3});
}

TEST_CASE("A tile is told its slot where it asks for it; slots are as many as tiles that run at once") {
    const backwards runner;
    tiles slots(5);
    runner.loop()(5, [&](std::size_t tile, std::size_t slot) { slots[tile] = slot; });
    CHECK(slots == tiles{0, 1, 2, 0, 1});
    tile_loop{}(5, [&](std::size_t tile, std::size_t slot) { slots[tile] = slot; });
    CHECK(slots == tiles{0, 0, 0, 0, 0});
    CHECK(tile_loop{}.width() == 1);
    CHECK(tile_loop{}.slots(5) == 1);
    CHECK(runner.loop().slots(5) == 3);
    CHECK(runner.loop().slots(2) == 2);
}

TEST_CASE("Work is worth tiles of a size, enough of them to keep all workers busy, and one without helpers") {
    const backwards runner;
    constexpr std::uint64_t much = std::uint64_t{1} << 40, one = std::uint64_t{1} << 21;
    CHECK(tile_loop{}.tiles(much, 100) == 1);
    CHECK(runner.loop().tiles(0, 100) == 1);
    CHECK(runner.loop().tiles(2 * one - 1, 100) == 1);
    CHECK(runner.loop().tiles(2 * one, 100) == 2);
    CHECK(runner.loop().tiles(7 * one, 100) == 7);
    CHECK(runner.loop().tiles(7 * one, 5) == 5);
    CHECK(runner.loop().tiles(7 * one, 0) == 1);
    CHECK(runner.loop().tiles(much, 100) == 12);
}

TEST_CASE("While nobody is idle an operation stays whole, or is cut for a stop alone; once somebody is, it is split") {
    const backwards runner;
    std::atomic<std::size_t> idle{0};
    const stop stopping;
    constexpr std::uint64_t work = std::uint64_t{10} << 24;
    const auto run = [](const void* self, std::size_t count, tile_loop::body each) {
        static_cast<const backwards*>(self)->loop()(count, each);
    };
    const tile_loop loop(run, &runner, 3, &idle), polling(run, &runner, 3, &idle, &stopping);
    CHECK(loop.tiles(work, 1000) == 1);
    CHECK(polling.tiles(work, 1000) == 10);
    CHECK(loop.width() == 3);
    CHECK(loop.slots(5) == 3);  // whoever asked before somebody was there has room for them
    idle = 1;
    CHECK(loop.tiles(work, 1000) == 12);
    CHECK(polling.tiles(work, 1000) == 12);
    tiles ran;
    loop(2, [&](std::size_t tile) { ran.push_back(tile); });
    CHECK(ran == tiles{1, 0});
}

TEST_CASE("Ranges cover everything once, with lengths that differ by at most one") {
    const backwards runner;
    for (const std::size_t count : {0UL, 1UL, 2UL, 11UL, 12UL, 13UL, 100UL}) {
        for (const std::uint64_t work : {std::uint64_t{0}, std::uint64_t{1} << 24, std::uint64_t{1} << 40}) {
            std::vector<int> seen(count);
            std::size_t shortest = count, longest = 0;
            runner.loop().ranges(count, work, [&](std::size_t first, std::size_t last) {
                REQUIRE(first < last);
                REQUIRE(last <= count);
                shortest = std::min(shortest, last - first);
                longest = std::max(longest, last - first);
                while (first < last) ++seen[first++];
            });
            CHECK(seen == std::vector<int>(count, 1));
            if (count != 0) CHECK(longest - shortest <= 1);
        }
    }
    tiles ran;
    tile_loop{}.ranges(7, std::uint64_t{1} << 40, [&](std::size_t first, std::size_t last) { ran = {first, last}; });
    CHECK(ran == tiles{0, 7});
}

TEST_CASE("A loop that polls a stop cuts large operations, runs tiles in order, and stops between them") {
    std::stop_source stopper;
    const stop stopping(stopper.get_token());
    const tile_loop loop(stopping);
    CHECK(loop.width() == 1);
    CHECK(loop.tiles(1 << 24, 1000) == 1);
    CHECK(loop.tiles(std::uint64_t{10} << 24, 1000) == 10);
    CHECK(loop.tiles(std::uint64_t{10} << 24, 4) == 4);
    CHECK(tile_loop().tiles(std::uint64_t{10} << 24, 1000) == 1);
    std::vector<std::size_t> ran;
    const auto each = [&](std::size_t tile) {
        ran.push_back(tile);
        if (tile == 2) stopper.request_stop();
    };
    CHECK_THROWS_AS(loop(5, each), stopped_error);
    CHECK(ran == std::vector<std::size_t>{0, 1, 2});
}
