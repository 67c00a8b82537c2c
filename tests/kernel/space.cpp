// SPDX-License-Identifier: MIT
#include <fanfold/kernel/space.hpp>

#include <fanfold/core/tensor.hpp>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("channels become blocks of pixels in both orders, and come back", "[kernel][space]") {
    tensor in(element::int16, {2, 12, 3, 5}), out(element::int16, {2, 3, 6, 10}), back(element::int16, {2, 12, 3, 5});
    for (std::size_t i = 0; i < in.size(); ++i) in.as<std::int16_t>().flat()[i] = static_cast<std::int16_t>(i);
    for (const auto order : {kernel::depth_order::block_then_channel, kernel::depth_order::channel_then_block}) {
        kernel::depth_to_space(in, 2, order, out);
        bool right = true;
        for (std::int64_t n = 0; n < 2; ++n)
            for (std::int64_t c = 0; c < 3; ++c)
                for (std::int64_t y = 0; y < 6; ++y)
                    for (std::int64_t x = 0; x < 10; ++x) {
                        const std::int64_t place = y % 2 * 2 + x % 2;
                        const std::int64_t channel =
                            order == kernel::depth_order::block_then_channel ? place * 3 + c : c * 4 + place;
                        right = right &&
                                out.as<std::int16_t>()(n, c, y, x) == in.as<std::int16_t>()(n, channel, y / 2, x / 2);
                    }
        CHECK(right);
    }
    kernel::depth_to_space(in, 2, kernel::depth_order::block_then_channel, out);
    kernel::space_to_depth(out, 2, back);
    bool same = true;
    for (std::size_t i = 0; i < in.size(); ++i)
        same = same && back.as<std::int16_t>().flat()[i] == in.as<std::int16_t>().flat()[i];
    CHECK(same);
    CHECK_THROWS_AS(kernel::depth_to_space(in, 3, kernel::depth_order::block_then_channel, out), std::invalid_argument);
    CHECK_THROWS_AS(kernel::space_to_depth(in, 2, out), std::invalid_argument);
}
