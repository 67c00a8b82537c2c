// bench/load_ends.hpp - how a request to a batcher ended, in the words of an offered load.
// SPDX-License-Identifier: MIT
#pragma once
#include <fanfold/evaluate/load.hpp>
#include <fanfold/serve/request.hpp>

[[nodiscard]] inline fanfold::load_end end_of(const fanfold::reply& r) {
    if (r.answered()) return fanfold::load_end::answered;
    switch (r.failures.front().kind) {
        case fanfold::fault_kind::timed_out: return fanfold::load_end::timed_out;
        case fanfold::fault_kind::overloaded: return fanfold::load_end::overloaded;
        default: return fanfold::load_end::failed;
    }
}
