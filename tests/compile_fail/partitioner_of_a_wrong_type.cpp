// A partitioner returns a plan.
// SPDX-License-Identifier: MIT
#include <fanfold/infer/options.hpp>

fanfold::options how() {
#ifdef FANFOLD_PUT_RIGHT
    return {.partition = [](const fanfold::workload& all) { return fanfold::contiguous{.shards = 2}(all); }};
#else
    return {.partition = [](const fanfold::workload& all) { return all.rows / 2; }};
#endif
}
