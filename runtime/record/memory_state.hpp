// The state machine's tables in memory: the reference that the LMDB tables are compared with, for
// models, simulators and tests. One thread. Writes show at once; there are no transactions.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "runtime/record/state.hpp"

namespace mainstay::record {

class MemoryState final : public StateWriter {
 public:
  std::optional<Record> find_record(std::string_view collection,
                                    std::string_view key) const override;
  std::optional<Operation> find_operation(std::string_view operation) const override;
  Counters counters() const override { return counters_; }
  void scan_records(
      std::string_view collection, std::string_view prefix, std::string_view after,
      const std::function<bool(std::string_view key, const Record&)>& visit) const override;
  void scan_all_records(const std::function<bool(std::string_view collection, std::string_view key,
                                                 const Record&)>& visit) const override;
  void scan_all_operations(const std::function<bool(std::string_view operation, const Operation&)>&
                               visit) const override;

  void put_record(std::string_view collection, std::string_view key, const Record& record) override;
  void erase_record(std::string_view collection, std::string_view key) override;
  void put_operation(std::string_view operation, const Operation& value) override;
  void erase_operation(std::string_view operation) override;
  void put_expiry(const Expiry& expiry) override;
  std::optional<Expiry> take_expiry(std::uint64_t now_millis) override;
  void set_counters(const Counters& counters) override { counters_ = counters; }

  // How many expiries wait: one for each operation, at most one for each deletion.
  std::size_t expiries() const { return expiries_.size(); }

  bool operator==(const MemoryState& other) const {
    return records_ == other.records_ && operations_ == other.operations_ &&
           expiries_ == other.expiries_ && counters_ == other.counters_;
  }

 private:
  using RecordKey = std::pair<std::string, std::string>;  // collection, key
  using ExpiryKey = std::tuple<std::uint64_t, Expiry::Kind, std::string, std::string>;

  std::map<RecordKey, Record> records_;
  std::map<std::string, Operation, std::less<>> operations_;
  std::map<ExpiryKey, Revision> expiries_;
  Counters counters_;
};

}  // namespace mainstay::record
