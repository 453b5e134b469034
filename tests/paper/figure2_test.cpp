// The Raft paper, figure 2: state, RPC receivers, rules for servers.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/consensus/cluster_fixture.hpp"

namespace mainstay::consensus::testing {
namespace {

std::function<void(MemoryLog&)> log_of(const std::vector<Term>& terms, HardState state) {
  return [terms, state](MemoryLog& disk) {
    for (Term term : terms) disk.append(term);
    disk.hard_state = state;
  };
}

Message vote_request(const Solo& solo, std::uint64_t peer, Term term, Index last, Term last_term) {
  Message message = solo.from(peer, MessageType::vote, term);
  message.index = last;
  message.log_term = last_term;
  return message;
}

const Message* first_of(const std::vector<Message>& messages, MessageType type) {
  const auto at = std::find_if(messages.begin(), messages.end(),
                               [type](const Message& one) { return one.type == type; });
  return at == messages.end() ? nullptr : &*at;
}

std::size_t count_of(const std::vector<Message>& messages, MessageType type) {
  return static_cast<std::size_t>(std::count_if(
      messages.begin(), messages.end(), [type](const Message& one) { return one.type == type; }));
}

// --- state ---

// "Persistent state on all servers: (Updated on stable storage before responding to RPCs)"
TEST(Figure2, StateIsStableBeforeAVoteIsAnswered) {
  Solo solo;
  solo.cluster[1].disk_waits = true;
  EXPECT_EQ(first_of(solo.step(vote_request(solo, 2, 1, 0, 0)), MessageType::vote_reply), nullptr);
  solo.cluster.store_next(1);
  EXPECT_EQ(solo.cluster[1].disk.hard_state, (HardState{1, node(2)}));
  EXPECT_NE(first_of(solo.take(), MessageType::vote_reply), nullptr);
}

// The same for AppendEntries.
TEST(Figure2, EntriesAreStableBeforeAnAppendIsAnswered) {
  Solo solo;
  solo.cluster[1].disk_waits = true;
  EXPECT_EQ(first_of(solo.step(solo.append(2, 1, 0, 0, {1, 1})), MessageType::append_reply),
            nullptr);
  solo.cluster.store_next(1);
  EXPECT_EQ(solo.cluster[1].disk.last_index(), 2U);
  const auto sent = solo.take();
  ASSERT_NE(first_of(sent, MessageType::append_reply), nullptr);
  EXPECT_EQ(first_of(sent, MessageType::append_reply)->index, 2U);
}

// "currentTerm: latest term server has seen (initialized to 0 on first boot, increases
// monotonically)"
TEST(Figure2, CurrentTermStartsAtZeroAndOnlyGrows) {
  Solo solo;
  EXPECT_EQ(solo.core().term(), 0U);
  solo.step(solo.append(2, 5, 0, 0, {}));
  EXPECT_EQ(solo.core().term(), 5U);
  solo.step(solo.append(3, 4, 0, 0, {}));
  EXPECT_EQ(solo.core().term(), 5U);
}

// "commitIndex: index of highest log entry known to be committed (initialized to 0, increases
// monotonically)"
TEST(Figure2, CommitIndexStartsAtZeroAndOnlyGrows) {
  Solo solo;
  EXPECT_EQ(solo.status().commit, 0U);
  solo.step(solo.append(2, 1, 0, 0, {1, 1}, 2));
  EXPECT_EQ(solo.status().commit, 2U);
  solo.step(solo.append(2, 1, 2, 1, {1}, 1));
  EXPECT_EQ(solo.status().commit, 2U);
}

// --- RequestVote, receiver implementation ---

// "1. Reply false if term < currentTerm (§5.1)"
TEST(Figure2, RequestVoteOfAnOlderTermIsRefused) {
  Solo solo{3, log_of({}, {4, NodeId{}})};
  const auto sent = solo.step(vote_request(solo, 2, 3, 9, 3));
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].type, MessageType::vote_reply);
  EXPECT_TRUE(sent[0].reject);
  EXPECT_EQ(sent[0].term, 4U);
}

// "2. If votedFor is null or candidateId, and candidate's log is at least as up-to-date as
// receiver's log, grant vote (§5.2, §5.4)"
TEST(Figure2, RequestVoteIsGrantedOnceToOneCandidate) {
  struct Case {
    NodeId voted_for;
    std::uint64_t candidate;
    bool granted;
  };
  for (const Case& one : {Case{NodeId{}, 2, true}, Case{node(2), 2, true}, Case{node(3), 2, false},
                          Case{node(1), 2, false}}) {
    Solo solo{3, log_of({1}, {2, one.voted_for})};
    const auto sent = solo.step(vote_request(solo, one.candidate, 2, 1, 1));
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].reject, !one.granted) << to_string(one.voted_for);
  }
}

// --- AppendEntries, receiver implementation ---

// "1. Reply false if term < currentTerm (§5.1)"
TEST(Figure2, AppendOfAnOlderTermIsRefused) {
  Solo solo{3, log_of({1}, {4, NodeId{}})};
  const auto sent = solo.step(solo.append(2, 3, 1, 1, {3}));
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_TRUE(sent[0].reject);
  EXPECT_EQ(sent[0].term, 4U);
  EXPECT_EQ(solo.status().last, 1U);
}

// "2. Reply false if log doesn't contain an entry at prevLogIndex whose term matches prevLogTerm
// (§5.3)"
TEST(Figure2, AppendWithoutItsPredecessorIsRefused) {
  struct Case {
    Index prev;
    Term prev_term;
    bool refused;
  };
  for (const Case& one : {Case{0, 0, false}, Case{1, 1, false}, Case{2, 2, false}, Case{2, 1, true},
                          Case{3, 3, true}}) {
    Solo solo{3, log_of({1, 2}, {2, NodeId{}})};
    const auto sent = solo.step(solo.append(2, 3, one.prev, one.prev_term, {}));
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].reject, one.refused) << one.prev << " at term " << one.prev_term;
  }
}

// "3. If an existing entry conflicts with a new one (same index but different terms), delete the
// existing entry and all that follow it (§5.3)"
TEST(Figure2, AConflictingEntryAndAllAfterItAreDeleted) {
  Solo solo{3, log_of({1, 1, 1, 1}, {2, NodeId{}})};
  solo.step(solo.append(2, 3, 1, 1, {3}));
  EXPECT_EQ(solo.status().last, 2U);
  EXPECT_EQ(solo.cluster[1].disk.last_index(), 2U);
  EXPECT_EQ(solo.cluster[1].disk.term(2), Term{3});
}

// The converse: what does not conflict stays, even behind the end of an old or doubled append.
TEST(Figure2, EntriesThatDoNotConflictAreKept) {
  Solo solo;
  solo.step(solo.append(2, 1, 0, 0, {1, 1, 1}));
  const auto sent = solo.step(solo.append(2, 1, 0, 0, {1}));
  EXPECT_EQ(solo.status().last, 3U);
  EXPECT_EQ(sent[0].index, 1U) << "acknowledges only what this append proved";
}

// "4. Append any new entries not already in the log"
TEST(Figure2, NewEntriesAreAppended) {
  struct Case {
    Index prev;
    Term prev_term;
    std::vector<Term> entries;
    std::vector<Term> result;
  };
  for (const Case& one : {Case{2, 2, {3}, {1, 2, 3}}, Case{1, 1, {3, 4}, {1, 3, 4}},
                          Case{0, 0, {1}, {1, 2}}, Case{0, 0, {3}, {3}}}) {
    Solo solo{3, log_of({1, 2}, {4, NodeId{}})};
    solo.step(solo.append(2, 5, one.prev, one.prev_term, one.entries));
    std::vector<Term> held;
    for (Index index = 1; index <= solo.cluster[1].disk.last_index(); ++index)
      held.push_back(*solo.cluster[1].disk.term(index));
    EXPECT_EQ(held, one.result);
  }
}

// "5. If leaderCommit > commitIndex, set commitIndex = min(leaderCommit, index of last new entry)"
TEST(Figure2, FollowerCommitsToTheLesserOfLeaderCommitAndLastNewEntry) {
  struct Case {
    std::vector<Term> entries;
    Index leader_commit;
    Index expected;
  };
  for (const Case& one : {Case{{1}, 1, 1}, Case{{1}, 9, 1}, Case{{1, 1}, 1, 1}, Case{{}, 3, 0}}) {
    Solo solo{3, log_of({1, 1, 1}, {1, NodeId{}})};
    solo.step(solo.append(2, 2, 0, 0, one.entries, one.leader_commit));
    EXPECT_EQ(solo.status().commit, one.expected);
  }
}

// --- rules for all servers ---

// "If commitIndex > lastApplied: increment lastApplied, apply log[lastApplied] to state machine
// (§5.3)"
TEST(Figure2, CommittedEntriesAreAppliedInOrder) {
  Solo solo;
  solo.step(solo.append(2, 1, 0, 0, {1, 1, 1}, 3));
  ASSERT_EQ(solo.cluster[1].applied.size(), 3U);
  for (Index index = 1; index <= 3; ++index)
    EXPECT_EQ(solo.cluster[1].applied[index - 1].index, index);
}

// "If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to
// follower (§5.1)"
TEST(Figure2, AHigherTermMakesAFollower) {
  for (MessageType type : {MessageType::append, MessageType::heartbeat, MessageType::append_reply,
                           MessageType::vote_reply, MessageType::heartbeat_reply}) {
    Solo solo;
    solo.become_leader();
    Message message = solo.from(2, type, solo.core().term() + 3);
    message.reject = true;
    const Term expected = message.term;
    solo.step(message);
    EXPECT_EQ(solo.core().role(), CoreRole::follower);
    EXPECT_EQ(solo.core().term(), expected);
  }
}

// --- rules for followers ---

// "Respond to RPCs from candidates and leaders"
TEST(Figure2, FollowersRespond) {
  Solo solo;
  EXPECT_NE(first_of(solo.step(vote_request(solo, 2, 1, 0, 0)), MessageType::vote_reply), nullptr);
  EXPECT_NE(first_of(solo.step(solo.append(2, 1, 0, 0, {})), MessageType::append_reply), nullptr);
  EXPECT_NE(
      first_of(solo.step(solo.from(2, MessageType::heartbeat, 1)), MessageType::heartbeat_reply),
      nullptr);
}

// "If election timeout elapses without receiving AppendEntries RPC from current leader or granting
// vote to candidate: convert to candidate"
TEST(Figure2, FollowerCampaignsWhenTheTimeoutElapses) {
  Solo solo;
  solo.become_candidate();
  EXPECT_EQ(solo.core().role(), CoreRole::candidate);
}

TEST(Figure2, AppendsAndGrantedVotesPutTheTimeoutOff) {
  Solo heard;
  heard.step(heard.append(2, 1, 0, 0, {}));
  for (int i = 0; i < 20; ++i) {
    heard.tick(15);
    heard.step(heard.append(2, 1, 0, 0, {}));
  }
  EXPECT_EQ(heard.core().role(), CoreRole::follower);
  Solo voted;
  voted.tick(19);
  voted.step(vote_request(voted, 2, 1, 0, 0));
  voted.tick(19);
  EXPECT_EQ(voted.core().role(), CoreRole::follower);
}

// --- rules for candidates ---

// "On conversion to candidate, start election: Increment currentTerm. Vote for self. Reset election
// timer. Send RequestVote RPCs to all other servers"
TEST(Figure2, ACandidateVotesForItselfAndAsksAllOthers) {
  Solo solo{5};
  solo.take();
  for (int i = 0; i < 100 && solo.core().role() == CoreRole::follower; ++i) solo.tick();
  std::vector<Message> sent;
  for (std::uint64_t peer : {2, 3})
    sent = solo.step(solo.from(peer, MessageType::pre_vote_reply, 1));
  EXPECT_EQ(solo.core().term(), 1U);
  EXPECT_EQ(solo.status().vote, node(1));
  EXPECT_EQ(count_of(sent, MessageType::vote), 4U);
}

// "If votes received from majority of servers: become leader"
TEST(Figure2, AMajorityOfVotesMakesALeader) {
  Solo solo{5};
  solo.become_candidate();
  solo.step(solo.from(2, MessageType::vote_reply, 1));
  EXPECT_EQ(solo.core().role(), CoreRole::candidate);
  solo.step(solo.from(2, MessageType::vote_reply, 1));
  EXPECT_EQ(solo.core().role(), CoreRole::candidate) << "a doubled vote counts once";
  solo.step(solo.from(4, MessageType::vote_reply, 1));
  EXPECT_EQ(solo.core().role(), CoreRole::leader);
}

// "If AppendEntries RPC received from new leader: convert to follower"
TEST(Figure2, ACandidateFollowsANewLeader) {
  Solo solo;
  solo.become_candidate();
  solo.step(solo.append(3, 1, 0, 0, {}));
  EXPECT_EQ(solo.core().role(), CoreRole::follower);
  EXPECT_EQ(solo.core().leader(), node(3));
}

// "If election timeout elapses: start new election"
TEST(Figure2, ACandidateTriesAgain) {
  Solo solo;
  solo.become_candidate();
  for (int i = 0; i < 200 && solo.core().role() == CoreRole::candidate; ++i) solo.tick();
  solo.step(solo.from(2, MessageType::pre_vote_reply, 2));
  EXPECT_EQ(solo.core().role(), CoreRole::candidate);
  EXPECT_EQ(solo.core().term(), 2U);
}

// --- rules for leaders ---

// "Upon election: send initial empty AppendEntries RPCs (heartbeat) to each server; repeat during
// idle periods to prevent election timeouts (§5.2)" (Ours carry the no-op of section 8.)
TEST(Figure2, ALeaderSpeaksAtOnceAndKeepsSpeaking) {
  Solo solo;
  solo.become_leader();
  EXPECT_EQ(count_of(solo.take(), MessageType::append), 2U);
  EXPECT_EQ(count_of(solo.tick(5), MessageType::heartbeat), 2U);
  EXPECT_EQ(count_of(solo.tick(5), MessageType::heartbeat), 2U);
}

// "If command received from client: append entry to local log, respond after entry applied to state
// machine (§5.3)"
TEST(Figure2, ACommandIsAppliedAfterItWasAppendedAndCommitted) {
  Solo solo;
  solo.become_leader();
  solo.take();
  const auto index = solo.core().propose(Bytes{std::string{"x"}});
  ASSERT_TRUE(index);
  solo.take();
  EXPECT_EQ(solo.status().last, *index);
  EXPECT_TRUE(solo.cluster[1].values().empty());
  solo.step(solo.ack(2, *index));
  EXPECT_EQ(solo.cluster[1].values(), std::vector<std::string>{"x"});
}

// "If last log index >= nextIndex for a follower: send AppendEntries RPC with log entries starting
// at nextIndex" "If successful: update nextIndex and matchIndex for follower (§5.3)"
TEST(Figure2, EntriesAreSentFromNextIndexAndSuccessMovesIt) {
  Solo solo;
  solo.become_leader();
  solo.take();
  solo.step(solo.ack(2, 1));
  ASSERT_TRUE(solo.core().propose(Bytes{std::string{"x"}}));
  const auto sent = solo.take();
  const Message* append = first_of(sent, MessageType::append);
  ASSERT_NE(append, nullptr);
  EXPECT_EQ(append->to, node(2));
  EXPECT_EQ(append->index, 1U);
  ASSERT_EQ(append->entries.size(), 1U);
  solo.step(solo.ack(2, 2));
  const Status status = solo.status();
  EXPECT_EQ(status.members[1].match, 2U);
  EXPECT_EQ(status.members[1].next, 3U);
}

// "If AppendEntries fails because of log inconsistency: decrement nextIndex and retry (§5.3)"
TEST(Figure2, ARefusedAppendIsTriedAgainFurtherBack) {
  Solo solo{3, log_of({1, 1, 1}, {1, NodeId{}})};
  solo.become_leader();
  const auto first = solo.take();
  EXPECT_EQ(first_of(first, MessageType::append)->index, 3U);
  Message refusal = solo.ack(2, 3);
  refusal.reject = true;
  refusal.hint_index = 1;
  refusal.hint_term = 1;
  const auto second = solo.step(refusal);
  ASSERT_NE(first_of(second, MessageType::append), nullptr);
  EXPECT_EQ(first_of(second, MessageType::append)->index, 1U);
  EXPECT_EQ(first_of(second, MessageType::append)->entries.size(), 3U);
}

// "If there exists an N such that N > commitIndex, a majority of matchIndex[i] >= N, and
// log[N].term == currentTerm: set commitIndex = N (§5.3, §5.4)."
TEST(Figure2, TheMedianOfTheCurrentTermIsCommitted) {
  Solo solo{5};
  solo.become_leader();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(solo.core().propose(Bytes{std::string{"x"}}));
  solo.take();
  solo.step(solo.ack(2, 2));
  EXPECT_EQ(solo.status().commit, 0U);
  solo.step(solo.ack(3, 4));
  EXPECT_EQ(solo.status().commit, 2U) << "not the leader's last index";
  solo.step(solo.ack(4, 4));
  EXPECT_EQ(solo.status().commit, 4U);
}

}  // namespace
}  // namespace mainstay::consensus::testing
