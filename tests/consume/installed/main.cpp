// SPDX-License-Identifier: MIT
#include <fanfold/core/eigen_tensor.hpp>
#include <fanfold/evaluate/report_json.hpp>
#include <fanfold/fanfold.hpp>
#include <fanfold/onnx/load.hpp>

#include <cstdio>
#include <exception>
#include <vector>

std::size_t rows_of_another_file();

int main(int, char** files) try {
    const fanfold::graph model = fanfold::onnx::load(files[1]);
    const fanfold::tensor images(fanfold::element::float32, {10, 1, 28, 28});
    const fanfold::job job = fanfold::infer(fanfold::threads_executor(), model, images);
    std::printf("%s\n", nlohmann::json(fanfold::report(job)).dump().c_str());
    return job.failures.empty() && job.answers.rows() == rows_of_another_file() ? 0 : 1;
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
