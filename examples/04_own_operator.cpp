// examples/04_own_operator.cpp - an ONNX file with an operator that fanfold does not know: x * sigmoid(beta x).
// SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>
#include <fanfold/onnx/load.hpp>
#include <fanfold/onnx/node.hpp>

#include <cmath>
#include <cstdio>

namespace {

/// The operation: a name, the types of its answers, the computation.
struct swish {
    float beta;
    static constexpr bool elementwise = true;  // an element depends on no other, so no row does

    std::string_view name() const { return "Swish"; }
    std::vector<fanfold::value_type> answers(std::span<const fanfold::argument> in) const { return {in[0]}; }
    void operator()(std::span<const fanfold::tensor_view> in, std::span<const fanfold::mutable_tensor_view> out,
                    fanfold::workspace&) const {
        const auto x = in[0].as<float>().flat();  // throws where it is not float32, and the shard becomes a failure
        const auto y = out[0].as<float>().flat();
        for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] / (1 + std::exp(-beta * x[i]));
    }
};

/// What becomes of a node of the file.
void import_swish(fanfold::onnx::node_import& node) {
    node.expect_inputs(1, 1);
    node.answer(swish{node.real("beta", 1)}, node.inputs());
}

}  // namespace

int main() {
    fanfold::onnx::load_options options;
    options.operators = {{"Swish", 1, 1, &import_swish, "org.example"}};  // name, versions of its domain, function
    const auto model = fanfold::onnx::load(FANFOLD_EXAMPLE_DATA "/own_operator.onnx", options);
    std::printf("%s", model.summary().c_str());

    const Eigen::MatrixXf rows = Eigen::MatrixXf::Random(1000, 3);
    const fanfold::job job = fanfold::infer(fanfold::tbb_executor(), model, rows);
    std::printf("%s, %zu rows failed\n", job.answers.shape().text().c_str(), job.failed_rows());
    return job.failures.empty() ? 0 : 1;
}
