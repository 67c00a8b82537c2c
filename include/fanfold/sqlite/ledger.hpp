// fanfold/sqlite/ledger.hpp - a ledger in an SQLite file: after kill -9 or a power cut the job goes on where it was.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>           // std::sort, std::max
#include <condition_variable>  // std::condition_variable
#include <cstddef>             // std::size_t
#include <cstdint>             // std::uint64_t
#include <exception>           // std::exception_ptr
#include <mutex>               // std::mutex
#include <optional>            // std::optional
#include <span>                // std::span
#include <stdexcept>           // std::runtime_error
#include <string>              // std::string
#include <thread>              // std::jthread
#include <utility>             // std::exchange
#include <vector>              // std::vector

#include "../checkpoint/ledger.hpp"
#include "../context/clock.hpp"
#include "../verify/digest.hpp"
#include "answer_files.hpp"
#include "answer_types.hpp"
#include "database.hpp"
#include "run_joiner.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace sqlite {

struct ledger_options {
    std::size_t group = 256;                            ///< commits when so many runs of rows wait,
    duration interval = std::chrono::milliseconds(50);  ///< or when the first has waited so long
    std::size_t most_waiting = 4096;                    ///< more, and workers wait for the disk;
    std::size_t most_waiting_bytes = 256 << 20;         ///< the same, of their answers
    std::size_t file_bytes = 1 << 20;                   ///< a run whose answers are at least as large gets a file
    const char* vfs = nullptr;                          ///< of SQLite, for tests that make it fail
};

/// Tables: job(key, value), done(first, rows, rows_digest, digest, answers, file), failed(row, kind, attempts,
/// message). Answers and the mark that they are done are one record, so they are there together or not at all. Large
/// ones are in files, in the folder FILE.answers: a file is safe under its name before the record that names it is
/// written.
///
/// example  fanfold::sqlite::ledger file("job.db");  infer(cores, model, images, {.ledger = file})
/// cost     one transaction and one fsync a group, on a thread of its own; one more a file, and of the folder a group
/// errors   throws std::runtime_error that names the file: in use by somebody else; of another job; no ledger of
///          fanfold's; damaged; cannot be written. A write that failed is not tried again: keep or finish throws it
/// threads  one job at a time. One connection holds the file alone (EXCLUSIVE), in WAL mode with synchronous=FULL
class ledger {
public:
    explicit ledger(const std::string& file, ledger_options how = {}) : how_(how), db_(file, how.vfs) {
        how_.file_bytes = std::max<std::size_t>(how.file_bytes, 1);
        try {
            db_.run("PRAGMA locking_mode=EXCLUSIVE");  // before WAL: then there is no shared memory and no other opener
            const bool fresh = number("SELECT count(*) FROM sqlite_schema") == 0;
            if (!fresh) check_ours();                  // before anything is written to it
            db_.run("PRAGMA page_size=16384");         // of a new file: half of the CPU time that 4096 takes
            db_.run("PRAGMA wal_autocheckpoint=256");  // 4 MiB
            db_.run("PRAGMA journal_mode=WAL");
            db_.run("PRAGMA synchronous=FULL");
            db_.run("BEGIN IMMEDIATE");
            if (fresh) create();
            db_.run("COMMIT");
            // by the full path: the working folder may change
            if (const char* const path = sqlite3_db_filename(db_.get(), "main"); path != nullptr && *path != 0)
                files_.emplace(std::string(path) + ".answers");
            safe_ = static_cast<std::size_t>(number("SELECT ifnull(sum(rows), 0) FROM done"));
        } catch (const error& why) {
            const int code = why.code() & 0xFF;
            if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
                throw error(file + ": another job has this ledger open", why.code());
            if (code == SQLITE_NOTADB) throw error(file + ": this is no SQLite file", why.code());
            throw;
        }
        committer_ = std::jthread([this](const std::stop_token& ended) { commit_groups(ended); });
    }
    ~ledger() {
        const std::lock_guard lock(mutex_);  // or the committer, about to wait, would never hear of it
        committer_.request_stop();
        there_is_work_.notify_all();
    }
    ledger(const ledger&) = delete;
    ledger& operator=(const ledger&) = delete;

    [[nodiscard]] std::vector<tensor_type> open(const job_identity& identity) {
        const std::lock_guard lock(mutex_);
        const std::string fingerprint = digest_text(identity.fingerprint);
        const std::string rows = std::to_string(identity.rows);
        rows_ = identity.rows;
        const std::string known = value_of("fingerprint");
        if (known.empty()) {
            db_.run("BEGIN IMMEDIATE");
            set("fingerprint", fingerprint);
            set("rows", rows);
            db_.run("COMMIT");
        } else if (known != fingerprint || value_of("rows") != rows) {
            refuse("it is of another job (" + value_of("rows") + " rows, fingerprint " + known + "); this one has " +
                   rows + " rows, fingerprint " + fingerprint + ": other types, another model or other options");
        }
        remove_orphans();
        const std::string text = value_of("answers");
        if (text.empty()) return {};
        std::vector<tensor_type> types = answer_types(text, db_.file());
        join_ = run_joiner(types, rows_);
        return types;
    }
    void restore(function_ref<void(const rows_done&)> take) {
        const std::lock_guard lock(mutex_);
        statement all(db_, "SELECT first, rows, digest, answers, file, rows_digest FROM done ORDER BY first");
        while (all.step()) {
            rows_done one{static_cast<std::size_t>(all.integer(0)), static_cast<std::size_t>(all.integer(1)), {},
                          static_cast<std::uint64_t>(all.integer(5))};
            const std::string name = all.text(4);
            if (name.empty()) {
                const auto answers = all.blob(3);
                one.answers.assign(answers.begin(), answers.end());
            } else if (!files_) {
                refuse("damaged: it names files, and is none");
            } else {
                one.answers = files_->read(name);
            }
            if (all.text(2) != digest_text(hash_bytes(one.answers.data(), one.answers.size())))
                refuse("damaged: the answers from row " + std::to_string(one.first) +
                       " on are not those that were kept" + (name.empty() ? "" : ", in " + files_->path_of(name)));
            take(one);
        }
    }
    void declare(const std::vector<tensor_type>& types) {
        const std::lock_guard lock(mutex_);
        types_ = text_of(types);
        join_ = run_joiner(types, rows_);
        there_is_work_.notify_all();
    }
    void keep(rows_done done) {
        std::unique_lock lock(mutex_);
        there_is_room_.wait(lock, [&] {
            return failed_ != nullptr ||
                   (waiting_.size() < how_.most_waiting && waiting_bytes_ < how_.most_waiting_bytes);
        });
        if (failed_ != nullptr) std::rethrow_exception(failed_);
        waiting_bytes_ += done.answers.size();
        waiting_.push_back(std::move(done));
        if (waiting_.size() == 1 || enough_waits()) there_is_work_.notify_all();
    }
    void finish(std::span<const fault> faults) {
        std::unique_lock lock(mutex_);
        finishing_ = true;
        there_is_work_.notify_all();
        all_safe_.wait(lock, [&] { return failed_ != nullptr || (waiting_.empty() && !committing_); });
        finishing_ = false;
        if (failed_ != nullptr) std::rethrow_exception(failed_);
        db_.run("BEGIN IMMEDIATE");
        db_.run("DELETE FROM failed");
        statement insert(db_, "INSERT OR REPLACE INTO failed VALUES (?, ?, ?, ?)");
        for (const fault& f : faults)
            for (const std::size_t row : f.rows)
                insert.bind(row).bind(name_of(f.kind)).bind(std::size_t{f.attempts}).bind(f.message).run();
        db_.run("COMMIT");
    }

    /// Rows that are safe.
    [[nodiscard]] std::size_t safe_rows() {
        const std::lock_guard lock(mutex_);
        return safe_;
    }

private:
    static constexpr std::int64_t application = 0x66616E66;  // "fanf"
    static constexpr std::int64_t version = 2;

    [[noreturn]] void refuse(const std::string& why) const { throw std::runtime_error(db_.file() + ": " + why); }
    [[nodiscard]] std::int64_t number(const char* sql) const {
        statement one(db_, sql);
        one.step();
        return one.integer(0);
    }
    void create() {
        db_.run("CREATE TABLE job(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
        db_.run(
            "CREATE TABLE done(first INTEGER PRIMARY KEY, rows INTEGER NOT NULL, rows_digest INTEGER NOT NULL, "
            "digest TEXT NOT NULL, answers BLOB, file TEXT, CHECK ((answers IS NULL) <> (file IS NULL)))");
        db_.run(
            "CREATE TABLE failed(row INTEGER PRIMARY KEY, kind TEXT NOT NULL, attempts INTEGER NOT NULL, "
            "message TEXT NOT NULL)");
        db_.run(("PRAGMA application_id=" + std::to_string(application)).c_str());
        db_.run(("PRAGMA user_version=" + std::to_string(version)).c_str());
    }
    void check_ours() {
        if (number("PRAGMA application_id") != application) refuse("this is no ledger of fanfold's");
        if (number("PRAGMA user_version") != version)
            refuse("a ledger of version " + std::to_string(number("PRAGMA user_version")) + ", expected " +
                   std::to_string(version));
        statement check(db_, "PRAGMA quick_check(1)");
        check.step();
        if (check.text(0) != "ok") refuse("damaged: " + check.text(0));
    }
    [[nodiscard]] std::string value_of(std::string_view key) const {
        statement one(db_, "SELECT value FROM job WHERE key = ?");
        return one.bind(key).step() ? one.text(0) : std::string();
    }
    void set(std::string_view key, std::string_view value) const {
        statement(db_, "INSERT OR REPLACE INTO job VALUES (?, ?)").bind(key).bind(value).run();
    }

    void remove_orphans() const {
        if (!files_) return;
        std::vector<std::string> names;
        statement all(db_, "SELECT file FROM done WHERE file IS NOT NULL");
        while (all.step()) names.push_back(all.text(0));
        std::sort(names.begin(), names.end());
        files_->remove_all_but(names);
    }
    [[nodiscard]] bool enough_waits() const noexcept {
        return waiting_.size() >= how_.group || waiting_bytes_ >= how_.most_waiting_bytes / 2;
    }

    void commit_groups(const std::stop_token& ended) {
        std::unique_lock lock(mutex_);
        while (!ended.stop_requested()) {
            const auto urged = [&] { return ended.stop_requested() || finishing_ || enough_waits(); };
            if (waiting_.empty()) {
                all_safe_.notify_all();
                there_is_work_.wait(lock, [&] { return ended.stop_requested() || !waiting_.empty(); });
            }
            there_is_work_.wait_for(lock, how_.interval, urged);
            if (waiting_.empty() || failed_ != nullptr) continue;
            std::vector<rows_done> group = std::exchange(waiting_, {});
            waiting_bytes_ = 0;
            const std::string types = std::exchange(types_, {});
            std::size_t rows = 0;
            for (const rows_done& one : group) rows += one.rows;
            committing_ = true;
            there_is_room_.notify_all();
            lock.unlock();
            std::exception_ptr wrong;
            try {
                commit(join_(std::move(group), how_.file_bytes - 1), types);
            } catch (...) {
                wrong = std::current_exception();
            }
            lock.lock();
            committing_ = false;
            if (wrong == nullptr) safe_ += rows;
            if (wrong == nullptr) continue;
            failed_ = wrong;
            there_is_room_.notify_all();
            all_safe_.notify_all();
            return;
        }
    }
    void commit(const std::vector<rows_done>& group, const std::string& types) {
        if (!insert_) insert_.emplace(db_, "INSERT INTO done VALUES (?, ?, ?, ?, ?, ?)");
        std::vector<std::string> names(group.size());
        if (files_) {
            for (std::size_t i = 0; i < group.size(); ++i)
                if (group[i].answers.size() >= how_.file_bytes)
                    names[i] = files_->write(group[i].first, group[i].answers);
            files_->sync();
        }
        db_.run("BEGIN IMMEDIATE");
        if (!types.empty()) set("answers", types);
        for (std::size_t i = 0; i < group.size(); ++i) {
            const std::span<const std::byte> answers(group[i].answers);
            insert_->bind(group[i].first)
                .bind(group[i].rows)
                .bind(static_cast<std::int64_t>(group[i].rows_digest))
                .bind(digest_text(hash_bytes(answers.data(), answers.size())));
            if (names[i].empty())
                insert_->bind(answers).bind(nullptr).run();
            else
                insert_->bind(nullptr).bind(names[i]).run();
        }
        db_.run("COMMIT");
    }

    ledger_options how_;
    database db_;
    std::mutex mutex_;  ///< of what follows; the connection belongs to the committer while it is committing
    std::condition_variable there_is_work_;
    std::condition_variable there_is_room_;
    std::condition_variable all_safe_;
    std::vector<rows_done> waiting_;
    std::size_t waiting_bytes_ = 0;
    std::size_t safe_ = 0;  ///< rows
    std::string types_;
    run_joiner join_;
    std::size_t rows_ = 0;  ///< of the job
    bool committing_ = false;
    bool finishing_ = false;
    std::exception_ptr failed_;
    std::optional<answer_files> files_;  ///< the committer's, once it works
    std::optional<statement> insert_;
    std::jthread committer_;
};
static_assert(fanfold::ledger<ledger>);

}  // namespace sqlite
}  // namespace fanfold::inline FANFOLD_ABI
