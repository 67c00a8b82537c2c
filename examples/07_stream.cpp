// examples/07_stream.cpp - a file of any length through a channel: read by one thread, computed by all, in order.
// SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>
#include <fanfold/infer/stream.hpp>

#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace {

/// A line of numbers.
std::vector<float> numbers_of(const std::string& line) {
    std::vector<float> numbers;
    std::size_t at = 0;
    for (std::size_t used = 0; at < line.size(); at += used) {
        numbers.push_back(std::stof(line.substr(at), &used));
        while (at + used < line.size() && line[at + used] == ' ') ++used;
    }
    return numbers;
}

}  // namespace

int main() try {
    const std::string in_name = "07_stream_in.txt", out_name = "07_stream_out.txt";
    {
        std::ofstream file(in_name);
        for (int row = 0; row < 10'000; ++row)
            file << row << ' ' << 2 * row << ' ' << (row == 4711 ? "x" : "3") << '\n';
    }

    // length of each vector; any callable or graph
    const auto norm = [](const fanfold::matrix_map<const float>& rows) {
        return Eigen::VectorXf(rows.rowwise().norm());
    };

    fanfold::channel<std::vector<float>> lines(256);  // who reads waits when this is full
    std::jthread reader([&] {
        std::ifstream file(in_name);
        for (std::string line; std::getline(file, line);) {
            try {
                (void)lines.push(numbers_of(line));
            } catch (const std::exception&) {
                std::printf("skipped '%s'\n", line.c_str());
            }
        }
        lines.close();
    });

    std::ofstream out(out_name);
    const auto write = [&](const fanfold::streamed_row& row) { out << row.row << ' ' << row.as<float>()() << '\n'; };
    const fanfold::stream_outcome ended =
        fanfold::stream(fanfold::tbb_executor(), norm, lines, write, {.max_rows = 64, .max_in_flight = 512});

    std::printf("%zu rows in, %zu answered, in %zu batches\n", ended.rows, ended.answered, ended.batches);
    return ended.answered == 9'999 ? 0 : 1;
} catch (const std::exception& error) {
    std::fprintf(stderr, "07_stream: %s\n", error.what());
    return 1;
}
