// Snapshots as metadata: offers, pulls, installation, and what may happen meanwhile.
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

SnapshotMeta snapshot_at(Index index, Term term, const std::string& id = "s") {
  SnapshotMeta snapshot;
  snapshot.index = index;
  snapshot.term = term;
  snapshot.membership = voters(3);
  snapshot.id = id;
  return snapshot;
}

Message offer(const Solo& solo, std::uint64_t peer, Term term, const SnapshotMeta& snapshot) {
  Message message = solo.from(peer, MessageType::snapshot, term);
  message.snapshot = snapshot;
  return message;
}

// A leader whose log starts at 11; nodes 2 and 3 are played by the test.
struct CompactedLeader : Solo {
  explicit CompactedLeader(const SnapshotMeta& published)
      : Solo{3, [&published](MemoryLog& disk) {
               disk.start_membership = voters(3);
               for (int i = 0; i < 20; ++i) disk.append(1);
               disk.compact(10);
               disk.hard_state.term = 1;
               disk.publish_snapshot(published);
             }} {
    become_leader();
    take();
    step(ack(2, 21));
  }
  std::vector<Message> refuse(Index rejected, Index hint) {
    Message refusal = ack(3, rejected);
    refusal.reject = true;
    refusal.hint_index = hint;
    refusal.hint_term = hint == 0 ? 0 : 1;
    return step(refusal);
  }
};

// --- leader ---

TEST(SnapshotTest, AMemberThatNeedsCompactedEntriesIsOfferedASnapshot) {
  CompactedLeader solo{snapshot_at(15, 1)};
  const auto sent = of(solo.refuse(20, 3), MessageType::snapshot);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].snapshot.index, 15U);
  EXPECT_EQ(solo.status().members[2].state, ProgressState::snapshot);
  ASSERT_TRUE(solo.core().propose(Bytes{std::string{"x"}}));
  EXPECT_TRUE(of(solo.take(), MessageType::append).size() == 1) << "to node 2 only";
  EXPECT_EQ(solo.core().needed_from(), 16U) << "the log is kept from there";
  Message done = solo.from(3, MessageType::snapshot_reply, solo.core().term());
  done.index = 15;
  const auto after = of(solo.step(done), MessageType::append);
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(after[0].index, 15U);
}

TEST(SnapshotTest, WithoutAUsefulSnapshotTheCallerIsAskedToMakeOne) {
  for (const SnapshotMeta& useless : {SnapshotMeta{}, snapshot_at(7, 1)}) {
    CompactedLeader solo{useless};
    EXPECT_TRUE(of(solo.refuse(20, 3), MessageType::snapshot).empty());
    EXPECT_TRUE(solo.status().snapshot_wanted);
    EXPECT_EQ(solo.status().members[2].state, ProgressState::probe);
    solo.cluster[1].disk.publish_snapshot(snapshot_at(18, 1));
    const auto sent = solo.step(solo.from(3, MessageType::heartbeat_reply, solo.core().term()));
    EXPECT_EQ(of(sent, MessageType::snapshot).size(), 1U);
    EXPECT_FALSE(solo.status().snapshot_wanted);
  }
}

TEST(SnapshotTest, ARefusedSnapshotIsOfferedAgainAfterTheNextHeartbeat) {
  CompactedLeader solo{snapshot_at(15, 1)};
  solo.refuse(20, 3);
  Message failed = solo.from(3, MessageType::snapshot_reply, solo.core().term());
  failed.reject = true;
  EXPECT_TRUE(of(solo.step(failed), MessageType::snapshot).empty());
  const auto sent = solo.step(solo.from(3, MessageType::heartbeat_reply, solo.core().term()));
  EXPECT_EQ(of(sent, MessageType::snapshot).size(), 1U);
}

TEST(SnapshotTest, ALostOfferIsRepeated) {
  CompactedLeader solo{snapshot_at(15, 1)};
  solo.refuse(20, 3);
  std::size_t offers = 0;
  for (int i = 0; i < 35; ++i) {
    offers += of(solo.tick(), MessageType::snapshot).size();
    solo.step(solo.from(2, MessageType::heartbeat_reply, solo.core().term()));
  }
  EXPECT_EQ(offers, 1U);
}

TEST(SnapshotTest, MembersThatAreGoneDoNotPinTheLog) {
  CompactedLeader solo{snapshot_at(15, 1)};
  EXPECT_EQ(solo.core().needed_from(), 1U) << "node 3 has not answered yet";
  for (int i = 0; i < 45; ++i) {
    solo.tick();
    solo.step(solo.from(2, MessageType::heartbeat_reply, solo.core().term()));
  }
  EXPECT_EQ(solo.core().needed_from(), 22U);
}

// --- follower ---

TEST(SnapshotTest, TheOldStateCountsUntilTheSwitchIsStored) {
  Solo solo;
  solo.step(solo.append(2, 1, 0, 0, {1, 1, 1}, 2));
  solo.cluster[1].disk_waits = true;
  solo.cluster[1].pulls = false;
  const SnapshotMeta snapshot = snapshot_at(10, 1);
  solo.step(offer(solo, 2, 1, snapshot));
  ASSERT_EQ(solo.cluster[1].offers.size(), 1U);
  EXPECT_EQ(solo.status().last, 3U);
  solo.core().snapshot_received(snapshot, true);
  EXPECT_TRUE(of(solo.take(), MessageType::snapshot_reply).empty());
  EXPECT_EQ(solo.status().commit, 2U);
  EXPECT_TRUE(solo.status().installing_snapshot);
  ASSERT_TRUE(solo.cluster.store_next(1));
  const auto sent = of(solo.take(), MessageType::snapshot_reply);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].index, 10U);
  EXPECT_EQ(solo.status().commit, 10U);
  EXPECT_EQ(solo.status().applied, 10U);
  EXPECT_EQ(solo.status().first, 11U);
}

TEST(SnapshotTest, NothingIsAppendedOrCampaignedWhileItIsInstalled) {
  Solo solo;
  solo.cluster[1].disk_waits = true;
  solo.step(offer(solo, 2, 1, snapshot_at(10, 1)));
  ASSERT_TRUE(solo.status().installing_snapshot);
  EXPECT_TRUE(solo.step(solo.append(2, 1, 0, 0, {1})).empty());
  solo.tick(300);
  EXPECT_EQ(solo.core().role(), CoreRole::follower);
  Message request = solo.from(3, MessageType::vote, 5);
  request.index = 9;
  request.log_term = 1;
  solo.step(request);
  EXPECT_FALSE(solo.status().vote) << "a candidate behind the snapshot lacks committed entries";
  request.index = 10;
  solo.step(request);
  EXPECT_EQ(solo.status().vote, node(3));
}

// Bug S6: a crash in the middle leaves the old state, whole.
TEST(SnapshotTest, ACrashBeforeTheSwitchLeavesTheOldLog) {
  Solo solo;
  solo.step(solo.append(2, 1, 0, 0, {1, 1, 1}, 2));
  solo.cluster[1].disk_waits = true;
  solo.step(offer(solo, 2, 1, snapshot_at(10, 1)));
  solo.cluster.restart(1);
  EXPECT_EQ(solo.status().last, 3U);
  EXPECT_EQ(solo.status().applied, 2U);
  EXPECT_FALSE(solo.status().installing_snapshot);
}

TEST(SnapshotTest, AnOfferThatIsBeingPulledIsNotPulledTwice) {
  Solo solo;
  solo.cluster[1].pulls = false;
  solo.step(offer(solo, 2, 1, snapshot_at(10, 1)));
  solo.step(offer(solo, 2, 1, snapshot_at(10, 1)));
  EXPECT_EQ(solo.cluster[1].offers.size(), 1U);
  solo.step(offer(solo, 3, 2, snapshot_at(12, 1, "other")));
  EXPECT_EQ(solo.cluster[1].offers.size(), 2U) << "another leader's snapshot replaces it";
  solo.core().snapshot_received(snapshot_at(10, 1), true);
  solo.take();
  EXPECT_EQ(solo.status().commit, 0U) << "the old pull came too late";
}

TEST(SnapshotTest, AFailedPullIsReported) {
  Solo solo;
  solo.cluster[1].pulls = false;
  solo.step(offer(solo, 2, 1, snapshot_at(10, 1)));
  solo.core().snapshot_received(snapshot_at(10, 1), false);
  const auto sent = of(solo.take(), MessageType::snapshot_reply);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_TRUE(sent[0].reject);
  solo.step(offer(solo, 2, 1, snapshot_at(10, 1)));
  EXPECT_EQ(solo.cluster[1].offers.size(), 2U);
}

TEST(SnapshotTest, ALogThatCaughtUpMeanwhileIsKept) {
  Solo solo;
  solo.cluster[1].pulls = false;
  solo.step(offer(solo, 2, 1, snapshot_at(3, 1)));
  solo.step(solo.append(2, 1, 0, 0, {1, 1, 1, 1}, 1));
  solo.core().snapshot_received(snapshot_at(3, 1), true);
  const auto sent = of(solo.take(), MessageType::snapshot_reply);
  EXPECT_EQ(solo.status().last, 4U);
  EXPECT_EQ(solo.status().commit, 3U);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].index, 3U);
}

TEST(SnapshotTest, EntriesNotYetWrittenAreReplacedWithTheLog) {
  Solo solo;
  solo.take();
  solo.cluster[1].pulls = false;
  solo.step(offer(solo, 2, 2, snapshot_at(10, 2)));
  solo.step_only(solo.append(2, 2, 0, 0, {1, 1}));
  solo.core().snapshot_received(snapshot_at(10, 2), true);
  const auto sent = solo.take();
  EXPECT_TRUE(of(sent, MessageType::append_reply).empty()) << "they will never be stored";
  EXPECT_EQ(solo.cluster[1].disk.first_index(), 11U);
  EXPECT_EQ(solo.status().last, 10U);
}

TEST(SnapshotTest, AMalformedOfferIsDropped) {
  Solo solo;
  solo.step(offer(solo, 2, 1, snapshot_at(0, 1)));
  solo.step(offer(solo, 2, 1, snapshot_at(10, 9)));
  SnapshotMeta nobody = snapshot_at(10, 1);
  nobody.membership = Membership{};
  solo.step(offer(solo, 2, 1, nobody));
  EXPECT_EQ(solo.core().strangers_dropped(), 3U);
  EXPECT_TRUE(solo.cluster[1].offers.empty());
}

}  // namespace
}  // namespace mainstay::consensus::testing
