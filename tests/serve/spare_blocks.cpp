// Memory of requests, taken and given back.
// SPDX-License-Identifier: MIT
#include <fanfold/serve/spare_blocks.hpp>

#include <cstring>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("A block that was given back is taken again, and nobody has it twice") {
    detail::spare_blocks blocks;
    void* const a = blocks.take(64);
    void* const b = blocks.take(64);
    CHECK(a != b);
    blocks.give(a, 64);
    CHECK(blocks.take(64) == a);
    blocks.give(a, 64);
    blocks.give(b, 64);
    void* const c = blocks.take(64);
    void* const d = blocks.take(64);
    CHECK(((c == a && d == b) || (c == b && d == a)));
    void* const e = blocks.take(64);
    CHECK(e != a);
    CHECK(e != b);
    for (void* const block : {c, d, e}) blocks.give(block, 64);
}

TEST_CASE("Blocks that some threads take and others give back hold what was written to them") {
    detail::spare_blocks blocks;
    constexpr int each = 3000;
    std::vector<std::jthread> threads;
    for (int me = 0; me < 4; ++me)
        threads.emplace_back([&, me] {
            std::vector<unsigned char*> mine;
            for (int i = 0; i < each; ++i) {
                auto* const block = static_cast<unsigned char*>(blocks.take(100));
                std::memset(block, me, 100);
                mine.push_back(block);
                if (mine.size() < 5) continue;
                for (unsigned char* const old : mine) {
                    bool same = true;
                    for (int k = 0; k < 100; ++k) same = same && old[k] == me;
                    if (!same) std::terminate();
                    blocks.give(old, 100);
                }
                mine.clear();
            }
            for (unsigned char* const old : mine) blocks.give(old, 100);
        });
}

TEST_CASE("Objects of shared pointers come from blocks that outlive whoever made them") {
    auto blocks = std::make_shared<detail::spare_blocks>();
    std::shared_ptr<int> kept = std::allocate_shared<int>(detail::from_spare_blocks<int>(blocks), 7);
    const int* const where = kept.get();
    kept.reset();
    kept = std::allocate_shared<int>(detail::from_spare_blocks<int>(blocks), 8);
    CHECK(kept.get() == where);
    blocks.reset();
    CHECK(*kept == 8);
}
