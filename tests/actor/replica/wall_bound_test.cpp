#include "actors/replica/wall_bound.hpp"

#include <gtest/gtest.h>

namespace mainstay::replica {
namespace {

constexpr std::uint64_t hour = 60ULL * 60 * 1000;
constexpr std::uint64_t start = 1000 * hour;

MonotonicTime at(std::uint64_t millis) {
  return MonotonicTime{Millis{static_cast<std::int64_t>(millis)}};
}

TEST(WallBoundTest, ARightClockIsTaken) {
  WallBound bound;
  EXPECT_EQ(bound.bounded(start, start - 5, false, at(0)), start);
  EXPECT_EQ(bound.bounded(start + 10, start - 5, true, at(10)), start + 10);
  EXPECT_FALSE(bound.held_back());
}

TEST(WallBoundTest, AnEmptyGroupTakesAnyClock) {
  WallBound bound;
  EXPECT_EQ(bound.bounded(start, 0, false, at(0)), start);
  EXPECT_EQ(bound.bounded(start, 0, true, at(1)), start);
}

TEST(WallBoundTest, AClockFarAheadGainsNothingByManyEntries) {
  WallBound bound;
  bound.bounded(start + 49 * hour, start, false, at(0));
  std::uint64_t replicated = start;
  for (int i = 0; i < 100; ++i)
    replicated = bound.bounded(start + 49 * hour, replicated, true, at(0));
  EXPECT_EQ(replicated, start + hour);
  EXPECT_TRUE(bound.held_back());
}

TEST(WallBoundTest, AfterAStopOfTheGroupItCatchesUp) {
  WallBound bound;
  const std::uint64_t wall = start + 48 * hour;
  bound.bounded(wall, start, false, at(0));
  bound.bounded(wall, start, true, at(0));
  EXPECT_LT(bound.bounded(wall + hour, start + hour, true, at(hour)), wall + hour);
  EXPECT_EQ(bound.bounded(wall + 2 * hour, start + hour, true, at(2 * hour)), wall + 2 * hour);
}

TEST(WallBoundTest, AnIdleGroupKeepsItsTime) {
  WallBound bound;
  bound.bounded(start, start, false, at(0));
  bound.bounded(start + 200 * hour, start, false, at(200 * hour));
  EXPECT_EQ(bound.bounded(start + 200 * hour, start, true, at(200 * hour)), start + 200 * hour);
}

}  // namespace
}  // namespace mainstay::replica
