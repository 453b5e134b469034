#include <algorithm>

#include "runtime/base/mutant.hpp"
#include "runtime/record/actions.hpp"
#include "runtime/record/ledger.hpp"

namespace mainstay::record {

namespace {

Outcome refusal(Errc code, std::string detail, Version found = 0) {
  Outcome outcome;
  outcome.refused = code;
  outcome.detail = std::move(detail);
  outcome.found_version = found;
  return outcome;
}

// Finding a member passes over those before it, which costs about this part of parsing them.
constexpr std::size_t lookup_part = 8;

// Nothing: holds.
std::optional<std::string> check_fields(Draft& draft, const RecordCheck& check) {
  const auto& fields = check.condition.fields;
  if (fields.empty() || MUTANT(field_condition_ignored)) return std::nullopt;
  const json::Value* root = draft.found_value(check.collection, check.key);
  const std::size_t bytes = draft.found(check.collection, check.key)->value.size();
  draft.charge(fields.size() * (bytes / lookup_part));
  for (const Condition::Field& field : fields) {
    const json::Value* found = root == nullptr ? nullptr : json::find(*root, field.pointer);
    const auto wanted = json::parse(field.equals.view());
    if (found == nullptr) return "has nothing at '" + field.pointer + "'";
    if (!wanted || *found != *wanted) return "has another value at '" + field.pointer + "'";
  }
  return std::nullopt;
}

// What is wrong with the record, to follow its name.
std::optional<std::string> wrong_with(Draft& draft, const RecordCheck& check) {
  const Condition& condition = check.condition;
  const auto& record = draft.found(check.collection, check.key);
  const bool live = is_live(record);
  const auto version = [&] { return "has version " + std::to_string(record->version); };
  if (condition.must_exist && !live) return "does not exist";
  if (condition.must_be_absent && live) return "exists: it " + version();
  if (condition.version_is && !MUTANT(apply_uses_version_wrong)) {
    if (!live) return "does not exist";
    if (record->version != *condition.version_is)
      return version() + ", not " + std::to_string(*condition.version_is);
  }
  const auto& excluded = condition.version_is_not;
  if (live && std::find(excluded.begin(), excluded.end(), record->version) != excluded.end())
    return version();
  if (condition.fields.empty()) return std::nullopt;
  if (!live) return "does not exist";
  return check_fields(draft, check);
}

}  // namespace

std::string text_of(const Dimensions& dimensions) {
  std::string text;
  for (const auto& [name, value] : dimensions) {
    if (!text.empty()) text += ", ";
    text.append(name).append("=").append(value);
  }
  return text;
}

std::optional<Outcome> check_record(Draft& draft, const RecordCheck& check) {
  const auto wrong = wrong_with(draft, check);
  if (!wrong) return std::nullopt;
  const auto& record = draft.found(check.collection, check.key);
  return refusal(Errc::precondition_failed,
                 "record '" + check.key + "' of '" + check.collection + "' " + *wrong,
                 is_live(record) ? record->version : 0);
}

std::optional<Outcome> check_balance(Draft& draft, const BalanceCheck& check) {
  const Place& place = draft.entry().collections.find(check.collection);
  if (place.declaration() == nullptr || !place.declaration()->ledger)
    return refusal(Errc::not_found, "there is no ledger '" + check.collection + "'");
  const LedgerDeclaration& ledger = *place.declaration()->ledger;
  // Here and not where the request came in: there, another declaration may be in force.
  const Dimensions dimensions =
      MUTANT(balance_position_as_given) ? check.dimensions : in_order(ledger, check.dimensions);
  const auto position = position_of(ledger, dimensions);
  if (!position) return refusal(position.error().code, position.error().message);
  const auto balance = draft.entry().state.find_balance(check.collection, *position);
  const Decimal quantity = balance ? balance->quantity : Decimal{0, ledger.scale};
  if (quantity >= check.at_least || MUTANT(balance_check_ignored)) return std::nullopt;
  return refusal(Errc::precondition_failed, "the balance of " + text_of(dimensions) + " is " +
                                                quantity.to_string() + "; at least " +
                                                check.at_least.to_string() + " is needed");
}

Result<ActionResult> run_action(Draft& draft, const Action& action, std::size_t position) {
  switch (action.kind) {
    case ActionKind::put:
      return put_document(draft, action);
    case ActionKind::patch:
      return patch_document(draft, action);
    case ActionKind::remove:
      return remove_document(draft, action);
    case ActionKind::post:
      return post_entry(draft, action, position);
    case ActionKind::declare:
      return declare(draft, action);
    case ActionKind::undeclare:
      return undeclare(draft, action);
  }
  return fail(Errc::unsupported, "this release does not know the action");
}

}  // namespace mainstay::record
