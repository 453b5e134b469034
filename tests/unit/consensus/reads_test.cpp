// ReadIndex: rounds, forwarding, refusals.
#include <gtest/gtest.h>

#include "tests/unit/consensus/cluster_fixture.hpp"

namespace mainstay::consensus::testing {
namespace {

TEST(ReadsTest, ManyReadsShareOneRound) {
  Cluster cluster{3};
  cluster.elect(1);
  cluster.forget();
  for (std::uint64_t context = 1; context <= 100; ++context) cluster[1].core->read_index(context);
  cluster.settle();
  EXPECT_EQ(cluster[1].reads.size(), 100U);
  EXPECT_EQ(cluster.count(MessageType::heartbeat), 2U);
}

TEST(ReadsTest, AReadTakesNoDiskWrite) {
  Cluster cluster{3};
  cluster.elect(1);
  for (std::uint64_t id = 1; id <= 3; ++id) cluster[id].disk_waits = true;
  for (std::uint64_t id = 1; id <= 3; ++id) cluster[id].core->read_index(id);
  cluster.settle();
  for (std::uint64_t id = 1; id <= 3; ++id) {
    EXPECT_EQ(cluster[id].reads.size(), 1U);
    EXPECT_TRUE(cluster[id].unstored.empty());
  }
}

TEST(ReadsTest, ASingleVoterAnswersAtOnce) {
  Cluster cluster{1};
  cluster.await_leader();
  cluster[1].core->read_index(5);
  cluster.pump(1);
  ASSERT_EQ(cluster[1].reads.size(), 1U);
  EXPECT_EQ(cluster[1].reads[0].index, 1U);
}

// The mistake of counting answers to an earlier round: it was confirmed before this read was asked.
TEST(ReadsTest, AnswersToEarlierRoundsDoNotConfirmLaterReads) {
  Solo solo;
  solo.become_leader();
  solo.take();
  solo.step(solo.ack(2, 1));
  solo.core().read_index(1);
  solo.take();
  solo.core().read_index(2);
  solo.take();
  Message answer = solo.from(2, MessageType::heartbeat_reply, 1);
  answer.context = 1;
  solo.step(answer);
  ASSERT_EQ(solo.cluster[1].reads.size(), 1U);
  EXPECT_EQ(solo.cluster[1].reads[0].context, 1U);
  answer.context = 2;
  solo.step(answer);
  EXPECT_EQ(solo.cluster[1].reads.size(), 2U);
}

TEST(ReadsTest, AppendAnswersConfirmRoundsToo) {
  Solo solo;
  solo.become_leader();
  solo.take();
  solo.step(solo.ack(2, 1));
  solo.core().read_index(1);
  solo.take();
  Message answer = solo.ack(2, 1);
  answer.context = 1;
  solo.step(answer);
  EXPECT_EQ(solo.cluster[1].reads.size(), 1U);
}

TEST(ReadsTest, ALearnersAnswerConfirmsNothing) {
  Membership membership = voters(3);
  membership.members.push_back(member(4, MemberRole::learner));
  Solo solo{membership};
  solo.become_leader();
  solo.take();
  solo.step(solo.ack(2, 1));
  solo.core().read_index(1);
  solo.take();
  Message answer = solo.from(4, MessageType::heartbeat_reply, 1);
  answer.context = 1;
  solo.step(answer);
  EXPECT_TRUE(solo.cluster[1].reads.empty());
}

TEST(ReadsTest, WithoutALeaderReadsAreRefused) {
  Solo solo;
  solo.core().read_index(7);
  solo.take();
  ASSERT_EQ(solo.cluster[1].reads.size(), 1U);
  EXPECT_EQ(solo.cluster[1].reads[0].index, 0U);
}

TEST(ReadsTest, AChangeOfLeaderRefusesForwardedReads) {
  Solo solo;
  solo.step(solo.append(2, 1, 0, 0, {}));
  solo.core().read_index(7);
  const auto sent = solo.take();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].type, MessageType::read_index);
  solo.step(solo.append(3, 2, 0, 0, {}));
  ASSERT_EQ(solo.cluster[1].reads.size(), 1U);
  EXPECT_EQ(solo.cluster[1].reads[0].index, 0U);
  Message late = solo.from(2, MessageType::read_index_reply, 2);
  late.context = 7;
  late.index = 1;
  solo.step(late);
  EXPECT_EQ(solo.cluster[1].reads.size(), 1U) << "answered once";
}

TEST(ReadsTest, ALeaderThatStepsDownRefusesItsOwnAndOthersReads) {
  Solo solo;
  solo.become_leader();
  solo.take();
  solo.step(solo.ack(2, 1));
  solo.core().read_index(1);
  Message asked = solo.from(3, MessageType::read_index, 1);
  asked.context = 9;
  solo.step(asked);
  const auto sent = solo.step(solo.from(2, MessageType::heartbeat, 2));
  ASSERT_EQ(solo.cluster[1].reads.size(), 1U);
  EXPECT_EQ(solo.cluster[1].reads[0].index, 0U);
  bool refused = false;
  for (const Message& one : sent)
    if (one.type == MessageType::read_index_reply) refused = one.reject && one.context == 9;
  EXPECT_TRUE(refused);
}

TEST(ReadsTest, AFollowerThatIsAskedRefuses) {
  Solo solo;
  solo.step(solo.append(2, 1, 0, 0, {}));
  Message asked = solo.from(3, MessageType::read_index, 1);
  asked.context = 9;
  const auto sent = solo.step(asked);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_TRUE(sent[0].reject);
}

TEST(ReadsTest, PendingReadsAreBounded) {
  Solo solo;
  solo.cluster[1].options.pending_reads_max = 3;
  solo.cluster.restart(1);
  solo.step(solo.append(2, 1, 0, 0, {}));
  for (std::uint64_t context = 1; context <= 5; ++context) solo.core().read_index(context);
  solo.take();
  EXPECT_EQ(solo.cluster[1].reads.size(), 2U) << "refused at once";
  solo.become_leader();
  EXPECT_EQ(solo.cluster[1].reads.size(), 5U);
  for (std::uint64_t context = 6; context <= 10; ++context) solo.core().read_index(context);
  solo.take();
  EXPECT_EQ(solo.cluster[1].reads.size(), 7U);
}

TEST(ReadsTest, ALostRoundIsConfirmedByTheNextHeartbeat) {
  Cluster cluster{3};
  cluster.elect(1);
  cluster.lose = [](const Message& one) { return one.type == MessageType::heartbeat; };
  cluster[1].core->read_index(4);
  cluster.settle();
  EXPECT_TRUE(cluster[1].reads.empty());
  cluster.lose = nullptr;
  cluster.run(6);
  EXPECT_EQ(cluster[1].reads.size(), 1U);
}

}  // namespace
}  // namespace mainstay::consensus::testing
