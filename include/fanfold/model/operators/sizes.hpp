// fanfold/model/operators/sizes.hpp - values made from shapes, and shapes made from values.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::clamp
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <cstring>      // std::memcpy
#include <optional>     // std::optional
#include <span>         // std::span
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../operation.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// The extents [first, last) of a value; bounds count from the end when negative and are clamped.
///
/// shapes   any -> int64 [last - first]
/// source   ONNX Shape-15
class shape_of {
public:
    static constexpr std::uint32_t shape_inputs = 0b1;

    explicit shape_of(std::int64_t first = 0, std::int64_t last = INT64_MAX) : first_(first), last_(last) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Shape"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        if (!in[0].shape.ranked()) return {{element::int64, symbolic_shape::of_rank(1)}};
        const auto [first, last] = bounds(in[0].shape.rank());
        return {{element::int64, {last - first}}};
    }
    [[nodiscard]] std::optional<symbolic_values> sizes(std::span<const argument> in) const {
        if (!in[0].shape.ranked()) return std::nullopt;
        const auto [first, last] = bounds(in[0].shape.rank());
        return symbolic_values(in[0].shape.begin() + first, in[0].shape.begin() + last);
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument>) const { return false; }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        std::int64_t first = bounds(in[0].rank()).first;
        for (std::int64_t& size : out[0].as<std::int64_t>().flat())
            size = in[0].extent(static_cast<std::size_t>(first++));
    }

private:
    [[nodiscard]] std::pair<std::int64_t, std::int64_t> bounds(std::size_t size) const {
        const auto rank = static_cast<std::int64_t>(size);
        const auto bound = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank); };
        return {bound(first_), std::max(bound(first_), bound(last_))};
    }

    std::int64_t first_;
    std::int64_t last_;
};
static_assert(graph_operation<shape_of>);

/// The number of elements.
///
/// shapes   any -> int64 []
/// source   ONNX Size-13
class element_count {
public:
    static constexpr std::uint32_t shape_inputs = 0b1;

    [[nodiscard]] std::string_view name() const noexcept { return "Size"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        return {{element::int64, {}}};
    }
    [[nodiscard]] std::optional<symbolic_values> sizes(std::span<const argument> in) const {
        if (!in[0].shape.ranked()) return std::nullopt;
        return symbolic_values{in[0].shape.volume()};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument>) const { return false; }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        out[0].as<std::int64_t>().flat()[0] = static_cast<std::int64_t>(in[0].size());
    }
};
static_assert(graph_operation<element_count>);

/// A value of the shape that input 0 lists, every element alike.
///
/// shapes   int64 [rank] -> the element's type, that shape
/// source   ONNX ConstantOfShape-9
class constant_of_shape {
public:
    static constexpr std::uint32_t shape_inputs = 0b1;

    /// `fill` holds one element.
    explicit constant_of_shape(tensor fill) : fill_(std::make_shared<const tensor>(std::move(fill))) {
        if (fill_->size() != 1) detail::refuse("one element", fill_->shape().text());
    }

    [[nodiscard]] std::string_view name() const noexcept { return "ConstantOfShape"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        return {{fill_->type(), detail::listed_shape(in[0])}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument>) const { return false; }
    void operator()(std::span<const tensor_view>, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;  // there may be no room
        visit_width(fill_->type(), [&]<class Word>(Word word) {
            std::memcpy(&word, fill_->data(), sizeof word);
            std::byte line[64];
            for (std::size_t at = 0; at < sizeof line; at += sizeof word) std::memcpy(line + at, &word, sizeof word);
            std::byte* at = out[0].data();
            std::size_t left = out[0].bytes();
            for (; left >= sizeof line; left -= sizeof line, at += sizeof line) std::memcpy(at, line, sizeof line);
            std::memcpy(at, line, left);
        });
    }

private:
    std::shared_ptr<const tensor> fill_;
};
static_assert(graph_operation<constant_of_shape>);

}  // namespace fanfold::inline FANFOLD_ABI
