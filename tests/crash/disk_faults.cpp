// tests/crash/disk_faults.cpp - to be preloaded (LD_PRELOAD): what a program asks of the disk is counted, fails, kills
// it or is recorded. Only files in one folder count. scripts/crash-test uses it.
//   FAULTS_FOLDER   the folder, without links in its path
//   FAULTS_COUNT    a file that gets the number of calls when the program ends
//   FAULTS_AT N     the N-th call (write, truncate, sync, create, rename, unlink, mkdir; 1 is the first)
//   FAULTS_HOW      kill: not done, the process dies; torn: half of a write is; killafter: all of it;
//                   enospc, eio: it fails; enospc+, eio+: all from there on do
//   FAULTS_RECORD   a file that gets every call with its bytes, and what is written to standard output, in one order
// A record is a line of text; where it ends with BYTES so many follow, and a line's end:
//   create ID PATH | exists ID PATH | write ID OFFSET BYTES | truncate ID SIZE | sync ID | syncdir PATH
//   rename FROM TO | unlink PATH | mkdir PATH | said BYTES
// SPDX-License-Identifier: MIT
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace {

template <class F>
F* real(F*, const char* name) {
    return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}
#define REAL(function) (real(&::function, #function))

struct disk {
    std::mutex mutex;
    std::string folder;
    std::string how;
    long at = 0;
    long calls = 0;
    int record = -1;
    long files = 0;
    std::map<std::pair<dev_t, ino_t>, long> ids;
    std::map<int, std::pair<long, std::string>> open;  // id and path; id 0: a folder

    disk() {
        const auto text = [](const char* name) { return std::string(getenv(name) == nullptr ? "" : getenv(name)); };
        folder = text("FAULTS_FOLDER");
        how = text("FAULTS_HOW");
        at = std::atol(text("FAULTS_AT").c_str());
        if (const std::string name = text("FAULTS_RECORD"); !name.empty())
            record = REAL(open)(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    }
    ~disk() {
        if (const char* name = getenv("FAULTS_COUNT")) {
            const std::string text = std::to_string(calls) + "\n";
            const int file = REAL(open)(name, O_WRONLY | O_CREAT | O_TRUNC, 0666);
            if (REAL(write)(file, text.data(), text.size()) < 0) std::abort();
        }
    }

    [[nodiscard]] std::string inside(const char* path) const {
        std::string full = path;
        char here[PATH_MAX];
        if (full.empty() || full[0] != '/') full = std::string(getcwd(here, sizeof here)) + "/" + full;
        return !folder.empty() && full.starts_with(folder) ? full : std::string();
    }
    void note(const std::string& line, const void* data = nullptr, std::size_t bytes = 0) {
        if (record < 0) return;
        const std::string text = line + "\n";
        if (REAL(write)(record, text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::abort();
        if (data == nullptr) return;
        if (REAL(write)(record, data, bytes) != static_cast<ssize_t>(bytes)) std::abort();
        if (REAL(write)(record, "\n", 1) != 1) std::abort();
    }
    /// 0: go on; else errno. May not return.
    template <class Half, class All>
    [[nodiscard]] int verdict(const Half& half, const All& all) {
        ++calls;
        if (at == 0 || calls < at || (calls > at && !how.ends_with('+'))) return 0;
        if (how.starts_with("enospc")) return ENOSPC;
        if (how.starts_with("eio")) return EIO;
        if (how == "torn") half();
        if (how == "killafter") all();
        kill(getpid(), SIGKILL);
        pause();
        return EIO;
    }
    template <class All>
    [[nodiscard]] int verdict(const All& all) {
        return verdict([] {}, all);
    }
};
disk& the_disk() {
    static disk only;
    return only;
}

template <class Open>
int opened(const char* path, int flags, const Open& open) {
    disk& d = the_disk();
    const std::lock_guard lock(d.mutex);
    const std::string full = d.inside(path);
    if (full.empty()) return open();
    struct stat is {};
    const bool there = stat(path, &is) == 0;
    const bool creates = (flags & O_CREAT) != 0 && !there;
    if (creates)
        if (const int why = d.verdict(open)) return errno = why, -1;
    const int file = open();
    if (file < 0) return file;
    fstat(file, &is);
    if (S_ISDIR(is.st_mode)) {
        d.open[file] = {0, full};
        return file;
    }
    long& id = d.ids[{is.st_dev, is.st_ino}];
    if (creates || id == 0) {
        id = ++d.files;
        d.note((creates ? "create " : "exists ") + std::to_string(id) + " " + full);
    }
    if ((flags & O_TRUNC) != 0 && !creates) d.note("truncate " + std::to_string(id) + " 0");
    d.open[file] = {id, full};
    return file;
}

template <class Write>
ssize_t written(int file, const void* data, std::size_t bytes, off_t offset, const Write& write) {
    disk& d = the_disk();
    const std::lock_guard lock(d.mutex);
    if (file == STDOUT_FILENO) d.note("said " + std::to_string(bytes), data, bytes);
    const auto found = d.open.find(file);
    if (found == d.open.end()) return write(bytes);
    if (offset < 0) offset = lseek(file, 0, SEEK_CUR);
    if (const int why = d.verdict([&] { write(bytes / 2); }, [&] { write(bytes); })) return errno = why, -1;
    const ssize_t wrote = write(bytes);
    if (wrote > 0)
        d.note("write " + std::to_string(found->second.first) + " " + std::to_string(offset) + " " +
                   std::to_string(wrote),
               data, static_cast<std::size_t>(wrote));
    return wrote;
}

template <class Sync>
int synced(int file, const Sync& sync) {
    disk& d = the_disk();
    const std::lock_guard lock(d.mutex);
    const auto found = d.open.find(file);
    if (found == d.open.end()) return sync();
    if (const int why = d.verdict(sync)) return errno = why, -1;
    const int code = sync();
    const auto& [id, path] = found->second;
    if (code == 0) d.note(id == 0 ? "syncdir " + path : "sync " + std::to_string(id));
    return code;
}

template <class Truncate>
int truncated(int file, off_t size, const Truncate& truncate) {
    disk& d = the_disk();
    const std::lock_guard lock(d.mutex);
    const auto found = d.open.find(file);
    if (found == d.open.end()) return truncate();
    if (const int why = d.verdict(truncate)) return errno = why, -1;
    const int code = truncate();
    if (code == 0) d.note("truncate " + std::to_string(found->second.first) + " " + std::to_string(size));
    return code;
}

/// A change of names.
template <class Change>
int changed(const char* path, const std::string& note, const Change& change) {
    disk& d = the_disk();
    const std::lock_guard lock(d.mutex);
    if (d.inside(path).empty()) return change();
    if (const int why = d.verdict(change)) return errno = why, -1;
    const int code = change();
    if (code == 0) d.note(note);
    return code;
}

mode_t mode_of(int flags, va_list given) { return (flags & O_CREAT) != 0 ? va_arg(given, mode_t) : 0; }

}  // namespace

extern "C" {

#define FANFOLD_OPENS(name)                                                    \
    int name(const char* path, int flags, ...) {                               \
        va_list given;                                                         \
        va_start(given, flags);                                                \
        const mode_t mode = mode_of(flags, given);                             \
        va_end(given);                                                         \
        return opened(path, flags, [&] { return REAL(name)(path, flags, mode); }); \
    }
FANFOLD_OPENS(open)
FANFOLD_OPENS(open64)

int close(int file) {
    disk& d = the_disk();
    const std::lock_guard lock(d.mutex);
    d.open.erase(file);
    return REAL(close)(file);
}
ssize_t write(int file, const void* data, size_t bytes) {
    return written(file, data, bytes, -1, [&](std::size_t n) { return REAL(write)(file, data, n); });
}
ssize_t pwrite(int file, const void* data, size_t bytes, off_t at) {
    return written(file, data, bytes, at, [&](std::size_t n) { return REAL(pwrite)(file, data, n, at); });
}
ssize_t pwrite64(int file, const void* data, size_t bytes, off64_t at) {
    return written(file, data, bytes, at, [&](std::size_t n) { return REAL(pwrite64)(file, data, n, at); });
}
int fsync(int file) {
    return synced(file, [&] { return REAL(fsync)(file); });
}
int fdatasync(int file) {
    return synced(file, [&] { return REAL(fdatasync)(file); });
}
int ftruncate(int file, off_t size) noexcept {
    return truncated(file, size, [&] { return REAL(ftruncate)(file, size); });
}
int ftruncate64(int file, off64_t size) noexcept {
    return truncated(file, size, [&] { return REAL(ftruncate64)(file, size); });
}
int rename(const char* from, const char* to) noexcept {
    return changed(to, "rename " + std::string(from) + " " + to, [&] { return REAL(rename)(from, to); });
}
int unlink(const char* path) noexcept {
    return changed(path, "unlink " + std::string(path), [&] { return REAL(unlink)(path); });
}
int mkdir(const char* path, mode_t mode) noexcept {
    return changed(path, "mkdir " + std::string(path), [&] { return REAL(mkdir)(path, mode); });
}

}  // extern "C"
