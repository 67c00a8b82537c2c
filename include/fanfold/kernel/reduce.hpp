// fanfold/kernel/reduce.hpp - sums, means, norms, products and extremes along any axes; where the extremes stand.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::fill_n
#include <cmath>        // std::sqrt, std::log
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <limits>       // std::numeric_limits
#include <span>         // std::span
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <string_view>  // std::string_view

#include "activation.hpp"
#include "widen.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

enum class reduction : std::uint8_t { sum, mean, max, min, prod, l1, l2, log_sum, log_sum_exp, sum_square };
inline constexpr std::string_view reduction_names[] = {"ReduceSum",       "ReduceMean",     "ReduceMax", "ReduceMin",
                                                       "ReduceProd",      "ReduceL1",       "ReduceL2",  "ReduceLogSum",
                                                       "ReduceLogSumExp", "ReduceSumSquare"};
[[nodiscard]] constexpr std::string_view name_of(reduction op) noexcept {
    return reduction_names[static_cast<std::size_t>(op)];
}

namespace detail {

enum class folding : std::uint8_t { add, add_abs, add_square, add_exp, multiply, max, min };

}  // namespace detail
}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI

// The order matters.
// clang-format off
#include "target/baseline_begin.inc"
#include "body/reduce.inc"
#include "target/end.inc"
#if FANFOLD_X86_64
#include "target/avx2_begin.inc"
#include "body/reduce.inc"
#include "target/end.inc"

#include "target/avx512_begin.inc"
#include "body/reduce.inc"
#include "target/end.inc"
#endif
// clang-format on

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {
namespace detail {

[[nodiscard]] constexpr folding folding_of(reduction op) noexcept {
    switch (op) {
        case reduction::max: return folding::max;
        case reduction::min: return folding::min;
        case reduction::prod: return folding::multiply;
        case reduction::l1: return folding::add_abs;
        case reduction::l2:
        case reduction::sum_square: return folding::add_square;
        case reduction::log_sum_exp: return folding::add_exp;
        default: return folding::add;
    }
}
/// What changes nothing, as an element.
[[nodiscard]] constexpr double neutral_of(folding how) noexcept {
    constexpr double inf = std::numeric_limits<double>::infinity();
    return how == folding::multiply                         ? 1
           : how == folding::min                            ? inf
           : how == folding::max || how == folding::add_exp ? -inf
                                                            : 0;
}
/// What a sum starts from.
[[nodiscard]] constexpr double start_of(folding how) noexcept { return how == folding::add_exp ? 0 : neutral_of(how); }

/// The axes of `in` in two groups, with the strides of `out` for those that are kept.
struct reduced_axes {
    shape kept, reduced;
    strides in_kept{}, in_reduced{}, out_kept{};

    reduced_axes(std::string_view name, const tensor_view& in, std::span<const std::size_t> axes,
                 const mutable_tensor_view& out) {
        std::array<bool, shape::max_rank> gone{};
        std::array<std::int64_t, shape::max_rank> stay{}, fold{};
        bool right = true;
        for (const std::size_t axis : axes) {
            right = right && axis < in.rank() && !gone[axis];
            if (right) gone[axis] = true;
        }
        std::size_t k = 0, r = 0, at = 0;
        for (std::size_t axis = 0; axis < in.rank() && right; ++axis) {
            if (gone[axis]) {
                in_reduced[r] = in.steps()[axis];
                fold[r++] = in.extent(axis);
                if (out.rank() == in.rank()) right = out.extent(at++) == 1;
            } else {
                right = at < out.rank() && out.extent(at) == in.extent(axis);
                in_kept[k] = in.steps()[axis];
                out_kept[k] = right ? out.steps()[at++] : 0;
                stay[k++] = in.extent(axis);
            }
        }
        if (!right || at != out.rank())
            throw std::invalid_argument(std::string(name) + " of " + describe(in) + " along " + axes_text(axes) +
                                        " into " + describe(out));
        kept = shape(std::span<const std::int64_t>(stay.data(), k));
        reduced = shape(std::span<const std::int64_t>(fold.data(), r));
    }

private:
    static std::string axes_text(std::span<const std::size_t> axes) {
        std::string out = "axes [";
        for (std::size_t i = 0; i < axes.size(); ++i) out += (i == 0 ? "" : ", ") + std::to_string(axes[i]);
        return out + "]";
    }
};

template <class C>
[[nodiscard]] C finished(reduction op, C value, double count) {
    switch (op) {
        case reduction::mean:
            if constexpr (std::integral<C>)
                return count == 0 ? C{0} : static_cast<C>(value / static_cast<C>(count));
            else
                return static_cast<C>(value / static_cast<C>(count));
        case reduction::l2: return static_cast<C>(std::sqrt(value));
        case reduction::log_sum:
        case reduction::log_sum_exp: return static_cast<C>(std::log(static_cast<double>(value)));
        default: return value;
    }
}

/// A running sum of floats: element k goes to lane k mod 16 wherever its neighbours stand.
class lane_sum {
public:
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): what waits is written before it is read
    lane_sum(isa set, folding how, float top)
        : vectors_(pick(set, &baseline::reduce_vectors, &avx2::reduce_vectors, &avx512::reduce_vectors)),
          how_(how),
          top_(top) {
        std::fill_n(lanes_, 16, static_cast<float>(start_of(how)));
    }
    void add(const float* in, std::size_t n) {
        if (waiting_ != 0) {
            const std::size_t some = std::min(n, 16 - waiting_);
            std::copy(in, in + some, pending_ + waiting_);
            waiting_ += some;
            in += some;
            n -= some;
            if (waiting_ < 16) return;
            vectors_(how_, lanes_, pending_, 1, top_);
        }
        vectors_(how_, lanes_, in, n / 16, top_);
        waiting_ = n % 16;
        std::copy(in + (n - waiting_), in + n, pending_);
    }
    [[nodiscard]] float total() {
        if (waiting_ != 0) {
            std::fill(pending_ + waiting_, pending_ + 16, static_cast<float>(neutral_of(how_)));
            vectors_(how_, lanes_, pending_, 1, top_);
        }
        for (std::size_t half = 8; half != 0; half /= 2)
            for (std::size_t i = 0; i < half; ++i) {
                const float x = lanes_[i], y = lanes_[i + half];
                lanes_[i] = how_ == folding::multiply ? x * y
                            : how_ == folding::max    ? (x != x || x > y ? x : y)
                            : how_ == folding::min    ? (x != x || x < y ? x : y)
                                                      : x + y;
            }
        return lanes_[0];
    }

private:
    decltype(&baseline::reduce_vectors) vectors_;
    folding how_;
    float top_;
    std::size_t waiting_ = 0;
    alignas(64) float lanes_[16];
    alignas(64) float pending_[16];
};

/// Calls f(offset in `in`, offset in `out`) for every kept element, or every 16th of rows of them that are neighbours.
template <class F>
void for_each_kept(const reduced_axes& axes, F&& f) {
    for_each_run<2>(axes.kept, {axes.in_kept, axes.out_kept}, f);
}

inline float reduce_row(isa set, folding how, const float* in, const reduced_axes& axes, float top) {
    lane_sum sum(set, how, top);
    if (axes.reduced.rank() == 1 && axes.in_reduced[0] == 1) {
        sum.add(in, axes.reduced.volume());
        return sum.total();
    }
    for_each_run<1>(axes.reduced, {axes.in_reduced}, [&](const offsets<1>& at, std::size_t n, const offsets<1>& step) {
        const float* x = in + at[0];
        if (step[0] == 1) return sum.add(x, n);
        float some[chunk];
        for (std::size_t done = 0; done < n;) {
            const std::size_t count = std::min(n - done, chunk);
            for (std::size_t i = 0; i < count; ++i, x += step[0]) some[i] = *x;
            sum.add(some, count);
            done += count;
        }
    });
    return sum.total();
}

/// The largest element is taken off before e^x; an infinite one cannot be.
[[nodiscard]] inline float shift_of(float largest) { return std::isinf(largest) ? 0.0F : largest; }

inline void reduce_16(isa set, folding how, const float* in, const reduced_axes& axes, std::size_t width,
                      const float* tops, float* out) {
    const auto columns = pick(set, &baseline::reduce_columns, &avx2::reduce_columns, &avx512::reduce_columns);
    alignas(64) float lanes[16 * 16];
    std::fill_n(lanes, 16 * 16, static_cast<float>(start_of(how)));
    std::size_t done = 0;
    for_each_run<1>(axes.reduced, {axes.in_reduced}, [&](const offsets<1>& at, std::size_t n, const offsets<1>& step) {
        columns(how, lanes, in + at[0], step[0], n, done % 16, width, tops);
        done += n;
    });
    pick(set, &baseline::reduce_tree, &avx2::reduce_tree, &avx512::reduce_tree)(how, lanes);
    std::copy(lanes, lanes + width, out);
}

inline void reduce_floats(isa set, reduction op, const float* in, const reduced_axes& axes, float* out) {
    const folding how = folding_of(op);
    const auto count = static_cast<double>(axes.reduced.volume());
    for_each_kept(axes, [&](const offsets<2>& at, std::size_t n, const offsets<2>& step) {
        const float* x = in + at[0];
        float* z = out + at[1];
        const std::int64_t next = axes.reduced.volume() == 0 ? 0 : step[0];  // in an empty tensor is no place to go to
        alignas(64) float tops[16] = {}, sums[16];
        for (std::size_t done = 0; done < n;) {
            const std::size_t width = next == 1 ? std::min<std::size_t>(n - done, 16) : 1;
            if (width == 1) {
                if (op == reduction::log_sum_exp) tops[0] = shift_of(reduce_row(set, folding::max, x, axes, 0));
                sums[0] = reduce_row(set, how, x, axes, tops[0]);
            } else {
                if (op == reduction::log_sum_exp) {
                    reduce_16(set, folding::max, x, axes, width, tops, sums);
                    for (std::size_t i = 0; i < width; ++i) tops[i] = shift_of(sums[i]);
                }
                reduce_16(set, how, x, axes, width, tops, sums);
            }
            for (std::size_t i = 0; i < width; ++i, z += step[1])
                *z = finished(op, sums[i], count) + (op == reduction::log_sum_exp ? tops[i] : 0.0F);
            x += static_cast<std::int64_t>(width) * next;
            done += width;
        }
    });
}

/// into[i] = into[i] o f(x[i * x_step]), or all of them into into[0].
template <class C>
void fold_run(folding how, C* into, std::size_t into_step, const C* x, const C* tops, std::size_t n) {
    const auto run = [&](auto f) {
        for (std::size_t i = 0; i < n; ++i) into[i * into_step] = static_cast<C>(f(into[i * into_step], x[i]));
    };
    using W = std::conditional_t<std::integral<C>, std::uint64_t, C>;
    switch (how) {
        case folding::add: return run([](C s, C v) { return static_cast<W>(s) + static_cast<W>(v); });
        case folding::add_abs:
            return run(
                [](C s, C v) { return static_cast<W>(s) + (v > 0 ? static_cast<W>(v) : W{0} - static_cast<W>(v)); });
        case folding::add_square:
            return run([](C s, C v) { return static_cast<W>(s) + static_cast<W>(v) * static_cast<W>(v); });
        case folding::multiply: return run([](C s, C v) { return static_cast<W>(s) * static_cast<W>(v); });
        case folding::max: return run([](C s, C v) { return s != s || s > v ? s : v; });
        case folding::min: return run([](C s, C v) { return s != s || s < v ? s : v; });
        case folding::add_exp:
            if constexpr (std::floating_point<C>)
                for (std::size_t i = 0; i < n; ++i) into[i * into_step] += std::exp(x[i] - tops[i * into_step]);
            return;
    }
}

/// One after the other, in C.
template <class C>
void reduce_as(reduction op, const tensor_view& in, const reduced_axes& axes, const mutable_tensor_view& out) {
    const folding how = folding_of(op);
    const wide_reader<C> reader(in);
    const storer<C> store = storer_of<C>(out.type());
    const auto width = static_cast<std::int64_t>(size_of(out.type()));
    const auto count = static_cast<double>(axes.reduced.volume());
    constexpr std::size_t columns = 64;
    C from[chunk], sums[columns], tops[columns];
    const auto pass = [&](folding fold, std::int64_t at, std::int64_t step, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i)
            sums[i] = std::integral<C> && fold == folding::max   ? std::numeric_limits<C>::lowest()
                      : std::integral<C> && fold == folding::min ? std::numeric_limits<C>::max()
                                                                 : static_cast<C>(start_of(fold));
        for_each_run<1>(axes.reduced, {axes.in_reduced},
                        [&](const offsets<1>& start, std::size_t many, const offsets<1>& next) {
                            if (n == 1) {
                                for (std::size_t done = 0; done < many; done += chunk) {
                                    const std::size_t some = std::min(many - done, chunk);
                                    const auto first = at + start[0] + static_cast<std::int64_t>(done) * next[0];
                                    fold_run(fold, sums, 0, reader(first, next[0], some, from), tops, some);
                                }
                                return;
                            }
                            for (std::size_t k = 0; k < many; ++k) {
                                const auto first = at + start[0] + static_cast<std::int64_t>(k) * next[0];
                                fold_run(fold, sums, 1, reader(first, step, n, from), tops, n);
                            }
                        });
    };
    for_each_kept(axes, [&](const offsets<2>& at, std::size_t n, const offsets<2>& step) {
        const std::size_t most = axes.reduced.rank() != 0 && step[0] != 1 ? 1 : columns;
        for (std::size_t done = 0; done < n; done += most) {
            const std::size_t some = std::min(n - done, most);
            const auto first = static_cast<std::int64_t>(done);
            if (op == reduction::log_sum_exp) {
                pass(folding::max, at[0] + first * step[0], step[0], some);
                for (std::size_t i = 0; i < some; ++i)
                    tops[i] = std::isinf(static_cast<double>(sums[i])) ? C{0} : sums[i];
            }
            pass(how, at[0] + first * step[0], step[0], some);
            for (std::size_t i = 0; i < some; ++i) {
                sums[i] = finished(op, sums[i], count);
                if (op == reduction::log_sum_exp) sums[i] = static_cast<C>(sums[i] + tops[i]);
            }
            store(sums, out.data() + (at[1] + first * step[1]) * width, step[1], some);
        }
    });
}

inline void reduce(isa set, reduction op, const tensor_view& in, std::span<const std::size_t> axes,
                   const mutable_tensor_view& out) {
    if (in.type() != out.type() || (in.type() == element::boolean && op != reduction::max && op != reduction::min))
        throw std::invalid_argument(std::string(name_of(op)) + " of " + describe(in) + " into " + describe(out));
    const reduced_axes split(name_of(op), in, axes, out);
    if (out.size() == 0) return;
    if (split.reduced.volume() == 0 && !is_floating(in.type()) && (op == reduction::max || op == reduction::min)) {
        const double inf =
            op == reduction::max ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
        for_each_kept(split, [&](const offsets<2>& at, std::size_t n, const offsets<2>& step) {
            const auto width = static_cast<std::int64_t>(size_of(out.type()));
            const double end = in.type() != element::boolean ? inf : op == reduction::min ? 1 : 0;
            for (std::size_t i = 0; i < n; ++i)
                storer_of<double>(out.type())(
                    &end, out.data() + (at[1] + static_cast<std::int64_t>(i) * step[1]) * width, 1, 1);
        });
        return;
    }
    const bool rooted = op == reduction::l2 || op == reduction::log_sum || op == reduction::log_sum_exp;
    if (in.type() == element::float32)
        reduce_floats(set, op, in.as<float>().data(), split, out.as<float>().data());
    else if (is_floating(in.type()) || rooted)
        reduce_as<double>(op, in, split, out);
    else if (in.type() == element::uint64)
        reduce_as<std::uint64_t>(op, in, split, out);
    else
        reduce_as<std::int64_t>(op, in, split, out);
}

}  // namespace detail

/// out = the elements along `axes` (each named once) taken together. Over no elements: 0 for sums, 1 for products,
/// -infinity or the least number for max, +infinity or the greatest for min, NaN for the mean of floating point.
///
/// shapes   out has the extents of in without `axes`, or 1 at them; one type, any strides. Integers wrap; their mean is
///          cut towards zero, their roots and logarithms are computed in double; max and min of bool are or and and
/// cost     float32 in 16 lanes; float64 and 16 bits one after the other in double
/// errors   throws std::invalid_argument when axes, shapes or types do not fit. NaN stays NaN
/// threads  re-entrant. float32: element k of those taken together goes to lane k mod 16, lanes fold in a fixed tree:
///          the bits depend neither on strides nor on which other elements there are
/// source   ONNX ReduceSum-13, ReduceMean-18, ReduceMax-20, ReduceL2-18 and their like
inline void reduce(reduction op, const tensor_view& in, std::span<const std::size_t> axes,
                   const mutable_tensor_view& out) {
    detail::reduce(active_isa(), op, in, axes, out);
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
