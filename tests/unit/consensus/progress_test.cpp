#include "runtime/consensus/progress.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace mainstay::consensus {
namespace {

TEST(ProgressTest, ProbesOneAtATimeUntilAnswered) {
  Progress progress{5, {}};
  EXPECT_FALSE(progress.paused());
  progress.sent(7, 100);
  EXPECT_TRUE(progress.paused());
  EXPECT_EQ(progress.next(), 5U);
  progress.heartbeat_answered();
  EXPECT_FALSE(progress.paused());
  progress.sent(7, 100);
  EXPECT_TRUE(progress.acknowledge(7));
  EXPECT_EQ(progress.state(), ProgressState::replicate);
  EXPECT_EQ(progress.next(), 8U);
}

TEST(ProgressTest, ReplicatesWithinAWindowOfMessagesAndBytes) {
  Progress by_count{1, {2, 1000}};
  by_count.acknowledge(0);
  by_count.sent(1, 1);
  EXPECT_FALSE(by_count.paused());
  by_count.sent(2, 1);
  EXPECT_TRUE(by_count.paused());
  by_count.acknowledge(1);
  EXPECT_FALSE(by_count.paused());
  Progress by_bytes{1, {100, 1000}};
  by_bytes.acknowledge(0);
  by_bytes.sent(1, 1200);
  EXPECT_TRUE(by_bytes.paused());
  by_bytes.acknowledge(1);
  EXPECT_FALSE(by_bytes.paused());
}

TEST(ProgressTest, AnEmptyAppendTakesNoRoomInTheWindow) {
  Progress progress{1, {1, 1000}};
  progress.acknowledge(0);
  progress.sent(0, 0);
  EXPECT_EQ(progress.in_flight(), 0U);
  EXPECT_FALSE(progress.paused());
}

TEST(ProgressTest, ARefusalGoesBackToProbing) {
  Progress progress{10, {}};
  progress.acknowledge(4);
  progress.sent(8, 10);
  progress.sent(12, 10);
  EXPECT_TRUE(progress.reject(8, 6));
  EXPECT_EQ(progress.state(), ProgressState::probe);
  EXPECT_EQ(progress.next(), 7U);
}

TEST(ProgressTest, StaleRefusalsChangeNothing) {
  Progress replicating{10, {}};
  replicating.acknowledge(4);
  EXPECT_FALSE(replicating.reject(4, 0));
  EXPECT_EQ(replicating.next(), 5U);
  Progress probing{10, {}};
  EXPECT_FALSE(probing.reject(3, 0)) << "not the answer to the probe under way";
  EXPECT_EQ(probing.next(), 10U);
  EXPECT_TRUE(probing.reject(9, 0));
  EXPECT_EQ(probing.next(), 1U);
}

TEST(ProgressTest, ASnapshotOfferPausesUntilItIsInstalledOrRefused) {
  SnapshotMeta snapshot;
  snapshot.index = 20;
  Progress progress{5, {}};
  progress.offer(snapshot);
  EXPECT_TRUE(progress.paused());
  progress.heartbeat_answered();
  EXPECT_TRUE(progress.paused());
  EXPECT_FALSE(progress.reject(4, 0));
  progress.acknowledge(3);
  EXPECT_EQ(progress.state(), ProgressState::snapshot) << "an old answer";
  progress.acknowledge(20);
  EXPECT_EQ(progress.state(), ProgressState::replicate);
  EXPECT_EQ(progress.next(), 21U);
  progress.offer(snapshot);
  progress.snapshot_failed();
  EXPECT_EQ(progress.state(), ProgressState::probe);
  EXPECT_TRUE(progress.paused()) << "not again before the next heartbeat";
}

TEST(ProgressTest, ABrokenConnectionProbesFromWhatIsKnown) {
  Progress progress{1, {}};
  progress.acknowledge(3);
  progress.sent(9, 10);
  progress.unreachable();
  EXPECT_EQ(progress.state(), ProgressState::probe);
  EXPECT_EQ(progress.next(), 4U);
}

TEST(ProgressTest, MatchNeverShrinksAndNextStaysAboveIt) {
  EXPECT_TRUE(rc::check([] {
    Progress progress{*rc::gen::inRange<Index>(1, 20), {4, 100}};
    const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 7));
    for (int step : steps) {
      const Index before = progress.match();
      const auto index = *rc::gen::inRange<Index>(0, 30);
      SnapshotMeta snapshot;
      snapshot.index = progress.match() + 1 + index;
      if (step == 0 && !progress.paused()) progress.sent(progress.next() + index - 1, index);
      if (step == 1) progress.acknowledge(index);
      if (step == 2) progress.reject(index, *rc::gen::inRange<Index>(0, 30));
      if (step == 3) progress.heartbeat_answered();
      if (step == 4) progress.unreachable();
      if (step == 5) progress.offer(snapshot);
      if (step == 6) progress.snapshot_failed();
      RC_ASSERT(progress.match() >= before);
      RC_ASSERT(progress.next() > progress.match());
    }
  }));
}

}  // namespace
}  // namespace mainstay::consensus
