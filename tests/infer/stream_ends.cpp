// SPDX-License-Identifier: MIT
#include <fanfold/core/eigen.hpp>
#include <fanfold/infer/stream_ends.hpp>

#include <list>
#include <optional>
#include <vector>

#include "../catch.hpp"

using namespace fanfold;
using detail::sink_answer;
using detail::stream_sink;
using detail::stream_source;

namespace {

std::vector<float> floats(const tensor_view& of) {
    std::vector<float> all(of.shape().volume());
    copy_elements(of, view<float>(all.data(), of.shape()));
    return all;
}

/// Row 7 of a stream with one answer [2].
struct a_row {
    tensor answer = tensor::of<float>({2}, {1, 2});
    tensor_view seen = answer;
    streamed_row row{7, {&seen, 1}, nullptr};
};

}  // namespace

TEST_CASE("A channel is a source that has rows, none now, or none ever again") {
    channel<float> rows(4);
    detail::doorbell bell;
    stream_source<channel<float>> source(rows, bell);
    std::vector<float> into;
    CHECK_FALSE(source.ready());
    CHECK(source.pull(into, 3));
    CHECK(into.empty());
    for (const float x : {1.0F, 2.0F, 3.0F}) rows.push(x);
    CHECK(source.ready());
    CHECK(source.pull(into, 2));
    CHECK(into == std::vector<float>{1, 2});
    rows.close();
    CHECK(source.ready());
    CHECK(source.pull(into, 2));
    CHECK(into == std::vector<float>{1, 2, 3});
    CHECK_FALSE(source.pull(into, 2));
}

TEST_CASE("A callable and a range are sources that are called for no more rows than are wanted") {
    detail::doorbell bell;
    int called = 0;
    auto three = [&]() -> std::optional<int> { return ++called <= 3 ? std::optional(called) : std::nullopt; };
    stream_source<decltype(three)> from_callable(three, bell);
    std::vector<int> into;
    CHECK(from_callable.pull(into, 2));
    CHECK(called == 2);
    CHECK_FALSE(from_callable.pull(into, 5));
    CHECK(into == std::vector<int>{1, 2, 3});

    const std::list<int> two{8, 9};
    stream_source<const std::list<int>> from_range(two, bell);
    into.clear();
    CHECK(from_range.pull(into, 1));
    CHECK_FALSE(from_range.pull(into, 1));
    CHECK(into == std::vector<int>{8, 9});
    CHECK_FALSE(from_range.pull(into, 1));
}

TEST_CASE("A channel is a sink that takes an answer, is full, or is closed") {
    channel<kept_row> answers(1);
    detail::doorbell bell;
    stream_sink<channel<kept_row>> sink(answers, bell);
    const a_row a;
    CHECK(sink.ready());
    CHECK(sink.take(a.row) == sink_answer::taken);
    CHECK_FALSE(sink.ready());
    CHECK(sink.take(a.row) == sink_answer::full);
    const std::optional<kept_row> kept = answers.pop();
    REQUIRE(kept);
    CHECK(kept->row == 7);
    answers.close();
    CHECK(sink.ready());
    CHECK(sink.take(a.row) == sink_answer::closed);
}

TEST_CASE("What a container keeps outlives the answers that it was made of, failures too") {
    std::vector<kept_row> into;
    detail::doorbell bell;
    stream_sink<std::vector<kept_row>> sink(into, bell);
    {
        a_row a;
        const fault why{fault_kind::threw, "why", {7}, 1};
        CHECK(sink.take(a.row) == sink_answer::taken);
        a.row.failure = &why;
        CHECK(sink.take(a.row) == sink_answer::taken);
        a.answer.as<float>().flat()[0] = 5;
    }
    REQUIRE(into.size() == 2);
    CHECK(floats(into[0].answers.at(0)) == std::vector<float>{1, 2});
    CHECK_FALSE(into[0].failure);
    REQUIRE(into[1].failure);
    CHECK(into[1].failure->message == "why");
}

TEST_CASE("Rows look alike where number, types and shapes of their inputs are equal") {
    const auto row = [](const shape& extents) { return tensor(element::float32, extents); };
    CHECK(detail::look_alike(1.0F, 2.0F));
    CHECK(detail::look_alike(row({2, 3}), row({2, 3})));
    CHECK_FALSE(detail::look_alike(row({2, 3}), row({3, 2})));
    CHECK_FALSE(detail::look_alike(row({2, 3}), tensor(element::int32, {2, 3})));
    using inputs = std::vector<tensor>;
    CHECK(detail::look_alike(inputs{row({1}), row({2})}, inputs{row({1}), row({2})}));
    CHECK_FALSE(detail::look_alike(inputs{row({1}), row({2})}, inputs{row({1}), row({3})}));
    CHECK_FALSE(detail::look_alike(inputs{row({1})}, inputs{row({1}), row({2})}));
}

TEST_CASE("Rows become a batch with a new axis 0: numbers, vectors, views by column, several inputs") {
    const std::vector<float> numbers{1, 2, 3};
    const batch of_numbers = detail::stacked(std::span<const float>(numbers));
    CHECK(of_numbers[0].shape() == shape{3});

    Eigen::Matrix2f a, b;
    a << 1, 2, 3, 4;
    b << 5, 6, 7, 8;
    const std::vector<Eigen::Matrix2f> matrices{a, b};
    const batch of_matrices = detail::stacked(std::span<const Eigen::Matrix2f>(matrices));
    CHECK(of_matrices[0].shape() == shape{2, 2, 2});
    CHECK(floats(of_matrices[0]) == std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8});

    const std::vector<std::vector<tensor>> rows{{tensor::of<float>({1}, {1}), tensor::of<float>({2}, {2, 3})},
                                                {tensor::of<float>({1}, {4}), tensor::of<float>({2}, {5, 6})}};
    const batch of_two = detail::stacked(std::span<const std::vector<tensor>>(rows));
    REQUIRE(of_two.size() == 2);
    CHECK(floats(of_two[0]) == std::vector<float>{1, 4});
    CHECK(floats(of_two[1]) == std::vector<float>{2, 3, 5, 6});

    const std::vector<std::vector<float>> empty(2);
    CHECK(detail::stacked(std::span<const std::vector<float>>(empty))[0].shape() == shape{2, 0});
}
