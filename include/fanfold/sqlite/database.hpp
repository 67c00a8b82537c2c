// fanfold/sqlite/database.hpp - one connection to an SQLite file, and statements on it; errors are exceptions.
// SPDX-License-Identifier: MIT
#pragma once
#include <sqlite3.h>  // sqlite3_open_v2

#include <cstddef>      // std::size_t, std::nullptr_t
#include <cstdint>      // std::int64_t
#include <memory>       // std::unique_ptr
#include <span>         // std::span
#include <stdexcept>    // std::runtime_error
#include <string>       // std::string
#include <string_view>  // std::string_view

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace sqlite {

/// SQLite refused something; `code` is its extended result code.
class error : public std::runtime_error {
public:
    error(const std::string& what, int code) : std::runtime_error(what), code_(code) {}
    [[nodiscard]] int code() const noexcept { return code_; }

private:
    int code_;
};

/// threads  one user at a time
class database {
public:
    /// errors   throws sqlite::error with the file's name
    database(const std::string& file, const char* vfs) : file_(file) {
        sqlite3* opened = nullptr;
        const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
        const int code = sqlite3_open_v2(file.c_str(), &opened, flags, vfs);
        db_.reset(opened);
        if (code != SQLITE_OK) refuse("cannot be opened", code);
        sqlite3_extended_result_codes(opened, 1);
    }

    [[nodiscard]] const std::string& file() const noexcept { return file_; }
    [[nodiscard]] sqlite3* get() const noexcept { return db_.get(); }

    void run(const char* sql) const {
        const int code = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr);
        if (code != SQLITE_OK) refuse(sql, code);
    }
    [[noreturn]] void refuse(const std::string& doing, int code) const {
        throw error(file_ + ": " + doing + ": " + (db_ ? sqlite3_errmsg(db_.get()) : sqlite3_errstr(code)), code);
    }

private:
    struct closer {
        void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
    };
    std::string file_;
    std::unique_ptr<sqlite3, closer> db_;
};

/// A prepared statement. Parameters are bound in order, columns counted from 0.
class statement {
public:
    statement(const database& db, const char* sql) : db_(&db) {
        sqlite3_stmt* made = nullptr;
        const int code = sqlite3_prepare_v3(db.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr);
        if (code != SQLITE_OK) db.refuse(sql, code);
        made_.reset(made);
    }

    statement& bind(std::int64_t value) { return bound(sqlite3_bind_int64(made_.get(), ++parameter_, value)); }
    statement& bind(std::size_t value) { return bind(static_cast<std::int64_t>(value)); }
    statement& bind(std::string_view text) {
        return bound(
            sqlite3_bind_text64(made_.get(), ++parameter_, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
    }
    /// Borrows the bytes until the statement has run.
    statement& bind(std::span<const std::byte> bytes) {
        if (bytes.empty()) return bound(sqlite3_bind_zeroblob(made_.get(), ++parameter_, 0));  // else NULL
        return bound(sqlite3_bind_blob64(made_.get(), ++parameter_, bytes.data(), bytes.size(), SQLITE_STATIC));
    }

    statement& bind(std::nullptr_t) { return bound(sqlite3_bind_null(made_.get(), ++parameter_)); }

    /// True while there is a row.
    bool step() {
        const int code = sqlite3_step(made_.get());
        if (code != SQLITE_ROW && code != SQLITE_DONE) db_->refuse(sqlite3_sql(made_.get()), code);
        return code == SQLITE_ROW;
    }
    /// Runs to the end, ready for other parameters.
    void run() {
        while (step()) {
        }
        sqlite3_reset(made_.get());
        parameter_ = 0;
    }

    [[nodiscard]] std::int64_t integer(int column) const { return sqlite3_column_int64(made_.get(), column); }
    [[nodiscard]] std::string text(int column) const {
        const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(made_.get(), column));
        return data == nullptr ? std::string() : data;
    }
    [[nodiscard]] std::span<const std::byte> blob(int column) const {
        const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(made_.get(), column));
        return {data, static_cast<std::size_t>(sqlite3_column_bytes(made_.get(), column))};
    }

private:
    struct finalizer {
        void operator()(sqlite3_stmt* made) const noexcept { sqlite3_finalize(made); }
    };
    statement& bound(int code) {
        if (code != SQLITE_OK) db_->refuse(sqlite3_sql(made_.get()), code);
        return *this;
    }

    const database* db_;
    std::unique_ptr<sqlite3_stmt, finalizer> made_;
    int parameter_ = 0;
};

}  // namespace sqlite
}  // namespace fanfold::inline FANFOLD_ABI
