// examples/idx.hpp - reads images and labels in the IDX format of the MNIST family, gzipped or not.
//   in    a file      out   a tensor float32 [images, 1, height, width] in [0, 1], or labels
// SPDX-License-Identifier: MIT
#pragma once
#include <fanfold/core/tensor.hpp>

#include <zlib.h>  // gzopen

#include <algorithm>     // std::min
#include <array>         // std::array
#include <cerrno>        // errno
#include <cstddef>       // std::size_t
#include <cstdint>       // std::uint32_t
#include <cstdio>        // std::snprintf
#include <filesystem>    // std::filesystem::path
#include <memory>        // std::unique_ptr
#include <span>          // std::span
#include <stdexcept>     // std::runtime_error
#include <string>        // std::string
#include <system_error>  // std::generic_category
#include <vector>        // std::vector

namespace idx {

/// A file as it stands: extents and unsigned bytes, first extent outermost.
struct contents {
    std::vector<std::uint32_t> extents;
    std::vector<std::uint8_t> bytes;
};

namespace detail {

class reader {
public:
    explicit reader(const std::filesystem::path& file) : name_(file.string()) {
        errno = 0;
        file_.reset(gzopen(name_.c_str(), "rb"));
        if (file_ == nullptr) refuse(errno != 0 ? std::generic_category().message(errno) : "cannot be opened");
    }

    [[noreturn]] void refuse(const std::string& why) const { throw std::runtime_error(name_ + ": " + why); }

    /// As many of the next bytes as there are; damaged ones are refused.
    [[nodiscard]] std::size_t some(std::span<std::uint8_t> to) const {
        const int count = gzread(file_.get(), to.data(), static_cast<unsigned>(to.size()));
        int code = Z_OK;
        std::string what = gzerror(file_.get(), &code);
        if (what.starts_with(name_ + ": ")) what.erase(0, name_.size() + 2);
        if (count < 0 && code == Z_ERRNO) refuse(std::generic_category().message(errno));
        if (count < 0 || (code != Z_OK && code != Z_BUF_ERROR)) refuse("damaged gzip data: " + what);
        return static_cast<std::size_t>(count);
    }

    /// The gzip data ended before its trailer, which holds the checksum.
    [[nodiscard]] bool ended_early() const {
        int code = Z_OK;
        (void)gzerror(file_.get(), &code);
        return code == Z_BUF_ERROR;
    }

    [[nodiscard]] std::uint32_t big_endian(const std::string& what) const {
        std::array<std::uint8_t, 4> b{};
        if (const std::size_t got = some(b); got != b.size())
            refuse("cut short: expected 4 bytes of " + what + ", got " + std::to_string(got));
        return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
    }

private:
    struct closer {
        void operator()(gzFile file) const { gzclose(file); }
    };
    std::string name_;
    std::unique_ptr<gzFile_s, closer> file_;
};

}  // namespace detail

/// Reads a whole file with `rank` extents.
///
/// cost     memory grows with what the file really holds, not with what its header says
/// errors   throws std::runtime_error with the file's name, what was expected and what was found: no such file, wrong
///          magic number, cut short, damaged, bytes left over
[[nodiscard]] inline contents read(const std::filesystem::path& file, unsigned rank) {
    const detail::reader in(file);
    const std::uint32_t magic = in.big_endian("magic number");
    const std::uint32_t expected = 0x00000800U + rank;  // 08: unsigned bytes; then the number of extents
    if (magic != expected) {
        std::array<char, 80> text{};
        std::snprintf(text.data(), text.size(), "expected magic number 0x%08x (IDX, bytes, %u extents), got 0x%08x",
                      expected, rank, magic);
        in.refuse(text.data());
    }
    contents read;
    std::size_t declared = 1;
    std::string shape;
    for (unsigned axis = 0; axis < rank; ++axis) {
        read.extents.push_back(in.big_endian("extent " + std::to_string(axis)));
        shape += (axis == 0 ? "" : " x ") + std::to_string(read.extents.back());
        if (__builtin_mul_overflow(declared, std::size_t{read.extents.back()}, &declared))
            in.refuse("declares " + shape + " bytes, more than memory can address");
    }
    constexpr std::size_t piece = std::size_t{1} << 20;
    while (read.bytes.size() < declared) {
        const std::size_t had = read.bytes.size();
        const std::size_t wanted = std::min(piece, declared - had);
        read.bytes.resize(had + wanted);
        const std::size_t got = in.some(std::span(read.bytes).subspan(had));
        if (got != wanted)
            in.refuse("cut short: declares " + shape + " = " + std::to_string(declared) + " bytes, holds " +
                      std::to_string(had + got));
    }
    std::array<std::uint8_t, 1> more{};
    if (in.some(more) != 0) in.refuse("declares " + shape + " = " + std::to_string(declared) + " bytes, holds more");
    if (in.ended_early()) in.refuse("cut short: the gzip data ends before its checksum");
    return read;
}

/// Pixels / 255 as float32 [images, 1, height, width].
[[nodiscard]] inline fanfold::tensor read_images(const std::filesystem::path& file) {
    const contents raw = read(file, 3);
    fanfold::tensor images =
        fanfold::tensor::uninitialized(fanfold::element::float32, {raw.extents[0], 1, raw.extents[1], raw.extents[2]});
    const auto pixels = images.as<float>().flat();
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(raw.bytes[i]) / 255;
    return images;
}

/// One byte a label.
[[nodiscard]] inline std::vector<std::uint8_t> read_labels(const std::filesystem::path& file) {
    return read(file, 1).bytes;
}

}  // namespace idx
