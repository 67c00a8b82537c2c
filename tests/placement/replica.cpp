// SPDX-License-Identifier: MIT
#include <fanfold/placement/replica.hpp>

#include <stdexcept>
#include <vector>

#include "../catch.hpp"

using namespace fanfold;

namespace {

/// Knows where it was made.
struct weights {
    cpu_list made_on = detail::affinity_cpus();
    float by = 2;

    [[nodiscard]] static std::vector<tensor_type> answers(const batch& all) {
        return {{element::float32, all.shape(), 0, ""}};
    }
    [[nodiscard]] static std::size_t workspace_bytes(std::size_t) { return 0; }
    void operator()(const batch_view& rows, const mutable_batch_view& out, workspace&) const {
        for (std::size_t i = 0; i < rows.rows(); ++i) out[0].as<float>().flat()[i] = by * rows[0].as<float>().flat()[i];
    }
};

}  // namespace

TEST_CASE("One copy a node, each made on its node's CPUs, and handed to who runs there") {
    const cpu_list mine = detail::affinity_cpus();
    if (mine.size() < 2) return;
    const topology machine{mine, {}, {{mine[0]}, {mine[1]}}, 0};
    int made = 0;
    const replicas model(machine, [&] { return ++made, weights{}; });
    REQUIRE(model.size() == 2);
    CHECK(made == 2);
    CHECK(detail::affinity_cpus() == mine);
    for (std::size_t node = 0; node < 2; ++node) {
        CHECK(model.on(node).made_on == machine.nodes[node]);
        const affinity_scope there(machine.nodes[node]);
        CHECK(&model.here() == &model.on(node));
    }
}

TEST_CASE("With one node there is one copy, made by who asks for it") {
    const topology machine{{0, 1}, {}, {{0, 1}}, 0};
    int made = 0;
    const replicas model(machine, [&] { return ++made, weights{}; });
    CHECK(model.size() == 1);
    CHECK(made == 1);
    CHECK(&model.here() == &model.on(0));
}

TEST_CASE("Replicas are a model like the one that they are of, declared or a callable") {
    const cpu_list mine = detail::affinity_cpus();
    topology machine{mine, {}, {mine, {mine.back() + 1}}, 0};  // nobody runs on the second
    const replicas declared(machine, [] { return weights{}; });
    static_assert(fanfold::declared_model<decltype(declared)>);
    const std::vector<float> rows{1, 2, 3};
    std::vector<float> out(3);
    const tensor_view in = as_view(rows);
    const mutable_tensor_view to(reinterpret_cast<std::byte*>(out.data()), element::float32, in.shape());
    workspace space;
    declared(batch_view({&in, 1}, 3), mutable_batch_view({&to, 1}, 3), space);
    CHECK(out == std::vector<float>{2, 4, 6});

    const auto twice = [](std::span<const float> x) { return std::vector<float>(x.begin(), x.end()); };
    const replicas callable(machine, [&] { return twice; });
    static_assert(fanfold::model<decltype(callable)>);
    CHECK(callable(batch_view({&in, 1}, 3)) == rows);
}

TEST_CASE("What making a copy throws comes to who asked") {
    const topology machine{{0}, {}, {{0}, {1}}, 0};
    const auto make = []() -> weights { throw std::runtime_error("no weights"); };
    CHECK_THROWS_WITH(replicas(machine, make), "no weights");
}
