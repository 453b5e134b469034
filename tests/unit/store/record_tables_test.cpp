// The tables against the state machine's tables in memory: the same writes, the same rows and the
// same answers of every scan.
#include "runtime/store/record_tables.hpp"

#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"
#include "runtime/record/index_key.hpp"
#include "runtime/record/memory_state.hpp"
#include "runtime/store/table_keys.hpp"
#include "tests/unit/store/store_fixture.hpp"

namespace mainstay::store {
namespace {

using lmdb::Txn;
using record::Balance;
using record::Expiry;
using record::Record;
using record::Revision;
using record::StateReader;
using record::StateWriter;

// Names of which one is the beginning of another, and those of the largest size.
const std::string longest_name(limits::collection_name_bytes_max, 'a');
const std::string longest_key(limits::record_key_bytes_max, 'k');
const std::string longest_value(record::index_value_bytes_max, '\x05');
const std::vector<std::string> names{"a", "ab", "b", longest_name};
const std::vector<std::string> keys{"a", "a/", "a/b", "ab", "b", "\x01", "\xff", longest_key};
const std::vector<std::string> values{std::string{'\x05'} + "ab", std::string{'\x05'} + "abc",
                                      std::string{'\x05'} + "ab\x01", "\x03", longest_value};

class TablesTest : public ::testing::Test {
 protected:
  TablesTest() {
    lmdb::EnvOptions wanted;
    wanted.directory = directory_.path();
    wanted.map_bytes = 64 << 20;
    wanted.tables_max = RecordTables::count;
    wanted.flags = MDB_NOSYNC;
    env_ = lmdb::Env::open(wanted).value();
    Txn txn = begin();
    tables_ = RecordTables::open(txn, MDB_CREATE).value();
    EXPECT_TRUE(put_counters(txn, tables_.meta, {}));
    EXPECT_TRUE(txn.commit());
  }

  Txn begin(Txn::Kind kind = Txn::Kind::write) { return Txn::begin(env_, kind).value(); }
  const std::string& one_of(const std::vector<std::string>& choices) {
    return choices[random_.between(0, choices.size() - 1)];
  }

  // The same in both; what is read on the way must be the same too.
  void write_once(StateWriter& a, StateWriter& b);
  void write_timeline(StateWriter& a, StateWriter& b);
  void expect_same_scans(const StateReader& a, const StateReader& b);

  TemporaryDirectory directory_;
  SeededRandom random_{20261122};
  lmdb::Env env_;
  RecordTables tables_;
  const FatalHandler fatal_ = [](const Error& error) { throw Stopped{error}; };
  Revision revision_ = 0;
  record::MemoryState model_;
};

Record record_of(Revision revision) {
  Record record;
  record.value = Bytes{std::to_string(revision)};
  record.version = record.revision = revision;
  return record;
}

void TablesTest::write_timeline(StateWriter& a, StateWriter& b) {
  if (random_.between(0, 2) > 0) {
    record::Commit commit;
    commit.revision = revision_;
    commit.stamp.millis = revision_;
    commit.operation = "op" + std::to_string(revision_);
    commit.changes = {{record::ChangeKind::put, one_of(names), one_of(keys), 1, 0}};
    a.append_commit(commit);
    b.append_commit(commit);
    return;
  }
  const std::uint64_t until = random_.between(0, revision_);
  EXPECT_EQ(a.take_commit(until), b.take_commit(until));
}

void TablesTest::write_once(StateWriter& a, StateWriter& b) {
  ++revision_;
  const std::string &name = one_of(names), &key = one_of(keys), &value = one_of(values);
  const bool erase = random_.between(0, 2) == 0;
  const Revision old = random_.between(0, revision_);
  const std::uint32_t id = static_cast<std::uint32_t>(random_.between(0, 1)) << 24 | 1;
  const auto index = static_cast<std::uint16_t>(random_.between(0, 1) << 8);
  const auto both = [&](auto act) {
    act(a);
    act(b);
  };
  switch (random_.between(0, 7)) {
    case 0:
      return both([&](StateWriter& s) {
        erase ? s.erase_record(name, key) : s.put_record(name, key, record_of(revision_));
      });
    case 1:
      if (erase) {
        EXPECT_EQ(a.take_history(name, key, old), b.take_history(name, key, old));
      }
      return both([&](StateWriter& s) { s.put_history(name, key, record_of(revision_)); });
    case 2:
      return write_timeline(a, b);
    case 3:
      return both([&](StateWriter& s) {
        erase ? s.erase_operation(key) : s.put_operation(key, {{revision_, 1}, {}, revision_});
      });
    case 4: {
      record::Collection row;
      row.id = id;
      row.live = revision_;
      row.next_index = 257;
      EXPECT_EQ(a.find_collection(name), b.find_collection(name));
      return both(
          [&](StateWriter& s) { erase ? s.erase_collection(name) : s.put_collection(name, row); });
    }
    case 5: {
      const std::string position = key + std::string(1, '\0') + value.substr(0, 3);
      const Balance row{Decimal{static_cast<std::int64_t>(revision_), 2}, revision_};
      const bool fits = position.size() <= limits::balance_key_bytes_max;
      if (!fits) return;
      return both([&](StateWriter& s) {
        erase ? s.erase_balance(name, position) : s.put_balance(name, position, row);
      });
    }
    case 6: {
      const std::size_t most = random_.between(0, 3);
      if (random_.between(0, 5) == 0) {
        EXPECT_EQ(a.erase_index_rows(id, index, most), b.erase_index_rows(id, index, most));
      }
      return both([&](StateWriter& s) {
        erase ? s.erase_index_row(id, index, value, key) : s.put_index_row(id, index, value, key);
      });
    }
    default: {
      if (erase) {
        EXPECT_EQ(a.take_expiry(old), b.take_expiry(old));
      }
      const auto kind = static_cast<Expiry::Kind>(random_.between(0, 2));
      const Expiry expiry{revision_ / 3, kind, kind == Expiry::Kind::operation ? "" : name, key,
                          random_.between(0, 1)};
      return both([&](StateWriter& s) { s.put_expiry(expiry); });
    }
  }
}

// At most `most` rows of a scan, as lines.
template <class Scan>
std::vector<std::string> first_rows(std::size_t most, Scan scan) {
  std::vector<std::string> rows;
  scan([&](const auto& first, const auto&... rest) {
    std::string line;
    if constexpr (sizeof...(rest) == 0)
      line = std::to_string(first.revision);
    else
      line = std::string{first};
    rows.push_back(line);
    return rows.size() < most;
  });
  return rows;
}

void TablesTest::expect_same_scans(const StateReader& a, const StateReader& b) {
  const std::string &name = one_of(names), &prefix = one_of(keys), &after = one_of(keys);
  const std::string no_text;
  const std::string& some_prefix = random_.between(0, 1) == 0 ? no_text : prefix;
  const std::string& some_after = random_.between(0, 1) == 0 ? no_text : after;
  const std::size_t most = random_.between(1, 5);
  const Revision at = random_.between(0, revision_ + 1);
  const std::string from = random_.between(0, 3) == 0 ? "" : one_of(values);
  const auto same = [&](auto scan) {
    EXPECT_EQ(first_rows(most, [&](auto visit) { scan(a, visit); }),
              first_rows(most, [&](auto visit) { scan(b, visit); }));
  };
  same([&](const StateReader& s, auto visit) {
    s.scan_records(name, some_prefix, some_after, visit);
  });
  same([&](const StateReader& s, auto visit) {
    s.scan_balances(name, some_prefix, some_after, visit);
  });
  same([&](const StateReader& s, auto visit) { s.scan_history(name, prefix, at, visit); });
  same([&](const StateReader& s, auto visit) { s.scan_commits(at, visit); });
  for (const std::uint32_t id : {1U, 1U << 24 | 1})
    for (const int index : {0, 256})
      same([&](const StateReader& s, auto visit) {
        s.scan_index(id, static_cast<std::uint16_t>(index), from, some_after, visit);
      });
  EXPECT_EQ(a.find_record(name, prefix), b.find_record(name, prefix));
  EXPECT_EQ(a.oldest_version(name, prefix), b.oldest_version(name, prefix));
  EXPECT_EQ(a.find_operation(prefix), b.find_operation(prefix));
  EXPECT_EQ(a.find_collection(name), b.find_collection(name));
}

TEST_F(TablesTest, HoldWhatTheTablesInMemoryHold) {
  LateRows late;
  for (int round = 0; round < 300 && !HasFailure(); ++round) {
    SCOPED_TRACE(round);
    Txn txn = begin();
    TableWriter writer{txn, tables_, fatal_, model_.counters(), late};
    for (std::uint64_t i = random_.between(1, 20); i > 0; --i) {
      write_once(writer, model_);
      expect_same_scans(writer, model_);
    }
    writer.finish();
    ASSERT_TRUE(txn.commit());
    const Txn read = begin(Txn::Kind::read);
    const TableReader reader{read, tables_, fatal_};
    ASSERT_EQ(rows_of(reader), rows_of(model_));
    expect_same_scans(reader, model_);
  }
}

TEST_F(TablesTest, NamesThatNoRowCanHaveAreJustNotThere) {
  const Txn read = begin(Txn::Kind::read);
  const TableReader reader{read, tables_, fatal_};
  const std::string endless(1000, 'x');
  for (const std::string& text : {std::string{}, endless}) {
    EXPECT_FALSE(reader.find_record(text, text));
    EXPECT_FALSE(reader.find_operation(text));
    EXPECT_FALSE(reader.find_collection(text));
    EXPECT_FALSE(reader.find_balance(text, text));
    EXPECT_EQ(reader.oldest_version(text, text), 0u);
    const auto none = [](const auto&...) {
      ADD_FAILURE() << "there is nothing";
      return true;
    };
    reader.scan_records(text, text, text, none);
    reader.scan_balances(text, text, text, none);
    reader.scan_history(text, text, UINT64_MAX, none);
    reader.scan_index(1, 1, text, text, none);
  }
}

// One bit of the row's bytes changed in the table itself.
TEST_F(TablesTest, ADamagedRowStopsWhoeverMeetsIt) {
  const auto damage = [this](MDB_dbi table, std::string_view key) {
    Txn txn = begin();
    std::string row{txn.get(table, key).value().value()};
    row.back() = static_cast<char>(row.back() ^ 1);
    EXPECT_TRUE(txn.put(table, key, row));
    EXPECT_TRUE(txn.commit());
  };
  LateRows late;
  Txn txn = begin();
  TableWriter writer{txn, tables_, fatal_, {}, late};
  writer.put_history("a", "k", record_of(1));
  writer.append_commit({1, {}, "op", {{record::ChangeKind::put, "a", "k", 1, 0}}});
  writer.put_collection("a", {});
  writer.put_balance("a", "p", {});
  writer.put_index_row(1, 1, "v", "k");
  const Expiry expiry{1, Expiry::Kind::history, "a", "k", 1};
  writer.put_expiry(expiry);
  writer.finish();
  ASSERT_TRUE(txn.commit());
  damage(tables_.history, history_key("a", "k", 1).view());
  damage(tables_.commits, commit_key(1).view());
  damage(tables_.collections, "a");
  damage(tables_.balances, row_key("a", "p").view());
  damage(tables_.index, index_row_key(1, 1, "v", "k").view());
  damage(tables_.expiry, expiry_key(expiry).view());

  Txn after = begin();
  TableWriter tables{after, tables_, fatal_, {}, late};
  const auto any = [](const auto&...) { return true; };
  EXPECT_THROW(tables.scan_all_history(any), Stopped);
  EXPECT_THROW(tables.scan_commits(0, any), Stopped);
  EXPECT_THROW(tables.scan_collections(any), Stopped);
  EXPECT_THROW(tables.scan_all_balances(any), Stopped);
  EXPECT_THROW(tables.scan_index(1, 1, "", "", any), Stopped);
  EXPECT_THROW(tables.take_expiry(1), Stopped);
  EXPECT_THROW(tables.take_commit(1), Stopped);
  tables.finish();
}

TEST_F(TablesTest, TheTimelineOnlyGrowsAtItsEnd) {
  LateRows late;
  Txn txn = begin();
  TableWriter writer{txn, tables_, fatal_, {}, late};
  const record::Commit commit{5, {}, "op", {{record::ChangeKind::put, "a", "k", 1, 0}}};
  writer.append_commit(commit);
  EXPECT_THROW(writer.append_commit(commit), Stopped);
  writer.finish();
}

}  // namespace
}  // namespace mainstay::store
