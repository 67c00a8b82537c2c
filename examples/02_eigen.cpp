// examples/02_eigen.cpp - models of one's own in plain Eigen, fanned out as they are: a matrix and a tensor expression.
// SPDX-License-Identifier: MIT
#include <fanfold/core/eigen_tensor.hpp>
#include <fanfold/fanfold.hpp>

#include <Eigen/Core>
#include <cstdio>
#include <unsupported/Eigen/CXX11/Tensor>

namespace {

/// The largest difference between two jobs' answers.
float difference(const fanfold::job& a, const fanfold::job& b) {
    return (fanfold::as_matrix<float>(a.answers) - fanfold::as_matrix<float>(b.answers)).cwiseAbs().maxCoeff();
}

}  // namespace

int main() {
    const fanfold::serial_executor one;
    const fanfold::tbb_executor cores;
    const fanfold::options in_shards{.partition = fanfold::contiguous{.rows_per_shard = 100}};
    const fanfold::options in_one{.partition = fanfold::contiguous{.shards = 1}};

    // A two-layer perceptron. Each shard's rows arrive as an Eigen map [rows, 64], nothing is copied. Eigen may sum in
    // another order for another number of rows, so the last bits of a row can depend on the shards; a fanfold graph's
    // do not.
    const Eigen::MatrixXf first = Eigen::MatrixXf::Random(64, 32);
    const Eigen::MatrixXf second = Eigen::MatrixXf::Random(32, 10);
    const auto perceptron = [&](fanfold::matrix_map<const float> rows) {
        return (rows * first).cwiseMax(0.0F) * second;  // an expression: evaluated once, on the worker
    };
    const Eigen::MatrixXf samples = Eigen::MatrixXf::Random(5000, 64);  // column-major: shards are copied to rows
    const fanfold::job classes = fanfold::infer(cores, perceptron, samples, in_shards);
    const float apart = difference(classes, fanfold::infer(one, perceptron, samples, in_one));
    std::printf("matrix: %s, %g from the serial run\n", classes.answers.shape().text().c_str(), apart);

    // Contrast of images: the root mean square of the horizontal gradient, one number for each channel. Tensor
    // expressions refer to `pictures`, so the lambda evaluates them before it returns.
    const auto contrast = [](fanfold::tensor_map<const float, 4> pictures) -> Eigen::Tensor<float, 2, Eigen::RowMajor> {
        using index4 = Eigen::array<Eigen::Index, 4>;
        const index4 size{pictures.dimension(0), pictures.dimension(1), pictures.dimension(2),
                          pictures.dimension(3) - 1};
        const auto right = pictures.slice(index4{0, 0, 0, 1}, size);
        const auto left = pictures.slice(index4{0, 0, 0, 0}, size);
        return (right - left).square().mean(Eigen::array<Eigen::Index, 2>{2, 3}).sqrt();
    };
    Eigen::Tensor<float, 4, Eigen::RowMajor> pictures(2000, 3, 16, 16);
    pictures.setRandom();
    const fanfold::job contrasts = fanfold::infer(cores, contrast, pictures, in_shards);
    const float off = difference(contrasts, fanfold::infer(one, contrast, pictures, in_one));
    std::printf("tensor: %s, %g from the serial run\n", contrasts.answers.shape().text().c_str(), off);

    return classes.failures.empty() && contrasts.failures.empty() && apart < 1e-4F && off < 1e-4F ? 0 : 1;
}
