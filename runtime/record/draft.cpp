#include "runtime/record/draft.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"
#include "runtime/base/mutant.hpp"
#include "runtime/record/aging.hpp"
#include "runtime/record/indexing.hpp"
#include "runtime/record/ledger.hpp"
#include "runtime/record/state_hash.hpp"

namespace mainstay::record {

std::string reversal_value(std::string_view reversed) {
  return hex_of(xxh3_128(reversed));
}

void Draft::clear() {
  bytes_read_ = 0;
  found_.clear();
  records_.clear();
  balances_.clear();
  reversals_.clear();
  collection_.reset();
}

Draft::Found& Draft::look_up(std::string_view collection, std::string_view key) {
  for (Found& each : found_)
    if (each.key == key && each.collection == collection) return each;
  Found& made = found_.emplace_back();
  made.collection = collection;
  made.key = key;
  made.record = entry_.state.find_record(collection, key);
  if (made.record) charge(made.record->value.size());
  return made;
}

const std::optional<Record>& Draft::found(std::string_view collection, std::string_view key) {
  return look_up(collection, key).record;
}

const json::Value* Draft::found_value(std::string_view collection, std::string_view key) {
  Found& found = look_up(collection, key);
  if (!found.is_parsed && is_live(found.record)) {
    auto value = json::parse(found.record->value.view());
    if (value) found.value = *std::move(value);
  }
  found.is_parsed = true;
  return found.value ? &*found.value : nullptr;
}

Draft::StagedRecord& Draft::staged(Place& place, const Action& action,
                                   const std::optional<Record>& before) {
  StagedRecord& staged = records_.emplace_back();
  staged.place = &place;
  staged.action = &action;
  staged.before = before;
  staged.after.version = (before ? before->version : 0) + 1;
  return staged;
}

ActionResult Draft::stage(Place& place, const Action& action, const std::optional<Record>& before,
                          Bytes value, std::optional<json::Value> parsed) {
  StagedRecord& next = staged(place, action, before);
  next.after.value = std::move(value);
  next.parsed = std::move(parsed);
  return {next.after.version, !is_live(before), true};
}

void Draft::stage_removal(Place& place, const Action& action, const Record& before) {
  staged(place, action, before).after.tombstone = true;
}

std::int64_t Draft::staged_live(const Place& place) const {
  std::int64_t more = 0;
  for (const StagedRecord& each : records_) {
    if (each.place != &place) continue;
    more += (each.after.tombstone ? 0 : 1) - (is_live(each.before) ? 1 : 0);
  }
  return more;
}

const Bytes* Draft::staged_value(const Place& place, std::string_view key) const {
  for (const StagedRecord& each : records_)
    if (each.place == &place && each.action->key == key) return &each.after.value;
  return nullptr;
}

Draft::StagedBalance& Draft::balance(Place& place, std::string position) {
  for (StagedBalance& each : balances_)
    if (each.place == &place && each.position == position) return each;
  StagedBalance& made = balances_.emplace_back();
  made.place = &place;
  made.before = entry_.state.find_balance(place.name, position);
  made.now = made.before ? made.before->quantity : Decimal{0, place.declaration()->ledger->scale};
  made.position = std::move(position);
  return made;
}

void Draft::stage_reversal(Place& place, std::string reversed, std::string_view id) {
  reversals_.push_back({&place, std::move(reversed), id});
}

bool Draft::is_reversed(const Place& place, std::string_view reversed) {
  for (const Reversal& each : reversals_)
    if (each.place == &place && each.reversed == reversed) return true;
  const std::string value = reversal_value(reversed);
  bool found = false;
  entry_.state.scan_index(
      place.row.id, reversal_index, value, "", [&](std::string_view at, std::string_view key) {
        if (at != value) return false;
        // Two ids may share a hash: the entry itself tells.
        const auto record = entry_.state.find_record(place.name, key);
        if (!record) return true;
        charge(record->value.size());
        const auto entry = parse_entry(*place.declaration()->ledger, key, record->value.view());
        found = entry && entry->reverses == reversed;
        return !found;
      });
  return found;
}

// --- writing ---

Revision Draft::commit(const std::string& operation) {
  ASSERT(!is_empty());
  Counters& counters = entry_.counters;
  counters.revision += 1;
  counters.stamp = next_stamp(counters.stamp, entry_.wall_millis);
  Commit commit{counters.revision, counters.stamp, operation, {}};
  commit.changes.reserve(records_.size());
  for (StagedRecord& each : records_) {
    Change change = write_record(each);
    if (commit.changes.size() == 1 && MUTANT(timeline_skips_change)) continue;
    commit.changes.push_back(std::move(change));
  }
  for (const StagedBalance& each : balances_) write_balance(each);
  for (const Reversal& each : reversals_)
    entry_.state.put_index_row(each.place->row.id, reversal_index, reversal_value(each.reversed),
                               each.id);
  if (collection_) write_collection();
  entry_.state.append_commit(commit);
  entry_.rows_added += commit.changes.size();
  entry_.add_hash(hash_of(commit));
  return counters.revision;
}

Change Draft::write_record(StagedRecord& staged) {
  const Action& action = *staged.action;
  Record& after = staged.after;
  const bool continues = is_live(staged.before);
  after.revision = entry_.counters.revision;
  after.created_revision = continues ? staged.before->created_revision : after.revision;
  after.stamp = entry_.counters.stamp;
  if (staged.before) keep_history(staged);
  entry_.state.put_record(action.collection, action.key, after);
  entry_.add_hash(hash_of(action.collection, action.key, after));
  count(staged);
  write_index_rows(staged);
  const ChangeKind kind = after.tombstone ? ChangeKind::remove : ChangeKind::put;
  return {kind, action.collection, action.key, after.version,
          staged.before ? staged.before->revision : 0};
}

// Values are parsed for indexes only.
void Draft::write_index_rows(const StagedRecord& staged) {
  const Action& action = *staged.action;
  if (!has_index_rows(*staged.place, action.key)) return;
  std::optional<json::Value> own;
  const json::Value* after = staged.parsed ? &*staged.parsed : nullptr;
  if (after == nullptr && !staged.after.tombstone) {
    auto value = json::parse(staged.after.value.view());
    if (value) after = &own.emplace(*std::move(value));
  }
  const json::Value* before = found_value(action.collection, action.key);
  update_index_rows(entry_.state, *staged.place, {action.key, before, after});
}

void Draft::keep_history(const StagedRecord& staged) {
  const Action& action = *staged.action;
  const Record& before = *staged.before;
  const MovedHashes hashes = moved_hashes(action.collection, action.key, before);
  if (!(staged.after.tombstone && MUTANT(state_hash_forgets_delete)))
    entry_.subtract_hash(hashes.record);
  if (MUTANT(history_not_kept)) return;
  entry_.state.put_history(action.collection, action.key, before);
  entry_.add_hash(hashes.history);
  entry_.counters.history += 1;
  entry_.rows_added += rows_of(before);
}

void Draft::count(const StagedRecord& staged) {
  Counters& counters = entry_.counters;
  Place& place = *staged.place;
  Collection& row = place.row;
  if (is_live(staged.before)) {
    counters.live_records -= 1;
    row.live -= 1;
    row.bytes -= staged.before->value.size();
  } else if (staged.before) {
    counters.tombstones -= 1;
    // Those from before the collection was declared again are not in its row.
    if (staged.before->revision > place.in_force.created) row.tombstones -= 1;
  }
  if (staged.after.tombstone) {
    counters.tombstones += 1;
    row.tombstones += 1;
  } else {
    counters.live_records += 1;
    row.live += 1;
    row.bytes += staged.after.value.size();
  }
  place.changed = place.has_row;
}

void Draft::write_balance(const StagedBalance& staged) {
  const Decimal before = staged.before ? staged.before->quantity : Decimal{0, staged.now.scale()};
  if (before == staged.now) return;
  const std::string_view collection = staged.place->name;
  Counters& counters = entry_.counters;
  if (staged.before) {
    entry_.subtract_hash(hash_of(collection, staged.position, *staged.before));
    counters.balances -= 1;
  }
  if (staged.now.is_zero()) {
    entry_.state.erase_balance(collection, staged.position);
    return;
  }
  const Balance balance{staged.now, counters.revision};
  entry_.state.put_balance(collection, staged.position, balance);
  entry_.add_hash(hash_of(collection, staged.position, balance));
  counters.balances += 1;
}

void Draft::write_collection() {
  StagedCollection& change = *collection_;
  Place& place = *change.place;
  place.changed = true;
  place.has_row = change.declaration != nullptr;
  place.row = std::move(change.row);
  if (!place.has_row) {
    place.row = {};
    place.in_force = {};
    entry_.declarations.removed(place.name);
    return;
  }
  const Revision revision = entry_.counters.revision;
  place.row.declared = revision;
  place.in_force = {revision, change.is_new ? revision : place.in_force.created,
                    std::move(change.declaration)};
  if (change.is_new) {
    entry_.counters.next_collection += 1;
    entry_.declarations.added();
  }
  for (const IndexState& index : place.row.indexes)
    if (!index.ready) entry_.declarations.index_work().emplace(place.name);
}

}  // namespace mainstay::record
