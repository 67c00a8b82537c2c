// fanfold/kernel/attention.hpp - scaled dot-product attention that never holds all scores.
//   in    queries [N, H, T, D], keys [N, H', S, D], values [N, H', S, E]      out   [N, H, T, E]
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min, std::clamp, std::fill_n
#include <cmath>      // std::sqrt
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <limits>     // std::numeric_limits
#include <optional>   // std::optional
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string

#include "../context/workspace.hpp"
#include "activation.hpp"
#include "matmul.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

struct attention_options {
    std::optional<float> scale;  ///< of the products; 1 / sqrt(D) unless given
    std::optional<std::int64_t>
        causal;  ///< query t sees keys [0, t + *causal]: 0, or how many keys came before query 0
};

namespace detail {

/// What the online softmax knows about one query.
struct attention_row {
    float most, total, fade;
};
struct scores_call {
    float* scores;
    std::size_t score_step;
    const float* mask;  // null: none
    std::ptrdiff_t mask_step;
    std::size_t count, visible;
    float scale;
    attention_row* row;
    std::size_t rows;
};

}  // namespace detail
}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI

// The order matters.
// clang-format off
#include "target/baseline_begin.inc"
#include "body/attention.inc"
#include "target/end.inc"
#if FANFOLD_X86_64
#include "target/avx2_begin.inc"
#include "body/attention.inc"
#include "target/end.inc"

#include "target/avx512_begin.inc"
#include "body/attention.inc"
#include "target/end.inc"
#endif
// clang-format on

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {
namespace detail {

/// Keys at a time: fixed, since it is what a row's bits depend on.
inline constexpr std::int64_t attention_block = 64;
inline constexpr std::int64_t attention_rows = 96;

[[nodiscard]] inline std::size_t attention_scratch_bytes(std::size_t queries, std::size_t depth, std::size_t width) {
    const auto block = static_cast<std::size_t>(attention_block), rows = static_cast<std::size_t>(attention_rows);
    const auto floats = [](std::size_t n) { return workspace::rounded(n * sizeof(float)); };
    return floats(packed_view::floats(depth, block)) + floats(packed_view::floats(block, width)) +
           floats(rows * block) + floats(rows * width) + floats(block) +
           workspace::rounded(queries * sizeof(attention_row));
}

inline void check_attention(const view<const float>& q, const view<const float>& k, const view<const float>& v,
                            const view<const float>& mask, const view<float>& out) {
    bool fits = q.rank() == 4 && k.rank() == 4 && v.rank() == 4 && out.rank() == 4 && q.extent(0) == k.extent(0) &&
                q.extent(0) == v.extent(0) && k.extent(1) == v.extent(1) && k.extent(2) == v.extent(2) &&
                q.extent(3) == k.extent(3) && k.extent(1) >= 1 && q.extent(1) % k.extent(1) == 0 &&
                out.shape() == shape{q.extent(0), q.extent(1), q.extent(2), v.extent(3)} &&
                (out.step(3) == 1 || out.extent(3) == 1);
    if (fits && mask.size() != 0) {
        fits = mask.rank() == 4;
        for (std::size_t axis = 0; fits && axis < 4; ++axis)
            fits = mask.extent(axis) == 1 || mask.extent(axis) == (axis == 3 ? k.extent(2) : q.extent(axis));
    }
    if (!fits)
        throw std::invalid_argument("attention: queries " + q.shape().text() + ", keys " + k.shape().text() +
                                    ", values " + v.shape().text() + ", mask " + mask.shape().text() + " into " +
                                    out.shape().text());
}

inline void attention(isa set, const view<const float>& q, const view<const float>& k, const view<const float>& v,
                      const view<const float>& mask, const attention_options& options, const view<float>& out,
                      workspace& space) {
    check_attention(q, k, v, mask, out);
    if (out.size() == 0) return;
    const std::int64_t queries = q.extent(2), keys = k.extent(2), depth = q.extent(3), width = v.extent(3);
    const std::int64_t sharing = q.extent(1) / k.extent(1);  // query heads for each head of keys
    const float scale = options.scale.value_or(1.0F / std::sqrt(static_cast<float>(depth)));
    const auto size = [](std::int64_t n) { return static_cast<std::size_t>(n); };
    const workspace::scope scope(space);
    const std::int64_t pairs = q.extent(0) * k.extent(1);  // of rows and heads of keys
    const std::uint64_t work = 2 * std::uint64_t{out.size()} * static_cast<std::uint64_t>(keys) * 2 + 32 * k.size();
    const std::size_t parts = space.tiles.tiles(work, size(pairs));
    struct room {
        std::span<float> key_panels, value_panels, scores, addends, masked;
        std::span<attention_row> rows;
    };
    const auto rooms = space.take<room>(space.tiles.slots(parts));
    for (room& r : rooms)
        r = {space.take<float>(packed_view::floats(size(depth), size(attention_block))),
             space.take<float>(packed_view::floats(size(attention_block), size(width))),
             space.take<float>(size(attention_rows * attention_block)),
             space.take<float>(size(attention_rows * width)),
             space.take<float>(size(attention_block)),
             space.take<attention_row>(size(sharing * queries))};
    const auto turn = pick(set, &baseline::attention_turn, &avx2::attention_turn, &avx512::attention_turn);
    const auto score = pick(set, &baseline::attention_scores, &avx2::attention_scores, &avx512::attention_scores);
    const auto add = pick(set, &baseline::attention_add, &avx2::attention_add, &avx512::attention_add);
    const auto divide = pick(set, &baseline::attention_divide, &avx2::attention_divide, &avx512::attention_divide);

    const auto visible = [&](std::int64_t t, std::int64_t first, std::int64_t count) {
        return options.causal ? std::clamp<std::int64_t>(t + *options.causal + 1 - first, 0, count) : count;
    };
    const auto mask_step = [&](std::size_t axis) { return mask.extent(axis) == 1 ? 0 : mask.step(axis); };
    const auto score_rows = [&](const room& r, std::int64_t n, std::int64_t h, std::int64_t t, std::int64_t first,
                                std::int64_t count, std::int64_t tile, attention_row* row) {
        scores_call call{r.scores.data(), size(attention_block), nullptr, 0, size(count), size(count), scale, row,
                         size(tile)};
        const bool uneven = options.causal && visible(t, first, count) < count;
        const bool scattered = mask.size() != 0 && mask_step(3) != 1 && count != 1;
        if (mask.size() != 0) {
            call.mask = mask.data() + n * mask_step(0) + h * mask_step(1) + t * mask_step(2) + first * mask_step(3);
            call.mask_step = mask_step(2);
        }
        if (!uneven && !scattered) return score(call);
        const float* from = call.mask;
        for (std::int64_t i = 0; i < tile; ++i) {
            scores_call one = call;
            one.scores += i * attention_block;
            one.row += i;
            one.rows = 1;
            one.visible = size(visible(t + i, first, count));
            if (from != nullptr) one.mask = from + i * mask_step(2);
            if (scattered) {
                for (std::int64_t s = 0; s < count; ++s) r.masked[size(s)] = one.mask[s * mask_step(3)];
                one.mask = r.masked.data();
            }
            score(one);
        }
    };
    const bool seen_at_once = keys != 0 && options.causal.value_or(0) >= 0;  // every query sees some of the first block
    const stop& stopping = space.stop;
    space.tiles(parts, [&](std::size_t part, std::size_t slot) {
        const room& r = rooms[slot];
        const auto at = [&](std::size_t p) {
            return pairs * static_cast<std::int64_t>(p) / static_cast<std::int64_t>(parts);
        };
        for (std::int64_t pair = at(part); pair < at(part + 1); ++pair) {
            const std::int64_t n = pair / k.extent(1), shared = pair % k.extent(1);
            stopping.check();
            std::fill(r.rows.begin(), r.rows.end(), attention_row{-std::numeric_limits<float>::infinity(), 0, 0});
            if (!seen_at_once)
                for (std::int64_t h = shared * sharing; h < (shared + 1) * sharing; ++h)
                    for (std::int64_t t = 0; t < queries; ++t) std::fill_n(&out(n, h, t, 0), width, 0.0F);
            for (std::int64_t first = 0; first < keys; first += attention_block) {
                const std::int64_t count = std::min(attention_block, keys - first);
                packed_view key_block{r.key_panels.data(), nullptr, size(depth), size(count)};
                if (k.step(3) == 1)
                    turn(&k(n, shared, first, 0), k.step(2), size(depth), size(count), r.key_panels.data());
                else
                    key_block = pack({&k(n, shared, first, 0), shape{depth, count}, strides{k.step(3), k.step(2)}},
                                     r.key_panels);
                const std::int64_t padded = (count + 15) / 16 * 16;  // whole vectors, with zeros
                key_block.columns = size(padded);
                const auto value_block =
                    pack({&v(n, shared, first, 0), shape{count, width}, strides{v.step(2), v.step(3)}}, r.value_panels);
                for (std::int64_t h = shared * sharing; h < (shared + 1) * sharing; ++h) {
                    attention_row* const head = r.rows.data() + (h - shared * sharing) * queries;
                    for (std::int64_t start = 0; start < queries; start += attention_rows) {
                        const std::int64_t tile = std::min(attention_rows, queries - start);
                        if (visible(start + tile - 1, first, count) == 0) continue;
                        matmul(set, {&q(n, h, start, 0), shape{tile, depth}, strides{q.step(2), q.step(3)}}, key_block,
                               {r.scores.data(), shape{tile, padded}, strides{attention_block, 1}}, activation::none);
                        score_rows(r, n, h, start, first, count, tile, head + start);
                        const view<const float> weights(r.scores.data(), shape{tile, count},
                                                        strides{attention_block, 1});
                        if (first == 0 && seen_at_once) {
                            matmul(set, weights, value_block,
                                   {&out(n, h, start, 0), shape{tile, width}, strides{out.step(2), out.step(3)}},
                                   activation::none);
                            continue;
                        }
                        matmul(set, weights, value_block, {r.addends.data(), shape{tile, width}}, activation::none);
                        for (std::int64_t i = 0; i < tile; ++i)
                            if (visible(start + i, first, count) != 0)  // else as if the block were not there
                                add(&out(n, h, start + i, 0), r.addends.data() + i * width, head[start + i].fade,
                                    size(width));
                    }
                }
            }
            for (std::int64_t h = shared * sharing; h < (shared + 1) * sharing; ++h)
                divide(&out(n, h, 0, 0), out.step(2), r.rows.data() + size((h - shared * sharing) * queries),
                       size(queries), size(width));
        }
    });
}

}  // namespace detail

/// What `attention` takes from a workspace for that many queries when no heads share keys.
[[nodiscard]] inline std::size_t attention_scratch_bytes(std::size_t queries, std::size_t depth, std::size_t width) {
    return detail::attention_scratch_bytes(queries, depth, width);
}

/// out[n, h, t] = sum over s of softmax over s of (scale * q[n, h, t] . k[n, h', s] + mask[n, h, t, s]) * v[n, h', s],
/// with h' = h / (H / H'). A query that sees no key, or whose scores are all -infinity, gives NaN, as the formula does.
///
/// shapes   q [N, H, T, D], k [N, H', S, D], v [N, H', S, E], H a multiple of H', out [N, H, T, E] with step 1 along E;
///          mask [N, H, T, S], added, each extent of it possibly 1, or of size 0 for none; strides otherwise free:
///          [N, T, H, D] is a matter of strides
/// cost     2 N H T S (D + E) flops; keys and values are packed in blocks of 64 as they come by, once for all heads
///          that share them: a single query pays for that. Scratch for 96 x 64 scores and three floats a query
/// errors   throws std::invalid_argument when the shapes do not fit
/// threads  re-entrant with a workspace each; its tile loop shares heads of keys; the bits of a query depend neither on
///          T, N or H nor on what is masked behind its last visible key
/// source   ONNX Attention-23; Milakov & Gimelshein 2018 (online softmax)
inline void attention(const view<const float>& q, const view<const float>& k, const view<const float>& v,
                      const view<const float>& mask, const attention_options& options, const view<float>& out,
                      workspace& space) {
    detail::attention(active_isa(), q, k, v, mask, options, out, space);
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
