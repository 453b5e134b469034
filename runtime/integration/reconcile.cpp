#include "runtime/integration/reconcile.hpp"

#include <algorithm>
#include <set>

#include "runtime/base/log.hpp"
#include "runtime/base/mutant.hpp"
#include "runtime/integration/hub.hpp"

namespace mainstay::integration {

using json::Type;
using json::Value;
using record::Action;

namespace {

constexpr std::size_t rows_at_once = 100;       // of one commit
constexpr Millis idle_pause{1'000};             // then commands are looked for
constexpr Millis row_kept_fresh{3'600'000};     // an unchanged difference is written so often
constexpr Millis runs_contiguous_min{300'000};  // runs at most so far apart, or four periods

Value text(std::string_view value) {
  return Value::string(std::string{value});
}
Value number(std::uint64_t value) {
  return Value::number(std::to_string(value));
}
std::string text_of(const Value& object, std::string_view name) {
  const Value* member = object.is(Type::object) ? object.find(name) : nullptr;
  return member != nullptr && member->is(Type::string) ? member->text() : std::string{};
}

std::string command_key(const CommandRow& command) {
  return command.adapter + "/" + command.id;
}

record::RecordCheck unchanged(const char* collection, std::string key, record::Version version) {
  record::RecordCheck check;
  check.collection = collection;
  check.key = std::move(key);
  check.condition.version_is = version;
  return check;
}

bool is_older(const std::string& time, WallTime now, Millis age) {
  const auto then = time_of(time);
  return !then || now - *then >= age;
}

Value progress_of(const ReconciliationRow& row) {
  return Value::object({{"compared", number(row.compared)},
                        {"equal", number(row.equal)},
                        {"pending", number(row.pending)},
                        {"open", number(row.open)}});
}

Value progress_of(const RepairCounts& counts) {
  return Value::object({{"backfills", number(counts.backfills)},
                        {"effects", number(counts.effects)},
                        {"left", number(counts.left)}});
}

// New differences have to be seen again before they count; those that were in the first look only,
// or looked otherwise, are under way.
void confirm(const Looked& first, const std::map<std::string, DiscrepancyRow>& known,
             Looked& second) {
  std::erase_if(second.differences, [&](const auto& item) {
    const auto before = first.differences.find(item.first);
    if (before != first.differences.end() && before->second == item.second) return false;
    if (MUTANT(difference_seen_once_counts)) return false;
    if (known.contains(item.first)) return false;
    ++second.pending;
    return true;
  });
}

}  // namespace

ReconciliationRow judged(const ReconcileDefinition& what, const Looked& looked,
                         std::uint64_t explained, ReconciliationRow before) {
  ReconciliationRow row = before;
  const bool first = before.cut.empty();
  row.cut = time_text(looked.cut);
  row.equal = looked.equal;
  row.pending = looked.pending;
  row.explained = explained;
  row.open = looked.differences.size() - explained;
  row.compared = looked.equal + looked.pending + looked.differences.size();
  row.accuracy = accuracy_text(row.equal, row.compared);
  row.passed = row.open == 0;
  row.detail.clear();
  const Millis apart = std::max(4 * what.every, runs_contiguous_min);
  const bool contiguous = first || MUTANT(mark_over_failed_window) ||
                          (before.passed && !is_older(before.cut, looked.cut, apart));
  if (row.passed && looked.held == 0 && contiguous) row.verified_through = row.cut;
  return row;
}

Reconciler::Reconciler(const AdapterDefinition& definition, Tenure tenure, Adapter& adapter,
                       HubPort& port)
    : definition_{definition}, tenure_{std::move(tenure)}, adapter_{adapter}, port_{port} {}

Result<void> Reconciler::write(std::vector<Action> actions,
                               std::vector<record::RecordCheck> checks) {
  record::Command command;
  command.checks.push_back(check_of(tenure_));
  for (record::RecordCheck& check : checks) command.checks.push_back(std::move(check));
  command.actions = std::move(actions);
  TRY_ASSIGN(const record::Outcome outcome, port_.commit(command));
  if (!outcome.refused) return {};
  ended_ = is_over(outcome, command);
  return fail(*outcome.refused, ended_ ? "the tenure is over" : outcome.detail);
}

Result<Step> Reconciler::finish(Result<void> result) {
  if (result) return Step::worked;
  if (ended_) return Step::ended;
  // Somebody else changed the row: looked at again with the next step.
  if (result.error().code == Errc::precondition_failed) return Step::worked;
  return Failure{result.error()};
}

// --- what is to be done ---

Result<Step> Reconciler::step() {
  if (ended_) return Step::ended;
  std::optional<CommandRow> asked;
  const ReconcileDefinition* due = nullptr;
  {
    TRY_ASSIGN(const auto view, port_.view());
    scan_open(*view, hub::commands, tenure_.adapter,
              [&](std::string_view, const Value& value, const record::Record&) {
                auto command = command_row(value);
                if (!command || (command->command != "reconcile" && command->command != "repair"))
                  return true;
                asked = *std::move(command);
                return false;
              });
    pause_ = idle_pause;
    for (const ReconcileDefinition& what : definition_.reconciles) {
      const auto failed = failed_.find(what.name);
      const bool waits = failed != failed_.end() && port_.monotonic() - failed->second < what.every;
      if (due == nullptr && !waits &&
          is_older(row_before(*view, what).last_run, port_.wall(), what.every))
        due = &what;
    }
  }
  if (asked) return obey(*std::move(asked));
  if (due != nullptr) return run_due(*due);
  return Step::idle;
}

Result<Step> Reconciler::run_due(const ReconcileDefinition& what) {
  const auto row = run(what);
  if (row && what.repair && row->open > 0) {
    const auto repaired = repair(what, "");
    return finish(repaired ? Result<void>{} : Result<void>{Failure{repaired.error()}});
  }
  if (row) return Step::worked;
  if (ended_) return Step::ended;
  failed_[what.name] = port_.monotonic();
  log_warn("adapter", "{}: reconciliation {} was not made: {}", tenure_.adapter, what.name,
           row.error().message);
  return finish(tell_failure(what, row.error()));
}

Result<Value> Reconciler::carry_out(const CommandRow& command) {
  const std::string name = text_of(command.arguments, "name");
  Value progress = Value::object();
  bool found = false;
  for (const ReconcileDefinition& what : definition_.reconciles) {
    if (!name.empty() && name != what.name) continue;
    found = true;
    if (command.command == "reconcile") {
      TRY_ASSIGN(const ReconciliationRow row, run(what));
      progress.set(what.name, progress_of(row));
    } else {
      TRY_ASSIGN(const RepairCounts counts, repair(what, text_of(command.arguments, "key")));
      progress.set(what.name, progress_of(counts));
    }
  }
  if (!found)
    return fail(Errc::not_found, "adapter '" + tenure_.adapter + "' has no reconciliation" +
                                     (name.empty() ? "" : " '" + name + "'"));
  return progress;
}

Result<Step> Reconciler::obey(CommandRow command) {
  auto progress = carry_out(command);
  if (ended_) return Step::ended;
  command.state = progress ? "done" : "failed";
  if (progress)
    command.progress = *std::move(progress);
  else
    command.detail = progress.error().message;
  return finish(write({put_action(hub::commands, command_key(command), to_value(command))}));
}

// --- one run ---

Result<ReconciliationRow> Reconciler::run(const ReconcileDefinition& what) {
  TRY_ASSIGN(Looked looked, Look(definition_, what, adapter_, port_).run());
  ReconciliationRow row;
  Known before;
  {
    TRY_ASSIGN(const auto view, port_.view());
    row = row_before(*view, what);
    before = known(*view, what);
  }
  const bool any_new =
      std::any_of(looked.differences.begin(), looked.differences.end(), [&](const auto& item) {
        const auto row_of = before.find(item.first);
        return row_of == before.end() || row_of->second.difference != item.second;
      });
  if (any_new) {
    TRY(wait_settled(what));
    TRY_ASSIGN(Looked second, Look(definition_, what, adapter_, port_).run());
    confirm(looked, before, second);
    looked = std::move(second);
    // People may have explained one meanwhile.
    TRY_ASSIGN(const auto view, port_.view());
    before = known(*view, what);
  }
  std::vector<Action> actions = row_changes(what, looked, std::move(before), row);
  for (std::size_t from = 0; from < actions.size(); from += rows_at_once) {
    const std::size_t to = std::min(from + rows_at_once, actions.size());
    TRY(write({std::make_move_iterator(actions.begin() + static_cast<std::ptrdiff_t>(from)),
               std::make_move_iterator(actions.begin() + static_cast<std::ptrdiff_t>(to))}));
  }
  failed_.erase(what.name);
  return row;
}

Result<void> Reconciler::wait_settled(const ReconcileDefinition& what) {
  const MonotonicTime until = port_.monotonic() + what.settle;
  TRY_ASSIGN(const auto view, port_.view());
  record::Revision seen = view->counters().revision;
  while (port_.monotonic() < until) {
    const auto left = std::chrono::ceil<Millis>(until - port_.monotonic());
    TRY_ASSIGN(seen, port_.wait(seen, left));
  }
  return {};
}

Reconciler::Known Reconciler::known(const record::StateReader& view,
                                    const ReconcileDefinition& what) const {
  Known known;
  view.scan_records(hub::discrepancies, reconciliation_key(tenure_.adapter, what.name) + "/", "",
                    [&](std::string_view, const record::Record& record) {
                      const auto value = record.tombstone ? Result<Value>{Value{}}
                                                          : json::parse(record.value.view());
                      auto row = value ? discrepancy_row(*value)
                                       : Result<DiscrepancyRow>{fail(Errc::corrupt, "")};
                      if (row && row->state != "resolved") {
                        std::string key = row->difference.key;
                        known.emplace(std::move(key), *std::move(row));
                      }
                      return true;
                    });
  return known;
}

ReconciliationRow Reconciler::row_before(const record::StateReader& view,
                                         const ReconcileDefinition& what) const {
  const auto value =
      find_value(view, hub::reconciliations, reconciliation_key(tenure_.adapter, what.name));
  auto row =
      value ? reconciliation_row(*value) : Result<ReconciliationRow>{fail(Errc::not_found, "")};
  ReconciliationRow before = row ? *std::move(row) : ReconciliationRow{};
  before.adapter = tenure_.adapter;
  before.name = what.name;
  before.every = std::to_string(what.every.count());
  return before;
}

std::vector<Action> Reconciler::row_changes(const ReconcileDefinition& what, const Looked& looked,
                                            Known before, ReconciliationRow& row) const {
  const WallTime now = port_.wall();
  std::vector<Action> actions;
  const auto put = [&](const DiscrepancyRow& discrepancy) {
    actions.push_back(put_action(
        hub::discrepancies, discrepancy_key(tenure_.adapter, what.name, discrepancy.difference.key),
        to_value(discrepancy)));
  };
  std::uint64_t explained = 0;
  for (const auto& [key, difference] : looked.differences) {
    const auto known = before.find(key);
    DiscrepancyRow discrepancy;
    if (known != before.end()) discrepancy = std::move(known->second);
    const bool same = known != before.end() && discrepancy.difference == difference;
    if (known != before.end()) before.erase(known);
    // What was explained was another difference.
    if (!same) {
      discrepancy.state = "open";
      discrepancy.explained_by.clear();
      discrepancy.explained_at.clear();
      discrepancy.explanation.clear();
    }
    explained += discrepancy.state == "explained" ? 1 : 0;
    if (same && !is_older(discrepancy.last, now, row_kept_fresh)) continue;
    discrepancy.adapter = tenure_.adapter;
    discrepancy.name = what.name;
    discrepancy.difference = difference;
    if (discrepancy.first.empty()) discrepancy.first = time_text(now);
    discrepancy.last = time_text(now);
    put(discrepancy);
  }
  for (auto& [key, discrepancy] : before) {
    discrepancy.state = "resolved";
    discrepancy.last = time_text(now);
    put(discrepancy);
  }
  row = judged(what, looked, explained, std::move(row));
  row.last_run = time_text(now);
  // Last: a run that is cut off before is no run.
  actions.push_back(put_action(hub::reconciliations, reconciliation_key(tenure_.adapter, what.name),
                               to_value(row)));
  return actions;
}

Result<void> Reconciler::tell_failure(const ReconcileDefinition& what, const Error& error) {
  TRY_ASSIGN(const auto view, port_.view());
  ReconciliationRow row = row_before(*view, what);
  if (row.detail == error.message) return {};
  row.detail = error.message;
  return write({put_action(hub::reconciliations, reconciliation_key(tenure_.adapter, what.name),
                           to_value(row))});
}

// --- mending ---

// The source reads that one thing again; asked once, until it is done.
Result<bool> Reconciler::ask_backfill(const ReconcileDefinition& what, const DiscrepancyRow& row) {
  if (row.difference.id.empty() || !adapter_.traits().has_source) return false;
  CommandRow command;
  command.adapter = tenure_.adapter;
  command.id = key_part("repair-" + what.name + "-" + row.difference.key);
  command.command = "backfill";
  command.arguments = Value::object({{"type", text(what.kind)},
                                     {"from", text(row.difference.id)},
                                     {"to", text(row.difference.id)}});
  command.asked_by = "reconciliation " + what.name;
  command.at = time_text(port_.wall());
  const std::string key = command_key(command);
  {
    TRY_ASSIGN(const auto view, port_.view());
    const auto value = find_value(*view, hub::commands, key);
    if (value && value->find("open") != nullptr) return true;
  }
  TRY(write({put_action(hub::commands, key, to_value(command))}));
  return true;
}

// Never blind: where the counterpart itself drops a repetition the call is made again; else the
// lane asks first whether it has happened, and only then makes it.
Result<bool> Reconciler::repeat_effect(const DiscrepancyRow& row, const std::string& key,
                                       const record::Record& record, EffectRow effect) {
  const bool idempotent = adapter_.traits().idempotent;
  if (row.difference.kind == DifferenceKind::differs && !idempotent) return false;
  if (is_open(effect.state)) return true;
  // Parked: its letter is what people decide on.
  if (effect.state == EffectState::parked) return false;
  effect.state = idempotent ? EffectState::intent : EffectState::unknown;
  effect.detail = "asked for by a repair";
  TRY(write({put_action(hub::effects, key, to_value(effect))},
            {unchanged(hub::effects, key, record.version)}));
  return true;
}

Result<RepairCounts> Reconciler::repair(const ReconcileDefinition& what, const std::string& key) {
  RepairCounts counts;
  Known open;
  // The newest effect of each record that is to be mended.
  std::map<std::string, std::pair<std::string, record::Record>> effects;
  {
    TRY_ASSIGN(const auto view, port_.view());
    open = known(*view, what);
    std::erase_if(open, [&](const auto& item) {
      return item.second.state != "open" || (!key.empty() && item.first != key);
    });
    std::map<std::string, std::uint64_t> newest;
    if (!open.empty() && !what.balances)
      view->scan_records(
          hub::effects, tenure_.adapter + "/", "",
          [&](std::string_view at, const record::Record& record) {
            const auto value =
                record.tombstone ? Result<Value>{Value{}} : json::parse(record.value.view());
            const auto effect =
                value ? effect_row(*value) : Result<EffectRow>{fail(Errc::corrupt, "")};
            if (!effect || effect->source_collection != what.collection ||
                !open.contains(effect->source_key))
              return true;
            std::uint64_t& revision = newest[effect->source_key];
            if (effect->source_revision < revision) return true;
            revision = effect->source_revision;
            effects.insert_or_assign(effect->source_key, std::pair{std::string{at}, record});
            return true;
          });
  }
  for (const auto& [at, row] : open) {
    if (row.difference.kind == DifferenceKind::missing_here) {
      TRY_ASSIGN(const bool asked, ask_backfill(what, row));
      ++(asked ? counts.backfills : counts.left);
      continue;
    }
    const auto effect = effects.find(at);
    const bool mends = effect != effects.end() && row.difference.kind != DifferenceKind::unexpected;
    if (!mends) {
      ++counts.left;
      continue;
    }
    TRY_ASSIGN(const Value value, json::parse(effect->second.second.value.view()));
    TRY_ASSIGN(EffectRow repeated, effect_row(value));
    const auto asked =
        repeat_effect(row, effect->second.first, effect->second.second, std::move(repeated));
    if (!asked && (ended_ || asked.error().code != Errc::precondition_failed))
      return Failure{asked.error()};
    ++(asked.value_or(false) ? counts.effects : counts.left);
  }
  return counts;
}

}  // namespace mainstay::integration
