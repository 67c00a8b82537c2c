// tests/odr.cpp - a second translation unit in every test program: what is not inline shows up as a link error.
// SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>  // once
#include <fanfold/fanfold.hpp>  // and again: guarded
