// fanfold/model/operators/encoders.hpp - categories into numbers: tables of keys, one column a category, features
// beside each other.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::sort, std::lower_bound, std::fill
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <cstring>      // std::memcpy
#include <memory>       // std::shared_ptr
#include <numeric>      // std::iota
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <type_traits>  // std::is_floating_point_v
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../../core/tensor.hpp"
#include "../operation.hpp"
#include "classical.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Where in a list of keys each element of a value is found. A NaN is found where a NaN is among the keys.
///
/// cost     O(log keys) an element
template <class T>
class key_places {
public:
    explicit key_places(std::vector<T> keys) : keys_(std::move(keys)), order_(keys_.size()) {
        std::iota(order_.begin(), order_.end(), std::size_t{0});
        std::sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
            return before(keys_[a], keys_[b]) || (!before(keys_[b], keys_[a]) && a < b);
        });
    }

    [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return keys_.size() * (sizeof(T) + sizeof(std::size_t)); }
    /// The first place of an equal key; size() where there is none.
    [[nodiscard]] std::size_t find(T key) const {
        const auto at = std::lower_bound(order_.begin(), order_.end(), key,
                                         [&](std::size_t place, T sought) { return before(keys_[place], sought); });
        return at == order_.end() || before(key, keys_[*at]) ? size() : *at;
    }

private:
    /// NaN comes last.
    static bool before(T a, T b) { return b != b ? a == a : a < b; }

    std::vector<T> keys_;
    std::vector<std::size_t> order_;
};

/// For each element the value beside the first key that equals it, or another one where no key does.
///
/// shapes   keys of the same type, any shape -> values of any type, the same shape
/// source   ONNX-ML LabelEncoder-2, LabelEncoder-4 (whose NaN among the keys is found)
class element_lookup {
public:
    static constexpr bool elementwise = true;

    /// `keys` in int64, float32 or float64; `values` has one more element than `keys`, for what is none of them.
    element_lookup(const tensor& keys, tensor values)
        : type_(keys.type()), values_(std::make_shared<const tensor>(std::move(values))) {
        if (keys.size() + 1 != values_->size())
            detail::refuse("as many values as keys, " + std::to_string(keys.size()),
                           std::to_string(values_->size() == 0 ? 0 : values_->size() - 1));
        if (type_ == element::int64)
            integers_ = std::make_shared<const key_places<std::int64_t>>(list<std::int64_t, std::int64_t>(keys));
        else if (type_ == element::float32)
            reals_ = std::make_shared<const key_places<double>>(list<double, float>(keys));
        else if (type_ == element::float64)
            reals_ = std::make_shared<const key_places<double>>(list<double, double>(keys));
        else
            detail::refuse("keys in int64, float32 or float64", describe(keys));
    }

    [[nodiscard]] std::string_view name() const noexcept { return "LabelEncoder"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        if (in[0].type != type_) detail::refuse(std::string(name_of(type_)), in[0].text());
        return {{values_->type(), in[0].shape}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        const std::size_t width = size_of(values_->type());
        std::byte* to = out[0].data();
        const auto put = [&](std::size_t place) {
            std::memcpy(to, values_->data() + place * width, width);
            to += width;
        };
        if (type_ == element::int64)
            for (const std::int64_t x : in[0].as<std::int64_t>().flat()) put(integers_->find(x));
        else if (type_ == element::float32)
            for (const float x : in[0].as<float>().flat()) put(reals_->find(static_cast<double>(x)));
        else
            for (const double x : in[0].as<double>().flat()) put(reals_->find(x));
    }
    [[nodiscard]] std::size_t weight_bytes() const {
        return values_->bytes() + (integers_ != nullptr ? integers_->bytes() : reals_->bytes());
    }

private:
    template <class Key, class T>
    [[nodiscard]] static std::vector<Key> list(const tensor& keys) {
        const auto all = keys.as<T>().flat();
        return {all.begin(), all.end()};
    }

    element type_;
    std::shared_ptr<const tensor> values_;
    std::shared_ptr<const key_places<std::int64_t>> integers_{};
    std::shared_ptr<const key_places<double>> reals_{};
};
static_assert(graph_operation<element_lookup>);

/// What becomes of an element that is no category.
enum class unknown_category { refused, all_zeros };

/// One column for each category: 1 where the element is that category, else 0. Fractions of numbers are cut off.
///
/// shapes   int64, int32, float32 or float64 [a..] -> float32 [a.., categories]
/// errors   a number that is no category throws std::invalid_argument in the run, where it is refused
/// source   ONNX-ML OneHotEncoder-1
class one_hot_encoder {
public:
    one_hot_encoder(std::vector<std::int64_t> categories, unknown_category unknown)
        : places_(std::make_shared<const key_places<std::int64_t>>(categories)), unknown_(unknown) {
        if (categories.empty()) detail::refuse("categories", "none");
        std::sort(categories.begin(), categories.end());
        for (std::size_t i = 1; i < categories.size(); ++i)
            if (categories[i] == categories[i - 1])
                detail::refuse("each category once", std::to_string(categories[i]) + " twice");
    }

    [[nodiscard]] std::string_view name() const noexcept { return "OneHotEncoder"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        argument flat = in[0];
        flat.shape = symbolic_shape::unknown();
        detail::expect_features(flat);
        symbolic_shape out = in[0].shape;
        if (!out.ranked()) return {{element::float32, out}};
        if (out.rank() == shape::max_rank) detail::refuse("fewer axes", in[0].text());
        out.push_back(static_cast<std::int64_t>(places_->size()));
        return {{element::float32, out}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        const auto to = out[0].as<float>().flat();
        std::fill(to.begin(), to.end(), 0.0F);
        std::size_t row = 0;
        detail::with_features(in[0].type(), [&]<class T>(T) {
            for (const T x : in[0].as<T>().flat()) {
                const std::size_t place = inside(x) ? places_->find(static_cast<std::int64_t>(x)) : places_->size();
                if (place != places_->size())
                    to[row + place] = 1;
                else if (unknown_ == unknown_category::refused)
                    detail::refuse("one of " + std::to_string(places_->size()) + " categories", std::to_string(x));
                row += places_->size();
            }
        });
    }

    [[nodiscard]] std::size_t weight_bytes() const { return places_->bytes(); }

private:
    /// Can be cut to an integer.
    template <class T>
    [[nodiscard]] static bool inside(T x) {
        if constexpr (std::is_floating_point_v<T>)
            return x > T(-9.2e18) && x < T(9.2e18);
        else
            return true;
    }

    std::shared_ptr<const key_places<std::int64_t>> places_;
    unknown_category unknown_;
};
static_assert(graph_operation<one_hot_encoder>);

/// Features beside each other: of each input so many columns, zeros where it has fewer.
///
/// shapes   features [N, F0], [N, F1].. -> float32 [N, sum of columns]
/// source   ONNX-ML FeatureVectorizer-1
class feature_vectorizer {
public:
    explicit feature_vectorizer(std::vector<std::int64_t> columns) : columns_(std::move(columns)) {
        for (const std::int64_t count : columns_) {
            if (count < 0 || count > (std::int64_t{1} << 30))
                detail::refuse("numbers of columns from 0 to 2^30", std::to_string(count));
            all_ += count;
        }
        if (columns_.empty() || all_ > (std::int64_t{1} << 30))
            detail::refuse("1 to 2^30 columns", columns_.empty() ? "none" : std::to_string(all_));
    }

    [[nodiscard]] std::string_view name() const noexcept { return "FeatureVectorizer"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        if (in.size() != columns_.size())
            detail::refuse("numbers of columns for " + std::to_string(in.size()) + " inputs",
                           std::to_string(columns_.size()));
        extent rows = extent::unknown();
        for (const argument& one : in) {
            detail::expect_features(one);
            const extent here = detail::rows_of(one.shape);
            if (!may_equal(rows, here))
                detail::refuse("features of equally many rows", in[0].text() + " and " + one.text());
            if (!rows.known()) rows = here;
        }
        return {{element::float32, {rows, all_}}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        const auto to = out[0].as<float>().flat();
        if (to.empty()) return;  // of any number of rows
        const auto width = static_cast<std::size_t>(all_);
        std::fill(to.begin(), to.end(), 0.0F);
        std::size_t first = 0;
        for (std::size_t i = 0; i < in.size(); ++i) {
            const auto count = static_cast<std::size_t>(columns_[i]);
            const auto has = static_cast<std::size_t>(in[i].extent(in[i].rank() - 1));
            if ((in[i].rank() == 2 ? in[i].extent(0) : 1) != out[0].extent(0))
                detail::refuse("features of " + std::to_string(out[0].extent(0)) + " rows", describe(in[i]));
            detail::with_features(in[i].type(), [&]<class T>(T) {
                const auto from = in[i].as<T>().flat();
                for (std::size_t row = 0; row < static_cast<std::size_t>(out[0].extent(0)); ++row)
                    for (std::size_t column = 0; column < std::min(count, has); ++column)
                        to[row * width + first + column] = static_cast<float>(from[row * has + column]);
            });
            first += count;
        }
    }

private:
    std::vector<std::int64_t> columns_;
    std::int64_t all_ = 0;
};
static_assert(graph_operation<feature_vectorizer>);

}  // namespace fanfold::inline FANFOLD_ABI
