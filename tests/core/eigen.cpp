// SPDX-License-Identifier: MIT
#include <fanfold/core/eigen.hpp>

#include <cstdint>
#include <type_traits>
#include <vector>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;

namespace {

using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class Matrix>
Matrix counted(Eigen::Index rows, Eigen::Index columns) {
    Matrix m(rows, columns);
    for (Eigen::Index i = 0; i < rows; ++i)
        for (Eigen::Index j = 0; j < columns; ++j) m(i, j) = static_cast<typename Matrix::Scalar>(10 * i + j);
    return m;
}

const void* address(const tensor_view& v) { return v.data(); }

/// Every element of `seen` is the element of `m` itself.
template <class Matrix>
bool same_elements(const tensor_view& seen, const Matrix& m) {
    const auto v = seen.as<typename Matrix::Scalar>();
    if (!(v.shape() == shape{m.rows(), m.cols()})) return false;
    for (Eigen::Index i = 0; i < m.rows(); ++i)
        for (Eigen::Index j = 0; j < m.cols(); ++j)
            if (&v(i, j) != &m.coeffRef(i, j)) return false;
    return true;
}

}  // namespace

TEST_CASE("A row-major matrix is a dense tensor where it lies") {
    const auto m = counted<row_major>(3, 4);
    const tensor_view v = as_view(m);
    CHECK(address(v) == m.data());
    CHECK(describe(v) == "float32 [3, 4]");
    CHECK(v.dense());
    CHECK(v.as<float>()(2, 3) == 23.0F);
}

TEST_CASE("A column-major matrix is a strided tensor with rows and columns as the matrix has them") {
    const auto m = counted<Eigen::MatrixXd>(3, 4);
    const tensor_view v = as_view(m);
    CHECK(address(v) == m.data());
    CHECK(describe(v) == "float64 [3, 4]");
    CHECK_FALSE(v.dense());
    CHECK(v.steps()[0] == 1);
    CHECK(v.steps()[1] == 3);
    CHECK(same_elements(v, m));
    const tensor dense(v);
    CHECK(dense.as<double>()(2, 3) == 23.0);
    CHECK(dense.as<double>()(1, 0) == 10.0);
}

TEST_CASE("Blocks, transposes, refs and maps are seen through to the elements") {
    auto m = counted<Eigen::MatrixXf>(4, 5);
    const auto block = m.block(1, 2, 3, 2);
    CHECK(same_elements(as_view(block), block));
    CHECK(as_view(block).as<float>()(2, 1) == 33.0F);
    const auto transposed = m.transpose();
    CHECK(as_view(transposed).as<float>()(4, 1) == 14.0F);
    CHECK(as_view(transposed).dense());
    const Eigen::Ref<const Eigen::MatrixXf> ref = m.leftCols(2);
    CHECK(address(as_view(ref)) == m.data());
    CHECK(as_view(ref).shape() == shape{4, 2});
    const Eigen::Map<Eigen::MatrixXf, 0, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>> every_other(
        m.data(), 2, 3, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(8, 2));
    CHECK(as_view(every_other).as<float>()(1, 2) == 24.0F);
    auto rows = counted<row_major>(4, 5);
    const auto part = rows.block(1, 1, 2, 3);
    CHECK(same_elements(as_view(part), part));
    CHECK(as_view(part).steps()[0] == 5);
}

TEST_CASE("A vector is a tensor of rank 1, with the distance between its elements") {
    auto m = counted<Eigen::MatrixXf>(3, 4);
    const Eigen::VectorXf vector = m.col(1);
    CHECK(describe(as_view(vector)) == "float32 [3]");
    CHECK(address(as_view(vector)) == vector.data());
    const auto row = m.row(2);
    CHECK(as_view(row).shape() == shape{4});
    CHECK(as_view(row).steps()[0] == 3);
    CHECK(as_view(row).as<float>()(3) == 23.0F);
    const auto diagonal = m.diagonal();
    CHECK(as_view(diagonal).shape() == shape{3});
    CHECK(as_view(diagonal).as<float>()(2) == 22.0F);
    const Eigen::RowVector3d fixed(1, 2, 3);
    CHECK(describe(as_view(fixed)) == "float64 [3]");
    CHECK(as_view(fixed).as<double>()(2) == 3.0);
}

TEST_CASE("Arrays and the other element types are tensors, too") {
    const auto integers = counted<Eigen::Array<std::int64_t, Eigen::Dynamic, Eigen::Dynamic>>(2, 2);
    CHECK(describe(as_view(integers)) == "int64 [2, 2]");
    CHECK(as_view(integers).as<std::int64_t>()(1, 0) == 10);
    const Eigen::Array<bool, 2, 2> flags = Eigen::Array<bool, 2, 2>::Constant(true);
    CHECK(describe(as_view(flags)) == "bool [2, 2]");
    static_assert(!viewable<Eigen::MatrixXcf> && !viewable<Eigen::Matrix<char, 2, 2>>);
}

TEST_CASE("A matrix without elements is a dense tensor of its shape, in either storage order") {
    const Eigen::MatrixXf no_rows(0, 3), no_columns(3, 0);
    CHECK(as_view(no_rows).shape() == shape{0, 3});
    CHECK(as_view(no_rows).dense());
    CHECK(as_view(no_columns).shape() == shape{3, 0});
    CHECK(as_view(no_columns).dense());
    CHECK(as_matrix<float>(as_view(no_rows)).cols() == 3);
}

TEST_CASE("An expression has no elements to see, and names the matrix that owns its value") {
    const auto a = counted<row_major>(2, 3);
    using sum = std::remove_cvref_t<decltype(a + a)>;
    using product = std::remove_cvref_t<decltype(a * a.transpose())>;
    static_assert(!viewable<sum> && !viewable<product>);
    static_assert(materializable<sum> && materializable<product> && !materializable<row_major>);
    const adapt<sum>::plain value(a + a);
    CHECK(as_view(value).as<float>()(1, 2) == 24.0F);
    const adapt<product>::plain square(a * a.transpose());
    CHECK(as_view(square).as<float>()(1, 1) == 365.0F);
}

TEST_CASE("A tensor is a matrix of its rows and everything else, without a copy") {
    tensor t(element::float32, {2, 3, 4});
    const matrix_map<float> m = as_matrix<float>(mutable_tensor_view(t));
    CHECK(m.rows() == 2);
    CHECK(m.cols() == 12);
    CHECK(m.data() == t.as<float>().data());
    CHECK(as_matrix<float>(tensor_view(t)).data() == t.as<float>().data());
    t.as<float>()(1, 0, 2) = 5.0F;
    CHECK(m(1, 2) == 5.0F);
    matrix_map<float> writable = m;
    writable(0, 11) = 7.0F;
    CHECK(t.as<float>()(0, 2, 3) == 7.0F);
}

TEST_CASE("A tensor of rank 1 is a column, one of rank 0 a single element") {
    const tensor column = tensor::of<double>({3}, {1, 2, 3});
    CHECK(as_matrix<double>(tensor_view(column)).rows() == 3);
    CHECK(as_matrix<double>(tensor_view(column)).cols() == 1);
    CHECK(as_matrix<double>(tensor_view(column))(2, 0) == 3.0);
    const tensor one = tensor::of<double>({}, {4});
    CHECK(as_matrix<double>(tensor_view(one)).size() == 1);
    CHECK(as_matrix<double>(tensor_view(one))(0, 0) == 4.0);
}

TEST_CASE("A tensor without rows is a matrix that still has its columns") {
    const tensor none(element::float32, {0, 3, 4});
    const auto m = as_matrix<float>(tensor_view(none));
    CHECK(m.rows() == 0);
    CHECK(m.cols() == 12);
    const Eigen::MatrixXf weights = Eigen::MatrixXf::Ones(12, 5);
    const row_major answers = m * weights;
    CHECK(answers.rows() == 0);
    CHECK(answers.cols() == 5);
    const tensor no_columns(element::float32, {3, 0});
    CHECK(as_matrix<float>(tensor_view(no_columns)).rows() == 3);
    CHECK(as_matrix<float>(tensor_view(no_columns)).cols() == 0);
}

TEST_CASE("A matrix of another element type, or of a strided tensor, is refused") {
    const tensor t(element::float32, {2, 3});
    REQUIRE_THROWS_AS(as_matrix<double>(tensor_view(t)), std::invalid_argument);
    CHECK(text_of([&] { (void)as_matrix<double>(tensor_view(t)); }) == "tensor holds float32, asked for float64");
    const auto strided = counted<Eigen::MatrixXf>(3, 4);
    REQUIRE_THROWS_AS(as_matrix<float>(as_view(strided)), std::invalid_argument);
    CHECK(text_of([&] { (void)as_matrix<float>(as_view(strided)); }).find("[3, 4] is strided") != std::string::npos);
}

TEST_CASE("A tensor is handed over as a matrix map, writable only where it may be written") {
    static_assert(castable_from<matrix_map<const float>> && castable_from<matrix_map<float>, mutable_tensor_view>);
    static_assert(castable_from<matrix_map<const float>, mutable_tensor_view>);
    static_assert(!castable_from<matrix_map<float>> && !castable_from<Eigen::MatrixXf>);
    static_assert(!castable_from<Eigen::Map<const Eigen::MatrixXf>>);
    const tensor t = tensor::of<float>({2, 2}, {1, 2, 3, 4});
    CHECK(adapt<matrix_map<const float>>::from(t)(1, 0) == 3.0F);
}

TEST_CASE("An Eigen matrix, block, map or vector is a typed view wherever one is asked for") {
    const auto sum = [](const view<const float>& v) {
        float total = 0;
        for (std::int64_t i = 0; i < v.extent(0); ++i) total += v.rank() == 1 ? v(i) : v(i, 1);
        return total;
    };
    Eigen::MatrixXf columns(2, 3);
    columns << 1, 2, 3, 4, 5, 6;
    const Eigen::VectorXf vector = Eigen::VectorXf::Constant(4, 2);
    CHECK(sum(columns) == 7);
    CHECK(sum(columns.rightCols(2)) == 9);
    CHECK(sum(vector) == 8);
    CHECK(sum(std::vector<float>{1, 2}) == 3);

    const auto fill = [](const view<float>& v) {
        for (std::int64_t i = 0; i < v.extent(0); ++i) (v.rank() == 1 ? v(i) : v(i, 0)) = 9;
    };
    fill(columns);
    fill(columns.rightCols(1));
    CHECK(columns(1, 0) == 9);
    CHECK(columns(0, 2) == 9);
    CHECK(columns(0, 1) == 2);
    CHECK_FALSE(std::convertible_to<const Eigen::MatrixXf&, view<float>>);
    CHECK_FALSE(std::convertible_to<matrix_map<const float>, view<float>>);
    CHECK_FALSE(std::convertible_to<Eigen::MatrixXd, view<const float>>);
}
