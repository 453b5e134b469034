// The Raft paper, sections 6 to 8: membership changes, log compaction, client interaction.
#include <gtest/gtest.h>

#include "tests/unit/consensus/cluster_fixture.hpp"

namespace mainstay::consensus::testing {
namespace {

Membership with(Membership membership, const Member& added) {
  membership.members.push_back(added);
  return membership;
}

Membership without(Membership membership, std::uint64_t id) {
  std::vector<Member> rest;
  for (const Member& one : membership.members)
    if (one.id != node(id)) rest.push_back(one);
  membership.members = rest;
  return membership;
}

std::size_t count_of(const std::vector<Message>& messages, MessageType type) {
  std::size_t count = 0;
  for (const Message& one : messages) count += one.type == type ? 1 : 0;
  return count;
}

// --- 6 cluster membership changes (one server at a time: the thesis, section 4.1) ---

// "Once a given server adds the new configuration entry to its log, it uses that configuration for
// all future decisions (a server always uses the latest configuration in its log, regardless of
// whether the entry is committed)."
TEST(Section6, TheLatestConfigurationInTheLogCounts) {
  Cluster cluster{3};
  cluster.elect(1);
  cluster.cut(1, 2);
  cluster.cut(1, 3);
  ASSERT_TRUE(cluster[1].core->propose_membership(with(voters(3), member(4))));
  EXPECT_EQ(cluster[1].core->membership().members.size(), 4U);
  EXPECT_FALSE(cluster[1].status().membership_committed);
  cluster.settle();
  cluster.restart(1);
  EXPECT_EQ(cluster[1].core->membership().members.size(), 4U) << "also after a restart";
}

// The thesis, section 4.1: "a server must be prepared to fall back to the previous configuration in
// its log if its log entry is removed".
TEST(Section6, ARemovedConfigurationFallsBack) {
  Solo solo;
  Message append = solo.append(2, 1, 0, 0, {1});
  append.entries[0].kind = EntryKind::membership;
  append.entries[0].membership = std::make_shared<const Membership>(with(voters(3), member(4)));
  solo.step(append);
  EXPECT_EQ(solo.core().membership().members.size(), 4U);
  solo.step(solo.append(3, 2, 0, 0, {2}));
  EXPECT_EQ(solo.core().membership(), voters(3));
}

// "In order to avoid availability gaps, Raft introduces an additional phase ..., in which the new
// servers join the cluster as non-voting members (the leader replicates log entries to them, but
// they are not considered for majorities)."
TEST(Section6, NewServersAreFedButDoNotCount) {
  Cluster cluster{2};
  cluster.elect(1);
  for (int i = 0; i < 5; ++i) cluster.put(1, std::to_string(i));
  cluster.add(3, 103);
  cluster.start(3);
  ASSERT_TRUE(cluster[1].core->propose_membership(with(voters(2), member(3, MemberRole::learner))));
  cluster.run(10);
  EXPECT_EQ(cluster[3].values(), cluster[1].values());
  cluster.isolate(2);
  ASSERT_TRUE(cluster[1].core->propose(Bytes{std::string{"x"}}));
  const Index before = cluster[1].status().commit;
  cluster.settle();
  EXPECT_EQ(cluster[1].status().commit, before) << "leader and learner are no majority of two";
  EXPECT_EQ(cluster[3].status().last, cluster[1].status().last);
}

// "the cluster leader may not be part of the new configuration. In this case, the leader steps down
// (returns to follower state) once it has committed the Cnew log entry. ... it replicates log
// entries but does not count itself in majorities."
TEST(Section6, ALeaderThatRemovesItselfStepsDownAfterTheCommit) {
  Cluster cluster{3};
  cluster.elect(1);
  cluster.cut(1, 3);
  cluster.cut(3, 1);
  const auto index = cluster[1].core->propose_membership(without(voters(3), 1));
  ASSERT_TRUE(index);
  cluster.settle();
  EXPECT_EQ(cluster[1].core->role(), CoreRole::leader);
  EXPECT_LT(cluster[1].status().commit, *index) << "node 2 alone is no majority of nodes 2 and 3";
  cluster.heal();
  cluster.run(10);
  EXPECT_EQ(cluster[1].core->role(), CoreRole::follower);
  EXPECT_GE(cluster[1].status().commit, *index);
  EXPECT_NE(cluster.await_leader(), 1U);
}

// "To prevent this problem, servers disregard RequestVote RPCs when they believe a current leader
// exists. Specifically, if a server receives a RequestVote RPC within the minimum election timeout
// of hearing from a current leader, it does not update its term or grant its vote."
TEST(Section6, VoteRequestsAreDisregardedWhileALeaderIsHeard) {
  Solo solo;
  solo.step(solo.append(2, 1, 0, 0, {}));
  Message request = solo.from(3, MessageType::vote, 5);
  request.index = 9;
  request.log_term = 4;
  solo.tick(19);
  EXPECT_TRUE(solo.step(request).empty());
  EXPECT_EQ(solo.core().term(), 1U);
  solo.tick(1);
  const auto sent = solo.step(request);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_FALSE(sent[0].reject);
}

// The correction of 2015 to single-server changes: a leader must commit an entry of its own term
// first.
TEST(Section6, NoChangeBeforeACommitInTheLeadersTerm) {
  Solo solo;
  solo.become_leader();
  solo.take();
  const auto early = solo.core().propose_membership(with(voters(3), member(4)));
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, Errc::conflict);
  solo.step(solo.ack(2, 1));
  EXPECT_TRUE(solo.core().propose_membership(with(voters(3), member(4))));
}

// The thesis, section 4.1: "the leader must not begin a new change before the previous one is
// committed".
TEST(Section6, OneChangeAtATime) {
  Solo solo;
  solo.become_leader();
  solo.take();
  solo.step(solo.ack(2, 1));
  ASSERT_TRUE(solo.core().propose_membership(with(voters(3), member(4))));
  const auto second = solo.core().propose_membership(with(with(voters(3), member(4)), member(5)));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::conflict);
}

// --- 7 log compaction ---

struct Compacted {
  Compacted() : cluster{3} {
    cluster[1].options.recent_bytes_max = 0;
    cluster.restart(1);
    cluster.elect(1);
    cluster.isolate(3);
    for (int i = 0; i < 20; ++i) cluster.put(1, std::to_string(i));
    snapshot.index = 18;
    snapshot.term = *cluster[1].disk.term(18);
    snapshot.membership = voters(3);
    snapshot.id = "s18";
    cluster[1].disk.publish_snapshot(snapshot);
    cluster[1].disk.compact(18);
    cluster.heal();
  }
  Cluster cluster;
  SnapshotMeta snapshot;
};

// "Although servers normally take snapshots independently, the leader must occasionally send
// snapshots to followers that lag behind. This happens when the leader has already discarded the
// next log entry that it needs to send to a follower." "Usually the snapshot will contain new
// information not already in the recipient's log. In this case, the follower discards its entire
// log; it is all superseded by the snapshot"
TEST(Section7, ALaggingFollowerGetsASnapshotInPlaceOfItsLog) {
  Compacted scene;
  scene.cluster.run(20);
  EXPECT_EQ(scene.cluster[3].offers.size(), 1U);
  EXPECT_EQ(scene.cluster[3].disk.first_index(), 19U);
  EXPECT_EQ(scene.cluster[3].status().applied, scene.cluster[1].status().applied);
}

// "If instead the follower receives a snapshot that describes a prefix of its log (due to
// retransmission or by mistake), then log entries covered by the snapshot are deleted but entries
// following the snapshot are still valid and must be retained." (Ours deletes nothing then.)
TEST(Section7, ASnapshotOfAPrefixChangesNothing) {
  Solo solo;
  solo.step(solo.append(2, 1, 0, 0, {1, 1, 1}));
  Message offer = solo.from(2, MessageType::snapshot, 1);
  offer.snapshot.index = 2;
  offer.snapshot.term = 1;
  offer.snapshot.membership = voters(3);
  offer.snapshot.id = "s2";
  const auto sent = solo.step(offer);
  EXPECT_TRUE(solo.cluster[1].offers.empty());
  EXPECT_EQ(solo.status().last, 3U);
  EXPECT_EQ(solo.status().commit, 2U) << "a snapshot holds only what is committed";
  ASSERT_EQ(count_of(sent, MessageType::snapshot_reply), 1U);
}

// "To support cluster membership changes (Section 6), the snapshot also includes the latest
// configuration in the log as of last included index."
TEST(Section7, ASnapshotBringsItsConfiguration) {
  Solo solo{Membership{}};
  Message offer = solo.from(2, MessageType::snapshot, 3);
  offer.snapshot.index = 9;
  offer.snapshot.term = 3;
  offer.snapshot.membership = voters(5);
  offer.snapshot.id = "s9";
  solo.step(offer);
  EXPECT_EQ(solo.core().membership(), voters(5));
  EXPECT_EQ(solo.status().commit, 9U);
}

// --- 8 client interaction ---

// "Raft handles this by having each leader commit a blank no-op entry into the log at the start of
// its term."
TEST(Section8, ALeaderBeginsWithABlankEntry) {
  Cluster cluster{3};
  cluster.elect(2);
  ASSERT_EQ(cluster[2].applied.size(), 1U);
  EXPECT_EQ(cluster[2].applied[0].kind, EntryKind::noop);
  EXPECT_EQ(cluster[2].applied[0].term, cluster[2].core->term());
}

// "a leader must have the latest information on which entries are committed": no read before that
// entry is committed.
TEST(Section8, NoReadBeforeTheBlankEntryIsCommitted) {
  Solo solo;
  solo.become_leader();
  solo.take();
  solo.core().read_index(7);
  EXPECT_EQ(count_of(solo.take(), MessageType::heartbeat), 0U);
  solo.step(solo.ack(2, 1));
  Message answer = solo.from(2, MessageType::heartbeat_reply, 1);
  answer.context = 1;
  solo.step(answer);
  ASSERT_EQ(solo.cluster[1].reads.size(), 1U);
  EXPECT_EQ(solo.cluster[1].reads[0].index, 1U);
}

// "a leader must check whether it has been deposed before processing a read-only request ... Raft
// handles this by having the leader exchange heartbeat messages with a majority of the cluster
// before responding to read-only requests."
TEST(Section8, AReadWaitsForAHeartbeatRoundWithAMajority) {
  Solo solo{5};
  solo.become_leader();
  solo.take();
  solo.step(solo.ack(2, 1));
  solo.step(solo.ack(3, 1));
  solo.core().read_index(7);
  EXPECT_EQ(count_of(solo.take(), MessageType::heartbeat), 4U);
  Message answer = solo.from(2, MessageType::heartbeat_reply, 1);
  answer.context = 1;
  solo.step(answer);
  solo.step(answer);
  EXPECT_TRUE(solo.cluster[1].reads.empty());
  answer.from = node(3);
  answer.from_incarnation = Incarnation{103};
  solo.step(answer);
  ASSERT_EQ(solo.cluster[1].reads.size(), 1U);
}

TEST(Section8, ADeposedLeaderAnswersNoReads) {
  Cluster cluster{3};
  cluster.elect(1);
  cluster.put(1, "old");
  cluster.isolate(1);
  cluster.elect(2);
  cluster.put(2, "new");
  cluster[1].core->read_index(7);
  cluster.settle();
  EXPECT_TRUE(cluster[1].reads.empty());
  cluster.heal();
  cluster.run(10);
  ASSERT_EQ(cluster[1].reads.size(), 1U);
  EXPECT_EQ(cluster[1].reads[0].index, 0U) << "refused: ask again";
}

}  // namespace
}  // namespace mainstay::consensus::testing
