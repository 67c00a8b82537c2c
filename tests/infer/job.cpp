// SPDX-License-Identifier: MIT
#include <fanfold/infer/job.hpp>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("A job counts its failed rows over all failures") {
    job done{batch(tensor(element::float32, {5})), {}, {}};
    CHECK(done.failed_rows() == 0);
    done.failures.push_back({fault_kind::threw, "a", {0, 1}, 1});
    done.failures.push_back({fault_kind::not_finite, "b", {4}, 1});
    CHECK(done.failed_rows() == 3);
    done.failures.push_back({fault_kind::not_finite, "again", {4, 1}, 1});
    CHECK(done.failed_rows() == 3);
}
