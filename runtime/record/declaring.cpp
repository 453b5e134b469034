#include "runtime/base/limits.hpp"
#include "runtime/record/actions.hpp"
#include "runtime/record/indexing.hpp"

namespace mainstay::record {

Result<ActionResult> declare(Draft& draft, const Action& action) {
  const std::string& name = action.key;
  if (name.starts_with('_'))
    return fail(Errc::invalid_argument, "collections whose names start with '_' are the system's");
  if (action.value.size() > limits::declaration_bytes_max)
    return fail(Errc::too_large, "a declaration has at most " +
                                     std::to_string(limits::declaration_bytes_max) + " bytes");
  TRY_ASSIGN(Declaration declaration, parse_declaration(action.value.view()));
  Bytes text{to_json(declaration)};
  Entry& entry = draft.entry();
  const auto& before = draft.found(action.collection, name);
  Place& place = entry.collections.find(name);
  if (place.has_row && is_live(before) && before->value == text)
    return ActionResult{before->version, false, false};
  if (place.has_row && place.row.live > 0) TRY(check_change(*place.declaration(), declaration));
  if (!place.has_row && entry.declarations.count() >= limits::collections_max)
    return fail(Errc::conflict, "there are " + std::to_string(limits::collections_max) +
                                    " collections, and no more are allowed");
  Draft::StagedCollection change;
  change.place = &place;
  change.row = place.row;
  change.is_new = !place.has_row;
  if (change.is_new) change.row.id = entry.counters.next_collection;
  TRY(redeclare_indexes(change.row, place.declaration(), declaration));
  change.declaration = std::make_shared<const Declaration>(std::move(declaration));
  draft.stage_collection(std::move(change));
  Place& own = entry.collections.find(system_collection::collections);
  return draft.stage(own, action, before, std::move(text), std::nullopt);
}

Result<ActionResult> undeclare(Draft& draft, const Action& action) {
  Entry& entry = draft.entry();
  Place& place = entry.collections.find(action.key);
  const auto& before = draft.found(action.collection, action.key);
  if (!place.has_row || !is_live(before))
    return fail(Errc::not_found, "there is no collection '" + action.key + "'");
  if (place.row.live > 0)
    return fail(Errc::conflict, "'" + action.key + "' holds " + std::to_string(place.row.live) +
                                    " records; delete them first");
  Draft::StagedCollection change;
  change.place = &place;
  draft.stage_collection(std::move(change));
  Place& own = entry.collections.find(system_collection::collections);
  draft.stage_removal(own, action, *before);
  return ActionResult{before->version + 1, false, true};
}

}  // namespace mainstay::record
