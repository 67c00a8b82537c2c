// fanfold/model/operation.hpp - one node of a graph: a shape rule and a kernel call, in any type that has the two.
// SPDX-License-Identifier: MIT
#pragma once
#include <concepts>     // std::same_as
#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint32_t, std::uint64_t
#include <memory>       // std::shared_ptr
#include <optional>     // std::optional
#include <span>         // std::span
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../context/workspace.hpp"
#include "../core/function_ref.hpp"
#include "../kernel/activation.hpp"
#include "argument.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Where an operation puts an answer whose shape only its run can tell; each answer is made once.
using answer_room = function_ref<mutable_tensor_view(std::size_t answer, element type, const shape& extents)>;

namespace detail {

template <class Op>
concept fills_answers = requires(const Op& op, std::span<const tensor_view> in,
                                 std::span<const mutable_tensor_view> out, workspace& space) {
    op(in, out, space);
};
template <class Op>
concept makes_answers = requires(const Op& op, std::span<const tensor_view> in, answer_room out, workspace& space) {
    op(in, out, space);
};
template <class Op>
concept gives_answers = fills_answers<Op> || makes_answers<Op>;

}  // namespace detail

/// What a graph asks of an operation. All calls are const and may come from several threads at once.
///   name()                    e.g. "Conv"
///   answers(arguments)        the shape rule, asked at load with what is known then, and in a run where that was not
///                             enough, with everything; throws std::invalid_argument naming what was expected and what
///                             came
///   op(inputs, outputs, ws)   computes; views are dense and have the shapes that were agreed on. `outputs` is a
///                             span of mutable_tensor_view, or an answer_room where shapes depend on elements
/// and, where it applies,
///   sizes(arguments)          elements of answer 0 as far as they follow from sizes, e.g. of Shape
///   Op::shape_inputs          bit i: input i matters to the shape rule alone
///   scratch_bytes(shapes)     what op takes from the workspace for inputs of these shapes
///   with(activation)          the same operation with an activation fused at its end, or an empty std::optional<Op>
///   as_activation()           the activation that this operation is
///   with_addend()             the same operation with one more input, added to its answer before an activation, or an
///                             empty std::optional<Op>
///   weight_bytes()            memory held by packed weights
///   unbounded()               sizes do not tell how long it runs, e.g. Loop: never computed before a run
///   prepare_checksum()        takes the sums of its constant weights, where that has not been done
///   weights_intact()          the weights are still what they were when they were packed
///   checks_sums()             its products add up, or the workspace's sum_checks hears of it
///   flops(shapes)             floating-point operations for inputs of these shapes, as step_event tells them
///   overwrites()              the input whose memory the answer may take: each element is read before it is written
///   Op::elementwise           an answer's element depends on the elements at its own index, broadcast: never mixes
///                             rows
///   mixes_rows(arguments)     an answer's row depends on other rows; asked where some input counts rows along an axis.
///                             Without it (and not elementwise), rows along axis 0 are independent, along others not
///   Op::rereads_weights       once for every step of a sequence, so that rows had better stay together
///   Op::aliases               output 0 is input 0 under another shape: nothing is computed
template <class Op>
concept graph_operation = std::copy_constructible<Op> && detail::gives_answers<Op> &&
    requires(const Op& op, std::span<const argument> arguments) {
    { op.name() } -> std::convertible_to<std::string_view>;
    { op.answers(arguments) } -> std::same_as<std::vector<value_type>>;
};

class operation;

namespace detail {

template <class Op>
concept other_operation = !std::same_as<Op, operation> && graph_operation<Op>;

/// Without mixes_rows: rows along axis 0 of every input are taken for independent.
[[nodiscard]] inline bool rows_elsewhere(std::span<const argument> in) {
    for (const argument& one : in)
        if (one.shape.depends_on_rows() && !one.shape.rows_lead()) return true;
    return false;
}

}  // namespace detail

/// Any graph operation behind one type; copies share it.
class operation {
public:
    template <detail::other_operation Op>
    operation(Op op) : self_(std::make_shared<const Op>(std::move(op))), calls_(&calls_for<Op>) {}

    [[nodiscard]] std::string_view name() const { return calls_->name(self_.get()); }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> inputs) const {
        return calls_->answers(self_.get(), inputs);
    }
    [[nodiscard]] std::optional<symbolic_values> sizes(std::span<const argument> inputs) const {
        return calls_->sizes(self_.get(), inputs);
    }
    /// Shapes depend on elements: only the second call below can run it.
    [[nodiscard]] bool makes_answers() const noexcept { return calls_->fill == nullptr; }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        calls_->fill(self_.get(), in, out, space);
    }
    void operator()(std::span<const tensor_view> in, answer_room out, workspace& space) const {
        calls_->make(self_.get(), in, out, space);
    }
    [[nodiscard]] std::size_t scratch_bytes(std::span<const shape> inputs) const {
        return calls_->scratch_bytes(self_.get(), inputs);
    }
    [[nodiscard]] std::size_t weight_bytes() const { return calls_->weight_bytes(self_.get()); }
    void prepare_checksum() const {
        if (calls_->prepare_checksum != nullptr) calls_->prepare_checksum(self_.get());
    }
    [[nodiscard]] bool checks_sums() const {
        return calls_->checks_sums != nullptr && calls_->checks_sums(self_.get());
    }
    /// True where the operation has no weights that it can check.
    [[nodiscard]] bool weights_intact() const {
        return calls_->weights_intact == nullptr || calls_->weights_intact(self_.get());
    }
    [[nodiscard]] bool unbounded() const { return calls_->unbounded != nullptr && calls_->unbounded(self_.get()); }
    /// 0 where the operation does not say.
    [[nodiscard]] std::uint64_t flops(std::span<const shape> inputs) const {
        return calls_->flops == nullptr ? 0 : calls_->flops(self_.get(), inputs);
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> inputs) const {
        return calls_->mixes_rows(self_.get(), inputs);
    }
    [[nodiscard]] bool reads(std::size_t input) const noexcept {
        return input >= 32 || (calls_->shape_inputs >> input & 1U) == 0;
    }
    [[nodiscard]] std::optional<std::size_t> overwrites() const {
        return calls_->overwrites == nullptr ? std::nullopt : calls_->overwrites(self_.get());
    }
    [[nodiscard]] std::optional<operation> with(kernel::activation act) const;
    [[nodiscard]] kernel::activation as_activation() const { return calls_->as_activation(self_.get()); }
    [[nodiscard]] std::optional<operation> with_addend() const;
    [[nodiscard]] bool aliases() const noexcept { return calls_->aliases; }
    [[nodiscard]] bool elementwise() const noexcept { return calls_->elementwise; }
    [[nodiscard]] bool rereads_weights() const noexcept { return calls_->rereads_weights; }
    /// The operation as what it was made from; null when that was another type.
    template <detail::other_operation Op>
    [[nodiscard]] const Op* as() const noexcept {
        return calls_ == &calls_for<Op> ? static_cast<const Op*>(self_.get()) : nullptr;
    }

private:
    struct calls {
        std::string_view (*name)(const void*);
        std::vector<value_type> (*answers)(const void*, std::span<const argument>);
        std::optional<symbolic_values> (*sizes)(const void*, std::span<const argument>);
        void (*fill)(const void*, std::span<const tensor_view>, std::span<const mutable_tensor_view>, workspace&);
        void (*make)(const void*, std::span<const tensor_view>, answer_room, workspace&);
        std::size_t (*scratch_bytes)(const void*, std::span<const shape>);
        std::size_t (*weight_bytes)(const void*);
        void (*prepare_checksum)(const void*);
        bool (*weights_intact)(const void*);
        bool (*checks_sums)(const void*);
        bool (*unbounded)(const void*);
        std::uint64_t (*flops)(const void*, std::span<const shape>);
        std::optional<std::size_t> (*overwrites)(const void*);
        bool (*mixes_rows)(const void*, std::span<const argument>);
        std::shared_ptr<const void> (*with)(const void*, kernel::activation);
        kernel::activation (*as_activation)(const void*);
        std::shared_ptr<const void> (*with_addend)(const void*);
        std::uint32_t shape_inputs;
        bool aliases;
        bool elementwise;
        bool rereads_weights;
    };

    template <class Op>
    static const Op& of(const void* self) {
        return *static_cast<const Op*>(self);
    }
    template <class Op>
    static constexpr calls calls_of() {
        calls c{};
        c.name = [](const void* self) -> std::string_view { return of<Op>(self).name(); };
        c.answers = [](const void* self, std::span<const argument> in) { return of<Op>(self).answers(in); };
        c.sizes = [](const void*, std::span<const argument>) -> std::optional<symbolic_values> { return {}; };
        if constexpr (requires(const Op& op, std::span<const argument> in) { op.sizes(in); })
            c.sizes = [](const void* self, std::span<const argument> in) { return of<Op>(self).sizes(in); };
        if constexpr (detail::fills_answers<Op>)
            c.fill = [](const void* self, std::span<const tensor_view> in, std::span<const mutable_tensor_view> out,
                        workspace& space) { of<Op>(self)(in, out, space); };
        else
            c.make = [](const void* self, std::span<const tensor_view> in, answer_room out, workspace& space) {
                of<Op>(self)(in, out, space);
            };
        c.scratch_bytes = [](const void*, std::span<const shape>) -> std::size_t { return 0; };
        if constexpr (requires(const Op& op, std::span<const shape> in) { op.scratch_bytes(in); })
            c.scratch_bytes = [](const void* self, std::span<const shape> in) -> std::size_t {
                return of<Op>(self).scratch_bytes(in);
            };
        c.weight_bytes = [](const void*) -> std::size_t { return 0; };
        if constexpr (requires(const Op& op) { op.weight_bytes(); })
            c.weight_bytes = [](const void* self) -> std::size_t { return of<Op>(self).weight_bytes(); };
        if constexpr (requires(const Op& op) { op.prepare_checksum(); })
            c.prepare_checksum = [](const void* self) { of<Op>(self).prepare_checksum(); };
        if constexpr (requires(const Op& op) { op.weights_intact(); })
            c.weights_intact = [](const void* self) -> bool { return of<Op>(self).weights_intact(); };
        if constexpr (requires(const Op& op) { op.checks_sums(); })
            c.checks_sums = [](const void* self) -> bool { return of<Op>(self).checks_sums(); };
        if constexpr (requires(const Op& op) { op.unbounded(); })
            c.unbounded = [](const void* self) -> bool { return of<Op>(self).unbounded(); };
        if constexpr (requires(const Op& op, std::span<const shape> in) { op.flops(in); })
            c.flops = [](const void* self, std::span<const shape> in) -> std::uint64_t {
                return of<Op>(self).flops(in);
            };
        if constexpr (requires(const Op& op) { op.overwrites(); })
            c.overwrites = [](const void* self) -> std::optional<std::size_t> { return of<Op>(self).overwrites(); };
        c.mixes_rows = [](const void*, std::span<const argument> in) { return detail::rows_elsewhere(in); };
        if constexpr (requires { requires Op::elementwise; }) {
            c.mixes_rows = [](const void*, std::span<const argument>) { return false; };
            c.elementwise = true;
        }
        if constexpr (requires(const Op& op, std::span<const argument> in) { op.mixes_rows(in); })
            c.mixes_rows = [](const void* self, std::span<const argument> in) -> bool {
                return of<Op>(self).mixes_rows(in);
            };
        c.with = [](const void*, kernel::activation) -> std::shared_ptr<const void> { return nullptr; };
        if constexpr (requires(const Op& op, kernel::activation act) { op.with(act); })
            c.with = [](const void* self, kernel::activation act) -> std::shared_ptr<const void> {
                std::optional<Op> fused = of<Op>(self).with(act);
                return fused ? std::make_shared<const Op>(*std::move(fused)) : nullptr;
            };
        c.with_addend = [](const void*) -> std::shared_ptr<const void> { return nullptr; };
        if constexpr (requires(const Op& op) { op.with_addend(); })
            c.with_addend = [](const void* self) -> std::shared_ptr<const void> {
                std::optional<Op> fused = of<Op>(self).with_addend();
                return fused ? std::make_shared<const Op>(*std::move(fused)) : nullptr;
            };
        c.as_activation = [](const void*) { return kernel::activation::none; };
        if constexpr (requires(const Op& op) { op.as_activation(); })
            c.as_activation = [](const void* self) -> kernel::activation { return of<Op>(self).as_activation(); };
        if constexpr (requires { Op::shape_inputs; }) c.shape_inputs = Op::shape_inputs;
        if constexpr (requires { Op::aliases; }) c.aliases = Op::aliases;
        if constexpr (requires { Op::rereads_weights; }) c.rereads_weights = Op::rereads_weights;
        return c;
    }
    template <class Op>
    static constexpr calls calls_for = calls_of<Op>();

    operation(std::shared_ptr<const void> self, const calls* its_calls) : self_(std::move(self)), calls_(its_calls) {}

    std::shared_ptr<const void> self_;
    const calls* calls_;
};

inline std::optional<operation> operation::with(kernel::activation act) const {
    auto fused = calls_->with(self_.get(), act);
    if (fused == nullptr) return std::nullopt;
    return operation(std::move(fused), calls_);
}
inline std::optional<operation> operation::with_addend() const {
    auto fused = calls_->with_addend(self_.get());
    if (fused == nullptr) return std::nullopt;
    return operation(std::move(fused), calls_);
}

}  // namespace fanfold::inline FANFOLD_ABI
