#include "runtime/record/aging.hpp"

#include <algorithm>

#include "runtime/base/limits.hpp"
#include "runtime/base/mutant.hpp"
#include "runtime/record/state_hash.hpp"

namespace mainstay::record {

namespace {

void forget_operation(Entry& entry, const std::string& operation, const Operation& row) {
  entry.state.erase_operation(operation);
  entry.subtract_hash(hash_of(operation, row));
  entry.counters.operations -= 1;
}

// How many rows may still leave.
class Budget {
 public:
  explicit Budget(const Entry& entry)
      : left_{MUTANT(expiry_without_bound)
                  ? SIZE_MAX
                  : std::max(entry.options.expire_rows_min, 2 * entry.rows_added)} {}
  bool is_spent() const { return left_ == 0; }
  void take(std::size_t rows) { left_ -= std::min(left_, rows); }

 private:
  std::size_t left_;
};

// The next to go. With the planted bug, what is held of a record gets a gap.
Revision next_version(const Entry& entry, std::string_view collection, std::string_view key,
                      Revision until) {
  if (!MUTANT(history_forgotten_newest_first)) return entry.state.oldest_version(collection, key);
  Revision newest = 0;
  entry.state.scan_history(collection, key, until, [&](const Record& version) {
    newest = version.revision;
    return false;
  });
  return newest;
}

// A superseded version, and any older one, since a rule may have been longer once. Oldest first:
// whoever asks for a moment in a gap would get the version before it. False: some had to stay.
bool forget_history(Entry& entry, Budget& budget, std::string_view collection, std::string_view key,
                    Revision until) {
  while (true) {
    const Revision next = next_version(entry, collection, key, until);
    if (next == 0 || next > until) return true;
    if (budget.is_spent()) return false;
    const auto version = entry.state.take_history(collection, key, next);
    ASSERT(version.has_value());
    entry.subtract_hash(hash_of_history(collection, key, *version));
    entry.counters.history -= 1;
    budget.take(rows_of(*version));
    if (next == until && !MUTANT(history_forgotten_newest_first)) return true;
  }
}

// A record that was written again since then is no longer what was to be removed.
void forget_tombstone(Entry& entry, std::string_view collection, std::string_view key,
                      Revision revision) {
  const auto record = entry.state.find_record(collection, key);
  if (!record || !record->tombstone || record->revision != revision) return;
  entry.state.erase_record(collection, key);
  entry.subtract_hash(hash_of(collection, key, *record));
  entry.counters.tombstones -= 1;
  Place& place = entry.collections.find(collection);
  if (!place.has_row || revision <= place.in_force.created) return;
  place.row.tombstones -= 1;
  place.changed = true;
}

// With a change go the version it took the place of and the tombstone it made, or both wait: longer
// than the window, or for the next entry. In the queue the version comes before the tombstone,
// which must not go as long as the versions that it covers are there.
void age_change(Entry& entry, Budget& budget, const Commit& commit, const Change& change) {
  const Place& place = entry.collections.find(change.collection);
  const std::uint64_t history_ms =
      place.declaration() == nullptr ? 0 : place.declaration()->history_ms;
  const std::uint64_t due = commit.stamp.millis + history_ms;
  const auto later = [&](Expiry::Kind kind, Revision revision) {
    entry.state.put_expiry({due, kind, change.collection, change.key, revision});
  };
  bool waits = history_ms > entry.options.window_ms;
  if (change.previous != 0) {
    waits = waits || !forget_history(entry, budget, change.collection, change.key, change.previous);
    if (waits) later(Expiry::Kind::history, change.previous);
  }
  if (change.kind != ChangeKind::remove) return;
  if (waits)
    later(Expiry::Kind::tombstone, commit.revision);
  else
    forget_tombstone(entry, change.collection, change.key, commit.revision);
}

void age_commit(Entry& entry, Budget& budget, const Commit& commit) {
  entry.subtract_hash(hash_of(commit));
  const auto row = entry.state.find_operation(commit.operation);
  if (row && row->outcome.revision == commit.revision)
    forget_operation(entry, commit.operation, *row);
  for (const Change& change : commit.changes) age_change(entry, budget, commit, change);
  entry.counters.floor = commit.revision;
}

void age_timeline(Entry& entry, std::uint64_t until_millis) {
  for (Budget budget{entry}; !budget.is_spent();) {
    const auto commit = entry.state.take_commit(until_millis);
    if (!commit) return;
    budget.take(1 + commit->changes.size());
    age_commit(entry, budget, *commit);
  }
}

void expire_one(Entry& entry, Budget& budget, const Expiry& expiry) {
  switch (expiry.kind) {
    case Expiry::Kind::operation: {
      const auto row = entry.state.find_operation(expiry.key);
      const bool is_due =
          row && row->outcome.revision == 0 &&
          row->recorded_millis + entry.options.window_ms <= entry.counters.stamp.millis;
      if (is_due) forget_operation(entry, expiry.key, *row);
      return;
    }
    case Expiry::Kind::history:
      if (!forget_history(entry, budget, expiry.collection, expiry.key, expiry.revision))
        entry.state.put_expiry(expiry);  // goes on with the next entry
      return;
    case Expiry::Kind::tombstone:
      return forget_tombstone(entry, expiry.collection, expiry.key, expiry.revision);
  }
}

}  // namespace

void expire(Entry& entry) {
  const std::uint64_t now = entry.counters.stamp.millis;
  const std::uint64_t window = MUTANT(timeline_trimmed_early) ? 0 : entry.options.window_ms;
  if (now >= window) age_timeline(entry, now - window);
  for (Budget budget{entry}; !budget.is_spent();) {
    const auto expiry = entry.state.take_expiry(now);
    if (!expiry) return;
    expire_one(entry, budget, *expiry);
    budget.take(1);  // behind it: each gets somewhere
  }
}

void remember_operation(Entry& entry, const Command& command, const Outcome& outcome) {
  Counters& counters = entry.counters;
  const Operation row{command.request_hash, outcome, counters.stamp.millis};
  entry.state.put_operation(command.operation, row);
  entry.add_hash(hash_of(command.operation, row));
  counters.operations += 1;
  entry.rows_added += 1;
  if (outcome.revision == 0)
    entry.state.put_expiry({row.recorded_millis + entry.options.window_ms, Expiry::Kind::operation,
                            "", command.operation, 0});
}

}  // namespace mainstay::record
