// fanfold/onnx/partly_read_file.hpp - a model's file of which large tensors are read only when they are asked for.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::max, std::min
#include <cstddef>      // std::byte
#include <cstdint>      // std::uint64_t, UINT32_MAX
#include <filesystem>   // std::filesystem::path
#include <memory>       // std::unique_ptr
#include <optional>     // std::optional
#include <span>         // std::span
#include <stdexcept>    // std::invalid_argument
#include <string_view>  // std::string_view

#include "../core/pages.hpp"
#include "file.hpp"
#include "proto.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// The bytes of a model's file. Where raw_data of an initializer of the main graph is large, its place among them is kept,
/// but it is neither read nor takes memory: `read` brings it from the file into the tensor it becomes. So weights are
/// copied once, and lie in memory as stored and as packed one at a time.
///
/// cost     memory of what is not large, `ahead` bytes for each that is, and address space of the whole file
/// errors   the constructor and `read` throw std::invalid_argument with the reason. A damaged file is no error here: what
///          does not look like a model is read in full, for the parser to say what is wrong with it
/// threads  one at a time
/// source   onnx.proto: ModelProto.graph = 7, GraphProto.initializer = 5, TensorProto.raw_data = 9
class partly_read_file {
public:
    explicit partly_read_file(const std::filesystem::path& path, std::size_t large = std::size_t{64} << 10,
                              std::size_t ahead = std::size_t{16} << 10)
        : file_(path), large_(large), ahead_(ahead), size_(static_cast<std::size_t>(file_.size())) {
        if (size_ == 0) throw std::invalid_argument("expected an ONNX model, got an empty file");
        data_.reset(new std::byte[size_]);  // not cleared: pages that nobody touches take no memory
        fanfold::detail::refuse_huge_pages(data_.get(), size_);
        (void)scan(0, size_, within::model);
        need(size_);
    }

    /// For parse_model, whose graph `claim` must see before anybody looks at raw_data.
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_.get(), size_}; }

    /// Initializers whose raw_data has been left out are to be read from here.
    void claim(graph_proto& main) noexcept {
        for (tensor_proto& stored : main.initializers)
            if (stored.raw_data && stored.raw_data->size() >= large_) stored.file = this;
    }

    /// Copies a part of bytes(), left out or not, to room of its size.
    void read(std::string_view part, std::span<std::byte> room) {
        file_.read(static_cast<std::uint64_t>(reinterpret_cast<const std::byte*>(part.data()) - data_.get()), room);
    }

private:
    enum class within { model, graph, tensor };

    /// Reads up to `end`, and a little ahead.
    void need(std::size_t end) {
        if (end <= read_) return;
        const std::size_t to = std::max(end, std::min(size_, read_ + ahead_));
        file_.read(read_, {data_.get() + read_, to - read_});
        read_ = to;
    }

    [[nodiscard]] std::optional<std::uint64_t> varint(std::size_t& at, std::size_t end) {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            if (at >= end) return std::nullopt;
            need(at + 1);
            const auto byte = std::to_integer<std::uint64_t>(data_[at++]);
            value |= (byte & 0x7F) << shift;
            if (byte < 0x80) return value;
        }
        return std::nullopt;
    }

    /// Goes through the fields of a message; false where that is none.
    [[nodiscard]] bool scan(std::size_t at, std::size_t end, within where) {
        while (at < end) {
            const std::optional<std::uint64_t> key = varint(at, end);
            if (!key || *key >> 3 == 0) return false;
            std::uint64_t length = 0;
            switch (*key & 7) {
                case 0:
                    if (!varint(at, end)) return false;
                    break;
                case 1: length = 8; break;
                case 2: {
                    const std::optional<std::uint64_t> stated = varint(at, end);
                    if (!stated) return false;
                    length = *stated;
                    break;
                }
                case 5: length = 4; break;
                default: return false;
            }
            if (length > std::min<std::uint64_t>(end - at, UINT32_MAX)) return false;
            const std::size_t next = at + static_cast<std::size_t>(length);
            if (*key == (7 << 3 | 2) && where == within::model) {
                if (!scan(at, next, within::graph)) return false;
            } else if (*key == (5 << 3 | 2) && where == within::graph) {
                if (!scan(at, next, within::tensor)) return false;
            } else if (*key == (9 << 3 | 2) && where == within::tensor && length >= large_) {
                read_ = std::max(read_, next);
            } else {
                need(next);
            }
            at = next;
        }
        return true;
    }

    input_file file_;
    std::size_t large_;
    std::size_t ahead_;
    std::size_t size_;
    std::unique_ptr<std::byte[]> data_;
    std::size_t read_ = 0;  ///< all before it has been read or left out
};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
