// The tables the state machine works on, as an interface: LMDB in runtime/store, ordered maps in
// memory_state.hpp for models and tests.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/record/types.hpp"

namespace mainstay::record {

// A consistent view of one moment. Used by one thread. Damage found below stops the node (P7), it
// is not returned here. Visitors return false to stop; what they are given lives for the call.
class StateReader {
 public:
  virtual ~StateReader() = default;

  virtual Counters counters() const = 0;

  // --- records: the newest version of each, tombstones included ---
  virtual std::optional<Record> find_record(std::string_view collection,
                                            std::string_view key) const = 0;
  // In key order: keys that start with `prefix` and are greater than `after` ("" for the first).
  using RecordVisitor = std::function<bool(std::string_view key, const Record&)>;
  virtual void scan_records(std::string_view collection, std::string_view prefix,
                            std::string_view after, const RecordVisitor& visit) const = 0;

  // --- history: superseded versions ---
  // Of one record, newest first, from the greatest revision at or below `at_most`.
  using HistoryVisitor = std::function<bool(const Record&)>;
  virtual void scan_history(std::string_view collection, std::string_view key, Revision at_most,
                            const HistoryVisitor& visit) const = 0;

  // Of one record, the revision of the oldest; 0: there is none.
  virtual Revision oldest_version(std::string_view collection, std::string_view key) const = 0;

  // --- the timeline, oldest first ---
  using CommitVisitor = std::function<bool(const Commit&)>;
  virtual void scan_commits(Revision after, const CommitVisitor& visit) const = 0;

  // --- operations ---
  virtual std::optional<Operation> find_operation(std::string_view operation) const = 0;

  // --- collections, in name order ---
  virtual std::optional<Collection> find_collection(std::string_view name) const = 0;
  using CollectionVisitor = std::function<bool(std::string_view name, const Collection&)>;
  virtual void scan_collections(const CollectionVisitor& visit) const = 0;

  // --- balances: `position` is the dimension values as balance_key.hpp encodes them ---
  virtual std::optional<Balance> find_balance(std::string_view collection,
                                              std::string_view position) const = 0;
  using BalanceVisitor = std::function<bool(std::string_view position, const Balance&)>;
  virtual void scan_balances(std::string_view collection, std::string_view prefix,
                             std::string_view after, const BalanceVisitor& visit) const = 0;

  // --- indexes: rows are (collection id, index id, encoded value, record key), in that order;
  // `value` as index_key.hpp encodes it. From the first row at or after (`from`, `after_key`),
  // after_key exclusive ("" for all of `from`) ---
  using IndexVisitor = std::function<bool(std::string_view value, std::string_view key)>;
  virtual void scan_index(std::uint32_t collection, std::uint16_t index, std::string_view from,
                          std::string_view after_key, const IndexVisitor& visit) const = 0;

  // --- every row, in key order per table: for the scrub and for comparing replicas ---
  virtual void scan_all_records(
      const std::function<bool(std::string_view collection, std::string_view key, const Record&)>&
          visit) const = 0;
  virtual void scan_all_history(
      const std::function<bool(std::string_view collection, std::string_view key, const Record&)>&
          visit) const = 0;
  virtual void scan_all_operations(
      const std::function<bool(std::string_view operation, const Operation&)>& visit) const = 0;
  virtual void scan_all_balances(
      const std::function<bool(std::string_view collection, std::string_view position,
                               const Balance&)>& visit) const = 0;
};

// A write transaction: all of it becomes visible and durable together, with the counters, or none.
class StateWriter : public StateReader {
 public:
  virtual void set_counters(const Counters& counters) = 0;

  virtual void put_record(std::string_view collection, std::string_view key,
                          const Record& record) = 0;
  virtual void erase_record(std::string_view collection, std::string_view key) = 0;

  virtual void put_history(std::string_view collection, std::string_view key,
                           const Record& record) = 0;
  // The row that was removed; nothing when there was none.
  virtual std::optional<Record> take_history(std::string_view collection, std::string_view key,
                                             Revision revision) = 0;

  // REQUIRES: a greater revision than every row's.
  virtual void append_commit(const Commit& commit) = 0;
  // The oldest row, if its stamp is at or before `until_millis`; removed.
  virtual std::optional<Commit> take_commit(std::uint64_t until_millis) = 0;

  virtual void put_operation(std::string_view operation, const Operation& value) = 0;
  virtual void erase_operation(std::string_view operation) = 0;

  virtual void put_collection(std::string_view name, const Collection& collection) = 0;
  virtual void erase_collection(std::string_view name) = 0;

  virtual void put_balance(std::string_view collection, std::string_view position,
                           const Balance& balance) = 0;
  virtual void erase_balance(std::string_view collection, std::string_view position) = 0;

  virtual void put_index_row(std::uint32_t collection, std::uint16_t index, std::string_view value,
                             std::string_view key) = 0;
  virtual void erase_index_row(std::uint32_t collection, std::uint16_t index,
                               std::string_view value, std::string_view key) = 0;
  // Up to `most` rows of an index; how many were there to remove.
  virtual std::size_t erase_index_rows(std::uint32_t collection, std::uint16_t index,
                                       std::size_t most) = 0;

  virtual void put_expiry(const Expiry& expiry) = 0;
  // The earliest expiry, if it is due at `now_millis`; removed from the queue.
  virtual std::optional<Expiry> take_expiry(std::uint64_t now_millis) = 0;
};

}  // namespace mainstay::record
