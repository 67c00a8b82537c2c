// tests/evaluate/load_points.hpp - what was measured at one offered load, invented.
// SPDX-License-Identifier: MIT
#pragma once
#include <fanfold/evaluate/load.hpp>

inline fanfold::load_point at(double offered, double p50_us, double p99_us, double goodput) {
    fanfold::load_point p;
    p.offered_per_s = offered;
    p.requests = 10;
    p.answered = 10;
    p.goodput_per_s = goodput;
    p.latency_us = {p50_us, p99_us, p99_us, p99_us};
    return p;
}
