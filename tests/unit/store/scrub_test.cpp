#include "runtime/store/scrub.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "runtime/store/checkpoint.hpp"
#include "runtime/store/lmdb.hpp"
#include "runtime/store/record_tables.hpp"
#include "runtime/sys/file.hpp"
#include "tests/unit/store/random_commands.hpp"
#include "tests/unit/store/store_fixture.hpp"

namespace mainstay::store {
namespace {

using consensus::Entry;
using consensus::Index;

class ScrubTest : public StoreTest {
 protected:
  ScrubTest() { formed(); }
  std::string data_file() const { return options_.directory / "records" / "data.mdb"; }
};

TEST_F(ScrubTest, ScrubFindsAChangedRow) {
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
TEST_F(ScrubTest, AScrubFollowsWhatIsWrittenMeanwhile) {
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

TEST_F(ScrubTest, ScrubsBesideAWritingThreadFindNothing) {
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

TEST_F(ScrubTest, AScrubEndsWhenToldTo) {
  run({batch_entry(1, 1, {put("op1", "A", "1"), put("op2", "B", "2")})});
  int rows = 0;
  EXPECT_EQ(records().scrub([&rows] { return ++rows < 2; }).error().code, Errc::busy);
  EXPECT_EQ(rows, 2);
  EXPECT_TRUE(records().scrub());
}

TEST_F(ScrubTest, OneScrubAtATime) {
  run({batch_entry(1, 1, {put("op1", "A", "1")})});
  EXPECT_TRUE(records().scrub([this] {
    EXPECT_EQ(records().scrub().error().code, Errc::busy);
    return true;
  }));
}

// A row of a table taken away behind the store's back, as a lost write would.
TEST_F(ScrubTest, ScrubFindsALostRowOfEveryTable) {
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
    const SealedFile::Place place = records_checkpoint_of(node_->identity().incarnation);
    close();
    std::filesystem::copy(options_.directory, copy.path() / "node",
                          std::filesystem::copy_options::recursive);
    {
      lmdb::EnvOptions wanted;
      wanted.directory = copy.path() / "node" / "records";
      wanted.map_bytes = options_.record_map_bytes;
      wanted.tables_max = RecordTables::count;
      auto opened = CheckpointedEnv::open(wanted, place, false).value();
      auto txn = lmdb::Txn::begin(opened.env(), lmdb::Txn::Kind::write).value();
      const auto tables = RecordTables::open(txn, 0).value();
      {
        auto cursor = lmdb::Cursor::open(txn, tables.of(table)).value();
        ASSERT_TRUE(cursor.first().value());
        ASSERT_TRUE(cursor.erase());
      }
      ASSERT_TRUE(txn.commit());
      ASSERT_TRUE(opened.checkpoint(std::string{*opened.note()}));
    }
    StoreOptions options = options_;
    options.directory = copy.path() / "node";
    const auto node = NodeStore::open(options, random_);
    ASSERT_TRUE(node) << to_string(node.error());
    EXPECT_EQ((*node)->records().scrub().error().code, Errc::corrupt) << static_cast<int>(table);
    open();
  }
}

}  // namespace
}  // namespace mainstay::store
