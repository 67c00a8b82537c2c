// SPDX-License-Identifier: MIT
#include <fanfold/context/workspace.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <stop_token>
#include <utility>
#include <vector>

#include "../catch.hpp"

using namespace fanfold;

namespace {

constexpr std::size_t most = std::numeric_limits<std::size_t>::max();

bool aligned(const void* at) { return reinterpret_cast<std::uintptr_t>(at) % 64 == 0; }

template <class T>
void fill(std::span<T> values, T value) {
    std::fill(values.begin(), values.end(), value);
}

template <class T>
bool holds(std::span<T> values, T value) {
    return std::all_of(values.begin(), values.end(), [&](T v) { return v == value; });
}

}  // namespace

TEST_CASE("A workspace has the room that it was made with") {
    CHECK(workspace{}.capacity() == 0);
    CHECK(workspace(1000).capacity() == 1000);
}

TEST_CASE("What a workspace gives is aligned, as long as asked for, and does not overlap") {
    workspace space(4096);
    const auto bytes = space.take<std::byte>(1);
    const auto floats = space.take<float>(17);
    const auto doubles = space.take<double>(3);
    CHECK(aligned(bytes.data()));
    CHECK(aligned(floats.data()));
    CHECK(aligned(doubles.data()));
    CHECK(floats.size() == 17);
    CHECK(doubles.size() == 3);
    fill(bytes, std::byte{1});
    fill(floats, 2.0F);
    fill(doubles, 3.0);
    CHECK(holds(bytes, std::byte{1}));
    CHECK(holds(floats, 2.0F));
    CHECK(holds(doubles, 3.0));
    CHECK(space.capacity() == 4096);
}

TEST_CASE("What does not fit is aligned and does not overlap either") {
    workspace space(100);
    std::vector<std::span<float>> taken;
    for (std::size_t count = 1; count < 40; ++count) {
        taken.push_back(space.take<float>(count));
        REQUIRE(taken.back().size() == count);
        REQUIRE(aligned(taken.back().data()));
        fill(taken.back(), static_cast<float>(count));
    }
    for (std::size_t count = 1; count < 40; ++count) CHECK(holds(taken[count - 1], static_cast<float>(count)));
}

TEST_CASE("Taking nothing is allowed, with room, without, and after that ran out") {
    workspace space;
    CHECK(space.take<float>(0).empty());
    const auto some = space.take<float>(1);
    CHECK(space.take<float>(0).empty());
    fill(some, 1.0F);
    workspace roomy(64);
    CHECK(roomy.take<float>(0).empty());
    CHECK(roomy.take<float>(16).size() == 16);
}

TEST_CASE("A scope gives back what was taken in it, and only that") {
    workspace space(1024);
    const auto kept = space.take<float>(16);
    fill(kept, 1.0F);
    const float* first = nullptr;
    {
        const workspace::scope scope(space);
        const auto inner = space.take<float>(16);
        first = inner.data();
        CHECK(first != kept.data());
        {
            const workspace::scope nested(space);
            CHECK(space.take<float>(16).data() == first + 16);
        }
        CHECK(space.take<float>(16).data() == first + 16);
        fill(inner, 2.0F);
    }
    CHECK(space.take<float>(16).data() == first);
    CHECK(holds(kept, 1.0F));
}

TEST_CASE("A scope gives back when it is left by an exception") {
    workspace space(256);
    const auto fail = [&] {
        const workspace::scope scope(space);
        fill(space.take<float>(64), 1.0F);
        throw 1;
    };
    REQUIRE_THROWS_AS(fail(), int);
    const workspace::scope scope(space);
    (void)space.take<float>(64);
    CHECK(space.capacity() == 256);
}

TEST_CASE("A workspace that was too small has room for the same again, in one piece") {
    workspace space(64);
    const auto run = [&] {
        const workspace::scope scope(space);
        const auto a = space.take<float>(16), b = space.take<float>(100), c = space.take<float>(1);
        fill(a, 1.0F);
        fill(b, 2.0F);
        fill(c, 3.0F);
        return c.data() - a.data();
    };
    run();
    CHECK(space.capacity() == 64 + 448 + 64);
    CHECK(run() == 16 + 112);
    CHECK(space.capacity() == 64 + 448 + 64);
}

TEST_CASE("A workspace too small within an inner scope has room once the outer one ends") {
    workspace space(64);
    const auto run = [&] {
        const workspace::scope outer(space);
        (void)space.take<float>(16);
        const workspace::scope inner(space);
        fill(space.take<float>(100), 1.0F);
    };
    run();
    CHECK(space.capacity() == 64 + 448);
    run();
    CHECK(space.capacity() == 64 + 448);
}

TEST_CASE("A workspace grows to what was taken at once, not to what was taken in turn") {
    workspace space(64);
    {
        const workspace::scope outer(space);
        fill(space.take<float>(100), 1.0F);
        for (int pass = 0; pass < 50; ++pass) {
            const workspace::scope inner(space);
            fill(space.take<float>(16), 2.0F);
        }
    }
    CHECK(space.capacity() == 448 + 64);
}

TEST_CASE("What was taken before room ran out stays where it is until its scope ends") {
    workspace space(64);
    const workspace::scope outer(space);
    const auto kept = space.take<float>(16);
    fill(kept, 1.0F);
    {
        const workspace::scope inner(space);
        fill(space.take<float>(1000), 2.0F);
    }
    fill(space.take<float>(1000), 3.0F);
    CHECK(holds(kept, 1.0F));
    CHECK(space.capacity() == 64);
}

TEST_CASE("Room is reserved up to the largest request, and only while nothing is taken") {
    workspace space;
    space.reserve(500);
    CHECK(space.capacity() == 500);
    space.reserve(100);
    CHECK(space.capacity() == 500);
    const workspace::scope scope(space);
    const auto kept = space.take<float>(4);
    fill(kept, 5.0F);
    space.reserve(100000);
    CHECK(space.capacity() == 500);
    CHECK(holds(kept, 5.0F));
}

TEST_CASE("A count whose bytes overflow is out of memory, and the workspace goes on working") {
    workspace space(128);
    REQUIRE_THROWS_AS(space.take<float>(most), std::bad_alloc);
    REQUIRE_THROWS_AS(space.take<double>(most / 8 + 1), std::bad_alloc);
    REQUIRE_THROWS_AS(space.take<double>(most / 8), std::bad_alloc);
    REQUIRE_THROWS_AS(space.take<std::byte>(most), std::bad_alloc);
    REQUIRE_THROWS_AS(space.take<std::byte>(most - 64), std::bad_alloc);
    const workspace::scope scope(space);
    fill(space.take<float>(32), 1.0F);
    CHECK(space.capacity() == 128);
}

TEST_CASE("A reservation that memory cannot address is refused, and the workspace goes on working") {
    workspace space(128);
    REQUIRE_THROWS_AS(space.reserve(most), std::bad_alloc);
    REQUIRE_THROWS_AS(workspace(most - 3), std::bad_alloc);
    fill(space.take<float>(32), 1.0F);
}

TEST_CASE("Sizes are rounded up to whole cache lines") {
    CHECK(workspace::rounded(0) == 0);
    CHECK(workspace::rounded(1) == 64);
    CHECK(workspace::rounded(64) == 64);
    CHECK(workspace::rounded(65) == 128);
}

TEST_CASE("Rounded sizes add up to what the same takes need") {
    workspace space(workspace::rounded(3 * sizeof(float)) + workspace::rounded(9 * sizeof(double)));
    const std::size_t before = space.capacity();
    {
        const workspace::scope scope(space);
        fill(space.take<float>(3), 1.0F);
        fill(space.take<double>(9), 1.0);
    }
    CHECK(space.capacity() == before);
}

TEST_CASE("A moved workspace takes its memory along, and the one left behind has none and goes on working") {
    std::stop_source source;
    source.request_stop();
    workspace first(256);
    first.stop = fanfold::stop(source.get_token());
    const float* const memory = [&] {
        const workspace::scope scope(first);
        return first.take<float>(1).data();
    }();
    workspace second = std::move(first);
    CHECK(second.capacity() == 256);
    CHECK(second.take<float>(1).data() == memory);
    CHECK(second.stop.reason() == stop_reason::requested);
    CHECK(first.capacity() == 0);
    fill(first.take<float>(8), 1.0F);
    workspace third(64);
    third = workspace(512);
    CHECK(third.capacity() == 512);
    fill(third.take<float>(128), 2.0F);
    workspace fourth;
    fourth = std::move(third);
    CHECK(fourth.capacity() == 512);
    CHECK(third.capacity() == 0);
    fill(third.take<float>(128), 3.0F);
}

TEST_CASE("While something is taken, what does not fit gets the same memory each time") {
    workspace space(256);
    const workspace::scope outer(space);
    fill(space.take<float>(4), 1.0F);
    const auto addresses = [&] {
        const workspace::scope call(space);
        const std::span<float> large = space.take<float>(5000), small = space.take<float>(100),
                               none = space.take<float>(0);
        fill(large, 2.0F);
        fill(small, 3.0F);
        CHECK((aligned(large.data()) && aligned(small.data())));
        CHECK(std::all_of(large.begin(), large.end(), [](float x) { return x == 2.0F; }));
        return std::vector<const float*>{large.data(), small.data(), none.data()};
    };
    const std::vector<const float*> first = addresses();
    std::vector<detail::aligned_bytes> others;  // would get the memory if it had been freed
    for (const std::size_t bytes : {20'032U, 448U, 64U}) others.push_back(detail::allocate_aligned(bytes));
    CHECK(addresses() == first);
    {
        const workspace::scope call(space);  // smaller ones fit into those, larger ones do not
        CHECK(space.take<float>(4000).data() == first[0]);
        const std::span<float> larger = space.take<float>(6000);
        fill(larger, 4.0F);
        CHECK(std::find(first.begin(), first.end(), larger.data()) == first.end());
    }
    CHECK(space.capacity() == 256);
}

TEST_CASE("What did not fit is there in one piece once nothing is taken") {
    workspace space(256);
    {
        const workspace::scope outer(space);
        for (int call = 0; call < 3; ++call) {
            const workspace::scope inner(space);
            fill(space.take<float>(5000), 1.0F);
            fill(space.take<float>(16), 1.0F);
        }
    }
    CHECK(space.capacity() == 20'032 + 64);
}

TEST_CASE("A workspace assigned to itself keeps its memory") {
    workspace space(128);
    workspace& same = space;
    space = std::move(same);
    CHECK(space.capacity() == 128);
    fill(space.take<float>(32), 1.0F);
}

TEST_CASE("A workspace carries a serial tile loop, no stop and no event sink unless told") {
    const workspace space;
    std::vector<std::size_t> ran;
    space.tiles(2, [&](std::size_t tile) { ran.push_back(tile); });
    CHECK(ran == std::vector<std::size_t>{0, 1});
    CHECK_FALSE(space.stop.reason().has_value());
    CHECK_FALSE(static_cast<bool>(space.events));
}
