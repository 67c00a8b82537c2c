// SPDX-License-Identifier: MIT
#include <fanfold/schedule/threads.hpp>
#include <fanfold/serve/carried_state.hpp>
#include <fanfold/serve/continuous.hpp>

#include <vector>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;

namespace {

/// state[:, row] = 2 state[:, row] + [x, by]; answer = their sum. States lie along axis 1.
struct network {
    [[nodiscard]] std::vector<tensor_type> answers(const batch& in) const {
        const auto rows = static_cast<std::int64_t>(in.rows());
        return {{element::float32, shape{rows, 1}, 0, "sum"}, {element::float32, shape{2, rows}, 1, "after"}};
    }
    [[nodiscard]] static std::size_t workspace_bytes(std::size_t) { return 0; }
    void operator()(const batch_view& in, const mutable_batch_view& out, workspace&) const {
        const std::size_t rows = in.rows();
        const auto x = in[0].as<float>().flat(), before = in[1].as<float>().flat(), by = in[2].as<float>().flat();
        const auto sum = out[0].as<float>().flat(), after = out[1].as<float>().flat();
        for (std::size_t row = 0; row < rows; ++row) {
            after[row] = 2 * before[row] + x[row];
            after[rows + row] = 2 * before[rows + row] + by[0];
            sum[row] = after[row] + after[rows + row];
        }
    }
};

batch beginning(float at) {
    return batch{part{tensor(element::float32, shape{1, 1})}, part{tensor::of<float>({2, 1}, {at, at}), 1},
                 part{tensor::of<float>({1}, {3}), shared_by_all_rows}};
}

}  // namespace

TEST_CASE("A network's state is carried from step to step along the row axis that it declares") {
    const network model;
    const carried_state stepping(model, beginning(5), {.states = {{.input = 1, .answer = 1}}});
    CHECK(stepping.form().item.shape == shape{1});
    CHECK(stepping.form().kind == sequence_kind::answer_by_item);
    const threads_executor cores({.workers = 2});
    continuous server(cores, stepping, {.max_slots = 3});
    std::vector<pending<reply>> all;
    for (int length = 1; length <= 8; ++length) {
        std::vector<float> items;
        for (int i = 0; i < length; ++i) items.push_back(static_cast<float>(length + i));
        all.push_back(server.submit(tensor::of<float>({length, 1}, items)));
    }
    for (int length = 1; length <= 8; ++length) {
        const reply r = all[static_cast<std::size_t>(length - 1)].get();
        REQUIRE(r.answered());
        float a = 5, b = 5;
        for (int i = 0; i < length; ++i) {
            a = 2 * a + static_cast<float>(length + i);
            b = 2 * b + 3;
            CHECK(r.answers.as<float>().flat()[static_cast<std::size_t>(i)] == a + b);
        }
    }
}

TEST_CASE("States that do not fit are refused") {
    const network model;
    const auto refusal = [&](batch begin, carried_state_options how) {
        return text_of([&] { carried_state(model, std::move(begin), std::move(how)); });
    };
    CHECK(refusal(beginning(0), {.states = {{.input = 2, .answer = 1}}}) ==
          "carried_state: input 2 and answer 1 are no state of a row");
    CHECK(refusal(beginning(0), {.states = {{.input = 1, .answer = 0}}}) ==
          "carried_state: input float32 [2, 1] cannot be answer [1, 1]");
    CHECK(refusal(beginning(0), {.item = 1}) == "carried_state: input 1 has no rows along axis 0 that could be items");
    CHECK(refusal(beginning(0), {.answer = 1}) == "carried_state: answer 1 has no rows along axis 0");
}
