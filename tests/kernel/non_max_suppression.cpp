// SPDX-License-Identifier: MIT
#include <fanfold/kernel/non_max_suppression.hpp>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using kept = std::vector<std::array<std::int64_t, 3>>;

TEST_CASE("the best boxes stay, what overlaps them goes", "[kernel][nms]") {
    workspace space;
    const std::vector<float> corners{0, 0,  1, 1,  0, 0.1F,  1, 1.1F,  0, -0.1F, 1, 0.9F,
                                     0, 10, 1, 11, 0, 10.1F, 1, 11.1F, 0, 100,   1, 101};
    const std::vector<float> scores{0.9F, 0.75F, 0.6F, 0.95F, 0.5F, 0.3F};
    const view<const float> boxes(corners.data(), {1, 6, 4}), values(scores.data(), {1, 1, 6});
    CHECK(kernel::non_max_suppression(boxes, values, {.most = 3, .overlap = 0.5F}, space) ==
          kept{{0, 0, 3}, {0, 0, 0}, {0, 0, 5}});
    CHECK(kernel::non_max_suppression(boxes, values, {.most = 2, .overlap = 0.5F}, space) ==
          kept{{0, 0, 3}, {0, 0, 0}});
    CHECK(kernel::non_max_suppression(boxes, values, {.most = 9, .overlap = 0.5F, .score = 0.4F}, space) ==
          kept{{0, 0, 3}, {0, 0, 0}});
    CHECK(kernel::non_max_suppression(boxes, values, {.overlap = 0.5F}, space).empty());
    std::vector<float> turned = corners, centres;
    for (std::size_t i = 0; i < 6; ++i) {
        std::swap(turned[i * 4], turned[i * 4 + 2]);
        for (const float x : {corners[i * 4 + 1] + 0.5F, 0.5F, 1.0F, 1.0F}) centres.push_back(x);
    }
    const kept all{{0, 0, 3}, {0, 0, 0}, {0, 0, 5}};
    CHECK(kernel::non_max_suppression({turned.data(), {1, 6, 4}}, values, {.most = 3, .overlap = 0.5F}, space) == all);
    CHECK(kernel::non_max_suppression({centres.data(), {1, 6, 4}}, values,
                                      {.boxes = kernel::suppression_options::boxes::centre, .most = 3, .overlap = 0.5F},
                                      space) == all);
}

TEST_CASE("images and classes are by themselves; equals keep their order; NaN is never kept", "[kernel][nms]") {
    workspace space;
    const std::vector<float> corners{0, 0, 1, 1, 0, 0, 1, 1, 5, 5, 6, 6, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5};
    const std::vector<float> scores{1, 1, 1, 0, 2, fanfold_test::poison(), 3, 1, 2, 1, 1, 1};
    CHECK(kernel::non_max_suppression({corners.data(), {2, 3, 4}}, {scores.data(), {2, 2, 3}},
                                      {.most = 5, .overlap = 0.5F}, space) ==
          kept{{0, 0, 0}, {0, 0, 2}, {0, 1, 1}, {1, 0, 0}, {1, 0, 2}, {1, 0, 1}, {1, 1, 0}, {1, 1, 1}, {1, 1, 2}});
    CHECK_THROWS_AS(kernel::non_max_suppression({corners.data(), {2, 3, 4}}, {scores.data(), {2, 3, 2}}, {}, space),
                    std::invalid_argument);
}
