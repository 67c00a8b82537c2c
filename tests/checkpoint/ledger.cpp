// SPDX-License-Identifier: MIT
#include <fanfold/checkpoint/ledger.hpp>

#include "../catch.hpp"

using namespace fanfold;

namespace {

/// As a user would write it.
struct counting {
    std::size_t opened = 0, restored = 0, declared = 0, kept = 0, finished = 0;
    std::vector<tensor_type> open(const job_identity& identity) {
        opened = identity.rows;
        return {};
    }
    void restore(function_ref<void(const rows_done&)> take) {
        ++restored;
        take({.first = 3, .rows = 2, .answers = {}});
    }
    void declare(const std::vector<tensor_type>& types) { declared = types.size(); }
    void keep(rows_done done) { kept += done.rows; }
    void finish(std::span<const fault> faults) { finished = faults.size(); }
};
static_assert(ledger<counting>);
static_assert(!ledger<int>);

}  // namespace

TEST_CASE("Any ledger calls the one it refers to; an empty one is none") {
    CHECK_FALSE(any_ledger());
    counting one;
    const any_ledger any = one;
    CHECK(any);
    CHECK(any.open({.fingerprint = 1, .rows = 9}).empty());
    std::size_t first = 0;
    any.restore([&](const rows_done& done) { first = done.first; });
    any.declare({{}, {}});
    any.keep({.first = 0, .rows = 5, .answers = {}});
    const fault faults[3];
    any.finish(faults);
    CHECK(first == 3);
    CHECK((one.opened == 9 && one.restored == 1 && one.declared == 2 && one.kept == 5 && one.finished == 3));
}
