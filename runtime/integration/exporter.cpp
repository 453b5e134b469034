#include "runtime/integration/exporter.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "runtime/base/log.hpp"
#include "runtime/base/mutant.hpp"
#include "runtime/integration/release.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::integration {

namespace {

using json::Type;
using json::Value;
using record::Action;

// How often it looks for released letters.
constexpr Millis look_every{500};
constexpr std::size_t actions_max = 200;      // of one commit
constexpr std::size_t changes_max = 5'000;    // looked at in one step
constexpr record::Revision lag_max = 10'000;  // revisions passed before the position is written

std::string position_key(const std::string& adapter) {
  return adapter + "/feed";
}

// The record as a mapping sees it: its value, and what is known of it under /_record.
Value document_of(const std::string& collection, const std::string& key,
                  const record::Record& record, bool removed) {
  Value document = Value::object();
  if (!removed)
    if (auto value = json::parse(record.value.view()); value && value->is(Type::object))
      document = *std::move(value);
  Value about = Value::object();
  about.set("collection", Value::string(collection));
  about.set("key", Value::string(key));
  about.set("version", Value::number(std::to_string(record.version)));
  about.set("revision", Value::number(std::to_string(record.revision)));
  about.set("time", Value::string(time_text(WallTime{Millis{record.stamp.millis}})));
  about.set("removed", Value::boolean(removed));
  document.set("_record", std::move(about));
  return document;
}

bool has_action(const std::vector<Action>& actions, const char* collection,
                const std::string& key) {
  return std::any_of(actions.begin(), actions.end(), [&](const Action& action) {
    return action.collection == collection && action.key == key;
  });
}

}  // namespace

Exporter::Exporter(const AdapterDefinition& definition, Tenure tenure, HubPort& port)
    : definition_{definition}, tenure_{std::move(tenure)}, port_{port} {}

bool Exporter::exports(std::string_view collection) const {
  return std::any_of(definition_.exports.begin(), definition_.exports.end(),
                     [&](const ExportDefinition& one) { return one.collection == collection; });
}

Result<void> Exporter::load() {
  TRY_ASSIGN(const auto view, port_.view());
  const auto row = find_value(*view, hub::positions, position_key(tenure_.adapter));
  const Value* position = row && row->is(Type::object) ? row->find("position") : nullptr;
  if (position != nullptr && position->is(Type::string)) {
    const std::string& digits = position->text();
    std::from_chars(digits.data(), digits.data() + digits.size(), cursor_);
  }
  committed_ = cursor_;
  path_ = path_of(*view, definition_, export_path, port_.wall());
  loaded_ = true;
  return {};
}

// A change that the mapping refuses: the mapping or the record must be mended, then the letter is
// released.
void Exporter::park(const Change& change, const Mapping& mapping, const Value& document,
                    const Error& why, std::vector<Action>& actions) {
  LetterRow letter;
  letter.adapter = tenure_.adapter;
  letter.direction = "export";
  letter.id = change.collection + "/" + change.key;
  letter.version = std::to_string(change.record.version);
  letter.type = change.collection;
  letter.subject = change.key;
  letter.kind = to_string(LetterClass::refused);
  letter.reason = to_string(why);
  letter.body = json::to_text(document);
  letter.content_type = "application/json";
  letter.mapping = mapping.name() + "@" + std::to_string(mapping.version());
  letter.attempts = 1;
  letter.first = letter.last = time_text(port_.wall());
  const std::string key = letter_key(tenure_.adapter, "export",
                                     letter.id + "@" + letter.version + "/" + mapping.name());
  if (has_action(actions, hub::letters, key)) return;
  actions.push_back(put_action(hub::letters, key, to_value(letter)));
  ++counts_.parked;
}

// Released letters: the record as it is now is mapped once more.
Result<Step> Exporter::try_again() {
  std::vector<Action> actions;
  {
    TRY_ASSIGN(const auto view, port_.view());
    if (!definition_.source)
      if (auto command = find_command(*view, tenure_, {"replay"}))
        return release_letters(port_, tenure_, *std::move(command));
    scan_open(*view, hub::letters, tenure_.adapter,
              [&](std::string_view key, const Value& value, const record::Record&) {
                auto letter = letter_row(value);
                if (!letter || letter->direction != "export" || letter->state != "replay")
                  return true;
                if (const auto record = view->find_record(letter->type, letter->subject))
                  plan(*view, {letter->type, letter->subject, *record, record->tombstone}, actions);
                if (!has_action(actions, hub::letters, std::string{key})) {
                  letter->state = "resolved";
                  letter->last = time_text(port_.wall());
                  actions.push_back(put_action(hub::letters, std::string{key}, to_value(*letter)));
                }
                return actions.size() < actions_max / 2;
              });
  }
  return write(std::move(actions), false);
}

void Exporter::plan(const record::StateReader& view, const Change& change,
                    std::vector<Action>& actions) {
  ++counts_.changes;
  const Value document = document_of(change.collection, change.key, change.record, change.removed);
  const std::string version = std::to_string(change.record.version);
  const MapContext context{tenure_.adapter, change.collection + "/" + change.key, version,
                           time_text(WallTime{Millis{change.record.stamp.millis}})};
  const std::string now = time_text(port_.wall());
  for (const ExportDefinition& exported : definition_.exports) {
    if (exported.collection != change.collection) continue;
    const auto mapped = exported.mapping->apply(document, context);
    if (!mapped) {
      park(change, *exported.mapping, document, mapped.error(), actions);
      continue;
    }
    std::uint64_t position = 0;
    for (const MappedEffect& effect : mapped->effects) {
      const std::string key = effect_key(tenure_.adapter, effect.key);
      // The same effect has the same key: made once, whoever makes it again.
      const auto known = view.find_record(hub::effects, key);
      if (known && !known->tombstone && !MUTANT(intent_made_again)) continue;
      EffectRow row;
      row.adapter = tenure_.adapter;
      row.key = effect.key;
      row.type = effect.type;
      row.subject = effect.subject.empty() ? effect.key : effect.subject;
      row.trace = mapped->trace;
      row.document = effect.document;
      row.source_collection = change.collection;
      row.source_key = change.key;
      row.source_version = change.record.version;
      row.source_revision = change.record.revision;
      row.position = position++;
      row.created = now;
      if (has_action(actions, hub::effects, key)) continue;
      actions.push_back(put_action(hub::effects, key, to_value(row)));
      ++counts_.intents;
    }
  }
}

Result<Step> Exporter::write(std::vector<Action> actions, bool with_position) {
  if (with_position && cursor_ != committed_) {
    Value value = Value::object();
    value.set("adapter", Value::string(tenure_.adapter));
    value.set("position", Value::string(std::to_string(cursor_)));
    value.set("at", Value::string(time_text(port_.wall())));
    actions.push_back(put_action(hub::positions, position_key(tenure_.adapter), value));
  }
  if (actions.empty()) return Step::idle;
  // One commit of records may make more intents than one commit can hold. The position goes with
  // the last: intents that are there already are not made again.
  for (std::size_t from = 0; from < actions.size(); from += actions_max) {
    const std::size_t to = std::min(actions.size(), from + actions_max);
    std::vector<Action> some{std::make_move_iterator(actions.begin() + static_cast<long>(from)),
                             std::make_move_iterator(actions.begin() + static_cast<long>(to))};
    TRY_ASSIGN(const Step step, commit_actions(port_, tenure_, std::move(some)));
    if (step == Step::ended) return step;
  }
  if (with_position) committed_ = cursor_;
  return Step::worked;
}

Result<Step> Exporter::step() {
  if (!loaded_) TRY(load());
  if (port_.monotonic() >= next_look_) {
    TRY_ASSIGN(const Step tried, try_again());
    if (tried != Step::idle) return tried;
    next_look_ = port_.monotonic() + look_every;
  }
  if (catching_up_) return catch_up();
  if (port_.monotonic() >= next_heartbeat_) return send_heartbeat();
  return follow();
}

// A commit like anybody's: follow() meets it in the feed, behind all changes before it.
Result<Step> Exporter::send_heartbeat() {
  next_heartbeat_ = port_.monotonic() + definition_.heartbeat;
  path_.next = time_text(port_.wall());
  return commit_actions(port_, tenure_, {put_path(path_)});
}

Result<Step> Exporter::follow() {
  std::vector<Action> actions;
  bool beats = false;
  const std::string own_path = path_key(tenure_.adapter, export_path);
  record::Revision reached = cursor_;
  std::size_t looked_at = 0;
  {
    TRY_ASSIGN(const auto view, port_.view());
    // A commit is planned whole or not at all; its revision is the position behind it.
    const auto scanned =
        record::scan_changes(*view, cursor_, 0, [&](const record::ChangeView& seen) {
          const bool begins = seen.position == 0;
          if (begins && (actions.size() >= actions_max / 2 || looked_at >= changes_max))
            return false;
          ++looked_at;
          reached = seen.commit->revision;
          beats = beats || (seen.change->collection == hub::paths && seen.change->key == own_path);
          if (exports(seen.change->collection))
            plan(*view,
                 {seen.change->collection, seen.change->key, seen.record,
                  seen.change->kind == record::ChangeKind::remove},
                 actions);
          return true;
        });
    if (!scanned && scanned.error().code == Errc::compacted) {
      log_warn("adapter", "{}: the change feed behind revision {} is gone; reads all records",
               tenure_.adapter, cursor_);
      catching_up_ = true;
      catch_up_export_ = 0;
      catch_up_key_.clear();
      cursor_ = view->counters().revision;
      return Step::worked;
    }
    if (!scanned) return Failure{scanned.error()};
  }
  if (reached == cursor_) return Step::idle;
  cursor_ = reached;
  // The lanes take it from here.
  if (beats && !path_.next.empty()) {
    path_.sent = std::exchange(path_.next, "");
    path_.arrived = time_text(port_.wall());
    actions.push_back(put_path(path_));
  }
  const bool due = !actions.empty() || cursor_ - committed_ >= lag_max;
  if (!due) return looked_at >= changes_max ? Step::worked : Step::idle;
  return write(std::move(actions), true);
}

Result<Step> Exporter::catch_up() {
  if (catch_up_export_ >= definition_.exports.size()) {
    catching_up_ = false;
    return write({}, true);
  }
  const std::string& collection = definition_.exports[catch_up_export_].collection;
  std::vector<Action> actions;
  std::size_t looked_at = 0;
  bool whole = true;
  {
    TRY_ASSIGN(const auto view, port_.view());
    view->scan_records(
        collection, "", catch_up_key_, [&](std::string_view key, const record::Record& record) {
          if (actions.size() >= actions_max / 2 || looked_at >= changes_max) {
            whole = false;
            return false;
          }
          ++looked_at;
          catch_up_key_ = key;
          plan(*view, {collection, std::string{key}, record, record.tombstone}, actions);
          return true;
        });
  }
  if (whole) {
    ++catch_up_export_;
    catch_up_key_.clear();
  }
  if (actions.empty()) return Step::worked;
  return write(std::move(actions), false);
}

}  // namespace mainstay::integration
