// Ledger entries: what a posted entry says, in JSON outside and like this inside, and the key of a
// balance. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/decimal.hpp"
#include "runtime/base/json.hpp"
#include "runtime/base/result.hpp"
#include "runtime/record/declaration.hpp"
#include "runtime/record/types.hpp"

namespace mainstay::record {

// A quantity that goes from one end to another:
//   {"quantity":"5.000", "item":"A", "unit":"EA", "lot":"L1",
//    "from":{"location":"R1"}, "to":{"location":"R2"}, "reverses":"<entry id>", "data":{…}}
// A dimension stands at the top for both ends, or in each of them; each end has them all.
// `quantity` is a decimal in a string or a number, greater than 0, with no more digits than the
// scale. The two ends differ. `reverses` names an entry of the same ledger that this one undoes
// exactly (ends swapped, same quantity); an entry is reversed at most once, a reversal never.
struct LedgerEntry {
  std::string id;
  Decimal quantity;  // at the ledger's scale
  Dimensions from;
  Dimensions to;
  std::optional<std::string> reverses;
  json::Value data;  // null: none

  bool operator==(const LedgerEntry&) const = default;
};

// Errors: invalid_argument, naming the member.
Result<LedgerEntry> parse_entry(const LedgerDeclaration& ledger, std::string_view id,
                                std::string_view json);
// The entry as it is stored: canonical, so that the same content is the same text.
std::string to_json(const LedgerEntry& entry);

// In the ledger's order, those that it does not have at the end: clients name them in any order.
Dimensions in_order(const LedgerDeclaration& ledger, Dimensions dimensions);

// A position (all dimension values in the declared order) as bytes: each value, ended by a zero
// byte. A prefix of the dimensions makes a prefix of the bytes. At most
// limits::balance_key_bytes_max. Errors: invalid_argument.
Result<std::string> position_of(const LedgerDeclaration& ledger, const Dimensions& dimensions);
// The reverse. REQUIRES: made by position_of with the same dimensions.
Dimensions dimensions_of(const LedgerDeclaration& ledger, std::string_view position);

// Whether the ledger's guard applies to this balance.
bool is_guarded(const LedgerDeclaration& ledger, const Dimensions& dimensions);

}  // namespace mainstay::record
