// fanfold/model/weight_guard.hpp - what an operation's weights were when a checksum was first asked for.
// SPDX-License-Identifier: MIT
#pragma once
#include <mutex>   // std::once_flag
#include <vector>  // std::vector

#include "../kernel/product_check.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Sums and digests of packed weights, one for each group of them.
///
/// cost     nothing until the first call; then what product_sums says, once
/// threads  const use from any thread: the first makes them, others wait
class weight_guard {
public:
    template <class Make>
    [[nodiscard]] const std::vector<kernel::product_sums>& sums(const Make& make) const {
        std::call_once(once_, [&] { sums_ = make(); });
        return sums_;
    }

private:
    mutable std::once_flag once_;
    mutable std::vector<kernel::product_sums> sums_;
};

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
