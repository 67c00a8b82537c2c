// examples/08_serving.cpp - single requests, computed in batches: latency and goodput as the load grows past capacity.
//   usage: 08_serving [MILLISECONDS A POINT]    writes 08_serving.svg
// SPDX-License-Identifier: MIT
#include <fanfold/evaluate/arrivals.hpp>
#include <fanfold/evaluate/load_table.hpp>
#include <fanfold/fanfold.hpp>
#include <fanfold/onnx/load.hpp>
#include <fanfold/serve/batcher.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <random>
#include <vector>

int main(int argc, char** argv) try {
    using namespace std::chrono_literals;
    const std::chrono::milliseconds lasts(argc > 1 ? std::atoi(argv[1]) : 100);
    const fanfold::graph model = fanfold::onnx::load(FANFOLD_EXAMPLE_DATA "/fmnist_lenet5.onnx");
    fanfold::tensor image(fanfold::element::float32, {1, 1, 28, 28});
    std::mt19937 random(1);
    for (float& pixel : image.as<float>().flat()) pixel = static_cast<float>(random() % 256) / 255;

    // One CPU is left to who sends. A request that is not started within 50 ms is of no use any more.
    const fanfold::tbb_executor cores({.workers = std::max<std::size_t>(fanfold::usable_cpus(), 2) - 1});
    std::vector<fanfold::load_point> curve;
    bool right = true;
    for (const double per_s : {1e3, 5e3, 1e4, 2e4, 4e4}) {
        fanfold::batcher server(cores, model, {.max_rows = 32});
        const auto starts = fanfold::poisson(per_s, lasts);
        curve.push_back(fanfold::offer(starts, 50ms, [&](fanfold::load_request request) {
            server.submit(image, {.deadline = request.intended() + 50ms})
                .then([request](const fanfold::reply& got) {
                    using fanfold::load_end;
                    const bool late = !got.answered() && got.failures[0].kind == fanfold::fault_kind::timed_out;
                    const bool full = !got.answered() && got.failures[0].kind == fanfold::fault_kind::overloaded;
                    request.ended(got.answered() ? load_end::answered
                                  : late         ? load_end::timed_out
                                  : full         ? load_end::overloaded
                                                 : load_end::failed);
                })
                .detach();
        }));
        right = right && curve.back().failed == 0;
    }
    std::printf("%s", fanfold::load_table(curve).c_str());
    std::ofstream("08_serving.svg") << fanfold::load_svg(curve);
    return right ? 0 : 1;
} catch (const std::exception& error) {
    std::fprintf(stderr, "08_serving: %s\n", error.what());
    return 1;
}
