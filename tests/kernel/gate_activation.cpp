// SPDX-License-Identifier: MIT
#include <fanfold/kernel/gate_activation.hpp>

#include "../catch.hpp"

using namespace fanfold::kernel;

TEST_CASE("recurrent activations are found by name and take ONNX's defaults", "[kernel][recurrent]") {
    CHECK(gate_activation_named("Tanh").function == gate_activation::kind::tanh);
    const auto hard = gate_activation_named("HardSigmoid");
    CHECK((hard.alpha == 0.2F && hard.beta == 0.5F));
    const auto given = gate_activation_named("hardSigmoid", 0.3F, 0.4F);
    CHECK((given.alpha == 0.3F && given.beta == 0.4F));
    CHECK(gate_activation_named("LeakyRelu").alpha == 0.01F);
    CHECK_THROWS_AS(gate_activation_named("Swish"), std::invalid_argument);
}
