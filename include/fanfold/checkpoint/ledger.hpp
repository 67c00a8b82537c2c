// fanfold/checkpoint/ledger.hpp - what is already done: answers by row, kept from one run of a job to the next.
// SPDX-License-Identifier: MIT
#pragma once
#include <concepts>  // std::same_as
#include <cstddef>   // std::size_t
#include <cstdint>   // std::uint64_t
#include <span>      // std::span
#include <vector>    // std::vector

#include "../core/batch.hpp"
#include "../core/fault.hpp"
#include "../core/function_ref.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Which job a ledger is of. Not by shards, workers or executor: a job may go on with others.
struct job_identity {
    std::uint64_t fingerprint = 0;  ///< of model, types of the rows and what else changes answers
    std::size_t rows = 0;
};

/// Neighbouring rows that are done, with their answers.
///
/// layout   for each answer tensor in turn, the elements of those rows, dense, in the tensor's own axes
struct rows_done {
    std::size_t first = 0;
    std::size_t rows = 0;
    std::vector<std::byte> answers;
    std::uint64_t rows_digest = 0;  ///< of what the rows themselves are; that of two runs is the sum of theirs
};

/// Keeps what is done. A job calls, in this order,
///   open(identity)    types of the answers as far as known, else none; throws std::runtime_error for another job's
///   restore(take)     hands over what is done
///   declare(types)    of the answers for all rows, once, before anything is kept
///   keep(done)        from all workers at once; may return before it is safe; throws when it cannot be kept
///   finish(faults)    returns when all is safe; throws when it is not. `faults`: rows that have failed
/// A row is kept once. Where anything throws, what was safe stays safe, and the job ends with that exception.
template <class L>
concept ledger = requires(L& l, const job_identity& identity, function_ref<void(const rows_done&)> take,
                          const std::vector<tensor_type>& types, rows_done done, std::span<const fault> faults) {
    { l.open(identity) } -> std::same_as<std::vector<tensor_type>>;
    l.restore(take);
    l.declare(types);
    l.keep(std::move(done));
    l.finish(faults);
};

class any_ledger;

namespace detail {

template <class L>
concept other_ledger = !std::same_as<L, any_ledger> && ledger<L>;

}  // namespace detail

/// Any ledger behind one type; refers to one that must outlive the job. Empty: nothing is kept.
class any_ledger {
public:
    any_ledger() = default;
    template <detail::other_ledger L>
    any_ledger(L& l) : self_(&l), calls_(&calls_of<L>) {}

    [[nodiscard]] explicit operator bool() const noexcept { return self_ != nullptr; }
    [[nodiscard]] std::vector<tensor_type> open(const job_identity& identity) const {
        return calls_->open(self_, identity);
    }
    void restore(function_ref<void(const rows_done&)> take) const { calls_->restore(self_, take); }
    void declare(const std::vector<tensor_type>& types) const { calls_->declare(self_, types); }
    void keep(rows_done done) const { calls_->keep(self_, std::move(done)); }
    void finish(std::span<const fault> faults) const { calls_->finish(self_, faults); }

private:
    struct calls {
        std::vector<tensor_type> (*open)(void*, const job_identity&);
        void (*restore)(void*, function_ref<void(const rows_done&)>);
        void (*declare)(void*, const std::vector<tensor_type>&);
        void (*keep)(void*, rows_done);
        void (*finish)(void*, std::span<const fault>);
    };
    template <class L>
    static constexpr calls calls_of{
        [](void* self, const job_identity& identity) { return static_cast<L*>(self)->open(identity); },
        [](void* self, function_ref<void(const rows_done&)> take) { static_cast<L*>(self)->restore(take); },
        [](void* self, const std::vector<tensor_type>& types) { static_cast<L*>(self)->declare(types); },
        [](void* self, rows_done done) { static_cast<L*>(self)->keep(std::move(done)); },
        [](void* self, std::span<const fault> faults) { static_cast<L*>(self)->finish(faults); }};

    void* self_ = nullptr;
    const calls* calls_ = nullptr;
};

}  // namespace fanfold::inline FANFOLD_ABI
