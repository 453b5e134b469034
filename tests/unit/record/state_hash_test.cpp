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

Operation an_operation() {
  Operation operation{{1, 2}, {}, 5};
  operation.outcome.refused = Errc::not_found;
  operation.outcome.results = {{3, true, true}};
  operation.outcome.revision = 4;
  operation.outcome.detail = "why";
  operation.outcome.part = Part::action;
  operation.outcome.position = 6;
  operation.outcome.found_version = 7;
  return operation;
}

TEST(StateHash, EveryStoredFieldOfAnOperationCounts) {
  const Operation base = an_operation();
  std::set<Hash128> hashes{hash_of("a", base), hash_of("b", base)};
  std::vector<Operation> changed(13, base);
  changed[0].request_hash[0] = 9;
  changed[1].request_hash[1] = 9;
  changed[2].outcome.refused = std::nullopt;
  changed[3].outcome.results[0].version = 9;
  changed[4].outcome.results[0].created = false;
  changed[5].outcome.results[0].changed = false;
  changed[6].outcome.results.clear();
  changed[7].outcome.revision = 9;
  changed[8].outcome.detail = "other";
  changed[9].outcome.part = Part::check;
  changed[10].outcome.position = 9;
  changed[11].outcome.found_version = 9;
  changed[12].recorded_millis = 9;
  for (const Operation& operation : changed) hashes.insert(hash_of("a", operation));
  EXPECT_EQ(hashes.size(), 2 + changed.size());
}

const Commit a_commit{1, {2, 3}, "op", {{ChangeKind::put, "c", "k", 4, 5}}};

TEST(StateHash, EveryFieldOfACommitCounts) {
  std::set<Hash128> hashes{hash_of(a_commit)};
  std::vector<Commit> changed(10, a_commit);
  changed[0].revision = 9;
  changed[1].stamp.millis = 9;
  changed[2].stamp.counter = 9;
  changed[3].operation = "other";
  changed[4].changes.clear();
  changed[5].changes[0].kind = ChangeKind::remove;
  changed[6].changes[0].collection = "d";
  changed[7].changes[0].key = "l";
  changed[8].changes[0].version = 9;
  changed[9].changes[0].previous = 9;
  for (const Commit& commit : changed) hashes.insert(hash_of(commit));
  EXPECT_EQ(hashes.size(), 1 + changed.size());
}

TEST(StateHash, EveryFieldOfABalanceCounts) {
  const Balance base{Decimal{-1500, 3}, 7};
  const std::set<Hash128> hashes{hash_of("c", "p", base),
                                 hash_of("d", "p", base),
                                 hash_of("c", "q", base),
                                 hash_of("c", "p", Balance{Decimal{1500, 3}, 7}),
                                 hash_of("c", "p", Balance{Decimal{-15, 1}, 7}),
                                 hash_of("c", "p", Balance{Decimal{-1500, 3}, 8})};
  EXPECT_EQ(hashes.size(), 6u);
}

TEST(StateHash, ASupersededVersionHasAnotherHash) {
  const Record record{Bytes{"v"}, 1, 2, 3, {4, 5}, 6, false};
  EXPECT_NE(hash_of("c", "k", record), hash_of_history("c", "k", record));
  EXPECT_EQ(moved_hashes("c", "k", record).record, hash_of("c", "k", record));
  EXPECT_EQ(moved_hashes("c", "k", record).history, hash_of_history("c", "k", record));
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
  EXPECT_EQ(hex_of(hash_of_history("orders", "A-1", record)), "7891c8777652ea3944909dee7ef2e031");
  EXPECT_EQ(hex_of(hash_of("op-1", an_operation())), "22cc71196b5951537a2b8b52de380f33");
  EXPECT_EQ(hex_of(hash_of(a_commit)), "5f95cb7bd559439d5df33c8958fd8e55");
  const Balance balance{Decimal{-1500, 3}, 7};
  EXPECT_EQ(hex_of(hash_of("stock", std::string_view{"A\0R1\0", 5}, balance)),
            "7783109189dde5f3f4fe748940e827ae");
}

}  // namespace
}  // namespace mainstay::record
