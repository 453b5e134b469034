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

void forget_version(Entry& entry, std::string_view collection, std::string_view key,
                    Revision revision) {
  const auto record = entry.state.take_history(collection, key, revision);
  if (!record) return;
  entry.subtract_hash(hash_of_history(collection, key, *record));
  entry.counters.history -= 1;
}

// A superseded version, and any older one: a rule that was longer once must not leave gaps, since
// whoever asks for a moment in one would get the version before it.
void forget_history(Entry& entry, std::string_view collection, std::string_view key,
                    Revision revision) {
  std::vector<Revision> old;
  entry.state.scan_history(collection, key, revision, [&](const Record& record) {
    old.push_back(record.revision);
    return old.size() < limits::expire_per_batch_max;
  });
  for (auto at = old.rbegin(); at != old.rend(); ++at) forget_version(entry, collection, key, *at);
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

// With a change go the version it took the place of and the tombstone it made, or both wait longer.
void age_change(Entry& entry, const Commit& commit, const Change& change) {
  const Place& place = entry.collections.find(change.collection);
  const std::uint64_t history_ms =
      place.declaration() == nullptr ? 0 : place.declaration()->history_ms;
  const bool waits = history_ms > entry.options.window_ms;
  const std::uint64_t due = commit.stamp.millis + history_ms;
  if (change.previous != 0) {
    if (waits)
      entry.state.put_expiry(
          {due, Expiry::Kind::history, change.collection, change.key, change.previous});
    else
      forget_history(entry, change.collection, change.key, change.previous);
  }
  if (change.kind != ChangeKind::remove) return;
  if (waits)
    entry.state.put_expiry(
        {due, Expiry::Kind::tombstone, change.collection, change.key, commit.revision});
  else
    forget_tombstone(entry, change.collection, change.key, commit.revision);
}

void age_commit(Entry& entry, const Commit& commit) {
  entry.subtract_hash(hash_of(commit));
  const auto row = entry.state.find_operation(commit.operation);
  if (row && row->outcome.revision == commit.revision)
    forget_operation(entry, commit.operation, *row);
  for (const Change& change : commit.changes) age_change(entry, commit, change);
  entry.counters.floor = commit.revision;
}

void age_timeline(Entry& entry, std::uint64_t until_millis) {
  for (std::size_t rows = 0; rows < limits::expire_per_batch_max;) {
    const auto commit = entry.state.take_commit(until_millis);
    if (!commit) return;
    rows += std::max<std::size_t>(1, commit->changes.size());
    age_commit(entry, *commit);
  }
}

void expire_one(Entry& entry, const Expiry& expiry) {
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
      return forget_history(entry, expiry.collection, expiry.key, expiry.revision);
    case Expiry::Kind::tombstone:
      return forget_tombstone(entry, expiry.collection, expiry.key, expiry.revision);
  }
}

}  // namespace

void expire(Entry& entry) {
  const std::uint64_t now = entry.counters.stamp.millis;
  const std::uint64_t window = MUTANT(timeline_trimmed_early) ? 0 : entry.options.window_ms;
  if (now >= window) age_timeline(entry, now - window);
  for (std::size_t taken = 0; taken < limits::expire_per_batch_max; ++taken) {
    const auto expiry = entry.state.take_expiry(now);
    if (!expiry) return;
    expire_one(entry, *expiry);
  }
}

void remember_operation(Entry& entry, const Command& command, const Outcome& outcome) {
  Counters& counters = entry.counters;
  const Operation row{command.request_hash, outcome, counters.stamp.millis};
  entry.state.put_operation(command.operation, row);
  entry.add_hash(hash_of(command.operation, row));
  counters.operations += 1;
  if (outcome.revision == 0)
    entry.state.put_expiry({row.recorded_millis + entry.options.window_ms, Expiry::Kind::operation,
                            "", command.operation, 0});
}

}  // namespace mainstay::record
