// SPDX-License-Identifier: MIT
#include <fanfold/kernel/window_functions.hpp>

#include <cmath>
#include <vector>

#include "../catch.hpp"

using namespace fanfold::kernel;

namespace {

std::vector<double> window(window_function function, window_ends ends, std::size_t size) {
    std::vector<double> out(size);
    fill_window<double>(function, ends, out);
    return out;
}

}  // namespace

TEST_CASE("windows rise from their edge to the middle and fall again", "[kernel][window]") {
    for (const auto& [function, edge] : {std::pair{window_function::hann, 0.0},
                                         {window_function::hamming, 4.0 / 46},
                                         {window_function::blackman, 0.0}}) {
        const auto odd = window(function, window_ends::symmetric, 9);
        CHECK(std::abs(odd[0] - edge) < 1e-15);
        CHECK(std::abs(odd[4] - 1) < 1e-15);
        for (std::size_t n = 0; n < 9; ++n) CHECK(std::abs(odd[n] - odd[8 - n]) < 1e-15);
        const auto periodic = window(function, window_ends::periodic, 8);
        for (std::size_t n = 0; n < 8; ++n) CHECK(std::abs(odd[n] - periodic[n]) < 1e-15);
        CHECK(window(function, window_ends::symmetric, 1) == std::vector<double>{1});
        CHECK(window(function, window_ends::symmetric, 0).empty());
    }
    CHECK(std::abs(window(window_function::hann, window_ends::periodic, 10)[1] - 0.0954915028125263) < 1e-15);
}
