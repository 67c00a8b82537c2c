// SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>

#include <vector>

int main() {
    const std::vector<float> rows{1, 2, 3};
    const auto twice = [](std::span<const float> some) {
        std::vector<float> answers(some.begin(), some.end());
        for (float& answer : answers) answer *= 2;
        return answers;
    };
    const fanfold::job job = fanfold::infer(fanfold::serial_executor(), twice, rows);
    return job.failures.empty() && job.answers.as<float>().flat()[2] == 6 ? 0 : 1;
}
