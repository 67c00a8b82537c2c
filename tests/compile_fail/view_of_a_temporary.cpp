// A view of a temporary tensor would dangle.
// SPDX-License-Identifier: MIT
#include <fanfold/core/tensor.hpp>

fanfold::shape run() {
#ifdef FANFOLD_PUT_RIGHT
    const fanfold::tensor images(fanfold::element::float32, {10, 4});
    const fanfold::tensor_view seen = images;
#else
    const fanfold::tensor_view seen = fanfold::tensor(fanfold::element::float32, {10, 4});
#endif
    return seen.shape();
}
