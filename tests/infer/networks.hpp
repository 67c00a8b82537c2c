// tests/infer/networks.hpp - the trained networks and the images that the tests of whole journeys use.
// SPDX-License-Identifier: MIT
#pragma once
#include <fanfold/core/tensor.hpp>
#include <fanfold/model/graph.hpp>

#include <fstream>
#include <random>
#include <stdexcept>
#include <string>

namespace networks {

inline const std::string folder = FANFOLD_TEST_DATA;

// Defined in networks.cpp, so that importer and kernels are compiled once for all these tests.
fanfold::graph lenet5();
fanfold::graph mlp();
/// From images [rows, 33, 31, 24] with channels last to "scores" and "h"; every step is large enough to be split.
fanfold::graph splittable();
/// Rows at axis 1 of x and of the first answer, at axis 0 of the others.
fanfold::graph rows_at_axis_1(const fanfold::symbolic_shape& x);
/// x times a third: two constants that are divided when the graph is built.
fanfold::graph folded_third();

/// Pictures of seeded noise: like images to a network's arithmetic, and always there.
inline fanfold::tensor noise(std::size_t images) {
    fanfold::tensor made(fanfold::element::float32, {static_cast<std::int64_t>(images), 1, 28, 28});
    std::mt19937 generator(7);
    std::uniform_real_distribution<float> pixel(0, 1);
    for (float& value : made.as<float>().flat()) value = pixel(generator);
    return made;
}

/// Seeded noise between -0.1 and 0.1.
inline fanfold::tensor small_numbers(const fanfold::shape& extents, unsigned seed) {
    fanfold::tensor made(fanfold::element::float32, extents);
    std::mt19937 generator(seed);
    std::uniform_real_distribution<float> number(-0.1F, 0.1F);
    for (float& value : made.as<float>().flat()) value = number(generator);
    return made;
}

/// A file of float32 values.
inline fanfold::tensor floats(const std::string& file, const fanfold::shape& extents) {
    fanfold::tensor made(fanfold::element::float32, extents);
    std::ifstream in(folder + "/" + file, std::ios::binary);
    if (!in.read(reinterpret_cast<char*>(made.data()), static_cast<std::streamsize>(made.bytes())))
        throw std::runtime_error(folder + "/" + file + ": not as long as expected");
    return made;
}

}  // namespace networks
