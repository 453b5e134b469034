#include "runtime/sys/random.hpp"

#include <set>

#include <gtest/gtest.h>

namespace mainstay::sys {
namespace {

TEST(SystemRandom, DoesNotRepeat) {
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(system_random().next());
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(SystemRandom, KeepsWithinBounds) {
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t value = system_random().between(3, 5);
    EXPECT_GE(value, 3U);
    EXPECT_LE(value, 5U);
  }
}

}  // namespace
}  // namespace mainstay::sys
