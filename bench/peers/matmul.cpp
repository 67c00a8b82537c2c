// bench/peers/matmul.cpp - fanfold's packed product, oneDNN's with its own weights layout, OpenBLAS's sgemm: in turns.
// usage: OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 peers_matmul [ROUNDS]
// SPDX-License-Identifier: MIT
#include <fanfold/kernel/matmul.hpp>

#include <cblas.h>
#include <dnnl.hpp>

#include <algorithm>      // std::nth_element
#include <array>          // std::array
#include <cmath>          // std::abs
#include <cstdint>        // std::int64_t
#include <cstdio>         // std::printf
#include <cstdlib>        // std::atoi
#include <random>         // std::minstd_rand
#include <string>         // std::string
#include <unordered_map>  // std::unordered_map
#include <vector>         // std::vector

#include "../machine.hpp"

namespace {

using fanfold::shape;
using fanfold::view;

std::vector<float> some(std::int64_t count) {
    static std::minstd_rand next(7);
    std::uniform_real_distribution<float> unit(-1, 1);
    std::vector<float> made(static_cast<std::size_t>(count));
    for (float& x : made) x = unit(next);
    return made;
}

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

/// rows [M, K] times weights [K, N], bias and ReLU, with weights reordered once to what oneDNN likes.
class onednn_product {
public:
    onednn_product(std::int64_t rows, std::int64_t inner, std::int64_t columns, float* a, float* w, float* bias,
                   float* c) {
        using memory = dnnl::memory;
        const auto f32 = memory::data_type::f32;
        const memory::desc in({rows, inner}, f32, memory::format_tag::ab),
            out({rows, columns}, f32, memory::format_tag::ab), plain({inner, columns}, f32, memory::format_tag::ab),
            any({inner, columns}, f32, memory::format_tag::any), offsets({1, columns}, f32, memory::format_tag::ab);
        dnnl::post_ops then;
        then.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0);
        dnnl::primitive_attr attributes;
        attributes.set_post_ops(then);
        const dnnl::matmul::primitive_desc how({in, any, offsets, out}, attributes, engine_);
        implementation = how.impl_info_str();
        memory weights(how.weights_desc(), engine_), given(plain, engine_, w);
        dnnl::reorder(given, weights).execute(stream_, given, weights);
        stream_.wait();
        product_ = dnnl::matmul(how);
        arguments_ = {{DNNL_ARG_SRC, memory(in, engine_, a)},
                      {DNNL_ARG_WEIGHTS, weights},
                      {DNNL_ARG_BIAS, memory(offsets, engine_, bias)},
                      {DNNL_ARG_DST, memory(out, engine_, c)}};
    }
    void operator()() {
        product_.execute(stream_, arguments_);
        stream_.wait();
    }
    std::string implementation;

private:
    dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream_{engine_};
    dnnl::matmul product_;
    std::unordered_map<int, dnnl::memory> arguments_;
};

}  // namespace

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 15;
    openblas_set_num_threads(1);
    std::printf("fanfold %s; oneDNN %d.%d.%d; %s, kernel %s; medians of %d rounds in turns; GFLOP/s\n\n",
                fanfold::kernel::name_of(fanfold::kernel::active_isa()).data(), dnnl_version()->major,
                dnnl_version()->minor, dnnl_version()->patch, openblas_get_config(), openblas_get_corename(), rounds);
    std::printf("| rows x inner x columns | fanfold | oneDNN | OpenBLAS | to oneDNN | to OpenBLAS | of peak |\n");
    std::printf("|---|---|---|---|---|---|---|\n");
    std::string implementation;
    for (const auto& [m, k, n] : {std::array<std::int64_t, 3>{512, 512, 512},
                                  {128, 768, 768},
                                  {128, 768, 3072},
                                  {128, 3072, 768},
                                  {3136, 576, 64},
                                  {256, 2304, 192},
                                  {64, 400, 120},
                                  {8, 1024, 1024},
                                  {4, 1024, 1024},
                                  {1, 1024, 1024}}) {
        std::vector<float> a = some(m * k), w = some(k * n), bias = some(n), c(static_cast<std::size_t>(m * n)), d = c,
                           e = c;
        const fanfold::kernel::packed_matrix packed(view<const float>(w.data(), shape{k, n}),
                                                    view<const float>(bias.data(), shape{n}));
        onednn_product onednn(m, k, n, a.data(), w.data(), bias.data(), d.data());
        implementation = onednn.implementation;
        const auto ours = [&] {
            fanfold::kernel::matmul(view<const float>(a.data(), shape{m, k}), packed,
                                    view<float>(c.data(), shape{m, n}), fanfold::kernel::activation::relu);
        };
        const auto blas = [&] {  // the product alone
            const auto rows = static_cast<int>(m), inner = static_cast<int>(k), columns = static_cast<int>(n);
            if (rows == 1)
                cblas_sgemv(CblasRowMajor, CblasTrans, inner, columns, 1, w.data(), columns, a.data(), 1, 0, e.data(),
                            1);
            else
                cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, columns, inner, 1, a.data(), inner,
                            w.data(), columns, 0, e.data(), columns);
        };
        const double flops = 2.0 * static_cast<double>(m) * static_cast<double>(k) * static_cast<double>(n);
        const auto times = static_cast<std::size_t>(std::max(1.0, 2e7 / flops));
        const auto pace = [&](auto& f) {
            return flops * static_cast<double>(times) / machine::seconds([&] {
                       for (std::size_t i = 0; i < times; ++i) f();
                   });
        };
        ours(), onednn(), blas();
        for (std::size_t i = 0; i < c.size(); ++i) {
            const float plain = std::max(0.0F, e[i] + bias[i % static_cast<std::size_t>(n)]);
            if (std::abs(c[i] - d[i]) > 1e-3F || std::abs(c[i] - plain) > 1e-3F) {
                std::fprintf(stderr, "answers differ: %g %g %g\n", double{c[i]}, double{d[i]}, double{plain});
                return 1;
            }
        }
        std::vector<double> fanfold_pace, onednn_pace, blas_pace, to_onednn, to_blas, of_peak;
        for (int round = 0; round < rounds; ++round) {
            fanfold_pace.push_back(pace(ours));
            onednn_pace.push_back(pace(onednn));
            blas_pace.push_back(pace(blas));
            to_onednn.push_back(fanfold_pace.back() / onednn_pace.back());
            to_blas.push_back(fanfold_pace.back() / blas_pace.back());
            of_peak.push_back(fanfold_pace.back() / machine::peak());
        }
        std::printf("| %lld x %lld x %lld | %.0f | %.0f | %.0f | **%.2f** | **%.2f** | %.2f |\n",
                    static_cast<long long>(m), static_cast<long long>(k), static_cast<long long>(n),
                    median(fanfold_pace) / 1e9, median(onednn_pace) / 1e9, median(blas_pace) / 1e9, median(to_onednn),
                    median(to_blas), median(of_peak));
    }
    std::printf("\noneDNN's implementation: %s\n", implementation.c_str());
}
