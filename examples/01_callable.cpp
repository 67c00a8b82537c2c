// examples/01_callable.cpp - any callable is a model: rows in a std::vector, answers in another one.
// SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>

#include <cmath>
#include <cstdio>
#include <span>
#include <vector>

int main() {
    std::vector<float> angles(100'000);
    for (std::size_t i = 0; i < angles.size(); ++i) angles[i] = static_cast<float>(i) * 1e-4F;

    const auto model = [](std::span<const float> rows) {  // called for one shard after another, on several workers
        std::vector<float> answers;
        for (const float angle : rows) answers.push_back(std::sin(angle));
        return answers;
    };
    const fanfold::job job = fanfold::infer(fanfold::tbb_executor(), model, angles);

    const auto sines = job.answers.as<float>().flat();  // in the order of the rows
    std::printf("sin(%g) = %g, %zu rows failed\n", angles[15708], sines[15708], job.failed_rows());
    return job.failures.empty() ? 0 : 1;
}
