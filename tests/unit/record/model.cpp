#include "tests/unit/record/model.hpp"

#include <algorithm>

#include "tests/unit/record/commands.hpp"

namespace mainstay::record::model {

namespace {

constexpr std::uint64_t hour_ms = 3'600'000;

std::string number(int tenths) {
  const int size = std::abs(tenths);
  return (tenths < 0 ? "-" : "") + std::to_string(size / 10) +
         (size % 10 == 0 ? "" : "." + std::to_string(size % 10));
}

std::string text_of(const Patch& patch) {
  std::string text;
  const auto add = [&](std::string member) { text += (text.empty() ? "" : ",") + member; };
  if (patch.n) add("\"n\":" + (*patch.n ? number(**patch.n) : "null"));
  if (patch.s) add("\"s\":" + (*patch.s ? "\"" + **patch.s + "\"" : "null"));
  return "{" + text + "}";
}

std::string text_of(const Move& move) {
  return R"({"quantity":")" + number(move.tenths) + R"(","item":")" + move.item +
         R"(","from":{"location":")" + move.from + R"("},"to":{"location":")" + move.to + "\"}" +
         (move.reverses.empty() ? "" : R"(,"reverses":")" + move.reverses + "\"") + "}";
}

Action to_action(const Act& act) {
  const bool declares = act.kind == ActionKind::declare || act.kind == ActionKind::undeclare;
  if (declares)
    return action(act.kind, system_collection::collections, act.collection,
                  act.kind == ActionKind::declare
                      ? variants()[static_cast<std::size_t>(act.variant)].json
                      : "");
  std::string value;
  if (act.kind == ActionKind::put) value = text_of(act.doc);
  if (act.kind == ActionKind::patch) value = text_of(act.patch);
  if (act.kind == ActionKind::post) value = text_of(act.move);
  return action(act.kind, act.collection, act.key, value);
}

RecordCheck to_check(const Check& check) {
  RecordCheck made{check.collection, check.key, {}};
  switch (check.kind) {
    case Check::Kind::version:
      made.condition.version_is = check.version;
      break;
    case Check::Kind::not_version:
      made.condition.version_is_not = {check.version, check.version + 1};
      break;
    case Check::Kind::exists:
      made.condition.must_exist = true;
      break;
    case Check::Kind::absent:
      made.condition.must_be_absent = true;
      break;
    case Check::Kind::field_n:
      made.condition.fields = {{"/n", Bytes{std::to_string(check.tenths) + "e-1"}}};
      break;
  }
  return made;
}

Outcome refusal(Errc code, Part part = Part::whole, std::size_t position = 0,
                record::Version found = 0) {
  Outcome outcome;
  outcome.refused = code;
  outcome.part = part;
  outcome.position = static_cast<std::uint32_t>(position);
  outcome.found_version = found;
  return outcome;
}

const Variant& rules(const Declared& declared) {
  return variants()[static_cast<std::size_t>(declared.variant)];
}

const Version* live(const World& world, const Name& name) {
  const auto at = world.rows.find(name);
  return at == world.rows.end() || !at->second.live ? nullptr : &at->second;
}

std::size_t count_live(const World& world, const std::string& collection) {
  return static_cast<std::size_t>(std::count_if(
      world.rows.begin(), world.rows.end(),
      [&](const auto& row) { return row.first.first == collection && row.second.live; }));
}

}  // namespace

std::string text_of(const Doc& doc) {
  Patch patch;
  if (doc.n) patch.n = doc.n;
  if (doc.s) patch.s = doc.s;
  return text_of(patch);
}

const std::vector<Variant>& variants() {
  static const std::string schema =
      R"("schema":{"type":"object","required":["n"],"properties":{"n":{"type":"integer","minimum":0}}})";
  static const std::string ledger = R"("kind":"ledger","ledger":{"dimensions":["item","location"])";
  static const std::string guard = R"(,"never_below":"0","except":[{"location":"SUPPLIER"}])";
  static const std::vector<Variant> all = {
      {"{}", false, false, {}, 0, 0, 0, false},
      {"{" + schema +
           R"(,"indexes":[{"name":"by-0","pointer":"/n"},{"name":"by-1","pointer":"/s"}]})",
       false,
       true,
       {'n', 's'},
       0,
       0,
       0,
       false},
      {R"({"retention":{"history_hours":72},"limits":{"records":2}})",
       false,
       false,
       {},
       2,
       72 * hour_ms,
       0,
       false},
      {R"({"indexes":[{"name":"by-0","pointer":"/s"}]})", false, false, {'s'}, 0, 0, 0, false},
      {"{" + ledger + R"(,"scale":1)" + guard + "}}", true, false, {}, 0, 0, 1, true},
      {"{" + ledger + R"(,"scale":1}})", true, false, {}, 0, 0, 1, false},
      {"{" + ledger + guard + "}}", true, false, {}, 0, 0, 0, true},
  };
  return all;
}

Command to_command(const Request& request) {
  if (request.fence) return fence(request.operation);
  std::vector<Action> actions;
  for (const Act& act : request.acts) actions.push_back(to_action(act));
  Command command = transaction(request.operation, std::move(actions));
  std::string text = hex_of(command.request_hash);
  for (const Check& check : request.checks) {
    command.checks.push_back(to_check(check));
    text += " " + check.collection + check.key + std::to_string(static_cast<int>(check.kind)) +
            std::to_string(check.version) + " " + std::to_string(check.tenths);
  }
  for (const BalanceAtLeast& check : request.balances) {
    command.balances.push_back({check.collection,
                                {{"item", check.item}, {"location", check.location}},
                                Decimal{check.tenths, 1}});
    text += " " + check.collection + check.item + check.location + std::to_string(check.tenths);
  }
  command.request_hash = xxh3_128(text);
  return command;
}

// --- running ---

std::vector<Outcome> Model::step(std::uint64_t wall_millis, const std::vector<Request>& requests) {
  now_ = std::max(now_, wall_millis);
  std::vector<Outcome> outcomes;
  outcomes.reserve(requests.size());
  for (const Request& request : requests)
    outcomes.push_back(once(request, to_command(request).request_hash));
  age();
  return outcomes;
}

Outcome Model::once(const Request& request, const Hash128& hash) {
  std::vector<Name> names;
  bool alone = true;
  for (const Act& act : request.acts) {
    names.emplace_back(act.collection, act.key);
    const bool declares = act.kind == ActionKind::declare || act.kind == ActionKind::undeclare;
    if (declares && request.acts.size() > 1) alone = false;
  }
  std::sort(names.begin(), names.end());
  const bool twice = std::adjacent_find(names.begin(), names.end()) != names.end();
  if (twice || !alone || (request.acts.empty() && !request.fence))
    return refusal(Errc::invalid_argument);
  if (const auto known = done_.find(request.operation); known != done_.end()) {
    const bool fenced = known->second.outcome.refused == Errc::operation_fenced;
    if (!request.fence && !fenced && known->second.hash != hash)
      return refusal(Errc::operation_reused);
    Outcome again = known->second.outcome;
    again.replayed = true;
    return again;
  }
  Outcome outcome = request.fence ? refusal(Errc::operation_fenced) : run(request);
  done_[request.operation] = {request.fence ? Hash128{} : hash, outcome, now_};
  return outcome;
}

Outcome Model::run(const Request& request) {
  for (std::size_t i = 0; i < request.checks.size(); ++i)
    if (auto refused = check(request.checks[i]); refused) {
      refused->part = Part::check;
      refused->position = static_cast<std::uint32_t>(i);
      return *refused;
    }
  for (std::size_t i = 0; i < request.balances.size(); ++i)
    if (auto refused = check(request.balances[i]); refused) {
      refused->part = Part::balance;
      refused->position = static_cast<std::uint32_t>(i);
      return *refused;
    }
  World next = world_;
  Outcome outcome;
  std::vector<Place> touched;  // in order, each once
  std::map<Place, std::size_t> lowered_by;
  for (std::size_t i = 0; i < request.acts.size(); ++i) {
    const Act& one = request.acts[i];
    const auto result = act(next, one, touched);
    if (const Errc* code = std::get_if<Errc>(&result)) return refusal(*code, Part::action, i);
    outcome.results.push_back(std::get<ActionResult>(result));
    if (one.kind == ActionKind::post && outcome.results.back().changed)
      lowered_by[{one.collection, one.move.item, one.move.from}] = i;
  }
  for (const Place& place : touched) {
    const auto& [collection, item, location] = place;
    const bool guarded =
        rules(next.collections.at(collection)).is_guarded && location != "SUPPLIER";
    const auto before = world_.balances.find(place);
    const int was = before == world_.balances.end() ? 0 : before->second;
    const int is = next.balances[place];
    if (guarded && is < 0 && is < was)
      return refusal(Errc::conflict, Part::action, lowered_by[place]);
  }
  std::vector<Name> removed;
  bool changed = false;
  for (auto& [name, row] : next.rows) {
    if (row.revision != revision_ + 1) continue;
    changed = true;
    all_[name].push_back(row);
    if (!row.live) removed.push_back(name);
  }
  if (!changed) return outcome;
  outcome.revision = ++revision_;
  timeline_.push_back({revision_, now_, request.operation, removed});
  world_ = std::move(next);
  return outcome;
}

std::optional<Outcome> Model::check(const Check& check) const {
  const Version* row = live(world_, {check.collection, check.key});
  bool good = true;
  switch (check.kind) {
    case Check::Kind::version:
      good = row != nullptr && row->version == check.version;
      break;
    case Check::Kind::not_version:
      good = row == nullptr || (row->version != check.version && row->version != check.version + 1);
      break;
    case Check::Kind::exists:
      good = row != nullptr;
      break;
    case Check::Kind::absent:
      good = row == nullptr;
      break;
    case Check::Kind::field_n:
      good = row != nullptr && row->doc && row->doc->n == check.tenths;
      break;
  }
  if (good) return std::nullopt;
  return refusal(Errc::precondition_failed, Part::check, 0, row == nullptr ? 0 : row->version);
}

std::optional<Outcome> Model::check(const BalanceAtLeast& check) const {
  const auto at = world_.collections.find(check.collection);
  if (at == world_.collections.end() || !rules(at->second).is_ledger)
    return refusal(Errc::not_found);
  const auto balance = world_.balances.find({check.collection, check.item, check.location});
  const int quantity = balance == world_.balances.end() ? 0 : balance->second;
  if (quantity >= check.tenths) return std::nullopt;
  return refusal(Errc::precondition_failed);
}

ActionResult Model::write(World& world, const Name& name, Version next) {
  Version& row = world.rows[name];
  const bool continues = row.live;
  next.version = row.version + 1;
  next.revision = revision_ + 1;
  next.created = continues ? row.created : next.revision;
  next.millis = now_;
  row = next;
  return {next.version, next.live && !continues, true};
}

std::variant<Errc, ActionResult> Model::act(World& world, const Act& act,
                                            std::vector<Place>& touched) {
  if (act.kind == ActionKind::declare || act.kind == ActionKind::undeclare)
    return declare(world, act);
  const auto at = world.collections.find(act.collection);
  if (at == world.collections.end()) return Errc::not_found;
  const bool posts = act.kind == ActionKind::post;
  if (rules(at->second).is_ledger != posts) return Errc::conflict;
  return posts ? post(world, act, touched) : document(world, act);
}

std::variant<Errc, ActionResult> Model::document(World& world, const Act& act) {
  const Variant& rule = rules(world.collections.at(act.collection));
  const Name name{act.collection, act.key};
  const Version* row = live(world, name);
  if (act.kind != ActionKind::put && row == nullptr) return Errc::not_found;
  if (act.kind == ActionKind::remove) return write(world, name, {});
  Doc doc = act.kind == ActionKind::put ? act.doc : *row->doc;
  if (act.kind == ActionKind::patch) {
    if (act.patch.n) doc.n = *act.patch.n;
    if (act.patch.s) doc.s = *act.patch.s;
  }
  if (rule.records_max != 0 && row == nullptr &&
      count_live(world, act.collection) >= rule.records_max)
    return Errc::conflict;
  if (rule.has_schema && !(doc.n && *doc.n >= 0 && *doc.n % 10 == 0)) return Errc::invalid_argument;
  Version next;
  next.doc = doc;
  next.live = true;
  return write(world, name, next);
}

std::variant<Errc, ActionResult> Model::post(World& world, const Act& act,
                                             std::vector<Place>& touched) {
  const Variant& rule = rules(world.collections.at(act.collection));
  const Move& move = act.move;
  const Name name{act.collection, act.key};
  if (move.tenths <= 0 || (rule.scale == 0 && move.tenths % 10 != 0) || move.from == move.to ||
      move.reverses == act.key)
    return Errc::invalid_argument;
  if (const Version* row = live(world, name); row != nullptr) {
    if (row->move != move) return Errc::conflict;
    return ActionResult{row->version, false, false};
  }
  if (!move.reverses.empty()) {
    const Version* target = live(world, {act.collection, move.reverses});
    if (target == nullptr) return Errc::not_found;
    const Move& old = *target->move;
    const bool opposite = old.reverses.empty() && old.tenths == move.tenths &&
                          old.item == move.item && old.from == move.to && old.to == move.from;
    const bool already = std::any_of(world.rows.begin(), world.rows.end(), [&](const auto& row) {
      return row.first.first == act.collection && row.second.live &&
             row.second.move->reverses == move.reverses;
    });
    if (!opposite || already) return Errc::conflict;
  }
  const Place from{act.collection, move.item, move.from};
  const Place to{act.collection, move.item, move.to};
  for (const Place& place : {from, to})
    if (std::find(touched.begin(), touched.end(), place) == touched.end()) touched.push_back(place);
  world.balances[from] -= move.tenths;
  world.balances[to] += move.tenths;
  Version next;
  next.move = move;
  next.live = true;
  return write(world, name, next);
}

std::variant<Errc, ActionResult> Model::declare(World& world, const Act& act) {
  const Name name{system_collection::collections, act.collection};
  const auto at = world.collections.find(act.collection);
  const std::size_t records = count_live(world, act.collection);
  if (act.kind == ActionKind::undeclare) {
    if (at == world.collections.end()) return Errc::not_found;
    if (records > 0) return Errc::conflict;
    world.collections.erase(at);
    return write(world, name, {});
  }
  const Variant& to = variants()[static_cast<std::size_t>(act.variant)];
  if (at != world.collections.end()) {
    const Variant& from = rules(at->second);
    if (at->second.variant == act.variant)
      return ActionResult{world.rows.at(name).version, false, false};
    if (records > 0 && (from.is_ledger != to.is_ledger || from.scale != to.scale))
      return Errc::conflict;
    at->second.variant = act.variant;
  } else {
    world.collections[act.collection] = {act.variant, revision_ + 1};
  }
  Version next;
  next.variant = act.variant;
  next.live = true;
  return write(world, name, next);
}

void Model::age() {
  std::erase_if(done_, [&](const auto& row) { return row.second.millis + window_ms_ <= now_; });
  while (!timeline_.empty() && timeline_.front().millis + window_ms_ <= now_) {
    const Commit commit = timeline_.front();
    timeline_.erase(timeline_.begin());
    floor_ = commit.revision;
    for (const Name& name : commit.removed) {
      const auto at = world_.collections.find(name.first);
      const std::uint64_t keep = at == world_.collections.end() ? 0 : rules(at->second).history_ms;
      removals_.push_back({commit.revision, keep > window_ms_ ? commit.millis + keep : 0, name});
    }
  }
  std::erase_if(removals_, [&](const Removal& removal) {
    if (removal.due > now_) return false;
    const auto at = world_.rows.find(removal.name);
    if (at != world_.rows.end() && at->second.revision == removal.revision) world_.rows.erase(at);
    return true;
  });
}

}  // namespace mainstay::record::model
