// fanfold/verify/verifier.hpp - a check of a shard's answers, in any type that has one.
// SPDX-License-Identifier: MIT
#pragma once
#include <concepts>  // std::same_as
#include <memory>    // std::shared_ptr
#include <vector>    // std::vector

#include "../core/batch.hpp"
#include "../core/fault.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Looks at the answers of a shard and names the rows, by position in the shard, that do not pass.
template <class V>
concept verifier = requires(const V& v, const batch_view& answers) {
    { v(answers) } -> std::same_as<std::vector<fault>>;
};

class any_verifier;

namespace detail {

template <class V>
concept other_verifier = !std::same_as<V, any_verifier> && verifier<V>;

}  // namespace detail

/// Any verifier behind one type, called once a shard; empty: nothing is checked.
class any_verifier {
public:
    any_verifier() = default;
    template <detail::other_verifier V>
    any_verifier(V v)
        : self_(std::make_shared<const V>(std::move(v))),
          check_([](const void* self, const batch_view& answers) { return (*static_cast<const V*>(self))(answers); }) {}
    /// Deleted, so that the compiler's message names the concept that is not met.
    template <class V>
    any_verifier(V) requires(!std::same_as<V, any_verifier> && !verifier<V>) = delete;

    [[nodiscard]] explicit operator bool() const noexcept { return check_ != nullptr; }
    [[nodiscard]] std::vector<fault> operator()(const batch_view& answers) const {
        return check_(self_.get(), answers);
    }

private:
    std::shared_ptr<const void> self_;
    std::vector<fault> (*check_)(const void*, const batch_view&) = nullptr;
};

}  // namespace fanfold::inline FANFOLD_ABI
