// What the record state machine must do, worked out a second time and as plainly as possible: whole
// histories in ordered maps, nothing shared with runtime/record but its types. Fed with the
// committed entries in order; what the nodes answer and hold is compared with it. Covers what the
// workload asks for, which includes no large values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "runtime/base/json.hpp"
#include "runtime/consensus/types.hpp"
#include "runtime/record/state_machine.hpp"
#include "runtime/record/types.hpp"

namespace mainstay::harness {

class Model {
 public:
  explicit Model(const record::ApplyOptions& options) : options_{options} {}

  // One version that a record has or had.
  struct Version {
    record::Revision revision = 0;
    record::Revision created = 0;
    record::Version version = 0;
    std::uint64_t millis = 0;  // replicated time
    std::string value;
    bool tombstone = false;
    consensus::Index superseded = 0;  // the entry that made it an old version; 0: none has
    consensus::Index forgotten = 0;   // the entry that forgot the old version; 0: none has

    // Whether it is held as an old version when that entry has been applied.
    bool held_at(consensus::Index index) const {
      return superseded != 0 && superseded <= index && (forgotten == 0 || forgotten > index);
    }
  };
  // A quantity between two ends, as the workload writes them.
  struct Move {
    std::int64_t units = 0;
    std::map<std::string, std::string> from, to;
    std::string reverses;  // "": none
    bool operator==(const Move&) const = default;
  };
  struct Ledger {
    std::vector<std::string> dimensions;
    unsigned scale = 0;
    std::optional<std::int64_t> never_below;
    std::vector<std::map<std::string, std::string>> except;
  };
  struct Collection {
    std::string declaration;  // canonical
    std::optional<Ledger> ledger;
    std::map<std::string, std::string> indexes;  // pointer by name
    std::optional<std::int64_t> minimum;         // the schema's, of member "n"
    std::uint64_t records_max = 0;
    std::uint64_t value_bytes_max = 0;
    std::uint64_t history_ms = 0;
    consensus::Index dropped_at = 0;  // the entry that last dropped an index
  };
  struct Commit {
    std::uint64_t millis = 0;
    std::string operation;
    std::vector<record::Change> changes;
  };
  using Key = std::pair<std::string, std::string>;             // collection, key
  using Outcomes = std::vector<std::vector<record::Outcome>>;  // by batch, by command

  // The entry behind index().
  void apply(const consensus::Entry& entry);

  consensus::Index index() const { return outcomes_.size(); }
  // What the commands of an applied entry were answered, without texts.
  const Outcomes& outcomes(consensus::Index index) const { return outcomes_[index - 1]; }
  record::Revision revision() const { return commits_.size(); }
  // The last revision that the timeline no longer shows when the entry has been applied.
  record::Revision floor(consensus::Index index) const {
    return index == 0 ? 0 : floors_[index - 1];
  }
  const Commit& commit(record::Revision revision) const { return commits_[revision - 1]; }

  // Whether the entry left old versions for the next ones to forget that were due with it.
  bool forgot_in_part(consensus::Index index) const { return forgot_in_part_.contains(index); }

  // As of a revision; null if the record did not exist then. Tombstones are returned.
  const Version* at(const Key& key, record::Revision revision) const;
  // The old version of exactly this revision, if it is held when the entry has been applied.
  const Version* held(const Key& key, record::Revision revision, consensus::Index index) const;
  const std::map<Key, std::vector<Version>>& records() const { return records_; }
  std::int64_t balance_at(const std::string& collection, const std::string& position,
                          record::Revision revision) const;
  // Positions of a ledger that ever moved, as bytes that order like the store's.
  std::vector<std::string> positions(const std::string& collection) const;
  const std::map<std::string, Collection>& collections() const { return collections_; }
  const std::map<std::string, record::Outcome>& operations() const { return operations_; }

  static Move parse_move(const Ledger& ledger, std::string_view text);

 private:
  // What a command would do; nothing of it counts until it is done.
  struct Work {
    std::map<Key, Version> records;
    std::vector<record::Change> changes;
    std::map<Key, std::int64_t> balances;  // collection, position
    std::vector<Key> touched;              // the same in the order of the entries
    std::map<Key, std::uint32_t> lowered_by;
    std::set<Key> reversed;  // entries that the command reverses
    std::map<std::string, std::optional<Collection>> collections;
    std::vector<record::ActionResult> results;
  };
  struct Refusal {
    Errc code;
    record::Part part = record::Part::whole;
    std::uint32_t position = 0;
    record::Version found = 0;
  };

  record::Outcome answer(const record::Command& command);
  record::Outcome run(const record::Command& command);
  void check(const record::RecordCheck& check, std::uint32_t position, const Work& work) const;
  void check(const record::BalanceCheck& check, std::uint32_t position) const;
  void act(const record::Action& action, Work& work);
  void put(const record::Action& action, std::string value, Work& work);
  void post(const record::Action& action, Work& work);
  void declare(const record::Action& action, Work& work);
  void undeclare(const record::Action& action, Work& work);
  void write(const record::Action& action, std::string value, bool tombstone, Work& work);
  void guard(const Work& work) const;
  record::Revision keep(const record::Command& command, Work&& work);
  // Rows that may still leave with the entry.
  using Budget = std::uint64_t;
  void expire();
  void age(const Commit& commit, record::Revision revision, Budget& budget);
  void expire(const record::Expiry& expiry, Budget& budget);
  void forget_tombstone(const Key& key, record::Revision revision);
  bool forget_history(const Key& key, record::Revision until, Budget& budget);

  const Collection& collection(const std::string& name, const Work& work) const;
  std::optional<Version> row(const Key& key, const Work& work) const;
  std::optional<Version> live(const Key& key, const Work& work) const;
  std::int64_t balance(const Key& key, const Work& work) const;
  consensus::Index index_of_entry() const { return index(); }
  std::uint64_t live_in(const std::string& collection) const;

  record::ApplyOptions options_;
  std::uint64_t millis_ = 0;  // replicated time
  std::uint64_t added_ = 0;   // rows of the entry that will have to leave
  record::Revision floor_ = 0;
  std::vector<record::Revision> floors_;             // by entry
  std::map<Key, std::vector<Version>> records_;      // every version ever, oldest first
  std::set<std::pair<Key, record::Revision>> gone_;  // tombstones that have expired
  std::map<Key, std::vector<std::pair<record::Revision, std::int64_t>>> balances_;
  std::set<Key> reversed_;
  std::map<std::string, Collection> collections_;
  std::vector<Commit> commits_;
  std::map<std::string, record::Outcome> operations_;
  std::map<std::string, Hash128> hashes_;
  std::set<consensus::Index> forgot_in_part_;
  using Due = std::tuple<std::uint64_t, record::Expiry::Kind, Key, record::Revision>;
  std::set<Due> due_;  // what does not leave with the timeline, in order
  std::vector<Outcomes> outcomes_;
};

}  // namespace mainstay::harness
