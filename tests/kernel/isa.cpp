// SPDX-License-Identifier: MIT
#include <fanfold/kernel/isa.hpp>

#include <cstdlib>
#include <string>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("the baseline is always supported and the best set is supported", "[kernel][isa]") {
    CHECK(kernel::supports(kernel::isa::baseline));
    CHECK(kernel::supports(kernel::best_isa()));
}

TEST_CASE("an instruction set is found by its name", "[kernel][isa]") {
    CHECK(kernel::isa_named("") == kernel::best_isa());
    CHECK(kernel::isa_named("baseline") == kernel::isa::baseline);
    CHECK(kernel::isa_named(FANFOLD_NEON ? "neon" : "sse2") == kernel::isa::baseline);
    CHECK(kernel::name_of(kernel::isa::baseline) == (FANFOLD_NEON ? "neon" : "baseline"));
    CHECK_THROWS_AS(kernel::isa_named(FANFOLD_NEON ? "sse2" : "neon"), std::invalid_argument);
    for (const auto set : {kernel::isa::avx2, kernel::isa::avx512}) {
        if (kernel::supports(set))
            CHECK(kernel::isa_named(kernel::name_of(set)) == set);
        else
            CHECK_THROWS_AS(kernel::isa_named(kernel::name_of(set)), std::invalid_argument);
    }
}

TEST_CASE("an unknown instruction set is refused with its name and the supported ones", "[kernel][isa]") {
    try {
        (void)kernel::isa_named("avx9");
        FAIL("accepted");
    } catch (const std::invalid_argument& error) {
        const std::string text = error.what();
        CHECK(text.find("'avx9'") != std::string::npos);
        CHECK(text.find("FANFOLD_ISA") != std::string::npos);
        CHECK(text.find(kernel::name_of(kernel::isa::baseline)) != std::string::npos);
    }
}

TEST_CASE("the environment decides which set is active", "[kernel][isa]") {
    const char* asked = std::getenv("FANFOLD_ISA");
    CHECK(kernel::active_isa() == kernel::isa_named(asked == nullptr ? "" : asked));
}
