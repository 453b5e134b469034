#include "runtime/record/memory_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mainstay::record {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> keys(const MemoryState& state, std::string_view collection,
                              std::string_view prefix, std::string_view after,
                              std::size_t most = 100) {
  std::vector<std::string> found;
  state.scan_records(collection, prefix, after, [&](std::string_view key, const Record&) {
    found.emplace_back(key);
    return found.size() < most;
  });
  return found;
}

MemoryState filled() {
  MemoryState state;
  for (const char* key : {"a1", "a2", "b1"}) state.put_record("orders", key, Record{});
  state.put_record("stock", "a3", Record{});
  return state;
}

TEST(MemoryState, ScansOneCollectionInKeyOrder) {
  const MemoryState state = filled();
  EXPECT_THAT(keys(state, "orders", "", ""), ElementsAre("a1", "a2", "b1"));
  EXPECT_THAT(keys(state, "orders", "a", ""), ElementsAre("a1", "a2"));
  EXPECT_THAT(keys(state, "orders", "a", "a1"), ElementsAre("a2"));
  EXPECT_THAT(keys(state, "orders", "b", "a1"), ElementsAre("b1"));
  EXPECT_THAT(keys(state, "orders", "a", "b"), IsEmpty());
  EXPECT_THAT(keys(state, "orders", "", "", 2), ElementsAre("a1", "a2"));
  EXPECT_THAT(keys(state, "none", "", ""), IsEmpty());
}

TEST(MemoryState, TakesExpiriesInOrderOnceTheyAreDue) {
  MemoryState state;
  state.put_expiry({20, Expiry::Kind::tombstone, "orders", "k", 7});
  state.put_expiry({10, Expiry::Kind::operation, "", "b", 0});
  state.put_expiry({10, Expiry::Kind::operation, "", "a", 0});
  EXPECT_FALSE(state.take_expiry(9));
  EXPECT_EQ(state.take_expiry(10)->key, "a");
  EXPECT_EQ(state.take_expiry(10)->key, "b");
  EXPECT_FALSE(state.take_expiry(10));
  EXPECT_EQ(state.take_expiry(20), (Expiry{20, Expiry::Kind::tombstone, "orders", "k", 7}));
  EXPECT_EQ(state.expiries(), 0u);
}

TEST(MemoryState, ScansHistoryOfOneRecordNewestFirst) {
  MemoryState state;
  const auto keep = [&](std::string_view key, Revision revision) {
    Record record;
    record.revision = revision;
    state.put_history("orders", key, record);
  };
  for (const Revision revision : {3u, 5u, 9u}) keep("k", revision);
  keep("j", 4);
  keep("l", 4);
  const auto revisions = [&](Revision at_most) {
    std::vector<Revision> found;
    state.scan_history("orders", "k", at_most, [&](const Record& record) {
      found.push_back(record.revision);
      return true;
    });
    return found;
  };
  EXPECT_THAT(revisions(UINT64_MAX), ElementsAre(9, 5, 3));
  EXPECT_THAT(revisions(8), ElementsAre(5, 3));
  EXPECT_THAT(revisions(2), IsEmpty());
  EXPECT_TRUE(state.take_history("orders", "k", 5));
  EXPECT_FALSE(state.take_history("orders", "k", 5));
  EXPECT_THAT(revisions(8), ElementsAre(3));
  EXPECT_EQ(state.oldest_version("orders", "k"), 3u);
  EXPECT_EQ(state.oldest_version("orders", "m"), 0u);
}

TEST(MemoryState, TakesTheOldestCommitOnceItIsOldEnough) {
  MemoryState state;
  state.append_commit({1, {10, 0}, "a", {}});
  state.append_commit({2, {20, 0}, "b", {}});
  EXPECT_FALSE(state.take_commit(9));
  EXPECT_EQ(state.take_commit(15)->operation, "a");
  EXPECT_FALSE(state.take_commit(15));
  EXPECT_EQ(state.take_commit(20)->revision, 2u);
}

TEST(MemoryState, ScansIndexRowsFromAPlace) {
  MemoryState state;
  state.put_index_row(1, 2, "a", "k1");
  state.put_index_row(1, 2, "a", "k2");
  state.put_index_row(1, 2, "b", "k0");
  state.put_index_row(1, 3, "a", "other");
  const auto keys_from = [&](std::string_view from, std::string_view after) {
    std::vector<std::string> found;
    state.scan_index(1, 2, from, after, [&](std::string_view, std::string_view key) {
      found.emplace_back(key);
      return true;
    });
    return found;
  };
  EXPECT_THAT(keys_from("", ""), ElementsAre("k1", "k2", "k0"));
  EXPECT_THAT(keys_from("a", "k1"), ElementsAre("k2", "k0"));
  EXPECT_THAT(keys_from("b", ""), ElementsAre("k0"));
  EXPECT_EQ(state.erase_index_rows(1, 2, 2), 2u);
  EXPECT_EQ(state.erase_index_rows(1, 2, 2), 1u);
  EXPECT_EQ(state.index_rows(), 1u);
}

}  // namespace
}  // namespace mainstay::record
