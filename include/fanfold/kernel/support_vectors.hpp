// fanfold/kernel/support_vectors.hpp - how alike a row is to each of many support vectors; probabilities from pairs.
//   in    a row of features [F]      out   one number for each vector [S]
// SPDX-License-Identifier: MIT
#pragma once
#include <array>      // std::array
#include <cmath>      // std::abs, std::exp, std::pow, std::tanh
#include <cstddef>    // std::size_t
#include <cstdint>    // std::uint8_t
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::to_string
#include <vector>     // std::vector

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// What is made of a row x and a vector v: x.v; (gamma x.v + offset)^degree; exp(-gamma |x - v|^2); tanh(gamma x.v +
/// offset).
enum class vector_kernel : std::uint8_t { linear, polynomial, radial, sigmoid };
struct vector_kernel_parameters {
    double gamma = 0;
    double offset = 0;
    double degree = 0;
};

/// Vectors of equal length, interleaved by eight.
///
/// layout   block b holds vectors 8b to 8b + 7: feature by feature, eight doubles, zeros where there is no vector
/// cost     F doubles a vector; 2F flops a vector (3F radial) and one function, a row
/// errors   throws std::invalid_argument when the values are no whole vectors
/// threads  const use from any thread
class support_vectors {
public:
    static constexpr std::size_t lanes = 8;

    support_vectors(std::span<const double> values, std::size_t count, vector_kernel kind,
                    vector_kernel_parameters parameters)
        : count_(count), kind_(kind), parameters_(parameters) {
        if (count == 0 || values.empty() || values.size() % count != 0)
            throw std::invalid_argument("expected values for " + std::to_string(count) + " vectors, got " +
                                        std::to_string(values.size()));
        features_ = values.size() / count;
        values_.assign((count + lanes - 1) / lanes * lanes * features_, 0.0);
        for (std::size_t v = 0; v < count; ++v)
            for (std::size_t f = 0; f < features_; ++f)
                values_[(v / lanes * features_ + f) * lanes + v % lanes] = values[v * features_ + f];
    }

    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] std::size_t features() const noexcept { return features_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return values_.size() * sizeof(double); }

    /// requires `features()` features in `row`, room for `size()` in `out`
    void operator()(const double* row, std::span<double> out) const {
        for (std::size_t first = 0; first < count_; first += lanes) {
            const double* v = values_.data() + first * features_;
            std::array<double, lanes> sum{};
            if (kind_ == vector_kernel::radial)
                for (std::size_t f = 0; f < features_; ++f, v += lanes)
                    for (std::size_t lane = 0; lane < lanes; ++lane) {
                        const double apart = row[f] - v[lane];
                        sum[lane] += apart * apart;
                    }
            else
                for (std::size_t f = 0; f < features_; ++f, v += lanes)
                    for (std::size_t lane = 0; lane < lanes; ++lane) sum[lane] += row[f] * v[lane];
            for (std::size_t lane = 0; lane < lanes && first + lane < count_; ++lane)
                out[first + lane] = finished(sum[lane]);
        }
    }

private:
    [[nodiscard]] double finished(double sum) const {
        const auto& [gamma, offset, degree] = parameters_;
        switch (kind_) {
            case vector_kernel::polynomial: return std::pow(gamma * sum + offset, degree);
            case vector_kernel::radial: return std::exp(-gamma * sum);
            case vector_kernel::sigmoid: return std::tanh(gamma * sum + offset);
            default: return sum;
        }
    }

    std::size_t count_;
    std::size_t features_ = 0;
    std::vector<double> values_;
    vector_kernel kind_;
    vector_kernel_parameters parameters_;
};

/// How probable each of k classes is, from how probable it is against each other one: `pairs[i * k + j]` for i against
/// j, the diagonal aside. Iterates until no class is further from balance than 0.005 / k, at most 100 times.
///
/// requires k probabilities of room, k * k + k doubles of scratch
/// source   Wu, Lin, Weng 2004, "Probability estimates for multi-class classification by pairwise coupling",
///          algorithm 2
inline void couple_pairs(std::span<const double> pairs, std::span<double> probabilities, std::span<double> scratch) {
    const std::size_t k = probabilities.size();
    const std::span<double> q = scratch.first(k * k), qp = scratch.subspan(k * k, k);
    for (std::size_t i = 0; i < k; ++i) {
        probabilities[i] = 1 / static_cast<double>(k);
        double square = 0;
        for (std::size_t j = 0; j < k; ++j) {
            if (j == i) continue;
            square += pairs[j * k + i] * pairs[j * k + i];
            q[i * k + j] = -pairs[j * k + i] * pairs[i * k + j];
        }
        q[i * k + i] = square;
    }
    for (int round = 0; round < 100; ++round) {
        double balance = 0;
        for (std::size_t i = 0; i < k; ++i) {
            qp[i] = 0;
            for (std::size_t j = 0; j < k; ++j) qp[i] += q[i * k + j] * probabilities[j];
            balance += probabilities[i] * qp[i];
        }
        double worst = 0;
        for (const double each : qp) worst = std::abs(each - balance) > worst ? std::abs(each - balance) : worst;
        if (worst < 0.005 / static_cast<double>(k)) return;
        for (std::size_t i = 0; i < k; ++i) {
            const double step = (balance - qp[i]) / q[i * k + i];
            probabilities[i] += step;
            balance = (balance + step * (step * q[i * k + i] + 2 * qp[i])) / (1 + step) / (1 + step);
            for (std::size_t j = 0; j < k; ++j) {
                qp[j] = (qp[j] + step * q[i * k + j]) / (1 + step);
                probabilities[j] /= 1 + step;
            }
        }
    }
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
