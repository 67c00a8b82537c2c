// fanfold/verify/finite.hpp - rows whose answers hold NaN or infinity are failures.
// SPDX-License-Identifier: MIT
#pragma once
#include <bit>      // std::bit_cast
#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint16_t
#include <limits>   // std::numeric_limits
#include <string>   // std::string
#include <vector>   // std::vector

#include "verifier.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Every floating-point answer must be finite.
///
/// cost     one pass over the answers; nothing is allocated while all are finite
/// errors   one fault a row: "answer 3 is nan"; other rows of the shard keep their answers
struct finite {
    template <class = void>
    [[nodiscard]] std::vector<fault> operator()(const batch_view& answers) const {
        std::vector<fault> faults;
        std::vector<std::size_t> named;  // by row: faults so far
        for (const tensor_view& part : answers) {
            const std::size_t rows = answers.rows();
            if (part.type() == element::float32) check<float, std::uint32_t>(part, rows, faults, named);
            if (part.type() == element::float64) check<double, std::uint64_t>(part, rows, faults, named);
            if (part.type() == element::float16) check<float16, std::uint16_t>(part, rows, faults, named);
            if (part.type() == element::bfloat16) check<bfloat16, std::uint16_t>(part, rows, faults, named);
        }
        return faults;
    }

private:
    template <class T, class Bits>
    static void check(const tensor_view& part, std::size_t rows, std::vector<fault>& faults,
                      std::vector<std::size_t>& named) {
        constexpr auto exponent = std::bit_cast<Bits>(static_cast<T>(std::numeric_limits<float>::infinity()));
        const auto values = part.as<T>().flat();
        const auto is_finite = [](T value) { return (std::bit_cast<Bits>(value) & exponent) != exponent; };
        bool all = true;  // no branch inside, so that this loop vectorizes
        for (const T value : values) all &= is_finite(value);
        if (all || rows == 0) return;
        const std::size_t width = values.size() / rows;
        named.resize(rows);
        for (std::size_t at = 0; at < values.size(); ++at) {
            const std::size_t row = at / width;
            if (is_finite(values[at]) || named[row]++ != 0) continue;
            const char* what = values[at] != values[at] ? "nan" : values[at] > 0 ? "inf" : "-inf";
            faults.push_back(
                {fault_kind::not_finite, "answer " + std::to_string(at % width) + " is " + what, {row}, 1});
        }
    }
};
static_assert(verifier<finite>);

}  // namespace fanfold::inline FANFOLD_ABI
