// Prints a line for each unit that is linked: its name and the digest of its answers.
// SPDX-License-Identifier: MIT
#include <cinttypes>
#include <cstdio>
#include <exception>

std::uint64_t plain(const char* file);
std::uint64_t native(const char* file);

int main(int, char** files) try {
#ifdef FANFOLD_PLAIN
    std::printf("plain %016" PRIx64 "\n", plain(files[1]));
#endif
#ifdef FANFOLD_NATIVE
    std::printf("native %016" PRIx64 "\n", native(files[1]));
#endif
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
