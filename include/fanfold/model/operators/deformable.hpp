// fanfold/model/operators/deformable.hpp - convolution with taps that an input moves, and blocks put back into images.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <optional>     // std::optional
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../../kernel/col2im.hpp"
#include "../../kernel/deformable.hpp"
#include "convolution_nd.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// A convolution whose taps are moved: inputs x, weights, offsets, bias and mask, which may be left out.
///
/// shapes   float32 or float64: x [N, C, H, W], weights [O, C / groups, kh, kw], offsets
///          [N, offset groups * kh * kw * 2, OH, OW], bias [O],
///          mask [N, offset groups * kh * kw, OH, OW] -> [N, O, OH, OW]
/// source   ONNX DeformConv-19
class deformable_convolution {
public:
    deformable_convolution(const sliding_rule& rule, std::int64_t groups, std::int64_t offset_groups)
        : rule_(rule), groups_(groups), offset_groups_(offset_groups) {
        detail::check_groups(groups);
        detail::check_groups(offset_groups);
    }

    [[nodiscard]] std::string_view name() const noexcept { return "DeformConv"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 3, 5);
        const symbolic_shape out = detail::convolved(in.first(2), rule_, groups_, detail::real_elements);
        if (out.ranked() && out.rank() != 4) detail::refuse("images [N, C, H, W]", in[0].text());
        for (std::size_t i = 1; i < in.size(); ++i)
            if (given(in, i) && in[i].type != in[0].type) detail::refuse("inputs of one type", in[i].text());
        const extent any = extent::unknown();
        if (!out.ranked()) return {{in[0].type, {any, any, any, any}}};
        const symbolic_shape moved{out[0], any, out[2], out[3]};
        if (!may_equal(in[2].shape, moved)) detail::refuse("offsets " + moved.text(), in[2].text());
        if (given(in, 3) && !may_equal(in[3].shape, symbolic_shape{out[1]}))
            detail::refuse("a bias [" + out[1].text() + "]", in[3].text());
        if (given(in, 4) && !may_equal(in[4].shape, moved)) detail::refuse("a mask " + moved.text(), in[4].text());
        return {{in[0].type, out}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        if (in[0].type() == element::float32)
            convolve<float>(in, out[0], space);
        else
            convolve<double>(in, out[0], space);
    }

private:
    template <class T>
    void convolve(std::span<const tensor_view> in, const mutable_tensor_view& out, workspace& space) const {
        const auto g = detail::geometry_over(rule_, in[0].shape(), in[1].shape(), groups_);
        const conv2d_geometry flat{{g.stride[0], g.stride[1]},
                                   {g.dilation[0], g.dilation[1]},
                                   {g.before[0], g.before[1], g.after[0], g.after[1]},
                                   groups_};
        const kernel::deformable_input<T> all{in[0].as<T>(), in[1].as<T>(), in[2].as<T>(),
                                              given(in, 4) ? in[4].as<T>() : view<const T>(),
                                              given(in, 3) ? in[3].as<T>().flat() : std::span<const T>()};
        kernel::deformable_convolution(all, flat, offset_groups_, out.as<T>(), space);
    }
    using conv2d_geometry = kernel::conv2d_geometry;

    sliding_rule rule_;
    std::int64_t groups_;
    std::int64_t offset_groups_;
};
static_assert(graph_operation<deformable_convolution>);

/// Columns of blocks as images: inputs columns, the images' extents, the blocks' extents.
///
/// shapes   float32 or float64 [N, C * volume of a block, L], int64 [axes] twice -> [N, C, ...]
/// source   ONNX Col2Im-18
class blocks_to_image {
public:
    /// Strides, dilations and pads; each may be empty.
    struct placing {
        std::vector<std::int64_t> strides{}, dilations{}, pads{};
    };

    explicit blocks_to_image(placing how) : how_(std::move(how)) {
        for (const std::vector<std::int64_t>* list : {&how_.strides, &how_.dilations, &how_.pads})
            for (const std::int64_t one : *list)
                if (one < (list == &how_.pads ? 0 : 1) || one > (std::int64_t{1} << 30))
                    detail::refuse("strides, dilations and pads up to 2^30", std::to_string(one));
    }

    [[nodiscard]] std::string_view name() const noexcept { return "Col2Im"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 3);
        const symbolic_shape& x = in[0].shape;
        if ((in[0].type != element::float32 && in[0].type != element::float64) || (x.ranked() && x.rank() != 3))
            detail::refuse("columns [N, C * block, L] of float32 or float64", in[0].text());
        const symbolic_shape image = detail::listed_shape(in[1]), block = detail::listed_shape(in[2]);
        if (!image.ranked()) return {{in[0].type, symbolic_shape::unknown()}};
        if (image.rank() == 0 || !may_equal(block, symbolic_shape::of_rank(image.rank())))
            detail::refuse("as many extents of a block as of an image", in[2].text() + " for " + in[1].text());
        const extent images = x.ranked() ? x[0] : extent::unknown(), lines = x.ranked() ? x[1] : extent::unknown();
        const extent volume = block.ranked() ? block.volume() : extent::unknown();
        if (lines.constant() && volume.constant() && (volume.fixed == 0 || lines.fixed % volume.fixed != 0))
            detail::refuse("whole blocks of " + volume.text(), in[0].text());
        symbolic_shape out{images, lines / volume};
        extent columns = 1;
        for (std::size_t axis = 0; axis < image.rank(); ++axis) {
            out.push_back(image[axis]);
            const bool known = image[axis].constant() && block.ranked() && block[axis].constant();
            columns = columns * (known ? extent(grid(block).positions(axis, image[axis].fixed)) : extent::unknown());
        }
        if (x.ranked() && !may_equal(x[2], columns)) detail::refuse(columns.text() + " blocks", in[0].text());
        return {{in[0].type, out}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        const std::vector<std::int64_t> block = integers_in(in[2]);
        const kernel::block_grid how = grid(symbolic_shape(std::vector<extent>(block.begin(), block.end())));
        if (in[0].type() == element::float32)
            kernel::col2im(in[0].as<float>(), how, out[0].as<float>());
        else
            kernel::col2im(in[0].as<double>(), how, out[0].as<double>());
    }

private:
    /// Extents of the block that are not known count as 1.
    [[nodiscard]] kernel::block_grid grid(const symbolic_shape& block) const {
        const std::size_t axes = block.rank();
        const auto list = [&](const std::vector<std::int64_t>& given, std::size_t count, std::int64_t otherwise) {
            if (!given.empty() && given.size() != count)
                detail::refuse(std::to_string(count) + " numbers for the image's axes", std::to_string(given.size()));
            return given.empty() ? std::vector<std::int64_t>(count, otherwise) : given;
        };
        kernel::block_grid made;
        for (const extent& size : block) made.size.push_back(size.constant() ? size.fixed : 1);
        made.stride = list(how_.strides, axes, 1);
        made.dilation = list(how_.dilations, axes, 1);
        const std::vector<std::int64_t> pads = list(how_.pads, 2 * axes, 0);
        made.before.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(axes));
        made.after.assign(pads.begin() + static_cast<std::ptrdiff_t>(axes), pads.end());
        return made;
    }

    placing how_;
};
static_assert(graph_operation<blocks_to_image>);

}  // namespace fanfold::inline FANFOLD_ABI
