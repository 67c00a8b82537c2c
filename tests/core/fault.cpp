// SPDX-License-Identifier: MIT
#include <fanfold/core/fault.hpp>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("A kind of fault has a name to read") {
    CHECK(name_of(fault_kind::threw) == "threw");
    CHECK(name_of(fault_kind::out_of_memory) == "out of memory");
    CHECK(name_of(fault_kind::wrong_shape) == "wrong shape");
    CHECK(name_of(fault_kind::not_finite) == "not finite");
    CHECK(name_of(fault_kind::stopped) == "stopped");
    CHECK(name_of(fault_kind::timed_out) == "timed out");
}

TEST_CASE("A value that is no kind of fault has a name, too") { CHECK(name_of(static_cast<fault_kind>(200)) == "?"); }

TEST_CASE("A fault counts one attempt and names no rows unless told") {
    const fault f;
    CHECK(f.kind == fault_kind::threw);
    CHECK(f.message.empty());
    CHECK(f.rows.empty());
    CHECK(f.attempts == 1);
}
