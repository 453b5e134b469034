#include "actors/storage/compaction.hpp"

#include <set>

#include <gtest/gtest.h>

namespace mainstay::storage {
namespace {

const CompactionPolicy policy{100, 1000, 10, 50};

TEST(CompactionTest, IsDueByEntriesOrBytes) {
  EXPECT_FALSE(snapshot_due(policy, {1, 100, 0}));
  EXPECT_TRUE(snapshot_due(policy, {1, 101, 0}));
  EXPECT_FALSE(snapshot_due(policy, {1, 50, 999}));
  EXPECT_TRUE(snapshot_due(policy, {1, 50, 1000}));
  EXPECT_FALSE(snapshot_due(policy, {51, 50, 1000})) << "nothing to forget";
}

TEST(CompactionTest, NeverBeyondWhatIsSyncedAndCovered) {
  EXPECT_EQ(compact_to(policy, 100, 80, 0), 70u);
  EXPECT_EQ(compact_to(policy, 60, 80, 0), 50u);
  EXPECT_EQ(compact_to(policy, 10, 80, 0), 0u);
}

TEST(CompactionTest, NodesMakeTheirSnapshotsAtDifferentTimes) {
  std::set<std::uint64_t> entries;
  std::set<std::uint64_t> bytes;
  for (std::uint64_t node = 1; node <= 7; ++node) {
    const CompactionPolicy own = staggered(policy_for(200'000), NodeId{node});
    entries.insert(own.entries_max);
    bytes.insert(own.bytes_max);
    EXPECT_LT(own.entries_max, 300'000u);
  }
  EXPECT_EQ(entries.size(), 7u);
  EXPECT_EQ(bytes.size(), 7u);
}

TEST(CompactionTest, OfLargeEntriesFewerStay) {
  const CompactionPolicy small = fitted(policy, 100, 100);
  EXPECT_EQ(small.keep_entries, 10u);
  EXPECT_EQ(small.pinned_entries_max, 50u);
  const CompactionPolicy large = fitted(policy, 20, 1000);  // 20 of these make bytes_max
  EXPECT_EQ(large.keep_entries, 2u);
  EXPECT_EQ(large.pinned_entries_max, 40u);
  EXPECT_EQ(fitted(policy, 0, 0).keep_entries, 10u);
}

TEST(CompactionTest, AMemberBeingFedHoldsTheLogButNotForEver) {
  EXPECT_EQ(compact_to(policy, 100, 100, 95), 90u) << "it needs less than is kept anyway";
  EXPECT_EQ(compact_to(policy, 100, 100, 61), 60u);
  EXPECT_EQ(compact_to(policy, 100, 100, 5), 50u);
}

}  // namespace
}  // namespace mainstay::storage
