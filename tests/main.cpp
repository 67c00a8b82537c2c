// tests/main.cpp - Catch2's main, compiled once for all tests.
// SPDX-License-Identifier: MIT
#define CATCH_CONFIG_RUNNER
#include "catch.hpp"

#include <fanfold/kernel/isa.hpp>

#include <cstdio>   // std::printf
#include <cstdlib>  // std::getenv

int main(int argc, char** argv) {
    constexpr int skipped = 77;                          // SKIP_RETURN_CODE in CMakeLists.txt
    if (const char* isa = std::getenv("FANFOLD_ISA")) {  // CTest sets it; this CPU may not have it
        for (const auto known : {fanfold::kernel::isa::avx2, fanfold::kernel::isa::avx512})
            if (isa == name_of(known) && !supports(known)) {
                std::printf("skipped: this CPU has no %s\n", isa);
                return skipped;
            }
    }
    return Catch::Session().run(argc, argv);
}
