// tests/onnx/file.cpp - files read whole or in part; paths that must stay in a folder.
// SPDX-License-Identifier: MIT
#include <unistd.h>
#include <array>
#include <fanfold/onnx/file.hpp>
#include <filesystem>
#include <fstream>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold::onnx;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

TEST_CASE("a file is read whole or in part, never beyond its end") {
    const fs::path folder = fs::temp_directory_path() / ("fanfold-file-" + std::to_string(getpid()));
    fs::create_directories(folder);
    std::ofstream(folder / "a") << "0123456789";
    const file_bytes all = read_file(folder / "a");
    REQUIRE(all.size == 10);
    CHECK(static_cast<char>(all.data[9]) == '9');

    input_file file(folder / "a");
    std::array<std::byte, 3> some{};
    file.read(7, some);
    CHECK(static_cast<char>(some[0]) == '7');
    CHECK_THROWS_WITH(file.read(8, some), "expected 3 bytes from 8, got a file of 10");
    CHECK_THROWS(file.read(UINT64_MAX, some));
    CHECK_NOTHROW(file.read(10, {}));
    input_file again(folder / "a");
    fs::resize_file(folder / "a", 5);  // shorter since it was opened
    CHECK_THROWS_WITH(again.read(4, some), "it cannot be read: it has become shorter");

    CHECK_THAT(text_of([&] { (void)read_file(folder / "none"); }), Contains("expected a file, got"));
    CHECK_THAT(text_of([&] { (void)read_file(folder); }), Contains("a directory"));
    CHECK_THAT(text_of([&] { (void)read_file("/dev/null"); }), Contains("a regular file, got something else"));
    fs::remove_all(folder);
}

TEST_CASE("external data stays in the folder") {
    CHECK_THROWS_WITH(data_folder{}.file("w"), Contains("a model from memory"));
    const data_folder here{fs::temp_directory_path()};
    CHECK(here.file("w.bin").filename() == "w.bin");
    CHECK_THROWS(here.file(".."));
    CHECK_THROWS(here.file("/etc/passwd"));
    CHECK_THROWS(here.file("a/../../b"));
    CHECK_THROWS_WITH((data_folder{"/no/such/folder"}.file("w")), Contains("the model's folder: "));
}
