// The state machine's tables seen through one LMDB transaction. Private to runtime/store; the
// grammar is on top of record_store.cpp. Used by the thread of the transaction. Damage and failed
// writes go to the fatal handler.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/checksum.hpp"
#include "runtime/record/state.hpp"
#include "runtime/store/fatal.hpp"
#include "runtime/store/lmdb.hpp"

namespace mainstay::store {

enum class Table : std::uint8_t {
  records,
  history,
  commits,
  operations,
  collections,
  balances,
  index,
  expiry
};

// A row that a transaction writes, and what that does to the state hash.
struct RowChange {
  Table table = Table::records;
  std::string key;
  Hash128 delta{};
};
using RowChanges = std::vector<RowChange>;

struct RecordTables {
  MDB_dbi records = 0;
  MDB_dbi history = 0;
  MDB_dbi commits = 0;
  MDB_dbi operations = 0;
  MDB_dbi collections = 0;
  MDB_dbi balances = 0;
  MDB_dbi index = 0;
  MDB_dbi expiry = 0;
  MDB_dbi meta = 0;

  static constexpr unsigned count = 9;
  MDB_dbi of(Table table) const;
  static Result<RecordTables> open(lmdb::Txn& txn, unsigned flags);
};

// The row "counters" of a transaction.
Result<record::Counters> get_counters(const lmdb::Txn& txn, MDB_dbi meta);
Result<void> put_counters(lmdb::Txn& txn, MDB_dbi meta, const record::Counters& counters);

// The reading half, for a reader and a writer alike: `Interface` is StateReader or StateWriter.
template <class Interface>
class TableRows : public Interface {
 public:
  // All must outlive this.
  TableRows(const lmdb::Txn& txn, const RecordTables& tables, const FatalHandler& fatal)
      : txn_{txn}, tables_{tables}, fatal_{fatal} {}

  record::Counters counters() const override;
  std::optional<record::Record> find_record(std::string_view collection,
                                            std::string_view key) const override;
  void scan_records(std::string_view collection, std::string_view prefix, std::string_view after,
                    const record::StateReader::RecordVisitor& visit) const override;
  void scan_history(std::string_view collection, std::string_view key, record::Revision at_most,
                    const record::StateReader::HistoryVisitor& visit) const override;
  record::Revision oldest_version(std::string_view collection, std::string_view key) const override;
  void scan_commits(record::Revision after,
                    const record::StateReader::CommitVisitor& visit) const override;
  std::optional<record::Operation> find_operation(std::string_view operation) const override;
  std::optional<record::Collection> find_collection(std::string_view name) const override;
  void scan_collections(const record::StateReader::CollectionVisitor& visit) const override;
  std::optional<record::Balance> find_balance(std::string_view collection,
                                              std::string_view position) const override;
  void scan_balances(std::string_view collection, std::string_view prefix, std::string_view after,
                     const record::StateReader::BalanceVisitor& visit) const override;
  void scan_index(std::uint32_t collection, std::uint16_t index, std::string_view from,
                  std::string_view after_key,
                  const record::StateReader::IndexVisitor& visit) const override;

  using NamedRecordVisitor =
      std::function<bool(std::string_view, std::string_view, const record::Record&)>;
  using NamedBalanceVisitor =
      std::function<bool(std::string_view, std::string_view, const record::Balance&)>;
  void scan_all_records(const NamedRecordVisitor& visit) const override;
  void scan_all_history(const NamedRecordVisitor& visit) const override;
  void scan_all_operations(
      const std::function<bool(std::string_view, const record::Operation&)>& visit) const override;
  void scan_all_balances(const NamedBalanceVisitor& visit) const override;

  [[noreturn]] void stop(const Error& error) const;
  template <class T>
  T need(Result<T> result) const {
    if (!result) stop(result.error());
    return *std::move(result);
  }

 protected:
  const lmdb::Txn& txn_;
  const RecordTables& tables_;
  const FatalHandler& fatal_;
};

using TableReader = TableRows<record::StateReader>;

// Rows that two mutants write one transaction too late.
struct LateRows {
  std::map<std::string, record::Operation, std::less<>> operations;  // dedup_outside_transaction
  std::vector<record::Commit> commits;                               // timeline_outside_transaction
};

class TableWriter final : public TableRows<record::StateWriter> {
 public:
  // All must outlive the writer. `counters`: as of the transaction's begin. `noted`: what happens
  // to rows of the state hash is noted there, for a scrub; null: nobody asks.
  TableWriter(lmdb::Txn& txn, const RecordTables& tables, const FatalHandler& fatal,
              const record::Counters& counters, LateRows& late, RowChanges* noted = nullptr)
      : TableRows{txn, tables, fatal}, txn_{txn}, counters_{counters}, late_{late}, noted_{noted} {}

  // To be called before the transaction is committed.
  void finish();

  record::Counters counters() const override { return counters_; }
  std::optional<record::Operation> find_operation(std::string_view operation) const override;
  std::optional<record::Collection> find_collection(std::string_view name) const override;
  void scan_collections(const CollectionVisitor& visit) const override;

  void set_counters(const record::Counters& counters) override { counters_ = counters; }
  void put_record(std::string_view collection, std::string_view key,
                  const record::Record& record) override;
  void erase_record(std::string_view collection, std::string_view key) override;
  void put_history(std::string_view collection, std::string_view key,
                   const record::Record& record) override;
  std::optional<record::Record> take_history(std::string_view collection, std::string_view key,
                                             record::Revision revision) override;
  void append_commit(const record::Commit& commit) override;
  std::optional<record::Commit> take_commit(std::uint64_t until_millis) override;
  void put_operation(std::string_view operation, const record::Operation& value) override;
  void erase_operation(std::string_view operation) override;
  void put_collection(std::string_view name, const record::Collection& collection) override;
  void erase_collection(std::string_view name) override;
  void put_balance(std::string_view collection, std::string_view position,
                   const record::Balance& balance) override;
  void erase_balance(std::string_view collection, std::string_view position) override;
  void put_index_row(std::uint32_t collection, std::uint16_t index, std::string_view value,
                     std::string_view key) override;
  void erase_index_row(std::uint32_t collection, std::uint16_t index, std::string_view value,
                       std::string_view key) override;
  std::size_t erase_index_rows(std::uint32_t collection, std::uint16_t index,
                               std::size_t most) override;
  void put_expiry(const record::Expiry& expiry) override;
  std::optional<record::Expiry> take_expiry(std::uint64_t now_millis) override;

 private:
  // A collection's row changes with every write to it: it is kept here and written once. Nothing:
  // there is no such collection.
  struct KeptCollection {
    std::optional<record::Collection> row;
    bool changed = false;
  };

  using TableRows::need;
  void need(const Result<void>& result) const {
    if (!result) stop(result.error());
  }
  void put_row(Table table, std::string_view key, std::string_view value);
  void erase_row(Table table, std::string_view key);
  void note(Table table, std::string_view key, std::string_view after) const;
  lmdb::Cursor& commit_cursor();
  void write_collections() const;

  lmdb::Txn& txn_;
  record::Counters counters_;
  LateRows& late_;
  RowChanges* noted_;
  mutable std::map<std::string, KeptCollection, std::less<>> collections_;
  std::optional<lmdb::Cursor> commits_;
};

}  // namespace mainstay::store
