// fanfold/core/in_quotes.hpp - names that come from a file, in texts that people read.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::max
#include <cstddef>      // std::size_t
#include <string>       // std::string
#include <string_view>  // std::string_view

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Bytes of the character that a text begins with; 0 where these are not UTF-8, or a character that is not to be seen
/// but steers a terminal.
///
/// source   RFC 3629, section 4
[[nodiscard]] inline std::size_t printable_bytes(std::string_view text) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned first = byte(0);
    if (first < 0x80) return first < ' ' || first == 0x7F ? 0 : 1;
    const std::size_t bytes = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (first < 0xC2 || first > 0xF4 || text.size() < bytes) return 0;
    for (std::size_t at = 1; at < bytes; ++at)
        if (byte(at) >> 6 != 2) return 0;
    const unsigned second = byte(1);
    const bool spelled_too_long = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
    const bool no_character = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
    const bool steers = first == 0xC2 && second < 0xA0;
    return spelled_too_long || no_character || steers ? 0 : bytes;
}

/// Quoted, printable UTF-8, at most 80 bytes of it.
[[nodiscard]] inline std::string in_quotes(std::string_view name) {
    constexpr std::size_t most = 80;
    std::string out = "'";
    for (std::size_t at = 0; at < name.size();) {
        const std::size_t seen = printable_bytes(name.substr(at));
        const std::size_t bytes = std::max<std::size_t>(seen, 1);
        if (at + bytes > most) return out + "..'";
        out += seen == 0 ? "?" : name.substr(at, bytes);
        at += bytes;
    }
    return out + "'";
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
