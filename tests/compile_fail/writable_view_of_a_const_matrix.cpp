// What is const is not written through a view.
// SPDX-License-Identifier: MIT
#include <fanfold/core/eigen.hpp>

void fill(fanfold::view<float> elements);

#ifdef FANFOLD_PUT_RIGHT
void run(Eigen::MatrixXf& matrix) { fill(matrix); }
#else
void run(const Eigen::MatrixXf& matrix) { fill(matrix); }
#endif
