// The tables the state machine works on, as an interface: LMDB in runtime/store, a std::map in
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
// is not returned here.
class StateReader {
 public:
  virtual ~StateReader() = default;

  // Tombstones included.
  virtual std::optional<Record> find_record(std::string_view collection,
                                            std::string_view key) const = 0;
  virtual std::optional<Operation> find_operation(std::string_view operation) const = 0;
  virtual Counters counters() const = 0;

  // Records of a collection in key order whose keys start with `prefix` and are greater than
  // `after` ("" for the first), tombstones included; `visit` returns false to stop.
  virtual void scan_records(
      std::string_view collection, std::string_view prefix, std::string_view after,
      const std::function<bool(std::string_view key, const Record&)>& visit) const = 0;

  // Every row, in key order per table: for the scrub and for comparing replicas.
  virtual void scan_all_records(
      const std::function<bool(std::string_view collection, std::string_view key, const Record&)>&
          visit) const = 0;
  virtual void scan_all_operations(
      const std::function<bool(std::string_view operation, const Operation&)>& visit) const = 0;
};

// A write transaction: all of it becomes visible and durable together, with the counters, or none.
class StateWriter : public StateReader {
 public:
  virtual void put_record(std::string_view collection, std::string_view key,
                          const Record& record) = 0;
  virtual void erase_record(std::string_view collection, std::string_view key) = 0;
  virtual void put_operation(std::string_view operation, const Operation& value) = 0;
  virtual void erase_operation(std::string_view operation) = 0;
  virtual void put_expiry(const Expiry& expiry) = 0;
  // The earliest expiry, if it is due at `now_millis`; removed from the queue.
  virtual std::optional<Expiry> take_expiry(std::uint64_t now_millis) = 0;
  virtual void set_counters(const Counters& counters) = 0;
};

}  // namespace mainstay::record
