// What leaves, in which order, and how much of it with one entry.
#include <gtest/gtest.h>

#include "runtime/record/state_hash.hpp"
#include "tests/unit/record/commands.hpp"

namespace mainstay::record {
namespace {

std::vector<Command> puts(const std::string& name, std::size_t count) {
  std::vector<Command> commands;
  for (std::size_t i = 0; i < count; ++i)
    commands.push_back(put(name + std::to_string(i), "k" + std::to_string(i), "1"));
  return commands;
}

TEST(Aging, LeavesAsFastAsLargeEntriesComeIn) {
  Orders replica;
  replica.options.expire_rows_min = 10;
  for (std::uint64_t round = 0; round < 5; ++round)
    replica.entry(10 + round * retention, puts("op-" + std::to_string(round) + "-", 100));
  EXPECT_EQ(replica.state.counters().operations, 100u);
  EXPECT_EQ(replica.state.counters().floor, 401u);
}

TEST(Aging, AnEntryForgetsAtMostTwiceWhatItAdds) {
  Orders replica;
  replica.options.expire_rows_min = 10;
  replica.entry(10, puts("many-", 100));
  const std::uint64_t operations = replica.state.counters().operations;
  replica.one(10 + retention, put("one", "l", "1"));
  // A commit counts with its operation and its change.
  EXPECT_EQ(replica.state.counters().operations, operations + 1 - 5);
}

TEST(Aging, EntriesWithoutCommandsForgetToo) {
  Orders replica;
  replica.options.expire_rows_min = 10;
  replica.entry(10, puts("many-", 100));
  replica.entry(10 + retention, {});
  for (int i = 0; i < 30; ++i) replica.nothing();
  EXPECT_EQ(replica.state.counters().operations, 0u);
  EXPECT_EQ(replica.state.counters().floor, replica.state.counters().revision);
}

TEST(Aging, ALargeVersionCountsAsSeveralRows) {
  Orders replica;
  const std::string large = "\"" + std::string(limits::expire_row_bytes * 9, 'x') + "\"";
  replica.options.expire_rows_min = 20;
  for (int i = 0; i < 10; ++i) replica.one(10, put("op-" + std::to_string(i), "k", large));
  replica.entry(10 + retention, {});
  // One for the declaration is without a predecessor, as is the first; then 12 for each.
  EXPECT_EQ(replica.state.counters().history, 7u);
}

// A history that was to be kept longer, with more versions than leave at once.
struct Shortened : Replica {
  static constexpr std::uint64_t versions = 30;
  Shortened() {
    options.expire_rows_min = 4;
    declare("orders", R"({"retention":{"history_hours":72}})");
    for (std::uint64_t i = 0; i < versions; ++i)
      one(10, put("op-" + std::to_string(i), "k", std::to_string(i)));
    one(20, removal("removal", "k"));
    // Without work on these two commands' own rows: all but what follows is in the queue now.
    for (int i = 0; i < 60; ++i) entry(20 + retention, {});
    one(30 + retention, declaration("shorter", "orders"));
    one(30 + retention, put("again", "k", "31"));
    one(30 + retention, removal("removal again", "k"));
  }

  std::vector<Revision> held() const {
    std::vector<Revision> revisions;
    state.scan_history("orders", "k", UINT64_MAX, [&](const Record& record) {
      revisions.insert(revisions.begin(), record.revision);
      return true;
    });
    return revisions;
  }
  // Each version as it was, or no longer held: never an older one.
  void expect_no_gap() const {
    for (Revision revision = 2; revision < 2 + versions; ++revision) {
      const auto found = record_at(state, "orders", "k", revision);
      if (!found) {
        EXPECT_EQ(found.error().code, Errc::compacted);
        continue;
      }
      ASSERT_TRUE(found->has_value()) << revision;
      EXPECT_EQ((*found)->revision, revision);
    }
    const auto removed = record_at(state, "orders", "k", 2 + versions);
    EXPECT_TRUE(!removed || !*removed || (*removed)->tombstone);
    EXPECT_EQ(state.counters().hash, full_hash(state));
    EXPECT_EQ(state.counters().history, held().size());
  }
};

TEST(Aging, AShortenedHistoryIsForgottenOldestFirstAndALittleAtATime) {
  Shortened replica;
  std::size_t before = replica.held().size();
  ASSERT_GT(before, 30u);
  for (int i = 0; before > 0; ++i) {
    ASSERT_LT(i, 40) << before << " are left";
    replica.entry(30 + 2 * retention, {});
    const std::size_t now = replica.held().size();
    EXPECT_LE(before - now, 2 * replica.options.expire_rows_min);
    replica.expect_no_gap();
    before = now;
  }
  for (int i = 0; i < 40; ++i) replica.nothing();
  EXPECT_FALSE(replica.state.find_record("orders", "k"));
}

TEST(Aging, ATombstoneStaysUntilWhatItCoversIsGone) {
  Shortened replica;
  while (!replica.held().empty()) {
    EXPECT_TRUE(replica.state.find_record("orders", "k"));
    replica.entry(30 + 2 * retention, {});
  }
}

}  // namespace
}  // namespace mainstay::record
