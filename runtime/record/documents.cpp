#include "runtime/base/limits.hpp"
#include "runtime/record/actions.hpp"

namespace mainstay::record {

namespace {

bool needs_value(const Place& place) {
  return place.declaration()->schema != nullptr || !place.row.indexes.empty();
}

Failure no_record(const Action& action) {
  return fail(Errc::not_found,
              "collection '" + action.collection + "' holds no record '" + action.key + "'");
}

// The last steps of every new value.
Result<ActionResult> write(Draft& draft, Place& place, const Action& action,
                           const std::optional<Record>& before, Bytes value,
                           std::optional<json::Value> parsed) {
  const Declaration& declaration = *place.declaration();
  TRY(check_size(declaration, value.size()));
  TRY(check_room(draft, place, before));
  if (parsed) TRY(check_schema(declaration, *parsed, ""));
  return draft.stage(place, action, before, std::move(value), std::move(parsed));
}

}  // namespace

Result<Place*> place_of(Draft& draft, const Action& action, Kind kind) {
  const std::string& name = action.collection;
  if (name == system_collection::collections)
    return fail(Errc::forbidden, "declarations are written by declaring");
  Place& place = draft.entry().collections.find(name);
  if (place.declaration() == nullptr)
    return fail(Errc::not_found, "there is no collection '" + name +
                                     "'; declare it with PUT /v1/collections/" + name);
  if (place.declaration()->kind == kind) return &place;
  if (kind == Kind::document)
    return fail(Errc::conflict, "'" + name +
                                    "' is a ledger, whose entries are never changed; post a "
                                    "reversal");
  return fail(Errc::conflict, "'" + name + "' holds documents; entries are posted to a ledger");
}

Result<void> check_size(const Declaration& declaration, std::size_t bytes) {
  const std::uint64_t most = declaration.value_bytes_max == 0 ? limits::record_value_bytes_max
                                                              : declaration.value_bytes_max;
  if (bytes <= most) return {};
  return fail(Errc::too_large, "the value has " + std::to_string(bytes) +
                                   " bytes; this collection allows " + std::to_string(most));
}

Result<void> check_room(Draft& draft, const Place& place, const std::optional<Record>& before) {
  const std::uint64_t most = place.declaration()->records_max;
  if (most == 0 || is_live(before) || !place.has_row) return {};
  const auto live = static_cast<std::int64_t>(place.row.live) + draft.staged_live(place);
  if (live < static_cast<std::int64_t>(most)) return {};
  return fail(Errc::conflict,
              "the collection is full: it may hold " + std::to_string(most) + " records");
}

Result<void> check_schema(const Declaration& declaration, const json::Value& value,
                          std::string_view under) {
  if (declaration.schema == nullptr) return {};
  const auto violation = declaration.schema->check(value);
  if (!violation) return {};
  return fail(Errc::invalid_argument,
              "at '" + std::string{under} + violation->pointer + "': " + violation->message);
}

Result<ActionResult> put_document(Draft& draft, const Action& action) {
  TRY_ASSIGN(Place* const place, place_of(draft, action, Kind::document));
  const auto& before = draft.found(action.collection, action.key);
  std::optional<json::Value> parsed;
  if (needs_value(*place)) {
    TRY_ASSIGN(parsed, json::parse(action.value.view()));
  }
  return write(draft, *place, action, before, action.value, std::move(parsed));
}

Result<ActionResult> patch_document(Draft& draft, const Action& action) {
  TRY_ASSIGN(Place* const place, place_of(draft, action, Kind::document));
  const auto& before = draft.found(action.collection, action.key);
  if (!is_live(before)) return no_record(action);
  TRY_ASSIGN(const json::Value patch, json::parse(action.value.view()));
  const json::Value* old = draft.found_value(action.collection, action.key);
  if (old == nullptr) return fail(Errc::invalid_argument, "the record's value is not JSON");
  json::Value value = *old;
  json::merge(value, patch);
  Bytes text{json::to_text(value)};
  draft.charge(text.size());
  return write(draft, *place, action, before, std::move(text), std::move(value));
}

Result<ActionResult> remove_document(Draft& draft, const Action& action) {
  TRY_ASSIGN(Place* const place, place_of(draft, action, Kind::document));
  const auto& before = draft.found(action.collection, action.key);
  if (!is_live(before)) return no_record(action);
  draft.stage_removal(*place, action, *before);
  return ActionResult{before->version + 1, false, true};
}

}  // namespace mainstay::record
