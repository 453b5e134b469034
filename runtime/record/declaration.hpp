// The declaration of a collection: what it holds and which rules its records obey. JSON on the
// outside (docs/data-model.md), this inside.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/decimal.hpp"
#include "runtime/base/json.hpp"
#include "runtime/base/result.hpp"
#include "runtime/record/schema.hpp"
#include "runtime/record/types.hpp"

namespace mainstay::record {

enum class Kind : std::uint8_t { document, ledger };
std::string_view to_string(Kind kind);

// Which of two versions made in two regions at the same time stays. Stored; used between regions.
enum class ConflictRule : std::uint8_t { last_writer_wins, home_region, keep_both };
std::string_view to_string(ConflictRule rule);

struct IndexDeclaration {
  std::string name;     // a-z, 0-9, '_', '-'; at most limits::index_name_bytes_max
  std::string pointer;  // RFC 6901; records without a scalar there are not in the index

  bool operator==(const IndexDeclaration&) const = default;
};

// "ledger": {"dimensions":["item","lot","location","unit"], "scale":3,
//            "never_below":"0", "except":[{"location":"SUPPLIER"}]}
struct LedgerDeclaration {
  std::vector<std::string> dimensions;  // 1 to limits::ledger_dimensions_max names
  unsigned scale = 0;                   // digits behind the point of every quantity
  std::optional<Decimal> never_below;   // no entry may bring a balance below this
  std::vector<Dimensions> except;       // balances with all of these values are not guarded

  bool operator==(const LedgerDeclaration&) const = default;
};

struct Declaration {
  Kind kind = Kind::document;
  std::shared_ptr<const Schema> schema;  // null: any JSON value. Of a ledger: of an entry's `data`
  std::vector<IndexDeclaration> indexes;
  std::uint64_t value_bytes_max = 0;  // of one record; 0: the general limit
  std::uint64_t records_max = 0;      // live ones; 0: no bound
  std::uint64_t history_ms = 0;       // how long superseded versions stay; at least the window
  ConflictRule conflict = ConflictRule::last_writer_wins;
  std::optional<LedgerDeclaration> ledger;  // with kind ledger
  std::string description;
};

// Errors: invalid_argument, naming the member (unknown members too) and what is expected.
Result<Declaration> parse_declaration(std::string_view json);
// The declaration as it is stored and shown: every member, defaults filled in, schema as it came.
std::string to_json(const Declaration& declaration);

// What may not change once there are records: kind, dimensions and scale. Errors: conflict.
Result<void> check_change(const Declaration& from, const Declaration& to);

// Declarations of the system collections; null for any other name.
const Declaration* system_declaration(std::string_view collection);

}  // namespace mainstay::record
