#include "runtime/base/mutant.hpp"
#include "runtime/record/actions.hpp"
#include "runtime/record/ledger.hpp"

namespace mainstay::record {

namespace {

// The entry that `entry` reverses is there, its opposite, and not reversed yet.
Result<void> check_reversal(Draft& draft, Place& place, const LedgerEntry& entry) {
  const std::string& id = *entry.reverses;
  const LedgerDeclaration& ledger = *place.declaration()->ledger;
  std::optional<Bytes> text;
  if (const Bytes* own = draft.staged_value(place, id); own != nullptr) {
    text = *own;
  } else if (const auto record = draft.entry().state.find_record(place.name, id); is_live(record)) {
    text = record->value;
    draft.charge(text->size());
  }
  if (!text) return fail(Errc::not_found, "there is no entry '" + id + "' to reverse");
  TRY_ASSIGN(const LedgerEntry target, parse_entry(ledger, id, text->view()));
  if (target.reverses) return fail(Errc::conflict, "entry '" + id + "' is a reversal itself");
  if (target.quantity != entry.quantity || target.from != entry.to || target.to != entry.from)
    return fail(Errc::conflict, "a reversal has the quantity of entry '" + id +
                                    "' and its ends the other way round");
  if (draft.is_reversed(place, id))
    return fail(Errc::conflict, "entry '" + id + "' is reversed already");
  return {};
}

Result<void> move(Draft& draft, Place& place, const LedgerEntry& entry, std::size_t position) {
  const LedgerDeclaration& ledger = *place.declaration()->ledger;
  TRY_ASSIGN(std::string from, position_of(ledger, entry.from));
  TRY_ASSIGN(std::string to, position_of(ledger, entry.to));
  const auto too_large = [](const Error&) {
    return fail(Errc::conflict, "a balance would have more than 38 digits");
  };
  Draft::StagedBalance& source = draft.balance(place, std::move(from));
  const auto less = source.now.minus(entry.quantity);
  if (!less) return too_large(less.error());
  source.now = *less;
  source.lowered_by = position;
  Draft::StagedBalance& target = draft.balance(place, std::move(to));
  const auto more = target.now.plus(entry.quantity);
  if (!more) return too_large(more.error());
  target.now = *more;
  return {};
}

}  // namespace

Result<ActionResult> post_entry(Draft& draft, const Action& action, std::size_t position) {
  TRY_ASSIGN(Place* const place, place_of(draft, action, Kind::ledger));
  const Declaration& declaration = *place->declaration();
  TRY_ASSIGN(const LedgerEntry entry,
             parse_entry(*declaration.ledger, action.key, action.value.view()));
  Bytes text{to_json(entry)};
  const auto& before = draft.found(action.collection, action.key);
  if (is_live(before) && !MUTANT(post_twice_moves_twice)) {
    if (before->value == text) return ActionResult{before->version, false, false};
    return fail(Errc::conflict, "entry '" + action.key + "' exists with other content");
  }
  TRY(check_size(declaration, text.size()));
  TRY(check_room(draft, *place, before));
  TRY(check_schema(declaration, entry.data, "/data"));
  if (entry.reverses) {
    TRY(check_reversal(draft, *place, entry));
    draft.stage_reversal(*place, *entry.reverses, action.key);
  }
  TRY(move(draft, *place, entry, position));
  return draft.stage(*place, action, before, std::move(text), std::nullopt);
}

std::optional<GuardBroken> check_guards(const Draft& draft) {
  if (MUTANT(guard_not_checked)) return std::nullopt;
  for (const Draft::StagedBalance& each : draft.balances()) {
    const LedgerDeclaration& ledger = *each.place->declaration()->ledger;
    if (!ledger.never_below || each.now >= *ledger.never_below) continue;
    const Decimal before = each.before ? each.before->quantity : Decimal{};
    if (each.now >= before) continue;  // an entry that makes it better is welcome
    const Dimensions at = dimensions_of(ledger, each.position);
    if (!is_guarded(ledger, at)) continue;
    return GuardBroken{each.lowered_by, "the balance of " + text_of(at) + " is " +
                                            before.rescaled(ledger.scale)->to_string() +
                                            "; it would become " + each.now.to_string() +
                                            ", below " + ledger.never_below->to_string()};
  }
  return std::nullopt;
}

}  // namespace mainstay::record
