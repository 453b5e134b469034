// The Raft paper, sections 5.3 to 5.5: log replication, safety, crashes.
#include <gtest/gtest.h>

#include "tests/unit/consensus/cluster_fixture.hpp"

namespace mainstay::consensus::testing {
namespace {

using Values = std::vector<std::string>;

std::vector<Message> of(const std::vector<Message>& messages, MessageType type) {
  std::vector<Message> result;
  for (const Message& one : messages)
    if (one.type == type) result.push_back(one);
  return result;
}

std::vector<Term> terms_of(const MemoryLog& disk) {
  std::vector<Term> terms;
  for (Index index = 1; index <= disk.last_index(); ++index) terms.push_back(*disk.term(index));
  return terms;
}

// Gives each node its own log, all in `term`, before the cases of figures 7 and 8.
void set_logs(Cluster& cluster, const std::map<std::uint64_t, std::vector<Term>>& logs, Term term) {
  for (const auto& [id, terms] : logs) {
    cluster.stop(id);
    for (Term one : terms) cluster[id].disk.append(one);
    cluster[id].disk.hard_state = {term, NodeId{}};
    cluster.start(id);
  }
}

// "The leader appends the command to its log as a new entry, then issues AppendEntries RPCs in
// parallel to each of the other servers to replicate the entry."
TEST(Section53, AppendsLeaveInParallelAndBeforeTheLeadersOwnDisk) {
  Solo solo{5};
  solo.become_leader();
  solo.take();
  for (std::uint64_t peer = 2; peer <= 5; ++peer) solo.step(solo.ack(peer, 1));
  solo.cluster[1].disk_waits = true;
  ASSERT_TRUE(solo.core().propose(Bytes{std::string{"x"}}));
  const auto appends = of(solo.take(), MessageType::append);
  ASSERT_EQ(appends.size(), 4U);
  for (const Message& append : appends) EXPECT_EQ(append.entries.size(), 1U);
  EXPECT_EQ(solo.status().stored, 1U);
}

// "When the entry has been safely replicated (as described below), the leader applies the entry to
// its state machine" "A log entry is committed once the leader that created the entry has
// replicated it on a majority of the servers"
TEST(Section53, AMajorityCommits) {
  struct Case {
    std::uint64_t size;
    std::uint64_t acks;
    bool committed;
  };
  for (const Case& one : {Case{3, 0, false}, Case{3, 1, true}, Case{4, 1, false}, Case{4, 2, true},
                          Case{5, 1, false}, Case{5, 2, true}}) {
    Solo solo{one.size};
    solo.become_leader();
    solo.take();
    for (std::uint64_t peer = 2; peer < 2 + one.acks; ++peer) solo.step(solo.ack(peer, 1));
    EXPECT_EQ(solo.status().commit, one.committed ? 1U : 0U) << one.size << ", " << one.acks;
  }
}

// The leader's own copy counts as any other: when it is durable.
TEST(Section53, TheLeadersOwnCopyCountsWhenItIsStored) {
  Solo solo;
  solo.become_leader();
  solo.cluster[1].disk_waits = true;
  solo.take();
  solo.step(solo.ack(2, 1));
  EXPECT_EQ(solo.status().commit, 0U);
  ASSERT_TRUE(solo.cluster.store_next(1));
  EXPECT_EQ(solo.status().commit, 1U);
}

// "If followers crash or run slowly, or if network packets are lost, the leader retries
// AppendEntries RPCs indefinitely ... until all followers eventually store all log entries."
TEST(Section53, LostAppendsAreRetriedUntilAllHaveAll) {
  Cluster cluster{3};
  cluster.elect(1);
  SeededRandom random{3};
  cluster.lose = [&random](const Message&) { return random.between(0, 2) == 0; };
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(cluster[1].core->propose(Bytes{std::to_string(i)}));
    cluster.settle();
  }
  cluster.lose = nullptr;
  cluster.run(20);
  for (std::uint64_t id = 1; id <= 3; ++id) EXPECT_EQ(cluster[id].values().size(), 50U) << id;
}

// "This also commits all preceding entries in the leader's log, including entries created by
// previous leaders."
TEST(Section53, CommitCoversEntriesOfEarlierLeaders) {
  Cluster cluster{3};
  set_logs(cluster, {{1, {1, 2}}, {2, {}}, {3, {}}}, 2);
  cluster.elect(1);
  for (std::uint64_t id = 1; id <= 3; ++id)
    EXPECT_EQ(terms_of(cluster[id].disk), (std::vector<Term>{1, 2, 3})) << id;
  EXPECT_EQ(cluster[1].status().commit, 3U);
}

// "The leader keeps track of the highest index it knows to be committed, and it includes that index
// in future AppendEntries RPCs (including heartbeats) so that the other servers eventually find
// out."
TEST(Section53, AppendsAndHeartbeatsCarryTheCommitIndex) {
  Solo solo;
  solo.become_leader();
  solo.take();
  const auto told = of(solo.step(solo.ack(2, 1)), MessageType::append);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].commit, 1U);
  const auto heartbeats = of(solo.tick(5), MessageType::heartbeat);
  ASSERT_EQ(heartbeats.size(), 2U);
  EXPECT_EQ(heartbeats[0].commit, 1U);
  EXPECT_EQ(heartbeats[1].commit, 0U) << "never beyond what the follower is known to hold";
}

// "Once a follower learns that a log entry is committed, it applies the entry to its local state
// machine (in log order)."
TEST(Section53, FollowersApplyWhatTheyLearnIsCommitted) {
  Solo solo;
  solo.step(solo.append(2, 1, 0, 0, {1, 1}));
  EXPECT_TRUE(solo.cluster[1].applied.empty());
  Message heartbeat = solo.from(2, MessageType::heartbeat, 1);
  heartbeat.commit = 2;
  solo.step(heartbeat);
  EXPECT_EQ(solo.cluster[1].applied.size(), 2U);
}

// "a leader creates at most one entry with a given log index in a given term, and log entries never
// change their position in the log." "A leader never overwrites or deletes entries in its own log;
// it only appends new entries (the Leader Append-Only Property)."
TEST(Section53, ALeaderOnlyAppends) {
  Solo solo;
  solo.become_leader();
  solo.cluster[1].disk_waits = true;
  Index last = solo.status().last;
  for (int i = 0; i < 30; ++i) {
    const auto index = solo.core().propose(Bytes{std::to_string(i)});
    ASSERT_TRUE(index);
    EXPECT_EQ(*index, ++last) << "also while its own disk is slow";
    solo.take();
    solo.core().tick();
  }
}

// "When sending an AppendEntries RPC, the leader includes the index and term of the entry in its
// log that immediately precedes the new entries. If the follower does not find an entry in its log
// with the same index and term, then it refuses the new entries."
TEST(Section53, TheConsistencyCheck) {
  Solo solo{3, [](MemoryLog& disk) {
              for (Term term : {1, 1, 2}) disk.append(term);
              disk.hard_state.term = 2;
            }};
  EXPECT_TRUE(solo.step(solo.append(2, 5, 3, 3, {4}))[0].reject);
  EXPECT_TRUE(solo.step(solo.append(2, 5, 7, 2, {4}))[0].reject);
  EXPECT_FALSE(solo.step(solo.append(2, 5, 3, 2, {4}))[0].reject);
  EXPECT_EQ(terms_of(solo.cluster[1].disk), (std::vector<Term>{1, 1, 2, 4}));
}

// "In Raft, the leader handles inconsistencies by forcing the followers' logs to duplicate its
// own." All six followers of figure 7.
TEST(Section53, Figure7FollowersComeToDuplicateTheLeader) {
  const std::vector<Term> leader{1, 1, 1, 4, 4, 5, 5, 6, 6, 6};
  const std::vector<std::vector<Term>> followers{
      {1, 1, 1, 4, 4, 5, 5, 6, 6},
      {1, 1, 1, 4},
      {1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6},
      {1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7},
      {1, 1, 1, 4, 4, 4, 4},
      {1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3},
  };
  for (const auto& follower : followers) {
    Cluster cluster{3};
    set_logs(cluster, {{1, leader}, {2, follower}, {3, {}}}, 7);
    // Node 3 votes for node 1, whatever node 2 thinks.
    cluster.elect(1);
    cluster.run(10);
    EXPECT_EQ(terms_of(cluster[2].disk), terms_of(cluster[1].disk));
    EXPECT_EQ(terms_of(cluster[3].disk), terms_of(cluster[1].disk));
  }
}

// "When a leader first comes to power, it initializes all nextIndex values to the index just after
// the last one in its log"
TEST(Section53, NextIndexStartsAfterTheLastEntry) {
  Solo solo{3, [](MemoryLog& disk) {
              for (int i = 0; i < 10; ++i) disk.append(1);
              disk.hard_state.term = 1;
            }};
  solo.become_leader();
  for (const Message& append : of(solo.take(), MessageType::append)) EXPECT_EQ(append.index, 10U);
}

// "If desired, the protocol can be optimized to reduce the number of rejected AppendEntries RPCs.
// ... the leader can decrement nextIndex to bypass all of the conflicting entries in that term"
TEST(Section53, RefusalsSkipWholeTerms) {
  Cluster cluster{3};
  std::vector<Term> longer{1};
  std::vector<Term> other{1};
  for (int i = 0; i < 40; ++i) longer.push_back(9);
  for (int i = 0; i < 40; ++i) other.push_back(4);
  set_logs(cluster, {{1, longer}, {2, other}, {3, {}}}, 9);
  cluster.cut(1, 3);  // node 2's vote is needed
  cluster.elect(1);
  cluster.run(10);
  std::size_t refusals = 0;
  for (const Message& one : cluster.messages(MessageType::append_reply, 2, 1))
    refusals += one.reject ? 1 : 0;
  EXPECT_LE(refusals, 2U);
  EXPECT_EQ(terms_of(cluster[2].disk), terms_of(cluster[1].disk));
}

// --- 5.4 safety ---

// "Raft uses the voting process to prevent a candidate from winning an election unless its log
// contains all committed entries." "the voter denies its vote if its own log is more up-to-date
// than that of the candidate." "If the logs have last entries with different terms, then the log
// with the later term is more up-to-date. If the logs end with the same term, then whichever log is
// longer is more up-to-date."
TEST(Section541, VotersDenyCandidatesWithLesserLogs) {
  struct Case {
    Index last;
    Term last_term;
    bool granted;
  };
  for (const Case& one : {Case{2, 2, true}, Case{3, 2, true}, Case{1, 3, true}, Case{1, 2, false},
                          Case{9, 1, false}, Case{0, 0, false}}) {
    Solo solo{3, [](MemoryLog& disk) {
                disk.append(1);
                disk.append(2);
                disk.hard_state.term = 3;
              }};
    for (MessageType type : {MessageType::pre_vote, MessageType::vote}) {
      Message request = solo.from(2, type, 4);
      request.index = one.last;
      request.log_term = one.last_term;
      EXPECT_EQ(solo.step(request)[0].reject, !one.granted) << one.last << "@" << one.last_term;
    }
  }
}

// "Raft never commits log entries from previous terms by counting replicas. Only log entries from
// the leader's current term are committed by counting replicas"
TEST(Section542, EntriesOfOlderTermsAreNotCommittedByCounting) {
  Solo solo{3, [](MemoryLog& disk) {
              disk.append(1);
              disk.append(2);
              disk.hard_state.term = 2;
            }};
  solo.become_leader();
  solo.take();
  solo.step(solo.ack(2, 1));
  EXPECT_EQ(solo.status().commit, 0U);
  solo.step(solo.ack(2, 2));
  EXPECT_EQ(solo.status().commit, 0U);
  // "once an entry from the current term has been committed in this way, then all prior entries are
  // committed indirectly"
  solo.step(solo.ack(2, 3));
  EXPECT_EQ(solo.status().commit, 3U);
}

// Figure 8: "an old log entry is stored on a majority of servers, yet can still be overwritten by a
// future leader".
TEST(Section542, Figure8) {
  Cluster cluster{5};
  cluster[1].options.append_bytes_max = 1;  // one entry a message
  set_logs(cluster, {{1, {1, 2}}, {2, {1, 2}}, {3, {1}}, {4, {1}}, {5, {1, 3}}}, 3);
  // (c) S1 leads term 4 and brings index 2 to S3, but nothing of term 4 is stored anywhere else.
  cluster.lose = [&cluster](const Message& message) {
    if (message.type != MessageType::append) return false;
    const bool of_term_4 = !message.entries.empty() && message.entries.back().term >= 4;
    const bool would_fit = cluster[message.to.value].disk.last_index() >= message.index;
    return message.to.value >= 4 || (of_term_4 && would_fit);
  };
  cluster.elect(1);
  cluster.run(12);
  EXPECT_EQ(cluster[3].disk.term(2), Term{2}) << "index 2 of term 2 is on three of five";
  EXPECT_EQ(cluster[1].status().commit, 0U);
  // (d) S1 crashes; S5 wins with the votes of S3 and S4 and overwrites it everywhere.
  cluster.stop(1);
  cluster.lose = nullptr;
  cluster.isolate(2);
  cluster.elect(5);
  cluster.heal();
  cluster.start(1);
  cluster.run(20);
  for (std::uint64_t id = 1; id <= 5; ++id) EXPECT_EQ(cluster[id].disk.term(2), Term{3}) << id;
}

// --- 5.5 follower and candidate crashes ---

// "If a follower or candidate crashes, then future RequestVote and AppendEntries RPCs sent to it
// will fail. Raft handles these failures by retrying indefinitely; if the crashed server restarts,
// then the RPC will complete successfully."
TEST(Section55, ACrashedFollowerIsServedWhenItIsBack) {
  Cluster cluster{3};
  cluster.elect(1);
  cluster.stop(3);
  for (int i = 0; i < 10; ++i) cluster.put(1, std::to_string(i));
  cluster.run(100);
  cluster.start(3);
  cluster.run(10);
  EXPECT_EQ(cluster[3].values(), cluster[1].values());
}

// "Raft RPCs are idempotent, so this causes no harm."
TEST(Section55, DoubledMessagesDoNoHarm) {
  Cluster cluster{3};
  bool doubling = true;
  cluster.lose = [&cluster, &doubling](const Message& message) {
    if (doubling) cluster.network.push_back(message);
    doubling = !doubling;
    return false;
  };
  cluster.elect(1);
  for (int i = 0; i < 10; ++i) cluster.put(1, std::to_string(i));
  cluster.lose = nullptr;
  cluster.run(10);
  for (std::uint64_t id = 1; id <= 3; ++id) EXPECT_EQ(cluster[id].values().size(), 10U);
}

}  // namespace
}  // namespace mainstay::consensus::testing
