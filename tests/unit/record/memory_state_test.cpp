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

}  // namespace
}  // namespace mainstay::record
