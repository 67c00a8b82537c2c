// tests/infer/networks.cpp - the part of networks.hpp that compiles the importer.
// SPDX-License-Identifier: MIT
#include "networks.hpp"

#include <fanfold/onnx/load.hpp>

namespace networks {

fanfold::graph lenet5() { return fanfold::onnx::load(folder + "/fmnist_lenet5.onnx"); }
fanfold::graph mlp() { return fanfold::onnx::load(folder + "/fmnist_mlp.onnx"); }

}  // namespace networks
