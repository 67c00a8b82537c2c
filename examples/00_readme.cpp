// examples/00_readme.cpp - the program in README.md; a test compares the two.
// SPDX-License-Identifier: MIT
// README begins
#include <fanfold/fanfold.hpp>
#include <fanfold/onnx/load.hpp>

#include <cstdio>

int main(int, char** files) {
    const auto model = fanfold::onnx::load(files[1]);                            // or any callable: answers = f(rows)
    const fanfold::tensor images(fanfold::element::float32, {1000, 1, 28, 28});  // or a vector, an Eigen matrix, ...

    const fanfold::tbb_executor cores;  // the CPUs that this process may use
    const auto job = fanfold::infer(cores, model, images, {.partition = fanfold::contiguous{.rows_per_shard = 64}});

    for (const fanfold::fault& failed : job.failures) std::printf("no answer: %s\n", failed.message.c_str());
    std::printf("%s, %.0f rows/s\n", job.answers.shape().text().c_str(), fanfold::report(job).rows_per_s);
}
// README ends
