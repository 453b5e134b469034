#include "runtime/metrics/ledger.hpp"

#include <gtest/gtest.h>

namespace mainstay::metrics {
namespace {

MonotonicTime at(int millis) {
  return MonotonicTime{Millis{millis}};
}

TEST(LedgerTest, SharesOnlyServedRequestsWithinASecond) {
  Ledger ledger;
  EXPECT_EQ(ledger.share_in_time(), 1.0);
  ledger.answered(Millis{1000}, true);
  ledger.answered(Millis{1001}, true);
  ledger.answered(Millis{5}, false);
  ledger.answered(Millis{5}, true);
  EXPECT_EQ(ledger.share_in_time(), 0.5);
}

TEST(LedgerTest, AGapNeedsSomebodyWaiting) {
  Ledger ledger;
  ledger.acknowledged(at(100), at(90));
  EXPECT_EQ(ledger.longest_gap(), Millis{10});
  // Nobody asked for ten seconds: no gap.
  ledger.acknowledged(at(10'105), at(10'100));
  EXPECT_EQ(ledger.longest_gap(), Millis{10});
  // One waited since 10'110, and was answered at 10'400.
  ledger.acknowledged(at(10'400), at(10'110));
  EXPECT_EQ(ledger.longest_gap(), Millis{290});
  // It waited long, but others were acknowledged meanwhile.
  ledger.acknowledged(at(10'420), at(10'110));
  EXPECT_EQ(ledger.last_gap(), Millis{20});
  EXPECT_EQ(ledger.longest_gap(), Millis{290});
}

}  // namespace
}  // namespace mainstay::metrics
