// Replication beyond the paper: durability of acknowledgements, windows, batches, limits, races
// with the disk.
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

Bytes value(const std::string& text = "x") {
  return Bytes{text};
}

// A leader of three whose followers are known to hold everything.
struct Leading : Solo {
  explicit Leading(std::uint64_t count = 3) : Solo{count} { become(); }
  explicit Leading(const CoreOptions& options) : Solo{3} {
    cluster[1].options = options;
    cluster[1].options.id = node(1);
    cluster[1].options.incarnation = Incarnation{101};
    cluster.restart(1);
    become();
  }
  void become() {
    become_leader();
    take();
    for (const Member& peer : core().membership().members)
      if (peer.id != node(1)) step(ack(peer.id.value, 1));
  }
};

// --- acknowledgements ---

// Bug S1: what lies behind the end of the append was never compared with this leader's log.
TEST(ReplicationTest, AStaleTailIsNotAcknowledged) {
  Solo solo{3, [](MemoryLog& disk) {
              for (Term term : {1, 1, 1, 1}) disk.append(term);
              disk.hard_state.term = 1;
            }};
  auto sent = solo.step(solo.append(2, 2, 1, 1, {}));
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].index, 1U);
  EXPECT_EQ(solo.status().last, 4U) << "and it is not cut off either";
  sent = solo.step(solo.append(2, 2, 1, 1, {1}));
  EXPECT_EQ(sent[0].index, 2U);
}

// A doubled append adds nothing to store, yet what it acknowledges may still be on its way to disk.
TEST(ReplicationTest, ADoubledAppendIsNotAcknowledgedBeforeTheFirstIsStored) {
  Solo solo;
  solo.cluster[1].disk_waits = true;
  const Message append = solo.append(2, 1, 0, 0, {1, 1});
  EXPECT_TRUE(of(solo.step(append), MessageType::append_reply).empty());
  EXPECT_TRUE(of(solo.step(append), MessageType::append_reply).empty());
  ASSERT_TRUE(solo.cluster.store_next(1));
  const auto sent = of(solo.take(), MessageType::append_reply);
  ASSERT_FALSE(sent.empty());
  for (const Message& one : sent) EXPECT_EQ(one.index, 2U);
}

TEST(ReplicationTest, HeartbeatsAreAnsweredWhileTheDiskIsSlow) {
  Solo solo;
  solo.cluster[1].disk_waits = true;
  solo.step(solo.append(2, 1, 0, 0, {1}));
  EXPECT_EQ(
      of(solo.step(solo.from(2, MessageType::heartbeat, 1)), MessageType::heartbeat_reply).size(),
      1U);
}

// Bug S7: an acknowledgement belongs to the term and the leader of its append.
TEST(ReplicationTest, AnAcknowledgementKeepsTheTermOfItsAppend) {
  Solo solo;
  solo.cluster[1].disk_waits = true;
  solo.step(solo.append(2, 1, 0, 0, {1, 1}));
  solo.step(solo.append(3, 2, 0, 0, {2}));
  ASSERT_TRUE(solo.cluster.store_next(1));
  for (const Message& one : of(solo.take(), MessageType::append_reply)) {
    EXPECT_EQ(one.term, 1U);
    EXPECT_EQ(one.to, node(2));
  }
}

TEST(ReplicationTest, AppendsThatAreStoredTogetherAreAcknowledgedTogether) {
  Solo solo;
  solo.take();
  for (Index index = 0; index < 10; ++index)
    solo.step_only(solo.append(2, 1, index, index == 0 ? 0 : 1, {1}));
  const auto sent = of(solo.take(), MessageType::append_reply);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].index, 10U);
}

// --- races with the disk (etcd: async_storage_writes_append_aba_race) ---

TEST(ReplicationTest, CompletionsOfOverwrittenEntriesStoreNothing) {
  Solo solo;
  solo.cluster[1].disk_waits = true;
  solo.step(solo.append(2, 2, 0, 0, {1, 2}));  // 2@2 is being written
  solo.step(solo.append(3, 3, 1, 1, {3}));     // and overwritten by 2@3
  ASSERT_TRUE(solo.cluster.store_next(1));
  EXPECT_EQ(solo.status().stored, 1U);
  ASSERT_TRUE(solo.cluster.store_next(1));
  EXPECT_EQ(solo.status().stored, 2U);
}

TEST(ReplicationTest, NotEvenWhenTheSameEntryComesBack) {
  Solo solo;
  solo.cluster[1].disk_waits = true;
  solo.step(solo.append(2, 2, 0, 0, {1, 2}));
  solo.step(solo.append(3, 3, 1, 1, {3}));
  solo.step(solo.append(2, 4, 1, 1, {2, 4}));
  ASSERT_TRUE(solo.cluster.store_next(1));
  EXPECT_EQ(solo.status().stored, 1U) << "the disk still has 2@3 to come";
  ASSERT_TRUE(solo.cluster.store_next(1));
  EXPECT_EQ(solo.status().stored, 1U);
  ASSERT_TRUE(solo.cluster.store_next(1));
  EXPECT_EQ(solo.status().stored, 3U);
}

// A state machine must never be ahead of its own log.
TEST(ReplicationTest, OnlyStoredEntriesAreApplied) {
  Solo solo;
  solo.cluster[1].disk_waits = true;
  solo.step(solo.append(2, 1, 0, 0, {1, 1}, 2));
  EXPECT_EQ(solo.status().commit, 2U);
  EXPECT_TRUE(solo.cluster[1].applied.empty());
  ASSERT_TRUE(solo.cluster.store_next(1));
  solo.take();
  EXPECT_EQ(solo.cluster[1].applied.size(), 2U);
}

// --- batches and limits ---

TEST(ReplicationTest, ManyProposalsTravelInOneAppendAndOneWrite) {
  Leading solo;
  std::vector<Bytes> payloads(64, value());
  const auto first = solo.core().propose(payloads);
  ASSERT_TRUE(first);
  EXPECT_EQ(*first, 2U);
  ASSERT_TRUE(solo.core().propose(value()));
  solo.core().step(solo.from(2, MessageType::heartbeat_reply, 1));
  const Ready ready = solo.core().take_ready();
  EXPECT_EQ(ready.persist.entries.size(), 65U);
  const auto appends = of(ready.send_now, MessageType::append);
  ASSERT_EQ(appends.size(), 2U);
  EXPECT_EQ(appends[0].entries.size(), 65U);
}

TEST(ReplicationTest, AppendsAreLimitedInBytesButCarryAtLeastOneEntry) {
  CoreOptions options;
  options.append_bytes_max = 300;
  Leading solo{options};
  std::vector<Bytes> payloads(4, value(std::string(100, 'x')));
  payloads.push_back(value(std::string(1000, 'y')));
  ASSERT_TRUE(solo.core().propose(payloads));
  std::size_t entries = 0;
  for (const Message& one : of(solo.take(), MessageType::append)) {
    if (one.to != node(2)) continue;
    std::size_t bytes = 0;
    for (const Entry& entry : one.entries) bytes += entry.bytes();
    EXPECT_TRUE(one.entries.size() == 1 || bytes <= 300);
    entries += one.entries.size();
  }
  EXPECT_EQ(entries, 5U);
}

TEST(ReplicationTest, TheWindowOfAFollowerIsBounded) {
  CoreOptions options;
  options.inflight_appends_max = 3;
  options.append_bytes_max = 1;
  Leading solo{options};
  ASSERT_TRUE(solo.core().propose(std::vector<Bytes>(10, value())));
  const auto to_2 = [](const std::vector<Message>& messages) {
    std::size_t count = 0;
    for (const Message& one : of(messages, MessageType::append)) count += one.to == node(2) ? 1 : 0;
    return count;
  };
  EXPECT_EQ(to_2(solo.take()), 3U);
  EXPECT_EQ(to_2(solo.step(solo.ack(2, 3))), 2U) << "two were freed";
}

TEST(ReplicationTest, AFullWindowIsProbedOnceAHeartbeat) {
  CoreOptions options;
  options.inflight_appends_max = 1;
  Leading solo{options};
  ASSERT_TRUE(solo.core().propose(value()));
  solo.take();
  const auto sent =
      of(solo.step(solo.from(2, MessageType::heartbeat_reply, 1)), MessageType::append);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_TRUE(sent[0].entries.empty());
  EXPECT_EQ(sent[0].index, 2U);
}

TEST(ReplicationTest, UncommittedBytesAreBounded) {
  CoreOptions options;
  options.uncommitted_bytes_max = 1000;
  Leading solo{options};
  ASSERT_TRUE(solo.core().propose(value(std::string(900, 'x'))));
  const auto refused = solo.core().propose(value(std::string(200, 'x')));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::busy);
  solo.take();
  solo.step(solo.ack(2, 2));
  EXPECT_TRUE(solo.core().propose(value(std::string(2000, 'x'))))
      << "one large entry alone may pass";
}

TEST(ReplicationTest, OnlyLeadersTakeProposals) {
  Solo solo;
  const auto refused = solo.core().propose(value());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::not_leader);
  EXPECT_FALSE(solo.core().propose(std::vector<Bytes>{}));
}

TEST(ReplicationTest, ASlowStateMachineIsNotFloodedAndResumes) {
  CoreOptions options;
  options.apply_bytes_max = 200;
  Leading solo{options};
  solo.cluster[1].applies = false;
  const auto before = solo.cluster[1].applied.size();
  ASSERT_TRUE(solo.core().propose(std::vector<Bytes>(50, value())));
  solo.take();
  solo.step(solo.ack(2, 51));
  const auto given = solo.cluster[1].applied.size() - before;
  EXPECT_LT(given, 10U);
  solo.cluster[1].applies = true;
  solo.core().applied(solo.cluster[1].applied.back().index);
  solo.take();
  EXPECT_EQ(solo.cluster[1].applied.size(), 51U);
}

// --- refusals ---

TEST(ReplicationTest, LateRefusalsDoNotMoveAFollowerBackBelowItsMatch) {
  Leading solo;
  ASSERT_TRUE(solo.core().propose(value()));
  solo.take();
  solo.step(solo.ack(2, 2));
  Message late = solo.ack(2, 1);
  late.reject = true;
  EXPECT_TRUE(of(solo.step(late), MessageType::append).empty());
  EXPECT_EQ(solo.status().members[1].next, 3U);
}

TEST(ReplicationTest, AnAcknowledgementBeyondTheLogIsNonsense) {
  Leading solo;
  const auto before = solo.core().strangers_dropped();
  solo.step(solo.ack(2, 50));
  EXPECT_EQ(solo.core().strangers_dropped(), before + 1);
  EXPECT_EQ(solo.status().members[1].match, 1U);
}

TEST(ReplicationTest, DamagedAppendsAreDropped) {
  Solo solo;
  Message gap = solo.append(2, 1, 0, 0, {1, 1});
  gap.entries[1].index = 5;
  Message falling = solo.append(2, 3, 0, 0, {3, 2});
  Message future = solo.append(2, 1, 0, 0, {2});
  Message nameless = solo.append(2, 1, 0, 0, {1});
  nameless.entries[0].kind = EntryKind::membership;
  for (const Message& one : {gap, falling, future, nameless}) EXPECT_TRUE(solo.step(one).empty());
  EXPECT_EQ(solo.core().strangers_dropped(), 4U);
  EXPECT_EQ(solo.status().last, 0U);
}

// Old appends of the same leader must not cut what came after them, committed or not.
TEST(ReplicationTest, ReorderedAppendsCutNothing) {
  Solo solo;
  solo.step(solo.append(2, 1, 0, 0, {1, 1, 1}, 3));
  const auto sent = solo.step(solo.append(2, 1, 0, 0, {1}, 0));
  EXPECT_EQ(solo.status().last, 3U);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].index, 3U) << "the committed part is known to be equal";
}

// --- restart ---

TEST(ReplicationTest, ARestartDoesNotGiveOutWhatWasApplied) {
  Cluster cluster{1};
  cluster.await_leader();
  cluster.put(1, "a");
  cluster.put(1, "b");
  cluster.restart(1);
  cluster.await_leader();
  cluster.put(1, "c");
  EXPECT_EQ(cluster[1].values(), (std::vector<std::string>{"a", "b", "c"}));
}

TEST(ReplicationTest, EntriesInMemoryOnlyDieWithTheProcess) {
  Solo solo;
  solo.cluster[1].disk_waits = true;
  solo.step(solo.append(2, 1, 0, 0, {1, 1}));
  solo.cluster.restart(1);
  EXPECT_EQ(solo.status().last, 0U);
}

TEST(ReplicationDeathTest, AMemberThatLostAcknowledgedEntriesStops) {
  Solo solo;
  solo.step(solo.append(2, 1, 0, 0, {1}));
  Message heartbeat = solo.from(2, MessageType::heartbeat, 1);
  heartbeat.commit = 9;
  EXPECT_DEATH(solo.step(heartbeat), "lost entries that it had acknowledged");
}

TEST(ReplicationDeathTest, ASecondLeaderOfATermStopsTheProcess) {
  Leading solo;
  EXPECT_DEATH(solo.step(solo.append(2, solo.core().term(), 0, 0, {})), "two leaders");
}

}  // namespace
}  // namespace mainstay::consensus::testing
