// tests/main.cpp - Catch2's main, compiled once for all tests.
// SPDX-License-Identifier: MIT
#define CATCH_CONFIG_RUNNER
#include "catch.hpp"

#include <fanfold/kernel/isa.hpp>

#include <cstdio>   // std::printf
#include <cstdlib>  // std::getenv

#include "test_data.hpp"

int main(int argc, char** argv) {
    if (const char* isa = std::getenv("FANFOLD_ISA")) {  // CTest sets it; this CPU may not have it
        for (const auto known : {fanfold::kernel::isa::avx2, fanfold::kernel::isa::avx512})
            if (isa == name_of(known) && !supports(known)) {
                std::printf("skipped: this CPU has no %s\n", isa);
                return test_data::skip_code;
            }
    }
    const int failed = Catch::Session().run(argc, argv);
    return failed == 0 && test_data::something_skipped ? test_data::skip_code : failed;
}
