// fanfold/fanfold.hpp - what it takes to infer with a callable, in the order of a batch's journey.
// Apart from it: onnx/load.hpp, graphs (model/graph_builder.hpp), kernel/, core/eigen_tensor.hpp, evaluate/table.hpp,
// partition/{bucketed,hashed,longest_first,cost_model}.hpp, checkpoint/memory_ledger.hpp, schedule/simulated.hpp.
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
#include "model/model.hpp"
//
#include "partition/contiguous.hpp"
#include "partition/weighted.hpp"
//
#include "placement/topology.hpp"
#include "placement/workspaces.hpp"
//
#include "schedule/serial.hpp"
#include "schedule/tbb.hpp"
#include "schedule/threads.hpp"
//
#include "verify/checksum.hpp"
#include "verify/digest.hpp"
#include "verify/duplicate.hpp"
#include "verify/finite.hpp"
#include "verify/vote.hpp"
//
//
#include "infer/infer.hpp"
//
#include "evaluate/report.hpp"
