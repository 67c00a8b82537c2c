// tests/onnx/optimizer_differential.cpp - random graphs answer with the optimizer what they answer without it.
// FANFOLD_FIRST_SEED=5000 FANFOLD_SEEDS=30000 build/tests/test_onnx "[optimizer]" takes other seeds, and more of them;
// FANFOLD_SEEDS=1 takes the one that a failure named.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fanfold/context/random.hpp>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "../catch.hpp"
#include "../sanitized.hpp"
#include "model_writer.hpp"

using namespace written;
using fanfold::graph;
using fanfold::random_bits;
using fanfold::tensor_view;

namespace {

/// What the file says of the input: its rows are a number, they are open, or nothing, not even how many axes it has.
enum class input_kind { fixed, open, unranked };

/// A graph of one input in the spellings of exporters, put together of random steps.
class random_graph {
public:
    /// A factor of the extents that change with the number of rows, and of no others.
    static constexpr std::int64_t rows = 7;

    explicit random_graph(std::uint64_t seed) : random_(seed) {
        kind = one_in(8) ? input_kind::unranked : one_in(2) ? input_kind::open : input_kind::fixed;
        input = {rows};
        for (std::size_t more = 1 + below(3); more != 0; --more) input.push_back(any_of({1, 2, 3, 4, 5, 6, 8}));
        values_.push_back({"x", input});
        std::vector<dim> declared = fixed(input);
        if (kind == input_kind::open) declared[0] = N;
        file_.inputs.push_back(value("x", kind == input_kind::unranked ? nullptr : &declared));
        for (std::size_t more = 3 + below(12); more != 0; --more) add_step();
        if (values_.size() == 1) activate(values_[0]);
        file_.outputs.push_back(undeclared(values_.back().name));
        if (const std::size_t also = 1 + below(values_.size() - 1); one_in(3) && also + 1 != values_.size())
            file_.outputs.push_back(undeclared(values_[also].name));
    }

    [[nodiscard]] std::string bytes() const { return file_.bytes(); }

    input_kind kind = input_kind::fixed;
    ints input;

private:
    struct made {
        std::string name;
        ints extents;
        [[nodiscard]] std::size_t rank() const { return extents.size(); }
    };
    static constexpr std::size_t most_axes = 5, most_elements = 8192;

    std::size_t below(std::size_t count) { return random_.below(count); }
    bool one_in(std::size_t count) { return below(count) == 0; }
    template <class T>
    T any_of(std::initializer_list<T> all) {
        return all.begin()[below(all.size())];
    }
    const char* any_of(std::initializer_list<const char*> all) { return all.begin()[below(all.size())]; }
    std::int64_t any_of(std::initializer_list<int> all) { return all.begin()[below(all.size())]; }
    /// Rather a late one, so that steps follow upon each other.
    made any_value() {
        const std::size_t count = values_.size();
        return values_[one_in(3) ? below(count) : count - 1 - below(std::min<std::size_t>(count, 3))];
    }
    static bool follows_rows(std::int64_t extent) { return extent % rows == 0; }
    static std::int64_t at(std::size_t axis) { return static_cast<std::int64_t>(axis); }

    std::string new_name() { return "v" + std::to_string(names_++); }
    std::string constant(const ints& extents, float least = -1) {
        floats elements = noise(volume(extents), static_cast<std::uint32_t>(random_()));
        for (float& one : elements) one = least + (one + 1) * 0.5F * (1 - least);
        file_.initializers.push_back(tensor(new_name_of_constant(), extents, elements));
        return constant_;
    }
    std::string integers(const ints& elements) {
        file_.initializers.push_back(tensor(new_name_of_constant(), elements));
        return constant_;
    }
    const std::string& new_name_of_constant() { return constant_ = "c" + std::to_string(names_++); }
    /// One number, now and then with axes that it does not need.
    made number(float x) {
        const ints extents(one_in(2) ? 0 : below(most_axes + 1), 1);
        file_.initializers.push_back(tensor(new_name_of_constant(), extents, floats{x}));
        return {constant_, extents};
    }
    made plain_number(float x) {
        file_.initializers.push_back(tensor(new_name_of_constant(), {}, floats{x}));
        return {constant_, {}};
    }

    made add(const char* op, const std::vector<std::string>& inputs, const ints& extents,
             const std::vector<attribute>& attributes = {}) {
        values_.push_back({new_name(), extents});
        file_.nodes.push_back(node(op, inputs, {values_.back().name}, attributes, values_.back().name));
        return values_.back();
    }
    static std::optional<ints> broadcast(const ints& a, const ints& b) {
        ints out(std::max(a.size(), b.size()), 1);
        for (const ints* one : {&a, &b})
            for (std::size_t back = 1; back <= one->size(); ++back) {
                const std::int64_t extent = (*one)[one->size() - back];
                std::int64_t& made = out[out.size() - back];
                if (extent != 1 && made != 1 && extent != made) return std::nullopt;
                if (extent != 1) made = extent;
            }
        if (out.size() > most_axes || volume(out) > most_elements) return std::nullopt;
        return out;
    }
    static bool fit(const made& a, const made& b) { return broadcast(a.extents, b.extents).has_value(); }
    /// An operator of two that fit.
    made two(const char* op, const made& a, const made& b) {
        return add(op, {a.name, b.name}, broadcast(a.extents, b.extents).value());
    }
    made either_way(const char* op, const made& a, const made& b) { return one_in(2) ? two(op, a, b) : two(op, b, a); }

    /// Extents of a constant that broadcasts with x, and may broadcast x.
    ints extents_beside(const made& x) {
        ints extents = x.extents;
        for (std::int64_t& extent : extents) {
            if (follows_rows(extent) || one_in(2)) extent = extent == 1 && one_in(6) ? any_of({2, 4, 5}) : 1;
        }
        if (one_in(2)) extents.erase(extents.begin(), extents.begin() + at(below(extents.size() + 1)));
        if (one_in(10)) extents.insert(extents.begin(), any_of({1, 1, 2}));
        return extents;
    }
    static std::optional<ints> product_extents(const made& a, const made& b) {
        if (a.rank() < 2 || b.rank() < 2 || a.extents.back() != b.extents[b.rank() - 2]) return std::nullopt;
        auto out = broadcast({a.extents.begin(), a.extents.end() - 2}, {b.extents.begin(), b.extents.end() - 2});
        if (!out) return std::nullopt;
        out->insert(out->end(), {a.extents[a.rank() - 2], b.extents.back()});
        if (out->size() > most_axes || volume(*out) > most_elements) return std::nullopt;
        return out;
    }
    std::optional<made> product(const made& a, const made& b) {
        const auto extents = product_extents(a, b);
        if (!extents) return std::nullopt;
        return add("MatMul", {a.name, b.name}, *extents);
    }
    made transposed(const made& x, const ints& order) {
        ints extents;
        for (const std::int64_t axis : order) extents.push_back(x.extents[static_cast<std::size_t>(axis)]);
        return add("Transpose", {x.name}, extents, {{"perm", order}});
    }
    static ints in_order(std::size_t count) {
        ints out;
        for (std::size_t axis = 0; axis < count; ++axis) out.push_back(at(axis));
        return out;
    }
    made swapped_at_end(const made& x) {
        ints order = in_order(x.rank());
        std::swap(order[x.rank() - 1], order[x.rank() - 2]);
        return transposed(x, order);
    }
    /// To these extents; none when more than one axis depends on the rows in its own way.
    std::optional<made> reshaped(const made& x, const ints& extents) {
        ints target = extents;
        bool open = false;
        for (std::size_t axis = 0; axis < target.size(); ++axis) {
            if (!follows_rows(target[axis])) continue;
            if (axis < x.rank() && x.extents[axis] == extents[axis]) {
                target[axis] = 0;
            } else if (open) {
                return std::nullopt;
            } else {
                target[axis] = -1;
                open = true;
            }
        }
        return add("Reshape", {x.name, integers(target)}, extents);
    }
    made mean(const made& x) {
        ints extents = x.extents;
        extents.back() = 1;
        return add("ReduceMean", {x.name}, extents, {{"axes", ints{-1}}});
    }

    void add_step() {
        const made x = any_value();
        if (x.rank() == 0) return activate(x);
        switch (below(24)) {
            case 0:
            case 1: return with_constant(x);
            case 2: return with_value(x);
            case 3: return activate(x);
            case 4: return project(x);
            case 5: return multiply_with_transposed(x);
            case 6: return transpose(x);
            case 7: return merge_or_split_axes(x);
            case 8: return gather(x);
            case 9: return split(x);
            case 10: return squeeze(x);
            case 11: return unsqueeze(x);
            case 12: return reduce(x);
            case 13: return concatenate(x);
            case 14:
            case 15: return convolve(x);
            case 16: return gelu(x);
            case 17: return swish(x);
            case 18:
            case 19: return normalize(x);
            case 20: return normalize_by_operator(x);
            case 21: return attend_with_heads(x);
            default: return attend(x);
        }
    }

    void with_constant(const made& x) {
        const ints extents = extents_beside(x);
        if (!broadcast(x.extents, extents)) return;
        const made beside{constant(extents, 0.5F), extents};
        either_way(any_of({"Add", "Mul", "Sub"}), x, beside);
        if (one_in(4)) two("Div", x, beside);
    }
    void with_value(const made& x) {
        const made other = any_value();
        if (fit(x, other)) two(any_of({"Add", "Mul", "Sub"}), x, other);
    }
    void activate(const made& x) {
        add(any_of({"Relu", "Sigmoid", "Tanh", "Erf", "HardSigmoid", "Identity", "Abs", "Neg"}), {x.name}, x.extents);
    }
    /// MatMul with weights, and perhaps a bias.
    std::optional<made> projected(const made& x, std::int64_t width) {
        if (x.rank() < 2 || follows_rows(x.extents.back())) return std::nullopt;
        const ints weights{x.extents.back(), width};
        const auto y = product(x, {constant(weights), weights});
        if (!y || one_in(3)) return y;
        ints bias{width};
        if (one_in(4)) bias.insert(bias.begin(), 1);
        return either_way("Add", *y, {constant(bias), bias});
    }
    void project(const made& x) { (void)projected(x, any_of({1, 2, 3, 4, 5, 6})); }
    void multiply_with_transposed(const made& x) {
        const made other = any_value();
        if (other.rank() < 2 || x.rank() < 2 || x.extents.back() != other.extents.back()) return;
        (void)product(x, swapped_at_end(other));
    }
    void transpose(const made& x) {
        ints order = in_order(x.rank());
        for (std::size_t left = order.size(); left > 1; --left) std::swap(order[left - 1], order[below(left)]);
        transposed(x, order);
    }
    void merge_or_split_axes(const made& x) {
        ints extents = x.extents;
        const std::size_t axis = below(x.rank());
        if (one_in(2) && axis + 1 < x.rank()) {
            extents[axis] *= extents[axis + 1];
            extents.erase(extents.begin() + at(axis) + 1);
        } else {
            const std::int64_t factor = any_of({2, 3, 5});
            if (extents[axis] % factor != 0 || x.rank() == most_axes) return;
            extents[axis] /= factor;
            extents.insert(extents.begin() + at(axis + below(2)), factor);
        }
        (void)reshaped(x, extents);
    }
    void gather(const made& x) {
        const std::size_t axis = below(x.rank());
        const std::int64_t least = follows_rows(x.extents[axis]) ? 1 : x.extents[axis];  // there with one row, too
        const auto index = [&] { return at(below(2 * static_cast<std::size_t>(least))) - least; };
        ints extents = x.extents;
        std::string indices;
        if (one_in(2)) {
            file_.initializers.push_back(tensor<std::int64_t>(new_name_of_constant(), {}, {index()}, 7));
            indices = constant_;
            extents.erase(extents.begin() + at(axis));
        } else {
            ints all(1 + below(3));
            for (std::int64_t& one : all) one = index();
            indices = integers(all);
            extents[axis] = at(all.size());
        }
        if (volume(extents) > most_elements) return;
        add("Gather", {x.name, indices}, extents, {{"axis", at(axis) - (one_in(2) ? at(x.rank()) : 0)}});
    }
    std::vector<made> pieces(const made& x, std::size_t axis, std::int64_t count) {
        ints extents = x.extents;
        extents[axis] /= count;
        std::vector<made> out;
        std::vector<std::string> names;
        for (std::int64_t piece = 0; piece < count; ++piece) {
            out.push_back({new_name(), extents});
            names.push_back(out.back().name);
        }
        file_.nodes.push_back(node("Split", {x.name}, names, {{"axis", at(axis)}}, names.front()));
        values_.insert(values_.end(), out.begin(), out.end());
        return out;
    }
    void split(const made& x) {
        const std::size_t axis = below(x.rank());
        const std::int64_t extent = x.extents[axis];
        if (extent < 2 || follows_rows(extent)) return;
        const std::vector<made> all = pieces(x, axis, extent % 2 == 0 && one_in(2) ? 2 : extent);
        if (all[0].extents[axis] == 1 && one_in(2))
            for (const made& piece : all) squeezed(piece, axis);
    }
    void squeezed(const made& x, std::size_t axis) {
        ints extents = x.extents;
        extents.erase(extents.begin() + at(axis));
        add("Squeeze", {x.name, integers({at(axis)})}, extents);
    }
    void squeeze(const made& x) {
        for (std::size_t axis = 0; axis < x.rank(); ++axis)
            if (x.extents[axis] == 1) return squeezed(x, axis);
    }
    void unsqueeze(const made& x) {
        if (x.rank() == most_axes) return;
        const std::size_t axis = below(x.rank() + 1);
        ints extents = x.extents;
        extents.insert(extents.begin() + at(axis), 1);
        add("Unsqueeze", {x.name, integers({at(axis)})}, extents);
    }
    void reduce(const made& x) {
        if (one_in(3)) {
            add("Softmax", {x.name}, x.extents, {{"axis", one_in(2) ? std::int64_t{-1} : at(below(x.rank()))}});
            return;
        }
        const std::size_t axis = below(x.rank());
        ints extents = x.extents;
        extents[axis] = 1;
        const bool stays = !one_in(3);
        if (!stays) extents.erase(extents.begin() + at(axis));
        add(any_of({"ReduceMean", "ReduceMax"}), {x.name}, extents,
            {{"axes", ints{at(axis)}}, {"keepdims", std::int64_t{stays}}});
    }
    void concatenate(const made& x) {
        const made other = any_value();
        if (other.rank() != x.rank()) return;
        const std::size_t axis = below(x.rank());
        ints extents = other.extents;
        extents[axis] = x.extents[axis];
        if (extents != x.extents) return;
        extents[axis] += other.extents[axis];
        if (follows_rows(x.extents[axis]) != follows_rows(other.extents[axis]) ||
            follows_rows(x.extents[axis]) != follows_rows(extents[axis]) || volume(extents) > most_elements)
            return;
        add("Concat", {x.name, other.name}, extents, {{"axis", at(axis)}});
    }
    /// A convolution that keeps the image's size, and what may be fused into it.
    void convolve(const made& x) {
        if (x.rank() < 3 || x.rank() > 4 || follows_rows(x.extents[1])) return;
        const std::size_t image_axes = x.rank() - 2;
        const std::int64_t groups = x.extents[1] % 2 == 0 && one_in(3) ? 2 : 1;
        const std::int64_t channels = groups * any_of({1, 2, 3, 4, 5}), window = any_of({1, 3});
        ints extents = x.extents, weights{channels, x.extents[1] / groups}, by_channel{1, channels};
        extents[1] = channels;
        weights.insert(weights.end(), image_axes, window);
        by_channel.insert(by_channel.end(), image_axes, 1);
        if (volume(extents) > most_elements) return;
        if (one_in(2)) by_channel.erase(by_channel.begin());
        std::vector<std::string> inputs{x.name, constant(weights)};
        if (one_in(2)) inputs.push_back(constant({channels}));
        const made y = add("Conv", inputs, extents, {{"pads", ints(2 * image_axes, window / 2)}, {"group", groups}});
        if (one_in(2)) {
            const auto scale = [&] { return constant({channels}, 0.5F); };
            const std::vector<std::string> statistics{y.name, scale(), scale(), scale(), scale()};
            add("BatchNormalization", statistics, extents);
        } else if (one_in(2)) {
            either_way(any_of({"Mul", "Add", "Sub"}), y, {constant(by_channel), by_channel});
        } else if (one_in(2)) {
            ints one_position = extents;
            std::fill(one_position.begin() + 2, one_position.end(), 1);
            add("GlobalAveragePool", {y.name}, one_position);
        }
    }
    /// x Phi(x), with erf or with tanh.
    void gelu(const made& x) {
        made inner = x;
        const char* gate = "Erf";
        if (one_in(3)) {
            gate = "Tanh";
            const made cube = one_in(2) ? two("Pow", x, number(3)) : two("Mul", two("Mul", x, x), x);
            inner = two("Add", x, either_way("Mul", cube, number(0.044715F)));
            inner = either_way("Mul", inner, number(0.79788456F));
        } else {
            inner = two("Div", x, number(1.4142135F));
        }
        const made opened = either_way("Add", add(gate, {inner.name}, inner.extents), number(1));
        if (one_in(2))
            either_way("Mul", either_way("Mul", x, opened), number(0.5F));
        else
            either_way("Mul", either_way("Mul", x, number(0.5F)), opened);
    }
    /// x sigmoid(x), or the straight lines beside it.
    void swish(const made& x) {
        if (one_in(3)) {
            either_way("Mul", x, add("Sigmoid", {x.name}, x.extents));
            return;
        }
        const made sum = either_way("Add", x, number(3));
        const std::vector<std::string> bounds{sum.name, plain_number(0).name, plain_number(6).name};
        const made gate = add("Clip", bounds, sum.extents);
        if (one_in(2))
            two("Div", either_way("Mul", x, gate), number(6));
        else
            either_way("Mul", x, two("Div", gate, number(6)));
    }
    /// Layer normalization spelt out, or that by the root of the mean square.
    void normalize(const made& x) {
        if (follows_rows(x.extents.back())) return;
        const made z = one_in(2) ? two("Sub", x, mean(x)) : x;
        const made squares = one_in(2) ? two("Pow", z, number(2)) : two("Mul", z, z);
        const made variance = either_way("Add", mean(squares), number(0.01F));
        const made root = add("Sqrt", {variance.name}, variance.extents);
        const made other = any_value();
        const made numerator = one_in(6) && fit(other, root) ? other : z;
        made y = one_in(4) ? two("Mul", numerator, add("Reciprocal", {root.name}, root.extents))
                           : two("Div", numerator, root);
        ints list{x.extents.back()};
        if (one_in(3)) list.insert(list.begin(), 1);
        if (!broadcast(y.extents, list)) return;
        y = either_way("Mul", y, {constant(list), list});
        if (!one_in(3)) either_way("Add", y, {constant(list), list});
    }
    void normalize_by_operator(const made& x) {
        const std::int64_t length = x.extents.back();
        if (follows_rows(length)) return;
        add("LayerNormalization", {x.name, constant({length}), constant({length})}, x.extents, {{"epsilon", 0.01F}});
    }
    /// softmax(a b^T * scale + mask) c of whatever values fit.
    void attend(const made& query) {
        const made keys = one_in(2) ? query : any_value();
        if (query.rank() < 2 || keys.rank() < 2 || query.extents.back() != keys.extents.back()) return;
        const auto scores = product(query, swapped_at_end(keys));
        if (!scores) return;
        const made weights = attention_weights(*scores);
        const made other = any_value();
        for (const made& from : {keys, other})
            if (const auto y = product(weights, from)) return maybe_back_to_tokens(*y);
        const std::int64_t length = weights.extents.back();
        if (follows_rows(length)) return;
        const ints stored{length, any_of({1, 2, 4})};
        if (const auto y = product(weights, {constant(stored), stored})) maybe_back_to_tokens(*y);
    }
    made attention_weights(made scores) {
        if (one_in(2)) scores = one_in(2) ? two("Div", scores, number(1.5F)) : either_way("Mul", scores, number(0.7F));
        if (one_in(2)) {
            const ints extents = extents_beside(scores);
            if (broadcast(scores.extents, extents)) scores = either_way("Add", scores, {constant(extents), extents});
        }
        return add("Softmax", {scores.name}, scores.extents, {{"axis", std::int64_t{-1}}});
    }
    void maybe_back_to_tokens(const made& x) {
        if (x.rank() < 3 || one_in(2)) return;
        ints order = in_order(x.rank());
        std::swap(order[x.rank() - 2], order[x.rank() - 3]);
        transposed(x, order);
    }
    /// [batch, tokens, width], projected and cut into two heads.
    void attend_with_heads(const made& x) {
        if (x.rank() != 3 || follows_rows(x.extents[2])) return;
        const std::int64_t batch = x.extents[0], tokens = x.extents[1], width = any_of({4, 8});
        std::vector<made> parts;
        if (one_in(2)) {
            const auto all = projected(x, 3 * width);
            if (all) parts = pieces(*all, 2, 3);
        } else {
            for (int part = 0; part < 3; ++part)
                if (const auto y = projected(x, width)) parts.push_back(*y);
        }
        if (parts.size() != 3) return;
        std::vector<made> heads;
        for (const made& part : parts) {
            const auto cut = reshaped(part, {batch, tokens, 2, width / 2});
            if (!cut) return;
            heads.push_back(transposed(*cut, heads.size() == 1 ? ints{0, 2, 3, 1} : ints{0, 2, 1, 3}));
        }
        const auto scores = product(heads[0], heads[1]);
        if (!scores) return;
        const auto y = product(attention_weights(*scores), heads[2]);
        if (y && y->rank() == 4) (void)reshaped(transposed(*y, {0, 2, 1, 3}), {y->extents[0], tokens, width});
    }

    random_bits random_;
    model_file file_{17, {}, {}, {}};
    std::vector<made> values_;
    std::string constant_;
    std::size_t names_ = 0;
};

/// A step whose inputs are off by some tens of roundings.
class shaken {
public:
    struct shaking {
        random_bits random;
        double largest = 0;  ///< of all that steps were given
    };

    shaken(fanfold::operation inner, shaking* how) : inner_(std::move(inner)), how_(how) {}
    [[nodiscard]] std::string_view name() const { return inner_.name(); }
    [[nodiscard]] std::vector<fanfold::value_type> answers(std::span<const fanfold::argument> in) const {
        return inner_.answers(in);
    }
    [[nodiscard]] std::size_t scratch_bytes(std::span<const fanfold::shape> in) const {
        return inner_.scratch_bytes(in);
    }
    void operator()(std::span<const tensor_view> in, std::span<const fanfold::mutable_tensor_view> out,
                    fanfold::workspace& space) const {
        std::vector<fanfold::tensor> copies;
        for (const tensor_view& one : in) {
            copies.emplace_back(one);
            if (one.type() != fanfold::element::float32) continue;
            if (copies.size() == 2 && name() == "Pow") continue;  // negative numbers have whole powers only
            for (float& x : copies.back().as<float>().flat()) {
                how_->largest = std::max(how_->largest, static_cast<double>(std::abs(x)));
                x *= static_cast<float>(1 + (how_->random.uniform() - 0.5) * 0x1p-16);
            }
        }
        const std::vector<tensor_view> views(copies.begin(), copies.end());
        inner_(views, out, space);
    }

private:
    fanfold::operation inner_;
    shaking* how_;
};

std::vector<fanfold::tensor> answers_to(const graph& g, const fanfold::tensor& x) {
    const tensor_view in = x;
    fanfold::workspace space;
    return g.run({&in, 1}, space);
}

/// How far apart two answers are at the worst element; infinite where one of them is no number.
double apart(const fanfold::tensor& a, const fanfold::tensor& b) {
    const auto p = a.as<float>().flat(), q = b.as<float>().flat();
    double worst = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
        const double here = std::abs(static_cast<double>(p[i]) - static_cast<double>(q[i]));
        if (!(here <= worst)) worst = std::isnan(here) ? HUGE_VAL : here;
    }
    return worst;
}

/// The answers of a graph as it was written, and how far rounding may move them.
struct expectation {
    std::vector<fanfold::tensor> answers;
    std::vector<double> tolerance;  ///< of each answer; infinite where values become too large to compare

    /// Answers may move four times as far as they do, whatever cancels in them, in the worse of two trials in which all
    /// that steps are given is off by up to 2^-17 of itself; a rounding is 2^-24, but a trial may move little by luck.
    expectation(const graph& g, const fanfold::tensor& x, std::uint64_t seed)
        : answers(answers_to(g, x)), tolerance(answers.size()) {
        shaken::shaking how{random_bits(seed)};
        fanfold::graph_state state = g.state();
        for (fanfold::graph_step& step : state.steps)
            if (!step.op.makes_answers()) step.op = shaken(step.op, &how);
        const graph moved(std::move(state));
        for (int turn = 0; turn < 2; ++turn) {
            const std::vector<fanfold::tensor> others = answers_to(moved, x);
            for (std::size_t i = 0; i < answers.size(); ++i)
                tolerance[i] = std::max(tolerance[i], 4 * apart(answers[i], others[i]));
        }
        for (std::size_t i = 0; i < answers.size(); ++i) {
            double largest = 0;
            for (const float y : answers[i].as<float>().flat())
                largest = std::max(largest, static_cast<double>(std::abs(y)));
            tolerance[i] = how.largest < 1e12 ? tolerance[i] + 1e-6 * largest + 1e-30 : HUGE_VAL;
        }
    }

    /// What is wrong with these answers; empty when nothing is.
    [[nodiscard]] std::string complaint(const std::vector<fanfold::tensor>& got) const {
        if (got.size() != answers.size()) return "another number of answers";
        for (std::size_t i = 0; i < got.size(); ++i) {
            const std::string which = "answer " + std::to_string(i) + ": ";
            if (got[i].type() != answers[i].type()) return which + "another type";
            if (!(got[i].shape() == answers[i].shape()))
                return which + got[i].shape().text() + " instead of " + answers[i].shape().text();
            if (std::isinf(tolerance[i])) continue;
            if (const double off = apart(got[i], answers[i]); !(off <= tolerance[i])) {
                std::ostringstream out;
                out << which << "off by " << off << " where rounding explains " << tolerance[i];
                return out.str();
            }
        }
        return {};
    }
};

struct tally {
    std::size_t refused = 0, compared = 0, optimized = 0;  ///< graphs
    std::size_t answers = 0, too_large = 0;
};

std::string steps_of(const graph& g) {
    std::string out;
    for (const fanfold::graph_step& step : g.state().steps) out += std::string(step.op.name()) + " ";
    return out;
}

/// What the optimizer gets wrong in a seed's graph; empty when it gets nothing wrong.
std::string fault_of(std::uint64_t seed, tally& counts) {
    const random_graph made(seed);
    std::vector<std::pair<fanfold::tensor, expectation>> expected;
    std::string steps = "\nas written: ";
    try {
        const graph plain = load_as_written(made.bytes());
        steps += steps_of(plain);
        for (const std::int64_t rows : {random_graph::rows, std::int64_t{1}}) {
            ints extents = made.input;
            extents[0] = rows;
            const fanfold::shape shape{std::span<const std::int64_t>(extents)};
            const fanfold::tensor x = noise_tensor(shape, static_cast<std::uint32_t>(seed));
            expected.emplace_back(x, expectation(plain, x, seed));
            if (made.kind == input_kind::fixed) break;
        }
    } catch (const std::invalid_argument&) {  // of operators or shapes that there are not
        ++counts.refused;
        return {};
    }
    ++counts.compared;
    try {
        const graph optimized = load(made.bytes());
        const std::string others = "\noptimized: " + steps_of(optimized);
        if (!steps.ends_with(others.substr(others.find(':')))) ++counts.optimized;
        steps += others;
        for (const auto& [x, right] : expected) {
            const std::string wrong = right.complaint(answers_to(optimized, x));
            if (!wrong.empty()) return wrong + ", x is " + x.shape().text() + steps;
            for (const double tolerance : right.tolerance)
                ++(std::isinf(tolerance) ? counts.too_large : counts.answers);
        }
    } catch (const std::exception& error) {
        return error.what() + steps;
    }
    return {};
}

std::size_t setting(const char* name, std::size_t otherwise) {
    const char* set = std::getenv(name);
    return set == nullptr ? otherwise : static_cast<std::size_t>(std::strtoull(set, nullptr, 10));
}

}  // namespace

TEST_CASE("Random graphs answer with the optimizer what they answer without it", "[optimizer]") {
    const std::size_t first = setting("FANFOLD_FIRST_SEED", 1);
    const std::size_t count = setting("FANFOLD_SEEDS", fanfold_test::sanitized ? 200 : 4000);
    constexpr std::size_t most_faults = 20, enough = 100;
    tally counts;
    std::size_t faults = 0;
    for (std::size_t seed = first; seed - first < count && faults < most_faults; ++seed) {
        const std::string fault = fault_of(seed, counts);
        if (fault.empty()) continue;
        ++faults;
        FAIL_CHECK("seed " << seed << ": " << fault);
    }
    if (count < enough || faults == most_faults) return;
    INFO(counts.compared << " graphs compared, " << counts.optimized << " of them optimized, " << counts.refused
                         << " refused; " << counts.answers << " answers compared, " << counts.too_large
                         << " too large for it");
    CHECK(counts.refused < count / 20);
    CHECK(counts.optimized > count / 2);
    CHECK(counts.too_large < counts.answers / 10);
}
