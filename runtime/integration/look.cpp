#include "runtime/integration/look.hpp"

#include <algorithm>

#include "runtime/base/limits.hpp"
#include "runtime/base/mutant.hpp"
#include "runtime/integration/hub.hpp"
#include "runtime/record/declaration.hpp"

namespace mainstay::integration {

using json::Type;
using json::Value;

namespace {

constexpr std::string_view quantity_name = "quantity";

std::string text_of(const Value& object, std::string_view name) {
  const Value* member = object.is(Type::object) ? object.find(name) : nullptr;
  return member != nullptr && (member->is(Type::string) || member->is(Type::number))
             ? member->text()
             : std::string{};
}

std::uint64_t millis_of(WallTime time) {
  const auto millis = std::chrono::duration_cast<Millis>(time.time_since_epoch()).count();
  return millis < 0 ? 0 : static_cast<std::uint64_t>(millis);
}

// The first commit behind `after`.
std::optional<std::uint64_t> stamp_behind(const record::StateReader& view, record::Revision after) {
  std::optional<std::uint64_t> millis;
  view.scan_commits(after, [&](const record::Commit& commit) {
    millis = commit.stamp.millis;
    return false;
  });
  return millis;
}

// Whether the commit with this revision came after a time. Commits that have left the timeline are
// older than any cut.
bool came_after(const record::StateReader& view, record::Revision revision, std::uint64_t millis) {
  if (revision == 0 || revision <= view.counters().floor) return false;
  const auto stamp = stamp_behind(view, revision - 1);
  return stamp && *stamp > millis;
}

}  // namespace

Look::Look(const AdapterDefinition& definition, const ReconcileDefinition& what, Adapter& adapter,
           HubPort& port)
    : definition_{definition}, what_{what}, adapter_{adapter}, port_{port} {
  for (const auto& [pointer, value] : what.where)
    where_.emplace_back(pointer.starts_with('/') ? pointer : '/' + pointer, value);
}

Result<void> Look::begin() {
  looked_.cut = port_.wall() - what_.settle;
  TRY_ASSIGN(const auto view, port_.view());
  const auto declared = find_value(*view, record::system_collection::collections, what_.collection);
  if (!declared)
    return fail(Errc::not_found, "there is no collection '" + what_.collection + "' to compare");
  TRY_ASSIGN(record::Declaration declaration, record::parse_declaration(json::to_text(*declared)));
  ledger_ = std::move(declaration.ledger);
  if (what_.balances && !ledger_)
    return fail(Errc::invalid_argument,
                "collection '" + what_.collection + "' is not a ledger; it has no balances");
  return {};
}

Result<Looked> Look::run() {
  TRY(begin());
  std::string after;
  do {
    TRY_ASSIGN(const ObservedPage page, adapter_.observe(what_.kind, after));
    for (const Observed& observed : page.items) TRY(take(observed));
    if (!page.next.empty() && page.next == after)
      return fail(Errc::internal, "the adapter gives the page behind '" + after + "' again");
    after = page.next;
  } while (!after.empty());
  TRY_ASSIGN(const auto view, port_.view());
  if (what_.balances) {
    TRY(sum_balances(*view));
    TRY(compare_balances());
  } else {
    TRY(find_unseen(*view));
  }
  find_waiting(*view);
  settle(*view);
  return std::move(looked_);
}

Result<void> Look::add(Difference difference) {
  if (looked_.differences.size() >= limits::discrepancies_max &&
      !looked_.differences.contains(difference.key))
    return fail(Errc::too_large, "more than " + std::to_string(limits::discrepancies_max) +
                                     " differences: is this the right mapping, the right kind?");
  std::string key = difference.key;
  looked_.differences.insert_or_assign(std::move(key), std::move(difference));
  return {};
}

Result<void> Look::take(const Observed& observed) {
  const MapContext context{definition_.name, observed.id, "", time_text(port_.wall())};
  auto mapped = what_.mapping->apply(observed.document, context);
  if (!mapped)
    return add({DifferenceKind::unexpected,
                observed.id,
                observed.id,
                {{"", Value{}, Value::string(mapped.error().message)}}});
  TRY_ASSIGN(const auto view, port_.view());
  for (const MappedRecord& record : mapped->records) {
    if (record.collection != what_.collection) continue;
    if (what_.balances) {
      TRY(take_balance(record, observed.id));
    } else {
      TRY(take_record(*view, record, observed.id));
    }
  }
  return {};
}

// A ledger's entry as it would be stored, so that the same quantity is the same text.
Value Look::compared_value(const MappedRecord& mapped) const {
  if (!ledger_) return mapped.value;
  const auto entry = record::parse_entry(*ledger_, mapped.key, json::to_text(mapped.value));
  if (!entry) return mapped.value;
  auto stored = json::parse(record::to_json(*entry));
  return stored ? *std::move(stored) : mapped.value;
}

Result<void> Look::take_record(const record::StateReader& view, const MappedRecord& mapped,
                               const std::string& id) {
  const Value there = compared_value(mapped);
  const auto record = view.find_record(what_.collection, mapped.key);
  Value here;
  const bool live = record && !record->tombstone;
  if (live)
    if (auto parsed = json::parse(record->value.view())) here = *std::move(parsed);
  const bool again = !seen_.insert(xxh3_128(mapped.key)).second;
  if (seen_.size() > limits::reconcile_items_max)
    return fail(Errc::too_large, "more than " + std::to_string(limits::reconcile_items_max) +
                                     " things are compared at once; divide them by kind");
  using Operation = MappedRecord::Operation;
  // Several documents may each be a part of one record; else it is there twice.
  if (again && mapped.operation != Operation::merge)
    return add({DifferenceKind::unexpected,
                mapped.key,
                id,
                {{"", live ? Value::string("once") : Value{}, Value::string("more than once")}}});
  if (mapped.operation == Operation::remove) {
    if (!live || !takes_part(here, where_)) return {};
    return add({DifferenceKind::missing_there, mapped.key, id, {}});
  }
  if (!takes_part(there, where_) && !(live && takes_part(here, where_))) return {};
  if (!live) {
    const bool removed = record && record->tombstone;
    return add({removed ? DifferenceKind::unexpected : DifferenceKind::missing_here, mapped.key, id,
                differences(Value::object(), there, what_.fields)});
  }
  auto fields = differences(here, there, what_.fields);
  if (fields.empty()) {
    looked_.equal += again ? 0 : 1;
    return {};
  }
  return add({DifferenceKind::differs, mapped.key, id, std::move(fields)});
}

Result<void> Look::find_unseen(const record::StateReader& view) {
  Result<void> failed;
  view.scan_records(what_.collection, "", "",
                    [&](std::string_view key, const record::Record& record) {
                      if (record.tombstone || seen_.contains(xxh3_128(key))) return true;
                      if (MUTANT(absent_record_not_named)) return true;
                      const auto value = json::parse(record.value.view());
                      if (!value || !takes_part(*value, where_)) return true;
                      failed = add({DifferenceKind::missing_there, std::string{key}, "", {}});
                      return failed.has_value();
                    });
  return failed;
}

std::string Look::group_of(const record::Dimensions& dimensions) const {
  std::string group;
  for (const auto& [name, value] : dimensions)
    if (!dimensions_ || dimensions_->contains(name))
      group += (group.empty() ? "" : "/") + key_part(value);
  return group;
}

Result<void> Look::take_balance(const MappedRecord& mapped, const std::string& id) {
  if (!takes_part(mapped.value, where_)) return {};
  std::set<std::string> names;
  record::Dimensions dimensions;
  for (const std::string& name : ledger_->dimensions) {
    if (!mapped.value.is(Type::object) || mapped.value.find(name) == nullptr) continue;
    names.insert(name);
    dimensions.emplace_back(name, text_of(mapped.value, name));
  }
  if (names.empty() || (dimensions_ && *dimensions_ != names))
    return fail(Errc::invalid_argument,
                "the balance of '" + id + "' does not have the dimensions of the ones before it");
  dimensions_ = std::move(names);
  auto quantity = Decimal::parse(text_of(mapped.value, quantity_name));
  if (!quantity) return fail(Errc::invalid_argument, "the balance of '" + id + "' has no quantity");
  Sum& sum = sums_[group_of(dimensions)];
  TRY_ASSIGN(sum.there, sum.there.plus(*quantity));
  sum.id = id;
  if (sums_.size() > limits::reconcile_items_max)
    return fail(Errc::too_large, "more than " + std::to_string(limits::reconcile_items_max) +
                                     " balances are compared at once");
  return {};
}

Result<void> Look::sum_balances(const record::StateReader& view) {
  Result<void> failed;
  view.scan_balances(
      what_.collection, "", "", [&](std::string_view position, const record::Balance& balance) {
        const record::Dimensions dimensions = record::dimensions_of(*ledger_, position);
        Value value = Value::object();
        for (const auto& [name, text] : dimensions) value.set(name, Value::string(text));
        if (!takes_part(value, where_)) return true;
        Sum& sum = sums_[group_of(dimensions)];
        auto here = sum.here.plus(balance.quantity);
        if (!here) failed = Failure{here.error()};
        if (here) sum.here = *here;
        sum.revision = std::max(sum.revision, balance.revision);
        if (failed && sums_.size() > limits::reconcile_items_max)
          failed =
              fail(Errc::too_large, "more than " + std::to_string(limits::reconcile_items_max) +
                                        " balances are compared at once");
        return failed.has_value();
      });
  return failed;
}

Result<void> Look::compare_balances() {
  for (const auto& [group, sum] : sums_) {
    if (sum.here == sum.there) {
      ++looked_.equal;
      continue;
    }
    DifferenceKind kind = DifferenceKind::differs;
    if (sum.id.empty()) kind = DifferenceKind::missing_there;
    if (sum.here.is_zero()) kind = DifferenceKind::missing_here;
    TRY(add({kind,
             group,
             sum.id,
             {{"/quantity", Value::string(sum.here.to_string()),
               Value::string(sum.there.to_string())}}}));
  }
  return {};
}

// A record that has not reached the counterpart, or not come from there: whatever differs because
// of it is on its way.
void Look::waits(const record::StateReader& view, const std::string& key) {
  if (!what_.balances) {
    waiting_.insert(key);
    return;
  }
  const auto record = view.find_record(what_.collection, key);
  if (!record || record->tombstone) return;
  const auto entry = record::parse_entry(*ledger_, key, record->value.view());
  if (!entry) return;
  waiting_.insert(group_of(entry->from));
  waiting_.insert(group_of(entry->to));
}

void Look::letter_waits(const record::StateReader& view, const LetterRow& letter) {
  if (letter.direction == "out") {
    const auto value = find_value(view, hub::effects, effect_key(definition_.name, letter.id));
    const auto effect = value ? effect_row(*value) : Result<EffectRow>{fail(Errc::not_found, "")};
    if (effect && effect->source_collection == what_.collection) waits(view, effect->source_key);
    return;
  }
  // What it would have become, as far as it can be told; else by its names.
  waiting_ids_.insert(letter.id);
  waiting_ids_.insert(letter.subject);
  if (!definition_.source) return;
  const auto mapping = definition_.source->types.find(letter.type);
  if (mapping == definition_.source->types.end()) return;
  const auto documents = adapter_.decode(
      {letter.id, letter.version, letter.type, letter.subject, letter.content_type, letter.body});
  if (!documents) return;
  const MapContext context{definition_.name, letter.id, letter.version, letter.first};
  for (const Value& document : *documents) {
    const auto mapped = mapping->second->apply(document, context);
    if (!mapped) continue;
    for (const MappedRecord& record : mapped->records) {
      if (record.collection != what_.collection) continue;
      if (!what_.balances) {
        waiting_.insert(record.key);
        continue;
      }
      const auto entry = record::parse_entry(*ledger_, record.key, json::to_text(record.value));
      if (!entry) continue;
      waiting_.insert(group_of(entry->from));
      waiting_.insert(group_of(entry->to));
    }
  }
}

void Look::find_waiting(const record::StateReader& view) {
  if (looked_.differences.empty()) return;
  scan_open(view, hub::effects, definition_.name,
            [&](std::string_view, const Value& value, const record::Record&) {
              const auto effect = effect_row(value);
              if (effect && effect->source_collection == what_.collection)
                waits(view, effect->source_key);
              return true;
            });
  scan_open(view, hub::letters, definition_.name,
            [&](std::string_view, const Value& value, const record::Record&) {
              if (const auto letter = letter_row(value)) letter_waits(view, *letter);
              return true;
            });
}

bool Look::changed_lately(const record::StateReader& view, const std::string& key) const {
  const std::uint64_t cut = millis_of(looked_.cut);
  if (what_.balances) {
    const auto sum = sums_.find(key);
    return sum != sums_.end() && came_after(view, sum->second.revision, cut);
  }
  const auto record = view.find_record(what_.collection, key);
  return record && record->stamp.millis > cut;
}

void Look::settle(const record::StateReader& view) {
  std::erase_if(looked_.differences, [&](const auto& item) {
    const Difference& difference = item.second;
    const bool held = waiting_.contains(difference.key) ||
                      (!difference.id.empty() && waiting_ids_.contains(difference.id));
    if (!held && !changed_lately(view, difference.key)) return false;
    ++looked_.pending;
    looked_.held += held ? 1 : 0;
    return true;
  });
}

}  // namespace mainstay::integration
