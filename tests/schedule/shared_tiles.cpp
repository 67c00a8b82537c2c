// SPDX-License-Identifier: MIT
#include <fanfold/schedule/shared_tiles.hpp>

#include <stdexcept>
#include <thread>
#include <vector>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("tiles are shared by those who take part, each once") {
    std::vector<int> ran(1000, 0);
    const auto body = [&](std::size_t tile, std::size_t) { ++ran[tile]; };
    const stop never;
    detail::shared_tiles tiles(ran.size(), tile_loop::body(body), never);
    {
        const std::jthread other([&] { tiles.take_part(1); });
        tiles.take_part(0);
    }
    CHECK(tiles.exhausted());
    CHECK(ran == std::vector<int>(1000, 1));
    tiles.rethrow();
}

TEST_CASE("after an exception no more tiles are handed out, and it is kept for the caller") {
    std::size_t ran = 0;
    const auto body = [&](std::size_t tile, std::size_t) {
        ++ran;
        if (tile == 7) throw std::runtime_error("tile 7");
    };
    const stop never;
    detail::shared_tiles tiles(100, tile_loop::body(body), never);
    tiles.take_part(0);
    tiles.take_part(1);
    CHECK(ran == 8);
    CHECK(tiles.exhausted());
    CHECK_THROWS_WITH(tiles.rethrow(), "tile 7");
}
