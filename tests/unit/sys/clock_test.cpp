#include "runtime/sys/clock.hpp"

#include <gtest/gtest.h>

namespace mainstay::sys {
namespace {

TEST(SystemClock, MonotonicTimeDoesNotGoBack) {
  MonotonicTime last = system_clock().monotonic();
  for (int i = 0; i < 1000; ++i) {
    const MonotonicTime now = system_clock().monotonic();
    ASSERT_LE(last, now);
    last = now;
  }
}

TEST(SystemClock, WallTimeIsOfThisCentury) {
  const std::uint64_t year_2020 = 1'577'836'800'000;
  EXPECT_GT(millis_of(system_clock().wall()), year_2020);
}

}  // namespace
}  // namespace mainstay::sys
