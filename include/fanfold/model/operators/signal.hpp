// fanfold/model/operators/signal.hpp - Fourier transforms, weights of windows, mel filters.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::max, std::min, std::clamp
#include <cmath>        // std::log10, std::pow, std::floor
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <optional>     // std::optional
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "../../kernel/fourier.hpp"
#include "../../kernel/window_functions.hpp"
#include "../operation.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// The one integer of an input, where it is known.
[[nodiscard]] inline std::optional<std::int64_t> one_integer(std::span<const argument> in, std::size_t index) {
    if (!given(in, index)) return std::nullopt;
    if (in[index].type != element::int64 && in[index].type != element::int32) refuse("one integer", in[index].text());
    const auto list = integers_in(in[index]);
    if (!list) return std::nullopt;
    if (list->size() != 1) refuse("one integer", in[index].text());
    return list->front();
}
[[nodiscard]] inline std::int64_t one_integer(const tensor_view& from) { return integers_in(from).at(0); }
inline void expect_real(const argument& one) {
    if (one.type != element::float32 && one.type != element::float64) refuse("float32 or float64", one.text());
}
/// Calls f with the type of a real tensor's elements.
template <class F>
void with_real(element type, F&& f) {
    if (type == element::float64)
        f(double{});
    else
        f(float{});
}

}  // namespace detail

/// How much of a spectrum is answered: all of it, or the half that tells the rest for real signals.
enum class spectrum { whole, one_sided };

/// The discrete Fourier transform along an axis: inputs x, optionally a length, and optionally the axis.
///
/// shapes   float32 or float64 [.., 1 or 2], the last axis real or complex -> [.., 2]
/// source   ONNX DFT-17, DFT-20
class fourier_transform {
public:
    static constexpr std::uint32_t shape_inputs = 0b110;

    fourier_transform(kernel::transform way, spectrum answered, std::int64_t axis)
        : way_(way), answered_(answered), axis_(axis) {}

    [[nodiscard]] std::string_view name() const noexcept { return "DFT"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1, 3);
        detail::expect_real(in[0]);
        symbolic_shape out = in[0].shape;
        if (!out.ranked()) return {{in[0].type, out}};
        const std::size_t rank = out.rank();
        if (rank < 2 || (!may_equal(out[rank - 1], 1) && !may_equal(out[rank - 1], 2)))
            detail::refuse("real or complex signals [.., 1 or 2]", in[0].text());
        out[rank - 1] = 2;
        const std::optional<std::int64_t> asked = given(in, 2) ? detail::one_integer(in, 2) : std::optional(axis_);
        if (!asked) return {{in[0].type, symbolic_shape::of_rank(rank)}};
        extent& along = out[axis(*asked, rank)];
        if (given(in, 1)) {
            const auto length = detail::one_integer(in, 1);
            along = length ? extent(*length) : extent::unknown();
        }
        if (answered_ == spectrum::one_sided)
            along = along.constant() ? extent(along.fixed / 2 + 1) : extent::unknown();
        return {{in[0].type, out}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        const auto asked = given(in, 2) ? detail::one_integer(in, 2) : std::optional(axis_);
        return !asked || in[0].shape.row_axis() == axis(*asked, in[0].shape.rank());
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        const std::size_t along = axis(given(in, 2) ? detail::one_integer(in[2]) : axis_, in[0].rank());
        const std::int64_t length = given(in, 1) ? detail::one_integer(in[1]) : in[0].extent(along);
        detail::with_real(in[0].type(),
                          [&]<class T>(T) { kernel::dft(in[0].as<T>(), along, length, way_, out[0].as<T>(), space); });
    }

private:
    /// The last axis holds the parts of a number and is none to transform along.
    static std::size_t axis(std::int64_t asked, std::size_t rank) {
        const std::size_t found = detail::expect_axis(asked, rank);
        if (found + 1 == rank) detail::refuse("an axis before the last one", std::to_string(asked));
        return found;
    }

    kernel::transform way_;
    spectrum answered_;
    std::int64_t axis_;
};
static_assert(graph_operation<fourier_transform>);

/// Fourier transforms of frames of a signal: inputs x, the step between frames, and a window or a length, or both.
///
/// shapes   float32 or float64 [B, L, 1 or 2] or [B, L], int64 [], [length], int64 [] -> [B, frames, bins, 2]
/// source   ONNX STFT-17
class short_time_fourier_transform {
public:
    explicit short_time_fourier_transform(spectrum answered) : answered_(answered) {}

    [[nodiscard]] std::string_view name() const noexcept { return "STFT"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2, 4);
        detail::expect_real(in[0]);
        const symbolic_shape& x = in[0].shape;
        if (x.ranked() && x.rank() != 3 && x.rank() != 2) detail::refuse("signals [B, L, 1 or 2]", in[0].text());
        if (given(in, 2) && in[2].type != in[0].type)
            detail::refuse("a window of " + std::string(name_of(in[0].type)), in[2].text());
        const auto step = detail::one_integer(in, 1);
        extent length = extent::unknown();
        if (given(in, 3)) {
            if (const auto known = detail::one_integer(in, 3)) length = *known;
        } else if (!given(in, 2)) {
            detail::refuse("a window or a length", "neither");
        } else if (in[2].shape.ranked() && in[2].shape.rank() == 1) {
            length = in[2].shape[0];
        }
        extent frames = extent::unknown(), bins = length;
        if (answered_ == spectrum::one_sided)
            bins = length.constant() ? extent(length.fixed / 2 + 1) : extent::unknown();
        if (x.ranked() && x[1].constant() && length.constant() && step) {
            if (*step < 1 || length.fixed < 1 || length.fixed > x[1].fixed)
                detail::refuse("frames within the signal", std::to_string(length.fixed) + " every " +
                                                               std::to_string(*step) + " of " + in[0].text());
            frames = (x[1].fixed - length.fixed) / *step + 1;
        }
        return {{in[0].type, {x.ranked() ? x[0] : extent::unknown(), frames, bins, 2}}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        const tensor_view x = in[0].rank() == 3 ? in[0] : in[0].reshaped({in[0].extent(0), in[0].extent(1), 1});
        const std::int64_t length = given(in, 3) ? detail::one_integer(in[3]) : static_cast<std::int64_t>(in[2].size());
        detail::with_real(in[0].type(), [&]<class T>(T) {
            const auto window = given(in, 2) ? in[2].as<T>().flat() : std::span<const T>();
            kernel::stft(x.as<T>(), detail::one_integer(in[1]), length, window, out[0].as<T>(), space);
        });
    }

private:
    spectrum answered_;
};
static_assert(graph_operation<short_time_fourier_transform>);

/// The weights of a window as long as input 0 says.
///
/// shapes   int32 or int64 [] -> float32 or float64 [length]
/// source   ONNX HannWindow-17, HammingWindow-17, BlackmanWindow-17
class window_weights {
public:
    window_weights(kernel::window_function function, kernel::window_ends ends, element type)
        : function_(function), ends_(ends), type_(type) {
        if (type != element::float32 && type != element::float64)
            detail::refuse("weights in float32 or float64", std::string(name_of(type)));
    }

    [[nodiscard]] std::string_view name() const noexcept {
        switch (function_) {
            case kernel::window_function::hann: return "HannWindow";
            case kernel::window_function::hamming: return "HammingWindow";
            case kernel::window_function::blackman: break;
        }
        return "BlackmanWindow";
    }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        const auto length = detail::one_integer(in, 0);
        if (length && *length < 0) detail::refuse("a length of 0 or more", std::to_string(*length));
        return {{type_, {length ? extent(*length) : extent::unknown()}}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument>) const { return true; }
    void operator()(std::span<const tensor_view>, std::span<const mutable_tensor_view> out, workspace&) const {
        detail::with_real(type_, [&]<class T>(T) { kernel::fill_window(function_, ends_, out[0].as<T>().flat()); });
    }

private:
    kernel::window_function function_;
    kernel::window_ends ends_;
    element type_;
};
static_assert(graph_operation<window_weights>);

/// Triangles over the bins of a spectrum, evenly spaced on the mel scale. Inputs: number of bands, length of the
/// transform, sample rate, lowest and highest frequency.
///
/// shapes   int64 [] three times, float [] twice -> float32 or float64 [length / 2 + 1, bands]
/// source   ONNX MelWeightMatrix-17
class mel_weights {
public:
    explicit mel_weights(element type = element::float32) : type_(type) {
        if (type != element::float32 && type != element::float64)
            detail::refuse("weights in float32 or float64", std::string(name_of(type)));
    }

    [[nodiscard]] std::string_view name() const noexcept { return "MelWeightMatrix"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 5);
        for (std::size_t i = 3; i < 5; ++i) detail::expect_real(in[i]);
        const auto bands = detail::one_integer(in, 0), length = detail::one_integer(in, 1);
        if ((bands && *bands < 0) || (length && *length < 0)) detail::refuse("sizes of 0 or more", "less");
        return {{type_,
                 {length ? extent(*length / 2 + 1) : extent::unknown(), bands ? extent(*bands) : extent::unknown()}}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument>) const { return true; }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        const std::int64_t length = detail::one_integer(in[1]), rate = detail::one_integer(in[2]);
        const std::int64_t bins = out[0].extent(0), bands = out[0].extent(1);
        if (bands == 0) return;
        const auto mel = [](double hertz) { return 2595 * std::log10(1 + hertz / 700); };
        const auto real = [](const tensor_view& v) {
            return v.type() == element::float32 ? static_cast<double>(v.as<float>().flat()[0])
                                                : v.as<double>().flat()[0];
        };
        const double low = mel(real(in[3])), high = mel(real(in[4]));
        const double step = (high - low) / static_cast<double>(bands + 2);
        std::vector<std::int64_t> edges;
        for (std::int64_t i = 0; i < bands + 2; ++i) {
            const double hertz = 700 * (std::pow(10, (low + static_cast<double>(i) * step) / 2595) - 1);
            const double edge = std::floor((static_cast<double>(length) + 1) * hertz / static_cast<double>(rate));
            edges.push_back(edge == edge ? static_cast<std::int64_t>(std::clamp(edge, -0x1p61, 0x1p61)) : 0);
        }
        detail::with_real(type_, [&]<class T>(T) {
            const view<T> weights = out[0].as<T>();
            for (T& one : weights.flat()) one = 0;
            for (std::int64_t band = 0; band < bands; ++band) {
                const auto at = static_cast<std::size_t>(band);
                const std::int64_t first = edges[at], centre = edges[at + 1], last = edges[at + 2];
                const auto part = [](std::int64_t a, std::int64_t b) {
                    return static_cast<T>(static_cast<double>(a) / static_cast<double>(b));
                };
                if (centre == first && centre >= 0 && centre < bins) weights(centre, band) = 1;
                for (std::int64_t bin = std::max<std::int64_t>(first, 0); bin <= std::min(centre, bins - 1); ++bin)
                    if (centre != first) weights(bin, band) = part(bin - first, centre - first);
                for (std::int64_t bin = std::max<std::int64_t>(centre, 0); bin < std::min(last, bins); ++bin)
                    if (last != centre) weights(bin, band) = part(last - bin, last - centre);
            }
        });
    }

private:
    element type_;
};
static_assert(graph_operation<mel_weights>);

}  // namespace fanfold::inline FANFOLD_ABI
