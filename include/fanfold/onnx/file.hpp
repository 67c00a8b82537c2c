// fanfold/onnx/file.hpp - files read whole or in part, with errors that say which and why.
// SPDX-License-Identifier: MIT
#pragma once
#include <cerrno>        // errno
#include <cstddef>       // std::byte
#include <cstdint>       // std::uint64_t
#include <cstdio>        // std::fopen
#include <filesystem>    // std::filesystem::path
#include <memory>        // std::unique_ptr
#include <span>          // std::span
#include <stdexcept>     // std::invalid_argument
#include <string>        // std::string
#include <system_error>  // std::error_code, std::generic_category

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// The bytes of a file. Not a vector: megabytes are not cleared before they are read.
struct file_bytes {
    std::unique_ptr<std::byte[]> data;
    std::size_t size = 0;
};

/// A regular file opened for reading.
///
/// errors   every call throws std::invalid_argument with the reason
class input_file {
public:
    explicit input_file(const std::filesystem::path& path) {
        std::error_code code;
        const auto status = std::filesystem::status(path, code);
        if (!std::filesystem::exists(status))
            throw std::invalid_argument("expected a file, got " +
                                        (code ? code.message() : std::string("nothing there")));
        if (!std::filesystem::is_regular_file(status))
            throw std::invalid_argument(std::string("expected a regular file, got ") +
                                        (std::filesystem::is_directory(status) ? "a directory" : "something else"));
        size_ = std::filesystem::file_size(path, code);
        if (code) throw std::invalid_argument("its size cannot be read: " + code.message());
        file_.reset(std::fopen(path.c_str(), "rb"));
        if (file_ == nullptr)
            throw std::invalid_argument("it cannot be opened: " + std::generic_category().message(errno));
        (void)std::setvbuf(file_.get(), nullptr, _IONBF, 0);  // what is read is large, or read ahead by the reader
    }

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    /// Reads room.size() bytes from `offset`.
    void read(std::uint64_t offset, std::span<std::byte> room) {
        if (offset > size_ || room.size() > size_ - offset)
            throw std::invalid_argument("expected " + std::to_string(room.size()) + " bytes from " +
                                        std::to_string(offset) + ", got a file of " + std::to_string(size_));
        errno = 0;
        if (std::fseek(file_.get(), static_cast<long>(offset), SEEK_SET) == 0 &&
            std::fread(room.data(), 1, room.size(), file_.get()) == room.size())
            return;
        throw std::invalid_argument("it cannot be read: " +
                                    (errno != 0 ? std::generic_category().message(errno) : "it has become shorter"));
    }

private:
    struct close {
        void operator()(std::FILE* file) const noexcept { (void)std::fclose(file); }
    };
    std::unique_ptr<std::FILE, close> file_;
    std::uint64_t size_ = 0;
};

[[nodiscard]] inline file_bytes read_file(const std::filesystem::path& path) {
    input_file file(path);
    const auto size = static_cast<std::size_t>(file.size());
    if (size == 0) throw std::invalid_argument("expected an ONNX model, got an empty file");
    file_bytes out{std::unique_ptr<std::byte[]>(new std::byte[size]), size};
    file.read(0, {out.data.get(), size});
    return out;
}

/// Where a model's external data may lie: in the folder of its file; empty for a model from memory.
struct data_folder {
    std::filesystem::path path;

    /// The file that `location` names inside the folder.
    ///
    /// errors   throws std::invalid_argument for a model from memory, an absolute path, one with "..", and one that
    ///          leaves the folder through a symbolic link
    /// source   onnx/docs/ExternalData.md
    [[nodiscard]] std::filesystem::path file(const std::string& location) const {
        namespace fs = std::filesystem;
        if (path.empty()) throw std::invalid_argument("a model from memory has no folder for external data");
        const fs::path relative(location);
        bool inside = !location.empty() && relative.is_relative() && location.find('\0') == std::string::npos;
        for (const fs::path& step : relative) inside = inside && step != "..";
        if (!inside) throw std::invalid_argument("expected a path inside the model's folder");
        std::error_code code;
        const fs::path folder = fs::canonical(path, code);
        if (code) throw std::invalid_argument("the model's folder: " + code.message());
        fs::path target = fs::weakly_canonical(folder / relative, code);
        if (code) throw std::invalid_argument(code.message());
        auto step = target.begin();
        for (const fs::path& part : folder) {
            if (step == target.end() || *step != part)
                throw std::invalid_argument("expected a file inside the model's folder, got a link that leaves it");
            ++step;
        }
        return target;
    }
};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
