// fanfold/serve/spare_rows.hpp - rows of requests that are over, as memory for the rows of later ones.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>  // std::size_t
#include <memory>   // std::shared_ptr
#include <mutex>    // std::mutex
#include <utility>  // std::move
#include <vector>   // std::vector

#include "../core/batch.hpp"
#include "../core/tensor.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Elements, and a batch that refers to them: they stay where they are when both are moved.
struct copied_rows {
    tensor elements;
    batch rows;
};

/// Rows are copied by one thread and given back by another, for which allocators are slow: so they are kept, as long as
/// all are of one size and 4 MiB at most.
///
/// threads  all members from several at once
template <class>
class basic_spare_rows {
public:
    /// Rows like these, their elements whatever they are.
    [[nodiscard]] copied_rows like(const tensor_view& rows) {
        {
            const std::lock_guard lock(mutex_);
            if (!spare_.empty() && spare_.back().elements.type() == rows.type() &&
                spare_.back().elements.shape() == rows.shape()) {
                copied_rows last = std::move(spare_.back());
                spare_.pop_back();
                return last;
            }
        }
        tensor elements = tensor::uninitialized(rows.type(), rows.shape());
        batch seen(part(static_cast<const tensor&>(elements)));
        return {std::move(elements), std::move(seen)};
    }
    /// Takes `copy` and `rows` of each request that is over.
    template <class Asked>
    void keep(const std::vector<std::shared_ptr<Asked>>& over) {
        const std::lock_guard lock(mutex_);
        for (const std::shared_ptr<Asked>& who : over)
            if (const std::size_t bytes = who->copy.bytes(); bytes != 0) {
                if (!spare_.empty() && spare_.back().elements.bytes() != bytes) spare_.clear();
                if ((spare_.size() + 1) * bytes <= most_bytes)
                    spare_.push_back({std::move(who->copy), std::move(who->rows)});
            }
    }

private:
    static constexpr std::size_t most_bytes = std::size_t{4} << 20U;
    std::mutex mutex_;
    std::vector<copied_rows> spare_;
};
using spare_rows = basic_spare_rows<void>;

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
