// SPDX-License-Identifier: MIT
#include "idx.hpp"

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "catch.hpp"

namespace {

using bytes = std::vector<std::uint8_t>;

/// A folder that goes away with the test.
class scratch {
public:
    scratch() : folder_(std::filesystem::temp_directory_path() / ("fanfold_idx_" + std::to_string(getpid()))) {
        std::filesystem::create_directories(folder_);
    }
    ~scratch() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    scratch(const scratch&) = delete;
    scratch& operator=(const scratch&) = delete;

    [[nodiscard]] std::filesystem::path plain(const std::string& name, const bytes& content) const {
        const std::filesystem::path file = folder_ / name;
        std::ofstream out(file, std::ios::binary);
        out.write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
        return file;
    }
    [[nodiscard]] std::filesystem::path gzipped(const std::string& name, const bytes& content) const {
        const std::filesystem::path file = folder_ / name;
        const gzFile out = gzopen(file.c_str(), "wb");
        REQUIRE(out != nullptr);
        REQUIRE(gzwrite(out, content.data(), static_cast<unsigned>(content.size())) ==
                static_cast<int>(content.size()));
        REQUIRE(gzclose(out) == Z_OK);
        return file;
    }
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

private:
    std::filesystem::path folder_;
};

bytes read_bytes(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Two images of 2 x 3 pixels.
bytes two_images() {
    bytes file{0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3};
    for (int pixel = 0; pixel < 12; ++pixel) file.push_back(static_cast<std::uint8_t>(pixel * 23));
    return file;
}

auto tells(const std::string& what) { return Catch::Contains(what); }

}  // namespace

TEST_CASE("images come as pixels between 0 and 1, with one channel, gzipped or not") {
    const scratch files;
    for (const auto& file : {files.plain("images", two_images()), files.gzipped("images.gz", two_images())}) {
        const fanfold::tensor images = idx::read_images(file);
        CHECK(images.shape() == fanfold::shape{2, 1, 2, 3});
        const auto pixels = images.as<float>();
        CHECK(pixels(0, 0, 0, 0) == 0.0F);
        CHECK(pixels(0, 0, 1, 2) == 115.0F / 255);
        CHECK(pixels(1, 0, 1, 2) == 253.0F / 255);
    }
}

TEST_CASE("labels come as bytes") {
    const scratch files;
    CHECK(idx::read_labels(files.gzipped("labels.gz", {0, 0, 8, 1, 0, 0, 0, 3, 9, 0, 7})) == bytes{9, 0, 7});
}

TEST_CASE("a file without images gives no images") {
    const scratch files;
    const auto file = files.plain("none", {0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 28, 0, 0, 0, 28});
    CHECK(idx::read_images(file).shape() == fanfold::shape{0, 1, 28, 28});
}

TEST_CASE("a missing file and a folder are named with the system's reason") {
    const scratch files;
    CHECK_THROWS_WITH(idx::read_images(files.folder() / "gone.gz"), tells("gone.gz: No such file or directory"));
    CHECK_THROWS_WITH(idx::read_images(files.folder()), tells(files.folder().string() + ": Is a directory"));
}

TEST_CASE("a wrong magic number is told with the expected one") {
    const scratch files;
    const auto labels = files.gzipped("labels.gz", {0, 0, 8, 1, 0, 0, 0, 1, 9});
    CHECK_THROWS_WITH(idx::read_images(labels), tells("labels.gz: expected magic number 0x00000803") &&
                                                    tells("3 extents") && tells("got 0x00000801"));
    const auto text = files.plain("text", {'h', 'e', 'l', 'l', 'o'});
    CHECK_THROWS_WITH(idx::read_labels(text), tells("got 0x68656c6c"));
}

TEST_CASE("a file cut short anywhere is refused") {
    const scratch files;
    const bytes whole = two_images();
    for (std::size_t kept = 0; kept < whole.size(); ++kept) {
        const auto file = files.plain("cut", bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(kept)));
        CHECK_THROWS_WITH(idx::read_images(file), tells("cut: cut short: "));
    }
    const auto file = files.plain("cut", bytes(whole.begin(), whole.end() - 5));
    CHECK_THROWS_WITH(idx::read_images(file), tells("declares 2 x 2 x 3 = 12 bytes, holds 7"));
}

TEST_CASE("a gzip file cut short anywhere, or with any byte changed, is refused or read as it was") {
    const scratch files;
    const bytes whole = read_bytes(files.gzipped("whole.gz", two_images()));
    for (std::size_t kept = 0; kept < whole.size(); ++kept) {
        INFO("kept " << kept << " of " << whole.size());
        const auto file =
            files.plain("cut.gz", bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(kept)));
        CHECK_THROWS_WITH(idx::read_images(file), tells("cut.gz: "));
    }
    const bytes pixels = idx::read(files.plain("plain", two_images()), 3).bytes;
    for (std::size_t at = 0; at < whole.size(); ++at) {
        INFO("changed byte " << at);
        bytes changed = whole;
        changed[at] ^= 0x10;
        const auto file = files.plain("changed.gz", changed);
        std::string refused;
        bytes read;
        try {
            read = idx::read(file, 3).bytes;
        } catch (const std::runtime_error& error) {
            refused = error.what();
        }
        if (refused.empty())
            CHECK(read == pixels);  // a byte of the gzip header that says nothing about the content
        else
            CHECK_THAT(refused, tells("changed.gz: "));
    }
}

TEST_CASE("bytes beyond what the header declares are refused") {
    const scratch files;
    bytes longer = two_images();
    longer.push_back(1);
    CHECK_THROWS_WITH(idx::read_images(files.plain("longer", longer)),
                      tells("longer: declares 2 x 2 x 3 = 12 bytes, holds more"));
}

TEST_CASE("a header that declares a huge size costs no more memory than the file has bytes") {
    const scratch files;
    const auto huge = files.gzipped("huge.gz", {0, 0, 8, 3, 255, 255, 255, 255, 0, 0, 255, 255, 0, 0, 255, 255, 1, 2});
    CHECK_THROWS_WITH(idx::read_images(huge),
                      tells("cut short: declares 4294967295 x 65535 x 65535") && tells("bytes, holds 2"));
    bytes beyond{0, 0, 8, 3};
    beyond.insert(beyond.end(), 12, 255);
    CHECK_THROWS_WITH(idx::read_images(files.plain("beyond", beyond)), tells("more than memory can address"));
}
