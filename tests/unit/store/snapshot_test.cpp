// A snapshot's way: made on one node, pulled in chunks by another, verified, switched to, whatever
// is interrupted.
#include <atomic>
#include <cerrno>
#include <thread>

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/record/state_hash.hpp"
#include "runtime/sys/file.hpp"
#include "tests/unit/store/store_fixture.hpp"

namespace {
std::atomic<int> syncs_that_work{-1};  // -1: all
}

// In the place of the C library's.
extern "C" int fdatasync(int descriptor) {
  if (syncs_that_work != 0) {
    if (syncs_that_work > 0) --syncs_that_work;
    return static_cast<int>(::syscall(SYS_fdatasync, descriptor));
  }
  errno = EIO;
  return -1;
}

namespace mainstay::store {
namespace {

namespace fs = std::filesystem;
using consensus::Index;
using consensus::Persist;
using consensus::SnapshotMeta;

constexpr std::size_t chunk = 10'000;

class SnapshotTest : public StoreTest {
 protected:
  // node_ receives; maker_ has applied 20 entries.
  SnapshotTest() {
    formed();
    maker_ = make_node("maker", test_cluster);
    for (Index index = 1; index <= 20; ++index)
      advance(*maker_, batch_entry(index, 2,
                                   {put("op" + std::to_string(index), "k" + std::to_string(index),
                                        std::string(3000, 'v'))}));
    made_ = maker_->records().make_snapshot(members({1, 2})).value();
  }

  std::unique_ptr<NodeStore> make_node(const std::string& name, ClusterId cluster) {
    StoreOptions options = test_options(directory_.path() / name);
    options.node = NodeId{2};
    auto node = NodeStore::open(options, random_).value();
    EXPECT_TRUE(node->form(cluster, members({1, 2, 3})));
    return node;
  }

  static void advance(NodeStore& node, const consensus::Entry& entry) {
    const Persist persist = appends({entry});
    ASSERT_TRUE(node.log().write({&persist}));
    ASSERT_TRUE(node.records().apply({&entry, 1}));
  }

  // Pulls up to `limit` bytes, going on where an earlier pull ended.
  void pull(std::uint64_t limit = 1 << 30) {
    for (std::uint64_t at = records().staged_bytes(made_.id); at < std::min(made_.bytes, limit);) {
      const std::string data = maker_->records().read_snapshot_chunk(made_.id, at, chunk).value();
      ASSERT_TRUE(records().stage_chunk(made_, at, data));
      at += data.size();
    }
  }

  void stage() {
    pull();
    const auto finished = records().finish_staging(made_);
    ASSERT_TRUE(finished) << to_string(finished.error());
  }

  void switch_log() {
    Persist persist;
    persist.snapshot = made_;
    ASSERT_TRUE(write(persist));
  }

  void expect_old_state() {
    EXPECT_EQ(records().applied(), 0U);
    EXPECT_EQ(value_of("k1"), std::nullopt);
    EXPECT_FALSE(fs::exists(part("records.next")));
    EXPECT_FALSE(fs::exists(part("records.old")));
  }

  void expect_new_state() {
    EXPECT_EQ(records().applied(), 20U);
    EXPECT_EQ(records().durable_applied(), 20U);
    EXPECT_EQ(value_of("k1"), std::string(3000, 'v'));
    EXPECT_EQ(value_of("k20"), std::string(3000, 'v'));
    EXPECT_EQ(log().first_index(), 21U);
    EXPECT_EQ(log().start_membership(), members({1, 2}));
    EXPECT_TRUE(records().scrub());
    EXPECT_EQ(records().read().value()->state().counters(),
              maker_->records().read().value()->state().counters());
    EXPECT_FALSE(fs::exists(part("records.next")));
    EXPECT_FALSE(fs::exists(part("records.old")));
  }

  fs::path part(const std::string& name) const { return options_.directory / name; }

  std::unique_ptr<NodeStore> maker_;
  SnapshotMeta made_;
};

TEST_F(SnapshotTest, DescribesItself) {
  EXPECT_EQ(made_.index, 20U);
  EXPECT_EQ(made_.term, 2U);
  EXPECT_EQ(made_.membership, members({1, 2}));
  const std::string file =
      read_whole(directory_.path() / "maker" / "snapshots" / (made_.id + ".snap"));
  EXPECT_EQ(made_.bytes, file.size());
  EXPECT_EQ(made_.checksum, xxh3_128(file));
  EXPECT_EQ(node_->records().make_snapshot(members({1})).error().code, Errc::conflict)
      << "nothing applied yet";
}

TEST_F(SnapshotTest, ReplacesTheStateOfTheReceiver) {
  stage();
  EXPECT_EQ(value_of("k1"), std::nullopt) << "staging changes nothing yet";
  switch_log();
  ASSERT_TRUE(records().install(made_));
  expect_new_state();
  advance(*node_, batch_entry(21, 3, {put("op21", "k21", "21")}));
  EXPECT_EQ(value_of("k21"), "21");
  reopen();
  EXPECT_EQ(value_of("k21"), "21");
  EXPECT_EQ(records().applied(), 21U);
}

TEST_F(SnapshotTest, IsPulledOnWhereItWasInterrupted) {
  pull(made_.bytes / 2);
  const std::uint64_t staged = records().staged_bytes(made_.id);
  EXPECT_GE(staged, made_.bytes / 2);
  reopen();
  EXPECT_EQ(records().staged_bytes(made_.id), staged);
  stage();
  switch_log();
  ASSERT_TRUE(records().install(made_));
  expect_new_state();
}

// Whole when this life begins: the sync of an earlier one may have failed, and the bytes may be in
// the page cache only, where the next sync finds nothing to write.
TEST_F(SnapshotTest, AWholePartOfAnEarlierLifeIsFetchedAgain) {
  pull();
  reopen();
  EXPECT_EQ(records().staged_bytes(made_.id), made_.bytes);
  EXPECT_EQ(records().finish_staging(made_).error().code, Errc::conflict);
  EXPECT_EQ(records().staged_bytes(made_.id), 0U);
  stage();
  switch_log();
  ASSERT_TRUE(records().install(made_));
  expect_new_state();
}

// The same disk that fails the sync may refuse to remove the file.
TEST_F(SnapshotTest, APartThatCouldNotBeSyncedIsNotTrustedAgain) {
  pull();
  const fs::path file = part("snapshots") / (made_.id + ".part");
  const std::string whole = read_whole(file);
  syncs_that_work = 0;
  EXPECT_FALSE(records().finish_staging(made_));
  syncs_that_work = -1;
  write_whole(file, whole);
  EXPECT_EQ(records().finish_staging(made_).error().code, Errc::conflict);
  EXPECT_EQ(records().staged_bytes(made_.id), 0U);
  stage();
}

TEST_F(SnapshotTest, ChunksComeInOrderAndWithinBounds) {
  EXPECT_EQ(records().stage_chunk(made_, 5, "x").error().code, Errc::invalid_argument);
  EXPECT_EQ(records().stage_chunk(made_, 0, std::string(made_.bytes + 1, 'x')).error().code,
            Errc::invalid_argument);
  ASSERT_TRUE(records().stage_chunk(made_, 0, "abc"));
  EXPECT_EQ(records().stage_chunk(made_, 0, "abc").error().code, Errc::invalid_argument);
  EXPECT_EQ(records().finish_staging(made_).error().code, Errc::invalid_argument)
      << "not all of it is there";
  EXPECT_EQ(records().staged_bytes(made_.id), 3U);
  SnapshotMeta newer = made_;
  newer.id = "other";
  ASSERT_TRUE(records().stage_chunk(newer, 0, "abc"));
  EXPECT_EQ(records().staged_bytes(made_.id), 0U) << "only one snapshot is received at a time";
}

TEST_F(SnapshotTest, IdsNameNothingOutsideTheirDirectory) {
  for (const char* id : {"../identity", "/etc/passwd", "", "a/b", "a.b", "A"}) {
    EXPECT_EQ(records().read_snapshot_chunk(id, 0, 10).error().code, Errc::invalid_argument) << id;
    SnapshotMeta meta = made_;
    meta.id = id;
    EXPECT_EQ(records().stage_chunk(meta, 0, "x").error().code, Errc::invalid_argument) << id;
    EXPECT_EQ(records().staged_bytes(id), 0U);
  }
  EXPECT_EQ(maker_->records().read_snapshot_chunk("no-such", 0, 10).error().code, Errc::not_found);
  EXPECT_EQ(maker_->records().read_snapshot_chunk(made_.id, made_.bytes + 1, 10).error().code,
            Errc::invalid_argument);
  EXPECT_EQ(maker_->records().read_snapshot_chunk(made_.id, made_.bytes, 10).value(), "");
}

TEST_F(SnapshotTest, ADamagedCopyIsThrownAway) {
  pull();
  auto file =
      sys::File::open(part("snapshots") / (made_.id + ".part"), sys::File::Mode::write).value();
  ASSERT_TRUE(file.write_at(made_.bytes / 2, "\x7f damage"));
  EXPECT_EQ(records().finish_staging(made_).error().code, Errc::corrupt);
  EXPECT_EQ(records().staged_bytes(made_.id), 0U);
  expect_old_state();
}

TEST_F(SnapshotTest, ABrokenPromiseIsThrownAway) {
  pull();
  SnapshotMeta promised = made_;
  promised.index = 19;
  EXPECT_EQ(records().finish_staging(promised).error().code, Errc::corrupt);
  expect_old_state();
}

TEST_F(SnapshotTest, AnotherClustersSnapshotIsRefused) {
  maker_ = make_node("stranger", ClusterId{{8, 8}});
  advance(*maker_, noop(1, 1));
  made_ = maker_->records().make_snapshot(members({1})).value();
  pull();
  EXPECT_EQ(records().finish_staging(made_).error().code, Errc::wrong_cluster);
  expect_old_state();
}

TEST_F(SnapshotTest, FinishingTwiceIsFine) {
  stage();
  EXPECT_TRUE(records().finish_staging(made_));
}

// --- a crash at every step of the switch ---

TEST_F(SnapshotTest, CrashAfterStagingKeepsTheOldState) {
  stage();
  reopen();
  expect_old_state();
}

TEST_F(SnapshotTest, CrashAfterTheLogsRestartFinishesTheInstallation) {
  stage();
  switch_log();
  reopen();
  expect_new_state();
  reopen();
  expect_new_state();
}

TEST_F(SnapshotTest, CrashBetweenTheRenamesFinishesTheInstallation) {
  stage();
  switch_log();
  close();
  fs::rename(part("records"), part("records.old"));
  open();
  expect_new_state();
}

TEST_F(SnapshotTest, CrashAfterTheRenamesFinishesTheInstallation) {
  stage();
  switch_log();
  close();
  fs::rename(part("records"), part("records.old"));
  fs::rename(part("records.next"), part("records"));
  open();
  expect_new_state();
}

TEST_F(SnapshotTest, ARestartedLogWithoutItsStagedSnapshotIsRefused) {
  stage();
  switch_log();
  close();
  fs::remove_all(part("records.next"));
  const Error error = refused();
  EXPECT_EQ(error.code, Errc::corrupt);
  EXPECT_NE(error.message.find("end at entry 0, but the log starts behind entry 20"),
            std::string::npos)
      << error.message;
}

// --- views, space, housekeeping ---

TEST_F(SnapshotTest, InstallationWaitsForOpenViews) {
  stage();
  switch_log();
  auto view = records().read().value();
  std::thread reader{[&view] {
    EXPECT_EQ(view->state().counters().applied_index, 0U);
    view.reset();
  }};
  EXPECT_TRUE(records().install(made_));
  reader.join();
  expect_new_state();
}

TEST_F(SnapshotTest, InstallationGivesUpOnAViewThatStays) {
  options_.view_wait_ms = 1;
  reopen();
  stage();
  switch_log();
  const auto view = records().read().value();
  EXPECT_EQ(records().install(made_).error().code, Errc::busy);
  EXPECT_EQ(view->state().counters().applied_index, 0U);
  EXPECT_TRUE(records().read()) << "the old state is still there";
}

TEST_F(SnapshotTest, AFailedSwitchLeavesNobodyWaiting) {
  stage();
  switch_log();
  syncs_that_work = 2;  // those of looking at what is staged: its checkpoint and its header pages
  const auto installed = records().install(made_);
  syncs_that_work = -1;
  ASSERT_FALSE(installed);
  const auto view = records().read();
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().code, Errc::io_error) << "and not busy, after a wait for nothing";
}

TEST_F(SnapshotTest, NothingIsInstalledThatWasNotStaged) {
  EXPECT_FALSE(records().install(made_));
  expect_old_state();
}

// After a failed sync the page cache may hold what the disk does not: what is read back proves
// nothing, and a second sync that succeeds neither.
TEST_F(SnapshotTest, WhatCouldNotBeSyncedIsNotThereAnyMore) {
  pull();
  syncs_that_work = 0;
  const auto finished = records().finish_staging(made_);
  syncs_that_work = -1;
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().code, Errc::io_error);
  EXPECT_EQ(records().staged_bytes(made_.id), 0U);
  EXPECT_FALSE(records().finish_staging(made_));
  stage();
}

TEST_F(SnapshotTest, TheReserveOfTheDiskIsKept) {
  options_.free_bytes_min = 100;
  options_.free_bytes_resume = 100;
  options_.free_bytes = [this](const fs::path&) { return Result<std::uint64_t>{made_.bytes + 99}; };
  reopen();
  EXPECT_EQ(records().stage_chunk(made_, 0, "x").error().code, Errc::storage_full);
  advance(*node_, noop(1, 1));
  options_.free_bytes = [](const fs::path&) { return Result<std::uint64_t>{0}; };
  reopen();
  EXPECT_EQ(records().make_snapshot(members({1})).error().code, Errc::storage_full);
}

TEST_F(SnapshotTest, OnlyTheNewestFilesAreKept) {
  std::vector<SnapshotMeta> all{made_};
  for (Index index = 21; index <= 23; ++index) {
    advance(*maker_, noop(index, 2));
    all.push_back(maker_->records().make_snapshot(members({1})).value());
  }
  ASSERT_TRUE(maker_->records().prune_snapshots(2));
  EXPECT_FALSE(maker_->records().holds_snapshot(all[0].id));
  EXPECT_FALSE(maker_->records().holds_snapshot(all[1].id));
  EXPECT_TRUE(maker_->records().holds_snapshot(all[2].id));
  EXPECT_TRUE(maker_->records().holds_snapshot(all[3].id));
}

TEST_F(SnapshotTest, AFileThatAPeerFetchesIsKept) {
  for (Index index = 21; index <= 23; ++index) {
    advance(*maker_, noop(index, 2));
    ASSERT_TRUE(maker_->records().make_snapshot(members({1})));
  }
  ASSERT_TRUE(maker_->records().prune_snapshots(2, made_.index));
  EXPECT_TRUE(maker_->records().holds_snapshot(made_.id));
  ASSERT_TRUE(maker_->records().prune_snapshots(2));
  EXPECT_FALSE(maker_->records().holds_snapshot(made_.id));
}

TEST_F(SnapshotTest, AnOfferWhoseFileIsGoneIsForgotten) {
  advance(*node_, noop(1, 1));
  const SnapshotMeta offered = records().make_snapshot(members({1})).value();
  ASSERT_TRUE(log().set_snapshot(offered));
  reopen();
  EXPECT_EQ(log().snapshot(), offered);
  ASSERT_TRUE(records().prune_snapshots(0));
  reopen();
  EXPECT_EQ(log().snapshot(), SnapshotMeta{});
}

}  // namespace
}  // namespace mainstay::store
