// tests/odr.cpp - a second translation unit in every test program: what is not inline shows up as a link error.
// SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>  // once
#include <fanfold/fanfold.hpp>  // and again: guarded
//
#include <fanfold/evaluate/table.hpp>
#include <fanfold/kernel/convolution.hpp>
#include <fanfold/kernel/elementwise.hpp>
#include <fanfold/kernel/matmul.hpp>
#include <fanfold/kernel/pooling.hpp>
#include <fanfold/kernel/softmax.hpp>
#include <fanfold/model/graph_builder.hpp>
