// SPDX-License-Identifier: MIT
#include <fanfold/sqlite/ledger.hpp>

#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/serial.hpp>
#include <fanfold/schedule/threads.hpp>
#include <fanfold/verify/digest.hpp>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "../callables.hpp"
#include "../catch.hpp"
#include "../text.hpp"
#include "failing_vfs.hpp"

using namespace fanfold;
using namespace callables;

namespace {

/// A folder of its own for each test case.
class folder {
public:
    folder() {
        std::string name = (std::filesystem::temp_directory_path() / "fanfold_ledger_XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~folder() { std::filesystem::remove_all(path_); }
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;
    [[nodiscard]] std::string operator/(const char* name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

std::string said(const std::string& file, const std::vector<float>& rows, std::uint64_t model = 0) {
    return text_of([&] {
        sqlite::ledger kept(file);
        (void)infer(serial_executor(), sine, rows, {.ledger = kept, .model_fingerprint = model});
    });
}

}  // namespace

TEST_CASE("A job goes on from its file, computes the rest alone, and its tables can be read") {
    const folder here;
    const std::string file = here / "job.db";
    const auto xs = ramp(1000);
    const auto poison = [](std::span<const float> rows) {
        for (const float x : rows)
            if (x == 500) throw std::runtime_error("cannot take 500");
        return sine(rows);
    };
    {
        sqlite::ledger kept(file);
        const job first = infer(threads_executor({.workers = 3}), poison, xs,
                                {.partition = contiguous{.rows_per_shard = 10}, .ledger = kept});
        CHECK(first.failed_rows() == 10);
        CHECK(kept.safe_rows() == 990);
    }
    {
        const sqlite::database db(file, nullptr);
        sqlite::statement failed(db, "SELECT count(*), min(kind), min(message) FROM failed");
        failed.step();
        CHECK(failed.integer(0) == 10);
        CHECK(failed.text(1) == "threw");
        CHECK(failed.text(2) == "cannot take 500");
        sqlite::statement key(db, "SELECT value FROM job WHERE key = 'answers'");
        key.step();
        CHECK(key.text(0) == "float32 0 1000 \n");
    }
    sqlite::ledger kept(file);
    const job second =
        infer(serial_executor(), sine, xs, {.partition = contiguous{.rows_per_shard = 64}, .ledger = kept});
    CHECK(second.events.resumed == 990);
    CHECK(second.failures.empty());
    CHECK(digest(second.answers) == digest(infer(serial_executor(), sine, xs).answers));
    CHECK(kept.safe_rows() == 1000);
}

TEST_CASE("Another job, a second opener, foreign and damaged files are refused by name") {
    const folder here;
    const auto xs = ramp(100);
    const std::string file = here / "job.db";
    REQUIRE(said(file, xs).empty());
    CHECK(said(file, ramp(99)).starts_with(file + ": it is of another job (100 rows, fingerprint "));
    CHECK(said(file, xs, 5).starts_with(file + ": it is of another job (100 rows, fingerprint "));
    {
        const sqlite::ledger holder(file);
        CHECK(said(file, xs) == file + ": another job has this ledger open");
    }
    CHECK(said(file, xs).empty());

    const std::string text = here / "notes.txt";
    std::ofstream(text) << std::string(5000, 'x');
    CHECK(said(text, xs) == text + ": this is no SQLite file");
    const std::string other = here / "other.db";
    sqlite::database(other, nullptr).run("CREATE TABLE mine(x)");
    const auto before = std::filesystem::file_size(other);
    CHECK(said(other, xs) == other + ": this is no ledger of fanfold's");
    CHECK(std::filesystem::file_size(other) == before);
    sqlite::database(other, nullptr).run("INSERT INTO mine VALUES (1)");  // and it is as it was
    CHECK_FALSE(said(here / "no/such/folder.db", xs).empty());

    std::fstream damaged(file, std::ios::in | std::ios::out | std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(damaged)), {});
    const auto answers = infer(serial_executor(), sine, xs).answers;
    const std::string_view some(reinterpret_cast<const char*>(answers[0].data()) + 200, 32);
    const std::size_t at = bytes.find(some);
    REQUIRE(at != std::string::npos);
    damaged.seekp(static_cast<std::streamoff>(at));
    damaged.put('!');
    damaged.close();
    CHECK(said(file, xs).starts_with(file + ": damaged: the answers from row "));
    std::filesystem::resize_file(file, 4096 + 100);
    CHECK(said(file, xs).starts_with(file + ": "));
}

TEST_CASE(
    "Whichever write or fsync fails, the job ends saying so, nothing safe is lost, and another run completes it") {
    const auto xs = ramp(640);
    const auto reference = digest(infer(serial_executor(), sine, xs).answers);
    const options how{.partition = contiguous{.rows_per_shard = 16}};
    for (const int code : {SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC})
        for (int n = 1;; ++n) {
            const folder here;
            const std::string file = here / "job.db";
            std::size_t safe = 0;
            bool failed = false;
            {
                failing_vfs::fail_from(n, code);
                try {
                    sqlite::ledger kept(
                        file, {.group = 4, .interval = std::chrono::milliseconds(0), .vfs = failing_vfs::name()});
                    options with = how;
                    with.ledger = kept;
                    try {
                        (void)infer(serial_executor(), sine, xs, with);
                    } catch (const std::exception&) {
                        failed = true;
                    }
                    failing_vfs::fail_from(0, 0);
                    safe = kept.safe_rows();
                } catch (const sqlite::error& why) {
                    failed = true;
                    CHECK(std::string(why.what()).starts_with(file));
                }
                failing_vfs::fail_from(0, 0);
            }
            sqlite::ledger kept(file);
            options with = how;
            with.ledger = kept;
            const job done = infer(serial_executor(), sine, xs, with);
            REQUIRE(done.failures.empty());
            REQUIRE(done.events.resumed >= safe);
            REQUIRE(digest(done.answers) == reference);
            REQUIRE(kept.safe_rows() == 640);
            if (!failed) {
                REQUIRE(n > 10);  // it did fail at many places before
                break;
            }
        }
}
