// Elections beyond the paper: pre-vote, check-quorum, durability, quick failover, lag, quarantine,
// draining.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/consensus/cluster_fixture.hpp"

namespace mainstay::consensus::testing {
namespace {

std::vector<Message> of(const std::vector<Message>& messages, MessageType type) {
  std::vector<Message> result;
  std::copy_if(messages.begin(), messages.end(), std::back_inserter(result),
               [type](const Message& one) { return one.type == type; });
  return result;
}

Message ask(const Solo& solo, MessageType type, std::uint64_t peer, Term term) {
  Message request = solo.from(peer, type, term);
  request.index = 100;
  request.log_term = term - 1;
  return request;
}

// --- pre-vote ---

TEST(ElectionTest, ANodeCutOffDoesNotRaiseItsTerm) {
  Cluster cluster{3};
  cluster.elect(1);
  cluster.isolate(3);
  cluster.run(300);
  EXPECT_EQ(cluster[3].core->term(), 1U);
  EXPECT_EQ(cluster[3].core->role(), CoreRole::pre_candidate);
  cluster.heal();
  cluster.run(10);
  EXPECT_EQ(cluster[1].core->role(), CoreRole::leader);
  EXPECT_EQ(cluster[3].core->leader(), node(1));
}

TEST(ElectionTest, PreVotesChangeNothingAtTheVoter) {
  Solo solo;
  const auto sent = solo.step(ask(solo, MessageType::pre_vote, 2, 5));
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_FALSE(sent[0].reject);
  EXPECT_EQ(sent[0].term, 5U);
  EXPECT_EQ(solo.core().term(), 0U);
  EXPECT_FALSE(solo.status().vote);
  EXPECT_FALSE(solo.step(ask(solo, MessageType::pre_vote, 3, 5))[0].reject) << "not exclusive";
}

TEST(ElectionTest, PreVotesAreRefusedForOneBaseTimeoutAfterHearingALeader) {
  Solo solo;
  solo.step(solo.append(2, 1, 0, 0, {}));
  solo.tick(19);
  EXPECT_TRUE(solo.step(ask(solo, MessageType::pre_vote, 3, 2))[0].reject);
  solo.tick(1);
  EXPECT_FALSE(solo.step(ask(solo, MessageType::pre_vote, 3, 2))[0].reject)
      << "also when the own random timer still runs";
}

// Rule 8 and bug L2: the refusal carries the voter's real term, which the candidate adopts.
TEST(ElectionTest, ARefusedPreVoteTeachesTheHigherTerm) {
  Solo voter;
  voter.step(voter.from(3, MessageType::heartbeat, 9));
  voter.tick(20);
  const auto sent = voter.step(ask(voter, MessageType::pre_vote, 2, 4));
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_TRUE(sent[0].reject);
  EXPECT_EQ(sent[0].term, 9U);
  Solo candidate;
  candidate.take();
  while (candidate.core().role() == CoreRole::follower) candidate.tick();
  Message refusal = candidate.from(2, MessageType::pre_vote_reply, 9);
  refusal.reject = true;
  candidate.step(refusal);
  EXPECT_EQ(candidate.core().term(), 9U);
}

// Bug L2 as a whole: node 1 has the longer log and the lower term, nodes 2 and 3 the reverse.
TEST(ElectionTest, ALongLogOfALowTermStillElects) {
  Cluster cluster{3};
  const auto prepare = [&cluster](std::uint64_t id, const std::vector<Term>& log, Term term) {
    cluster.stop(id);
    for (Term one : log) cluster[id].disk.append(one);
    cluster[id].disk.hard_state = {term, NodeId{}};
    cluster.start(id);
  };
  prepare(1, {1, 1, 1}, 1);
  prepare(2, {1}, 8);
  cluster.stop(3);
  EXPECT_EQ(cluster.await_leader(400), 1U);
}

TEST(ElectionTest, PreVotesForAnotherTermDoNotCount) {
  Solo solo{5};
  solo.take();
  while (solo.core().role() == CoreRole::follower) solo.tick();
  solo.step(solo.from(2, MessageType::pre_vote_reply, 1));
  solo.step(solo.from(3, MessageType::pre_vote_reply, 2));
  EXPECT_EQ(solo.core().role(), CoreRole::pre_candidate);
  EXPECT_EQ(solo.core().term(), 0U);
}

// --- check-quorum ---

TEST(ElectionTest, ALeaderWithoutAMajorityStepsDown) {
  Cluster cluster{5};
  cluster.elect(1);
  cluster.isolate(1);
  cluster.run(41);
  EXPECT_EQ(cluster[1].core->role(), CoreRole::follower);
  EXPECT_EQ(cluster[1].core->leader(), NodeId{});
}

TEST(ElectionTest, ALeaderWithAMajorityStays) {
  Cluster cluster{5};
  cluster.elect(1);
  cluster.isolate(4);
  cluster.isolate(5);
  cluster.run(200);
  EXPECT_EQ(cluster[1].core->role(), CoreRole::leader);
}

// --- durability ---

TEST(ElectionTest, NobodyCampaignsWithUnstoredEntries) {
  Solo solo;
  solo.cluster[1].disk_waits = true;
  solo.step(solo.append(2, 1, 0, 0, {1, 1}));
  solo.tick(200);
  EXPECT_EQ(solo.core().role(), CoreRole::follower);
  EXPECT_EQ(solo.core().leader(), NodeId{}) << "but it knows that its leader is gone";
  ASSERT_TRUE(solo.cluster.store_next(1));
  solo.tick(1);
  EXPECT_EQ(solo.core().role(), CoreRole::pre_candidate);
}

TEST(ElectionTest, ARestartedNodeKeepsItsVote) {
  Solo solo{5};
  EXPECT_FALSE(solo.step(ask(solo, MessageType::vote, 2, 3))[0].reject);
  solo.cluster.restart(1);
  EXPECT_TRUE(solo.step(ask(solo, MessageType::vote, 3, 3))[0].reject);
  EXPECT_EQ(solo.status().vote, node(2));
}

TEST(ElectionTest, AGrantWaitsForItsDiskAndDiesWithIt) {
  Solo solo;
  solo.cluster[1].disk_waits = true;
  EXPECT_TRUE(of(solo.step(ask(solo, MessageType::vote, 2, 3)), MessageType::vote_reply).empty());
  solo.cluster.restart(1);
  EXPECT_EQ(solo.core().term(), 0U);
  EXPECT_FALSE(solo.status().vote);
}

// --- quick failover ---

TEST(ElectionTest, AClosedConnectionStartsAPreVoteWithinAFewTicks) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Cluster cluster{3, seed};
    cluster.elect(1);
    cluster.stop(1);
    cluster[2].core->report_unreachable(node(1));
    cluster[3].core->report_unreachable(node(1));
    const auto leader = cluster.await_leader(30);
    EXPECT_TRUE(leader == 2 || leader == 3) << "seed " << seed;
  }
}

TEST(ElectionTest, AClosedConnectionToALivingLeaderDoesNotUnseatIt) {
  Cluster cluster{3};
  cluster.elect(1);
  cluster[2].core->report_unreachable(node(1));
  cluster.run(60);
  EXPECT_EQ(cluster[1].core->role(), CoreRole::leader);
  EXPECT_EQ(cluster[2].core->leader(), node(1));
  EXPECT_EQ(cluster[1].core->term(), 1U);
}

TEST(ElectionTest, RivalsGiveWayToEachOther) {
  Solo solo;
  solo.step(solo.append(2, 1, 0, 0, {1}));
  solo.core().report_unreachable(node(2));
  while (solo.core().role() == CoreRole::follower) solo.tick();
  ASSERT_EQ(solo.core().role(), CoreRole::pre_candidate);
  Message rival = solo.from(3, MessageType::pre_vote, 2);
  rival.index = 1;
  rival.log_term = 1;
  EXPECT_FALSE(solo.step(rival)[0].reject);
  EXPECT_EQ(solo.core().role(), CoreRole::follower) << "node 3 has the higher id";
}

TEST(ElectionTest, ANodeThatIsBehindLetsOthersGoFirst) {
  std::uint32_t shortest = 1000;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Solo solo;
    solo.step(solo.append(2, 1, 0, 0, {1}, 50));
    solo.step(solo.append(2, 1, 0, 0, {1}, 50));
    std::uint32_t ticks = 0;
    while (solo.core().role() == CoreRole::follower) {
      solo.tick();
      ++ticks;
    }
    shortest = std::min(shortest, ticks);
  }
  EXPECT_GE(shortest, 30U) << "the longest timer of the others";
}

// --- quarantine and draining ---

TEST(ElectionTest, AQuarantinedNodeNeitherVotesNorCampaigns) {
  Solo solo;
  solo.core().set_quarantined(true);
  EXPECT_TRUE(solo.step(ask(solo, MessageType::pre_vote, 2, 3))[0].reject);
  EXPECT_TRUE(solo.step(ask(solo, MessageType::vote, 2, 3))[0].reject);
  solo.tick(300);
  EXPECT_EQ(solo.core().role(), CoreRole::follower);
  solo.step(solo.append(2, 3, 0, 0, {}));
  Message now = solo.from(2, MessageType::timeout_now, 3);
  solo.step(now);
  EXPECT_EQ(solo.core().role(), CoreRole::follower);
  solo.core().set_quarantined(false);
  solo.step(now);
  EXPECT_EQ(solo.core().role(), CoreRole::candidate);
}

TEST(ElectionTest, AQuarantinedLeaderNamesASuccessor) {
  Cluster cluster{3};
  cluster.elect(1);
  cluster[1].core->set_quarantined(true);
  EXPECT_EQ(cluster[1].core->role(), CoreRole::follower);
  cluster.settle();
  const auto leader = cluster.await_leader(3);
  EXPECT_TRUE(leader == 2 || leader == 3);
}

TEST(ElectionTest, ADrainingNodeLeadsOnlyIfNobodyElseDoes) {
  Cluster cluster{3};
  cluster.settle();
  for (std::uint64_t id : {1, 2}) cluster[id].core->set_draining(true);
  EXPECT_EQ(cluster.await_leader(), 3U);
  cluster.stop(3);
  EXPECT_NE(cluster.await_leader(400), 0U) << "two draining nodes are better than no leader";
}

// --- identity ---

TEST(ElectionTest, LearnersAndStrangersNeverCampaign) {
  Membership membership = voters(3);
  membership.members[0].role = MemberRole::learner;
  Solo learner{membership};
  learner.tick(300);
  EXPECT_EQ(learner.core().role(), CoreRole::follower);
  Membership other = voters(3);
  other.members[0].incarnation = Incarnation{999};
  Solo former{other};
  former.tick(300);
  EXPECT_EQ(former.core().role(), CoreRole::follower) << "the voter is its former disk";
}

TEST(ElectionTest, AVoteForTheFormerDiskIsNotAnsweredByTheNewOne) {
  Solo solo;
  Message request = ask(solo, MessageType::vote, 2, 3);
  request.to_incarnation = Incarnation{55};
  EXPECT_TRUE(solo.step(request).empty());
  EXPECT_EQ(solo.core().strangers_dropped(), 1U);
}

TEST(ElectionTest, VotesOfAnotherIncarnationDoNotCount) {
  Solo solo;
  solo.become_candidate();
  Message reply = solo.from(2, MessageType::vote_reply, 1);
  reply.from_incarnation = Incarnation{55};
  solo.step(reply);
  EXPECT_EQ(solo.core().role(), CoreRole::candidate);
  EXPECT_EQ(solo.core().strangers_dropped(), 1U);
}

// A candidate that our membership does not list can only be right if its log is ahead of ours.
TEST(ElectionTest, AStrangersRequestCountsOnlyWithALongerLog) {
  Solo solo{3, [](MemoryLog& disk) {
              disk.append(1);
              disk.hard_state.term = 1;
            }};
  Message request = solo.from(4, MessageType::pre_vote, 2);
  request.index = 1;
  request.log_term = 1;
  EXPECT_TRUE(solo.step(request).empty());
  request.index = 2;
  EXPECT_EQ(solo.step(request).size(), 1U);
}

// --- bug S6, memberships in between ---

TEST(ElectionTest, ALeaderThatDemotedItselfAndLostLeadershipStillEnds) {
  Cluster cluster{2};
  cluster.elect(1);
  cluster.isolate(1);
  Membership next = voters(2);
  next.members[0].role = MemberRole::learner;
  ASSERT_TRUE(cluster[1].core->propose_membership(next));
  cluster.run(60);
  EXPECT_EQ(cluster.await_leader(1), 0U);
  cluster.heal();
  cluster.run(400);
  EXPECT_EQ(cluster[2].core->role(), CoreRole::leader);
  EXPECT_EQ(cluster[2].core->membership(), next);
}

}  // namespace
}  // namespace mainstay::consensus::testing
