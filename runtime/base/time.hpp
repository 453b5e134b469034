// Times. Three clocks, three types: they never mix by accident.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace mainstay {

using Millis = std::chrono::milliseconds;
using Micros = std::chrono::microseconds;

// Monotonic time of one process; means nothing in another one.
using MonotonicTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;
// Wall-clock time in UTC.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

// Hybrid logical clock stamp (Kulkarni et al., "Logical Physical Clocks", 2014): wall milliseconds
// since 1970 and a counter that keeps stamps of one cause-and-effect chain increasing when wall
// clocks stand still or step back.
struct HlcStamp {
  std::uint64_t millis = 0;
  std::uint32_t counter = 0;

  auto operator<=>(const HlcStamp&) const = default;
};

// The next stamp after `last`, given the wall clock: always greater than `last`.
constexpr HlcStamp next_stamp(HlcStamp last, std::uint64_t wall_millis) {
  if (wall_millis > last.millis) return HlcStamp{wall_millis, 0};
  // A clock that was far ahead once lets the counter run for days.
  if (last.counter == UINT32_MAX) return HlcStamp{last.millis + 1, 0};
  return HlcStamp{last.millis, last.counter + 1};
}

}  // namespace mainstay
