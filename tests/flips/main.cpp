// tests/flips/main.cpp - bits flip in products of networks and in what lies between them: what checksums catch, and
// what duplicates do.   usage: flips FLIPS CLEAN_ROWS MODEL.onnx...
// Each product's rows are those of the networks on seeded inputs. A flip counts where it moves an answer by more than
// 0.1 % of the RMS of its row; it must be caught where the tolerance of its row is below half of that, whatever other
// rows it is looked at with. The exit code is 1 when one is not, or when a clean row is called a fault.
// SPDX-License-Identifier: MIT
#include <fanfold/context/random.hpp>
#include <fanfold/kernel/checked_matmul.hpp>
#include <fanfold/model/operators/convolution.hpp>
#include <fanfold/model/operators/dense.hpp>
#include <fanfold/model/operators/images_nhwc.hpp>
#include <fanfold/onnx/load.hpp>
#include <fanfold/verify/digest.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

using namespace fanfold;

namespace {

float flipped(float value, std::size_t bit) {
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) ^ (std::uint32_t{1} << bit));
}
float normal(random_bits& random) {
    return static_cast<float>(std::sqrt(-2 * std::log(1 - random.uniform())) *
                              std::cos(6.283185307179586 * random.uniform()));
}

/// Rows and the weights that they are multiplied with.
struct product {
    static constexpr std::size_t positions = 64;  ///< of planes: four vectors that have to add up together
    std::vector<float> x;                         ///< [rows][inner]
    kernel::packed_view w;
    std::size_t group = 1;  ///< rows that are looked at together; those of planes lie beside each other
    kernel::product_sums sums = {};
    std::vector<float> y = {};  ///< [rows][columns]

    [[nodiscard]] std::size_t rows() const { return x.size() / w.inner; }
    void compute() {
        sums = kernel::sums_of(w);
        y.resize(rows() * w.columns);
        kernel::matmul({x.data(), shape{extent_of(rows()), extent_of(w.inner)}}, w,
                       {y.data(), shape{extent_of(rows()), extent_of(w.columns)}});
    }
    /// `out` holds the answers of `count` rows.
    [[nodiscard]] bool suspicious(const float* row, float* out, std::size_t count) const {
        if (count == positions) return suspicious_planes(row, out);
        const kernel::detail::check_run whole{0, static_cast<std::ptrdiff_t>(w.inner)};
        kernel::detail::check_call c{};
        c.in = row;
        c.in_step = whole.length;
        c.rows = c.group = count;
        c.runs = &whole;
        c.run_count = 1;
        c.inner = w.inner;
        c.ones = sums.ones.data();
        c.squares = sums.squares.data();
        c.bias = sums.bias;
        c.out = out;
        c.out_step = c.columns = w.columns;
        return kernel::detail::check_products(kernel::active_isa(), c) != 0;
    }
    [[nodiscard]] bool suspicious_planes(const float* row, const float* out) const {
        std::vector<float> in(w.inner * positions), answers(w.columns * positions);
        std::vector<std::ptrdiff_t> taps;
        for (std::size_t k = 0; k < w.inner; ++k) {
            taps.push_back(extent_of(k * positions));
            for (std::size_t at = 0; at < positions; ++at) in[k * positions + at] = row[at * w.inner + k];
        }
        for (std::size_t n = 0; n < w.columns; ++n)
            for (std::size_t at = 0; at < positions; ++at) answers[n * positions + at] = out[at * w.columns + n];
        return kernel::detail::check_planes(kernel::active_isa(),
                                            {in.data(), taps.data(), w.inner, sums.ones.data(), sums.squares.data(),
                                             sums.bias, answers.data(), positions, w.columns, positions}) != 0;
    }
    /// What one row may differ by.
    [[nodiscard]] double limit(const float* row, const float* out) const {
        double square = 0;
        for (std::size_t k = 0; k < w.inner; ++k) square += double{row[k]} * double{row[k]} * double{sums.squares[k]};
        for (std::size_t n = 0; n < w.columns; ++n) square += double{out[n]} * double{out[n]};
        return kernel::detail::check_limit(w.inner, square);
    }
    /// An answer's chain; `wrong(k, sum, weight)` may change what it multiplies with and what it has.
    template <class Wrong>
    [[nodiscard]] float chain(const float* row, std::size_t column, const Wrong& wrong) const {
        float sum = w.bias == nullptr ? 0.0F : w.bias[column];
        for (std::size_t k = 0; k < w.inner; ++k) {
            float weight = w.panels[(column / 16 * w.inner + k) * 16 + column % 16];
            wrong(k, sum, weight);
            sum = std::fma(row[k], weight, sum);
        }
        return sum;
    }
    static std::int64_t extent_of(std::size_t n) { return static_cast<std::int64_t>(n); }
};

struct tally {
    std::size_t flips = 0, moved = 0, due = 0, caught = 0, caught_others = 0;
    std::size_t alone = 0;  ///< caught by the check of their row alone and not by that of their group
};

tally flip_products(const std::vector<product>& all, int site, std::size_t flips, random_bits& random) {
    tally t;
    std::vector<float> out;
    for (; t.flips < flips; ++t.flips) {
        const product& p = all[random.below(all.size())];
        const std::size_t first = random.below(p.rows() / p.group) * p.group, at = first + random.below(p.group);
        const std::size_t column = random.below(p.w.columns), hit = random.below(p.w.inner), bit = random.below(32);
        const float* const row = p.x.data() + at * p.w.inner;
        const auto y = p.y.begin() + static_cast<std::ptrdiff_t>(first * p.w.columns);
        out.assign(y, y + static_cast<std::ptrdiff_t>(p.group * p.w.columns));
        float& answer = out[(at - first) * p.w.columns + column];
        double square = 0;
        for (std::size_t n = 0; n < p.w.columns; ++n) {
            const double one = out[(at - first) * p.w.columns + n];
            square += one * one;
        }
        const double rms = std::sqrt(square / static_cast<double>(p.w.columns));
        const float before = answer;
        if (site == 0)
            answer = p.chain(row, column, [&](std::size_t k, float&, float& w) {
                if (k == hit) w = flipped(w, bit);
            });
        if (site == 1)
            answer = p.chain(row, column, [&](std::size_t k, float& s, float&) {
                if (k == hit) s = flipped(s, bit);
            });
        if (site == 2) answer = flipped(before, bit);
        const double effect = std::abs(double{answer} - double{before});
        if (effect <= 1e-3 * rms) continue;
        ++t.moved;
        const float* const rows = p.x.data() + first * p.w.inner;
        float* const hit_row = out.data() + (at - first) * p.w.columns;
        const bool due = !(p.limit(row, hit_row) >= effect / 2);
        const bool caught = p.suspicious(rows, out.data(), p.group);
        t.alone += !caught && p.group > 1 && p.suspicious(row, hit_row, 1);
        t.due += due;
        (due ? t.caught : t.caught_others) += caught;
    }
    return t;
}

/// What happens to the answers of a step, or who looks at its inputs.
struct intrusion {
    std::size_t step = SIZE_MAX, element = 0, bit = 0;
    std::function<void(std::size_t step, std::span<const tensor_view> in)> look;
};
class watched {
public:
    watched(operation inner, std::size_t step, intrusion* what) : inner_(std::move(inner)), step_(step), what_(what) {}
    [[nodiscard]] std::string_view name() const { return inner_.name(); }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const { return inner_.answers(in); }
    [[nodiscard]] std::size_t scratch_bytes(std::span<const shape> in) const { return inner_.scratch_bytes(in); }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (what_->look) what_->look(step_, in);
        inner_(in, out, space);
        if (what_->step != step_ || out[0].type() != element::float32) return;
        float& hit = out[0].as<float>().flat()[what_->element % out[0].size()];
        hit = flipped(hit, what_->bit);
    }

private:
    operation inner_;
    std::size_t step_;
    intrusion* what_;
};

std::uint64_t digest_of_run(const graph& g, const tensor& in, workspace& space) {
    const tensor_view view = in;
    const tensor answers = g.run({&view, 1}, space).front();
    return digest(answers);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    const std::size_t flips = std::strtoull(argv[1], nullptr, 10), clean = std::strtoull(argv[2], nullptr, 10);
    random_bits random(2026);
    int bad = 0;
    const char* const sites[] = {"packed weights", "accumulators", "answers before the check"};
    std::printf("%-22s %-26s %9s %9s %9s %9s   %s\n", "products of", "site", "flips", "moved", "due", "caught",
                "of the others; by a row's own check alone");
    const auto table = [&](const std::string& of, const std::vector<product>& all, std::size_t count) {
        for (int site = 0; site < 3; ++site) {
            const tally t = flip_products(all, site, count / 3, random);
            std::printf("%-22s %-26s %9zu %9zu %9zu %9zu   %zu of %zu; %zu\n", of.c_str(), sites[site], t.flips,
                        t.moved, t.due, t.caught, t.caught_others, t.moved - t.due, t.alone);
            bad += t.caught != t.due;
        }
    };

    {  // plain products
        std::vector<product> all;
        std::vector<std::vector<float>> kept;
        std::vector<kernel::packed_matrix> packed;
        packed.reserve(4);
        for (const auto& [inner, columns] :
             {std::pair<std::size_t, std::size_t>{1024, 1024}, {120, 84}, {576, 64}, {64, 256}}) {
            std::vector<float> w(inner * columns), x(64 * inner);
            for (float& one : w) one = normal(random);
            for (float& one : x) one = normal(random);
            packed.emplace_back(
                view<const float>(w.data(), shape{product::extent_of(inner), product::extent_of(columns)}));
            all.push_back({std::move(x), packed.back().seen()});
            all.back().compute();
        }
        table("plain", all, flips / 4);
    }

    for (int file = 3; file < argc; ++file) {
        const std::string path = argv[file], name = path.substr(path.rfind('/') + 1);
        const graph loaded = onnx::load(path);
        graph_state state = loaded.state();
        intrusion what;
        for (std::size_t step = 0; step < state.steps.size(); ++step)
            if (!state.steps[step].op.makes_answers())
                state.steps[step].op = watched(loaded.state().steps[step].op, step, &what);
        const graph g(std::move(state));
        const std::size_t rows = 2;
        const value_type& type = g.state().values[g.state().inputs[0]].type;
        tensor in(type.type, type.shape.at(rows));
        const auto fill = [&] {
            for (float& one : in.as<float>().flat()) one = static_cast<float>(random.uniform());
        };
        fill();
        std::vector<product> all;
        std::vector<std::unique_ptr<kernel::packed_matrix>> packed;
        what.look = [&](std::size_t step, std::span<const tensor_view> from) {
            const operation& op = loaded.state().steps[step].op;
            if (const auto* d = op.as<dense>()) {
                const auto x = from[0].as<float>().flat();
                all.push_back({{x.begin(), x.end()}, d->seen()});
            }
            if (const auto* c = op.as<convolution>(); c != nullptr && from[0].rank() == 4) {
                const kernel::packed_conv2d& w = c->weights();
                if (w.plan().groups != 1) return;
                const tensor matrix = w.matrix();
                packed.push_back(std::make_unique<kernel::packed_matrix>(matrix.as<float>(), w.bias()));
                product p{{}, packed.back()->seen(), product::positions};
                // Windows that lie inside, in the order c, y, x.
                const kernel::detail::conv_plan& plan = w.plan();
                const std::int64_t high = plan.height - (plan.kernel_height - 1) * plan.dilation_y;
                const std::int64_t wide = plan.width - (plan.kernel_width - 1) * plan.dilation_x;
                for (std::size_t window = 0; window < 2 * product::positions && high > 0 && wide > 0; ++window) {
                    const auto y = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high)));
                    const auto x = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(wide)));
                    for (std::int64_t channel = 0; channel < plan.channels; ++channel)
                        for (std::int64_t ky = 0; ky < plan.kernel_height; ++ky)
                            for (std::int64_t kx = 0; kx < plan.kernel_width; ++kx)
                                p.x.push_back(from[0].as<float>()(0, channel, y + ky * plan.dilation_y,
                                                                  x + kx * plan.dilation_x));
                }
                if (!p.x.empty()) all.push_back(std::move(p));
            }
            if (const auto* c = op.as<convolution_nhwc>(); c != nullptr && c->direct() != nullptr) {
                const auto& w = *c->direct();
                if (w.geometry().groups != 1) return;
                const kernel::detail::nhwc_call call = w.call(0, 0, w.outputs());
                product p{{},
                          {call.panels, call.bias, call.depth, call.columns},
                          kernel::detail::positions_together(call.depth, call.columns)};
                const shape image = from[0].shape().rank() == 3
                                        ? shape{from[0].extent(0), 1, from[0].extent(1), from[0].extent(2)}
                                        : from[0].shape();
                // Windows that lie inside, in the order of the packed taps.
                std::vector<kernel::detail::nhwc_run> runs(w.run_count());
                w.write_runs(image[2], runs.data());
                std::ptrdiff_t reach = 0;
                for (const auto& run : runs) reach = std::max(reach, run.from + run.length);
                const auto x = from[0].as<float>().flat();
                for (int window = 0; window < 64 && static_cast<std::size_t>(reach) <= x.size(); ++window) {
                    const std::size_t pixels =
                        (x.size() - static_cast<std::size_t>(reach)) / static_cast<std::size_t>(image[3]);
                    const float* begin = x.data() + random.below(pixels + 1) * static_cast<std::size_t>(image[3]);
                    for (const auto& run : runs) p.x.insert(p.x.end(), begin + run.from, begin + run.from + run.length);
                }
                if (!p.x.empty()) all.push_back(std::move(p));
            }
        };
        workspace space;
        (void)digest_of_run(g, in, space);
        what.look = {};
        for (product& p : all) p.compute();
        if (!all.empty()) table(name, all, flips / 4);

        // Values between steps: a flip in what a step has answered, whoever reads it next.
        struct seen {
            std::size_t flips = 0, changed = 0, sums = 0;
        };
        std::map<std::string, seen> by_kind;
        g.prepare_checksums();
        const std::size_t tries = std::min<std::size_t>(flips / 100, 4000);
        for (std::size_t i = 0; i < tries; ++i) {
            if (i % 50 == 0) fill();
            what.step = SIZE_MAX;
            const std::uint64_t clean_digest = digest_of_run(g, in, space);
            what.step = random.below(g.state().steps.size());
            what.element = random.below(std::size_t{1} << 40);
            what.bit = random.below(32);
            sum_checks sums;
            space.sums = &sums;
            const std::uint64_t got = digest_of_run(g, in, space);
            space.sums = nullptr;
            seen& here = by_kind[std::string(loaded.state().steps[what.step].op.name())];
            ++here.flips;
            here.changed += got != clean_digest;
            here.sums += got != clean_digest && sums.suspicious() != 0;
        }
        for (const auto& [kind, s] : by_kind)
            std::printf(
                "%-22s %-26s %9zu flips of values, %zu change the answers: duplicate sees all of these, checksum %zu\n",
                name.c_str(), ("after " + kind).c_str(), s.flips, s.changed, s.sums);
    }

    const char* const kinds[] = {"normal", "rectified", "all positive", "outliers", "constant rows", "all constant"};
    std::printf("\n%-22s %12s %12s %12s\n", "clean rows", "rows", "suspicious", "faults");
    for (int kind = 0; kind < 6; ++kind) {
        std::size_t rows = 0, suspicious = 0, faults = 0;
        for (std::size_t round = 0; rows < clean / 6; ++round) {
            const std::size_t inners[] = {64, 120, 576, 1024}, widths[] = {10, 64, 84, 256};
            const std::size_t inner = inners[round % 4], columns = widths[round / 4 % 4], count = 4096;
            std::vector<float> w(inner * columns), x(count * inner), y(count * columns), again;
            for (float& one : w) one = kind == 2 ? std::abs(normal(random)) : normal(random);
            const float same = normal(random);
            for (float& one : x) {
                one = kind >= 4 ? same : normal(random);
                if (kind == 1) one = std::max(one, 0.0F);
                if (kind == 2) one = std::abs(one);
                if (kind == 3 && random.below(64) == 0) one *= 1e4F;
            }
            if (kind == 5) std::fill(w.begin(), w.end(), normal(random));
            const kernel::packed_matrix packed(
                view<const float>(w.data(), shape{product::extent_of(inner), product::extent_of(columns)}));
            const detail::weight_guard guard(packed.memory());
            const kernel::product_sums sums = kernel::sums_of(packed.seen());
            const view<const float> a(x.data(), shape{product::extent_of(count), product::extent_of(inner)});
            const shape answer{product::extent_of(count), product::extent_of(columns)};
            const std::size_t found = kernel::checked_matmul(a, packed.seen(), sums, {y.data(), answer});
            rows += count;
            suspicious += found;
            if (found == 0) continue;
            again.resize(y.size());  // what infer does then: equal bits and intact weights are no fault
            (void)kernel::checked_matmul(a, packed.seen(), sums, {again.data(), answer});
            const bool fault =
                std::memcmp(again.data(), y.data(), y.size() * sizeof(float)) != 0 || !guard.intact(packed.memory());
            faults += fault;
        }
        std::printf("%-22s %12zu %12zu %12zu\n", kinds[kind], rows, suspicious, faults);
        bad += faults != 0;
    }
    std::printf("%s\n",
                bad == 0 ? "all that was due was caught, and nothing clean is a fault" : "NOT all is as promised");
    return bad == 0 ? 0 : 1;
}
