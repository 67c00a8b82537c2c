// fanfold/onnx/operators/encoders.hpp - LabelEncoder, OneHotEncoder, FeatureVectorizer of the domain ai.onnx.ml.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>          // std::array
#include <cstddef>        // std::size_t
#include <cstdint>        // std::int64_t
#include <cstring>        // std::memcpy
#include <memory>         // std::shared_ptr
#include <optional>       // std::optional
#include <span>           // std::span
#include <stdexcept>      // std::invalid_argument
#include <string>         // std::string
#include <string_view>    // std::string_view
#include <unordered_map>  // std::unordered_map
#include <utility>        // std::move
#include <vector>         // std::vector

#include "../../kernel/cast.hpp"
#include "../../model/operators/encoders.hpp"
#include "../../model/operators/gather.hpp"
#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

namespace detail {

/// Keys or values of a LabelEncoder: strings as their positions in `strings`.
struct encoder_list {
    tensor numbers;
    std::vector<std::string> strings{};
};

template <class T>
[[nodiscard]] tensor list_tensor(std::span<const T> values) {
    return tensor::of<T>({static_cast<std::int64_t>(values.size())}, values);
}
[[nodiscard]] inline encoder_list list_of_strings(std::vector<std::string> strings) {
    std::vector<std::int64_t> places;
    for (std::size_t i = 0; i < strings.size(); ++i) places.push_back(static_cast<std::int64_t>(i));
    return {list_tensor(std::span<const std::int64_t>(places)), std::move(strings)};
}
[[nodiscard]] inline std::optional<encoder_list> stored_list(node_import& node, const std::string& name) {
    const tensor_proto* stored = node.stored_tensor(name);
    if (stored == nullptr) return std::nullopt;
    return wire::within("attribute " + in_quotes(name), [&]() -> encoder_list {
        if (stored->data_type == 8) {
            std::vector<std::string> strings;
            (void)to_positions(*stored, strings);
            return list_of_strings(std::move(strings));
        }
        return {widened(to_tensor(*stored, {}))};
    });
}
/// From one of keys_int64s, keys_floats, keys_strings, keys_tensor; `side` is "keys" or "values".
[[nodiscard]] inline encoder_list read_list(node_import& node, const std::string& side) {
    std::vector<encoder_list> found;
    if (const auto* ints = node.integers(side + "_int64s")) found.push_back({list_tensor(std::span(*ints))});
    if (const auto* reals = node.reals(side + "_floats")) found.push_back({list_tensor(std::span(*reals))});
    if (const auto* texts = node.texts(side + "_strings"))
        found.push_back(list_of_strings({texts->begin(), texts->end()}));
    if (auto stored = stored_list(node, side + "_tensor")) found.push_back(*std::move(stored));
    if (found.size() != 1)
        throw std::invalid_argument("expected attribute " + in_quotes(side + "_int64s") + ", " +
                                    in_quotes(side + "_floats") + ", " + in_quotes(side + "_strings") + " or " +
                                    in_quotes(side + "_tensor") + ", got " + std::to_string(found.size()) + " of them");
    return std::move(found.front());
}

/// The values with the one for other keys behind them.
[[nodiscard]] inline encoder_list with_default(node_import& node, encoder_list values) {
    auto stored = stored_list(node, "default_tensor");
    const std::int64_t integer = node.integer("default_int64", -1);
    const float real = node.real("default_float", -0.0F);
    const std::string text(node.text("default_string", "_Unused"));
    const std::size_t count = values.numbers.size();
    tensor all = tensor::uninitialized(values.numbers.type(), {static_cast<std::int64_t>(count) + 1});
    if (count != 0) std::memcpy(all.data(), values.numbers.data(), values.numbers.bytes());
    if (stored && (stored->numbers.size() != 1 || stored->numbers.type() != values.numbers.type() ||
                   stored->strings.empty() != values.strings.empty()))
        throw std::invalid_argument("attribute 'default_tensor': expected one element of the values' type, got " +
                                    describe(stored->numbers));
    if (!values.strings.empty() || (count == 0 && stored && !stored->strings.empty())) {
        values.strings.push_back(stored ? stored->strings.front() : text);
        all.as<std::int64_t>().flat()[count] = static_cast<std::int64_t>(count);
    } else {
        tensor otherwise = stored                                      ? std::move(stored->numbers)
                           : values.numbers.type() == element::float32 ? tensor::of<float>({1}, {real})
                           : is_floating(values.numbers.type())        ? tensor::of<double>({1}, {-0.0})
                                                                       : tensor::of<std::int64_t>({1}, {integer});
        kernel::cast(tensor_view(otherwise).reshaped({1}), mutable_tensor_view(all).slice(0, count, 1));
    }
    values.numbers = std::move(all);
    return values;
}

}  // namespace detail

/// Strings among its input's elements, keys and values stand as positions; which value each gets is known at load.
///
/// source   ONNX-ML LabelEncoder-1, LabelEncoder-2, LabelEncoder-4
inline void import_label_encoder(node_import& node) {
    node.expect_inputs(1, 1);
    const std::shared_ptr<const value_names> strings = node.strings(0);
    detail::encoder_list keys, values;
    if (const auto* classes = node.texts("classes_strings")) {  // version 1: to their places, or back
        keys = detail::list_of_strings({classes->begin(), classes->end()});
        values = detail::list_of_strings({classes->begin(), classes->end()});
        (strings != nullptr ? values : keys).strings.clear();
    } else {
        keys = detail::read_list(node, "keys");
        values = detail::read_list(node, "values");
    }
    if (keys.numbers.size() != values.numbers.size())
        throw std::invalid_argument("expected as many values as keys, " + std::to_string(keys.numbers.size()) +
                                    ", got " + std::to_string(values.numbers.size()));
    values = detail::with_default(node, std::move(values));
    if ((strings != nullptr) != !keys.strings.empty())
        throw std::invalid_argument("expected " + std::string(strings != nullptr ? "strings" : "numbers") +
                                    " as keys, got " + (strings != nullptr ? "numbers" : "strings"));
    if (strings == nullptr) {
        node.answer(element_lookup(keys.numbers, std::move(values.numbers)), {node.input(0)});
    } else {
        std::vector<std::int64_t> places;
        std::unordered_map<std::string_view, std::size_t> places_of;
        for (std::size_t i = 0; i < keys.strings.size(); ++i) places_of.emplace(keys.strings[i], i);
        for (const std::string& text : strings->categories) {
            const auto found = places_of.find(text);
            places.push_back(static_cast<std::int64_t>(found == places_of.end() ? keys.strings.size() : found->second));
        }
        const value_id table = node.constant_value(std::move(values.numbers));
        const value_id which = node.constant_value(detail::list_tensor(std::span<const std::int64_t>(places)));
        node.answer(gather(0), {table, node.add(gather(0), {which, node.input(0)})});
    }
    if (!values.strings.empty()) node.name(0, {std::move(values.strings), {}});
}

/// source   ONNX-ML OneHotEncoder-1
inline void import_one_hot_encoder(node_import& node) {
    node.expect_inputs(1, 1);
    if (node.has_attribute("cats_strings"))
        throw std::invalid_argument("expected categories in 'cats_int64s', got strings");
    const std::vector<std::int64_t>* categories = node.integers("cats_int64s");
    if (categories == nullptr) throw std::invalid_argument("expected attribute 'cats_int64s', got none");
    const auto unknown = node.integer("zeros", 1) != 0 ? unknown_category::all_zeros : unknown_category::refused;
    node.answer(one_hot_encoder(*categories, unknown), {node.input(0)});
}

/// source   ONNX-ML FeatureVectorizer-1
inline void import_feature_vectorizer(node_import& node) {
    const std::vector<std::int64_t>* columns = node.integers("inputdimensions");
    if (columns == nullptr) throw std::invalid_argument("expected attribute 'inputdimensions', got none");
    node.answer(feature_vectorizer(*columns), node.inputs());
}

inline constexpr std::array encoder_operators{
    operator_entry{"LabelEncoder", 1, 5, &import_label_encoder, "ai.onnx.ml"},
    operator_entry{"OneHotEncoder", 1, 5, &import_one_hot_encoder, "ai.onnx.ml"},
    operator_entry{"FeatureVectorizer", 1, 5, &import_feature_vectorizer, "ai.onnx.ml"}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
