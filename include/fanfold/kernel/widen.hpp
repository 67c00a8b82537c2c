// fanfold/kernel/widen.hpp - runs of any element type as float, double, int64 or uint64, and back: so that an operation
// is compiled for four types instead of thirteen.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min
#include <bit>        // std::bit_cast
#include <concepts>   // std::integral
#include <cstddef>    // std::byte
#include <cstdint>    // std::int64_t
#include <limits>     // std::numeric_limits

#include "../core/view.hpp"
#include "strided.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel::detail {

/// How many elements are widened at a time: buffers of so many stand on the stack.
inline constexpr std::size_t chunk = 256;

template <class T>
concept stored_as_half = std::same_as<T, float16> || std::same_as<T, bfloat16>;
template <class T>
concept stored_as_float = std::floating_point<T> || stored_as_half<T>;

/// Rounded to float so that a second rounding, to 16 bits, gives what one rounding would.
[[nodiscard]] inline float rounded_to_odd(double x) noexcept {
    const auto f = static_cast<float>(x);
    const auto bits = std::bit_cast<std::uint32_t>(f);
    const double back = f;
    if (back == x || x != x || (bits & 1U) != 0) return f;
    if ((bits & 0x7fffffffU) == 0x7f800000U) return f;
    return std::bit_cast<float>((back < x) == (x > 0) ? bits + 1 : bits - 1);
}

/// One number as T. From floating point to integers: towards zero, what does not fit becomes the nearest that does, NaN
/// becomes 0. Integers wrap; to bool: x != 0; to floating point: rounded once.
template <class T, class C>
[[nodiscard]] T narrowed(C x) noexcept {
    if constexpr (std::same_as<T, C>) {
        return x;
    } else if constexpr (std::same_as<T, bool>) {
        return x != C{0};
    } else if constexpr (stored_as_half<T>) {
        if constexpr (std::same_as<C, float>) {
            return T(x);
        } else if constexpr (std::same_as<C, double>) {
            return T(rounded_to_odd(x));
        } else {  // the last bit of 53 stands for all below
            constexpr C below = 0xfff;
            const bool small = x < C{1} << 53 && (std::same_as<C, std::uint64_t> || x > C{0} - (C{1} << 53));
            return T(rounded_to_odd(static_cast<double>(small || (x & below) == 0 ? x : (x & ~below) | C{0x800})));
        }
    } else if constexpr (std::integral<T> && std::floating_point<C>) {
        constexpr C low = static_cast<C>(std::numeric_limits<T>::min());
        constexpr C beyond = static_cast<C>((std::numeric_limits<T>::max() >> 1) + 1) * 2;
        if (x < beyond) return x <= low ? std::numeric_limits<T>::min() : static_cast<T>(x);
        return x != x ? T{0} : std::numeric_limits<T>::max();
    } else {
        return static_cast<T>(x);
    }
}

template <class T, class C>
void load_run(const std::byte* from, std::int64_t step, C* to, std::size_t n) {
    const T* x = reinterpret_cast<const T*>(from);
    for (std::size_t i = 0; i < n; ++i, x += step)
        to[i] = static_cast<C>(*x);  // NOLINT(bugprone-signed-char-misuse): int8 numbers
}
template <class T, class C>
void store_run(const C* from, std::byte* to, std::int64_t step, std::size_t n) {
    T* x = reinterpret_cast<T*>(to);
    for (std::size_t i = 0; i < n; ++i, x += step) *x = narrowed<T>(from[i]);
}

template <class C>
using loader = void (*)(const std::byte* from, std::int64_t step, C* to, std::size_t n);
template <class C>
using storer = void (*)(const C* from, std::byte* to, std::int64_t step, std::size_t n);

/// Elements of `type` as C: double takes every type, float floating point of at most 32 bits, the others integers and
/// bool (uint64 and int64 with wrapping). Null for what C does not take.
template <class C>
[[nodiscard]] loader<C> loader_of(element type) {
    return visit_element(type, []<class T>(T) -> loader<C> {
        if constexpr (std::same_as<C, double> ||
                      (std::same_as<C, float> ? stored_as_float<T> && sizeof(T) <= 4 : std::integral<T>))
            return &load_run<T, C>;
        else
            return nullptr;
    });
}
/// As `narrowed`. Null: float to anything but floating point of at most 32 bits.
template <class C>
[[nodiscard]] storer<C> storer_of(element type) {
    return visit_element(type, []<class T>(T) -> storer<C> {
        if constexpr (!std::same_as<C, float> || (stored_as_float<T> && sizeof(T) <= 4))
            return &store_run<T, C>;
        else
            return nullptr;
    });
}

/// float for floating point of at most 32 bits, double for float64, uint64 for itself,
/// int64 for other integers and bool.
template <class F>
decltype(auto) visit_wide(element type, F&& f) {
    if (type == element::float64) return f(double{});
    if (is_floating(type)) return f(float{});
    if (type == element::uint64) return f(std::uint64_t{});
    return f(std::int64_t{});
}

/// A tensor's runs as C.
template <class C>
struct wide_reader {
    const std::byte* data;
    std::int64_t width;
    bool same;
    loader<C> load;

    explicit wide_reader(const tensor_view& from)
        : data(from.data()),
          width(static_cast<std::int64_t>(size_of(from.type()))),
          same(from.type() == element_of<C>),
          load(loader_of<C>(from.type())) {}
    [[nodiscard]] const std::byte* at(std::int64_t element) const { return data + element * width; }
    /// `n` elements from `element` on: in place where they are stored so, else in `room`.
    [[nodiscard]] const C* operator()(std::int64_t element, std::int64_t step, std::size_t n, C* room) const {
        if (same && step == 1) return reinterpret_cast<const C*>(at(element));
        load(at(element), step, room, n);
        return room;
    }
};

/// out = run(in) in runs of C: `run(const C* from, C* to, n)`, where `to` may be `from`.
template <class C, class Run>
void map_runs(const tensor_view& in, const mutable_tensor_view& out, Run&& run) {
    const wide_reader<C> reader(in);
    const storer<C> store = storer_of<C>(out.type());
    const auto out_width = static_cast<std::int64_t>(size_of(out.type()));
    for_each_run<2>(in.shape(), {in.steps(), out.steps()},
                    [&](const offsets<2>& at, std::size_t n, const offsets<2>& step) {
                        const bool in_place = out.type() == element_of<C> && step[1] == 1;
                        const std::size_t most = in_place && reader.same && step[0] == 1 ? n : chunk;
                        C from[chunk], to[chunk];
                        for (std::size_t done = 0; done < n; done += most) {
                            const std::size_t count = std::min(n - done, most);
                            const auto first = static_cast<std::int64_t>(done);
                            const C* x = reader(at[0] + first * step[0], step[0], count, from);
                            std::byte* z = out.data() + (at[1] + first * step[1]) * out_width;
                            if (in_place) {
                                run(x, reinterpret_cast<C*>(z), count);
                            } else {
                                run(x, to, count);
                                store(to, z, step[1], count);
                            }
                        }
                    });
}

}  // namespace kernel::detail
}  // namespace fanfold::inline FANFOLD_ABI
