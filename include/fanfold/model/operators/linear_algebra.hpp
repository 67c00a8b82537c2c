// fanfold/model/operators/linear_algebra.hpp - sums of products by a formula of letters, determinants.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <optional>     // std::optional
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::exchange, std::move
#include <vector>       // std::vector

#include "../../core/in_quotes.hpp"
#include "../../kernel/determinant.hpp"
#include "../../kernel/einsum.hpp"
#include "../operation.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Products of all inputs, summed over the letters that the answer does not name.
///
/// example  einsum("bij,bjk->bik")
/// shapes   one type of float32, float64, or integers of 32 or 64 bits
/// errors   answers throws std::invalid_argument when the equation cannot be read or the shapes do not fit it
/// source   ONNX Einsum-12
class einsum {
public:
    explicit einsum(std::string equation) : equation_(std::move(equation)) {
        std::string term;
        bool left = true;
        for (const char c : equation_) {
            if (c == ' ') continue;
            if (c == ',' || c == '-') {
                terms_.push_back(std::exchange(term, {}));
                left = c == ',';
                if (!left) break;
            } else {
                term += c;
            }
        }
        if (left) terms_.push_back(std::move(term));
        if (const std::size_t arrow = equation_.find("->"); arrow != std::string::npos) {
            answer_ = std::string();
            for (const char c : equation_.substr(arrow + 2))
                if (c != ' ') *answer_ += c;
        }
    }

    [[nodiscard]] std::string_view name() const noexcept { return "Einsum"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        if (in.size() != terms_.size())
            detail::refuse(std::to_string(terms_.size()) + " inputs for " + detail::in_quotes(equation_),
                           std::to_string(in.size()));
        bool constant = true;
        for (const argument& one : in) {
            if (one.type != in[0].type) detail::refuse("values of one type", in[0].text() + " and " + one.text());
            constant = constant && one.shape.constant();
        }
        if (in[0].type == element::boolean || size_of(in[0].type) < 4)
            detail::refuse("float32, float64 or integers of 32 or 64 bits", in[0].text());
        if (constant) {
            std::vector<shape> shapes;
            for (const argument& one : in) shapes.push_back(one.shape.at(0));
            return {{in[0].type, kernel::einsum_plan(equation_, shapes).answer()}};
        }
        return {{in[0].type, by_letters(in)}};
    }
    /// A letter that rows lie along has to be in the answer.
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        const symbolic_shape out = answers(in).front().shape;
        return !out.known() || !out.row_axis();
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        std::vector<shape> shapes;
        for (const tensor_view& one : in) shapes.push_back(one.shape());
        const kernel::einsum_plan plan(equation_, shapes);
        switch (in[0].type()) {
            case element::float32: return run<float>(plan, in, out[0], space.stop);
            case element::float64: return run<double>(plan, in, out[0], space.stop);
            case element::int32:
            case element::uint32: return run<std::uint32_t>(plan, in, out[0], space.stop);
            default: return run<std::uint64_t>(plan, in, out[0], space.stop);
        }
    }

private:
    /// T is as wide as the elements.
    template <class T>
    static void run(const kernel::einsum_plan& plan, std::span<const tensor_view> in, const mutable_tensor_view& out,
                    const stop& stopping) {
        std::vector<view<const T>> words;
        for (const tensor_view& one : in) words.emplace_back(reinterpret_cast<const T*>(one.data()), one.shape());
        kernel::einsum<T>(plan, words, view<T>(reinterpret_cast<T*>(out.data()), out.shape()), stopping);
    }

    /// The answer where extents are not all known: letter by letter; unknown with an ellipsis or without an arrow.
    [[nodiscard]] symbolic_shape by_letters(std::span<const argument> in) const {
        if (!answer_ || equation_.find('.') != std::string::npos) return symbolic_shape::unknown();
        symbolic_shape out;
        for (const char letter : *answer_) {
            extent found = extent::unknown();
            for (std::size_t t = 0; t < in.size(); ++t) {
                if (!in[t].shape.ranked()) continue;
                if (in[t].shape.rank() != terms_[t].size())
                    detail::refuse("a rank as in " + detail::in_quotes(equation_), in[t].text());
                const std::size_t axis = terms_[t].find(letter);
                if (axis == std::string::npos || !in[t].shape[axis].known()) continue;
                if (found.known() && !(found == in[t].shape[axis]) && !(found == extent(1)) &&
                    !(in[t].shape[axis] == extent(1)))
                    detail::refuse("one extent for '" + std::string(1, letter) + "' in " + detail::in_quotes(equation_),
                                   found.text() + " and " + in[t].shape[axis].text());
                if (!found.known() || found == extent(1)) found = in[t].shape[axis];
            }
            out.push_back(found);
        }
        return out;
    }

    std::string equation_;
    std::vector<std::string> terms_;
    std::optional<std::string> answer_;
};
static_assert(graph_operation<einsum>);

/// The determinant of each matrix.
///
/// shapes   float32 or float64 [.., M, M] -> [..]
/// source   ONNX Det-11
class determinant {
public:
    [[nodiscard]] std::string_view name() const noexcept { return "Det"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        const symbolic_shape& x = in[0].shape;
        const bool real = in[0].type == element::float32 || in[0].type == element::float64;
        if (real && !x.ranked()) return {in[0]};
        if (!real || x.rank() < 2 || !may_equal(x[x.rank() - 1], x[x.rank() - 2]))
            detail::refuse("float32 or float64 matrices [.., M, M]", in[0].text());
        return {{in[0].type, symbolic_shape(std::span<const extent>(x.begin(), x.rank() - 2))}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        const auto rows = in[0].shape.row_axis();
        return !rows || *rows + 2 >= in[0].shape.rank();
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        if (in[0].type() == element::float32)
            kernel::determinant(in[0].as<float>(), out[0].as<float>(), space);
        else
            kernel::determinant(in[0].as<double>(), out[0].as<double>(), space);
    }
};
static_assert(graph_operation<determinant>);

}  // namespace fanfold::inline FANFOLD_ABI
