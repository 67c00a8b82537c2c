// fanfold/placement/cpu_list.hpp - the kernel's lists of CPUs, and its small files, read with care.
// SPDX-License-Identifier: MIT
#pragma once
#include <fcntl.h>   // open
#include <unistd.h>  // read, close

#include <algorithm>    // std::binary_search
#include <cerrno>       // errno
#include <cstddef>      // std::size_t
#include <optional>     // std::optional
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {

using cpu_list = std::vector<std::size_t>;  ///< CPU numbers, ascending

namespace detail {

inline constexpr std::size_t most_cpus = std::size_t{1} << 16;        // eight times what Linux can be built for
inline constexpr std::size_t most_file_bytes = std::size_t{4} << 20;  // a file that never ends is cut here

/// Paths are plain strings and files are read by system calls: <filesystem> and <fstream> would be a good part of what
/// all of fanfold costs to include.
template <class = void>
[[nodiscard]] std::string below(const std::string& folder, std::string_view name) {
    std::string path = folder;
    if (!path.ends_with('/')) path += '/';
    return path.append(name);
}

/// The text of a file, empty when it cannot be read.
template <class = void>
[[nodiscard]] std::string read_text(const std::string& file) {
    std::string text;
    const int in = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (in < 0) return text;
    char block[4096];
    while (text.size() < most_file_bytes) {
        const ssize_t got = ::read(in, block, sizeof(block));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        text.append(block, static_cast<std::size_t>(got));
    }
    ::close(in);
    return text;
}

/// Cuts `text` at the first `separator`: returns what stands before it, leaves what stands after it.
template <class = void>
[[nodiscard]] std::string_view cut(std::string_view& text, char separator) {
    const std::size_t at = text.find(separator);
    const std::string_view before = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
    return before;
}

template <class = void>
[[nodiscard]] std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blank(" \t\r\n\0", 5);
    const std::size_t first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

/// Digits and nothing else.
template <class = void>
[[nodiscard]] std::optional<std::size_t> parse_number(std::string_view text) {
    if (text.empty()) return std::nullopt;
    std::size_t value = 0;
    for (const char digit : text) {
        if (digit < '0' || digit > '9') return std::nullopt;
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit - '0', &value))
            return std::nullopt;
    }
    return value;
}

/// "0-3,8,10-11" -> the numbers; empty when it is no such list in ascending order. Numbers from most_cpus on are left
/// out.
template <class = void>
[[nodiscard]] std::optional<cpu_list> parse_cpu_list(std::string_view text) {
    cpu_list cpus;
    for (text = trimmed(text); !text.empty();) {
        std::string_view range = cut(text, ',');
        const bool one = range.find('-') == std::string_view::npos;
        const auto first = parse_number(cut(range, '-'));
        const auto last = one ? first : parse_number(range);
        if (!first || !last || *last < *first) return std::nullopt;
        if (!cpus.empty() && *first <= cpus.back()) return std::nullopt;
        for (std::size_t cpu = *first; cpu <= *last && cpu < most_cpus; ++cpu) cpus.push_back(cpu);
    }
    return cpus;
}

template <class = void>
[[nodiscard]] bool has(const cpu_list& cpus, std::size_t cpu) {
    return std::binary_search(cpus.begin(), cpus.end(), cpu);
}

template <class = void>
[[nodiscard]] cpu_list common(const cpu_list& a, const cpu_list& b) {
    cpu_list both;
    for (const std::size_t cpu : a)
        if (has(b, cpu)) both.push_back(cpu);
    return both;
}

/// Keeps of `cpus` what `text` lists as well; everything when that is unreadable or would leave nothing.
template <class = void>
void narrow(cpu_list& cpus, std::string_view text) {
    const auto listed = parse_cpu_list(text);
    if (!listed) return;
    if (cpu_list both = common(cpus, *listed); !both.empty()) cpus = std::move(both);
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
