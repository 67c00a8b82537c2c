// SPDX-License-Identifier: MIT
#include <fanfold/kernel/fourier.hpp>

#include <complex>
#include <vector>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using kernel::transform;

namespace {

/// One bin, from its definition.
std::complex<double> bin(const std::vector<std::complex<double>>& signal, std::size_t k, double sign) {
    std::complex<double> sum = 0;
    for (std::size_t t = 0; t < signal.size(); ++t)
        sum += signal[t] * std::polar(1.0, sign * 2 * 3.14159265358979323846 * static_cast<double>(k * t) /
                                               static_cast<double>(signal.size()));
    return sum;
}

}  // namespace

TEST_CASE("transforms of any length along any axis agree with their definition", "[kernel][fourier]") {
    fanfold_test::numbers next(1);
    workspace space;
    for (const std::int64_t n : {1, 2, 5, 8, 12, 64})
        for (const std::int64_t parts : {1, 2})
            for (const std::int64_t length : {n, n + 3, std::int64_t{4}})
                for (const auto way : {transform::forward, transform::inverse})
                    for (const std::int64_t bins : {length, length / 2 + 1}) {
                        const std::vector<float> values = next.some(static_cast<std::size_t>(2 * n * 3 * parts));
                        std::vector<float> out(static_cast<std::size_t>(2 * bins * 3 * 2));
                        kernel::dft<float>({values.data(), {2, n, 3, parts}}, 1, length, way,
                                           {out.data(), {2, bins, 3, 2}}, space);
                        bool right = true;
                        for (std::int64_t o = 0; o < 2; ++o)
                            for (std::int64_t i = 0; i < 3; ++i) {
                                std::vector<std::complex<double>> signal(static_cast<std::size_t>(length));
                                for (std::int64_t t = 0; t < std::min(n, length); ++t) {
                                    const auto at = static_cast<std::size_t>(((o * n + t) * 3 + i) * parts);
                                    signal[static_cast<std::size_t>(t)] = {values[at], parts == 2 ? values[at + 1] : 0};
                                }
                                for (std::int64_t k = 0; k < bins; ++k) {
                                    const bool back = way == transform::inverse;
                                    const auto exact = bin(signal, static_cast<std::size_t>(k), back ? 1 : -1) /
                                                       (back ? static_cast<double>(length) : 1.0);
                                    const auto at = static_cast<std::size_t>(((o * bins + k) * 3 + i) * 2);
                                    right = right && std::abs(out[at] - exact.real()) < 1e-5 &&
                                            std::abs(out[at + 1] - exact.imag()) < 1e-5;
                                }
                            }
                        CHECK(right);
                    }
}

TEST_CASE("frames of a signal are weighted and transformed", "[kernel][fourier]") {
    fanfold_test::numbers next(2);
    workspace space;
    const std::vector<float> some = next.some(2 * 40);
    const std::vector<double> values(some.begin(), some.end());
    std::vector<double> window(12);
    for (std::size_t t = 0; t < 12; ++t) window[t] = 0.1 * static_cast<double>(t);
    for (const bool weighted : {false, true}) {
        std::vector<double> out(2 * 5 * 7 * 2);
        kernel::stft<double>({values.data(), {2, 40, 1}}, 7, 12,
                             weighted ? std::span<const double>(window) : std::span<const double>(),
                             {out.data(), {2, 5, 7, 2}}, space);
        bool right = true;
        for (std::size_t i = 0; i < 70; ++i) {
            std::vector<std::complex<double>> frame;
            for (std::size_t t = 0; t < 12; ++t)
                frame.emplace_back(values[i / 35 * 40 + i / 7 % 5 * 7 + t] * (weighted ? window[t] : 1.0));
            const auto exact = bin(frame, i % 7, -1);
            right = right && std::abs(std::complex<double>(out[i * 2], out[i * 2 + 1]) - exact) < 1e-12;
        }
        CHECK(right);
    }
}

TEST_CASE("transforms refuse shapes that do not fit", "[kernel][fourier]") {
    workspace space;
    std::vector<float> a(64), b(64);
    const view<const float> in(a.data(), {2, 8, 1});
    CHECK_THROWS_AS(kernel::dft<float>(in, 1, 8, transform::forward, {b.data(), {2, 6, 2}}, space),
                    std::invalid_argument);
    CHECK_THROWS_AS(kernel::dft<float>(in, 2, 8, transform::forward, {b.data(), {2, 8, 2}}, space),
                    std::invalid_argument);
    CHECK_THROWS_AS(kernel::dft<float>(in, 1, 0, transform::forward, {b.data(), {2, 0, 2}}, space),
                    std::invalid_argument);
    CHECK_THROWS_AS(kernel::stft<float>(in, 2, 4, {}, {b.data(), {2, 4, 3, 2}}, space), std::invalid_argument);
    CHECK_THROWS_AS(kernel::stft<float>(in, 2, 9, {}, {b.data(), {2, 1, 5, 2}}, space), std::invalid_argument);
}
