// fanfold/model/operation.hpp - one node of a graph: a shape rule and a kernel call, in any type that has the two.
// SPDX-License-Identifier: MIT
#pragma once
#include <concepts>     // std::same_as
#include <cstddef>      // std::size_t
#include <memory>       // std::shared_ptr
#include <optional>     // std::optional
#include <span>         // std::span
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../context/workspace.hpp"
#include "../kernel/activation.hpp"
#include "symbolic_shape.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// What a graph asks of an operation. All calls are const and may come from several threads at once.
///   name()                    e.g. "Conv"
///   answers(inputs)           the shape rule; throws std::invalid_argument naming what was expected and what came
///   op(inputs, outputs, ws)   computes; views are dense and have the shapes that were agreed on
/// and, where it applies,
///   scratch_bytes(rows)       what op takes from the workspace for `rows` rows
///   with(activation)          the same operation with an activation fused at its end, or an empty std::optional<Op>
///   as_activation()           the activation that this operation is
///   weight_bytes()            memory held by packed weights
///   mixes_rows(inputs)        an answer's row depends on other rows, though its shape does not show it
///   Op::aliases               output 0 is input 0 under another shape: nothing is computed
template <class Op>
concept graph_operation = std::copy_constructible<Op> &&
    requires(const Op& op, std::span<const value_type> types, std::span<const tensor_view> in,
             std::span<const mutable_tensor_view> out, workspace& space) {
    { op.name() } -> std::convertible_to<std::string_view>;
    { op.answers(types) } -> std::same_as<std::vector<value_type>>;
    op(in, out, space);
};

class operation;

namespace detail {

template <class Op>
concept other_operation = !std::same_as<Op, operation> && graph_operation<Op>;

}  // namespace detail

/// Any graph operation behind one type; copies share it.
class operation {
public:
    template <detail::other_operation Op>
    operation(Op op) : self_(std::make_shared<const Op>(std::move(op))), calls_(&calls_for<Op>) {}

    [[nodiscard]] std::string_view name() const { return calls_->name(self_.get()); }
    [[nodiscard]] std::vector<value_type> answers(std::span<const value_type> inputs) const {
        return calls_->answers(self_.get(), inputs);
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        calls_->run(self_.get(), in, out, space);
    }
    [[nodiscard]] std::size_t scratch_bytes(std::size_t rows) const { return calls_->scratch_bytes(self_.get(), rows); }
    [[nodiscard]] std::size_t weight_bytes() const { return calls_->weight_bytes(self_.get()); }
    [[nodiscard]] bool mixes_rows(std::span<const value_type> inputs) const {
        return calls_->mixes_rows(self_.get(), inputs);
    }
    [[nodiscard]] std::optional<operation> with(kernel::activation act) const;
    [[nodiscard]] kernel::activation as_activation() const { return calls_->as_activation(self_.get()); }
    [[nodiscard]] bool aliases() const noexcept { return calls_->aliases; }

private:
    struct calls {
        std::string_view (*name)(const void*);
        std::vector<value_type> (*answers)(const void*, std::span<const value_type>);
        void (*run)(const void*, std::span<const tensor_view>, std::span<const mutable_tensor_view>, workspace&);
        std::size_t (*scratch_bytes)(const void*, std::size_t);
        std::size_t (*weight_bytes)(const void*);
        bool (*mixes_rows)(const void*, std::span<const value_type>);
        std::shared_ptr<const void> (*with)(const void*, kernel::activation);
        kernel::activation (*as_activation)(const void*);
        bool aliases;
    };

    template <class Op>
    static const Op& of(const void* self) {
        return *static_cast<const Op*>(self);
    }
    template <class Op>
    static constexpr calls calls_for{
        .name = [](const void* self) -> std::string_view { return of<Op>(self).name(); },
        .answers = [](const void* self, std::span<const value_type> in) { return of<Op>(self).answers(in); },
        .run = [](const void* self, std::span<const tensor_view> in, std::span<const mutable_tensor_view> out,
                  workspace& space) { of<Op>(self)(in, out, space); },
        .scratch_bytes = [](const void* self, std::size_t rows) -> std::size_t {
            if constexpr (requires(const Op& op) { op.scratch_bytes(rows); })
                return of<Op>(self).scratch_bytes(rows);
            else
                return static_cast<void>(self), static_cast<void>(rows), 0;
        },
        .weight_bytes = [](const void* self) -> std::size_t {
            if constexpr (requires(const Op& op) { op.weight_bytes(); })
                return of<Op>(self).weight_bytes();
            else
                return static_cast<void>(self), 0;
        },
        .mixes_rows = [](const void* self, std::span<const value_type> in) -> bool {
            if constexpr (requires(const Op& op) { op.mixes_rows(in); })
                return of<Op>(self).mixes_rows(in);
            else
                return static_cast<void>(self), static_cast<void>(in), false;
        },
        .with = [](const void* self, kernel::activation act) -> std::shared_ptr<const void> {
            if constexpr (requires(const Op& op) { op.with(act); }) {
                std::optional<Op> fused = of<Op>(self).with(act);
                if (fused) return std::make_shared<const Op>(*std::move(fused));
            }
            return static_cast<void>(self), static_cast<void>(act), nullptr;
        },
        .as_activation = [](const void* self) -> kernel::activation {
            if constexpr (requires(const Op& op) { op.as_activation(); })
                return of<Op>(self).as_activation();
            else
                return static_cast<void>(self), kernel::activation::none;
        },
        .aliases = requires {requires Op::aliases;
},
};  // namespace fanfold::inline FANFOLD_ABI

operation(std::shared_ptr<const void> self, const calls* its_calls) : self_(std::move(self)), calls_(its_calls) {}

std::shared_ptr<const void> self_;
const calls* calls_;
}
;

inline std::optional<operation> operation::with(kernel::activation act) const {
    auto fused = calls_->with(self_.get(), act);
    if (fused == nullptr) return std::nullopt;
    return operation(std::move(fused), calls_);
}

}  // namespace fanfold::inline FANFOLD_ABI
