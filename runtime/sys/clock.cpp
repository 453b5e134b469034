#include "runtime/sys/clock.hpp"

namespace mainstay::sys {
namespace {

class SystemClock final : public Clock {
 public:
  MonotonicTime monotonic() const override {
    return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now());
  }
  WallTime wall() const override {
    return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
  }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

}  // namespace mainstay::sys
