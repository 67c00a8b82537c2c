// fanfold/sqlite/answer_files.hpp - answers too large for a table: a file each, in a folder beside the ledger's file.
// SPDX-License-Identifier: MIT
#pragma once
#include <dirent.h>    // opendir
#include <fcntl.h>     // open
#include <sys/stat.h>  // mkdir
#include <unistd.h>    // write, fsync

#include <algorithm>     // std::binary_search, std::all_of
#include <cerrno>        // errno
#include <cstddef>       // std::byte
#include <cstdio>        // std::rename
#include <memory>        // std::unique_ptr
#include <optional>      // std::optional
#include <span>          // std::span
#include <stdexcept>     // std::runtime_error
#include <string>        // std::string
#include <string_view>   // std::string_view
#include <system_error>  // std::generic_category
#include <utility>       // std::exchange
#include <vector>        // std::vector

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace sqlite {

/// example  answer_files files("job.db.answers");  files.write(640, bytes);  files.sync();  // "row_640" may be named
/// cost     one fsync a file, one of the folder a `sync`
/// errors   throws std::runtime_error with path and reason. Nothing that failed is tried again
/// threads  one user at a time
class answer_files {
public:
    explicit answer_files(std::string folder) : folder_(std::move(folder)) {}

    [[nodiscard]] const std::string& folder() const noexcept { return folder_; }
    [[nodiscard]] std::string path_of(std::string_view name) const { return folder_ + "/" + std::string(name); }

    /// The file's name. All of it is on the disk under that name when `sync` has returned, too.
    [[nodiscard]] std::string write(std::size_t first_row, std::span<const std::byte> answers) {
        make_folder();
        std::string name = std::string(prefix) + std::to_string(first_row);
        const std::string whole = path_of(name);
        const std::string unfinished = whole + unfinished_suffix;
        try {
            const descriptor file(unfinished, O_WRONLY | O_CREAT | O_TRUNC);
            for (std::size_t at = 0; at < answers.size();) {
                const ::ssize_t wrote = ::write(file.number(), answers.data() + at, answers.size() - at);
                if (wrote < 0 && errno != EINTR) refuse(unfinished, "cannot be written");
                if (wrote > 0) at += static_cast<std::size_t>(wrote);
            }
            file.sync(unfinished);
        } catch (...) {
            ::unlink(unfinished.c_str());  // there may be no room for others beside it
            throw;
        }
        if (std::rename(unfinished.c_str(), whole.c_str()) != 0) refuse(whole, "cannot be renamed to");
        unsynced_ = true;
        return name;
    }
    /// Makes the names safe that were given since the last call.
    void sync() {
        if (std::exchange(unsynced_, false)) sync_folder(folder_);
    }

    [[nodiscard]] std::vector<std::byte> read(std::string_view name) const {
        const std::string path = path_of(name);
        const descriptor file(path, O_RDONLY);
        struct stat is {};
        if (::fstat(file.number(), &is) != 0) refuse(path, "cannot be read");
        std::vector<std::byte> answers(static_cast<std::size_t>(is.st_size));
        for (std::size_t at = 0; at < answers.size();) {
            const ::ssize_t got = ::read(file.number(), answers.data() + at, answers.size() - at);
            if (got < 0 && errno != EINTR) refuse(path, "cannot be read");
            if (got == 0) answers.resize(at);  // it was cut meanwhile: the digest will tell
            if (got > 0) at += static_cast<std::size_t>(got);
        }
        return answers;
    }

    /// Removes what a crash left behind: files of ours that are none of these names, which are sorted.
    void remove_all_but(const std::vector<std::string>& names) const {
        std::unique_ptr<DIR, closer> open(::opendir(folder_.c_str()));
        if (!open) return;
        std::vector<std::string> orphans;
        while (const dirent* const entry = ::readdir(open.get()))
            if (is_ours(entry->d_name) && !std::binary_search(names.begin(), names.end(), std::string(entry->d_name)))
                orphans.push_back(path_of(entry->d_name));
        for (const std::string& orphan : orphans) ::unlink(orphan.c_str());
    }

    /// Makes the names in a folder safe.
    static void sync_folder(const std::string& folder) { descriptor(folder, O_RDONLY | O_DIRECTORY).sync(folder); }

private:
    static constexpr std::string_view prefix = "row_";
    static constexpr const char* unfinished_suffix = ".tmp";

    struct closer {
        void operator()(DIR* open) const noexcept { ::closedir(open); }
    };
    class descriptor {
    public:
        descriptor(const std::string& path, int flags) : number_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {
            if (number_ < 0) refuse(path, "cannot be opened");
        }
        ~descriptor() { ::close(number_); }
        descriptor(const descriptor&) = delete;
        descriptor& operator=(const descriptor&) = delete;
        [[nodiscard]] int number() const noexcept { return number_; }
        void sync(const std::string& path) const {
            if (::fsync(number_) != 0) refuse(path, "cannot be made safe");
        }

    private:
        int number_;
    };

    [[noreturn]] static void refuse(const std::string& path, const char* what) {
        const int why = errno;
        throw std::runtime_error(path + " " + what + ": " + std::generic_category().message(why));
    }
    void make_folder() {
        if (std::exchange(made_, true)) return;
        if (::mkdir(folder_.c_str(), 0777) == 0) return sync_folder(parent());
        if (errno != EEXIST) refuse(folder_, "cannot be made");
    }
    [[nodiscard]] std::string parent() const {
        const std::size_t slash = folder_.rfind('/');
        return slash == std::string::npos ? "." : slash == 0 ? "/" : folder_.substr(0, slash);
    }
    [[nodiscard]] static bool is_ours(std::string_view name) {
        if (!name.starts_with(prefix)) return false;
        name.remove_prefix(prefix.size());
        if (name.ends_with(unfinished_suffix)) name.remove_suffix(std::string_view(unfinished_suffix).size());
        return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
    }

    std::string folder_;
    bool made_ = false;
    bool unsynced_ = false;
};

}  // namespace sqlite
}  // namespace fanfold::inline FANFOLD_ABI
