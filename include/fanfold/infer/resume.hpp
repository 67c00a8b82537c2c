// fanfold/infer/resume.hpp - a job and its ledger: what is done is not computed again, what gets done is kept.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::sort, std::binary_search
#include <atomic>     // std::atomic
#include <cstddef>    // std::size_t
#include <cstdint>    // std::uint64_t
#include <memory>     // std::unique_ptr
#include <mutex>      // std::mutex
#include <stdexcept>  // std::runtime_error
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

#include "../checkpoint/ledger.hpp"
#include "../context/random.hpp"
#include "../verify/digest.hpp"
#include "answers.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// A digest of what decides on a row's answer but the row itself: what all rows share, or all of them where they depend
/// on each other, types, and the model by the number that stands for it.
template <class = void>
[[nodiscard]] std::uint64_t fingerprint(const batch& rows, std::uint64_t of_model, shards_are divided) {
    std::string text = digest_text(of_model);
    for (const part& p : rows.parts()) {
        text += "|" + p.name() + " " + describe(p.data()) + " " + (p.rows() ? std::to_string(*p.rows()) : "shared");
        if (!p.rows() || divided == shards_are::whole) text += " " + digest_text(digest(p.data()));
    }
    return hash_bytes(text.data(), text.size());
}

/// A digest of one row and its number. That of several rows is the sum, so that it does not matter where runs begin.
template <class = void>
[[nodiscard]] std::uint64_t row_identity(const batch& rows, std::size_t row) {
    std::uint64_t sum = 0;
    std::uint64_t number = 0;
    for (const part& p : rows.parts()) {
        ++number;
        if (!p.rows()) continue;
        const tensor_view& all = p.data();
        const std::size_t bytes = all.bytes() / rows.rows();
        const std::size_t each = entries_per_row(all.shape(), *p.rows(), rows.rows());
        const std::uint64_t one = *p.rows() == 0 && all.dense() ? hash_bytes(all.data() + row * bytes, bytes)
                                                                : digest(all.slice(*p.rows(), row * each, each));
        sum += random_bits(one ^ random_bits(row + (number << 48U))())();
    }
    return sum;
}

/// threads  `look_at` and `keep` from all workers at once
template <class Digest>
class basic_resumption {
public:
    /// Opens the ledger, if there is one.
    basic_resumption(any_ledger ledger, const batch& rows, std::uint64_t of_model, shards_are divided)
        : ledger_(ledger), rows_(rows), done_(ledger ? rows.rows() : 0) {
        if (!ledger_) return;
        types_ = ledger_.open({fingerprint(rows, of_model, divided), rows.rows()});
        ledger_.restore([&](const rows_done& one) {
            if (one.first >= done_.size() || one.rows > done_.size() - one.first)
                refuse("rows " + std::to_string(one.first) + " to " + std::to_string(one.first + one.rows - 1) +
                       " of a batch of " + std::to_string(done_.size()));
            for (std::size_t row = one.first; row < one.first + one.rows; ++row) {
                if (done_[row]) refuse("row " + std::to_string(row) + " twice");
                done_[row] = true;
            }
            std::uint64_t digest_now = 0;
            for (std::size_t row = one.first; row < one.first + one.rows; ++row) digest_now += row_identity(rows, row);
            if (digest_now != one.rows_digest)
                refuse("answers for other rows than rows " + std::to_string(one.first) + " to " +
                       std::to_string(one.first + one.rows - 1) + " of this batch");
            resumed_ += one.rows;
        });
        if (resumed_ != done_.size()) digests_ = std::make_unique<std::atomic<Digest>[]>(done_.size());
    }

    /// The plan without what is done; shards that are to stay whole go where all of them is.
    [[nodiscard]] plan rest_of(plan all, shards_are divided) const {
        if (resumed_ == 0) return all;
        plan rest;
        for (std::size_t shard = 0; shard < all.shards(); ++shard) {
            bool any = false;
            for (std::size_t at = 0; at < all.rows_of(shard); ++at) any |= !done_[all.row(shard, at)];
            for (std::size_t at = 0; any && at < all.rows_of(shard); ++at)
                if (divided == shards_are::whole || !done_[all.row(shard, at)])
                    rest.order.push_back(all.row(shard, at));
            if (rest.order.size() > rest.cuts.back()) rest.cuts.push_back(rest.order.size());
        }
        return rest;
    }

    /// Puts the answers that are done to their places.
    void restore(answer_store& answers) {
        if (!ledger_) return;
        if (!answers.types().empty() && !types_.empty() && text_of(answers.types()) != text_of(types_))
            refuse("answers " + text_of(types_) + ", and the model gives " + text_of(answers.types()));
        if (answers.types().empty() && !types_.empty()) answers.declare(types_);
        declared_ = !types_.empty();
        if (resumed_ != 0)
            ledger_.restore([&](const rows_done& one) {
                if (!answers.put(one.first, one.rows, one.answers))
                    refuse(std::to_string(one.answers.size()) + " bytes for " + std::to_string(one.rows) + " rows");
            });
    }

    /// Learns which rows these are, just before they are computed: then they need not come from memory twice.
    void look_at(const row_set& rows) const {
        if (!ledger_) return;
        for (std::size_t at = 0; at < rows.rows(); ++at)
            digests_[rows.row(at)].store(row_identity(rows_, rows.row(at)), std::memory_order_relaxed);
    }

    /// Keeps those rows of an attempt that its faults do not name. They are at their places.
    void keep(const row_set& rows, const std::vector<fault>& faults, answer_store& answers) {
        if (!ledger_) return;
        std::vector<std::size_t> failed;
        for (const fault& f : faults) failed.insert(failed.end(), f.rows.begin(), f.rows.end());
        std::sort(failed.begin(), failed.end());
        std::vector<std::size_t> good;
        for (std::size_t at = 0; at < rows.rows(); ++at)
            if (!done_[rows.row(at)] && !std::binary_search(failed.begin(), failed.end(), rows.row(at)))
                good.push_back(rows.row(at));
        if (good.empty()) return;
        declare(answers);
        std::sort(good.begin(), good.end());
        for (std::size_t at = 0; at < good.size();) {
            std::size_t end = at + 1;
            while (end < good.size() && good[end] == good[end - 1] + 1) ++end;
            rows_done run{.first = good[at], .rows = end - at, .answers = answers.get(good[at], end - at)};
            for (std::size_t row = run.first; row < run.first + run.rows; ++row)
                run.rows_digest += digests_[row].load(std::memory_order_relaxed);
            ledger_.keep(std::move(run));
            at = end;
        }
    }
    void finish(const std::vector<fault>& failures) const {
        if (ledger_) ledger_.finish(failures);
    }
    [[nodiscard]] std::size_t resumed() const noexcept { return resumed_; }

private:
    [[noreturn]] static void refuse(const std::string& what) {
        throw std::runtime_error("infer: the ledger holds " + what);
    }
    [[nodiscard]] static std::string text_of(const std::vector<tensor_type>& types) {
        std::string text;
        for (const tensor_type& type : types) {
            text += (text.empty() ? "" : ", ") + std::string(name_of(type.type)) + " " + type.shape.text();
            if (type.rows != row_axis(0)) text += type.rows ? " by axis " + std::to_string(*type.rows) : " shared";
        }
        return text;
    }
    void declare(answer_store& answers) {
        const std::lock_guard lock(mutex_);
        if (declared_) return;
        for (const tensor_type& type : answers.types())
            if (!type.rows)
                throw std::invalid_argument("infer: an answer that all rows share cannot be kept in a ledger");
        ledger_.declare(answers.types());
        declared_ = true;
    }

    any_ledger ledger_;
    const batch& rows_;
    std::vector<bool> done_;  ///< by row: when the job began
    std::unique_ptr<std::atomic<Digest>[]> digests_;
    std::vector<tensor_type> types_;
    std::size_t resumed_ = 0;
    std::mutex mutex_;
    bool declared_ = false;
};
using resumption = basic_resumption<std::uint64_t>;

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
