#include "runtime/record/agreement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mainstay::record {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<NodeId> voters{NodeId{1}, NodeId{2}, NodeId{3}};
const Hash128 good{1, 1};
const Hash128 bad{2, 2};

TEST(Agreement, NoVerdictBeforeAMajorityReported) {
  Agreement agreement;
  EXPECT_FALSE(agreement.report(5, NodeId{1}, good, voters));
  EXPECT_FALSE(agreement.report(6, NodeId{2}, good, voters));
}

TEST(Agreement, MajorityNamesTheOneThatDiffers) {
  Agreement agreement;
  agreement.report(5, NodeId{1}, bad, voters);
  EXPECT_FALSE(agreement.report(5, NodeId{2}, good, voters));
  const auto verdict = agreement.report(5, NodeId{3}, good, voters);
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->index, 5u);
  EXPECT_THAT(verdict->agreeing, ElementsAre(NodeId{2}, NodeId{3}));
  EXPECT_THAT(verdict->differing, ElementsAre(NodeId{1}));
  EXPECT_FALSE(verdict->no_majority);
}

TEST(Agreement, LateReportThatDiffersGivesAnotherVerdict) {
  Agreement agreement;
  agreement.report(5, NodeId{1}, good, voters);
  const auto early = agreement.report(5, NodeId{2}, good, voters);
  ASSERT_TRUE(early);
  EXPECT_THAT(early->differing, IsEmpty());
  const auto late = agreement.report(5, NodeId{3}, bad, voters);
  ASSERT_TRUE(late);
  EXPECT_THAT(late->differing, ElementsAre(NodeId{3}));
}

TEST(Agreement, RepeatedReportGivesNoOtherVerdict) {
  Agreement agreement;
  agreement.report(5, NodeId{1}, good, voters);
  EXPECT_TRUE(agreement.report(5, NodeId{2}, good, voters));
  EXPECT_FALSE(agreement.report(5, NodeId{2}, good, voters));
}

TEST(Agreement, LearnersAreComparedButDoNotCount) {
  Agreement agreement;
  agreement.report(5, NodeId{8}, bad, voters);
  agreement.report(5, NodeId{9}, bad, voters);
  agreement.report(5, NodeId{1}, good, voters);
  const auto verdict = agreement.report(5, NodeId{2}, good, voters);
  ASSERT_TRUE(verdict);
  EXPECT_THAT(verdict->differing, ElementsAre(NodeId{8}, NodeId{9}));
}

TEST(Agreement, AllDifferentIsNoMajority) {
  Agreement agreement;
  agreement.report(5, NodeId{1}, {1, 0}, voters);
  EXPECT_FALSE(agreement.report(5, NodeId{2}, {2, 0}, voters));
  const auto verdict = agreement.report(5, NodeId{3}, {3, 0}, voters);
  ASSERT_TRUE(verdict);
  EXPECT_TRUE(verdict->no_majority);
  EXPECT_THAT(verdict->differing, IsEmpty());
}

TEST(Agreement, HalfOfFourIsNoMajority) {
  const std::vector<NodeId> four{NodeId{1}, NodeId{2}, NodeId{3}, NodeId{4}};
  Agreement agreement;
  agreement.report(5, NodeId{1}, good, four);
  agreement.report(5, NodeId{2}, good, four);
  agreement.report(5, NodeId{3}, bad, four);
  const auto verdict = agreement.report(5, NodeId{4}, bad, four);
  ASSERT_TRUE(verdict);
  EXPECT_TRUE(verdict->no_majority);
}

TEST(Agreement, AloneAgreesWithItself) {
  Agreement agreement;
  const auto verdict = agreement.report(5, NodeId{1}, good, {NodeId{1}});
  ASSERT_TRUE(verdict);
  EXPECT_THAT(verdict->agreeing, ElementsAre(NodeId{1}));
}

TEST(Agreement, KeepsTheNewestIndexesOnly) {
  Agreement agreement{2};
  agreement.report(1, NodeId{1}, good, voters);
  agreement.report(2, NodeId{1}, good, voters);
  agreement.report(3, NodeId{1}, good, voters);
  // Index 1 is gone: its first report no longer helps, and it does not come back.
  EXPECT_FALSE(agreement.report(1, NodeId{2}, good, voters));
  EXPECT_TRUE(agreement.report(2, NodeId{2}, good, voters));
  EXPECT_TRUE(agreement.report(3, NodeId{2}, good, voters));
}

}  // namespace
}  // namespace mainstay::record
