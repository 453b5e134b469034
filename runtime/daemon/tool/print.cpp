#include "runtime/daemon/tool/print.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <ostream>

#include <fmt/format.h>

namespace mainstay::tool {

namespace {

constexpr Millis redraw_interval{200};
constexpr Millis line_interval{5000};
constexpr std::size_t bar_columns = 30;

// UTF-8 characters, as columns are counted.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace

std::string table_text(const std::vector<Row>& rows) {
  if (rows.empty()) return {};
  std::vector<std::size_t> widths(rows.front().size());
  for (const Row& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  std::string result;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line += row[i] + std::string(widths[i] - width_of(row[i]) + 2, ' ');
    line.erase(line.find_last_not_of(' ') + 1);
    result += line + "\n";
  }
  return result;
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB"};
  double size = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; size >= 1024 && unit + 1 < units.size(); ++unit) size /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", size, units[unit]);
}

std::string time_text(std::int64_t unix_seconds) {
  const std::time_t seconds = unix_seconds;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::string time_text(WallTime time) {
  return time_text(std::int64_t{
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count()});
}

Progress::Progress(std::ostream& out, bool terminal, std::string what, std::uint64_t goal)
    : out_{out}, terminal_{terminal}, what_{std::move(what)}, goal_{goal} {}

std::string Progress::line(std::uint64_t done, std::uint64_t count) const {
  if (goal_ == 0) return fmt::format("{} {}", count, what_);
  const std::uint64_t percent = std::min<std::uint64_t>(100, done * 100 / goal_);
  if (!terminal_) return fmt::format("{} {} ({} %)", count, what_, percent);
  const auto filled = static_cast<std::size_t>(percent * bar_columns / 100);
  return fmt::format("[{}{}] {:3} % {} {}", std::string(filled, '#'),
                     std::string(bar_columns - filled, ' '), percent, count, what_);
}

void Progress::show(std::uint64_t done, std::uint64_t count, MonotonicTime now) {
  if (shown_ == MonotonicTime{} && !terminal_) shown_ = now;  // short runs print no line
  if (shown_ != MonotonicTime{} && now - shown_ < (terminal_ ? redraw_interval : line_interval))
    return;
  shown_ = now;
  out_ << (terminal_ ? "\r" : "") << line(done, count) << (terminal_ ? "\x1b[K" : "\n")
       << std::flush;
  drawn_ = terminal_;
}

void Progress::finish(std::uint64_t count) {
  if (!drawn_) return;
  out_ << "\r" << line(goal_, count) << "\x1b[K\n" << std::flush;
  drawn_ = false;
}

}  // namespace mainstay::tool
