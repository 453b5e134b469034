#include "actors/storage/chunk_window.hpp"

#include <gtest/gtest.h>

namespace mainstay::storage {
namespace {

MonotonicTime at(int millis) {
  return MonotonicTime{Millis{millis}};
}

consensus::SnapshotMeta snapshot_of(std::uint64_t bytes) {
  consensus::SnapshotMeta snapshot;
  snapshot.id = "s";
  snapshot.bytes = bytes;
  return snapshot;
}

wire::SnapshotChunk chunk(std::uint64_t offset, std::size_t bytes) {
  wire::SnapshotChunk made;
  made.id = "s";
  made.offset = offset;
  made.data = Bytes{std::string(bytes, 'x')};
  return made;
}

const ChunkWindowOptions small{10, 2, Millis{100}, Millis{1000}};
constexpr NodeId source{2};

TEST(ChunkWindowTest, AsksAsMuchAsItsCreditsAllow) {
  ChunkWindow window{snapshot_of(35), source, 0, at(0), small};
  auto wanted = window.requests();
  ASSERT_EQ(wanted.size(), 2u);
  EXPECT_EQ(wanted[1].offset, 10u);
  EXPECT_TRUE(window.requests().empty());
  window.staged(10, at(1));
  wanted = window.requests();
  ASSERT_EQ(wanted.size(), 1u);
  EXPECT_EQ(wanted[0].offset, 20u);
}

TEST(ChunkWindowTest, TakesOnlyTheNextPieceFromItsSource) {
  ChunkWindow window{snapshot_of(35), source, 10, at(0), small};
  window.requests();
  EXPECT_TRUE(window.expects(source, chunk(10, 10)));
  EXPECT_FALSE(window.expects(source, chunk(20, 10)));
  EXPECT_FALSE(window.expects(NodeId{3}, chunk(10, 10)));
  EXPECT_FALSE(window.expects(source, chunk(10, 0)));
}

TEST(ChunkWindowTest, ASilentSourceIsAskedAgainFromWhatIsStaged) {
  ChunkWindow window{snapshot_of(35), source, 0, at(0), small};
  window.requests();
  window.staged(10, at(10));
  window.requests();
  EXPECT_TRUE(window.wake(at(109)));
  EXPECT_TRUE(window.requests().empty());
  EXPECT_TRUE(window.wake(at(110)));
  const auto wanted = window.requests();
  ASSERT_EQ(wanted.size(), 2u);
  EXPECT_EQ(wanted[0].offset, 10u);
}

TEST(ChunkWindowTest, WithoutProgressItGivesUp) {
  ChunkWindow window{snapshot_of(35), source, 0, at(0), small};
  EXPECT_TRUE(window.wake(at(999)));
  EXPECT_FALSE(window.wake(at(1000)));
}

TEST(ChunkWindowTest, IsCompleteWithTheLastByte) {
  ChunkWindow window{snapshot_of(15), source, 10, at(0), small};
  EXPECT_FALSE(window.complete());
  window.staged(5, at(1));
  EXPECT_TRUE(window.complete());
  EXPECT_TRUE(window.requests().empty());
}

}  // namespace
}  // namespace mainstay::storage
