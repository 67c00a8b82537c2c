// fanfold/partition/any_partitioner.hpp - any partitioner behind one type, called once a job.
// SPDX-License-Identifier: MIT
#pragma once
#include <concepts>  // std::same_as
#include <memory>    // std::shared_ptr
#include <utility>   // std::move

#include "contiguous.hpp"

namespace fanfold::inline FANFOLD_ABI {

class any_partitioner;

namespace detail {

template <class P>
concept other_partitioner = !std::same_as<P, any_partitioner> && partitioner<P>;

}  // namespace detail

class any_partitioner {
public:
    /// Cuts as contiguous{} does.
    template <class = void>
    any_partitioner() : cut_([](const void*, const workload& w) -> plan { return contiguous{}(w); }) {}
    template <detail::other_partitioner P>
    any_partitioner(P p)
        : self_(std::make_shared<const P>(std::move(p))),
          cut_([](const void* self, const workload& w) -> plan { return (*static_cast<const P*>(self))(w); }) {}
    /// Deleted, so that the compiler's message names the concept that is not met.
    template <class P>
    any_partitioner(P) requires(!std::same_as<P, any_partitioner> && !partitioner<P>) = delete;

    [[nodiscard]] plan operator()(const workload& w) const { return cut_(self_.get(), w); }

private:
    std::shared_ptr<const void> self_;
    plan (*cut_)(const void*, const workload&);
};
static_assert(partitioner<any_partitioner>);

}  // namespace fanfold::inline FANFOLD_ABI
