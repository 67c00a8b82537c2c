// tests/infer/every_executor.hpp - the executors that a test goes through.
// SPDX-License-Identifier: MIT
#pragma once
#include <fanfold/schedule/serial.hpp>
#include <fanfold/schedule/tbb.hpp>
#include <fanfold/schedule/threads.hpp>

#include <cstddef>

/// Calls `each` with the serial executor and those of one, two and four workers.
template <class F>
void with_executors(F&& each) {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    each(fanfold::serial_executor());
    for (const std::size_t workers : {1UL, 2UL, 4UL}) {
        each(fanfold::threads_executor({.workers = workers}));
        each(fanfold::tbb_executor({.workers = workers}));
    }
}
