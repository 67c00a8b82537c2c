// SPDX-License-Identifier: MIT
#include <fanfold/core/batch.hpp>
#include <fanfold/core/eigen.hpp>
#include <fanfold/core/eigen_tensor.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;

namespace {

const void* address(const tensor_view& v) { return v.data(); }

}  // namespace

TEST_CASE("A batch borrows a tensor that has a name") {
    const tensor images(element::float32, {5, 2, 2});
    const batch b = images;
    CHECK(b.rows() == 5);
    CHECK(b.size() == 1);
    CHECK(b[0].data() == images.data());
    CHECK(b.shape() == shape{5, 2, 2});
    CHECK(b.type() == element::float32);
    CHECK(tensor_view(b).data() == images.data());
}

TEST_CASE("A batch borrows vectors, spans and matrices that have a name, const or not") {
    std::vector<float> vector{1, 2, 3};
    const std::vector<float> constant{1, 2, 3};
    const std::span<const float> span = vector;
    Eigen::MatrixXf matrix = Eigen::MatrixXf::Random(3, 2);
    const batch b{vector, constant, span, matrix};
    CHECK(b.rows() == 3);
    CHECK(address(b[0]) == vector.data());
    CHECK(address(b[1]) == constant.data());
    CHECK(address(b[2]) == vector.data());
    CHECK(address(b[3]) == matrix.data());
    CHECK(b[3].as<float>()(2, 1) == matrix(2, 1));
}

TEST_CASE("A batch keeps a temporary, in the memory that it came with") {
    std::vector<float> vector{1, 2, 3};
    const void* const memory = vector.data();
    const batch b{std::move(vector)};
    CHECK(address(b[0]) == memory);
    CHECK(b.as<float>()(2) == 3.0F);
    tensor t = tensor::of<float>({2, 1}, {1, 2});
    const void* const of_t = t.data();
    const batch kept{std::move(t)};
    CHECK(address(kept[0]) == of_t);
    CHECK(t.size() == 0);
    const batch of_matrix{Eigen::MatrixXf(Eigen::MatrixXf::Constant(4, 2, 3.0F))};
    CHECK(of_matrix.rows() == 4);
    CHECK(of_matrix.as<float>()(3, 1) == 3.0F);
}

TEST_CASE("A const temporary is kept as a copy") {
    const std::vector<float> vector{1, 2, 3};
    const batch b{std::move(vector)};
    CHECK(address(b[0]) != vector.data());
    CHECK(b.as<float>()(2) == 3.0F);
}

TEST_CASE("A batch keeps the value that a temporary Eigen::Ref holds") {
    const Eigen::MatrixXf m = Eigen::MatrixXf::Constant(3, 2, 4.0F);
    Eigen::Ref<const Eigen::MatrixXf> sum = m + m;
    const batch b{std::move(sum)};
    CHECK(address(b[0]) != sum.data());
    CHECK(b.shape() == shape{3, 2});
    CHECK(b.as<float>()(2, 1) == 8.0F);
    const Eigen::Ref<const Eigen::MatrixXf> named = m;
    CHECK(address(batch(named)[0]) == m.data());
}

TEST_CASE("What a batch keeps lives as long as any copy of the batch") {
    batch copy = [] {
        batch first{std::vector<float>{1, 2, 3}, part{std::vector<std::int64_t>{7, 8, 9}, 0, "ids"}};
        return batch(first);
    }();
    CHECK(copy[0].as<float>()(1) == 2.0F);
    const batch moved = std::move(copy);
    CHECK(moved.rows() == 3);
    CHECK(moved[1].as<std::int64_t>()(2) == 9);
}

TEST_CASE("A slice of a part keeps what the part keeps") {
    std::optional<part> whole(tensor::of<float>({3, 2}, {0, 1, 2, 3, 4, 5}));
    const part some = whole->slice(1, 2);
    CHECK(some.data().data() == whole->data().rows(1, 2).data());
    CHECK(some.owning());
    whole.reset();
    CHECK(some.data().as<float>()(1, 1) == 5);
    const tensor callers(element::float32, {3, 2});
    CHECK_FALSE(part(callers).owning());
}

TEST_CASE("A view in a batch refers to elements that stay the caller's, temporary or not") {
    tensor t(element::float32, {4, 2});
    const batch b{t.rows(1, 2)};
    CHECK(b.rows() == 2);
    CHECK(address(b[0]) == t.data() + 8);
    const batch typed{t.as<float>()};
    CHECK(address(typed[0]) == t.data());
}

TEST_CASE("Every part of a batch has its own row axis, or is shared by all rows") {
    const tensor ids(element::int64, {6, 3}), past(element::float32, {2, 6, 4}), mask(element::boolean, {7});
    const batch b{ids, part{past, 1, "past"}, part{mask, shared_by_all_rows, "mask"}};
    CHECK(b.rows() == 6);
    CHECK(b.size() == 3);
    REQUIRE(b.parts().size() == 3);
    CHECK(b.parts()[0].rows() == row_axis(0));
    CHECK(b.parts()[0].name().empty());
    CHECK(b.parts()[1].rows() == row_axis(1));
    CHECK(b.parts()[1].name() == "past");
    CHECK_FALSE(b.parts()[2].rows().has_value());
    CHECK(b.parts()[2].data().data() == mask.data());
    CHECK(address(b[1]) == past.data());
}

TEST_CASE("A batch is made from parts counted at run time") {
    const tensor t(element::float32, {2, 3});
    std::vector<part> parts;
    for (int i = 0; i < 3; ++i) parts.emplace_back(t, 1);
    const batch b(std::move(parts));
    CHECK(b.rows() == 3);
    CHECK(b.size() == 3);
}

TEST_CASE("Parts that disagree about the number of rows are refused with names, shapes and both numbers") {
    const tensor ids(element::int64, {6, 3}), past(element::float32, {2, 5});
    const auto wrong = [&] { batch{part{ids, 0, "ids"}, part{past, 1, "past"}}; };
    REQUIRE_THROWS_AS(wrong(), std::invalid_argument);
    CHECK(text_of(wrong) == "batch: tensor 'past' float32 [2, 5] has 5 rows along axis 1, tensor 'ids' has 6");
}

TEST_CASE("A part that all rows share has no say in their number") {
    const tensor mask(element::boolean, {7}), ids(element::int64, {6});
    CHECK(batch(part{mask, shared_by_all_rows}, ids).rows() == 6);
}

TEST_CASE("A batch in which no tensor has rows is refused") {
    const tensor t(element::float32, {2});
    REQUIRE_THROWS_AS(batch(part{t, shared_by_all_rows}), std::invalid_argument);
    REQUIRE_THROWS_AS(batch(std::vector<part>{}), std::invalid_argument);
    CHECK(text_of([] { batch(std::vector<part>{}); }) == "batch: no tensor has a row axis");
}

TEST_CASE("A row axis that a tensor does not have is refused with both") {
    const tensor t(element::float32, {2, 3}), scalar(element::float32, shape{});
    REQUIRE_THROWS_AS((part{t, 2}), std::invalid_argument);
    CHECK(text_of([&] { part{t, 2}; }) == "batch: row axis 2 of a tensor float32 [2, 3]");
    REQUIRE_THROWS_AS(part{scalar}, std::invalid_argument);
    CHECK(batch(t, part{scalar, shared_by_all_rows}).rows() == 2);
}

TEST_CASE("A batch may have no rows") {
    const tensor none(element::float32, {0, 3});
    CHECK(batch(none).rows() == 0);
}

TEST_CASE("A batch of several tensors does not read like one") {
    const tensor t(element::float32, {2, 3});
    const batch b{t, t};
    REQUIRE_THROWS_AS(b.shape(), std::invalid_argument);
    REQUIRE_THROWS_AS(b.type(), std::invalid_argument);
    REQUIRE_THROWS_AS(b.as<float>(), std::invalid_argument);
    CHECK(text_of([&] { (void)b.shape(); }) == "batch of 2 tensors: say which, as in batch[0]");
    CHECK(b[1].shape() == shape{2, 3});
    REQUIRE_THROWS_AS(b[2], std::out_of_range);
}

TEST_CASE("A batch read as another element type names both") {
    const tensor t(element::float32, {2, 3});
    const batch b = t;
    REQUIRE_THROWS_AS(b.as<double>(), std::invalid_argument);
    CHECK(text_of([&] { (void)b.as<double>(); }) == "tensor holds float32, asked for float64");
}

TEST_CASE("Only what is viewable makes a batch") {
    static_assert(std::is_constructible_v<batch, std::vector<float>&> && std::is_constructible_v<batch, tensor>);
    static_assert(!std::is_constructible_v<batch, std::vector<bool>&> && !std::is_constructible_v<batch, int>);
    static_assert(!std::is_constructible_v<batch> && !std::is_constructible_v<batch, tensor, std::string>);
    SUCCEED();
}

TEST_CASE("The rows of a shard become whatever a callable takes, without a copy") {
    const tensor t = tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
    const std::array<tensor_view, 1> parts{t};
    const batch_view rows(parts, 2);
    const float* const first = t.as<float>().data();
    const auto same = [&](const float* at) { return at == first; };
    CHECK([&](view<const float> v) { return same(v.data()) && v(1, 2) == 6.0F; }(rows));
    CHECK([&](std::span<const float> s) { return same(s.data()) && s.size() == 6; }(rows));
    CHECK([&](matrix_map<const float> m) { return same(m.data()) && m.rows() == 2 && m.cols() == 3; }(rows));
    CHECK([&](const matrix_map<const float>& m) { return same(m.data()) && m(1, 0) == 4.0F; }(rows));
    CHECK([&](tensor_map<const float, 2> m) { return same(m.data()) && m(1, 2) == 6.0F; }(rows));
    CHECK([&](tensor_view v) { return v.data() == t.data() && v.shape() == t.shape(); }(rows));
    CHECK([&](const tensor_view& v) { return v.data() == t.data(); }(rows));
    CHECK(same(rows.as<float>().data()));
}

TEST_CASE("The rows of a shard handed over as another element type or rank are refused") {
    const tensor t(element::float32, {2, 3});
    const std::array<tensor_view, 1> parts{t};
    const batch_view rows(parts, 2);
    REQUIRE_THROWS_AS(rows.as<double>(), std::invalid_argument);
    REQUIRE_THROWS_AS([](view<const double>) {}(rows), std::invalid_argument);
    REQUIRE_THROWS_AS([](matrix_map<const double>) {}(rows), std::invalid_argument);
    CHECK(text_of([&] { [](std::span<const bool>) {}(rows); }) == "tensor holds float32, asked for bool");
    CHECK(text_of([&] { [](tensor_map<const float, 3>) {}(rows); }) == "tensor [2, 3] as a map of rank 3");
}

TEST_CASE("The rows of a shard cannot be written, and become no owner of their elements") {
    static_assert(!std::is_convertible_v<batch_view, view<float>>);
    static_assert(!std::is_convertible_v<batch_view, std::span<float>>);
    static_assert(!std::is_convertible_v<batch_view, matrix_map<float>>);
    static_assert(!std::is_convertible_v<batch_view, mutable_tensor_view>);
    static_assert(!std::is_convertible_v<batch_view, std::vector<float>>);
    static_assert(!std::is_convertible_v<batch_view, float>);
    SUCCEED();
}

TEST_CASE("Where answers go is written through whatever a callable takes") {
    tensor t(element::float32, {2, 2});
    const std::array<mutable_tensor_view, 1> parts{t};
    const mutable_batch_view out(parts, 2);
    [](view<float> v) { v(0, 0) = 1.0F; }(out);
    [](std::span<float> s) { s[1] = 2.0F; }(out);
    [](matrix_map<float> m) { m(1, 0) = 3.0F; }(out);
    [](tensor_map<float, 2> m) { m(1, 1) = 4.0F; }(out);
    const auto values = t.as<float>().flat();
    CHECK(std::vector<float>(values.begin(), values.end()) == std::vector<float>{1, 2, 3, 4});
    out.as<float>()(0, 0) = 9.0F;
    CHECK(t.as<float>()(0, 0) == 9.0F);
    CHECK([&](mutable_tensor_view v) { return v.data() == t.data(); }(out));
    CHECK([](matrix_map<const float> m) { return m(0, 0) == 9.0F; }(out));
}

TEST_CASE("The rows of a shard of several tensors are asked for one by one") {
    const tensor a(element::float32, {2, 3}), b(element::int64, {2});
    const std::array<tensor_view, 2> parts{a, b};
    const batch_view rows(parts, 2);
    CHECK(rows.rows() == 2);
    CHECK(rows.size() == 2);
    CHECK(rows[0].data() == a.data());
    CHECK(rows[1].data() == b.data());
    std::size_t count = 0;
    for (const tensor_view& one : rows) count += one.size();
    CHECK(count == 8);
    REQUIRE_THROWS_AS(rows.as<float>(), std::invalid_argument);
    CHECK(text_of([&] { [](tensor_view) {}(rows); }) == "batch of 2 tensors: say which, as in rows[0]");
}
