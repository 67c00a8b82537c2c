// fanfold/model/operators/float8.hpp - numbers rounded to those that 8-bit floating point holds.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <span>         // std::span
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "../../kernel/float8.hpp"
#include "../operation.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// The nearest number of an 8-bit format, held in float32.
///
/// shapes   float32, any shape
/// source   ONNX Cast-19 to the four formats
class round_to_float8 {
public:
    static constexpr bool elementwise = true;

    round_to_float8(const kernel::float8_format& format, kernel::float8_range range) : format_(format), range_(range) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Cast"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        if (in[0].type != element::float32) detail::refuse("float32", in[0].text());
        return {{element::float32, in[0].shape}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        const auto from = in[0].as<float>().flat();
        const auto to = out[0].as<float>().flat();
        for (std::size_t i = 0; i < to.size(); ++i) to[i] = kernel::float8_rounded(format_, from[i], range_);
    }

private:
    kernel::float8_format format_;
    kernel::float8_range range_;
};
static_assert(graph_operation<round_to_float8>);

}  // namespace fanfold::inline FANFOLD_ABI
