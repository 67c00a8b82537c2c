// fanfold/infer/sum_watch.hpp - checksums of a job: which attempts have them, and what they told.
// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>     // std::atomic
#include <cstddef>    // std::size_t
#include <optional>   // std::optional
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string

#include "../context/workspace.hpp"
#include "../schedule/claim.hpp"
#include "../verify/checksum.hpp"
#include "attempt.hpp"
#include "recheck.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// cost     without checksums one branch an attempt
/// threads  `over` from all workers at once
template <class M>
class sum_watch {
public:
    sum_watch(const std::optional<checksum>& wanted, const M& model) : wanted_(wanted), model_(model) {
        if (!wanted) return;
        if (!(wanted->fraction >= 0 && wanted->fraction <= 1))
            throw std::invalid_argument("infer: checksum expects a fraction in [0, 1], got " +
                                        std::to_string(wanted->fraction));
        if constexpr (checks_sums)
            model.prepare_checksums();
        else
            throw std::invalid_argument(
                "infer: checksum needs a graph, which knows its weights; of other models duplicate compares the bits");
    }

    /// One attempt's.
    class attempt_watch {
    public:
        attempt_watch(const sum_watch& job, workspace* space) : job_(job), space_(space) {
            if (space_ != nullptr) space_->sums = &seen_.emplace();
        }
        ~attempt_watch() {
            if (space_ == nullptr) return;
            space_->sums = nullptr;
            job_.products_.fetch_add(seen_->rows(), std::memory_order_relaxed);
            job_.suspicious_.fetch_add(seen_->suspicious() != 0, std::memory_order_relaxed);
        }
        attempt_watch(const attempt_watch&) = delete;
        attempt_watch& operator=(const attempt_watch&) = delete;

        /// Why its answers are compared with others'; throws damaged_error where the weights cannot be trusted.
        [[nodiscard]] recheck_reason reason(const claim& what) const {
            if (space_ == nullptr) return recheck_reason::sampled;
            std::string damage = seen_->damage();
            if (damage.empty()) damage = job_.damage_at(what.shard);
            if (!damage.empty()) throw damaged_error("the weights of " + damage + " are not what they were at load");
            return seen_->suspicious() != 0 ? recheck_reason::suspicious : recheck_reason::sampled;
        }

    private:
        const sum_watch& job_;
        workspace* space_;
        std::optional<sum_checks> seen_;
    };
    [[nodiscard]] attempt_watch over(const claim& what, workspace& space) const {
        return {*this, wanted_ && in_sample(what.shard, wanted_->fraction, wanted_->seed) ? &space : nullptr};
    }

    void tell(timeline& events) const {
        events.checks.products = products_;
        events.checks.suspicious = suspicious_;
    }

private:
    static constexpr bool checks_sums = requires(const M& m) {
        m.prepare_checksums();
        m.damaged_weights();
    };
    [[nodiscard]] std::string damage_at(std::size_t shard) const {
        if constexpr (checks_sums)
            if (wanted_->weights_every != 0 && (shard + 1) % wanted_->weights_every == 0)
                return model_.damaged_weights();
        return {};
    }

    const std::optional<checksum>& wanted_;
    const M& model_;
    mutable std::atomic<std::size_t> products_{0};
    mutable std::atomic<std::size_t> suspicious_{0};
};

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
