// fanfold/context/clock.hpp - where the time comes from: the machine, or a test's virtual clock.
// SPDX-License-Identifier: MIT
#pragma once
#include <thread>  // std::chrono::steady_clock; all of <chrono> would cost every user a calendar

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {

using time_point = std::chrono::steady_clock::time_point;
using duration = std::chrono::steady_clock::duration;

/// A source of time: steady by default; a virtual one passes a function and what it reads. Borrowed, copied freely.
class clock {
public:
    constexpr clock() = default;
    constexpr clock(time_point (*read)(const void*), const void* source) : now_(read), source_(source) {}

    [[nodiscard]] time_point now() const { return now_ != nullptr ? now_(source_) : std::chrono::steady_clock::now(); }

private:
    time_point (*now_)(const void*) = nullptr;
    const void* source_ = nullptr;
};

}  // namespace fanfold::inline FANFOLD_ABI
