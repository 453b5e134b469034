#include "runtime/store/record_store.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"
#include "runtime/record/memory_state.hpp"
#include "runtime/record/state_hash.hpp"
#include "runtime/wire/codec.hpp"
#include "tests/unit/store/random_commands.hpp"
#include "tests/unit/store/store_fixture.hpp"

namespace mainstay::store {
namespace {

using consensus::Entry;
using consensus::Index;

class RecordStoreTest : public StoreTest {
 protected:
  RecordStoreTest() { formed(); }
  std::vector<std::string> keys(const std::string& prefix, const std::string& after) {
    std::vector<std::string> found;
    const auto view = records().read().value();
    view->state().scan_records(orders, prefix, after,
                               [&](std::string_view key, const record::Record&) {
                                 found.emplace_back(key);
                                 return true;
                               });
    return found;
  }
};

TEST_F(RecordStoreTest, AppliesReadsAndSurvivesReopening) {
  const ApplyResult result =
      run({noop(1, 1), batch_entry(2, 1, {put("op1", "A", "{\"a\":1}"), put("op2", "B", "{}")}),
           batch_entry(3, 1, {remove("op3", "B")})});
  EXPECT_EQ(result.applied, 3U);
  ASSERT_EQ(result.outcomes.size(), 2U);
  EXPECT_EQ(result.outcomes[0].operations, (std::vector<std::string>{"op1", "op2"}));
  EXPECT_TRUE(result.outcomes[0].outcomes[0].results.at(0).created);
  for (int life = 0; life < 2; ++life) {
    EXPECT_EQ(records().applied(), 3U);
    EXPECT_EQ(value_of("A"), "{\"a\":1}");
    EXPECT_EQ(value_of("B"), std::nullopt);
    EXPECT_EQ(value_of("C"), std::nullopt);
    {
      const auto view = records().read().value();
      EXPECT_EQ(view->state().find_record(orders, "B")->version, 2U);
      EXPECT_TRUE(view->state().find_operation("op3"));
      EXPECT_FALSE(view->state().find_operation("op4"));
    }
    reopen();
  }
}

TEST_F(RecordStoreTest, ReplayedEntriesChangeNothing) {
  const std::vector<Entry> entries{noop(1, 1), batch_entry(2, 1, {put("op1", "A", "1")})};
  run(entries);
  const auto before = records().read().value()->state().counters();
  const auto again = records().apply(entries);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->outcomes.empty());
  EXPECT_EQ(again->applied, 2U);
  EXPECT_EQ(records().read().value()->state().counters(), before);
}

TEST_F(RecordStoreTest, AGapIsRefusedAndNothingFollows) {
  run({noop(1, 1)});
  ASSERT_TRUE(records().sync());
  EXPECT_EQ(records().apply(std::vector<Entry>{noop(3, 1)}).error().code, Errc::internal);
  EXPECT_EQ(records().apply(std::vector<Entry>{noop(2, 1)}).error().code, Errc::io_error);
  reopen();
  EXPECT_EQ(records().applied(), 1U);
}

TEST_F(RecordStoreTest, ABatchThatCannotBeReadAppliesNothingOfItsCall) {
  const std::vector<Entry> entries{batch_entry(1, 1, {put("op1", "A", "1")}),
                                   opaque(2, 1, "no batch")};
  ASSERT_TRUE(write(appends(entries)));
  EXPECT_FALSE(records().apply(entries));
  reopen();
  EXPECT_EQ(records().applied(), 0U);
  EXPECT_EQ(value_of("A"), std::nullopt);
}

TEST_F(RecordStoreTest, TakesTheStateHashAtCheckEntries) {
  const ApplyResult result = run({batch_entry(1, 1, {put("op1", "A", "1")}), check_entry(2, 1),
                                  batch_entry(3, 1, {put("op2", "A", "2")}), check_entry(4, 1)});
  ASSERT_EQ(result.checks.size(), 2U);
  EXPECT_EQ(result.checks[0].index, 2U);
  EXPECT_EQ(result.checks[1].index, 4U);
  EXPECT_NE(result.checks[0].hash, result.checks[1].hash);
  const auto view = records().read().value();
  EXPECT_EQ(result.checks[1].hash, record::full_hash(view->state()));
}

TEST_F(RecordStoreTest, AViewShowsOneMoment) {
  run({batch_entry(1, 1, {put("op1", "A", "1")})});
  const auto before = records().read().value();
  run({batch_entry(2, 1, {put("op2", "A", "2")})});
  EXPECT_EQ(before->state().find_record(orders, "A")->value.view(), "1");
  EXPECT_EQ(before->state().counters().applied_index, 1U);
  EXPECT_EQ(value_of("A"), "2");
}

TEST_F(RecordStoreTest, ListsByPrefixInKeyOrder) {
  run({batch_entry(1, 1,
                   {put("1", "b", "1"), put("2", "a/2", "1"), put("3", "a/1", "1"),
                    put("4", "a", "1"), put("5", "a/10", "1")})});
  record::Command other = put("6", "a/3", "1");
  other.actions[0].collection = record::system_collection::tokens;
  run({batch_entry(2, 1, {other})});
  EXPECT_EQ(keys("", ""), (std::vector<std::string>{"a", "a/1", "a/10", "a/2", "b"}));
  EXPECT_EQ(keys("a/", ""), (std::vector<std::string>{"a/1", "a/10", "a/2"}));
  EXPECT_EQ(keys("a/", "a/1"), (std::vector<std::string>{"a/10", "a/2"}));
  EXPECT_EQ(keys("a/", "a"), (std::vector<std::string>{"a/1", "a/10", "a/2"}));
  EXPECT_EQ(keys("a/", "b"), (std::vector<std::string>{}));
  EXPECT_EQ(keys("", "a/2"), (std::vector<std::string>{"b"}));
  EXPECT_EQ(keys("c", ""), (std::vector<std::string>{}));
}

// The same log on LMDB and on the state machine's own model must give the same state: every row of
// every table, the counters and the hash.
TEST_F(RecordStoreTest, EqualsTheModelOnARandomLog) {
  record::MemoryState model;
  record::Declarations declarations;
  RandomCommands commands{11};
  std::uint64_t wall = 1'700'000'000'000;
  const record::ApplyOptions apply_options{limits::retention_window_ms};
  for (Index index = 1; index <= 400; ++index) {
    wall += commands.random().between(0, 3ULL * 3600 * 1000);  // much expires on the way
    std::vector<record::Command> batch;
    if (index == 1)
      batch = {command_of("d1", {RandomCommands::declare("docs", "{}")}),
               command_of("d2", {RandomCommands::ledger()})};
    for (std::uint64_t i = commands.random().between(0, 5); i > 0; --i)
      batch.push_back(commands.next(index * 10 + i));
    const Entry entry = batch_entry(index, 1, batch, wall);
    record::apply(model, declarations, index, 1, wire::decode_log_batch(entry.payload).value(),
                  apply_options);
    run({entry});
    if (index % 97 == 0) reopen();
  }
  const auto view = records().read().value();
  EXPECT_EQ(rows_of(view->state()), rows_of(model));
  const auto counters = view->state().counters();
  EXPECT_GT(counters.operations, 0U);
  EXPECT_GT(counters.history, 0U);
  EXPECT_GT(counters.balances, 0U);
  EXPECT_GT(counters.floor, 0U);
  EXPECT_TRUE(records().scrub());
}

TEST_F(RecordStoreTest, OnlyASyncMovesWhatIsDurable) {
  run({noop(1, 1)});
  run({noop(2, 1)});
  EXPECT_EQ(records().applied(), 2U);
  EXPECT_EQ(records().durable_applied(), 0U);
  ASSERT_TRUE(records().sync());
  EXPECT_EQ(records().durable_applied(), 2U);
  run({noop(3, 1)});
  EXPECT_EQ(records().durable_applied(), 2U);
  reopen();
  EXPECT_EQ(records().durable_applied(), 3U) << "a clean close leaves nothing to replay";
}

TEST_F(RecordStoreTest, ASyncInTheBackgroundCountsWhenItHasEnded) {
  run({noop(1, 1)});
  ASSERT_TRUE(records().sync_in_background());
  run({noop(2, 1)});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (records().durable_applied() < 1 && std::chrono::steady_clock::now() < deadline)
    ASSERT_TRUE(records().sync_in_background());
  EXPECT_GE(records().durable_applied(), 1U);
  ASSERT_TRUE(records().sync());
  EXPECT_EQ(records().durable_applied(), 2U);
}

TEST_F(RecordStoreTest, AFullMapStopsTheProcessAndKeepsTheOldState) {
  options_.record_map_bytes = 1 << 20;
  reopen();
  run({batch_entry(1, 1, {put("op1", "A", "1")})});
  ASSERT_TRUE(records().sync());
  std::vector<record::Command> many;
  for (int i = 0; i < 40; ++i)
    many.push_back(
        put("many" + std::to_string(i), "k" + std::to_string(i), std::string(40'000, 'x')));
  const std::vector<Entry> entries{batch_entry(2, 1, many)};
  EXPECT_THROW((void)records().apply(entries), Stopped);
  EXPECT_EQ(records().apply(entries).error().code, Errc::io_error);
  EXPECT_EQ(records().sync().error().code, Errc::io_error);
  reopen();
  EXPECT_EQ(records().applied(), 1U);
  EXPECT_EQ(value_of("k0"), std::nullopt);
  EXPECT_TRUE(records().scrub());
}

TEST_F(RecordStoreTest, ManyViewsAtOnce) {
  run({batch_entry(1, 1, {put("op1", "A", "1")})});
  std::vector<std::unique_ptr<ReadView>> views;
  for (std::size_t i = 0; i < limits::record_readers_max; ++i) {
    auto view = records().read();
    ASSERT_TRUE(view) << i;
    views.push_back(*std::move(view));
  }
  EXPECT_EQ(records().read().error().code, Errc::busy);
  views.clear();
  EXPECT_EQ(value_of("A"), "1");
}

TEST_F(RecordStoreTest, TellsTheLongestView) {
  run({batch_entry(1, 1, {put("op1", "A", "1")})});
  EXPECT_EQ(records().take_longest_view(), Micros{0});
  auto open = records().read().value();
  const Micros begun = records().take_longest_view();
  const auto later = std::chrono::steady_clock::now() + std::chrono::milliseconds{2};
  while (std::chrono::steady_clock::now() < later) (void)records().read();
  const Micros grown = records().take_longest_view();
  EXPECT_GE(grown, begun + Micros{2000});
  open.reset();
  EXPECT_GE(records().take_longest_view(), grown) << "also of one that has ended since";
  EXPECT_EQ(records().take_longest_view(), Micros{0});
  ASSERT_TRUE(records().copy_snapshot());
  EXPECT_EQ(records().take_longest_view(), Micros{0}) << "a copy takes as long as it takes";
}

// A day of overwriting the same records, with what is superseded kept for an hour: from the third
// hour on nothing grows, neither what is used nor the file. Space is given back while the store
// runs; a reader that stays keeps it.
class Churn : public RecordStoreTest {
 protected:
  static constexpr std::uint64_t hour_ms = 3'600'000;

  Churn() {
    options_.apply.window_ms = hour_ms;
    reopen();
  }
  // 60 entries of 20 writes to 200 records, a checkpoint after every tenth.
  StoreUsage hour() {
    for (int minute = 0; minute < 60; ++minute) {
      std::vector<record::Command> commands;
      for (int i = 0; i < 20; ++i, ++writes_)
        commands.push_back(put("op" + std::to_string(writes_),
                               "k" + std::to_string(random_.between(0, 199)),
                               std::string(300, static_cast<char>('a' + writes_ % 26))));
      now_ += hour_ms / 60;
      run({batch_entry(++index_, 1, commands, now_)});
      if (minute % 10 != 9) continue;
      EXPECT_TRUE(records().sync());
    }
    return records().usage();
  }

 private:
  SeededRandom random_{1};
  std::uint64_t now_ = 1'700'000'000'000;
  Index index_ = 0;
  std::uint64_t writes_ = 0;
};

TEST_F(Churn, ADayOfItDoesNotGrow) {
  StoreUsage warm;
  for (int i = 0; i < 3; ++i) warm = hour();
  StoreUsage usage;
  for (int i = 3; i < 24; ++i) usage = hour();
  EXPECT_LT(usage.used_bytes, warm.used_bytes * 11 / 10);
  EXPECT_LT(usage.file_bytes, warm.file_bytes * 11 / 10);
  const auto held = records().read().value();
  for (int i = 0; i < 6; ++i) usage = hour();
  EXPECT_GT(usage.file_bytes, warm.file_bytes * 2) << "this test would notice";
}

TEST_F(RecordStoreTest, OneWriterAndReadersTogether) {
  std::atomic<bool> done{false};
  const auto read_on = [this, &done] {
    while (!done) {
      const auto view = records().read().value();
      const auto applied = view->state().counters().applied_index;
      const auto record = view->state().find_record(orders, "A");
      // Each entry writes its own index: value and applied index of one view belong together.
      EXPECT_EQ(record ? std::string{record->value.view()} : "0", std::to_string(applied));
    }
  };
  std::thread first{read_on};
  std::thread second{read_on};
  for (Index index = 1; index <= 1000; ++index)
    ASSERT_TRUE(records().apply(std::vector<Entry>{
        batch_entry(index, 1, {put("op" + std::to_string(index), "A", std::to_string(index))})}));
  done = true;
  first.join();
  second.join();
}

}  // namespace
}  // namespace mainstay::store
