// SPDX-License-Identifier: MIT
#include <fanfold/core/tensor.hpp>
#include <fanfold/kernel/widen.hpp>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("runs are widened, computed and narrowed in pieces, in place where nothing changes", "[kernel][widen]") {
    for (const std::int64_t n : {0, 1, 255, 256, 257, 1000}) {
        tensor small(element::int16, {n}), wide(element::int64, {n});
        for (std::int64_t i = 0; i < n; ++i) small.as<std::int16_t>().data()[i] = static_cast<std::int16_t>(i - 300);
        std::size_t calls = 0, seen = 0;
        const auto triple = [&](const std::int64_t* x, std::int64_t* z, std::size_t count) {
            ++calls;
            seen += count;
            for (std::size_t i = 0; i < count; ++i) z[i] = 3 * x[i];
        };
        kernel::detail::map_runs<std::int64_t>(small, wide, triple);
        bool good = seen == static_cast<std::size_t>(n);
        for (std::int64_t i = 0; i < n; ++i) good = good && wide.as<std::int64_t>().data()[i] == 3 * (i - 300);
        CHECK(good);
        CHECK(calls == (static_cast<std::size_t>(n) + kernel::detail::chunk - 1) / kernel::detail::chunk);
        calls = 0;
        kernel::detail::map_runs<std::int64_t>(wide, wide, triple);
        CHECK(calls == (n == 0 ? 0 : 1));
        for (std::int64_t i = 0; i < n; ++i) good = good && wide.as<std::int64_t>().data()[i] == 9 * (i - 300);
        CHECK(good);
    }
}

TEST_CASE("a type that cannot be computed in another has no loader", "[kernel][widen]") {
    CHECK(kernel::detail::loader_of<float>(element::float64) == nullptr);
    CHECK(kernel::detail::loader_of<float>(element::int8) == nullptr);
    CHECK(kernel::detail::loader_of<std::int64_t>(element::float16) == nullptr);
    CHECK(kernel::detail::loader_of<double>(element::boolean) != nullptr);
    CHECK(kernel::detail::storer_of<float>(element::int32) == nullptr);
    CHECK(kernel::detail::storer_of<std::uint64_t>(element::float16) != nullptr);
}
