// SPDX-License-Identifier: MIT
#include <fanfold/kernel/determinant.hpp>

#include <vector>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;

namespace {

double expanded(const std::vector<double>& m, std::size_t n) {  // along the first row
    if (n == 0) return 1;
    double sum = 0;
    for (std::size_t column = 0; column < n; ++column) {
        std::vector<double> minor;
        for (std::size_t i = n; i < n * n; ++i)
            if (i % n != column) minor.push_back(m[i]);
        sum += (column % 2 == 0 ? 1 : -1) * m[column] * expanded(minor, n - 1);
    }
    return sum;
}

}  // namespace

TEST_CASE("determinants agree with expansion by minors", "[kernel][determinant]") {
    fanfold_test::numbers next(1);
    workspace space;
    for (const std::int64_t n : {0, 1, 2, 3, 6}) {
        const auto size = static_cast<std::size_t>(n * n);
        const std::vector<float> values = next.some(size * 3);
        std::vector<float> out(3);
        kernel::determinant<float>({values.data(), {3, n, n}}, {out.data(), {3}}, space);
        for (std::size_t i = 0; i < 3; ++i) {
            const auto first = values.begin() + static_cast<std::ptrdiff_t>(i * size);
            const double exact =
                expanded({first, first + static_cast<std::ptrdiff_t>(size)}, static_cast<std::size_t>(n));
            CHECK(std::abs(out[i] - exact) < 1e-6);
        }
    }
    const std::vector<double> swapped{0, 1, 1, 0}, singular{1, 2, 2, 4};
    double one = 0;
    kernel::determinant<double>({swapped.data(), {2, 2}}, {&one, shape{}}, space);
    CHECK(one == -1);
    kernel::determinant<double>({singular.data(), {2, 2}}, {&one, shape{}}, space);
    CHECK(one == 0);
    CHECK_THROWS_AS(kernel::determinant<double>({swapped.data(), {1, 4}}, {&one, shape{}}, space),
                    std::invalid_argument);
}
