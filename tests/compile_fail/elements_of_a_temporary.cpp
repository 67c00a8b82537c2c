// Elements of a temporary tensor would dangle.
// SPDX-License-Identifier: MIT
#include <fanfold/core/tensor.hpp>

float run() {
#ifdef FANFOLD_PUT_RIGHT
    const fanfold::tensor images(fanfold::element::float32, {10, 4});
    const auto elements = images.as<float>();
#else
    const auto elements = fanfold::tensor(fanfold::element::float32, {10, 4}).as<float>();
#endif
    return elements(0, 0);
}
