#include <gtest/gtest.h>

#include "tests/actor/storage/storage_fixture.hpp"

namespace mainstay::storage {
namespace {

using namespace std::chrono_literals;

// Node 1 holds a snapshot, node 2 fetches it; `lose` says which frames get lost between them.
class SnapshotsTest : public StorageTest {
 protected:
  SnapshotsTest() {
    std::vector<consensus::Entry> entries;
    // More than one window of chunks.
    for (consensus::Index i = 1; i <= 8000; ++i)
      entries.push_back(put_entry(i, NodeId{1}, BootId{7}));
    const auto result = store->records().apply(entries);
    EXPECT_TRUE(result);
    snapshot = *store->records().make_snapshot(one_member());
    EXPECT_GT(snapshot.bytes, 6 * limits::snapshot_chunk_bytes);

    auto from_source = std::make_shared<Listeners>();
    from_source->send = [this](NodeId, wire::Body body) { carry(1, target, std::move(body)); };
    source = spawn<Snapshots>(*store, metrics, board, from_source, fatal());
    listeners->send = [this](NodeId, wire::Body body) { carry(2, source, std::move(body)); };
    target = spawn<Snapshots>(*other, metrics, board, listeners, fatal());
    settle();
  }

  void carry(std::uint64_t from, const caf::actor& to, wire::Body body) {
    ++frames;
    if (lose && lose(frames)) return;
    wire::Frame frame;
    frame.from = NodeId{from};
    frame.body = std::move(body);
    tell(to, peer_link::FrameReceived{std::move(frame)});
  }

  TestStore other{2};
  consensus::SnapshotMeta snapshot;
  caf::actor source;
  caf::actor target;
  int frames = 0;
  std::function<bool(int)> lose;
};

TEST_F(SnapshotsTest, FetchesStagesAndVerifies) {
  tell(target, PullSnapshot{snapshot, NodeId{1}});
  settle();
  ASSERT_EQ(pulled.size(), 1u);
  EXPECT_TRUE(pulled[0].ok);
  ASSERT_TRUE(other->records().install(snapshot));
  EXPECT_EQ(other->records().applied(), 8000u);
  EXPECT_TRUE(other->records().scrub());
}

TEST_F(SnapshotsTest, WhatIsBeingFetchedIsShown) {
  lose = [](int frame) { return frame > 6; };
  tell(target, PullSnapshot{snapshot, NodeId{1}});
  run_for(10s);
  EXPECT_EQ(board->serving_index, snapshot.index);
  run_for(40s);
  EXPECT_EQ(board->serving_index, 0u);
}

TEST_F(SnapshotsTest, LostChunksAreAskedForAgain) {
  lose = [](int frame) { return frame % 7 == 5; };
  tell(target, PullSnapshot{snapshot, NodeId{1}});
  run_for(30s);
  ASSERT_EQ(pulled.size(), 1u);
  EXPECT_TRUE(pulled[0].ok);
}

TEST_F(SnapshotsTest, ASourceThatIsGoneIsGivenUp) {
  lose = [](int frame) { return frame > 6; };
  tell(target, PullSnapshot{snapshot, NodeId{1}});
  run_for(14s);
  EXPECT_TRUE(pulled.empty());
  run_for(3s);
  ASSERT_EQ(pulled.size(), 1u);
  EXPECT_FALSE(pulled[0].ok);
  // What was staged counts when it is there again.
  const std::uint64_t staged = other->records().staged_bytes(snapshot.id);
  EXPECT_GT(staged, 0u);
  lose = nullptr;
  frames = 0;
  tell(target, PullSnapshot{snapshot, NodeId{1}});
  settle();
  ASSERT_EQ(pulled.size(), 2u);
  EXPECT_TRUE(pulled[1].ok);
}

TEST_F(SnapshotsTest, AnUnknownSnapshotIsRefused) {
  snapshot.id = "0000000000000001-00000001-00000000000000000000000000000000";
  tell(target, PullSnapshot{snapshot, NodeId{1}});
  settle();
  ASSERT_EQ(pulled.size(), 1u);
  EXPECT_FALSE(pulled[0].ok);
}

TEST_F(SnapshotsTest, ADiskThatFailsIsFatal) {
  // A directory in the place of the file that is to be written: open() fails, for root as well.
  std::filesystem::create_directory(other.path() / "snapshots" / (snapshot.id + ".part"));
  tell(target, PullSnapshot{snapshot, NodeId{1}});
  settle();
  ASSERT_FALSE(failures.empty());
  EXPECT_TRUE(pulled.empty());
}

TEST_F(SnapshotsTest, WatchesTheFreeSpace) {
  EXPECT_GT(board->disk_free, 0u);
  EXPECT_GT(metrics.disk_free.value(), 0);
}

}  // namespace
}  // namespace mainstay::storage
