#include "runtime/store/record_store.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"
#include "runtime/record/memory_state.hpp"
#include "runtime/record/state_hash.hpp"
#include "runtime/store/record_tables.hpp"
#include "runtime/sys/file.hpp"
#include "runtime/wire/codec.hpp"
#include "tests/unit/store/store_fixture.hpp"

namespace mainstay::store {
namespace {

using consensus::Entry;
using consensus::Index;

class RecordStoreTest : public StoreTest {
 protected:
  RecordStoreTest() { formed(); }
  std::string data_file() const { return options_.directory / "records" / "data.mdb"; }
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

// What a random log is made of: every kind of command, on a few keys, so that they meet.
class RandomCommands {
 public:
  explicit RandomCommands(std::uint64_t seed) : random_{seed} {}

  record::Command next(std::uint64_t number) {
    const std::string id = "op" + std::to_string(random_.between(0, 600));
    const std::string key = "k" + std::to_string(random_.between(0, 20));
    switch (random_.between(0, 11)) {
      case 0:
        return remove(id, key);
      case 1:
        return command_of(id, {declaration(number)});
      case 2:
      case 3:
        return command_of(id, {entry(number)});
      case 4:
        return command_of(id, {document(key, number), entry(number)});
      case 5: {
        record::Command fence = command_of(id, {});
        fence.kind = record::CommandKind::fence;
        return fence;
      }
      case 6: {
        record::Command guarded = command_of(id, {document(key, number)});
        guarded.checks = {{"docs", "k" + std::to_string(random_.between(0, 20)), {}}};
        guarded.checks[0].condition.must_exist = true;
        return guarded;
      }
      case 7:
        return command_of(id, {{record::ActionKind::remove, "docs", key, {}}});
      default:
        return command_of(id, {document(key, number)});
    }
  }

  static record::Action declare(const std::string& name, const std::string& json) {
    return {record::ActionKind::declare, record::system_collection::collections, name, Bytes{json}};
  }
  static record::Action ledger() {
    return declare("stock", R"({"kind":"ledger","ledger":{"dimensions":["item","location"],)"
                            R"("scale":2,"never_below":"-40"}})");
  }

  SeededRandom& random() { return random_; }

 private:
  // The same collection, with one index or another.
  record::Action declaration(std::uint64_t number) {
    const std::string name = number % 2 == 0 ? "by-a" : "by-b";
    const std::string pointer = number % 2 == 0 ? "/a" : "/b";
    return declare("docs",
                   R"({"indexes":[{"name":")" + name + R"(","pointer":")" + pointer + R"("}]})");
  }

  record::Action document(const std::string& key, std::uint64_t number) {
    const std::string value = R"({"a":)" + std::to_string(number % 7) + R"(,"b":"t)" +
                              std::to_string(random_.between(0, 3)) + R"("})";
    return {record::ActionKind::put, "docs", key, Bytes{value}};
  }

  record::Action entry(std::uint64_t number) {
    const std::string item = std::to_string(random_.between(0, 2));
    const std::string json = R"({"quantity":")" + std::to_string(random_.between(1, 9)) +
                             R"(.50","item":")" + item +
                             R"(","from":{"location":"x"},"to":{"location":"y"}})";
    return {record::ActionKind::post, "stock", "e" + std::to_string(number % 90), Bytes{json}};
  }

  SeededRandom random_;
};

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

TEST_F(RecordStoreTest, ScrubFindsAChangedRow) {
  const std::string value = "{\"found\":\"again in the file\"}";
  run({batch_entry(1, 1, {put("op1", "A", value)})});
  EXPECT_TRUE(records().scrub());
  close();
  const std::string whole = read_whole(data_file());
  const auto places = find_all(whole, value);
  ASSERT_FALSE(places.empty());
  auto file = sys::File::open(data_file(), sys::File::Mode::write).value();
  for (const std::size_t place : places) ASSERT_TRUE(file.write_at(place + 3, "F"));
  open();
  EXPECT_EQ(records().scrub().error().code, Errc::corrupt);
  EXPECT_THROW(value_of("A"), Stopped) << "a damaged value is never handed out";
}

// At every row that is read something is written: what was read already, what will be, both. The
// sum is right nevertheless, however the pieces are cut.
TEST_F(RecordStoreTest, AScrubFollowsWhatIsWrittenMeanwhile) {
  std::uint64_t wall = 1'700'000'000'000;
  for (const std::size_t piece_bytes : {1UL, 300UL, 2000UL}) {
    SCOPED_TRACE(piece_bytes);
    options_.scrub_piece_bytes = piece_bytes;
    reopen();
    RandomCommands commands{piece_bytes};
    const auto write_some = [&] {
      const Index index = records().applied() + 1;
      wall += commands.random().between(0, 3600 * 1000);
      std::vector<record::Command> batch;
      if (index == 1)
        batch = {command_of("d1", {RandomCommands::declare("docs", "{}")}),
                 command_of("d2", {RandomCommands::ledger()})};
      for (std::uint64_t i = commands.random().between(1, 3); i > 0; --i)
        batch.push_back(commands.next(index * 10 + i));
      run({batch_entry(index, 1, batch, wall)});
    };
    for (int i = 0; i < 60; ++i) write_some();
    std::size_t rows = 0;
    const auto scrubbed = records().scrub([&] {
      if (++rows < 400) write_some();
      return true;
    });
    EXPECT_TRUE(scrubbed) << to_string(scrubbed.error());
    EXPECT_GT(rows, 100U);
    EXPECT_TRUE(records().scrub());
  }
}

TEST_F(RecordStoreTest, ScrubsBesideAWritingThreadFindNothing) {
  options_.scrub_piece_bytes = 1000;
  reopen();
  std::atomic<bool> done{false};
  std::thread scrubbing{[this, &done] {
    while (!done) {
      const auto scrubbed = records().scrub();
      EXPECT_TRUE(scrubbed) << to_string(scrubbed.error());
    }
  }};
  for (Index index = 1; index <= 400; ++index) {
    const std::string number = std::to_string(index);
    const std::string key = "k" + std::to_string(index % 50);
    ASSERT_TRUE(records().apply(
        std::vector<Entry>{batch_entry(index, 1, {put("op" + number, key, number)})}));
  }
  done = true;
  scrubbing.join();
  EXPECT_TRUE(records().scrub());
}

TEST_F(RecordStoreTest, AScrubEndsWhenToldTo) {
  run({batch_entry(1, 1, {put("op1", "A", "1"), put("op2", "B", "2")})});
  int rows = 0;
  EXPECT_EQ(records().scrub([&rows] { return ++rows < 2; }).error().code, Errc::busy);
  EXPECT_EQ(rows, 2);
  EXPECT_TRUE(records().scrub());
}

TEST_F(RecordStoreTest, OneScrubAtATime) {
  run({batch_entry(1, 1, {put("op1", "A", "1")})});
  EXPECT_TRUE(records().scrub([this] {
    EXPECT_EQ(records().scrub().error().code, Errc::busy);
    return true;
  }));
}

// A row of a table taken away behind the store's back, as a lost write would.
TEST_F(RecordStoreTest, ScrubFindsALostRowOfEveryTable) {
  RandomCommands commands{5};
  run({batch_entry(1, 1,
                   {command_of("d1", {RandomCommands::declare("docs", "{}")}),
                    command_of("d2", {RandomCommands::ledger()})})});
  for (Index index = 2; index <= 60; ++index)
    run({batch_entry(index, 1, {commands.next(index), commands.next(index + 100)})});
  ASSERT_TRUE(records().scrub());
  for (const Table table :
       {Table::records, Table::history, Table::commits, Table::operations, Table::balances}) {
    const TemporaryDirectory copy;
    close();
    std::filesystem::copy(options_.directory, copy.path() / "node",
                          std::filesystem::copy_options::recursive);
    std::filesystem::remove(copy.path() / "node" / "records" / "checkpoint");
    {
      lmdb::EnvOptions wanted;
      wanted.directory = copy.path() / "node" / "records";
      wanted.map_bytes = options_.record_map_bytes;
      wanted.tables_max = RecordTables::count;
      const auto env = lmdb::Env::open(wanted).value();
      auto txn = lmdb::Txn::begin(env, lmdb::Txn::Kind::write).value();
      const auto tables = RecordTables::open(txn, 0).value();
      {
        auto cursor = lmdb::Cursor::open(txn, tables.of(table)).value();
        ASSERT_TRUE(cursor.first().value());
        ASSERT_TRUE(cursor.erase());
      }
      ASSERT_TRUE(txn.commit());
    }
    StoreOptions options = options_;
    options.directory = copy.path() / "node";
    const auto node = NodeStore::open(options, random_);
    ASSERT_TRUE(node) << to_string(node.error());
    EXPECT_EQ((*node)->records().scrub().error().code, Errc::corrupt) << static_cast<int>(table);
    open();
  }
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
