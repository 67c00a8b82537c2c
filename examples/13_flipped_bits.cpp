// examples/13_flipped_bits.cpp - flipped bits, and who notices: a table of what each check saw. A small network on four
// virtual workers, so that the table is the same everywhere.
// SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>
#include <fanfold/model/graph_builder.hpp>
#include <fanfold/model/operators/dense.hpp>
#include <fanfold/schedule/simulated.hpp>

#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

using namespace fanfold;
using namespace std::chrono_literals;

namespace {

void flip(float& hit, unsigned bit) { hit = std::bit_cast<float>(std::bit_cast<std::uint32_t>(hit) ^ (1U << bit)); }

/// Hands its input on. What `fault` points to happens to it on the way.
class memory_between_layers {
public:
    struct fault {
        enum { none, once, to_infinity, always_on_one_worker } what = none;
        function_ref<std::size_t()> worker = {};  ///< who computes just now
        int calls = 0;
    };
    explicit memory_between_layers(fault* what) : fault_(what) {}

    static constexpr bool elementwise = true;
    [[nodiscard]] static std::string_view name() noexcept { return "Memory"; }
    [[nodiscard]] static std::vector<value_type> answers(std::span<const argument> in) { return {in[0]}; }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        copy_elements(in[0], out[0]);
        float& hit = out[0].as<float>().flat()[5];
        const int call = fault_->calls++;
        if (fault_->what == fault::once && call == 7) flip(hit, 20);
        if (fault_->what == fault::to_infinity && call == 7) hit = std::bit_cast<float>(0x7F800000U);
        if (fault_->what == fault::always_on_one_worker && fault_->worker() == 2) flip(hit, 20);
    }

private:
    fault* fault_;
};

graph network(memory_between_layers::fault* what) {
    std::vector<float> first(32 * 64), second(64 * 10);
    for (std::size_t i = 0; i < first.size(); ++i) first[i] = std::sin(static_cast<float>(i * i % 1009));
    for (std::size_t i = 0; i < second.size(); ++i) second[i] = std::cos(static_cast<float>(i * i % 1013));
    graph_builder build;
    const auto x = build.input("x", {element::float32, {rows_extent, 32}});
    const auto hidden = build.add(dense(view<const float>(first.data(), shape{32, 64})), {x}).front();
    const auto kept = build.add(memory_between_layers(what), {hidden}).front();
    const auto y = build.add(dense(view<const float>(second.data(), shape{64, 10})), {kept}).front();
    return std::move(build).finish({{"y", y}});
}

}  // namespace

int main() {
    tensor rows(element::float32, {400, 32});
    for (std::size_t i = 0; i < rows.size(); ++i) rows.as<float>().flat()[i] = std::sin(static_cast<float>(i));

    memory_between_layers::fault fault;
    const graph model = network(&fault);
    model.prepare_checksums();
    const options plain{.partition = contiguous{.rows_per_shard = 20}};
    const std::uint64_t clean = digest(infer(serial_executor(), model, rows, plain).answers);

    struct check {
        const char* name;
        options how;
    };
    std::vector<check> checks(5, {"", plain});
    checks[0].name = "finite", checks[0].how.verify = fanfold::finite{};
    checks[1].name = "checksum", checks[1].how.checksum = checksum{};
    checks[2].name = "duplicate", checks[2].how.duplicate = duplicate{};
    checks[3].name = "vote", checks[3].how.vote = vote{};
    checks[4].name = "digests", checks[4].how.digests = digests::of_rows;

    const char* const faults[] = {"nothing",
                                  "an activation, once",
                                  "an activation, to infinity",
                                  "a worker that always errs",
                                  "a weight in memory",
                                  "an answer, after the job"};
    std::printf("%-28s", "what flips");
    for (const check& one : checks) std::printf("%-12s", one.name);
    std::printf("\n");

    int surprises = 0;
    for (std::size_t what = 0; what < std::size(faults); ++what) {
        std::printf("%-28s", faults[what]);
        std::string said;
        for (const check& one : checks) {
            using kind = memory_between_layers::fault;
            fault = {what == 1   ? kind::once
                     : what == 2 ? kind::to_infinity
                     : what == 3 ? kind::always_on_one_worker
                                 : kind::none};
            float& weight = const_cast<float*>(model.state().steps.front().op.as<dense>()->seen().panels)[3];
            if (what == 4) flip(weight, 24);

            const simulated_executor cluster({.workers = 4}, [](const claim&, std::size_t) { return 1ms; });
            const auto who = [&] { return cluster.worker(); };
            fault.worker = who;
            const job done = infer(cluster, model, rows, one.how);
            if (what == 4) flip(weight, 24);
            if (what == 5) flip(*const_cast<float*>(done.answers.as<float>().data()), 20);

            const bool named = !done.failures.empty() || !changed_rows(done).empty();
            const bool right = digest(done.answers) == clean;
            const char* word = named ? "named" : right ? (done.events.lies.empty() ? "right" : "put right") : "-";
            std::printf("%-12s", word);
            said += *word;
        }
        std::printf("\n");
        const char* const expected[] = {"rrrrr", "--pp-", "nppp-", "--pp-", "-n---", "----n"};
        surprises += said != expected[what];
    }
    std::printf(
        "\n-          wrong answers, and nobody noticed\n"
        "named      the rows concerned are in job.failures, or changed_rows(job) finds them\n"
        "put right  other workers gave other bits; job.events.lies says who erred\n");
    return surprises;
}
