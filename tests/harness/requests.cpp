#include "tests/harness/requests.hpp"

#include <fmt/format.h>

#include "runtime/base/json.hpp"
#include "tests/harness/collections.hpp"

namespace mainstay::harness {

using record::Action;
using record::ActionKind;
using record::BalanceCheck;
using record::Command;
using record::Condition;

namespace {

constexpr std::size_t bulk_records = 200;

Action declare(const char* name, const char* declaration) {
  return {ActionKind::declare, record::system_collection::collections, name,
          Bytes{std::string{declaration}}};
}

Action put(const std::string& collection, const std::string& key, std::string value) {
  return {ActionKind::put, collection, key, Bytes{std::move(value)}};
}

bool touches(const Command& command, const std::string& collection, const std::string& key) {
  for (const Action& action : command.actions)
    if (action.collection == collection && action.key == key) return true;
  return false;
}

}  // namespace

std::vector<Command> Requests::setup() {
  std::vector<Command> steps{record::single(declare(names::stock, names::plain_declaration)),
                             record::single(declare(names::orders, names::orders_declaration)),
                             record::single(declare(names::accounts, names::plain_declaration)),
                             record::single(declare(names::moves, names::moves_declaration)),
                             Command{}};
  for (std::int64_t i = 1; i <= names::account_count; ++i)
    steps.back().actions.push_back(put(names::accounts, "a" + std::to_string(i),
                                       fmt::format(R"({{"n":{}}})", names::account_start)));
  return steps;
}

std::vector<Command> Requests::bulk() {
  std::vector<Command> steps{record::single(declare(names::bulk, names::plain_declaration))};
  for (std::size_t round = 1; round <= 3; ++round) {
    Command& command = steps.emplace_back();
    for (std::size_t i = 0; i < bulk_records; ++i)
      command.actions.push_back(put(names::bulk, fmt::format("b{}-{}", round, i),
                                    fmt::format(R"({{"n":{}}})", i * 7 % 50)));
  }
  steps.push_back(record::single(declare(names::bulk, names::bulk_declaration)));
  return steps;
}

Command Requests::draw(std::uint64_t number) {
  number_ = number;
  Command command;
  command.operation = "op-" + std::to_string(number);
  command.request_hash = {1, number};
  if (churn_percent_ != 0 && chance(churn_percent_)) {
    churn(command);
    return command;
  }
  const std::uint64_t choice = random_.between(0, 99);
  if (choice < 30)
    order(command);
  else if (choice < 50)
    transfer(command);
  else if (choice < 70)
    post(command);
  else if (choice < 88 || !scratch_)
    mixed(command);
  else
    scratch(command);
  return command;
}

// --- documents ---

void Requests::order(Command& command) {
  const std::string key = "o" + number_between(1, 14);
  command.actions = {order_action(key)};
  if (chance(60)) command.checks.push_back({names::orders, key, condition_on(names::orders, key)});
  if (chance(2))  // an index goes, another comes
    command.actions = {declare(
        names::orders, chance(50) ? names::orders_declaration : names::orders_declaration_again)};
}

Action Requests::order_action(const std::string& key) {
  const std::uint64_t choice = random_.between(0, 9);
  if (choice < 5) return put(names::orders, key, order_value());
  if (choice < 7) return {ActionKind::remove, names::orders, key, {}};
  static const std::vector<std::string> patches{R"({"state":"done"})", R"({"state":null})",
                                                R"({"n":-1})", R"({"n":null,"state":"open"})",
                                                R"({"more":{"a":[1,2],"b":null}})"};
  return {ActionKind::patch, names::orders, key, Bytes{one_of(patches)}};
}

std::string Requests::order_value() {
  static const std::vector<std::string> states{R"("open")", R"("done")", "true", "null", "[1]"};
  static const std::vector<std::string> numbers{"0", "1", "1.0", "2", "10", "-1"};
  if (chance(10)) return fmt::format(R"({{"state":{},"by":{}}})", one_of(states), number_);
  return fmt::format(R"({{"n":{},"state":{},"by":{}}})", one_of(numbers), one_of(states), number_);
}

Condition Requests::condition_on(const std::string& collection, const std::string& key) {
  Condition condition;
  const Model::Version* now = model_.at({collection, key}, model_.revision());
  const bool live = now != nullptr && !now->tombstone;
  const record::Version version = now == nullptr ? 1 : now->version;
  switch (random_.between(0, 6)) {
    case 0:
      condition.version_is = chance(70) ? version : version + 1;
      break;
    case 1:
      condition.version_is_not = {version + random_.between(0, 1), version + 2};
      break;
    case 2:
      condition.must_exist = true;
      break;
    case 3:
      condition.must_be_absent = true;
      break;
    default: {
      static const std::vector<std::string> pointers{"/state", "/n", "/more/a/0"};
      const std::string& pointer = one_of(pointers);
      std::string equals = R"("open")";
      if (live && chance(70)) {
        const Result<json::Value> value = json::parse(now->value);
        const json::Value* at = value ? json::find(*value, pointer) : nullptr;
        if (at != nullptr) equals = json::to_text(*at);
      }
      condition.fields.push_back({pointer, Bytes{std::move(equals)}});
    }
  }
  return condition;
}

// --- transfers ---

// What leaves one account arrives at the other; the conditions see to it that both were seen as
// they are. Some carry something that cannot be done: then nothing of it may happen.
void Requests::transfer(Command& command) {
  const auto from = random_.between(1, names::account_count);
  const auto to = 1 + (from + random_.between(0, names::account_count - 2)) % names::account_count;
  const std::int64_t amount = static_cast<std::int64_t>(random_.between(1, 20));
  for (const bool gives : {true, false}) {
    const std::string key = "a" + std::to_string(gives ? from : to);
    const Model::Version* now = model_.at({names::accounts, key}, model_.revision());
    if (now == nullptr || now->tombstone) return post(command);  // not opened yet
    const Result<json::Value> value = json::parse(now->value);
    const std::int64_t units = std::stoll(value->find("n")->text());
    Condition condition;
    if (chance(50))
      condition.version_is = now->version;
    else
      condition.fields.push_back({"/n", Bytes{std::to_string(units)}});
    command.checks.push_back({names::accounts, key, std::move(condition)});
    std::string next = fmt::format(R"({{"n":{}}})", gives ? units - amount : units + amount);
    const auto kind = chance(50) ? ActionKind::put : ActionKind::patch;
    command.actions.push_back({kind, names::accounts, key, Bytes{std::move(next)}});
    // Between the two halves, or behind them.
    if (chance(10) && !touches(command, names::orders, "none"))
      command.actions.push_back({ActionKind::remove, names::orders, "none", {}});
  }
  if (chance(15)) command.actions.push_back(post_action());
}

// --- ledger ---

std::string Requests::spelled(std::int64_t units) {
  std::string exact = fmt::format("{}.{:02}", units / 100, units % 100);
  switch (random_.between(0, 3)) {
    case 0:
      return exact;  // a number
    case 1:
      return "\"" + exact + "0\"";
    default:
      return "\"" + exact + "\"";
  }
}

std::string Requests::entry_text(const std::string& quantity, const std::string& item,
                                 const std::string& from, const std::string& to,
                                 const std::string& reverses) {
  const std::string more = reverses.empty() ? "" : fmt::format(R"(,"reverses":"{}")", reverses);
  if (chance(30))
    return fmt::format(
        R"({{"to":{{"item":"{0}","location":"{2}"}},"from":{{"location":"{1}","item":"{0}"}},)"
        R"("quantity":{3}{4}}})",
        item, from, to, quantity, more);
  return fmt::format(
      R"({{"quantity":{3},"item":"{0}","from":{{"location":"{1}"}},"to":{{"location":"{2}"}}{4}}})",
      item, from, to, quantity, more);
}

std::string Requests::posted_id() {
  return "e" + number_between(1, entries_ + 1);
}

Action Requests::post_action() {
  static const std::vector<std::string> items{"A", "B"};
  static const std::vector<std::string> places{"SUPPLIER", "SUPPLIER", "R1", "R2"};
  const auto post_of = [](const std::string& id, std::string text) {
    return Action{ActionKind::post, names::moves, id, Bytes{std::move(text)}};
  };
  const std::string known = posted_id();
  const Model::Version* entry = model_.at({names::moves, known}, model_.revision());
  if (entry != nullptr && chance(45)) {
    const auto& ledger = model_.collections().at(names::moves).ledger;
    const Model::Move move = Model::parse_move(*ledger, entry->value);
    const std::string item = move.from.at("item");
    const std::string from = move.from.at("location");
    const std::string to = move.to.at("location");
    // Once more, the same or nearly so; or undone, exactly or nearly so.
    const std::int64_t units = chance(80) ? move.units : move.units + 1;
    if (chance(40))
      return post_of(known, entry_text(spelled(units), item, from, to, move.reverses));
    return post_of("e" + std::to_string(++entries_),
                   entry_text(spelled(units), item, to, from, known));
  }
  const std::string from = one_of(places);
  std::string to = one_of(places);
  if (to == from) to = from == "R1" ? "R2" : "R1";
  const auto units = static_cast<std::int64_t>(random_.between(1, 1'000));
  const std::string reverses = chance(3) ? "never-posted" : "";
  return post_of("e" + std::to_string(++entries_),
                 entry_text(spelled(units), one_of(items), from, to, reverses));
}

BalanceCheck Requests::balance_check() {
  static const std::vector<std::string> items{"A", "B"};
  static const std::vector<std::string> places{"SUPPLIER", "R1", "R2", "R3"};
  BalanceCheck check;
  check.collection = names::moves;
  check.dimensions = {{"item", one_of(items)}, {"location", one_of(places)}};
  std::string position;
  for (const auto& [name, value] : check.dimensions) position += value + '\0';
  const std::int64_t now = model_.balance_at(names::moves, position, model_.revision());
  const auto wanted = now + static_cast<std::int64_t>(random_.between(0, 4)) - 3;
  check.at_least = Decimal{wanted, 2};
  // In whatever order a client names them.
  if (chance(50)) std::swap(check.dimensions.front(), check.dimensions.back());
  return check;
}

void Requests::post(Command& command) {
  const std::uint64_t count = chance(70) ? 1 : random_.between(2, 4);
  for (std::uint64_t i = 0; i < count; ++i) {
    Action action = post_action();
    if (!touches(command, action.collection, action.key))
      command.actions.push_back(std::move(action));
  }
  if (chance(30)) command.balances.push_back(balance_check());
}

// --- all of it together ---

void Requests::mixed(Command& command) {
  const std::uint64_t checks = random_.between(0, 2);
  for (std::uint64_t i = 0; i < checks; ++i) {
    const bool order = chance(60);
    const std::string key =
        order ? "o" + number_between(1, 14) : "a" + number_between(1, names::account_count);
    const std::string collection = order ? names::orders : names::accounts;
    command.checks.push_back({collection, key, condition_on(collection, key)});
  }
  if (chance(30)) command.balances.push_back(balance_check());
  const std::uint64_t actions = random_.between(1, 4);
  for (std::uint64_t i = 0; i < actions; ++i) {
    Action action = chance(60) ? order_action("o" + number_between(1, 14)) : post_action();
    if (!touches(command, action.collection, action.key))
      command.actions.push_back(std::move(action));
  }
}

// A collection that comes and goes.
void Requests::scratch(Command& command) {
  const std::string key = "s" + number_between(1, 2);
  switch (random_.between(0, 5)) {
    case 0:
      command.actions = {declare(
          names::scratch, chance(60) ? names::scratch_declaration : names::plain_declaration)};
      break;
    case 1:
      command.actions = {
          {ActionKind::undeclare, record::system_collection::collections, names::scratch, {}}};
      break;
    case 2:
    case 3:
      command.actions = {{ActionKind::remove, names::scratch, key, {}}};
      break;
    default:
      command.actions = {put(names::scratch, key, order_value())};
  }
}

// Old versions pile up under the long rule; under the short one those of a record are due at once,
// and more of them than may leave with one entry.
void Requests::churn(Command& command) {
  if (chance(8)) {
    command.actions = {declare(names::scratch,
                               chance(60) ? names::scratch_declaration : names::plain_declaration)};
    return;
  }
  const std::string key = chance(80) ? "s1" : "s2";
  if (chance(10))
    command.actions = {{ActionKind::remove, names::scratch, key, {}}};
  else
    command.actions = {put(names::scratch, key, order_value())};
}

}  // namespace mainstay::harness
