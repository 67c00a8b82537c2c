// fanfold/serve/spare_rows.hpp - memory that rows of requests were copied to, for the rows of later ones.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>  // std::size_t
#include <memory>   // std::shared_ptr
#include <mutex>    // std::mutex
#include <utility>  // std::move
#include <vector>   // std::vector

#include "../core/tensor.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Rows are allocated by one thread and freed by another, for which allocators are slow: so they are kept, all of one
/// size, 4 MiB at most.
///
/// threads  all members from several at once
template <class>
class basic_spare_rows {
public:
    /// A tensor like `rows`, its elements whatever they are.
    [[nodiscard]] tensor like(const tensor_view& rows) {
        {
            const std::lock_guard lock(mutex_);
            if (!spare_.empty() && spare_.back().type() == rows.type() && spare_.back().shape() == rows.shape()) {
                tensor last = std::move(spare_.back());
                spare_.pop_back();
                return last;
            }
        }
        return tensor::uninitialized(rows.type(), rows.shape());
    }
    /// Takes the `copy` of each request that is over.
    template <class Asked>
    void keep(const std::vector<std::shared_ptr<Asked>>& over) {
        const std::lock_guard lock(mutex_);
        for (const std::shared_ptr<Asked>& who : over)
            if (const std::size_t bytes = who->copy.bytes(); bytes != 0) {
                if (!spare_.empty() && spare_.back().bytes() != bytes) spare_.clear();
                if ((spare_.size() + 1) * bytes <= most_bytes) spare_.push_back(std::move(who->copy));
            }
    }

private:
    static constexpr std::size_t most_bytes = std::size_t{4} << 20U;
    std::mutex mutex_;
    std::vector<tensor> spare_;
};
using spare_rows = basic_spare_rows<void>;

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
