#include "tests/harness/model.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"
#include "runtime/wire/codec.hpp"

namespace mainstay::harness {

using record::Action;
using record::ActionKind;
using record::ChangeKind;
using record::Command;
using record::CommandKind;
using record::Outcome;
using record::Part;
using record::Revision;

namespace {

constexpr const char* declarations = record::system_collection::collections;

json::Value parsed(std::string_view text) {
  Result<json::Value> value = json::parse(text);
  ASSERT_MSG(value.has_value(), "the workload writes JSON");
  return std::move(*value);
}

// "12.5" in units of 10^-scale.
std::int64_t units_of(std::string_view text, unsigned scale) {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  std::int64_t units = 0;
  bool behind = false;
  unsigned digits = 0;
  for (const char letter : text) {
    if (letter == '.') {
      behind = true;
      continue;
    }
    units = units * 10 + (letter - '0');
    digits += behind ? 1 : 0;
  }
  for (; digits < scale; ++digits) units *= 10;
  for (; digits > scale; --digits) units /= 10;
  return negative ? -units : units;
}

std::string position_of(const Model::Ledger& ledger,
                        const std::map<std::string, std::string>& dimensions) {
  std::string position;
  for (const std::string& name : ledger.dimensions) position += dimensions.at(name) + '\0';
  return position;
}

bool is_excepted(const Model::Ledger& ledger, const std::string& position) {
  return std::any_of(ledger.except.begin(), ledger.except.end(), [&](const auto& except) {
    std::size_t at = 0;
    for (const std::string& name : ledger.dimensions) {
      const std::size_t end = position.find('\0', at);
      const auto wanted = except.find(name);
      if (wanted != except.end() && wanted->second != position.substr(at, end - at)) return false;
      at = end + 1;
    }
    return true;
  });
}

std::map<std::string, std::string> texts_of(const json::Value& object) {
  std::map<std::string, std::string> texts;
  for (const auto& [name, value] : object.members()) texts[name] = value.text();
  return texts;
}

Model::Ledger ledger_of(const json::Value& from) {
  Model::Ledger ledger;
  for (const json::Value& name : from.find("dimensions")->items())
    ledger.dimensions.push_back(name.text());
  if (const json::Value* scale = from.find("scale"))
    ledger.scale = static_cast<unsigned>(std::stoul(scale->text()));
  if (const json::Value* bound = from.find("never_below"))
    ledger.never_below = units_of(bound->text(), ledger.scale);
  if (const json::Value* except = from.find("except"))
    for (const json::Value& each : except->items()) ledger.except.push_back(texts_of(each));
  return ledger;
}

Model::Collection collection_of(std::string_view text) {
  const json::Value value = parsed(text);
  Model::Collection collection;
  collection.declaration = json::canonical_text(value);
  if (const json::Value* ledger = value.find("ledger")) collection.ledger = ledger_of(*ledger);
  if (const json::Value* indexes = value.find("indexes"))
    for (const json::Value& index : indexes->items())
      collection.indexes[index.find("name")->text()] = index.find("pointer")->text();
  if (const json::Value* minimum = json::find(value, "/schema/properties/n/minimum"))
    collection.minimum = std::stoll(minimum->text());
  if (const json::Value* most = json::find(value, "/limits/records"))
    collection.records_max = std::stoull(most->text());
  if (const json::Value* most = json::find(value, "/limits/value_bytes"))
    collection.value_bytes_max = std::stoull(most->text());
  if (const json::Value* hours = json::find(value, "/retention/history_hours"))
    collection.history_ms = std::stoull(hours->text()) * 3600 * 1000;
  return collection;
}

bool fits_schema(const Model::Collection& collection, const std::string& value) {
  if (!collection.minimum) return true;
  const json::Value document = parsed(value);
  const json::Value* number = document.find("n");
  return number == nullptr || std::stoll(number->text()) >= *collection.minimum;
}

}  // namespace

// --- looking ---

const Model::Version* Model::at(const Key& key, Revision revision) const {
  const auto found = records_.find(key);
  if (found == records_.end()) return nullptr;
  const auto& versions = found->second;
  const auto behind =
      std::upper_bound(versions.begin(), versions.end(), revision,
                       [](Revision at, const Version& each) { return at < each.revision; });
  return behind == versions.begin() ? nullptr : &*std::prev(behind);
}

const Model::Version* Model::held(const Key& key, Revision revision, consensus::Index index) const {
  const Version* version = at(key, revision);
  const bool is_it = version != nullptr && version->revision == revision && version->held_at(index);
  return is_it ? version : nullptr;
}

std::int64_t Model::balance_at(const std::string& collection, const std::string& position,
                               Revision revision) const {
  const auto found = balances_.find({collection, position});
  if (found == balances_.end()) return 0;
  std::int64_t units = 0;
  for (const auto& [at, sum] : found->second) {
    if (at > revision) break;
    units = sum;
  }
  return units;
}

std::vector<std::string> Model::positions(const std::string& collection) const {
  std::vector<std::string> found;
  for (auto at = balances_.lower_bound({collection, ""});
       at != balances_.end() && at->first.first == collection; ++at)
    found.push_back(at->first.second);
  return found;
}

Model::Move Model::parse_move(const Ledger& ledger, std::string_view text) {
  const json::Value value = parsed(text);
  Move move;
  move.units = units_of(value.find("quantity")->text(), ledger.scale);
  move.from = texts_of(*value.find("from"));
  move.to = texts_of(*value.find("to"));
  for (const std::string& name : ledger.dimensions)
    if (const json::Value* both = value.find(name)) move.from[name] = move.to[name] = both->text();
  if (const json::Value* reverses = value.find("reverses")) move.reverses = reverses->text();
  return move;
}

const Model::Collection& Model::collection(const std::string& name, const Work& work) const {
  if (const auto changed = work.collections.find(name); changed != work.collections.end()) {
    if (changed->second) return *changed->second;
    throw Refusal{Errc::not_found};
  }
  const auto found = collections_.find(name);
  if (found == collections_.end()) throw Refusal{Errc::not_found};
  return found->second;
}

std::optional<Model::Version> Model::row(const Key& key, const Work& work) const {
  if (const auto changed = work.records.find(key); changed != work.records.end())
    return changed->second;
  const auto found = records_.find(key);
  if (found == records_.end()) return std::nullopt;
  const Version& last = found->second.back();
  if (last.tombstone && gone_.contains({key, last.revision})) return std::nullopt;
  return last;
}

std::optional<Model::Version> Model::live(const Key& key, const Work& work) const {
  std::optional<Version> found = row(key, work);
  if (found && found->tombstone) found.reset();
  return found;
}

std::int64_t Model::balance(const Key& key, const Work& work) const {
  if (const auto changed = work.balances.find(key); changed != work.balances.end())
    return changed->second;
  const auto found = balances_.find(key);
  return found == balances_.end() ? 0 : found->second.back().second;
}

std::uint64_t Model::live_in(const std::string& collection) const {
  std::uint64_t count = 0;
  for (auto at = records_.lower_bound({collection, ""});
       at != records_.end() && at->first.first == collection; ++at)
    count += at->second.back().tombstone ? 0 : 1;
  return count;
}

// --- an entry ---

void Model::apply(const consensus::Entry& entry) {
  ASSERT(entry.index == index() + 1);
  Outcomes& outcomes = outcomes_.emplace_back();
  if (entry.kind != consensus::EntryKind::batch) return expire();
  const auto batch = wire::decode_log_batch(entry.payload);
  ASSERT(batch.has_value());
  millis_ = std::max(millis_, batch->wall_millis);
  for (const record::Batch& part : batch->batches) {
    auto& answers = outcomes.emplace_back();
    for (const Command& command : part.commands) answers.push_back(answer(command));
  }
  expire();
}

Outcome Model::answer(const Command& command) {
  if (const auto known = operations_.find(command.operation); known != operations_.end()) {
    const bool fenced = known->second.refused == Errc::operation_fenced;
    Outcome outcome = known->second;
    if (command.kind == CommandKind::transaction && !fenced &&
        hashes_.at(command.operation) != command.request_hash) {
      outcome = {};
      outcome.refused = Errc::operation_reused;
    }
    outcome.replayed = outcome.refused != Errc::operation_reused;
    return outcome;
  }
  Outcome outcome;
  if (command.kind == CommandKind::fence)
    outcome.refused = Errc::operation_fenced;
  else
    outcome = run(command);
  operations_[command.operation] = outcome;
  hashes_[command.operation] = command.request_hash;
  added_ += 1;
  if (outcome.revision == 0)
    due_.insert({millis_ + options_.window_ms,
                 record::Expiry::Kind::operation,
                 {"", command.operation},
                 0});
  return outcome;
}

Outcome Model::run(const Command& command) {
  Outcome outcome;
  Work work;
  Part part = Part::check;
  std::uint32_t position = 0;
  try {
    for (position = 0; position < command.checks.size(); ++position)
      check(command.checks[position], position, work);
    part = Part::balance;
    for (position = 0; position < command.balances.size(); ++position)
      check(command.balances[position], position);
    part = Part::action;
    for (position = 0; position < command.actions.size(); ++position)
      act(command.actions[position], work);
    guard(work);
  } catch (const Refusal& refusal) {
    outcome.refused = refusal.code;
    outcome.part = part;
    outcome.position = refusal.part == Part::action ? refusal.position : position;
    outcome.found_version = refusal.found;
    return outcome;
  }
  outcome.results = work.results;
  outcome.revision = keep(command, std::move(work));
  return outcome;
}

void Model::check(const record::RecordCheck& check, std::uint32_t, const Work& work) const {
  const std::optional<Version> found = live({check.collection, check.key}, work);
  const record::Condition& condition = check.condition;
  const record::Version version = found ? found->version : 0;
  bool holds = !condition.version_is || (found && version == *condition.version_is);
  for (const record::Version unwanted : condition.version_is_not)
    holds = holds && !(found && version == unwanted);
  holds = holds && (!condition.must_exist || found) && (!condition.must_be_absent || !found);
  for (const record::Condition::Field& field : condition.fields) {
    if (!found) {
      holds = false;
      break;
    }
    const json::Value document = parsed(found->value);
    const json::Value* at = json::find(document, field.pointer);
    holds = holds && at != nullptr && *at == parsed(field.equals.view());
  }
  if (!holds) throw Refusal{Errc::precondition_failed, Part::whole, 0, version};
}

void Model::check(const record::BalanceCheck& check, std::uint32_t) const {
  const Collection& ledger = collection(check.collection, {});
  if (!ledger.ledger) throw Refusal{Errc::not_found};
  const std::map<std::string, std::string> dimensions{check.dimensions.begin(),
                                                      check.dimensions.end()};
  const std::int64_t units =
      balance({check.collection, position_of(*ledger.ledger, dimensions)}, {});
  if (units < units_of(check.at_least.to_string(), ledger.ledger->scale))
    throw Refusal{Errc::precondition_failed};
}

// --- actions ---

void Model::act(const Action& action, Work& work) {
  if (action.kind == ActionKind::declare) return declare(action, work);
  if (action.kind == ActionKind::undeclare) return undeclare(action, work);
  const Collection& target = collection(action.collection, work);
  const bool posts = action.kind == ActionKind::post;
  if (posts != target.ledger.has_value()) throw Refusal{Errc::conflict};
  if (posts) return post(action, work);
  if (action.kind == ActionKind::put) return put(action, std::string{action.value.view()}, work);
  const std::optional<Version> found = live({action.collection, action.key}, work);
  if (!found) throw Refusal{Errc::not_found};
  if (action.kind == ActionKind::remove) return write(action, "", true, work);
  json::Value value = parsed(found->value);
  json::merge(value, parsed(action.value.view()));
  put(action, json::to_text(value), work);
}

void Model::put(const Action& action, std::string value, Work& work) {
  const Collection& target = collection(action.collection, work);
  if (target.value_bytes_max != 0 && value.size() > target.value_bytes_max)
    throw Refusal{Errc::too_large};
  if (target.records_max != 0 && !live({action.collection, action.key}, work)) {
    std::uint64_t records = live_in(action.collection);
    for (const auto& [key, version] : work.records)
      if (key.first == action.collection)
        records = records + (version.tombstone ? 0 : 1) - (live(key, {}) ? 1 : 0);
    if (records >= target.records_max) throw Refusal{Errc::conflict};
  }
  if (!fits_schema(target, value)) throw Refusal{Errc::invalid_argument};
  write(action, std::move(value), false, work);
}

void Model::write(const Action& action, std::string value, bool tombstone, Work& work) {
  const Key key{action.collection, action.key};
  const std::optional<Version> before = row(key, work);
  const bool existed = before && !before->tombstone;
  const Revision revision = commits_.size() + 1;
  Version now;
  now.revision = revision;
  now.created = existed ? before->created : revision;
  now.version = (before ? before->version : 0) + 1;
  now.millis = millis_;
  now.value = std::move(value);
  now.tombstone = tombstone;
  work.results.push_back({now.version, !tombstone && !existed, true});
  work.changes.push_back({tombstone ? ChangeKind::remove : ChangeKind::put, key.first, key.second,
                          now.version, before ? before->revision : 0});
  work.records[key] = std::move(now);
}

void Model::post(const Action& action, Work& work) {
  const Ledger& ledger = *collection(action.collection, work).ledger;
  const Move move = parse_move(ledger, action.value.view());
  if (const auto known = live({action.collection, action.key}, work)) {
    if (!(parse_move(ledger, known->value) == move)) throw Refusal{Errc::conflict};
    work.results.push_back({known->version, false, false});
    return;
  }
  if (!move.reverses.empty()) {
    const auto target = live({action.collection, move.reverses}, work);
    if (!target) throw Refusal{Errc::not_found};
    const Move undone = parse_move(ledger, target->value);
    const bool opposite = undone.reverses.empty() && undone.units == move.units &&
                          undone.from == move.to && undone.to == move.from;
    const Key undoes{action.collection, move.reverses};
    if (!opposite || reversed_.contains(undoes) || !work.reversed.insert(undoes).second)
      throw Refusal{Errc::conflict};
  }
  const Key from{action.collection, position_of(ledger, move.from)};
  const Key to{action.collection, position_of(ledger, move.to)};
  for (const auto& [key, units] : {std::pair{from, -move.units}, std::pair{to, move.units}}) {
    const bool first = !work.balances.contains(key);
    work.balances[key] = balance(key, work) + units;
    if (first) work.touched.push_back(key);
    if (units < 0) work.lowered_by[key] = static_cast<std::uint32_t>(work.results.size());
  }
  write(action, std::string{action.value.view()}, false, work);
}

// Blamed is the last action that took from the first balance that is too low.
void Model::guard(const Work& work) const {
  for (const Key& key : work.touched) {
    const std::int64_t units = work.balances.at(key);
    const Ledger& ledger = *collection(key.first, work).ledger;
    if (!ledger.never_below || is_excepted(ledger, key.second)) continue;
    if (units < *ledger.never_below && units < balance(key, {}))
      throw Refusal{Errc::conflict, Part::action, work.lowered_by.at(key)};
  }
}

void Model::declare(const Action& action, Work& work) {
  Collection wanted = collection_of(action.value.view());
  if (const auto known = collections_.find(action.key); known != collections_.end()) {
    if (known->second.declaration == wanted.declaration) {
      work.results.push_back({live({declarations, action.key}, work)->version, false, false});
      return;
    }
    for (const auto& index : known->second.indexes) {
      const auto same = wanted.indexes.find(index.first);
      if (same == wanted.indexes.end() || *same != index) wanted.dropped_at = index_of_entry();
    }
  }
  work.collections[action.key] = std::move(wanted);
  write({ActionKind::put, declarations, action.key, action.value}, std::string{action.value.view()},
        false, work);
}

void Model::undeclare(const Action& action, Work& work) {
  const Collection& known = collection(action.key, work);
  if (live_in(action.key) != 0) throw Refusal{Errc::conflict};
  // The few rows that there are go at the end of the entry that drops their index.
  if (known.dropped_at == index_of_entry()) throw Refusal{Errc::conflict};
  work.collections[action.key] = std::nullopt;
  write({ActionKind::remove, declarations, action.key, {}}, "", true, work);
}

Revision Model::keep(const Command& command, Work&& work) {
  if (work.changes.empty()) return 0;
  Commit& commit = commits_.emplace_back();
  commit.millis = millis_;
  commit.operation = command.operation;
  commit.changes = std::move(work.changes);
  for (const record::Change& change : commit.changes) added_ += change.previous != 0 ? 2 : 1;
  for (auto& [key, version] : work.records) {
    auto& versions = records_[key];
    // Behind a tombstone that has gone nothing was there to become an old version.
    if (!versions.empty() && !gone_.contains({key, versions.back().revision}))
      versions.back().superseded = index();
    versions.push_back(std::move(version));
  }
  reversed_.merge(work.reversed);
  for (const auto& [key, units] : work.balances)
    balances_[key].emplace_back(commits_.size(), units);
  for (auto& [name, collection] : work.collections) {
    if (collection)
      collections_[name] = std::move(*collection);
    else
      collections_.erase(name);
  }
  return commits_.size();
}

// --- forgetting ---

// What is due leaves in order and a little at a time: at least so many rows as the entry has added,
// twice.
void Model::expire() {
  const Budget most = std::max<Budget>(options_.expire_rows_min, 2 * added_);
  added_ = 0;
  for (Budget left = most; left > 0; ++floor_) {
    if (floor_ == commits_.size()) break;
    const Commit& commit = commits_[floor_];
    if (commit.millis + options_.window_ms > millis_) break;
    left -= std::min<Budget>(left, 1 + commit.changes.size());
    age(commit, floor_ + 1, left);
  }
  for (Budget left = most; left > 0 && !due_.empty();) {
    const auto [millis, kind, key, revision] = *due_.begin();
    if (millis > millis_) break;
    due_.erase(due_.begin());
    expire({millis, kind, key.first, key.second, revision}, left);
    left -= std::min<Budget>(left, 1);
  }
  floors_.push_back(floor_);
}

void Model::age(const Commit& commit, Revision revision, Budget& budget) {
  operations_.erase(commit.operation);
  hashes_.erase(commit.operation);
  for (const record::Change& change : commit.changes) {
    const Key key{change.collection, change.key};
    const auto home = collections_.find(change.collection);
    const std::uint64_t kept = home == collections_.end() ? 0 : home->second.history_ms;
    const std::uint64_t due = commit.millis + kept;
    bool waits = kept > options_.window_ms;
    if (change.previous != 0) {
      waits = waits || !forget_history(key, change.previous, budget);
      if (waits) due_.insert({due, record::Expiry::Kind::history, key, change.previous});
    }
    if (change.kind != ChangeKind::remove) continue;
    if (waits)
      due_.insert({due, record::Expiry::Kind::tombstone, key, revision});
    else
      forget_tombstone(key, revision);
  }
}

void Model::expire(const record::Expiry& expiry, Budget& budget) {
  const Key key{expiry.collection, expiry.key};
  switch (expiry.kind) {
    case record::Expiry::Kind::operation:
      operations_.erase(expiry.key);
      hashes_.erase(expiry.key);
      return;
    case record::Expiry::Kind::history:
      if (!forget_history(key, expiry.revision, budget))
        due_.insert({expiry.due_millis, expiry.kind, key, expiry.revision});
      return;
    case record::Expiry::Kind::tombstone:
      forget_tombstone(key, expiry.revision);
  }
}

// Not if it was written again since then.
void Model::forget_tombstone(const Key& key, Revision revision) {
  if (records_.at(key).back().revision == revision) gone_.insert({key, revision});
}

// Oldest first; false: some are left.
bool Model::forget_history(const Key& key, Revision until, Budget& budget) {
  for (Version& version : records_.at(key)) {
    if (version.revision > until) break;
    if (!version.held_at(index())) continue;
    if (budget == 0) {
      forgot_in_part_.insert(index());
      return false;
    }
    --budget;
    version.forgotten = index();
  }
  return true;
}

}  // namespace mainstay::harness
