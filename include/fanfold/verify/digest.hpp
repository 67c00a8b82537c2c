// fanfold/verify/digest.hpp - a 64-bit digest of answers: equal bits, equal digest, on every machine.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint64_t
#include <string>   // std::string

#include "../core/batch.hpp"
#include "../core/hash.hpp"
#include "../core/tensor.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// XXH3 (64 bits, seed 0) of all elements' bytes in row-major order, little-endian; not of shape or element type.
///
/// cost     about 10 GB/s on dense tensors; a strided one is copied first
/// source   XXH3, xxHash 0.8
[[nodiscard]] inline std::uint64_t digest(const tensor_view& answers) {
    if (!answers.dense()) {
        const tensor copy(answers);
        return digest(static_cast<tensor_view>(copy));
    }
    return hash_bytes(answers.data(), answers.bytes());
}

/// 16 hex digits.
[[nodiscard]] inline std::string digest_text(std::uint64_t value) {
    std::string text(16, '0');
    for (std::size_t at = 16; at-- > 0; value >>= 4) text[at] = "0123456789abcdef"[value & 15];
    return text;
}

/// Of all answers of a shard: the digest where there is one, else XXH3 of their digests.
[[nodiscard]] inline std::uint64_t digest(const batch_view& answers) {
    if (answers.size() == 1) return digest(answers[0]);
    std::string all;
    for (const tensor_view& one : answers) all += digest_text(digest(one));
    return hash_bytes(all.data(), all.size());
}

}  // namespace fanfold::inline FANFOLD_ABI
