// The same unit twice in one program: FANFOLD_UNIT is plain, or native and compiled with -march=native.
// SPDX-License-Identifier: MIT
#include <fanfold/core/eigen_tensor.hpp>
#include <fanfold/evaluate/report_json.hpp>
#include <fanfold/fanfold.hpp>
#include <fanfold/onnx/load.hpp>

#include <cstdint>
#include <stdexcept>

std::uint64_t FANFOLD_UNIT(const char* file);

std::uint64_t FANFOLD_UNIT(const char* file) {
    fanfold::tensor images(fanfold::element::float32, {257, 1, 28, 28});
    std::uint32_t state = 1;
    for (float& pixel : images.as<float>().flat()) {
        state = state * 1664525U + 1013904223U;
        pixel = static_cast<float>(state >> 8) / static_cast<float>(1U << 24);
    }
    const fanfold::graph model = fanfold::onnx::load(file);
    const auto digest_of = [](const fanfold::job& done) {
        if (!done.failures.empty()) throw std::runtime_error(done.failures.front().message);
        return fanfold::digest(done.answers);
    };
    const std::uint64_t whole = digest_of(fanfold::infer(fanfold::serial_executor(), model, images));
    const fanfold::options sevens{.partition = fanfold::contiguous{.rows_per_shard = 7}};
    if (digest_of(fanfold::infer(fanfold::tbb_executor(), model, images, sevens)) != whole)
        throw std::runtime_error("shards of 7 rows have other answers than all rows at once");
    return whole;
}
