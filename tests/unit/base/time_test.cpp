#include "runtime/base/time.hpp"

#include <gtest/gtest.h>

namespace mainstay {
namespace {

TEST(HlcStamps, FollowTheWallClockWhileItRuns) {
  EXPECT_EQ(next_stamp(HlcStamp{100, 7}, 101), (HlcStamp{101, 0}));
}

TEST(HlcStamps, CountWhenTheWallClockStandsStillOrStepsBack) {
  EXPECT_EQ(next_stamp(HlcStamp{100, 7}, 100), (HlcStamp{100, 8}));
  EXPECT_EQ(next_stamp(HlcStamp{100, 7}, 3), (HlcStamp{100, 8}));
}

TEST(HlcStamps, AlwaysGrow) {
  HlcStamp last{};
  for (std::uint64_t wall : {5u, 5u, 4u, 9u, 1u, 1u, 10u}) {
    const HlcStamp next = next_stamp(last, wall);
    EXPECT_LT(last, next);
    last = next;
  }
  EXPECT_EQ(last, (HlcStamp{10, 0}));
}

TEST(HlcStamps, AreOrderedByTimeThenCounter) {
  EXPECT_LT((HlcStamp{1, 9}), (HlcStamp{2, 0}));
  EXPECT_LT((HlcStamp{2, 0}), (HlcStamp{2, 1}));
}

}  // namespace
}  // namespace mainstay
