// The replicated state machine: one log batch in, outcomes out. Deterministic: every replica that
// applies the same entries to the same state gets the same state, the same outcomes and the same
// hash. No clock, no randomness, no I/O of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/limits.hpp"
#include "runtime/record/declaration.hpp"
#include "runtime/record/state.hpp"
#include "runtime/record/types.hpp"

namespace mainstay::record {

struct ApplyOptions {
  // The retention window: how long dedup entries, the timeline, superseded versions and tombstones
  // stay. The same on every node: limits::retention_window_ms.
  std::uint64_t window_ms = 0;
  // Rows that leave with one entry at least, if so many are due. Another number in tests only.
  std::size_t expire_rows_min = limits::expire_rows_min;
};

// Outcomes of one batch, in the order of its commands.
struct BatchOutcome {
  NodeId origin;
  BootId origin_boot;
  std::uint64_t sequence = 0;
  std::vector<std::string> operations;
  std::vector<Outcome> outcomes;
};

// A declaration in force.
struct InForce {
  Revision declared = 0;  // that of the Collection row
  Revision created = 0;   // when the collection was declared first, or again after an undeclare
  std::shared_ptr<const Declaration> declaration;
};

// Declarations in force, parsed once, how many there are, and which have an index to work on. Holds
// nothing that is not in the tables: an entry counts only while its revision is that of the
// Collection row, number and list only while the applied index goes on from where they were made.
class Declarations {
 public:
  // Valid until the collection is declared again, or undeclared.
  const InForce& in_force(const StateReader& state, std::string_view collection,
                          const Collection& row);

  // For the apply step. An entry begins: number and list are made again unless they are those of
  // the one before.
  void begin(const StateReader& state, std::uint64_t index);
  // A command of the entry has declared a new collection, or undeclared one.
  void added() { ++count_; }
  void removed(std::string_view collection);
  // How many there are, with what the entry has done so far.
  std::size_t count() const { return count_; }
  // The collections with an index that is being built or removed.
  std::set<std::string, std::less<>>& index_work() { return index_work_; }
  std::size_t parsed() const { return parsed_.size(); }

 private:
  std::map<std::string, InForce, std::less<>> parsed_;
  std::size_t count_ = 0;
  std::set<std::string, std::less<>> index_work_;
  std::uint64_t index_ = 0;  // the entry that number and list belong to; 0: not made yet
};

// Applies one entry. Moves counters, hash, timeline, deduplication table and expiry queue within
// the same transaction. `declarations` belongs to the thread that applies. REQUIRES: index ==
// state.counters().applied_index + 1.
std::vector<BatchOutcome> apply(StateWriter& state, Declarations& declarations, std::uint64_t index,
                                std::uint64_t term, const LogBatch& batch,
                                const ApplyOptions& options);

// An entry without record commands (no-op, membership, check): the applied index moves, what is due
// leaves, and indexes under construction go on.
void apply_nothing(StateWriter& state, Declarations& declarations, std::uint64_t index,
                   std::uint64_t term, const ApplyOptions& options);

// Checks that need no state, done at the edge before a command is proposed: names, sizes,
// characters, counts, the form of declarations, that patches and conditions are JSON.
Result<void> validate(const Command& command);

// Names of what is read, checked as those of a command are. System collections are good names.
Result<void> check_collection_name(std::string_view name);
Result<void> check_record_key(std::string_view key);

// --- reading what the tables do not hold as such ---

// The record as it was at a revision: the newest version at or below it; nothing if it did not
// exist then. A tombstone is returned as such. Errors: compacted (that version is no longer held),
// invalid_argument (a revision that has not been yet).
Result<std::optional<Record>> record_at(const StateReader& state, std::string_view collection,
                                        std::string_view key, Revision revision);

// A change with the value it made.
struct ChangeView {
  const Commit* commit = nullptr;
  const Change* change = nullptr;
  std::size_t position = 0;  // among the changes of the commit
  Record record;             // as of the commit; a tombstone for a removal
};
// Changes behind `after` in order, each once; `visit` returns false to stop (a commit may be cut,
// and is resumed by `skip`, the number of its changes seen already: position of after+1's first).
// Errors: compacted (after < floor).
Result<void> scan_changes(const StateReader& state, Revision after, std::size_t skip,
                          const std::function<bool(const ChangeView&)>& visit);

}  // namespace mainstay::record
