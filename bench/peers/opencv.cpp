// bench/peers/opencv.cpp - how fast OpenCV DNN runs an ONNX file; one JSON line, with the keys of bench_onnx.
// usage: peers_opencv MODEL --threads W --rows B --seconds S [--output FILE.npy] NAME=FILE.npy ...
// SPDX-License-Identifier: MIT
#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>

#include <sys/resource.h>  // getrusage

#include <algorithm>  // std::sort
#include <chrono>     // std::chrono::steady_clock
#include <cstddef>    // std::size_t
#include <cstdio>     // std::printf
#include <cstring>    // std::memcpy
#include <exception>  // std::exception
#include <fstream>    // std::ifstream
#include <iterator>   // std::istreambuf_iterator
#include <map>        // std::map
#include <stdexcept>  // std::runtime_error
#include <string>     // std::string
#include <vector>     // std::vector

namespace {

double now_ms() {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
long peak_kib() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return used.ru_maxrss;
}

/// float32 only.
cv::Mat read_npy(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    if (bytes.size() < 10 || bytes.find("<f4") == std::string::npos)
        throw std::runtime_error(file + ": expected float32 in a .npy file");
    const std::size_t begin = 10 + static_cast<unsigned char>(bytes[8]) + 256U * static_cast<unsigned char>(bytes[9]);
    const std::size_t open = bytes.find('(');
    std::vector<int> shape;
    std::string digits;
    for (std::size_t at = open + 1; at < begin; ++at) {
        if (bytes[at] >= '0' && bytes[at] <= '9') {
            digits += bytes[at];
            continue;
        }
        if (!digits.empty()) shape.push_back(std::stoi(digits));
        digits.clear();
        if (bytes[at] == ')') break;
    }
    cv::Mat made(shape, CV_32F);
    if (made.total() * sizeof(float) != bytes.size() - begin)
        throw std::runtime_error(file + ": expected as many bytes as its shape says");
    std::memcpy(made.data, bytes.data() + begin, bytes.size() - begin);
    return made;
}

void write_npy(const std::string& file, const cv::Mat& answer) {
    std::string shape;
    for (int axis = 0; axis < answer.dims; ++axis) shape += std::to_string(answer.size[axis]) + ", ";
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + "), }";
    header.resize((header.size() + 11 + 63) / 64 * 64 - 11, ' ');
    header += '\n';
    std::ofstream out(file, std::ios::binary);
    out.write("\x93NUMPY\x01\x00", 8);
    out.put(static_cast<char>(header.size() % 256)).put(static_cast<char>(header.size() / 256));
    const cv::Mat dense = answer.isContinuous() ? answer : answer.clone();
    out << header;
    out.write(reinterpret_cast<const char*>(dense.data), static_cast<std::streamsize>(dense.total() * sizeof(float)));
}

void run(const std::vector<std::string>& words) {
    std::map<std::string, std::string> flags;
    std::map<std::string, cv::Mat> inputs;
    for (std::size_t i = 1; i < words.size(); ++i) {
        if (words[i].rfind("--", 0) == 0 && i + 1 < words.size()) {
            flags[words[i].substr(2)] = words[i + 1];
            ++i;
        } else {
            const std::size_t equals = words[i].rfind('=');
            inputs[words[i].substr(0, equals)] = read_npy(words[i].substr(equals + 1));
        }
    }
    cv::setNumThreads(std::stoi(flags.at("threads")));
    const double start = now_ms();
    cv::dnn::Net net = cv::dnn::readNetFromONNX(words.at(0));
    net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    const double load = now_ms() - start;
    const auto call = [&] {
        for (const auto& [name, tensor] : inputs) net.setInput(tensor, name);
        return net.forward();
    };
    const cv::Mat first = call();
    if (flags.count("output") != 0) write_npy(flags["output"], first);
    const double limit = std::stod(flags.at("seconds")) * 1000;
    for (const double end = now_ms() + limit / 10; now_ms() < end;) (void)call();
    std::vector<double> times;
    const double begun = now_ms();
    for (double last = begun; times.empty() || last - begun < limit;) {
        (void)call();
        const double next = now_ms();
        times.push_back(next - last);
        last = next;
    }
    const double wall = now_ms() - begun, count = static_cast<double>(times.size());
    std::sort(times.begin(), times.end());
    std::printf(
        "{\"rows_per_s\": %.9g, \"ms_min\": %.9g, \"ms_median\": %.9g, \"load_ms\": %.9g, \"peak_rss_kib\": %ld}\n",
        std::stod(flags.at("rows")) * count / wall * 1000, times.front(), times[times.size() / 2], load, peak_kib());
}

}  // namespace

int main(int argc, char** argv) {
    try {
        run({argv + 1, argv + argc});
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "peers_opencv: %s\n", error.what());
        return 1;
    }
}
