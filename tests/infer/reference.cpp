// The trained networks answer as their README says: reference logits, and right answers on the real images.
// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/tbb.hpp>

#include <algorithm>
#include <cmath>

#include "../../examples/idx.hpp"
#include "../catch.hpp"
#include "../test_data.hpp"
#include "networks.hpp"

using namespace fanfold;

namespace {

const auto images_file = test_data::fashion_mnist / "t10k-images-idx3-ubyte.gz";
const auto labels_file = test_data::fashion_mnist / "t10k-labels-idx1-ubyte.gz";

std::size_t right_answers(const view<const float>& logits, const std::vector<std::uint8_t>& labels) {
    std::size_t right = 0;
    for (std::size_t row = 0; row < labels.size(); ++row) {
        const float* first = &logits(row, 0);
        right += static_cast<std::size_t>(std::max_element(first, first + 10) - first == labels[row]);
    }
    return right;
}

}  // namespace

TEST_CASE("The first 100 images have the reference's logits within 1e-4", "[data][isa]") {
    const auto images = test_data::find(images_file);
    if (!images) return;
    const tensor all = idx::read_images(*images);
    for (const auto& [model, file] : {std::pair{networks::lenet5(), "fmnist_lenet5.logits100.f32"},
                                      std::pair{networks::mlp(), "fmnist_mlp.logits100.f32"}}) {
        const tensor expected = networks::floats(file, {100, 10});
        const job done = infer(tbb_executor(), model, all.rows(0, 100));
        REQUIRE(done.failures.empty());
        float worst = 0;
        for (std::size_t i = 0; i < 1000; ++i)
            worst = std::max(worst, std::abs(done.answers.as<float>().flat()[i] - expected.as<float>().flat()[i]));
        CHECK(worst <= 1e-4F);
    }
}

TEST_CASE("Of the 10,000 test images LeNet-5 gets 9,051 right and the MLP 8,856", "[data][isa]") {
    const auto images = test_data::find(images_file);
    const auto labels_found = test_data::find(labels_file);
    if (!images || !labels_found) return;
    const tensor all = idx::read_images(*images);
    const auto labels = idx::read_labels(*labels_found);
    CHECK(right_answers(infer(tbb_executor(), networks::lenet5(), all).answers.as<float>(), labels) == 9051);
    CHECK(right_answers(infer(tbb_executor(), networks::mlp(), all).answers.as<float>(), labels) == 8856);
}
