// tests/onnx/tensor_proto.cpp - elements from raw_data, from typed fields, from files in the model's folder.
// SPDX-License-Identifier: MIT
#include <unistd.h>
#include <cstdio>
#include <fanfold/onnx/tensor_proto.hpp>
#include <filesystem>
#include <fstream>

#include "../catch.hpp"
#include "model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

fanfold::tensor read(const std::string& message, const fanfold::onnx::data_folder& folder = {}) {
    return fanfold::onnx::to_tensor(fanfold::onnx::parse_tensor(message), folder);
}

/// One element of what was read.
template <class T>
T at(std::size_t index, const std::string& message, const fanfold::onnx::data_folder& folder = {}) {
    const fanfold::tensor values = read(message, folder);
    return values.as<T>().flat()[index];
}

template <class Write>
std::string written_tensor(const ints& dims, int type, Write&& write) {
    std::string out;
    protozero::pbf_writer w(out);
    w.add_packed_int64(1, dims.begin(), dims.end());
    w.add_int32(2, type);
    write(w);
    return out;
}

std::string external(const ints& dims, std::vector<std::pair<std::string, std::string>> entries, int type = 1) {
    return written_tensor(dims, type, [&](auto& w) {
        for (const auto& [key, text] : entries) {
            protozero::pbf_writer entry(w, 13);
            entry.add_string(1, key);
            entry.add_string(2, text);
        }
        w.add_int32(14, 1);
    });
}

/// A folder of its own, gone at the end.
struct folder {
    fs::path path = fs::temp_directory_path() / ("fanfold-tensor-proto-" + std::to_string(getpid()));
    folder() { fs::create_directories(path / "model"); }
    ~folder() { fs::remove_all(path); }
    void write(const fs::path& name, const floats& values) const {
        std::ofstream(path / name, std::ios::binary)
            .write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * 4));
    }
};

}  // namespace

TEST_CASE("elements of every supported type, raw and typed") {
    CHECK(at<float>(0, tensor("", {2}, {1.5F, 2})) == 1.5F);
    CHECK(at<double>(0, tensor("", {1}, std::vector<double>{2.5}, 11)) == 2.5);
    CHECK(at<std::int32_t>(0, tensor("", {1}, std::vector<std::int32_t>{-7}, 6)) == -7);
    CHECK(at<std::int64_t>(0, tensor("", {1}, std::vector<std::int64_t>{-7}, 7)) == -7);
    const auto bools = read(tensor("", {3}, std::vector<std::uint8_t>{0, 1, 77}, 9));
    CHECK(bools.as<bool>().flat()[2]);
    CHECK(std::to_integer<int>(bools.data()[2]) == 1);

    const floats f{1, 2};
    const std::vector<double> dd{3, 4};
    const std::vector<std::int64_t> l{-5, 6};
    const std::vector<std::int32_t> i{-7, 1};
    CHECK(at<float>(1, written_tensor({2}, 1, [&](auto& w) { w.add_packed_float(4, f.begin(), f.end()); })) == 2);
    CHECK(at<float>(1, written_tensor({2}, 1, [&](auto& w) { w.add_float(4, 1), w.add_float(4, 9); })) == 9);
    CHECK(at<double>(1, written_tensor({2}, 11, [&](auto& w) { w.add_packed_double(10, dd.begin(), dd.end()); })) == 4);
    CHECK(at<std::int64_t>(0, written_tensor({2}, 7, [&](auto& w) { w.add_packed_int64(7, l.begin(), l.end()); })) ==
          -5);
    CHECK(at<std::int32_t>(0, written_tensor({2}, 6, [&](auto& w) { w.add_packed_int32(5, i.begin(), i.end()); })) ==
          -7);
    CHECK(at<bool>(0, written_tensor({2}, 9, [&](auto& w) { w.add_packed_int32(5, i.begin(), i.end()); })));
    CHECK(read(tensor("", {}, {4})).shape() == fanfold::shape{});
    CHECK(read(tensor("", {2, 0}, floats{})).shape() == fanfold::shape{2, 0});
    CHECK(read(written_tensor({0}, 1, [](auto&) {})).size() == 0);
}

TEST_CASE("data of another length than the shape says is refused before memory is asked for") {
    CHECK_THROWS_WITH(read(tensor("", {3}, {1, 2})), Contains("expected 12 bytes for float32 [3], got 8 in raw_data"));
    CHECK_THROWS_WITH(read(tensor("", {1 << 20, 1 << 20, 1 << 20}, {1})), Contains("got 4 in raw_data"));
    CHECK_THROWS_WITH(read(tensor("", {INT64_MAX}, {1})), Contains("more bytes than memory can address"));
    CHECK_THROWS_WITH(read(tensor("", {INT64_MAX, INT64_MAX}, {1})), Contains("63 bits"));
    CHECK_THROWS_WITH(read(tensor("", {-1}, {1})), Contains("negative extent"));
    CHECK_THROWS_WITH(read(tensor("", ints(9, 1), {1})), Contains("rank 9"));
    CHECK_THROWS_WITH(read(written_tensor({3}, 1, [](auto& w) { w.add_float(4, 1); })),
                      Contains("expected 3 values for float32 [3], got 1"));
    CHECK_THROWS_WITH(read(written_tensor({1}, 1, [](auto& w) { w.add_float(4, 1), w.add_bytes(9, "abcd"); })),
                      Contains("got raw_data and 1 typed values"));
    CHECK_THROWS_WITH(read(written_tensor({1}, 1, [](auto& w) { w.add_int64(7, 1); })), Contains("got 0"));
    CHECK_THROWS_WITH(read(tensor("", {1}, std::vector<std::uint8_t>{1}, 8)), Contains("string (8)"));
    CHECK_THROWS_WITH(read(tensor("", {1}, std::vector<std::uint8_t>{1}, 12345)), Contains("unknown (12345)"));
    CHECK_THROWS_WITH(read(tensor("", {1}, {1}) + std::string("\x18\x01")), Contains("a segment"));
}

TEST_CASE("external data comes from the model's own folder only") {
    const folder f;
    f.write("model/w.bin", {0, 1, 2, 3});
    f.write("secret.bin", {9, 9});
    const fanfold::onnx::data_folder here{f.path / "model"};
    CHECK(at<float>(3, external({4}, {{"location", "w.bin"}}), here) == 3);
    CHECK(at<float>(0, external({2}, {{"location", "w.bin"}, {"offset", "4"}, {"length", "8"}}), here) == 1);
    CHECK(at<float>(2, external({3}, {{"location", "./w.bin"}, {"offset", "4"}}), here) == 3);

    const auto complain = [&](std::vector<std::pair<std::string, std::string>> entries, const ints& dims = {2}) {
        return text_of([&] { (void)read(external(dims, std::move(entries)), here); });
    };
    CHECK_THAT(complain({{"location", "../secret.bin"}}),
               Contains("external data '../secret.bin': expected a path inside the model's folder"));
    CHECK_THAT(complain({{"location", (f.path / "secret.bin").string()}}), Contains("inside the model's folder"));
    CHECK_THAT(complain({{"location", "sub/../../secret.bin"}}), Contains("inside the model's folder"));
    CHECK_THAT(complain({{"location", ""}}), Contains("inside the model's folder"));
    CHECK_THAT(complain({}), Contains("inside the model's folder"));
    CHECK_THAT(complain({{"location", std::string("w.bin\0x", 7)}}), Contains("inside the model's folder"));
    CHECK_THAT(complain({{"location", "gone.bin"}}), Contains("'gone.bin': expected a file"));
    CHECK_THAT(complain({{"location", "."}}), Contains("a directory"));
    fs::create_symlink(f.path / "secret.bin", f.path / "model" / "link.bin");
    CHECK_THAT(complain({{"location", "link.bin"}}), Contains("a link that leaves it"));
    fs::create_directory_symlink(f.path, f.path / "model" / "up");
    CHECK_THAT(complain({{"location", "up/secret.bin"}}), Contains("a link that leaves it"));
    fs::create_symlink("w.bin", f.path / "model" / "same.bin");
    CHECK(complain({{"location", "same.bin"}}, {4}).empty());

    CHECK_THAT(complain({{"location", "w.bin"}}), Contains("expected 8 bytes for float32 [2], got 16 in its file"));
    CHECK_THAT(complain({{"location", "w.bin"}, {"length", "8"}, {"offset", "12"}}),
               Contains("expected 8 bytes from 12, got a file of 16"));
    CHECK_THAT(complain({{"location", "w.bin"}, {"offset", "17"}}), Contains("expected an offset up to 16, got 17"));
    CHECK_THAT(complain({{"location", "w.bin"}, {"offset", "-4"}}), Contains("a number as offset, got '-4'"));
    CHECK_THAT(complain({{"location", "w.bin"}, {"length", "99999999999999999999"}}), Contains("as length"));
    CHECK_THAT(complain({{"location", "w.bin"}, {"length", "1099511627776"}}, {std::int64_t{1} << 38}),
               Contains("got a file of 16"));
    CHECK_THROWS_WITH(read(external({4}, {{"location", "w.bin"}})), Contains("a model from memory has no folder"));
}

TEST_CASE("strings of a tensor are held as their positions") {
    std::vector<std::string> names;
    const std::string stored = written::strings("s", {"b", "", "b"});
    const fanfold::tensor positions = fanfold::onnx::to_positions(fanfold::onnx::parse_tensor(stored), names);
    CHECK(names == std::vector<std::string>{"b", "", "b"});
    CHECK(positions.shape() == fanfold::shape{3});
    CHECK(positions.as<std::int64_t>().flat()[2] == 2);
    std::string more = stored;
    protozero::pbf_writer(more).add_bytes(6, "one too many");
    names.clear();
    CHECK_THROWS_WITH(fanfold::onnx::to_positions(fanfold::onnx::parse_tensor(more), names),
                      "expected 3 strings, got 4");
}
