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
#include "folder.hpp"

using namespace fanfold;
using namespace callables;

namespace {

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

TEST_CASE("Large answers are files of their own; damaged, cut and missing ones are refused by name, orphans removed") {
    const folder here;
    const std::string file = here / "job.db";
    const auto answer_file = [&](const std::string& name) { return file + ".answers/" + name; };
    const auto xs = ramp(1000);
    const auto reference = digest(infer(serial_executor(), sine, xs).answers);
    const auto run = [&](const auto& workers, std::size_t rows, const std::stop_token& stop = {}) {
        sqlite::ledger kept(file, {.file_bytes = 256});  // 64 rows
        return infer(workers, sine, xs,
                     {.partition = contiguous{.rows_per_shard = rows}, .ledger = kept, .stop = stop});
    };
    std::stop_source after_500;
    {
        sqlite::ledger kept(file, {.file_bytes = 256});
        const auto stops = [&](std::span<const float> rows) {
            if (rows.front() >= 500) after_500.request_stop();
            return sine(rows);
        };
        (void)infer(serial_executor(), stops, xs,
                    {.partition = contiguous{.rows_per_shard = 100}, .ledger = kept, .stop = after_500.get_token()});
        CHECK(kept.safe_rows() == 600);
    }
    CHECK(std::filesystem::file_size(answer_file("row_500")) == 400);
    {
        const sqlite::database db(file, nullptr);
        sqlite::statement one(db, "SELECT answers IS NULL, file FROM done WHERE first = 500");
        REQUIRE(one.step());
        CHECK(one.integer(0) == 1);
        CHECK(one.text(1) == "row_500");
    }
    write_text(answer_file("row_700"), "from a crash before its record");
    write_text(answer_file("row_800.tmp"), "half of it");
    write_text(answer_file("notes"), "somebody else's");

    std::string good(400, 0);
    std::ifstream(answer_file("row_300"), std::ios::binary).read(good.data(), 400);
    const auto refused = [&] { return text_of([&] { (void)run(serial_executor(), 10); }); };
    const std::string damaged = file + ": damaged: the answers from row 300 on are not those that were kept, in ";
    for (const std::string& wrong : {std::string(), good.substr(0, 399), good + "x", std::string(400, 'x')}) {
        write_text(answer_file("row_300"), wrong);
        CHECK(refused() == damaged + answer_file("row_300"));
    }
    std::filesystem::remove(answer_file("row_300"));
    CHECK(refused() == answer_file("row_300") + " cannot be opened: No such file or directory");
    write_text(answer_file("row_300"), good);

    const job rest = run(threads_executor({.workers = 3}), 10);  // small ones now: in the table
    CHECK(rest.events.resumed == 600);
    CHECK(digest(rest.answers) == reference);
    CHECK_FALSE(std::filesystem::exists(answer_file("row_700")));
    CHECK_FALSE(std::filesystem::exists(answer_file("row_800.tmp")));
    CHECK(std::filesystem::exists(answer_file("notes")));
    const job all = run(serial_executor(), 10);
    CHECK(all.events.resumed == 1000);
    CHECK(digest(all.answers) == reference);
}

TEST_CASE("Where a large answer cannot be written the job ends saying so, and a later one completes it") {
    const folder here;
    const std::string file = here / "job.db";
    const auto xs = ramp(1000);
    write_text(file + ".answers", "a file where the folder should be");
    const auto run = [&] {
        sqlite::ledger kept(file, {.file_bytes = 256});
        return infer(serial_executor(), sine, xs, {.partition = contiguous{.rows_per_shard = 100}, .ledger = kept});
    };
    CHECK(text_of([&] { (void)run(); }) == file + ".answers/row_0.tmp cannot be opened: Not a directory");
    std::filesystem::remove(file + ".answers");
    CHECK(digest(run().answers) == digest(infer(serial_executor(), sine, xs).answers));
}

TEST_CASE("A full queue of large answers makes workers wait, and loses none") {
    const folder here;
    const auto xs = ramp(2000);
    sqlite::ledger kept(here / "job.db", {.interval = std::chrono::hours(1), .most_waiting_bytes = 1000});
    const job done = infer(threads_executor({.workers = 3}), sine, xs,
                           {.partition = contiguous{.rows_per_shard = 50}, .ledger = kept});
    CHECK(done.failures.empty());
    CHECK(kept.safe_rows() == 2000);
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
