// fanfold/kernel/fourier.hpp - discrete Fourier transforms, of whole signals and of sliding frames.
//   in    real or complex signals      out   complex spectra, real and imaginary part side by side
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min
#include <cmath>      // std::cos, std::sin
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <numbers>    // std::numbers::pi
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <utility>    // std::swap

#include "../context/workspace.hpp"
#include "../core/view.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// `inverse` turns the other way and divides by the length.
enum class transform : std::uint8_t { forward, inverse };

namespace detail {

struct complex_number {
    double real, imaginary;
};
inline complex_number operator+(complex_number a, complex_number b) {
    return {a.real + b.real, a.imaginary + b.imaginary};
}
inline complex_number operator-(complex_number a, complex_number b) {
    return {a.real - b.real, a.imaginary - b.imaginary};
}
inline complex_number operator*(complex_number a, complex_number b) {
    return {a.real * b.real - a.imaginary * b.imaginary, a.real * b.imaginary + a.imaginary * b.real};
}

/// Transforms one signal of a fixed length after another, in double.
class fourier {
public:
    std::span<complex_number> signal, spectrum;

    fourier(std::size_t length, transform way, workspace& space)
        : signal(space.take<complex_number>(length)),
          spectrum(space.take<complex_number>(length)),
          turns_(space.take<complex_number>(length)),
          scale_(way == transform::inverse ? 1.0 / static_cast<double>(length) : 1) {
        const double turn = (way == transform::inverse ? 2 : -2) * std::numbers::pi / static_cast<double>(length);
        for (std::size_t k = 0; k < length; ++k)
            turns_[k] = {std::cos(turn * static_cast<double>(k)), std::sin(turn * static_cast<double>(k))};
    }

    /// signal to the first `bins` elements of spectrum.
    void operator()(std::size_t bins, const stop& stopping) {
        const std::size_t n = signal.size();
        if ((n & (n - 1)) == 0)
            halve();
        else
            for (std::size_t k = 0; k < bins; ++k) {
                if (n >= polled) stopping.check();
                complex_number sum{0, 0};
                for (std::size_t t = 0, at = 0; t < n; ++t) {
                    sum = sum + signal[t] * turns_[at];
                    at += k;
                    if (at >= n) at -= n;
                }
                spectrum[k] = sum;
            }
        for (std::size_t k = 0; k < bins; ++k)
            spectrum[k] = {spectrum[k].real * scale_, spectrum[k].imaginary * scale_};
    }

private:
    static constexpr std::size_t polled = 4096;  ///< elements whose sum is worth a look at the clock

    /// Powers of two: Cooley and Tukey's butterflies, in place behind the bit-reversed order.
    void halve() {
        const std::size_t n = signal.size();
        for (std::size_t i = 0, reversed = 0; i < n; ++i) {
            spectrum[reversed] = signal[i];
            std::size_t bit = n / 2;
            for (; bit != 0 && (reversed & bit) != 0; bit /= 2) reversed ^= bit;
            reversed |= bit;
        }
        for (std::size_t half = 1; half < n; half *= 2)
            for (std::size_t start = 0; start < n; start += 2 * half)
                for (std::size_t k = 0; k < half; ++k) {
                    const complex_number even = spectrum[start + k];
                    const complex_number odd = spectrum[start + k + half] * turns_[k * (n / 2 / half)];
                    spectrum[start + k] = even + odd;
                    spectrum[start + k + half] = even - odd;
                }
    }

    std::span<complex_number> turns_;
    double scale_;
};

template <class T>
complex_number signal_at(const T* data, std::int64_t index, std::int64_t parts) {
    return {static_cast<double>(data[index * parts]), parts == 2 ? static_cast<double>(data[index * 2 + 1]) : 0.0};
}

}  // namespace detail

/// out = the transform of `length` elements along `axis`: a shorter signal is followed by zeros, a longer one cut.
///
/// shapes   in [..., n, ..., 1 or 2], the last axis real or complex; out alike with `length` or length / 2 + 1
///          (one-sided) elements along `axis` and 2 at the end; dense, float or double
/// cost     length^2 for each signal, length log length for powers of two; computed in double
/// errors   throws std::invalid_argument when the shapes do not fit
/// threads  re-entrant with a workspace each
/// source   ONNX DFT-17
template <class T>
void dft(const view<const T>& in, std::size_t axis, std::int64_t length, transform way, const view<T>& out,
         workspace& space) {
    const std::size_t rank = in.rank();
    bool fits = rank >= 2 && axis + 1 < rank && out.rank() == rank && in.dense() && out.dense() && length >= 1 &&
                (in.extent(rank - 1) == 1 || in.extent(rank - 1) == 2) && out.extent(rank - 1) == 2 &&
                (out.extent(axis) == length || out.extent(axis) == length / 2 + 1);
    for (std::size_t a = 0; fits && a + 1 < rank; ++a) fits = a == axis || in.extent(a) == out.extent(a);
    if (!fits)
        throw std::invalid_argument("dft: " + in.shape().text() + " along axis " + std::to_string(axis) + " into " +
                                    out.shape().text() + " with length " + std::to_string(length));
    if (out.size() == 0) return;
    const std::int64_t parts = in.extent(rank - 1), n = in.extent(axis), bins = out.extent(axis);
    const std::int64_t used = std::min(n, length);
    std::int64_t outer = 1, inner = 1;
    for (std::size_t a = 0; a < axis; ++a) outer *= in.extent(a);
    for (std::size_t a = axis + 1; a + 1 < rank; ++a) inner *= in.extent(a);
    const workspace::scope scope(space);
    detail::fourier transformed(static_cast<std::size_t>(length), way, space);
    for (std::int64_t o = 0; o < outer; ++o)
        for (std::int64_t i = 0; i < inner; ++i) {
            space.stop.check();
            for (std::int64_t t = 0; t < length; ++t)
                transformed.signal[static_cast<std::size_t>(t)] =
                    t < used ? detail::signal_at(in.data(), (o * n + t) * inner + i, parts)
                             : detail::complex_number{0, 0};
            transformed(static_cast<std::size_t>(bins), space.stop);
            for (std::int64_t k = 0; k < bins; ++k) {
                T* to = out.data() + ((o * bins + k) * inner + i) * 2;
                to[0] = static_cast<T>(transformed.spectrum[static_cast<std::size_t>(k)].real);
                to[1] = static_cast<T>(transformed.spectrum[static_cast<std::size_t>(k)].imaginary);
            }
        }
}

/// out[b, f] = the transform of frame f of signal b, which begins at f * step, times the window.
///
/// shapes   in [B, L, 1 or 2], window [length] or empty (ones), out [B, F, bins, 2] with (F - 1) * step + length <= L
///          and bins = length or length / 2 + 1; dense, float or double
/// cost     as dft, for each frame
/// errors   throws std::invalid_argument when the shapes do not fit
/// threads  re-entrant with a workspace each
/// source   ONNX STFT-17
template <class T>
void stft(const view<const T>& in, std::int64_t step, std::int64_t length, std::span<const T> window,
          const view<T>& out, workspace& space) {
    const bool ranks = in.rank() == 3 && out.rank() == 4 && in.dense() && out.dense();
    const bool fits = ranks && length >= 1 && step >= 1 && (in.extent(2) == 1 || in.extent(2) == 2) &&
                      out.extent(3) == 2 && out.extent(0) == in.extent(0) &&
                      (out.extent(2) == length || out.extent(2) == length / 2 + 1) &&
                      (window.empty() || window.size() == static_cast<std::size_t>(length)) && length <= in.extent(1) &&
                      out.extent(1) <= (in.extent(1) - length) / step + 1;
    if (!fits)
        throw std::invalid_argument("stft: " + in.shape().text() + " in frames of " + std::to_string(length) +
                                    " every " + std::to_string(step) + " with a window of " +
                                    std::to_string(window.size()) + " into " + out.shape().text());
    if (out.size() == 0) return;
    const workspace::scope scope(space);
    detail::fourier transformed(static_cast<std::size_t>(length), transform::forward, space);
    const std::int64_t bins = out.extent(2);
    T* to = out.data();
    for (std::int64_t b = 0; b < out.extent(0); ++b)
        for (std::int64_t frame = 0; frame < out.extent(1); ++frame) {
            space.stop.check();
            for (std::int64_t t = 0; t < length; ++t) {
                const auto at = static_cast<std::size_t>(t);
                const double weight = window.empty() ? 1.0 : static_cast<double>(window[at]);
                const auto s = detail::signal_at(in.data(), b * in.extent(1) + frame * step + t, in.extent(2));
                transformed.signal[at] = {s.real * weight, s.imaginary * weight};
            }
            transformed(static_cast<std::size_t>(bins), space.stop);
            for (const auto& s : transformed.spectrum.first(static_cast<std::size_t>(bins))) {
                *to++ = static_cast<T>(s.real);
                *to++ = static_cast<T>(s.imaginary);
            }
        }
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
