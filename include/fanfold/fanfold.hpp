// fanfold/fanfold.hpp - everything but adapters (onnx/, ...), Eigen's TensorMap and JSON, in the order of a batch's journey.
// SPDX-License-Identifier: MIT
#pragma once
#include "core/batch.hpp"
#include "core/eigen.hpp"
#include "core/fault.hpp"
#include "core/outcome.hpp"
#include "core/tensor.hpp"
//
#include "context/workspace.hpp"
//
#include "kernel/convolution.hpp"
#include "kernel/elementwise.hpp"
#include "kernel/matmul.hpp"
#include "kernel/pooling.hpp"
#include "kernel/softmax.hpp"
//
#include "model/graph_builder.hpp"
#include "model/model.hpp"
//
#include "partition/contiguous.hpp"
//
#include "placement/topology.hpp"
#include "placement/workspaces.hpp"
//
#include "schedule/serial.hpp"
#include "schedule/tbb.hpp"
#include "schedule/threads.hpp"
//
#include "verify/digest.hpp"
#include "verify/finite.hpp"
//
#include "infer/infer.hpp"
//
#include "evaluate/report.hpp"
