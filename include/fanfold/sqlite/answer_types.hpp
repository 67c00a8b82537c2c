// fanfold/sqlite/answer_types.hpp - what answers look like, as a line of text that can be read by people, too.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>    // std::int64_t
#include <stdexcept>  // std::runtime_error
#include <string>     // std::string
#include <vector>     // std::vector

#include "../core/batch.hpp"
#include "../core/in_quotes.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace sqlite {

/// example  "float32 0 10000,10 logits;"  (element, row axis, extents, name)
[[nodiscard]] inline std::string text_of(const std::vector<tensor_type>& types) {
    std::string text;
    for (const tensor_type& type : types) {
        text += std::string(name_of(type.type)) + " " + std::to_string(type.rows.value_or(0)) + " ";
        for (std::size_t axis = 0; axis < type.shape.rank(); ++axis)
            text.append(axis == 0 ? "" : ",").append(std::to_string(type.shape[axis]));
        text += " " + type.name + "\n";
    }
    return text;
}

/// What text_of wrote; throws std::runtime_error that names the file for anything else.
[[nodiscard]] inline std::vector<tensor_type> answer_types(const std::string& text, const std::string& file) {
    const auto refuse = [&]() -> std::runtime_error {
        return std::runtime_error(file + ": damaged: the answers' types read " + fanfold::detail::in_quotes(text));
    };
    std::vector<tensor_type> types;
    std::size_t at = 0;
    const auto word = [&](char end) {
        const std::size_t stop = text.find(end, at);
        if (stop == std::string::npos) throw refuse();
        std::string found = text.substr(at, stop - at);
        at = stop + 1;
        return found;
    };
    const auto number = [&](const std::string& digits) {
        std::int64_t value = 0;
        if (digits.empty() || digits.size() > 18) throw refuse();
        for (const char c : digits) {
            if (c < '0' || c > '9') throw refuse();
            value = 10 * value + (c - '0');
        }
        return value;
    };
    while (at < text.size()) {
        tensor_type type;
        const std::string element_name = word(' ');
        bool known = false;
        if (element_name == "?") throw refuse();
        for (int e = 0; e < 64 && !known; ++e)
            if (name_of(static_cast<element>(e)) == element_name) {
                type.type = static_cast<element>(e);
                known = true;
            }
        if (!known) throw refuse();
        type.rows = static_cast<std::size_t>(number(word(' ')));
        std::vector<std::int64_t> extents;
        const std::string list = word(' ');
        for (std::size_t from = 0; from < list.size();) {
            const std::size_t comma = std::min(list.find(',', from), list.size());
            extents.push_back(number(list.substr(from, comma - from)));
            from = comma + 1;
        }
        if (extents.size() > shape::max_rank || *type.rows >= extents.size()) throw refuse();
        type.shape = shape({extents.data(), extents.size()});
        type.name = word('\n');
        types.push_back(std::move(type));
    }
    return types;
}

}  // namespace sqlite
}  // namespace fanfold::inline FANFOLD_ABI
