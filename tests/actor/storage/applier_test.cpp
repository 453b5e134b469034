#include "actors/storage/applier.hpp"

#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "actors/storage/copier.hpp"
#include "actors/storage/log_writer.hpp"
#include "tests/actor/storage/storage_fixture.hpp"

namespace mainstay::storage {
namespace {

using namespace std::chrono_literals;

class ApplierTest : public StorageTest {
 protected:
  void start(std::uint64_t snapshot_entries = 1'000'000, std::uint64_t bytes_max = 512ULL << 20,
             NodeId node = NodeId{1}) {
    writer = spawn<LogWriter>(store->log(), metrics, board, listeners, fatal());
    if (!copier) copier = spawn<Copier>(store->records(), listeners);
    ApplierOptions options;
    options.node = node;
    options.boot = BootId{7};
    options.membership = one_member();
    options.compaction = policy_for(snapshot_entries);
    options.compaction.bytes_max = bytes_max;
    options.sync_every = 100ms;
    options.log_writer = writer;
    options.copier = copier;
    applier = spawn<Applier>(options, store->records(), metrics, board, listeners, fatal());
    settle();
  }

  void log_and_apply(consensus::Index from, consensus::Index to, std::uint64_t origin = 1,
                     std::uint64_t boot = 7) {
    for (consensus::Index i = from; i <= to; ++i) {
      const consensus::Entry entry = put_entry(i, NodeId{origin}, BootId{boot});
      tell(writer, persist_of(i, {entry}));
      tell(applier, ApplyEntries{{entry}});
    }
    settle();
  }

  caf::actor writer;
  caf::actor copier;
};

TEST_F(ApplierTest, WhatIsQueuedIsAppliedInOneGoAndToldOnce) {
  start();
  log_and_apply(1, 5);
  ASSERT_EQ(applied.size(), 1u);
  EXPECT_EQ(applied[0].index, 5u);
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_EQ(outcomes[0].index, 5u);
  EXPECT_EQ(outcomes[0].term, 1u);
  EXPECT_FALSE(outcomes[0].jumped);
  ASSERT_EQ(outcomes[0].outcomes.size(), 5u);
  EXPECT_EQ(outcomes[0].outcomes[4].sequence, 5u);
  EXPECT_EQ(board->applied, 5u);
  EXPECT_EQ(board->revision, 5u);
}

TEST_F(ApplierTest, ARestartedApplierShowsWhatTheRecordsSay) {
  start();
  log_and_apply(1, 5);
  stop(applier);
  board = std::make_shared<Board>();
  start();
  EXPECT_EQ(board->applied, 5u);
  EXPECT_EQ(board->revision, 5u);
}

TEST_F(ApplierTest, OutcomesOfOthersAreNotOurs) {
  start();
  log_and_apply(1, 1, 2, 7);
  log_and_apply(2, 2, 1, 8);  // an earlier boot of this node
  for (const OwnOutcomes& event : outcomes) EXPECT_TRUE(event.outcomes.empty());
  EXPECT_EQ(board->applied, 2u);
}

TEST_F(ApplierTest, ACheckEntryGivesTheStateHash) {
  start();
  log_and_apply(1, 1);
  consensus::Entry check;
  check.index = 2;
  check.term = 1;
  check.kind = consensus::EntryKind::check;
  tell(applier, ApplyEntries{{check}});
  settle();
  ASSERT_EQ(applied.back().checks.size(), 1u);
  EXPECT_EQ(applied.back().checks[0].index, 2u);
  EXPECT_NE(applied.back().checks[0].hash, Hash128{});
}

TEST_F(ApplierTest, ASnapshotIsMadeAndTheLogForgottenBehindIt) {
  start(100);
  log_and_apply(1, 200);
  run_for(500ms);
  EXPECT_EQ(failures, std::vector<std::string>{});
  EXPECT_GE(metrics.snapshots_made.value(), 1);
  const consensus::SnapshotMeta snapshot = store->log().snapshot();
  EXPECT_EQ(snapshot.index, 200u);
  EXPECT_EQ(snapshot.membership, one_member());
  EXPECT_EQ(store->log().first_index(), 191u);  // a tenth of the hundred is kept
}

TEST_F(ApplierTest, LargeEntriesDoNotFillTheLog) {
  start(1'000'000, 20'000);
  log_and_apply(1, 200);
  run_for(500ms);
  EXPECT_EQ(failures, std::vector<std::string>{});
  EXPECT_EQ(store->log().snapshot().index, 200u);
  EXPECT_GT(store->log().first_index(), 180u);
}

TEST_F(ApplierTest, AMemberThatHoldsTheLogCausesOneSnapshotOnly) {
  start(100);
  board->needed_from = 1;
  log_and_apply(1, 250);
  run_for(2000ms);
  EXPECT_EQ(metrics.snapshots_made.value(), 1);
  EXPECT_EQ(store->log().first_index(), 51u);
  board->needed_from = 231;  // it caught up, the log goes on without another copy
  run_for(500ms);
  EXPECT_EQ(metrics.snapshots_made.value(), 1);
  EXPECT_EQ(store->log().first_index(), 231u);
}

// A copier of the test: it answers when the test says so.
TEST_F(ApplierTest, ApplyingGoesOnDuringACopyAndTheSnapshotHasTheMembershipOfItsEntry) {
  testing::Inbox<CopySnapshot> slow{*this};
  copier = slow.handle();
  start(100);
  log_and_apply(1, 150);
  run_for(200ms);
  ASSERT_EQ(slow.take<CopySnapshot>().size(), 1u);
  auto copied = store->records().copy_snapshot();
  ASSERT_TRUE(copied);
  EXPECT_EQ(copied->index, 150u);

  consensus::Entry change;
  change.index = 151;
  change.term = 1;
  change.kind = consensus::EntryKind::membership;
  consensus::Membership next = one_member();
  consensus::Member second;
  second.id = NodeId{2};
  next.members.push_back(second);
  change.membership = std::make_shared<const consensus::Membership>(next);
  tell(writer, persist_of(151, {change}));
  tell(applier, ApplyEntries{{change}});
  log_and_apply(152, 400);
  run_for(500ms);
  EXPECT_EQ(board->applied, 400u);
  EXPECT_TRUE(slow.take<CopySnapshot>().empty()) << "one copy at a time";
  EXPECT_EQ(metrics.snapshots_made.value(), 0);

  tell(applier, SnapshotCopied{std::move(copied)});
  settle();
  EXPECT_EQ(failures, std::vector<std::string>{});
  EXPECT_EQ(store->log().snapshot().index, 150u);
  EXPECT_EQ(store->log().snapshot().membership, one_member()) << "not the one of entry 151";
  EXPECT_EQ(store->log().first_index(), 141u) << "nothing that the snapshot lacks is forgotten";

  run_for(200ms);
  ASSERT_EQ(slow.take<CopySnapshot>().size(), 1u) << "the log has grown long again";
  tell(applier, SnapshotCopied{store->records().copy_snapshot()});
  settle();
  EXPECT_EQ(store->log().snapshot().index, 400u);
  EXPECT_EQ(store->log().snapshot().membership, next);
}

TEST_F(ApplierTest, ACopyThatGaveWayIsTriedAgainLater) {
  testing::Inbox<CopySnapshot> slow{*this};
  copier = slow.handle();
  start(100);
  log_and_apply(1, 150);
  run_for(200ms);
  ASSERT_EQ(slow.take<CopySnapshot>().size(), 1u);
  tell(applier, SnapshotCopied{fail(Errc::busy, "gave way")});
  run_for(500ms);
  EXPECT_TRUE(slow.take<CopySnapshot>().empty());
  log_and_apply(151, 250);
  run_for(200ms);
  EXPECT_EQ(slow.take<CopySnapshot>().size(), 1u);
  EXPECT_EQ(failures, std::vector<std::string>{});
}

TEST_F(ApplierTest, AnotherNodeCopiesAtAnotherTime) {
  start(100, 512ULL << 20, NodeId{7});
  log_and_apply(1, 120);
  run_for(500ms);
  EXPECT_EQ(metrics.snapshots_made.value(), 0);
  log_and_apply(121, 150);
  run_for(500ms);
  EXPECT_EQ(metrics.snapshots_made.value(), 1);
}

// Otherwise two of them would be a majority of three and throw the healthy one out.
TEST_F(ApplierTest, DamagedNodesAgreeWithNobody) {
  consensus::Entry check;
  check.index = check.term = 1;
  check.kind = consensus::EntryKind::check;
  TestStore second{2};
  TestStore third{3};
  std::vector<TestStore*> stores{&store, &second, &third};
  for (std::size_t i = 0; i < stores.size(); ++i) {
    ApplierOptions options;
    options.node = NodeId{i + 1};
    options.membership = one_member();
    const auto shown = std::make_shared<Board>();
    shown->damaged = i != 0;
    const auto one =
        spawn<Applier>(options, (*stores[i])->records(), metrics, shown, listeners, fatal());
    settle();
    tell(one, ApplyEntries{{check}});
    settle();
    stop(one);
  }
  std::set<Hash128> hashes;
  for (const AppliedUpTo& event : applied) hashes.insert(event.checks.at(0).hash);
  EXPECT_EQ(applied.size(), 3u);
  EXPECT_EQ(hashes.size(), 3u);
}

// The log of a node that installed a snapshot begins behind it, and the snapshot's file is gone.
TEST_F(ApplierTest, ALeaderMakesTheSnapshotThatAMemberCannotDoWithout) {
  start();
  TestStore maker{2};
  std::vector<consensus::Entry> entries;
  for (consensus::Index i = 1; i <= 40; ++i) entries.push_back(put_entry(i, NodeId{2}, BootId{7}));
  ASSERT_TRUE(maker->records().apply(entries));
  const consensus::SnapshotMeta made = *maker->records().make_snapshot(one_member());
  const auto data = maker->records().read_snapshot_chunk(made.id, 0, made.bytes);
  ASSERT_TRUE(store->records().stage_chunk(made, 0, *data));
  ASSERT_TRUE(store->records().finish_staging(made));
  WritePersist install;
  install.persist.mark = {1, 1, 40};
  install.persist.snapshot = made;
  tell(writer, std::move(install));
  settle();
  tell(applier, InstallSnapshot{made});
  run_for(500ms);
  ASSERT_EQ(failures, std::vector<std::string>{});
  ASSERT_EQ(store->log().first_index(), 41u);
  ASSERT_EQ(store->log().snapshot().index, 0u);

  board->snapshot_wanted = true;
  run_for(1000ms);
  EXPECT_EQ(store->log().snapshot().index, 40u);
  EXPECT_EQ(store->log().first_index(), 41u);
  EXPECT_EQ(metrics.snapshots_made.value(), 1) << "one is enough, even if the wish stays";
}

TEST_F(ApplierTest, AShortLogIsLeftAlone) {
  start(1000);
  log_and_apply(1, 200);
  run_for(500ms);
  EXPECT_EQ(metrics.snapshots_made.value(), 0);
  EXPECT_EQ(store->log().first_index(), 1u);
}

TEST_F(ApplierTest, ASnapshotThatTheDiskDoesNotTakeIsFatal) {
  start(100);
  std::filesystem::remove_all(store.path() / "snapshots");
  std::ofstream{store.path() / "snapshots"} << "in the way";
  log_and_apply(1, 200);
  run_for(150ms);
  EXPECT_FALSE(failures.empty());
}

TEST_F(ApplierTest, AStoreThatCannotApplyIsFatal) {
  start();
  consensus::Entry damaged = put_entry(1, NodeId{1}, BootId{7});
  damaged.payload = Bytes{std::string("nonsense")};
  tell(applier, ApplyEntries{{damaged}});
  settle();
  EXPECT_EQ(failures.size(), 1u);
  EXPECT_TRUE(applied.empty());
}

}  // namespace
}  // namespace mainstay::storage
