// SPDX-License-Identifier: MIT
#include <fanfold/verify/verifier.hpp>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("Any callable from answers to faults is a verifier, and none means no check") {
    CHECK_FALSE(static_cast<bool>(any_verifier()));
    const any_verifier positive([](const batch_view& answers) {
        std::vector<fault> faults;
        for (std::size_t row = 0; row < answers.rows(); ++row)
            if (answers.as<float>()(row) <= 0) faults.push_back({fault_kind::not_finite, "not positive", {row}, 1});
        return faults;
    });
    REQUIRE(static_cast<bool>(positive));
    const tensor t = tensor::of<float>({3}, {1, -1, 2});
    const tensor_view view = t;
    const auto faults = positive(batch_view({&view, 1}, 3));
    REQUIRE(faults.size() == 1);
    CHECK(faults[0].rows == std::vector<std::size_t>{1});
}
