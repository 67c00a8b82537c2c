// fanfold/model/operators/rms_normalization.hpp - values divided by their root mean square along the last axis.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <span>         // std::span
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "../../kernel/normalization.hpp"
#include "normalization.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// x / sqrt(mean of squares along the last axis + epsilon) * scale.
///
/// shapes   x float32 [.., D], scale float32 [D] -> as x
/// source   ONNX RMSNormalization-23, along the last axis
class rms_normalization {
public:
    explicit rms_normalization(float epsilon = 1e-5F) : epsilon_(epsilon) {}

    [[nodiscard]] std::string_view name() const noexcept { return "RMSNormalization"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2);
        detail::expect_floats(in[0], 1);
        const symbolic_shape& x = in[0].shape;
        detail::expect_list(in[1], x.ranked() ? x[x.rank() - 1] : extent::unknown());
        return {in[0]};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        const auto rows = in[0].shape.row_axis();
        return detail::depends_on_rows(in, 1) || !rows || *rows + 1 == in[0].shape.rank();
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        const std::int64_t n = in[0].extent(in[0].rank() - 1);
        const shape matrix{static_cast<std::int64_t>(in[0].size()) / n, n};
        kernel::rms_norm(in[0].reshaped(matrix).as<float>(), detail::floats_in(in[1]), epsilon_,
                         out[0].reshaped(matrix).as<float>());
    }
    [[nodiscard]] float epsilon() const noexcept { return epsilon_; }

private:
    float epsilon_;
};
static_assert(graph_operation<rms_normalization>);

}  // namespace fanfold::inline FANFOLD_ABI
