// fanfold/model/operators/joined_nhwc.hpp - images behind each other along their channels, each written where it
// belongs by the convolution that computes it, as model/joining.hpp puts them into a graph.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::max
#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <optional>     // std::optional
#include <span>         // std::span
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "images_nhwc.hpp"
#include "pieces.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Convolutions and images side by side in the channels of one answer.
///
/// shapes   input i float32 [N, H, W, C]: what convolution i takes or, where there is none, the images themselves ->
///          float32 [N, oh, ow, all channels]
/// errors   answers throws std::invalid_argument when they do not fit each other
/// source   ONNX Conv-11, Concat-13
class joined_nhwc {
public:
    explicit joined_nhwc(std::vector<std::optional<convolution_nhwc>> pieces) : pieces_(std::move(pieces)) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Conv + Concat"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, pieces_.size());
        std::vector<argument> made;
        for (std::size_t i = 0; i < in.size(); ++i) {
            detail::expect_nhwc(in[i], 0);
            made.emplace_back(pieces_[i] ? pieces_[i]->answers(in.subspan(i, 1)).front() : value_type(in[i]));
        }
        return concat(3).answers(made);
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        std::size_t first = 0;
        for (std::size_t i = 0; i < in.size(); ++i) {
            const auto count = static_cast<std::size_t>(pieces_[i] ? pieces_[i]->outputs() : in[i].extent(3));
            const mutable_tensor_view part = out[0].slice(3, first, count);
            first += count;
            if (pieces_[i])
                (*pieces_[i])(in.subspan(i, 1), std::span(&part, 1), space);
            else if (count != 0)
                detail::copy_elements(in[i], part);
        }
    }
    [[nodiscard]] std::size_t scratch_bytes(std::span<const shape> in) const {
        std::size_t most = 0;
        for (std::size_t i = 0; i < in.size(); ++i)
            if (pieces_[i]) most = std::max(most, pieces_[i]->scratch_bytes(in.subspan(i, 1)));
        return most;
    }
    [[nodiscard]] std::size_t weight_bytes() const {
        std::size_t all = 0;
        for (const auto& piece : pieces_)
            if (piece) all += piece->weight_bytes();
        return all;
    }
    [[nodiscard]] std::uint64_t flops(std::span<const shape> in) const {
        std::uint64_t all = 0;
        for (std::size_t i = 0; i < in.size(); ++i)
            if (pieces_[i]) all += pieces_[i]->flops(in.subspan(i, 1));
        return all;
    }

private:
    std::vector<std::optional<convolution_nhwc>> pieces_;
};
static_assert(graph_operation<joined_nhwc>);

}  // namespace fanfold::inline FANFOLD_ABI
