// tests/main.cpp - Catch2's main, compiled once for all tests.
// SPDX-License-Identifier: MIT
#define CATCH_CONFIG_RUNNER
#include "catch.hpp"

#include <cstdio>       // std::printf
#include <cstdlib>      // std::getenv
#include <string_view>  // std::string_view

namespace {

/// CTest sets FANFOLD_ISA; a machine without that instruction set cannot run the tests for it.
bool has(std::string_view isa) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (isa == "avx2") return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (isa == "avx512") return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
#else
    if (isa == "avx2" || isa == "avx512") return false;
#endif
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    constexpr int skipped = 77;  // SKIP_RETURN_CODE in CMakeLists.txt
    const char* isa = std::getenv("FANFOLD_ISA");
    if (isa != nullptr && !has(isa)) {
        std::printf("skipped: this CPU has no %s\n", isa);
        return skipped;
    }
    return Catch::Session().run(argc, argv);
}
