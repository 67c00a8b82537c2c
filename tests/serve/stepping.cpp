// SPDX-License-Identifier: MIT
#include <fanfold/serve/stepping.hpp>

#include <memory>
#include <vector>

#include "../catch.hpp"

using namespace fanfold;

namespace {

struct as_a_user_writes_it {
    [[nodiscard]] step_form form() const { return {}; }
    [[nodiscard]] std::vector<float> state(std::size_t slots) const { return std::vector<float>(slots); }
    void step(std::vector<float>&, std::span<const step_piece>, const tensor_view&, const mutable_tensor_view&,
              workspace&) const {}
};
struct with_a_state_that_only_moves : as_a_user_writes_it {
    [[nodiscard]] std::unique_ptr<int> state(std::size_t) const { return std::make_unique<int>(); }
    void step(std::unique_ptr<int>&, std::span<const step_piece>, const tensor_view&, const mutable_tensor_view&,
              workspace&) const {}
};
struct without_a_form : as_a_user_writes_it {
    void form() const {}
};
struct that_steps_with_another_state : as_a_user_writes_it {
    [[nodiscard]] int state(std::size_t) const { return 0; }
};
struct that_changes_by_stepping : as_a_user_writes_it {
    void step(std::vector<float>&, std::span<const step_piece>, const tensor_view&, const mutable_tensor_view&,
              workspace&) {}
};

}  // namespace

TEST_CASE("A stepping model has a form, states that move, and a const step that takes them") {
    STATIC_REQUIRE(stepping_model<as_a_user_writes_it>);
    STATIC_REQUIRE(stepping_model<with_a_state_that_only_moves>);
    STATIC_REQUIRE_FALSE(stepping_model<without_a_form>);
    STATIC_REQUIRE_FALSE(stepping_model<that_steps_with_another_state>);
    STATIC_REQUIRE_FALSE(stepping_model<that_changes_by_stepping>);
}
