#include "actors/storage/compaction.hpp"

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

TEST(CompactionTest, AMemberBeingFedHoldsTheLogButNotForEver) {
  EXPECT_EQ(compact_to(policy, 100, 100, 95), 90u) << "it needs less than is kept anyway";
  EXPECT_EQ(compact_to(policy, 100, 100, 61), 60u);
  EXPECT_EQ(compact_to(policy, 100, 100, 5), 50u);
}

}  // namespace
}  // namespace mainstay::storage
