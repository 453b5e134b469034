#include "runtime/record/state_hash.hpp"

#include <set>

#include <gtest/gtest.h>

#include "runtime/record/memory_state.hpp"

namespace mainstay::record {
namespace {

TEST(StateHash, EveryFieldOfARecordCounts) {
  const Record base{Bytes{"v"}, 1, 2, 3, {4, 5}, 6, false};
  std::set<Hash128> hashes{hash_of("c", "k", base), hash_of("d", "k", base),
                           hash_of("c", "l", base)};
  std::vector<Record> changed(8, base);
  changed[0].value = Bytes{"w"};
  changed[1].version = 9;
  changed[2].revision = 9;
  changed[3].created_revision = 9;
  changed[4].stamp.millis = 9;
  changed[5].stamp.counter = 9;
  changed[6].origin_region = 9;
  changed[7].tombstone = true;
  for (const Record& record : changed) hashes.insert(hash_of("c", "k", record));
  EXPECT_EQ(hashes.size(), 3 + changed.size());
}

TEST(StateHash, EveryStoredFieldOfAnOperationCounts) {
  const Operation base{{1, 2}, {Errc::not_found, 3, 4, true, false}, 5};
  std::set<Hash128> hashes{hash_of("a", base), hash_of("b", base)};
  std::vector<Operation> changed(7, base);
  changed[0].request_hash[0] = 9;
  changed[1].request_hash[1] = 9;
  changed[2].outcome.refused = std::nullopt;
  changed[3].outcome.version = 9;
  changed[4].outcome.revision = 9;
  changed[5].outcome.created = false;
  changed[6].recorded_millis = 9;
  for (const Operation& operation : changed) hashes.insert(hash_of("a", operation));
  EXPECT_EQ(hashes.size(), 2 + changed.size());
}

TEST(StateHash, LengthsKeepFieldsApart) {
  EXPECT_NE(hash_of("ab", "c", Record{}), hash_of("a", "bc", Record{}));
}

TEST(StateHash, OrderOfWritingDoesNotCount) {
  MemoryState one;
  one.put_record("c", "a", Record{});
  one.put_record("c", "b", Record{});
  MemoryState two;
  two.put_record("c", "b", Record{});
  two.put_record("c", "a", Record{});
  EXPECT_EQ(full_hash(one), full_hash(two));
  two.erase_record("c", "a");
  EXPECT_NE(full_hash(one), full_hash(two));
}

// Replicas of different releases compare these: a change here needs a new cluster version.
TEST(StateHash, ValuesAreFixedForEver) {
  const Record record{Bytes{R"({"a":1})"}, 1, 2, 3, {4, 5}, 6, false};
  EXPECT_EQ(hex_of(hash_of("orders", "A-1", record)), "04a73a0971c9ae2b64774bd5d6a10e71");
  const Operation operation{{1, 2}, {Errc::not_found, 3, 4, true, false}, 5};
  EXPECT_EQ(hex_of(hash_of("op-1", operation)), "08576dcc5a0890f5d7402b6c55767456");
}

}  // namespace
}  // namespace mainstay::record
