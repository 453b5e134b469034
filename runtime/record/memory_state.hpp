// The state machine's tables in memory: the reference that the LMDB tables are compared with, for
// models, simulators and tests. One thread. Writes show at once; there are no transactions.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "runtime/record/state.hpp"

namespace mainstay::record {

class MemoryState final : public StateWriter {
 public:
  Counters counters() const override { return counters_; }
  std::optional<Record> find_record(std::string_view collection,
                                    std::string_view key) const override;
  void scan_records(std::string_view collection, std::string_view prefix, std::string_view after,
                    const RecordVisitor& visit) const override;
  void scan_history(std::string_view collection, std::string_view key, Revision at_most,
                    const HistoryVisitor& visit) const override;
  Revision oldest_version(std::string_view collection, std::string_view key) const override;
  void scan_commits(Revision after, const CommitVisitor& visit) const override;
  std::optional<Operation> find_operation(std::string_view operation) const override;
  std::optional<Collection> find_collection(std::string_view name) const override;
  void scan_collections(const CollectionVisitor& visit) const override;
  std::optional<Balance> find_balance(std::string_view collection,
                                      std::string_view position) const override;
  void scan_balances(std::string_view collection, std::string_view prefix, std::string_view after,
                     const BalanceVisitor& visit) const override;
  void scan_index(std::uint32_t collection, std::uint16_t index, std::string_view from,
                  std::string_view after_key, const IndexVisitor& visit) const override;
  void scan_all_records(const std::function<bool(std::string_view collection, std::string_view key,
                                                 const Record&)>& visit) const override;
  void scan_all_history(const std::function<bool(std::string_view collection, std::string_view key,
                                                 const Record&)>& visit) const override;
  void scan_all_operations(const std::function<bool(std::string_view operation, const Operation&)>&
                               visit) const override;
  void scan_all_balances(
      const std::function<bool(std::string_view collection, std::string_view position,
                               const Balance&)>& visit) const override;

  void set_counters(const Counters& counters) override { counters_ = counters; }
  void put_record(std::string_view collection, std::string_view key, const Record& record) override;
  void erase_record(std::string_view collection, std::string_view key) override;
  void put_history(std::string_view collection, std::string_view key,
                   const Record& record) override;
  std::optional<Record> take_history(std::string_view collection, std::string_view key,
                                     Revision revision) override;
  void append_commit(const Commit& commit) override;
  std::optional<Commit> take_commit(std::uint64_t until_millis) override;
  void put_operation(std::string_view operation, const Operation& value) override;
  void erase_operation(std::string_view operation) override;
  void put_collection(std::string_view name, const Collection& collection) override;
  void erase_collection(std::string_view name) override;
  void put_balance(std::string_view collection, std::string_view position,
                   const Balance& balance) override;
  void erase_balance(std::string_view collection, std::string_view position) override;
  void put_index_row(std::uint32_t collection, std::uint16_t index, std::string_view value,
                     std::string_view key) override;
  void erase_index_row(std::uint32_t collection, std::uint16_t index, std::string_view value,
                       std::string_view key) override;
  std::size_t erase_index_rows(std::uint32_t collection, std::uint16_t index,
                               std::size_t most) override;
  void put_expiry(const Expiry& expiry) override;
  std::optional<Expiry> take_expiry(std::uint64_t now_millis) override;

  std::size_t expiries() const { return expiries_.size(); }
  std::size_t index_rows() const { return index_rows_.size(); }

  bool operator==(const MemoryState& other) const {
    return counters_ == other.counters_ && records_ == other.records_ &&
           history_ == other.history_ && commits_ == other.commits_ &&
           operations_ == other.operations_ && collections_ == other.collections_ &&
           balances_ == other.balances_ && index_rows_ == other.index_rows_ &&
           expiries_ == other.expiries_;
  }

 private:
  using Name = std::pair<std::string, std::string>;  // collection, and key or position
  using HistoryName = std::tuple<std::string, std::string, Revision>;
  using IndexRow = std::tuple<std::uint32_t, std::uint16_t, std::string, std::string>;
  using ExpiryName = std::tuple<std::uint64_t, Expiry::Kind, std::string, std::string, Revision>;

  Counters counters_;
  std::map<Name, Record> records_;
  std::map<HistoryName, Record> history_;
  std::map<Revision, Commit> commits_;
  std::map<std::string, Operation, std::less<>> operations_;
  std::map<std::string, Collection, std::less<>> collections_;
  std::map<Name, Balance> balances_;
  std::set<IndexRow> index_rows_;
  std::set<ExpiryName> expiries_;
};

}  // namespace mainstay::record
