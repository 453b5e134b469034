// Membership changes in whole clusters: learners, promotion, removal, replaced disks.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/consensus/cluster_fixture.hpp"

namespace mainstay::consensus::testing {
namespace {

Membership with(Membership membership, const Member& added) {
  membership.members.push_back(added);
  return membership;
}

Membership without(Membership membership, std::uint64_t id) {
  membership.members.erase(std::remove_if(membership.members.begin(), membership.members.end(),
                                          [id](const Member& one) { return one.id == node(id); }),
                           membership.members.end());
  return membership;
}

Member promoted_by_itself(std::uint64_t id) {
  Member learner = member(id, MemberRole::learner);
  learner.auto_promote = true;
  return learner;
}

TEST(MembershipTest, ALearnerThatKeepsUpIsPromotedByItself) {
  Cluster cluster{3};
  cluster.elect(1);
  cluster.add(4, 104);
  cluster.start(4);
  ASSERT_TRUE(cluster[1].core->propose_membership(with(voters(3), promoted_by_itself(4))));
  cluster.run(90);
  EXPECT_FALSE(cluster[1].core->membership().is_voter(node(4))) << "not before 100 ticks";
  cluster.run(30);
  for (std::uint64_t id = 1; id <= 4; ++id) {
    EXPECT_TRUE(cluster[id].core->membership().is_voter(node(4))) << id;
    EXPECT_FALSE(cluster[id].core->membership().find(node(4))->auto_promote);
  }
}

TEST(MembershipTest, ALearnerThatIsBehindOrGoneIsNot) {
  Cluster cluster{3};
  cluster[1].options.promote_lag_entries = 5;
  cluster.restart(1);
  cluster.elect(1);
  ASSERT_TRUE(cluster[1].core->propose_membership(with(voters(3), promoted_by_itself(4))));
  for (int i = 0; i < 20; ++i) cluster.put(1, "x");
  cluster.run(300);
  EXPECT_FALSE(cluster[1].core->membership().is_voter(node(4)));
}

TEST(MembershipTest, APlainLearnerStaysOne) {
  Cluster cluster{3};
  cluster.elect(1);
  cluster.add(4, 104);
  cluster.start(4);
  ASSERT_TRUE(cluster[1].core->propose_membership(with(voters(3), member(4, MemberRole::learner))));
  cluster.run(300);
  EXPECT_FALSE(cluster[1].core->membership().is_voter(node(4)));
  EXPECT_EQ(cluster[4].core->role(), CoreRole::follower);
}

// A new member is probed at once: the entry that names it is the newest there is, and it has
// nothing.
TEST(MembershipTest, ANewMemberIsFedWithoutWaitingForTheNextProposal) {
  Cluster cluster{1};
  cluster.await_leader();
  cluster.put(1, "a");
  cluster.add(2, 102);
  cluster.start(2);
  ASSERT_TRUE(cluster[1].core->propose_membership(with(voters(1), member(2, MemberRole::learner))));
  cluster.run(10);
  EXPECT_EQ(cluster[2].values(), std::vector<std::string>{"a"});
}

TEST(MembershipTest, ANewMemberAcceptsALeaderItDoesNotKnow) {
  Solo solo{Membership{}};
  const auto sent = solo.step(solo.append(7, 3, 0, 0, {1, 3}));
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_FALSE(sent[0].reject);
  EXPECT_EQ(sent[0].to_incarnation, Incarnation{107});
  EXPECT_EQ(solo.core().leader(), node(7));
}

TEST(MembershipTest, ButOnlyWhatIsMeantForItsOwnDisk) {
  Solo solo{Membership{}};
  Message append = solo.append(7, 3, 0, 0, {1, 3});
  append.to_incarnation = Incarnation{999};
  EXPECT_TRUE(solo.step(append).empty());
  append.to_incarnation = Incarnation{101};
  append.to = node(2);
  EXPECT_TRUE(solo.step(append).empty());
  EXPECT_EQ(solo.core().strangers_dropped(), 2U);
}

// A node that lost its disk must not speak for its former life: its silence is what keeps the
// cluster from losing what it had promised.
TEST(MembershipTest, ALostDiskDoesNotSpeakForItsFormerLife) {
  Cluster cluster{3};
  cluster.elect(1);
  cluster.put(1, "a");
  cluster.stop(2);
  cluster[2].disk = MemoryLog{};
  cluster[2].durably_applied = 0;
  cluster[2].applied.clear();
  cluster[2].options.incarnation = Incarnation{999};
  cluster.start(2);
  cluster.isolate(1);
  cluster.cut(3, 1);
  cluster.run(400);
  EXPECT_NE(cluster[3].core->role(), CoreRole::leader) << "node 3 alone is no majority";
  EXPECT_GT(cluster[2].core->strangers_dropped(), 0U);
  cluster.heal();
  EXPECT_NE(cluster.await_leader(), 0U);
  EXPECT_EQ(cluster[2].status().last, 0U);
  // It comes back as another member, first as a learner.
  const auto leader = cluster.await_leader();
  Membership next = cluster[leader].core->membership();
  next.members[1] = promoted_by_itself(2);
  next.members[1].incarnation = Incarnation{999};
  ASSERT_TRUE(cluster[leader].core->propose_membership(next));
  cluster.run(200);
  EXPECT_TRUE(cluster[leader].core->membership().is_voter(node(2)));
  EXPECT_EQ(cluster[2].values(), std::vector<std::string>{"a"});
}

// Somebody who missed the replacement of a member follows it all the same once it leads.
TEST(MembershipTest, AReplacedMemberMayLeadThoseWhoMissedItsReplacement) {
  Solo behind;
  Message append = behind.append(2, 5, 0, 0, {5});
  append.from_incarnation = Incarnation{999};
  const auto sent = behind.step(append);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_FALSE(sent[0].reject);
  EXPECT_EQ(sent[0].to_incarnation, Incarnation{999});
}

TEST(MembershipTest, ARemovedFollowerDisturbsNobody) {
  Cluster cluster{4};
  cluster.elect(1);
  ASSERT_TRUE(cluster[1].core->propose_membership(without(voters(4), 4)));
  cluster.run(500);
  EXPECT_EQ(cluster[1].core->role(), CoreRole::leader);
  EXPECT_EQ(cluster[1].core->term(), 1U);
}

TEST(MembershipTest, ALeaderThatRemovesItselfNamesASuccessor) {
  Cluster cluster{3};
  cluster.elect(1);
  ASSERT_TRUE(cluster[1].core->propose_membership(without(voters(3), 1)));
  cluster.settle();
  EXPECT_EQ(cluster[1].core->role(), CoreRole::follower);
  cluster.run(2);
  EXPECT_TRUE(cluster[2].core->role() == CoreRole::leader ||
              cluster[3].core->role() == CoreRole::leader)
      << "without an election timeout";
}

TEST(MembershipTest, TheGroupShrinksToOneAndGrowsAgain) {
  Cluster cluster{3};
  cluster.elect(1);
  for (std::uint64_t id : {3, 2}) {
    ASSERT_TRUE(cluster[1].core->propose_membership(without(cluster[1].core->membership(), id)));
    cluster.settle();
    cluster.stop(id);
  }
  cluster.put(1, "alone");
  EXPECT_EQ(cluster[1].values(), std::vector<std::string>{"alone"});
  for (std::uint64_t id : {2, 3}) {
    cluster.start(id);
    ASSERT_TRUE(cluster[1].core->propose_membership(
        with(cluster[1].core->membership(), promoted_by_itself(id))));
    cluster.run(150);
  }
  EXPECT_EQ(cluster[1].core->membership(), voters(3));
  EXPECT_EQ(cluster[3].values(), std::vector<std::string>{"alone"});
}

TEST(MembershipTest, InvalidChangesAreRefusedWithAReason) {
  Cluster cluster{3};
  cluster.elect(1);
  for (const Membership& wrong : {voters(3), voters(5), Membership{}}) {
    const auto refused = cluster[1].core->propose_membership(wrong);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid_argument);
  }
  const auto elsewhere = cluster[2].core->propose_membership(voters(4));
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error().code, Errc::not_leader);
}

TEST(MembershipTest, ARestartFindsAChangeThatIsNotCommitted) {
  Solo solo;
  Message append = solo.append(2, 1, 0, 0, {1});
  append.entries[0].kind = EntryKind::membership;
  append.entries[0].membership = std::make_shared<const Membership>(voters(4));
  solo.step(append);
  solo.cluster.restart(1);
  EXPECT_EQ(solo.core().membership(), voters(4));
  EXPECT_FALSE(solo.status().membership_committed);
  solo.step(solo.append(3, 2, 0, 0, {2}));
  EXPECT_EQ(solo.core().membership(), voters(3)) << "and takes it back when it is overwritten";
}

}  // namespace
}  // namespace mainstay::consensus::testing
