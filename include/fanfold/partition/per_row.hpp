// fanfold/partition/per_row.hpp - a number for each row: what it costs, how long it is, by which key it travels.
// SPDX-License-Identifier: MIT
#pragma once
#include <cmath>        // std::isfinite
#include <concepts>     // std::integral
#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <memory>       // std::shared_ptr
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <type_traits>  // std::is_invocable_r_v
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../core/hash.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// From a callable that is given a row's number, or from a list with one entry a row. Empty by default.
///
/// threads  re-entrant, if the callable is
template <class T>
class per_row {
public:
    per_row() = default;
    template <class F>
    requires(std::is_invocable_r_v<T, const F&, std::size_t>) per_row(F f)
        : self_(std::make_shared<const F>(std::move(f))), at_([](const void* self, std::size_t row) -> T {
              return static_cast<T>((*static_cast<const F*>(self))(row));
          }) {}
    template <class V>
    requires(std::is_arithmetic_v<V>) per_row(std::vector<V> list)
        : length_(list.size()),
          self_(std::make_shared<const std::vector<V>>(std::move(list))),
          at_([](const void* self, std::size_t row) -> T {
              return static_cast<T>((*static_cast<const std::vector<V>*>(self))[row]);
          }) {}

    [[nodiscard]] explicit operator bool() const noexcept { return at_ != nullptr; }
    [[nodiscard]] T operator()(std::size_t row) const { return at_(self_.get(), row); }

    /// All of them; throws std::invalid_argument, beginning with `who`, when there is none or a list has other rows.
    template <class = void>
    [[nodiscard]] std::vector<T> of(std::size_t rows, const std::string& who) const {
        if (at_ == nullptr) throw std::invalid_argument(who + ": not given");
        if (length_ != any && length_ != rows)
            throw std::invalid_argument(who + ": " + std::to_string(length_) + " given for a batch of " +
                                        std::to_string(rows) + " rows");
        std::vector<T> values(rows);
        for (std::size_t row = 0; row < rows; ++row) values[row] = (*this)(row);
        return values;
    }

private:
    static constexpr std::size_t any = static_cast<std::size_t>(-1);

    std::size_t length_ = any;
    std::shared_ptr<const void> self_;
    T (*at_)(const void*, std::size_t) = nullptr;
};

/// What a row costs, in any unit: seconds, bytes, tokens.
using row_cost = per_row<double>;
/// How long a row is, in tokens or the like.
using row_length = per_row<std::size_t>;

namespace detail {

/// As numbers that can be added up.
template <class = void>
[[nodiscard]] std::vector<double> checked_costs(const row_cost& cost, std::size_t rows, const std::string& who) {
    std::vector<double> costs = cost.of(rows, who);
    for (std::size_t row = 0; row < rows; ++row)
        if (!std::isfinite(costs[row]) || costs[row] < 0)
            throw std::invalid_argument(who + ": row " + std::to_string(row) + " costs " + std::to_string(costs[row]));
    return costs;
}

template <class K>
concept key = std::integral<K> || std::convertible_to<const K&, std::string_view>;

[[nodiscard]] inline std::uint64_t hash_of_key(std::string_view text) noexcept {
    return hash_bytes(text.data(), text.size());
}
/// Of eight bytes, the lowest first, whatever the type: equal numbers have equal hashes.
template <std::integral K>
[[nodiscard]] std::uint64_t hash_of_key(K number) noexcept {
    unsigned char bytes[8];
    for (unsigned at = 0; at < 8; ++at)
        bytes[at] = static_cast<unsigned char>(static_cast<std::uint64_t>(number) >> (8 * at));
    return hash_bytes(bytes, sizeof bytes);
}

}  // namespace detail

/// A row's key, an integer or a text, as its 64-bit hash. Equal keys have equal hashes on every machine and in every
/// run; integers of any width and their sign-extended values are the same key.
class row_key : public per_row<std::uint64_t> {
public:
    row_key() = default;
    template <class F>
    requires(detail::key<std::invoke_result_t<const F&, std::size_t>>) row_key(F f)
        : per_row([f = std::move(f)](std::size_t row) { return detail::hash_of_key(f(row)); }) {}
    template <detail::key K>
    row_key(const std::vector<K>& keys) : per_row(hashes(keys)) {}

private:
    template <class K>
    static std::vector<std::uint64_t> hashes(const std::vector<K>& keys) {
        std::vector<std::uint64_t> all;
        all.reserve(keys.size());
        for (const auto& one : keys) all.push_back(detail::hash_of_key(one));
        return all;
    }
};

}  // namespace fanfold::inline FANFOLD_ABI
