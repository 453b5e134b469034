// What a command asks of the tables, one function each: checks first, then actions, which only
// stage what they would change. Private to the apply step.
#pragma once

#include "runtime/base/result.hpp"
#include "runtime/record/draft.hpp"
#include "runtime/record/types.hpp"

namespace mainstay::record {

// Nothing: the condition holds. Else the refusal, without its place in the command.
std::optional<Outcome> check_record(Draft& draft, const RecordCheck& check);
std::optional<Outcome> check_balance(Draft& draft, const BalanceCheck& check);

// Errors are refusals of the whole command.
Result<ActionResult> run_action(Draft& draft, const Action& action, std::size_t position);

// documents.cpp
Result<ActionResult> put_document(Draft& draft, const Action& action);
Result<ActionResult> patch_document(Draft& draft, const Action& action);
Result<ActionResult> remove_document(Draft& draft, const Action& action);
// postings.cpp
Result<ActionResult> post_entry(Draft& draft, const Action& action, std::size_t position);
// The balances that the command leaves; the position of the action that is to blame.
struct GuardBroken {
  std::size_t position = 0;
  std::string detail;
};
std::optional<GuardBroken> check_guards(const Draft& draft);
// declaring.cpp
Result<ActionResult> declare(Draft& draft, const Action& action);
Result<ActionResult> undeclare(Draft& draft, const Action& action);

// The collection, declared and of this kind. Errors: not_found, conflict.
Result<Place*> place_of(Draft& draft, const Action& action, Kind kind);
// The collection's rules for a live record's value. Errors: too_large, invalid_argument, conflict.
Result<void> check_size(const Declaration& declaration, std::size_t bytes);
Result<void> check_room(Draft& draft, const Place& place, const std::optional<Record>& before);
Result<void> check_schema(const Declaration& declaration, const json::Value& value,
                          std::string_view under);

// "item=A, location=R1"
std::string text_of(const Dimensions& dimensions);

}  // namespace mainstay::record
