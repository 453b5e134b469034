#include "runtime/api/commands.hpp"

#include "runtime/base/limits.hpp"

namespace mainstay::api {

namespace {

using json::Type;
using record::ActionKind;

Result<std::string> collection_of(Members& members, std::string_view name,
                                  const Principal& principal) {
  TRY_ASSIGN(std::string collection, members.text(name));
  TRY(members.at(name).check(principal.need_collection(collection)));
  return collection;
}

Result<record::Dimensions> dimensions_of(Members& members, std::string_view name) {
  TRY_ASSIGN(const json::Value* value, members.need(name));
  const Place place = members.at(name);
  if (!value->is(Type::object)) return place.wrong("must be an object");
  record::Dimensions dimensions;
  for (const auto& [dimension, text] : value->members()) {
    if (!text.is(Type::string)) return place.at(dimension).wrong("must be a string");
    dimensions.emplace_back(dimension, text.text());
  }
  return dimensions;
}

Result<void> add_fields(record::Condition& condition, Members& members) {
  if (!members.has("fields")) return {};
  TRY_ASSIGN(const json::Array* fields, members.array("fields", limits::condition_fields_max));
  for (std::size_t i = 0; i < fields->size(); ++i) {
    TRY_ASSIGN(Members field, Members::of((*fields)[i], members.at("fields").at(i)));
    TRY_ASSIGN(std::string pointer, field.text("pointer"));
    TRY(field.at("pointer").check(json::check_pointer(pointer)));
    TRY_ASSIGN(const json::Value* equals, field.need("equals"));
    TRY(field.finish());
    condition.fields.push_back({std::move(pointer), Bytes{json::to_text(*equals)}});
  }
  return {};
}

Result<void> add_record_check(Write& write, Members& members, const Principal& principal) {
  record::RecordCheck check;
  TRY_ASSIGN(check.collection, collection_of(members, "collection", principal));
  TRY_ASSIGN(check.key, members.text("key"));
  TRY_ASSIGN(check.condition.version_is, members.optional_number("version", 1, UINT64_MAX));
  TRY_ASSIGN(check.condition.must_exist, members.flag("exists"));
  TRY_ASSIGN(check.condition.must_be_absent, members.flag("absent"));
  TRY(add_fields(check.condition, members));
  TRY(members.finish());
  if (check.condition == record::Condition{})
    return members.place().wrong("asks for nothing: give version, exists, absent or fields");
  write.command.checks.push_back(std::move(check));
  write.checks.push_back(members.place().pointer());
  return {};
}

Result<void> add_balance_check(Write& write, Members& members, const Principal& principal) {
  record::BalanceCheck check;
  TRY_ASSIGN(check.collection, collection_of(members, "ledger", principal));
  TRY_ASSIGN(check.dimensions, dimensions_of(members, "at"));
  TRY_ASSIGN(const json::Value* least, members.need("at_least"));
  const Place place = members.at("at_least");
  if (!least->is(Type::string) && !least->is(Type::number))
    return place.wrong("must be a quantity: a decimal in a string");
  TRY_ASSIGN(check.at_least, place.check(Decimal::parse(least->text())));
  TRY(members.finish());
  write.command.balances.push_back(std::move(check));
  write.balances.push_back(members.place().pointer());
  return {};
}

struct OperationName {
  std::string_view name;
  ActionKind kind;
};
constexpr OperationName operation_names[] = {{"put", ActionKind::put},
                                             {"patch", ActionKind::patch},
                                             {"delete", ActionKind::remove},
                                             {"post", ActionKind::post}};

Result<record::Action> action_of(Members& members, ActionKind kind, const Principal& principal) {
  record::Action action;
  action.kind = kind;
  TRY_ASSIGN(action.collection, collection_of(members, "collection", principal));
  TRY(members.at("collection").check(check_writable(action.collection)));
  TRY_ASSIGN(action.key, members.text(kind == ActionKind::post ? "id" : "key"));
  if (kind != ActionKind::remove) {
    const std::string_view name = kind == ActionKind::post ? "entry" : "value";
    TRY_ASSIGN(const json::Value* value, members.need(name));
    action.value = Bytes{json::to_text(*value)};
    if (action.value.size() > limits::record_value_bytes_max)
      return members.at(name).wrong(Errc::too_large,
                                    "is larger than a record may be: " +
                                        std::to_string(limits::record_value_bytes_max) + " bytes");
  }
  TRY(members.finish());
  return action;
}

}  // namespace

Result<void> add_condition(Write& write, const json::Value& condition, const Place& place,
                           const Principal& principal) {
  TRY_ASSIGN(Members members, Members::of(condition, place));
  return members.has("ledger") ? add_balance_check(write, members, principal)
                               : add_record_check(write, members, principal);
}

Result<void> add_conditions(Write& write, const json::Value* conditions, const Place& place,
                            const Principal& principal) {
  if (conditions == nullptr) return {};
  if (!conditions->is(Type::array)) return place.wrong("must be an array");
  if (conditions->items().size() > limits::transaction_checks_max)
    return place.wrong("has more than " + std::to_string(limits::transaction_checks_max) +
                       " items");
  for (std::size_t i = 0; i < conditions->items().size(); ++i)
    TRY(add_condition(write, conditions->items()[i], place.at(i), principal));
  return {};
}

Result<void> add_operation(Write& write, Members& members, const Principal& principal) {
  const json::Value* found = nullptr;
  OperationName operation{};
  for (const OperationName& known : operation_names)
    if (const json::Value* value = members.take(known.name); value != nullptr) {
      if (found != nullptr)
        return members.place().wrong("has both \"" + std::string{operation.name} + "\" and \"" +
                                     std::string{known.name} + "\"; one is taken");
      found = value;
      operation = known;
    }
  if (found == nullptr) return members.place().wrong("needs one of put, patch, delete, post");
  TRY_ASSIGN(Members inner, Members::of(*found, members.at(operation.name)));
  TRY_ASSIGN(record::Action action, action_of(inner, operation.kind, principal));
  write.command.actions.push_back(std::move(action));
  write.actions.push_back(members.place().pointer());
  return {};
}

}  // namespace mainstay::api
