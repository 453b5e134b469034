// How the tool shows things: tables of text, sizes, times, progress. Pure, but for Progress.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/time.hpp"

namespace mainstay::tool {

using Row = std::vector<std::string>;
// Columns as wide as their widest cell, two spaces between, one line a row. All rows have as many
// cells as the first.
std::string table_text(const std::vector<Row>& rows);

std::string size_text(std::uint64_t bytes);        // "1.5 GiB"
std::string time_text(std::int64_t unix_seconds);  // "2026-11-22T22:47:05Z"
std::string time_text(WallTime time);

// How far a long command has come: a bar that redraws itself on a terminal, else a line now and
// then.
class Progress {
 public:
  // `goal` 0: not known.
  Progress(std::ostream& out, bool terminal, std::string what, std::uint64_t goal);
  // `done` of `goal`; `count` things (records) so far.
  void show(std::uint64_t done, std::uint64_t count, MonotonicTime now);
  // Ends the bar's line.
  void finish(std::uint64_t count);

 private:
  std::string line(std::uint64_t done, std::uint64_t count) const;

  std::ostream& out_;
  const bool terminal_;
  const std::string what_;
  const std::uint64_t goal_;
  MonotonicTime shown_{};
  bool drawn_ = false;
};

}  // namespace mainstay::tool
