// tests/sqlite/failing_vfs.hpp - SQLite's own file system, but from the n-th write or fsync on all of them fail.
// SPDX-License-Identifier: MIT
#pragma once
#include <sqlite3.h>

#include <atomic>
#include <cstring>

namespace failing_vfs {

inline std::atomic<int> left{0};  ///< calls until it fails; 0: never
inline std::atomic<int> with{0};

/// From the n-th call on; 0: never.
inline void fail_from(int n, int code) {
    with = code;
    left = n;
}
inline int verdict(bool is_sync) {
    if (left == 0) return SQLITE_OK;
    if (left > 1) {
        --left;
        return SQLITE_OK;
    }
    if (with == SQLITE_IOERR_FSYNC) return is_sync ? SQLITE_IOERR_FSYNC : SQLITE_OK;
    return is_sync ? SQLITE_OK : with.load();
}

struct file {
    sqlite3_file base;
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
inline sqlite3_file* real(sqlite3_file* f) { return reinterpret_cast<file*>(f)->real(); }

inline const sqlite3_io_methods& methods() {
    static const sqlite3_io_methods m = [] {
        sqlite3_io_methods all{};
        all.iVersion = 1;
        all.xClose = [](sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); };
        all.xRead = [](sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
            return real(f)->pMethods->xRead(real(f), to, n, at);
        };
        all.xWrite = [](sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
            const int code = verdict(false);
            return code != SQLITE_OK ? code : real(f)->pMethods->xWrite(real(f), from, n, at);
        };
        all.xTruncate = [](sqlite3_file* f, sqlite3_int64 n) { return real(f)->pMethods->xTruncate(real(f), n); };
        all.xSync = [](sqlite3_file* f, int flags) {
            const int code = verdict(true);
            return code != SQLITE_OK ? code : real(f)->pMethods->xSync(real(f), flags);
        };
        all.xFileSize = [](sqlite3_file* f, sqlite3_int64* n) { return real(f)->pMethods->xFileSize(real(f), n); };
        all.xLock = [](sqlite3_file* f, int how) { return real(f)->pMethods->xLock(real(f), how); };
        all.xUnlock = [](sqlite3_file* f, int how) { return real(f)->pMethods->xUnlock(real(f), how); };
        all.xCheckReservedLock = [](sqlite3_file* f, int* is) {
            return real(f)->pMethods->xCheckReservedLock(real(f), is);
        };
        all.xFileControl = [](sqlite3_file* f, int op, void* arg) {
            return real(f)->pMethods->xFileControl(real(f), op, arg);
        };
        all.xSectorSize = [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); };
        all.xDeviceCharacteristics = [](sqlite3_file* f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); };
        return all;
    }();
    return m;
}

/// Registers it when first asked. Version 1 of the methods has no shared memory: the ledger must not need any.
inline const char* name() {
    static sqlite3_vfs* const made = [] {
        static sqlite3_vfs vfs = *sqlite3_vfs_find(nullptr);
        vfs.zName = "failing";
        vfs.pNext = nullptr;
        vfs.szOsFile += static_cast<int>(sizeof(file));
        vfs.xOpen = [](sqlite3_vfs*, sqlite3_filename path, sqlite3_file* f, int flags, int* out) {
            sqlite3_vfs* const usual = sqlite3_vfs_find(nullptr);
            std::memset(f, 0, sizeof(file));
            const int code = usual->xOpen(usual, path, real(f), flags, out);
            if (code == SQLITE_OK) f->pMethods = &methods();
            return code;
        };
        sqlite3_vfs_register(&vfs, 0);
        return &vfs;
    }();
    return made->zName;
}

}  // namespace failing_vfs
