// fanfold/evaluate/arrivals.hpp - when requests come: by Poisson, in bursts, or as a file says.
//   in    a rate, or text      out   times from the start of a run, ascending
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::sort
#include <cmath>      // std::log
#include <cstddef>    // std::size_t
#include <cstdint>    // std::uint64_t
#include <cstdio>     // std::fopen
#include <cstdlib>    // std::strtod
#include <memory>     // std::unique_ptr
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <vector>     // std::vector

#include "../context/clock.hpp"
#include "../context/random.hpp"
#include "../core/in_quotes.hpp"

namespace fanfold::inline FANFOLD_ABI {

namespace detail {

[[nodiscard]] inline duration from_seconds(double s) {
    return std::chrono::duration_cast<duration>(std::chrono::duration<double>(s));
}

}  // namespace detail

/// Bursts of `burst` requests at once whose gaps are exponential: on average `per_s` requests a second. The same seed
/// gives the same times.
///
/// errors   throws std::invalid_argument unless per_s > 0 and burst > 0
[[nodiscard]] inline std::vector<duration> bursts(double per_s, std::size_t burst, duration lasts,
                                                  std::uint64_t seed = 1) {
    if (!(per_s > 0) || burst == 0)
        throw std::invalid_argument("arrivals: " + std::to_string(per_s) + " a second in bursts of " +
                                    std::to_string(burst));
    random_bits random(seed);
    std::vector<duration> times;
    double at_s = 0;
    while (true) {
        at_s -= std::log(1 - random.uniform()) * static_cast<double>(burst) / per_s;
        const duration at = detail::from_seconds(at_s);
        if (at >= lasts) return times;
        times.insert(times.end(), burst, at);
    }
}

/// Requests that know nothing of each other.
[[nodiscard]] inline std::vector<duration> poisson(double per_s, duration lasts, std::uint64_t seed = 1) {
    return bursts(per_s, 1, lasts, seed);
}

/// Seconds from the start, one number a line; "#" begins a comment. Sorted.
///
/// errors   throws std::invalid_argument with the line's number where there is no number that is at least 0
[[nodiscard]] inline std::vector<duration> arrivals_of(const std::string& text) {
    std::vector<duration> times;
    std::size_t number = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        std::string line = text.substr(at, end - at);
        at = end + 1;
        ++number;
        line.resize(std::min(line.find('#'), line.size()));
        if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
        char* rest = nullptr;
        const double seconds = std::strtod(line.c_str(), &rest);
        const bool alone = std::string(rest).find_first_not_of(" \t\r") == std::string::npos;
        if (rest == line.c_str() || !alone || !(seconds >= 0 && seconds < 1e9))
            throw std::invalid_argument("arrivals: line " + std::to_string(number) + ": expected seconds, got " +
                                        detail::in_quotes(line));
        times.push_back(detail::from_seconds(seconds));
    }
    std::sort(times.begin(), times.end());
    return times;
}

/// The same, of a file.
[[nodiscard]] inline std::vector<duration> read_arrivals(const std::string& path) {
    struct closing {
        void operator()(std::FILE* file) const { static_cast<void>(std::fclose(file)); }
    };
    const std::unique_ptr<std::FILE, closing> file(std::fopen(path.c_str(), "rb"));
    if (file == nullptr) throw std::invalid_argument("arrivals: cannot read " + path);
    std::string text;
    for (int c = 0; (c = std::fgetc(file.get())) != EOF;) text.push_back(static_cast<char>(c));
    return arrivals_of(text);
}

}  // namespace fanfold::inline FANFOLD_ABI
