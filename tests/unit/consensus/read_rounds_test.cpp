#include "runtime/consensus/read_rounds.hpp"

#include <gtest/gtest.h>

namespace mainstay::consensus {
namespace {

const VoterSets three{{NodeId{1}, NodeId{2}, NodeId{3}}};

ReadRequest request(std::uint64_t context) {
  return {NodeId{1}, Incarnation{101}, context};
}

TEST(ReadRoundsTest, OneRoundServesAllThatWereQueued) {
  ReadRounds rounds{10};
  rounds.queue(request(1));
  rounds.queue(request(2));
  const auto number = rounds.begin(7, NodeId{1});
  EXPECT_TRUE(rounds.take_confirmed(three).empty());
  rounds.confirm(NodeId{2}, number);
  const auto done = rounds.take_confirmed(three);
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].requests.size(), 2U);
  EXPECT_EQ(done[0].index, 7U);
}

TEST(ReadRoundsTest, AnAnswerConfirmsEarlierRoundsAndNoLaterOnes) {
  ReadRounds rounds{10};
  rounds.queue(request(1));
  const auto first = rounds.begin(7, NodeId{1});
  rounds.queue(request(2));
  const auto second = rounds.begin(8, NodeId{1});
  rounds.confirm(NodeId{2}, first);
  EXPECT_EQ(rounds.take_confirmed(three).size(), 1U);
  rounds.queue(request(3));
  rounds.begin(9, NodeId{1});
  rounds.confirm(NodeId{3}, second + 1);
  EXPECT_EQ(rounds.take_confirmed(three).size(), 2U);
}

TEST(ReadRoundsTest, StrangersAndDoubledAnswersConfirmNothing) {
  ReadRounds rounds{10};
  rounds.queue(request(1));
  const auto number = rounds.begin(7, NodeId{1});
  rounds.confirm(NodeId{1}, number);
  rounds.confirm(NodeId{9}, number);
  EXPECT_TRUE(rounds.take_confirmed(three).empty());
}

TEST(ReadRoundsTest, RequestsAreBounded) {
  ReadRounds rounds{2};
  EXPECT_TRUE(rounds.queue(request(1)));
  rounds.begin(1, NodeId{1});
  EXPECT_TRUE(rounds.queue(request(2)));
  EXPECT_FALSE(rounds.queue(request(3)));
  rounds.confirm(NodeId{2}, 1);
  rounds.take_confirmed(three);
  EXPECT_TRUE(rounds.queue(request(4))) << "an answered read makes room";
}

TEST(ReadRoundsTest, RoundsUnderWayAreBounded) {
  ReadRounds rounds{100};
  int begun = 0;
  for (int i = 0; i < 50; ++i) {
    rounds.queue(request(1));
    if (!rounds.may_begin()) break;
    rounds.begin(1, NodeId{1});
    ++begun;
  }
  EXPECT_EQ(begun, 8);
}

TEST(ReadRoundsTest, AllCanBeTakenForRefusal) {
  ReadRounds rounds{10};
  rounds.queue(request(1));
  rounds.begin(1, NodeId{1});
  rounds.queue(request(2));
  EXPECT_EQ(rounds.take_all().size(), 2U);
  EXPECT_FALSE(rounds.has_queued());
  EXPECT_TRUE(rounds.take_all().empty());
}

}  // namespace
}  // namespace mainstay::consensus
