// Checks of a command that need no state: what the edge refuses before anything is proposed.
#include <algorithm>
#include <tuple>

#include "runtime/base/limits.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::record {

namespace {

unsigned char byte_at(std::string_view text, std::size_t offset) {
  return static_cast<unsigned char>(text[offset]);
}

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// One code point of well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, no surrogates,
// nothing above U+10FFFF.
struct CodePoint {
  std::size_t bytes = 0;  // 0: not well-formed
  std::uint32_t value = 0;
};

CodePoint code_point_at(std::string_view text, std::size_t offset) {
  const unsigned char first = byte_at(text, offset);
  if (first < 0x80) return {1, first};
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || offset + bytes > text.size()) return {};
  std::uint32_t value = first & (0xffu >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    const unsigned char next = byte_at(text, offset + i);
    if ((next & 0xc0) != 0x80) return {};
    value = value << 6 | (next & 0x3fu);
  }
  constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < smallest[bytes] || surrogate || value > 0x10ffff) return {};
  return {bytes, value};
}

bool is_control(std::uint32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
}

std::string size_text(std::size_t size, std::size_t most) {
  return std::to_string(size) + " bytes long; at most " + std::to_string(most) + " are allowed";
}

Result<void> check_operation(const std::string& operation) {
  if (operation.empty())
    return fail(Errc::invalid_argument, "the operation id is empty; give 1 to 128 characters");
  if (operation.size() > limits::operation_id_bytes_max)
    return fail(
        Errc::invalid_argument,
        "the operation id is " + size_text(operation.size(), limits::operation_id_bytes_max));
  for (const char c : operation)
    if (c < 0x20 || c > 0x7e)
      return fail(Errc::invalid_argument,
                  "the operation id holds a character that is not printable ASCII");
  return {};
}

}  // namespace

Result<void> check_collection_name(std::string_view name) {
  if (system_declaration(name) != nullptr) return {};
  bool good = !name.empty() && name.size() <= limits::collection_name_bytes_max &&
              is_name_start(name.front());
  for (const char c : name) good = good && (is_name_start(c) || c == '_' || c == '-');
  if (!good)
    return fail(Errc::invalid_argument,
                "a collection name has 1 to 64 characters of a-z, 0-9, '_' and '-', and starts "
                "with a letter or digit");
  return {};
}

Result<void> check_record_key(std::string_view key) {
  if (key.empty()) return fail(Errc::invalid_argument, "the key is empty");
  if (key.size() > limits::record_key_bytes_max)
    return fail(Errc::invalid_argument,
                "the key is " + size_text(key.size(), limits::record_key_bytes_max));
  for (std::size_t at = 0; at < key.size();) {
    const CodePoint point = code_point_at(key, at);
    if (point.bytes == 0)
      return fail(Errc::invalid_argument,
                  "the key is not valid UTF-8 at byte " + std::to_string(at));
    if (is_control(point.value))
      return fail(Errc::invalid_argument,
                  "the key holds a control character at byte " + std::to_string(at));
    at += point.bytes;
  }
  return {};
}

namespace {

Failure wrong(std::string message) {
  return fail(Errc::invalid_argument, std::move(message));
}

Result<void> check_json(std::string_view text, std::string_view what) {
  if (const auto value = json::parse(text); !value)
    return wrong("the " + std::string{what} + " is " + value.error().message);
  return {};
}

Result<void> check_size(const Action& action) {
  if (action.value.size() <= limits::record_value_bytes_max) return {};
  return fail(Errc::too_large,
              "the value is " + size_text(action.value.size(), limits::record_value_bytes_max));
}

Result<void> check_declared(const Action& action) {
  if (action.collection != system_collection::collections)
    return wrong("a declaration is an action on '_collections'");
  TRY(check_collection_name(action.key));
  if (action.key.starts_with('_'))
    return fail(Errc::forbidden, "collections whose names start with '_' are the system's");
  if (action.kind == ActionKind::undeclare) return {};
  if (action.value.size() > limits::declaration_bytes_max)
    return fail(Errc::too_large, "the declaration is " +
                                     size_text(action.value.size(), limits::declaration_bytes_max));
  const auto declaration = parse_declaration(action.value.view());
  if (!declaration) return Failure{declaration.error()};
  return {};
}

Result<void> check_action(const Action& action) {
  TRY(check_collection_name(action.collection));
  TRY(check_record_key(action.key));
  TRY(check_size(action));
  switch (action.kind) {
    case ActionKind::put:
      if (action.value.empty()) return wrong("the value is empty; a record holds a JSON text");
      return check_json(action.value.view(), "value");
    case ActionKind::patch:
      return check_json(action.value.view(), "patch");
    case ActionKind::post:
      return check_json(action.value.view(), "entry");
    case ActionKind::remove:
      if (!action.value.empty()) return wrong("a deletion takes no value");
      return {};
    case ActionKind::declare:
    case ActionKind::undeclare:
      return check_declared(action);
  }
  return wrong("there is no such action");
}

Result<void> check_condition(const Condition& condition) {
  if (condition.version_is_not.size() > limits::condition_versions_max)
    return wrong("a condition names at most " + std::to_string(limits::condition_versions_max) +
                 " versions");
  if (condition.fields.size() > limits::condition_fields_max)
    return wrong("a condition compares at most " + std::to_string(limits::condition_fields_max) +
                 " fields");
  for (const Condition::Field& field : condition.fields) {
    if (field.pointer.size() > limits::pointer_bytes_max)
      return wrong("a pointer is " + size_text(field.pointer.size(), limits::pointer_bytes_max));
    TRY(json::check_pointer(field.pointer));
    TRY(check_json(field.equals.view(), "value of a condition"));
  }
  return {};
}

// What the declaration of the ledger says is checked in the apply step; this keeps out what no
// ledger can have.
Result<void> check_balance(const BalanceCheck& check) {
  TRY(check_collection_name(check.collection));
  if (check.dimensions.size() > limits::ledger_dimensions_max)
    return wrong("a balance has at most " + std::to_string(limits::ledger_dimensions_max) +
                 " dimensions");
  for (const auto& [name, value] : check.dimensions)
    if (name.size() + value.size() > limits::balance_key_bytes_max)
      return wrong("a dimension is " +
                   size_text(name.size() + value.size(), limits::balance_key_bytes_max));
  return {};
}

Result<void> check_counts(const Command& command) {
  if (command.actions.empty()) return wrong("there is nothing to do: no operations are given");
  if (command.actions.size() > limits::transaction_actions_max)
    return wrong("a transaction has at most " + std::to_string(limits::transaction_actions_max) +
                 " operations");
  if (command.checks.size() + command.balances.size() > limits::transaction_checks_max)
    return wrong("a transaction has at most " + std::to_string(limits::transaction_checks_max) +
                 " conditions");
  std::size_t bytes = 0;
  for (const Action& action : command.actions)
    bytes += action.collection.size() + action.key.size() + action.value.size();
  for (const RecordCheck& check : command.checks)
    for (const Condition::Field& field : check.condition.fields)
      bytes += field.pointer.size() + field.equals.size();
  for (const BalanceCheck& check : command.balances)
    for (const auto& [name, value] : check.dimensions) bytes += name.size() + value.size();
  constexpr std::size_t most = limits::batch_bytes_max / 2 + limits::record_key_bytes_max +
                               limits::collection_name_bytes_max;
  if (bytes > most)
    return fail(Errc::too_large,
                "the operations and conditions together are " + size_text(bytes, most));
  return {};
}

// So that "the record's version afterwards" means one thing.
Result<void> check_named_once(const std::vector<Action>& actions) {
  if (actions.size() < 2) return {};
  std::vector<const Action*> sorted;
  for (const Action& action : actions) {
    if (action.kind == ActionKind::declare || action.kind == ActionKind::undeclare)
      return wrong("a collection is declared by itself, not within a transaction");
    sorted.push_back(&action);
  }
  const auto name = [](const Action* action) { return std::tie(action->collection, action->key); };
  std::sort(sorted.begin(), sorted.end(),
            [&](const Action* a, const Action* b) { return name(a) < name(b); });
  const auto again =
      std::adjacent_find(sorted.begin(), sorted.end(),
                         [&](const Action* a, const Action* b) { return name(a) == name(b); });
  if (again == sorted.end()) return {};
  return wrong("record '" + (*again)->key + "' of '" + (*again)->collection +
               "' stands in more than one operation; a transaction changes a record once");
}

}  // namespace

Result<void> validate(const Command& command) {
  TRY(check_operation(command.operation));
  if (command.kind == CommandKind::fence) {
    const bool bare = command.actions.empty() && command.checks.empty() && command.balances.empty();
    if (!bare) return wrong("a fence has no conditions and no operations");
    return {};
  }
  TRY(check_counts(command));
  for (const RecordCheck& check : command.checks) {
    TRY(check_collection_name(check.collection));
    TRY(check_record_key(check.key));
    TRY(check_condition(check.condition));
  }
  for (const BalanceCheck& check : command.balances) TRY(check_balance(check));
  for (const Action& action : command.actions) TRY(check_action(action));
  return check_named_once(command.actions);
}

}  // namespace mainstay::record
