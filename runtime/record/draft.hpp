// What a command would change, kept beside the tables until the whole command holds: a refused one
// is simply dropped. Private to the apply step.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/json.hpp"
#include "runtime/record/collections.hpp"
#include "runtime/record/state.hpp"
#include "runtime/record/types.hpp"

namespace mainstay::record {

// One entry being applied: the tables and what goes with them.
struct Entry {
  Entry(StateWriter& tables, Declarations& parsed, const ApplyOptions& how)
      : state{tables},
        declarations{parsed},
        options{how},
        counters{tables.counters()},
        collections{tables, parsed} {}

  StateWriter& state;
  Declarations& declarations;
  ApplyOptions options;
  Counters counters;
  Collections collections;
  std::uint64_t wall_millis = 0;
  std::size_t bytes_read = 0;  // what its commands have read, see Draft::bytes_read()
  std::size_t rows_added = 0;  // rows that will have to leave some day, as expire() counts them

  void add_hash(const Hash128& hash) { counters.hash = add(counters.hash, hash); }
  void subtract_hash(const Hash128& hash) { counters.hash = subtract(counters.hash, hash); }
};

inline bool is_live(const std::optional<Record>& record) {
  return record && !record->tombstone;
}

class Draft {
 public:
  explicit Draft(Entry& entry) : entry_{entry} {}
  void clear();

  Entry& entry() { return entry_; }

  // As before the command; looked up once. Valid until clear(), `name` and `key` must live as long.
  const std::optional<Record>& found(std::string_view collection, std::string_view key);
  // Its value, parsed once; null: not live, or not JSON.
  const json::Value* found_value(std::string_view collection, std::string_view key);

  // Stored bytes that the command has read or made so far: however small it is itself, it must not
  // make every replica work without bound.
  std::size_t bytes_read() const { return bytes_read_; }
  void charge(std::size_t bytes) { bytes_read_ += bytes; }

  // The record's next version, given its value; `parsed` when it is known. A record is staged once.
  ActionResult stage(Place& place, const Action& action, const std::optional<Record>& before,
                     Bytes value, std::optional<json::Value> parsed);
  void stage_removal(Place& place, const Action& action, const Record& before);
  // Records that staged put into the collection, less those it removed.
  std::int64_t staged_live(const Place& place) const;
  // The value that the command itself gives the record; null if it gives none.
  const Bytes* staged_value(const Place& place, std::string_view key) const;

  struct StagedBalance {
    Place* place = nullptr;
    std::string position;
    std::optional<Balance> before;
    Decimal now;
    std::size_t lowered_by = 0;  // the last action that took from it
  };
  // As the command has left it so far; made from the tables.
  StagedBalance& balance(Place& place, std::string position);
  const std::deque<StagedBalance>& balances() const { return balances_; }

  // Entry `id` undoes entry `reversed`.
  void stage_reversal(Place& place, std::string reversed, std::string_view id);
  bool is_reversed(const Place& place, std::string_view reversed);

  // What a declaration makes of its collection; the revision is filled in.
  struct StagedCollection {
    Place* place = nullptr;
    Collection row;
    std::shared_ptr<const Declaration> declaration;  // null: undeclared
    bool is_new = false;
  };
  void stage_collection(StagedCollection change) { collection_ = std::move(change); }

  bool is_empty() const { return records_.empty(); }
  // Writes everything, under the next revision. REQUIRES: not empty.
  Revision commit(const std::string& operation);

 private:
  struct StagedRecord {
    Place* place = nullptr;
    const Action* action = nullptr;
    std::optional<Record> before;
    Record after;
    std::optional<json::Value> parsed;
  };
  struct Found {
    std::string_view collection;
    std::string_view key;
    std::optional<Record> record;
    bool is_parsed = false;
    std::optional<json::Value> value;
  };
  struct Reversal {
    Place* place = nullptr;
    std::string reversed;
    std::string_view id;
  };

  Found& look_up(std::string_view collection, std::string_view key);
  StagedRecord& staged(Place& place, const Action& action, const std::optional<Record>& before);
  Change write_record(StagedRecord& staged);
  void write_index_rows(const StagedRecord& staged);
  void keep_history(const StagedRecord& staged);
  void count(const StagedRecord& staged);
  void write_balance(const StagedBalance& staged);
  void write_collection();

  Entry& entry_;
  std::size_t bytes_read_ = 0;
  std::deque<Found> found_;  // stay where they are
  std::vector<StagedRecord> records_;
  std::deque<StagedBalance> balances_;
  std::vector<Reversal> reversals_;
  std::optional<StagedCollection> collection_;
};

// The value of the hidden index 0 of a ledger, whose rows lead from a reversed entry to the one
// that reverses it: a hash, since ids can be longer than an index value.
inline constexpr std::uint16_t reversal_index = 0;
std::string reversal_value(std::string_view reversed);

}  // namespace mainstay::record
