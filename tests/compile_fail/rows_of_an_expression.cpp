// An expression of Eigen's has no elements to see: evaluate it first.
// SPDX-License-Identifier: MIT
#include <fanfold/core/eigen.hpp>
#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/serial.hpp>

fanfold::job run(const Eigen::MatrixXf& a, const Eigen::MatrixXf& b) {
#ifdef FANFOLD_PUT_RIGHT
    const Eigen::MatrixXf rows = a * b;
#else
    const auto rows = a * b;
#endif
    return fanfold::infer(
        fanfold::serial_executor(), [](const fanfold::tensor_view& some) { return fanfold::tensor(some); }, rows);
}
