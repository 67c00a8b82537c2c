// SPDX-License-Identifier: MIT
#include <fanfold/context/tile_loop.hpp>

#include <vector>

#include "../catch.hpp"

using namespace fanfold;

namespace {

struct backwards {
    mutable std::vector<std::size_t> counts;

    tile_loop loop() const {
        return {[](const void* source, std::size_t count, tile_loop::body each) {
                    static_cast<const backwards*>(source)->counts.push_back(count);
                    while (count-- > 0) each(count);
                },
                this};
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
