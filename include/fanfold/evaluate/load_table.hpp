// fanfold/evaluate/load_table.hpp - how latency grows with the offered load: as a table, and as an SVG picture.
//   in    load points, by offered load      out   text
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::max
#include <cmath>      // std::log10
#include <cstddef>    // std::size_t
#include <span>       // std::span
#include <string>     // std::string
#include <vector>     // std::vector

#include "load.hpp"
#include "table.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// One line for each point; latencies in milliseconds.
[[nodiscard]] inline std::string load_table(std::span<const load_point> points) {
    using detail::decimal;
    std::vector<std::vector<std::string>> lines{{"offered/s", "goodput/s", "p50 ms", "p95 ms", "p99 ms", "max ms",
                                                 "late", "timed out", "overloaded", "failed"}};
    const auto ms = [](double us) { return decimal(us / 1000, 2); };
    for (const load_point& p : points)
        lines.push_back({decimal(p.offered_per_s, 0), decimal(p.goodput_per_s, 0), ms(p.latency_us.p50),
                         ms(p.latency_us.p95), ms(p.latency_us.p99), ms(p.latency_us.max), grouped(p.late),
                         grouped(p.timed_out), grouped(p.overloaded), grouped(p.failed)});
    std::vector<std::size_t> widths(lines.front().size());
    for (const auto& cells : lines)
        for (std::size_t c = 0; c < cells.size(); ++c) widths[c] = std::max(widths[c], cells[c].size());
    std::string text;
    for (const auto& cells : lines) {
        for (std::size_t c = 0; c < cells.size(); ++c)
            text += (c == 0 ? "" : "  ") + std::string(widths[c] - cells[c].size(), ' ') + cells[c];
        text += "\n";
    }
    return text;
}

namespace detail {

/// One panel of a picture: x runs from 0, y is linear or by powers of ten.
class svg_panel {
public:
    enum class scale { linear, powers };

    svg_panel(double left, double most_x, double least_y, double most_y, scale y, const std::string& title,
              const std::string& unit)
        : left_(left), most_x_(most_x), least_y_(least_y), most_y_(most_y), y_(y) {
        text_ = "<text x=\"" + decimal(left, 0) + "\" y=\"24\" font-weight=\"bold\">" + title + "</text>\n";
        text_ += "<rect x=\"" + decimal(left, 0) + "\" y=\"40\" width=\"" + decimal(width, 0) + "\" height=\"" +
                 decimal(height, 0) + "\" fill=\"none\" stroke=\"#888\"/>\n";
        for (int tick = 0; tick <= 4; ++tick) {
            const double x = most_x * tick / 4;
            label(x_of(x), 40 + height + 16, "middle", grouped(static_cast<std::size_t>(x)));
        }
        if (y == scale::powers)
            for (double value = least_y; value <= most_y * 1.001; value *= 10) tick_y(value, value < 1 ? 2 : 0);
        else
            for (int tick = 0; tick <= 4; ++tick) tick_y(most_y * tick / 4, 0);
        label(left + width / 2, 40 + height + 34, "middle", "offered requests/s");
        label(left, 36, "start", unit);
    }

    void line(std::span<const double> xs, std::span<const double> ys, const std::string& colour,
              const std::string& name) {
        std::string points;
        for (std::size_t i = 0; i < xs.size(); ++i)
            points += decimal(x_of(xs[i]), 1) + "," + decimal(y_of(ys[i]), 1) + " ";
        text_ += "<polyline fill=\"none\" stroke=\"" + colour + "\" stroke-width=\"2\" points=\"" + points + "\"/>\n";
        text_ += "<text x=\"" + decimal(left_ + 8, 0) + "\" y=\"" + decimal(56 + 16 * names_++, 0) + "\" fill=\"" +
                 colour + "\">" + name + "</text>\n";
    }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
    static constexpr double width = 360;
    static constexpr double height = 280;

    [[nodiscard]] double x_of(double x) const { return left_ + (most_x_ > 0 ? x / most_x_ * width : 0); }
    [[nodiscard]] double y_of(double y) const {
        const double share = y_ == scale::powers
                                 ? std::log10(std::max(y, least_y_) / least_y_) / std::log10(most_y_ / least_y_)
                                 : (most_y_ > 0 ? y / most_y_ : 0);
        return 40 + height * (1 - share);
    }
    void tick_y(double value, int digits) {
        label(left_ - 6, y_of(value) + 4, "end", decimal(value, digits));
        text_ += "<line x1=\"" + decimal(left_, 0) + "\" x2=\"" + decimal(left_ + width, 0) + "\" y1=\"" +
                 decimal(y_of(value), 1) + "\" y2=\"" + decimal(y_of(value), 1) + "\" stroke=\"#ddd\"/>\n";
    }
    void label(double x, double y, const char* anchor, const std::string& text) {
        text_ += "<text x=\"" + decimal(x, 0) + "\" y=\"" + decimal(y, 0) + "\" text-anchor=\"" + anchor + "\">" +
                 text + "</text>\n";
    }

    double left_, most_x_, least_y_, most_y_;
    scale y_;
    int names_ = 0;
    std::string text_;
};

}  // namespace detail

/// Latency (p50, p99) and goodput over the offered load, side by side.
[[nodiscard]] inline std::string load_svg(std::span<const load_point> points) {
    std::vector<double> offered, p50, p99, goodput;
    double most = 0, slowest = 0, fastest = 1e9;
    for (const load_point& p : points) {
        offered.push_back(p.offered_per_s);
        p50.push_back(p.latency_us.p50 / 1000);
        p99.push_back(p.latency_us.p99 / 1000);
        goodput.push_back(p.goodput_per_s);
        most = std::max(most, p.offered_per_s);
        slowest = std::max(slowest, p99.back());
        if (p50.back() > 0) fastest = std::min(fastest, p50.back());
    }
    const auto power = [](double value, auto round) { return std::pow(10.0, round(std::log10(value))); };
    const double least = slowest > 0 ? power(fastest, [](double x) { return std::floor(x); }) : 1;
    const double top = slowest > 0 ? std::max(least * 10, power(slowest, [](double x) { return std::ceil(x); })) : 10;
    using panel = detail::svg_panel;
    panel latencies(70, most, least, top, panel::scale::powers, "Latency", "ms");
    latencies.line(offered, p99, "#c0392b", "p99");
    latencies.line(offered, p50, "#2471a3", "p50");
    panel rates(520, most, 0, most, panel::scale::linear, "Answered in time", "requests/s");
    rates.line(offered, offered, "#aaa", "offered");
    rates.line(offered, goodput, "#1e8449", "goodput");
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"910\" height=\"370\" font-family=\"sans-serif\" "
           "font-size=\"12\">\n<rect width=\"910\" height=\"370\" fill=\"white\"/>\n" +
           latencies.text() + rates.text() + "</svg>\n";
}

}  // namespace fanfold::inline FANFOLD_ABI
