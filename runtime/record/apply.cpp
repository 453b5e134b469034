#include <algorithm>

#include "runtime/base/limits.hpp"
#include "runtime/base/mutant.hpp"
#include "runtime/record/actions.hpp"
#include "runtime/record/aging.hpp"
#include "runtime/record/indexing.hpp"
#include "runtime/record/state_hash.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::record {

namespace {

bool is_good_name(const std::string& name, std::size_t bytes_max) {
  return !name.empty() && name.size() <= bytes_max && name.find('\0') == std::string::npos;
}

bool is_good_record(const std::string& collection, const std::string& key) {
  return is_good_name(collection, limits::collection_name_bytes_max) &&
         is_good_name(key, limits::record_key_bytes_max);
}

bool declares(const Action& action) {
  return action.kind == ActionKind::declare || action.kind == ActionKind::undeclare;
}

// Each record once, and a declaration alone.
bool are_good_actions(const std::vector<Action>& actions) {
  for (const Action& action : actions) {
    if (!is_good_record(action.collection, action.key)) return false;
    if (!declares(action)) continue;
    if (actions.size() > 1 || action.collection != system_collection::collections ||
        !is_good_name(action.key, limits::collection_name_bytes_max))
      return false;
  }
  if (actions.size() < 2) return !actions.empty();
  std::vector<std::pair<std::string_view, std::string_view>> names;
  names.reserve(actions.size());
  for (const Action& action : actions) names.emplace_back(action.collection, action.key);
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) == names.end();
}

// What the tables cannot hold, and what would cost too much. A proposer has refused such a command
// with validate() before; this keeps one that did not from stopping every replica. Unlike
// validate() it can never change: all replicas of all releases must agree on it.
bool is_storable(const Command& command) {
  if (!is_good_name(command.operation, limits::operation_id_bytes_max)) return false;
  if (command.kind == CommandKind::fence) return true;
  for (const RecordCheck& check : command.checks)
    if (!is_good_record(check.collection, check.key)) return false;
  for (const BalanceCheck& check : command.balances)
    if (!is_good_name(check.collection, limits::collection_name_bytes_max)) return false;
  if (command.checks.size() + command.balances.size() > limits::transaction_checks_max ||
      command.actions.size() > limits::transaction_actions_max)
    return false;
  return are_good_actions(command.actions);
}

// A detail goes into every replica's deduplication table: short, and whole characters only.
std::string cut(std::string text) {
  if (text.size() <= limits::refusal_bytes_max) return text;
  std::size_t end = limits::refusal_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  return text;
}

Outcome refusal(Errc code, std::string detail, Part part = Part::whole, std::size_t position = 0) {
  Outcome outcome;
  outcome.refused = code;
  outcome.detail = cut(std::move(detail));
  outcome.part = part;
  outcome.position = static_cast<std::uint32_t>(position);
  return outcome;
}

// One entry being applied.
class Applier {
 public:
  Applier(StateWriter& state, Declarations& declarations, const ApplyOptions& options)
      : entry_{state, declarations, options}, draft_{entry_} {}

  void start(std::uint64_t index, std::uint64_t term) {
    ASSERT_MSG(index == entry_.counters.applied_index + 1, "entries are applied in order");
    entry_.counters.applied_index = index;
    entry_.counters.applied_term = term;
    entry_.declarations.begin(entry_.state, index);
  }

  // Replicated time follows the leader's wall clock, but never goes back.
  void advance_time(std::uint64_t wall_millis) {
    entry_.wall_millis = wall_millis;
    if (wall_millis > entry_.counters.stamp.millis || MUTANT(replicated_time_goes_back))
      entry_.counters.stamp = {wall_millis, 0};
  }

  // At most once (promise P3): an operation that was recorded answers as it did, whatever the state
  // is by now. This holds for the retention window only: a repetition that comes later than that
  // finds no trace of the first one and runs again.
  Outcome apply(const Command& command) {
    if (!is_storable(command))
      return refusal(Errc::invalid_argument, "the command is not one that can be stored");
    const auto known = entry_.state.find_operation(command.operation);
    if (known && !MUTANT(dedup_ignored) && !runs_again(command, *known))
      return repeated(command, *known);
    // Not recorded: it is to be asked again, with another entry, which the gateway does by itself.
    if (command.kind != CommandKind::fence && entry_.bytes_read >= limits::entry_read_bytes_max)
      return refusal(Errc::busy, "the commands before it have read too much for one entry");
    if (known) drop_row(command.operation, *known);
    Outcome outcome =
        command.kind == CommandKind::fence
            ? refusal(Errc::operation_fenced, "the operation was fenced before it ran")
            : run(command);
    if (outcome.refused && MUTANT(dedup_entry_missing_on_refusal)) return outcome;
    remember_operation(entry_, command, outcome);
    return outcome;
  }

  void finish() {
    work_on_indexes(entry_);
    entry_.collections.finish();
    entry_.state.set_counters(entry_.counters);
  }

  // After the commands: a jump of the replicated time must not take away the trace of an operation
  // whose repetition is in this very entry.
  void expire_rows() { expire(entry_); }

 private:
  static bool is_fenced(const Operation& known) {
    return known.outcome.refused == Errc::operation_fenced;
  }
  // Only with planted bugs.
  static bool runs_again(const Command& command, const Operation& known) {
    return MUTANT(fence_ignored) && is_fenced(known) && command.kind != CommandKind::fence;
  }
  void drop_row(const std::string& operation, const Operation& known) {
    entry_.subtract_hash(hash_of(operation, known));
    entry_.counters.operations -= 1;
  }

  static Outcome repeated(const Command& command, const Operation& known) {
    const bool is_same = known.request_hash == command.request_hash ||
                         command.kind == CommandKind::fence || is_fenced(known) ||
                         MUTANT(dedup_not_checked_for_hash);
    if (!is_same)
      return refusal(Errc::operation_reused,
                     "operation '" + command.operation + "' was another request before");
    Outcome outcome = known.outcome;
    outcome.replayed = true;
    return outcome;
  }

  Outcome run(const Command& command) {
    draft_.clear();
    Outcome outcome = draft(command);
    entry_.bytes_read += draft_.bytes_read();
    const bool half = outcome.refused && MUTANT(transaction_half_applied);
    if ((!outcome.refused || half) && !draft_.is_empty()) {
      const Revision revision = draft_.commit(command.operation);
      if (!half) outcome.revision = revision;
    }
    return outcome;
  }

  // Everything but the writing.
  Outcome draft(const Command& command) {
    for (std::size_t i = 0; i < command.checks.size(); ++i) {
      if (auto refused = check_record(draft_, command.checks[i]); refused)
        return placed(*std::move(refused), Part::check, i);
      if (reads_too_much()) return too_large(Part::check, i);
    }
    for (std::size_t i = 0; i < command.balances.size(); ++i)
      if (auto refused = check_balance(draft_, command.balances[i]); refused)
        return placed(*std::move(refused), Part::balance, i);
    Outcome outcome;
    outcome.results.reserve(command.actions.size());
    for (std::size_t i = 0; i < command.actions.size(); ++i) {
      auto result = run_action(draft_, command.actions[i], i);
      if (!result)
        return refusal(result.error().code, std::move(result.error().message), Part::action, i);
      if (reads_too_much()) return too_large(Part::action, i);
      outcome.results.push_back(*result);
    }
    if (const auto broken = check_guards(draft_); broken)
      return refusal(Errc::conflict, broken->detail, Part::action, broken->position);
    return outcome;
  }

  // However small a command is, what it asks to be read and parsed is bounded, too.
  bool reads_too_much() const { return draft_.bytes_read() > limits::command_read_bytes_max; }
  static Outcome too_large(Part part, std::size_t position) {
    return refusal(Errc::too_large,
                   "the stored values that it reads have more than " +
                       std::to_string(limits::command_read_bytes_max) +
                       " bytes together; do it in several transactions",
                   part, position);
  }

  static Outcome placed(Outcome refused, Part part, std::size_t position) {
    Outcome outcome = refusal(*refused.refused, std::move(refused.detail), part, position);
    outcome.found_version = refused.found_version;
    return outcome;
  }

  Entry entry_;
  Draft draft_;
};

}  // namespace

std::vector<BatchOutcome> apply(StateWriter& state, Declarations& declarations, std::uint64_t index,
                                std::uint64_t term, const LogBatch& batch,
                                const ApplyOptions& options) {
  Applier applier{state, declarations, options};
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
  applier.expire_rows();
  applier.finish();
  return results;
}

void apply_nothing(StateWriter& state, Declarations& declarations, std::uint64_t index,
                   std::uint64_t term, const ApplyOptions& options) {
  Applier applier{state, declarations, options};
  applier.start(index, term);
  applier.expire_rows();
  applier.finish();
}

Command single(Action action, Condition condition) {
  Command command;
  if (condition != Condition{})
    command.checks.push_back({action.collection, action.key, std::move(condition)});
  command.actions.push_back(std::move(action));
  return command;
}

}  // namespace mainstay::record
