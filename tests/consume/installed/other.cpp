// SPDX-License-Identifier: MIT
#include <fanfold/core/eigen_tensor.hpp>
#include <fanfold/fanfold.hpp>
#include <fanfold/onnx/load.hpp>

std::size_t rows_of_another_file();

std::size_t rows_of_another_file() {
    const Eigen::MatrixXf rows = Eigen::MatrixXf::Ones(10, 3);
    const auto sums = [](fanfold::matrix_map<const float> some) { return some.rowwise().sum(); };
    return fanfold::infer(fanfold::tbb_executor(), sums, rows).answers.rows();
}
