// Under -ffast-math a row would get other bits in another batch. CMakeLists.txt gives the flag unless put right.
// SPDX-License-Identifier: MIT
#include <fanfold/config.hpp>
