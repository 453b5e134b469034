#include <gtest/gtest.h>

#include "tests/actor/storage/storage_fixture.hpp"

namespace mainstay::storage {
namespace {

class LogWriterTest : public StorageTest {
 protected:
  caf::actor writer = spawn<LogWriter>(store->log(), metrics, board, listeners, fatal());
};

TEST_F(LogWriterTest, WhatIsQueuedGoesIntoOneCommitAndOneAnswer) {
  const std::uint64_t before = store->log().commits();
  for (std::uint64_t i = 1; i <= 5; ++i)
    tell(writer, persist_of(i, {put_entry(i, NodeId{1}, BootId{7})}));
  settle();
  EXPECT_EQ(store->log().commits(), before + 1);
  EXPECT_EQ(persisted, std::vector<std::uint64_t>{5});
  EXPECT_EQ(store->log().last_index(), 5u);
  EXPECT_EQ(metrics.log_written_entries.value(), 5);
}

TEST_F(LogWriterTest, TheNextWaitForTheNextCommit) {
  tell(writer, persist_of(1, {put_entry(1, NodeId{1}, BootId{7})}));
  settle();
  tell(writer, persist_of(2, {put_entry(2, NodeId{1}, BootId{7})}));
  settle();
  EXPECT_EQ(persisted, (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(LogWriterTest, AFailedWriteIsFatal) {
  // A gap: the log refuses it.
  tell(writer, persist_of(1, {put_entry(9, NodeId{1}, BootId{7})}));
  settle();
  EXPECT_EQ(failures.size(), 1u);
}

TEST_F(LogWriterTest, ItForgetsTheLogUpToWhereItIsTold) {
  for (std::uint64_t i = 1; i <= 50; ++i)
    tell(writer, persist_of(i, {put_entry(i, NodeId{1}, BootId{7})}));
  consensus::SnapshotMeta snapshot;
  snapshot.index = 45;
  snapshot.term = 1;
  snapshot.membership = one_member();
  snapshot.id = "made-up";
  tell(writer, CompactLog{snapshot, 30});
  settle();
  EXPECT_EQ(failures, std::vector<std::string>{});
  EXPECT_EQ(store->log().first_index(), 31u);
  EXPECT_EQ(store->log().last_index(), 50u);
  EXPECT_EQ(store->log().snapshot().id, "made-up");
}

}  // namespace
}  // namespace mainstay::storage
