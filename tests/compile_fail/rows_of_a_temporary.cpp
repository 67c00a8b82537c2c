// Rows of a temporary tensor would dangle.
// SPDX-License-Identifier: MIT
#include <fanfold/core/tensor.hpp>

fanfold::shape run() {
#ifdef FANFOLD_PUT_RIGHT
    const fanfold::tensor images(fanfold::element::float32, {10, 4});
    return images.rows(0, 2).shape();
#else
    return fanfold::tensor(fanfold::element::float32, {10, 4}).rows(0, 2).shape();
#endif
}
