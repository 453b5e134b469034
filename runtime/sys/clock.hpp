// The clocks of the world, as an interface.
#pragma once

#include "runtime/base/time.hpp"

namespace mainstay::sys {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonotonicTime monotonic() const = 0;
  virtual WallTime wall() const = 0;
};

// The operating system's clocks. Lives for the whole process.
Clock& system_clock();

inline std::uint64_t millis_of(WallTime time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<Millis>(time.time_since_epoch()).count());
}

}  // namespace mainstay::sys
