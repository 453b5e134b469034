// The state machine's tables seen through one LMDB transaction. Private to runtime/store; the
// grammar is on top of record_store.cpp. Used by the thread of the transaction. Damage and failed
// writes go to the fatal handler.
#pragma once

#include <map>
#include <string>

#include "runtime/record/state.hpp"
#include "runtime/store/fatal.hpp"
#include "runtime/store/lmdb.hpp"

namespace mainstay::store {

struct RecordTables {
  MDB_dbi records = 0;
  MDB_dbi operations = 0;
  MDB_dbi expiry = 0;
  MDB_dbi meta = 0;

  static Result<RecordTables> open(lmdb::Txn& txn, unsigned flags);
};

// The row "counters" of a transaction.
Result<record::Counters> get_counters(const lmdb::Txn& txn, MDB_dbi meta);
Result<void> put_counters(lmdb::Txn& txn, MDB_dbi meta, const record::Counters& counters);

class TableReader final : public record::StateReader {
 public:
  // All must outlive the reader.
  TableReader(const lmdb::Txn& txn, const RecordTables& tables, const FatalHandler& fatal)
      : txn_{txn}, tables_{tables}, fatal_{fatal} {}

  std::optional<record::Record> find_record(std::string_view collection,
                                            std::string_view key) const override;
  std::optional<record::Operation> find_operation(std::string_view operation) const override;
  record::Counters counters() const override;
  void scan_records(
      std::string_view collection, std::string_view prefix, std::string_view after,
      const std::function<bool(std::string_view, const record::Record&)>& visit) const override;
  void scan_all_records(const std::function<bool(std::string_view, std::string_view,
                                                 const record::Record&)>& visit) const override;
  void scan_all_operations(
      const std::function<bool(std::string_view, const record::Operation&)>& visit) const override;

  [[noreturn]] void stop(const Error& error) const;
  template <class T>
  T need(Result<T> result) const {
    if (!result) stop(result.error());
    return *std::move(result);
  }

 private:
  const lmdb::Txn& txn_;
  const RecordTables& tables_;
  const FatalHandler& fatal_;
};

// Rows that the mutant dedup_outside_transaction writes one transaction too late.
using LateOperations = std::map<std::string, record::Operation, std::less<>>;

class TableWriter final : public record::StateWriter {
 public:
  // All must outlive the writer. `counters`: as of the transaction's begin.
  TableWriter(lmdb::Txn& txn, const RecordTables& tables, const FatalHandler& fatal,
              const record::Counters& counters, LateOperations& late)
      : txn_{txn}, tables_{tables}, reader_{txn, tables, fatal}, counters_{counters}, late_{late} {}

  std::optional<record::Record> find_record(std::string_view collection,
                                            std::string_view key) const override;
  std::optional<record::Operation> find_operation(std::string_view operation) const override;
  record::Counters counters() const override { return counters_; }
  void scan_records(
      std::string_view collection, std::string_view prefix, std::string_view after,
      const std::function<bool(std::string_view, const record::Record&)>& visit) const override;
  void scan_all_records(const std::function<bool(std::string_view, std::string_view,
                                                 const record::Record&)>& visit) const override;
  void scan_all_operations(
      const std::function<bool(std::string_view, const record::Operation&)>& visit) const override;

  void put_record(std::string_view collection, std::string_view key,
                  const record::Record& record) override;
  void erase_record(std::string_view collection, std::string_view key) override;
  void put_operation(std::string_view operation, const record::Operation& value) override;
  void erase_operation(std::string_view operation) override;
  void put_expiry(const record::Expiry& expiry) override;
  std::optional<record::Expiry> take_expiry(std::uint64_t now_millis) override;
  void set_counters(const record::Counters& counters) override { counters_ = counters; }

 private:
  void need(const Result<void>& result) const {
    if (!result) reader_.stop(result.error());
  }

  lmdb::Txn& txn_;
  const RecordTables& tables_;
  TableReader reader_;
  record::Counters counters_;
  LateOperations& late_;
};

}  // namespace mainstay::store
