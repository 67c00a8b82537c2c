// fanfold/kernel/einsum.hpp - sums of products over named axes.
//   in    "bij,bjk->bik" and tensors      out   one tensor
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::find, std::count
#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <span>         // std::span
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "../context/stop.hpp"
#include "../core/in_quotes.hpp"
#include "../core/view.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// What an equation means for tensors of given shapes: the axes of the answer, those that are summed over, and how far
/// each tensor moves along each.
///
/// example  einsum_plan("...ij,...jk", shapes).answer()   of [5, 2, 3] and [5, 3, 4]: [5, 2, 4]
/// errors   throws std::invalid_argument when the equation cannot be read or the shapes do not fit it
/// source   ONNX Einsum-12: letters, one ellipsis a term (broadcast from its right end), implicit answers
class einsum_plan {
public:
    einsum_plan(std::string_view equation, std::span<const shape> shapes) : text_(equation) {
        std::string clean;
        for (const char c : equation)
            if (c != ' ') clean += c;
        const std::size_t arrow = clean.find("->");
        const std::string_view all(clean), left = all.substr(0, arrow);
        std::vector<std::string> terms(1);
        for (const char c : left) {
            if (c == ',')
                terms.emplace_back();
            else
                terms.back() += c;
        }
        if (terms.size() != shapes.size())
            refuse("names " + std::to_string(terms.size()) + " tensors, got " + std::to_string(shapes.size()));
        std::size_t hidden = 0;  // axes of the longest ellipsis, named '0', '1', ... from the right
        for (std::size_t t = 0; t < terms.size(); ++t) hidden = std::max(hidden, hidden_axes(terms[t], shapes[t]));
        for (std::size_t t = 0; t < terms.size(); ++t) name(terms[t], hidden_axes(terms[t], shapes[t]));
        std::string answer;
        if (arrow != std::string::npos) {
            answer = std::string(all.substr(arrow + 2));
            name(answer, hidden);
        } else {  // the ellipsis, then letters that occur once, in order
            for (std::size_t h = hidden; h-- > 0;) answer += static_cast<char>('0' + h);
            for (char c = 'A'; c <= 'z'; ++c) {
                std::ptrdiff_t times = 0;
                for (const std::string& term : terms) times += std::count(term.begin(), term.end(), c);
                if (times == 1) answer += c;
            }
        }
        for (std::size_t t = 0; t < terms.size(); ++t) read_extents(terms[t], shapes[t]);
        names_ = answer;
        for (const char c : answer)
            if (std::count(answer.begin(), answer.end(), c) != 1 || extent_of(c) < 0)
                refuse("cannot answer along " + fanfold::detail::in_quotes({&c, 1}));
        answer_axes_ = names_.size();
        for (const std::string& term : terms)
            for (const char c : term)
                if (names_.find(c) == std::string::npos) names_ += c;
        for (const char c : names_) extents_.push_back(extent_of(c));
        for (std::size_t t = 0; t < terms.size(); ++t) {
            std::vector<std::int64_t> steps(names_.size(), 0);
            const strides dense = dense_strides(shapes[t]);
            for (std::size_t axis = 0; axis < terms[t].size(); ++axis)
                if (shapes[t][axis] != 1) steps[names_.find(terms[t][axis])] += dense[axis];
            steps_.push_back(steps);
        }
        shapes_.assign(shapes.begin(), shapes.end());
        answer_ = shape(std::span(extents_.data(), answer_axes_));
    }

    [[nodiscard]] const shape& answer() const noexcept { return answer_; }
    [[nodiscard]] const std::vector<shape>& shapes() const noexcept { return shapes_; }

    /// Calls finish(sum) for each element of the answer in row-major order; products are summed in row-major order of
    /// the remaining axes, as they occur in the equation.
    template <class T, class Finish>
    void run(std::span<const view<const T>> tensors, const stop& stopping, Finish&& finish) const {
        std::vector<const T*> at;
        for (const auto& t : tensors) at.push_back(t.data());
        std::vector<std::int64_t> index(names_.size(), 0);
        for (const std::int64_t extent : std::span(extents_).first(answer_axes_))
            if (extent == 0) return;
        bool nothing = false;
        for (const std::int64_t extent : std::span(extents_).subspan(answer_axes_)) nothing = nothing || extent == 0;
        if (nothing) {  // nor is there anything to point to
            for (std::size_t n = answer_.volume(); n > 0; --n) finish(T{0});
            return;
        }
        const std::size_t axes = names_.size();
        const bool sums = axes > answer_axes_;
        const std::size_t odometer_end = sums ? axes - 1 : axes;  // the last axis is the inner loop
        std::vector<std::int64_t> inner(tensors.size(), 0);
        if (sums)
            for (std::size_t t = 0; t < inner.size(); ++t) inner[t] = steps_[t].back();
        constexpr double polled = 0x1p20;  // products
        const double each = static_cast<double>(sums ? extents_.back() : 1) * static_cast<double>(tensors.size());
        double done = 0;
        do {
            T sum = 0;
            do {
                if (done += each; done > polled) stopping.check(), done = 0;
                sum = dot(std::span<const T* const>(at), inner, sums ? extents_.back() : 1, sum);
            } while (advance(index, at, answer_axes_, odometer_end));
            finish(sum);
        } while (advance(index, at, 0, answer_axes_));
    }

private:
    [[noreturn]] void refuse(const std::string& why) const {
        throw std::invalid_argument("einsum: " + fanfold::detail::in_quotes(text_) + " " + why);
    }
    [[nodiscard]] std::size_t hidden_axes(const std::string& term, const shape& extents) const {
        const std::size_t dots = term.find("...");
        if (dots == std::string::npos) return 0;
        if (term.size() - 3 > extents.rank()) refuse("has more letters than " + extents.text() + " has axes");
        return extents.rank() - (term.size() - 3);
    }
    /// Replaces the ellipsis by names of its axes.
    void name(std::string& term, std::size_t hidden) const {
        const std::size_t dots = term.find("...");
        if (dots != std::string::npos) {
            std::string names;
            for (std::size_t h = hidden; h-- > 0;) names += static_cast<char>('0' + h);
            term.replace(dots, 3, names);
        }
        for (const char c : term) {
            const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
            const bool given = c >= '0' && c < static_cast<char>('0' + hidden) && dots != std::string::npos;
            if (!letter && !given) refuse("has an unexpected " + fanfold::detail::in_quotes({&c, 1}));
        }
    }
    void read_extents(const std::string& term, const shape& extents) {
        if (term.size() != extents.rank())
            refuse("names " + std::to_string(term.size()) + " axes of " + extents.text());
        for (std::size_t axis = 0; axis < term.size(); ++axis) {
            std::int64_t& known = known_[static_cast<unsigned char>(term[axis])];
            if (known < 0 || known == 1)
                known = extents[axis];
            else if (extents[axis] != known && extents[axis] != 1)
                refuse("gives '" + std::string(1, term[axis]) + "' the extents " + std::to_string(known) + " and " +
                       std::to_string(extents[axis]));
        }
    }
    [[nodiscard]] std::int64_t extent_of(char c) const { return known_[static_cast<unsigned char>(c)]; }

    template <class T>
    static T dot(std::span<const T* const> at, std::span<const std::int64_t> step, std::int64_t count, T sum) {
        if (at.size() == 2) {
            const T *a = at[0], *b = at[1];
            for (std::int64_t i = 0; i < count; ++i) sum += a[i * step[0]] * b[i * step[1]];
            return sum;
        }
        for (std::int64_t i = 0; i < count; ++i) {
            T product = at[0][i * step[0]];
            for (std::size_t t = 1; t < at.size(); ++t) product *= at[t][i * step[t]];
            sum += product;
        }
        return sum;
    }
    /// The next index over axes [from, to), or false and back to the first.
    template <class T>
    bool advance(std::vector<std::int64_t>& index, std::vector<const T*>& at, std::size_t from, std::size_t to) const {
        for (std::size_t axis = to; axis-- > from;) {
            const bool more = ++index[axis] < extents_[axis];
            const std::int64_t moved = more ? 1 : 1 - extents_[axis];
            for (std::size_t t = 0; t < at.size(); ++t) at[t] += moved * steps_[t][axis];
            if (more) return true;
            index[axis] = 0;
        }
        return false;
    }

    std::string text_;
    std::array<std::int64_t, 128> known_ = [] {
        std::array<std::int64_t, 128> none{};
        none.fill(-1);
        return none;
    }();
    std::string names_;  // of the answer's axes, then of the summed ones
    std::size_t answer_axes_ = 0;
    std::vector<std::int64_t> extents_;
    std::vector<std::vector<std::int64_t>> steps_;  // of each tensor along each name
    std::vector<shape> shapes_;
    shape answer_;
};

/// out = the plan's sums of products: one chain for each element, so that a row's bits do not depend on other rows.
///
/// shapes   tensors as the plan was made for, out plan.answer(); all dense, float, double or integers
/// cost     one product of all tensors for each point of all named axes
/// errors   throws std::invalid_argument when the shapes do not fit; stopped_error when it is time
template <class T>
void einsum(const einsum_plan& plan, std::span<const view<const T>> tensors, const view<T>& out,
            const stop& stopping = {}) {
    bool fits = tensors.size() == plan.shapes().size() && out.shape() == plan.answer() && out.dense();
    for (std::size_t t = 0; fits && t < tensors.size(); ++t)
        fits = tensors[t].shape() == plan.shapes()[t] && tensors[t].dense();
    if (!fits)
        throw std::invalid_argument("einsum: " + std::to_string(tensors.size()) + " tensors into " +
                                    out.shape().text() + ", expected dense " + plan.answer().text());
    T* to = out.data();
    plan.template run<T>(tensors, stopping, [&to](T sum) { *to++ = sum; });
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
