// fanfold/core/in_quotes.hpp - names that come from a file, in texts that people read.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <string>       // std::string
#include <string_view>  // std::string_view

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Quoted, printable, at most 80 characters.
[[nodiscard]] inline std::string in_quotes(std::string_view name) {
    constexpr std::size_t most = 80;
    std::string out = "'";
    for (const char c : name.substr(0, most)) out += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? '?' : c;
    return out + (name.size() > most ? "..'" : "'");
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
