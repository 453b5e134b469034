// The Raft paper, sections 5.1 and 5.2: terms and leader election.
#include <set>

#include <gtest/gtest.h>

#include "tests/unit/consensus/cluster_fixture.hpp"

namespace mainstay::consensus::testing {
namespace {

// "Current terms are exchanged whenever servers communicate; if one server's current term is
// smaller than the other's, then it updates its current term to the larger value."
TEST(Section51, TheSmallerTermIsRaised) {
  Solo solo;
  solo.step(solo.from(2, MessageType::heartbeat, 7));
  EXPECT_EQ(solo.core().term(), 7U);
  const auto sent = solo.step(solo.from(3, MessageType::heartbeat, 5));
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].term, 7U) << "the other one learns ours";
}

// "If a candidate or leader discovers that its term is out of date, it immediately reverts to
// follower state."
TEST(Section51, AnOutdatedLeaderFallsBack) {
  Cluster cluster{3};
  cluster.elect(1);
  cluster.isolate(1);
  cluster.elect(2);
  EXPECT_EQ(cluster[1].core->role(), CoreRole::leader);
  cluster.heal();
  cluster.run(6);
  EXPECT_EQ(cluster[1].core->role(), CoreRole::follower);
  EXPECT_EQ(cluster[1].core->leader(), node(2));
}

TEST(Section51, AnOutdatedCandidateFallsBack) {
  Solo solo;
  solo.become_candidate();
  Message refusal = solo.from(2, MessageType::vote_reply, 9);
  refusal.reject = true;
  solo.step(refusal);
  EXPECT_EQ(solo.core().role(), CoreRole::follower);
  EXPECT_EQ(solo.core().term(), 9U);
}

// "If a server receives a request with a stale term number, it rejects the request."
TEST(Section51, StaleRequestsAreRejectedWithTheRealTerm) {
  for (MessageType type : {MessageType::vote, MessageType::pre_vote, MessageType::append,
                           MessageType::heartbeat, MessageType::read_index}) {
    Solo solo;
    solo.step(solo.from(3, MessageType::heartbeat, 9));
    const auto sent = solo.step(solo.from(2, type, 8));
    ASSERT_EQ(sent.size(), 1U) << static_cast<int>(type);
    EXPECT_TRUE(sent[0].reject);
    EXPECT_EQ(sent[0].term, 9U);
  }
}

// "When servers start up, they begin as followers."
TEST(Section52, ServersBeginAsFollowers) {
  Cluster cluster{3};
  for (std::uint64_t id = 1; id <= 3; ++id) EXPECT_EQ(cluster[id].core->role(), CoreRole::follower);
}

// "A server remains in follower state as long as it receives valid RPCs from a leader or
// candidate." "Leaders send periodic heartbeats (AppendEntries RPCs that carry no log entries) to
// all followers in order to maintain their authority."
TEST(Section52, HeartbeatsKeepFollowersFollowing) {
  Cluster cluster{3};
  cluster.elect(2);
  cluster.forget();
  cluster.run(500);
  EXPECT_EQ(cluster[2].core->role(), CoreRole::leader);
  EXPECT_EQ(cluster[2].core->term(), 1U);
  EXPECT_EQ(cluster.count(MessageType::heartbeat), 200U);
  EXPECT_EQ(cluster.count(MessageType::pre_vote), 0U);
}

// "If a follower receives no communication over a period of time called the election timeout, then
// it assumes there is no viable leader and begins an election to choose a new leader."
TEST(Section52, SilenceStartsAnElection) {
  Cluster cluster{3};
  cluster.elect(1);
  cluster.stop(1);
  cluster.run(31);
  const auto leader = cluster.await_leader(60);
  EXPECT_TRUE(leader == 2 || leader == 3);
}

// "To begin an election, a follower increments its current term and transitions to candidate
// state." (After the pre-vote of the thesis, section 9.6, which must not change the term.)
TEST(Section52, TheTermGrowsWithTheCandidacyAndNotWithThePreVote) {
  Solo solo;
  solo.take();
  for (int i = 0; i < 100 && solo.core().role() == CoreRole::follower; ++i) solo.tick();
  EXPECT_EQ(solo.core().role(), CoreRole::pre_candidate);
  EXPECT_EQ(solo.core().term(), 0U);
  solo.step(solo.from(2, MessageType::pre_vote_reply, 1));
  EXPECT_EQ(solo.core().role(), CoreRole::candidate);
  EXPECT_EQ(solo.core().term(), 1U);
}

// "It then votes for itself and issues RequestVote RPCs in parallel to each of the other servers in
// the cluster."
TEST(Section52, ItsOwnVoteIsDurableBeforeItAsksAndCounts) {
  Solo solo;
  solo.cluster[1].disk_waits = true;
  solo.take();
  for (int i = 0; i < 100 && solo.core().role() == CoreRole::follower; ++i) solo.tick();
  solo.step(solo.from(2, MessageType::pre_vote_reply, 1));
  EXPECT_EQ(solo.core().role(), CoreRole::candidate);
  solo.step(solo.from(2, MessageType::vote_reply, 1));
  EXPECT_EQ(solo.core().role(), CoreRole::candidate)
      << "one vote that counts: the own is not stored";
  ASSERT_TRUE(solo.cluster.store_next(1));
  EXPECT_EQ(solo.cluster[1].disk.hard_state, (HardState{1, node(1)}));
  EXPECT_EQ(solo.core().role(), CoreRole::leader);
}

// "A candidate wins an election if it receives votes from a majority of the servers in the full
// cluster for the same term."
TEST(Section52, VotesOfAnotherTermDoNotCount) {
  Solo solo{5};
  solo.become_candidate();
  solo.step(solo.from(2, MessageType::vote_reply, 1));
  solo.step(solo.from(3, MessageType::vote_reply, 0));
  EXPECT_EQ(solo.core().role(), CoreRole::candidate);
}

// "Each server will vote for at most one candidate in a given term, on a first-come-first-served
// basis"
TEST(Section52, OneVoteATermAlsoAfterARestartAndForATransferTarget) {
  Solo solo{5};
  Message first = solo.from(2, MessageType::vote, 3);
  EXPECT_FALSE(solo.step(first)[0].reject);
  EXPECT_TRUE(solo.step(solo.from(3, MessageType::vote, 3))[0].reject);
  EXPECT_FALSE(solo.step(first)[0].reject) << "the same candidate again";
  solo.cluster.restart(1);
  EXPECT_TRUE(solo.step(solo.from(4, MessageType::vote, 3))[0].reject);
  Message forced = solo.from(5, MessageType::vote, 3);
  forced.forced = true;
  EXPECT_TRUE(solo.step(forced)[0].reject);
}

// "The majority rule ensures that at most one candidate can win the election for a particular term
// (the Election Safety Property)"
TEST(Section52, AtMostOneLeaderATerm) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Cluster cluster{5, seed};
    std::map<Term, NodeId> leaders;
    for (int i = 0; i < 300; ++i) {
      cluster.run(1);
      if (i % 40 == 39) cluster.heal();
      for (std::uint64_t id = 1; id <= 5; ++id) {
        if (cluster[id].core->role() != CoreRole::leader) continue;
        const auto at = leaders.emplace(cluster[id].core->term(), node(id)).first;
        ASSERT_EQ(at->second, node(id)) << "seed " << seed;
        if (i % 40 == 20) cluster.isolate(id);
      }
    }
  }
}

// "If the leader's term (included in its RPC) is at least as large as the candidate's current term,
// then the candidate recognizes the leader as legitimate and returns to follower state."
TEST(Section52, ACandidateRecognisesALeader) {
  for (Term ahead : {0, 1, 5}) {
    Solo solo;
    solo.become_candidate();
    solo.step(solo.append(3, 1 + ahead, 0, 0, {}));
    EXPECT_EQ(solo.core().role(), CoreRole::follower);
    EXPECT_EQ(solo.core().leader(), node(3));
  }
}

// "If the term in the RPC is smaller than the candidate's current term, then the candidate rejects
// the RPC and continues in candidate state."
TEST(Section52, ACandidateRejectsAnOldLeader) {
  Solo solo{3, [](MemoryLog& disk) { disk.hard_state.term = 4; }};
  solo.become_candidate();
  const auto sent = solo.step(solo.append(3, 4, 0, 0, {}));
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_TRUE(sent[0].reject);
  EXPECT_EQ(solo.core().role(), CoreRole::candidate);
}

// "When this happens, each candidate will time out and start a new election by incrementing its
// term and initiating another round of RequestVote RPCs."
TEST(Section52, ASplitVoteIsFollowedByAnotherElection) {
  Solo solo;
  solo.become_candidate();
  Message refusal = solo.from(2, MessageType::vote_reply, 1);
  refusal.reject = true;
  solo.step(refusal);
  refusal.from = node(3);
  refusal.from_incarnation = Incarnation{103};
  solo.step(refusal);
  EXPECT_EQ(solo.core().role(), CoreRole::follower);
  solo.become_leader();
  EXPECT_EQ(solo.core().term(), 2U);
}

// "Raft uses randomized election timeouts to ensure that split votes are rare and that they are
// resolved quickly." "election timeouts are chosen randomly from a fixed interval"
TEST(Section52, TimeoutsAreRandomWithinTheInterval) {
  std::set<std::uint32_t> seen;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Cluster cluster{3, seed};
    std::uint32_t ticks = 0;
    while (cluster[1].core->role() == CoreRole::follower) {
      cluster.tick(1);
      ++ticks;
    }
    EXPECT_GE(ticks, 20U);
    EXPECT_LE(ticks, 30U);
    seen.insert(ticks);
  }
  EXPECT_EQ(seen.size(), 11U);
}

}  // namespace
}  // namespace mainstay::consensus::testing
