// SPDX-License-Identifier: MIT
#include "npy.hpp"

#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>

#include "catch.hpp"
#include "text.hpp"

namespace {

std::string file_of(const std::string& header, const std::string& data) {
    std::string out("\x93NUMPY\x01\x00", 8);
    out += static_cast<char>(header.size() % 256);
    out += static_cast<char>(header.size() / 256);
    return out + header + data;
}
std::string header_of(const std::string& descr, const std::string& shape) {
    return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
}
std::string refusal(const std::string& bytes) {
    return text_of([&] { (void)npy::parse(bytes); });
}

}  // namespace

TEST_CASE("what numpy.save writes for three floats is written, byte for byte, and read") {
    // numpy.save of numpy.array([[1, 2, 3]], dtype='float32')
    std::string expected("\x93NUMPY\x01\x00\x76\x00", 10);
    expected += "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }";
    expected.resize(127, ' ');
    expected += '\n';
    expected += std::string("\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40", 12);
    const auto row = fanfold::tensor::of<float>({1, 3}, {1, 2, 3});
    CHECK(npy::text(row) == expected);
    const fanfold::tensor read = npy::parse(expected);
    CHECK(read.shape() == fanfold::shape{1, 3});
    CHECK(read.as<float>()(0, 2) == 3);
}

TEST_CASE("tensors of every element type and rank survive a file") {
    const auto folder = std::filesystem::temp_directory_path() / ("fanfold_npy_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    for (const fanfold::element type :
         {fanfold::element::float32, fanfold::element::float64, fanfold::element::float16, fanfold::element::bfloat16,
          fanfold::element::int8, fanfold::element::int16, fanfold::element::int32, fanfold::element::int64,
          fanfold::element::uint8, fanfold::element::uint16, fanfold::element::uint32, fanfold::element::uint64,
          fanfold::element::boolean})
        for (const fanfold::shape& extents : {fanfold::shape{}, fanfold::shape{5}, fanfold::shape{2, 3},
                                              fanfold::shape{2, 0, 3}, fanfold::shape{1, 2, 1, 2, 1, 2, 1, 3}}) {
            INFO(fanfold::name_of(type) << " " << extents.text());
            fanfold::tensor some(type, extents);
            for (std::size_t i = 0; i < some.bytes(); ++i)
                some.data()[i] = static_cast<std::byte>(type == fanfold::element::boolean ? i % 2 : i * 37);
            npy::write(folder / "some.npy", some);
            const fanfold::tensor back = npy::read(folder / "some.npy");
            CHECK(back.type() == type);
            CHECK(back.shape() == extents);
            CHECK((some.bytes() == 0 || std::memcmp(back.data(), some.data(), some.bytes()) == 0));
        }
    std::filesystem::remove_all(folder);
}

TEST_CASE("a strided view is written row by row") {
    const auto whole = fanfold::tensor::of<std::int32_t>({2, 3}, {1, 2, 3, 4, 5, 6});
    const auto column = npy::parse(npy::text(fanfold::tensor_view(whole).slice(1, 1, 1)));
    CHECK(column.shape() == fanfold::shape{2, 1});
    CHECK(column.as<std::int32_t>()(1, 0) == 5);
}

TEST_CASE("other spellings of a header are read") {
    const auto read = npy::parse(file_of("{'shape':(2,1),'fortran_order':False,'descr':\"<u1\"}", "ab"));
    CHECK(read.shape() == fanfold::shape{2, 1});
    CHECK(read.as<std::uint8_t>()(1, 0) == 'b');
}

TEST_CASE("bytes that are no bool become true") {
    const auto read = npy::parse(file_of(header_of("|b1", "(3,)"), std::string("\0\x01\x07", 3)));
    CHECK(read.data()[2] == std::byte{1});
}

TEST_CASE("other files are refused with what was expected") {
    CHECK(refusal("") == "expected an .npy file of version 1.0, got other bytes");
    CHECK(refusal(std::string("\x93NUMPY\x02\x00", 8)) == "expected an .npy file of version 1.0, got other bytes");
    CHECK(refusal(std::string("\x93NUMPY\x01\x00\x40", 9)) == "expected a header, got the end of the file");
    CHECK(refusal(file_of(header_of("<f4", "(2,)"), "1234567")) == "expected float32 [2], got 7 bytes");
    CHECK(refusal(file_of(header_of("<f4", "(2,)"), "123456789")) == "expected float32 [2], got 9 bytes");
    CHECK(refusal(file_of(header_of(">f4", "(1,)"), "1234")).starts_with("expected a little-endian number"));
    CHECK(refusal(file_of(header_of("<c8", "(1,)"), "12345678")).starts_with("expected a little-endian number"));
    CHECK(refusal(file_of(header_of("<f4", "(1, x)"), "1234")).starts_with("expected extents as 'shape'"));
    CHECK(refusal(file_of(header_of("<f4", "(-1,)"), "1234")).starts_with("expected extents as 'shape'"));
    CHECK(refusal(file_of(header_of("<f8", "(1152921504606846976, 2)"), "")).starts_with("expected float64 ["));
    CHECK(refusal(file_of("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", "1234")) ==
          "expected row-major order, got fortran_order");
    CHECK(text_of([] { (void)npy::read("nowhere.npy"); }) == "nowhere.npy: cannot be opened");
}
