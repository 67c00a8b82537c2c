// SPDX-License-Identifier: MIT
#include <fanfold/serve/stepper.hpp>
#include <fanfold/verify/finite.hpp>

#include <limits>
#include <stdexcept>
#include <vector>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;
using detail::kept_sequence;
using verdict = detail::sequence_queue::verdict;

namespace {

/// Each answer is the sum of its sequence's items so far; one of 100 ends it.
struct adder {
    sequence_kind kind = sequence_kind::generating;

    [[nodiscard]] step_form form() const {
        const tensor_type number{element::float32, shape{}, {}, {}};
        return {number, number, kind, 4, 10};
    }
    [[nodiscard]] std::vector<float> state(std::size_t slots) const { return std::vector<float>(slots); }
    void step(std::vector<float>& sums, std::span<const step_piece> pieces, const tensor_view& items,
              const mutable_tensor_view& answers, workspace&) const {
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            float& sum = sums[pieces[i].slot];
            if (pieces[i].position == 0) sum = 0;
            for (const float x : items.as<float>().flat().subspan(pieces[i].first, pieces[i].items)) {
                if (x < 0) throw std::domain_error("a negative item");
                sum += x;
            }
            if (pieces[i].answered) answers.as<float>().flat()[i] = sum;
        }
    }
    [[nodiscard]] static bool ends(const tensor_view& answer) { return answer.as<float>().data()[0] == 100; }
};

/// Sequences in the slots 0, 1, ... of one group; all that each has not stepped with yet is in the next step.
class together {
public:
    explicit together(const adder& model, any_verifier verify = {}) : work_(model, 8, std::move(verify)) {}

    kept_sequence& join(const std::vector<float>& items) {
        all_.push_back(std::make_unique<kept_sequence>());
        extents_.push_back(work_.take(as_view(items), 0, *all_.back()));
        at_.push_back(0);
        return *all_.back();
    }
    /// What the model threw.
    std::optional<fault> step() {
        std::vector<detail::sequence_queue::piece> pieces;
        group.who.clear();
        for (std::size_t i = 0; i < all_.size(); ++i) {
            const std::size_t items = all_[i]->items.size() / sizeof(float) - at_[i];
            pieces.push_back(
                {static_cast<detail::sequence_queue::ticket>(i), i, at_[i], items, at_[i] + items > extents_[i].quiet});
            at_[i] += items;
            group.who.push_back(all_[i].get());
        }
        work_.gather(group, pieces, time_point(std::chrono::seconds(++steps_)));
        workspace space;
        std::optional<fault> error = work_.compute(group, space);
        if (!error) work_.judge(group);
        return error;
    }
    std::vector<float> answers(kept_sequence& of) const {
        const reply r = work_.reply_of(of, {});
        const auto flat = r.answers.as<float>().flat();
        return {flat.begin(), flat.end()};
    }
    const detail::stepper<adder>& work() const { return work_; }

    detail::stepper<adder>::group group;

private:
    detail::stepper<adder> work_;
    std::vector<std::unique_ptr<kept_sequence>> all_;
    std::vector<detail::stepper<adder>::extent> extents_;
    std::vector<std::size_t> at_;
    int steps_ = 0;
};

}  // namespace

TEST_CASE("Sequences that step together have the answers that each has alone; answers become items") {
    const adder model;
    together run(model);
    kept_sequence& a = run.join({1, 2, 3});
    REQUIRE_FALSE(run.step());
    kept_sequence& b = run.join({5});
    REQUIRE_FALSE(run.step());
    REQUIRE_FALSE(run.step());
    CHECK(run.answers(a) == std::vector<float>{6, 12, 24});
    CHECK(run.answers(b) == std::vector<float>{5, 10});
    CHECK(a.largest == 2);
    CHECK(a.started == time_point(std::chrono::seconds(1)));
    CHECK(b.started == time_point(std::chrono::seconds(2)));
}

TEST_CASE("A sequence ends where the model says so, or who is called with its answers") {
    const adder model;
    together run(model);
    run.join({40, 60});
    kept_sequence& called = run.join({1});
    std::vector<std::size_t> numbers;
    called.each = {std::shared_ptr<void>(&numbers, [](void*) {}), [](void* to, std::size_t answer, const tensor_view&) {
                       static_cast<std::vector<std::size_t>*>(to)->push_back(answer);
                       return answer < 1;
                   }};
    REQUIRE_FALSE(run.step());
    CHECK(run.group.said == std::vector{verdict::ends, verdict::goes_on});
    REQUIRE_FALSE(run.step());
    CHECK(run.group.said == std::vector{verdict::goes_on, verdict::ends});
    CHECK(numbers == std::vector<std::size_t>{0, 1});
}

TEST_CASE("An answer that does not pass, or whose caller throws, fails its sequence alone and says why beside it") {
    const adder model;
    together run(model, fanfold::finite{});
    kept_sequence& infinite = run.join({std::numeric_limits<float>::infinity()});
    kept_sequence& fine = run.join({1});
    kept_sequence& thrower = run.join({2});
    thrower.each.call = [](void*, std::size_t, const tensor_view&) -> bool { throw std::runtime_error("enough"); };
    REQUIRE_FALSE(run.step());
    CHECK(run.group.said == std::vector{verdict::fails, verdict::goes_on, verdict::fails});
    REQUIRE(run.group.faults.size() == 2);
    CHECK(run.group.faults[0].first == 0);
    CHECK(run.group.faults[0].second.kind == fault_kind::not_finite);
    CHECK(run.group.faults[1].first == 2);
    CHECK(run.group.faults[1].second.message == "enough");
    CHECK_FALSE(infinite.why);
    CHECK(run.answers(infinite).empty());
    CHECK(run.answers(fine) == std::vector<float>{1});
}

TEST_CASE("After a step that threw nobody has an answer more") {
    const adder model;
    together run(model);
    kept_sequence& fine = run.join({1});
    run.join({-1});
    const auto error = run.step();
    REQUIRE(error);
    CHECK(error->kind == fault_kind::threw);
    CHECK(error->message == "a negative item");
    CHECK(fine.answered == 0);
}

TEST_CASE("Who leaves early is told at which answer, and keeps those that it had") {
    const adder model;
    together run(model);
    kept_sequence& a = run.join({1, 2});
    REQUIRE_FALSE(run.step());
    a.why = fault{fault_kind::timed_out, "late", {}, 0};
    const reply r = run.work().reply_of(a, time_point(std::chrono::seconds(9)));
    CHECK(r.answers.as<float>().flat()[0] == 3);
    REQUIRE(r.failures.size() == 1);
    CHECK(r.failures[0].rows == std::vector<std::size_t>{1});
    CHECK(r.finished == time_point(std::chrono::seconds(9)));
}

TEST_CASE("A prompt is quiet but for its last item; items answered one by one have an answer each") {
    const std::vector<float> items{1, 2, 3};
    kept_sequence into;
    const adder model, by_item{sequence_kind::answer_by_item};
    const auto generated = detail::stepper<adder>(model, 1, {}).take(as_view(items), 0, into);
    CHECK(generated.quiet == 2);
    CHECK(generated.answers == 8);  // max_items = 10, of which the last answer is none
    CHECK(detail::stepper<adder>(model, 1, {}).take(as_view(items), 5, into).answers == 5);
    const auto each = detail::stepper<adder>(by_item, 1, {}).take(as_view(items), 0, into);
    CHECK(each.quiet == 0);
    CHECK(each.answers == 3);
    CHECK(text_of([&] { (void)detail::stepper<adder>(model, 1, {}).take(as_view(items), 9, into); }) ==
          "continuous: 3 items and max_answers = 9 of at most 10");
}
