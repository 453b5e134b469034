// Handing leadership over: on request, while draining, and when the disk stalls.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/consensus/cluster_fixture.hpp"

namespace mainstay::consensus::testing {
namespace {

Bytes value() {
  return Bytes{std::string{"x"}};
}

TEST(TransferTest, TheTargetLeadsAtOnceWithAHigherTerm) {
  Cluster cluster{3};
  cluster.elect(1);
  ASSERT_TRUE(cluster[1].core->transfer(node(2)));
  cluster.settle();
  EXPECT_EQ(cluster[2].core->role(), CoreRole::leader);
  EXPECT_EQ(cluster[2].core->term(), 2U);
  EXPECT_EQ(cluster.count(MessageType::timeout_now), 1U);
}

TEST(TransferTest, ATargetThatIsBehindIsBroughtUpFirst) {
  Cluster cluster{3};
  cluster.elect(1);
  cluster.cut(1, 2);
  for (int i = 0; i < 10; ++i) cluster.put(1, "x");
  cluster.heal();
  cluster.forget();
  ASSERT_TRUE(cluster[1].core->transfer(node(2)));
  EXPECT_TRUE(cluster.messages(MessageType::timeout_now).empty());
  cluster.run(6);
  EXPECT_EQ(cluster[2].core->role(), CoreRole::leader);
  EXPECT_EQ(cluster[2].values().size(), 10U);
}

TEST(TransferTest, ProposalsWaitMeanwhile) {
  Cluster cluster{3};
  cluster.elect(1);
  cluster.isolate(2);
  ASSERT_TRUE(cluster[1].core->transfer(node(2)));
  EXPECT_TRUE(cluster[1].status().transferring);
  const auto refused = cluster[1].core->propose(value());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::busy);
  const auto second = cluster[1].core->transfer(node(3));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::conflict);
  cluster.run(19);
  EXPECT_FALSE(cluster[1].core->propose(value()));
  cluster.run(1);
  EXPECT_EQ(cluster[1].core->role(), CoreRole::leader) << "gave up after one election timeout";
  EXPECT_TRUE(cluster[1].core->propose(value()));
}

TEST(TransferTest, WithoutATargetTheMostCaughtUpVoterIsTaken) {
  Cluster cluster{5};
  cluster.elect(1);
  for (std::uint64_t behind : {2, 3, 5}) cluster.isolate(behind);
  cluster.heal();
  cluster.cut(1, 2);
  cluster.cut(1, 3);
  cluster.put(1, "x");
  ASSERT_TRUE(cluster[1].core->transfer(NodeId{}));
  EXPECT_EQ(cluster[1].status().transfer_target, node(4));
}

TEST(TransferTest, OnlyVotersCanBeTargets) {
  Membership membership = voters(3);
  membership.members.push_back(member(4, MemberRole::learner));
  Solo solo{membership};
  solo.become_leader();
  for (std::uint64_t wrong : {1, 4, 9}) {
    const auto refused = solo.core().transfer(node(wrong));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid_argument);
  }
}

TEST(TransferTest, ALostTimeoutNowIsSentAgainAtTheNextAnswer) {
  Cluster cluster{3};
  cluster.elect(1);
  bool lost = false;
  cluster.lose = [&lost](const Message& one) {
    return one.type == MessageType::timeout_now && !std::exchange(lost, true);
  };
  ASSERT_TRUE(cluster[1].core->transfer(node(2)));
  cluster.run(6);
  EXPECT_TRUE(lost);
  EXPECT_EQ(cluster[2].core->role(), CoreRole::leader);
}

// Bug S3: a deposed leader votes once a term as everybody, also for its own target.
TEST(TransferTest, TheTargetGetsNoSecondVote) {
  Solo solo{5};
  Message first = solo.from(2, MessageType::vote, 4);
  EXPECT_FALSE(solo.step(first)[0].reject);
  Message target = solo.from(3, MessageType::vote, 4);
  target.forced = true;
  target.index = 50;
  target.log_term = 3;
  EXPECT_TRUE(solo.step(target)[0].reject);
}

TEST(TransferTest, ATransferTargetIsHeardThoughALeaderIsAlive) {
  Solo solo;
  solo.step(solo.append(2, 1, 0, 0, {}));
  Message request = solo.from(3, MessageType::vote, 2);
  request.forced = true;
  const auto sent = solo.step(request);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_FALSE(sent[0].reject);
}

TEST(TransferTest, TimeoutNowWaitsForTheTargetsDisk) {
  Solo solo;
  solo.cluster[1].disk_waits = true;
  solo.step(solo.append(2, 1, 0, 0, {1}));
  solo.step(solo.from(2, MessageType::timeout_now, 1));
  EXPECT_EQ(solo.core().role(), CoreRole::follower);
  ASSERT_TRUE(solo.cluster.store_next(1));
  solo.step(solo.from(2, MessageType::timeout_now, 1));
  EXPECT_EQ(solo.core().role(), CoreRole::candidate);
}

TEST(TransferTest, ADrainingLeaderHandsOver) {
  Cluster cluster{3};
  cluster.elect(1);
  cluster.run(40);
  cluster[1].core->set_draining(true);
  cluster.run(3);
  EXPECT_NE(cluster[1].core->role(), CoreRole::leader);
  EXPECT_NE(cluster.await_leader(3), 0U);
}

TEST(TransferTest, ADrainingLeaderThatNobodyCanReplaceServesBetweenItsAttempts) {
  Cluster cluster{3};
  cluster.elect(1);
  cluster.run(40);
  cluster.lose = [](const Message& one) { return one.type == MessageType::timeout_now; };
  cluster[1].core->set_draining(true);
  int accepted = 0;
  for (int i = 0; i < 200; ++i) {
    cluster.run(1);
    accepted += cluster[1].core->propose(value()) ? 1 : 0;
  }
  EXPECT_EQ(cluster[1].core->role(), CoreRole::leader);
  EXPECT_GT(accepted, 80);
}

TEST(TransferTest, ALeaderWhoseDiskStallsHandsOver) {
  Cluster cluster{3};
  cluster.elect(1);
  cluster[1].disk_waits = true;
  cluster.put(1, "x");
  EXPECT_EQ(cluster[1].status().commit, 2U) << "the others are a majority";
  cluster.run(39);
  EXPECT_EQ(cluster[1].core->role(), CoreRole::leader);
  cluster.run(3);
  EXPECT_NE(cluster[1].core->role(), CoreRole::leader);
  const auto leader = cluster.await_leader(5);
  EXPECT_TRUE(leader == 2 || leader == 3);
}

TEST(TransferTest, OrStepsDownWhenNobodyTakesIt) {
  Cluster cluster{3};
  cluster.elect(1);
  cluster[1].disk_waits = true;
  cluster.put(1, "x");
  cluster.lose = [](const Message& one) { return one.type == MessageType::timeout_now; };
  cluster.run(70);
  EXPECT_NE(cluster[1].core->role(), CoreRole::leader);
}

TEST(TransferTest, ALeaderAloneKeepsLeadingOverASlowDisk) {
  Cluster cluster{1};
  cluster.await_leader();
  cluster[1].disk_waits = true;
  cluster.put(1, "x");
  cluster.run(300);
  EXPECT_EQ(cluster[1].core->role(), CoreRole::leader);
}

}  // namespace
}  // namespace mainstay::consensus::testing
