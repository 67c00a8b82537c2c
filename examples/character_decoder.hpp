// examples/character_decoder.hpp - a character decoder (RMSNorm, RoPE, SwiGLU) that steps: fanfold's kernels on the
// weights of an ONNX file. Each sequence has keys and values of its own length.
// SPDX-License-Identifier: MIT
#pragma once
#include <fanfold/kernel/activation.hpp>
#include <fanfold/kernel/matmul.hpp>
#include <fanfold/kernel/normalization.hpp>
#include <fanfold/kernel/softmax.hpp>
#include <fanfold/onnx/file.hpp>
#include <fanfold/onnx/proto.hpp>
#include <fanfold/onnx/tensor_proto.hpp>
#include <fanfold/serve/stepping.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// Decodes greedily: the most likely character is the next.
///
/// layout   keys of a head as packed weights [32][keys], its values as two of [keys][16]: a query's scores and its
///          answer are products with a cache that is never packed again
/// threads  const use from any thread; a state by one at a time
class character_decoder {
public:
    static constexpr std::string_view vocabulary = "\n !'(),-.:;?ABCDEFGHIJKLMNOPQRSTUVWYZabcdefghijklmnopqrstuvwxyz";
    static constexpr std::size_t width = 128, heads = 4, depth = 32, hidden = 256, characters = vocabulary.size();

    explicit character_decoder(const std::filesystem::path& file) {
        const fanfold::onnx::file_bytes bytes = fanfold::onnx::read_file(file);
        const auto model = fanfold::onnx::parse_model({reinterpret_cast<const char*>(bytes.data.get()), bytes.size});
        std::map<std::string_view, std::string_view>
            product;  // the operation that a node's weights are for, by its answer
        std::map<std::string_view, fanfold::tensor> weights;
        for (const auto& t : model.graph->initializers) weights[t.name] = fanfold::onnx::to_tensor(t, {});
        for (const auto& node : model.graph->nodes)
            if (node.op_type == "MatMul") product[node.outputs[0]] = node.inputs[1];
        const auto matrix = [&](std::string_view name) -> const fanfold::tensor& { return weights.at(name); };
        const auto vector = [&](const std::string& name) {
            const auto flat = weights.at(name).as<float>().flat();
            return std::vector<float>(flat.begin(), flat.end());
        };
        for (std::size_t l = 0; product.count("/L." + std::to_string(l) + "/q/MatMul_output_0") != 0; ++l) {
            const std::string at = "L." + std::to_string(l);
            const auto of = [&](const char* name) -> const fanfold::tensor& {
                return matrix(product.at("/" + at + "/" + name + "/MatMul_output_0"));
            };
            layers_.push_back({vector(at + ".n1.w"), vector(at + ".n2.w"), side_by_side({&of("q"), &of("k"), &of("v")}),
                               packed(of("o")), packed(of("g")), packed(of("u")), packed(of("d"))});
        }
        embedding_ = weights.at("e.weight");
        last_scale_ = vector("nf.w");
        head_ = packed(matrix(product.at("logits")));
        for (const float f : vector("f")) speed_.push_back(f);
        if (layers_.empty() || speed_.size() != depth || head_.columns() != characters)
            throw std::invalid_argument("character_decoder: " + file.string() + " is another network");
    }

    [[nodiscard]] static fanfold::step_form form() {
        const fanfold::tensor_type character{fanfold::element::int64, fanfold::shape{}, {}, {}};
        return {character, character, fanfold::sequence_kind::generating, 64, 2048};
    }

    struct alignas(64) lanes {
        float at[16];
    };
    /// Keys and values of one sequence's head in one layer.
    struct cache {
        std::vector<lanes> keys;  // panels of 16 keys, [panel][depth]
        std::vector<lanes> values[2];

        void clear() {
            keys.clear();
            for (auto& part : values) part.clear();
        }
    };
    using state_of_all = std::vector<std::vector<cache>>;  // by slot; by layer and head
    [[nodiscard]] state_of_all state(std::size_t slots) const {
        return state_of_all(slots, std::vector<cache>(layers_.size() * heads));
    }

    void step(state_of_all& states, std::span<const fanfold::step_piece> pieces, const fanfold::tensor_view& items,
              const fanfold::mutable_tensor_view& answers, fanfold::workspace& space) const {
        const auto ids = items.as<std::int64_t>().flat();
        const std::size_t rows = ids.size();
        const auto take = [&](std::size_t columns) { return space.take<float>(rows * columns); };
        const auto x = take(width), normal = take(width), qkv = take(3 * width), mixed = take(width);
        const auto gate = take(hidden), up = take(hidden), more = take(width);
        for (std::size_t row = 0; row < rows; ++row) {
            const auto id = static_cast<std::size_t>(ids[row]);
            if (ids[row] < 0 || id >= characters)
                throw std::domain_error("character " + std::to_string(ids[row]) + " is not in the vocabulary");
            const float* from = embedding_.as<float>().data() + id * width;
            std::copy(from, from + width, x.data() + row * width);
        }
        const auto turns = space.take<turn>(rows * half);
        for (const fanfold::step_piece& p : pieces) {
            if (p.position == 0)
                for (cache& c : states[p.slot]) c.clear();
            for (std::size_t i = 0; i < p.items; ++i)
                for (std::size_t d = 0; d < half; ++d) {
                    const float angle = static_cast<float>(p.position + i) * speed_[d];
                    turns[(p.first + i) * half + d] = {std::cos(angle), std::sin(angle)};
                }
        }
        for (std::size_t l = 0; l < layers_.size(); ++l) {
            space.stop.check();
            const layer& w = layers_[l];
            fanfold::kernel::rms_norm(matrix_of(x, width), w.before_attention, 1e-5F, matrix_of(normal, width));
            fanfold::kernel::matmul(matrix_of(normal, width), w.qkv, matrix_of(qkv, 3 * width));
            for (const fanfold::step_piece& p : pieces)
                for (std::size_t i = 0; i < p.items; ++i)
                    attend(states[p.slot], l, p.position + i, turns.subspan((p.first + i) * half, half),
                           qkv.subspan((p.first + i) * 3 * width, 3 * width),
                           mixed.subspan((p.first + i) * width, width), space);
            fanfold::kernel::matmul(matrix_of(mixed, width), w.out, matrix_of(more, width));
            for (std::size_t i = 0; i < x.size(); ++i) x[i] += more[i];
            fanfold::kernel::rms_norm(matrix_of(x, width), w.before_dense, 1e-5F, matrix_of(normal, width));
            fanfold::kernel::matmul(matrix_of(normal, width), w.gate, matrix_of(gate, hidden),
                                    fanfold::kernel::activation::silu);
            fanfold::kernel::matmul(matrix_of(normal, width), w.up, matrix_of(up, hidden));
            for (std::size_t i = 0; i < gate.size(); ++i) gate[i] *= up[i];
            fanfold::kernel::matmul(matrix_of(gate, hidden), w.down, matrix_of(more, width));
            for (std::size_t i = 0; i < x.size(); ++i) x[i] += more[i];
        }
        std::size_t wanted = 0;
        for (const fanfold::step_piece& p : pieces) {
            if (!p.answered) continue;
            const float* last = x.data() + (p.first + p.items - 1) * width;
            std::copy(last, last + width, more.data() + wanted++ * width);
        }
        if (wanted == 0) return;
        const auto last = more.first(wanted * width);
        const auto logits = space.take<float>(wanted * characters);
        fanfold::kernel::rms_norm(matrix_of(last, width), last_scale_, 1e-5F, matrix_of(last, width));
        fanfold::kernel::matmul(matrix_of(last, width), head_, matrix_of(logits, characters));
        const float* row = logits.data();
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            if (!pieces[i].answered) continue;
            answers.as<std::int64_t>().data()[i] = std::max_element(row, row + characters) - row;
            row += characters;
        }
    }

    [[nodiscard]] static std::vector<std::int64_t> ids_of(std::string_view text) {
        std::vector<std::int64_t> ids;
        for (const char c : text) {
            const auto at = vocabulary.find(c);
            if (at != vocabulary.npos) ids.push_back(static_cast<std::int64_t>(at));
        }
        return ids;
    }
    [[nodiscard]] static std::string text_of(std::span<const std::int64_t> ids) {
        std::string text;
        for (const std::int64_t id : ids) text += vocabulary.at(static_cast<std::size_t>(id));
        return text;
    }

private:
    struct layer {
        std::vector<float> before_attention, before_dense;
        fanfold::kernel::packed_matrix qkv, out, gate, up, down;
    };

    template <class T>
    [[nodiscard]] static fanfold::view<T> matrix_of(std::span<T> flat, std::size_t columns) {
        return {flat.data(),
                fanfold::shape{static_cast<std::int64_t>(flat.size() / columns), static_cast<std::int64_t>(columns)}};
    }
    [[nodiscard]] static fanfold::kernel::packed_matrix packed(const fanfold::tensor& weights) {
        return fanfold::kernel::packed_matrix(weights.as<float>());
    }
    [[nodiscard]] static fanfold::kernel::packed_matrix side_by_side(const std::vector<const fanfold::tensor*>& all) {
        fanfold::tensor joined(
            fanfold::element::float32,
            fanfold::shape{static_cast<std::int64_t>(width), static_cast<std::int64_t>(all.size() * width)});
        float* to = joined.as<float>().data();
        for (std::size_t k = 0; k < width; ++k)
            for (const fanfold::tensor* one : all) {
                const float* from = one->as<float>().data() + k * width;
                to = std::copy(from, from + width, to);
            }
        return packed(joined);
    }

    static constexpr std::size_t half = depth / 2;
    struct turn {
        float cosine, sine;
    };
    /// Turns a head's query or key by its position.
    static void turn_by(std::span<const turn> by, float* head) {
        for (std::size_t i = 0; i < half; ++i) {
            const float a = head[i], b = head[i + half];
            head[i] = a * by[i].cosine - b * by[i].sine;
            head[i + half] = b * by[i].cosine + a * by[i].sine;
        }
    }

    /// One character's attention in one layer: its key and value join the cache, then it looks at all that are there.
    void attend(std::vector<cache>& caches, std::size_t l, std::size_t position, std::span<const turn> turns,
                std::span<float> qkv, std::span<float> out, fanfold::workspace& space) const {
        const fanfold::workspace::scope scratch(space);
        const std::size_t keys = position + 1;
        const auto scores = space.take<float>(heads * keys);
        for (std::size_t h = 0; h < heads; ++h) {
            cache& c = caches[l * heads + h];
            float *query = qkv.data() + h * depth, *key = query + width, *value = key + width;
            turn_by(turns, query);
            turn_by(turns, key);
            if (position % 16 == 0) c.keys.resize(c.keys.size() + depth);
            lanes* panel = c.keys.data() + position / 16 * depth;
            for (std::size_t d = 0; d < depth; ++d) panel[d].at[position % 16] = key[d];
            for (std::size_t part = 0; part < 2; ++part) {
                lanes& added = c.values[part].emplace_back();
                std::copy(value + part * 16, value + part * 16 + 16, added.at);
            }
            for (std::size_t d = 0; d < depth; ++d) query[d] *= 0.17677669529663687F;  // 1 / sqrt(depth)
            fanfold::kernel::matmul(matrix_of(std::span<float>(query, depth), depth),
                                    {c.keys.front().at, nullptr, depth, keys},
                                    matrix_of(scores.subspan(h * keys, keys), keys));
        }
        fanfold::kernel::softmax(matrix_of(scores, keys), 1, matrix_of(scores, keys));
        for (std::size_t h = 0; h < heads; ++h)
            for (std::size_t part = 0; part < 2; ++part)
                fanfold::kernel::matmul(matrix_of(scores.subspan(h * keys, keys), keys),
                                        {caches[l * heads + h].values[part].front().at, nullptr, keys, 16},
                                        matrix_of(out.subspan(h * depth + part * 16, 16), 16));
    }

    std::vector<layer> layers_;
    fanfold::tensor embedding_;
    std::vector<float> last_scale_;
    fanfold::kernel::packed_matrix head_;
    std::vector<float> speed_;  // of a position's turns, in radians
};
static_assert(fanfold::stepping_model<character_decoder>);
