#include "actors/peer_link/clock_offset.hpp"

#include <gtest/gtest.h>

namespace mainstay::peer_link {
namespace {

TEST(ClockOffset, IsNothingBeforeTheFirstReport) {
  EXPECT_EQ(ClockOffset{}.millis(), 0);
}

TEST(ClockOffset, TheReportThatTravelledShortestCounts) {
  ClockOffset offset;
  offset.report(1'400, 1'000);  // 500 ahead, 100 on the way
  offset.report(2'498, 2'000);
  offset.report(3'200, 3'000);
  EXPECT_EQ(offset.millis(), 498);
}

TEST(ClockOffset, APeerBehindHasANegativeOne) {
  ClockOffset offset;
  offset.report(1'000, 61'000);
  EXPECT_EQ(offset.millis(), -60'000);
}

TEST(ClockOffset, AClockThatWasSetBackIsNoticedAfterAFewReports) {
  ClockOffset offset;
  for (std::uint64_t i = 0; i < 6; ++i) offset.report(60'000 + i, i);
  EXPECT_EQ(offset.millis(), 60'000);
  for (std::uint64_t i = 6; i < 11; ++i) offset.report(i, i);
  EXPECT_EQ(offset.millis(), 60'000);
  offset.report(11, 11);
  EXPECT_EQ(offset.millis(), 0);
}

}  // namespace
}  // namespace mainstay::peer_link
