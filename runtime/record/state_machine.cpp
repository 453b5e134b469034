#include "runtime/record/state_machine.hpp"

#include <algorithm>

#include "runtime/base/limits.hpp"
#include "runtime/base/mutant.hpp"
#include "runtime/record/state_hash.hpp"

namespace mainstay::record {

namespace {

bool is_live(const std::optional<Record>& record) {
  return record && !record->tombstone;
}

bool holds(const Condition& condition, const std::optional<Record>& record) {
  const bool live = is_live(record);
  if (condition.must_exist && !live) return false;
  if (condition.must_be_absent && live) return false;
  const bool checked = condition.version_is && !MUTANT(apply_uses_version_wrong);
  if (checked && !(live && record->version == *condition.version_is)) return false;
  const auto& excluded = condition.version_is_not;
  return !live || std::find(excluded.begin(), excluded.end(), record->version) == excluded.end();
}

// What the tables cannot hold: names that are empty or contain the byte that ends a name. A
// proposer has refused such a command with validate() before; this keeps one that did not from
// stopping every replica. Unlike validate() it can never change: all replicas of all releases must
// agree on it.
bool is_storable(const Command& command) {
  const auto good = [](const std::string& name) {
    return !name.empty() && name.find('\0') == std::string::npos;
  };
  return good(command.operation) && good(command.collection) && good(command.key);
}

// One entry being applied: the tables and the counters that go with them.
class Applier {
 public:
  Applier(StateWriter& state, const ApplyOptions& options)
      : state_{state}, options_{options}, counters_{state.counters()} {}

  void start(std::uint64_t index, std::uint64_t term) {
    ASSERT_MSG(index == counters_.applied_index + 1, "entries are applied in order");
    counters_.applied_index = index;
    counters_.applied_term = term;
  }

  // Replicated time follows the leader's wall clock, but never goes back.
  void advance_time(std::uint64_t wall_millis) {
    wall_millis_ = wall_millis;
    if (wall_millis > counters_.stamp.millis || MUTANT(replicated_time_goes_back))
      counters_.stamp = {wall_millis, 0};
  }

  // Removes what is due. The bound keeps one entry short; it is larger than what one batch can add,
  // so the queue drains. Should a row outlive its time because of the bound, it goes on to do its
  // duty.
  void expire() {
    for (std::size_t taken = 0; taken < limits::dedup_expire_per_batch_max; ++taken) {
      const auto expiry = state_.take_expiry(counters_.stamp.millis);
      if (!expiry) return;
      if (expiry->kind == Expiry::Kind::operation)
        forget_operation(expiry->key);
      else
        forget_tombstone(*expiry);
    }
  }

  // At most once (promise P3): an operation that was recorded answers as it did, whatever the state
  // is by now. This holds for the retention time only: a repetition that comes later than that
  // finds no trace of the first one and runs again.
  Outcome apply(const Command& command) {
    if (!is_storable(command)) return refusal(Errc::invalid_argument, std::nullopt);
    const auto known = state_.find_operation(command.operation);
    if (known && !MUTANT(dedup_ignored)) return repeated(command, *known);
    const Outcome outcome = run(command);
    if (outcome.refused && MUTANT(dedup_entry_missing_on_refusal)) return outcome;
    remember_operation(command, outcome);
    return outcome;
  }

  void finish() { state_.set_counters(counters_); }

 private:
  static Outcome refusal(Errc code, const std::optional<Record>& found) {
    Outcome outcome;
    outcome.refused = code;
    if (is_live(found)) outcome.version = found->version;
    return outcome;
  }

  static Outcome repeated(const Command& command, const Operation& known) {
    if (known.request_hash != command.request_hash && !MUTANT(dedup_not_checked_for_hash))
      return refusal(Errc::operation_reused, std::nullopt);
    Outcome outcome = known.outcome;
    outcome.replayed = true;
    return outcome;
  }

  Outcome run(const Command& command) {
    const auto found = state_.find_record(command.collection, command.key);
    if (!holds(command.condition, found)) return refusal(Errc::precondition_failed, found);
    if (command.kind == CommandKind::put) return put(command, found);
    if (!is_live(found)) return refusal(Errc::not_found, found);
    return remove(command, *found);
  }

  // The fields that every change sets; a tombstone hands its version on.
  Record changed(const std::optional<Record>& found) {
    counters_.revision += 1;
    counters_.stamp = next_stamp(counters_.stamp, wall_millis_);
    Record record;
    record.version = (found ? found->version : 0) + 1;
    record.revision = counters_.revision;
    record.created_revision = is_live(found) ? found->created_revision : record.revision;
    record.stamp = counters_.stamp;
    return record;
  }

  Outcome put(const Command& command, const std::optional<Record>& found) {
    Record record = changed(found);
    record.value = command.value;
    replace(command, found, record);
    if (!is_live(found)) counters_.live_records += 1;
    if (found && found->tombstone) counters_.tombstones -= 1;
    return {std::nullopt, record.version, record.revision, !is_live(found), false};
  }

  Outcome remove(const Command& command, const Record& found) {
    Record record = changed(found);
    record.tombstone = true;
    replace(command, found, record);
    counters_.live_records -= 1;
    counters_.tombstones += 1;
    state_.put_expiry({counters_.stamp.millis + options_.tombstone_retention_ms,
                       Expiry::Kind::tombstone, command.collection, command.key, record.revision});
    return {std::nullopt, record.version, record.revision, false, false};
  }

  void replace(const Command& command, const std::optional<Record>& found, const Record& record) {
    const bool forget = record.tombstone && MUTANT(state_hash_forgets_delete);
    if (found && !forget)
      counters_.hash = subtract(counters_.hash, hash_of(command.collection, command.key, *found));
    counters_.hash = add(counters_.hash, hash_of(command.collection, command.key, record));
    state_.put_record(command.collection, command.key, record);
  }

  void remember_operation(const Command& command, const Outcome& outcome) {
    const Operation row{command.request_hash, outcome, counters_.stamp.millis};
    state_.put_operation(command.operation, row);
    state_.put_expiry({row.recorded_millis + options_.dedup_retention_ms, Expiry::Kind::operation,
                       "", command.operation, 0});
    counters_.hash = add(counters_.hash, hash_of(command.operation, row));
    counters_.operations += 1;
  }

  void forget_operation(const std::string& operation) {
    const auto row = state_.find_operation(operation);
    if (!row) return;
    state_.erase_operation(operation);
    counters_.hash = subtract(counters_.hash, hash_of(operation, *row));
    counters_.operations -= 1;
  }

  // A record that was written again since then is no longer what was to be removed.
  void forget_tombstone(const Expiry& expiry) {
    const auto record = state_.find_record(expiry.collection, expiry.key);
    if (!record || !record->tombstone || record->revision != expiry.revision) return;
    state_.erase_record(expiry.collection, expiry.key);
    counters_.hash = subtract(counters_.hash, hash_of(expiry.collection, expiry.key, *record));
    counters_.tombstones -= 1;
  }

  StateWriter& state_;
  const ApplyOptions& options_;
  Counters counters_;
  std::uint64_t wall_millis_ = 0;
};

}  // namespace

std::vector<BatchOutcome> apply(StateWriter& state, std::uint64_t index, std::uint64_t term,
                                const LogBatch& batch, const ApplyOptions& options) {
  Applier applier{state, options};
  applier.start(index, term);
  applier.advance_time(batch.wall_millis);
  std::vector<BatchOutcome> results;
  results.reserve(batch.batches.size());
  for (const Batch& part : batch.batches) {
    BatchOutcome& result =
        results.emplace_back(BatchOutcome{part.origin, part.origin_boot, part.sequence, {}, {}});
    result.operations.reserve(part.commands.size());
    result.outcomes.reserve(part.commands.size());
    for (const Command& command : part.commands) {
      result.operations.push_back(command.operation);
      result.outcomes.push_back(applier.apply(command));
    }
  }
  // After the commands: a jump of the replicated time must not take away the trace of an operation
  // whose repetition is in this very entry.
  applier.expire();
  applier.finish();
  return results;
}

void apply_nothing(StateWriter& state, std::uint64_t index, std::uint64_t term) {
  const ApplyOptions unused;
  Applier applier{state, unused};
  applier.start(index, term);
  applier.finish();
}

}  // namespace mainstay::record
