// What differs between a record here and the same thing as its counterpart holds it, and how that
// is told: the pure part of reconciliation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/json.hpp"
#include "runtime/base/result.hpp"

namespace mainstay::integration {

// Equal as JSON; a number also equals the text of the same number (an exact decimal: "1.50" and
// 1.5), but two texts are equal only letter by letter.
bool same_value(const json::Value& here, const json::Value& there);

struct FieldDifference {
  std::string pointer;
  json::Value here;  // null: there is nothing
  json::Value there;
  bool operator==(const FieldDifference&) const = default;
};

// At these pointers; without any: at every scalar and array that the counterpart's document has. At
// most limits::discrepancy_fields_max of them.
std::vector<FieldDifference> differences(const json::Value& here, const json::Value& there,
                                         const std::vector<std::string>& fields);

// Whether the values at all of these pointers are these texts (numbers: by size).
using Where = std::vector<std::pair<std::string, std::string>>;
bool takes_part(const json::Value& value, const Where& where);

enum class DifferenceKind : std::uint8_t {
  missing_here,   // the counterpart has it, there is no record
  missing_there,  // there is a record, the counterpart has nothing
  differs,
  unexpected,  // the counterpart has it twice, or although it was removed, or it makes no sense
};
std::string_view to_string(DifferenceKind kind);
std::optional<DifferenceKind> difference_kind_of(std::string_view name);

struct Difference {
  DifferenceKind kind = DifferenceKind::differs;
  std::string key;  // of the record; of a balance: its dimensions, joined
  std::string id;   // the counterpart's own name of it; "" if it has none
  std::vector<FieldDifference> fields;
  bool operator==(const Difference&) const = default;
};

inline constexpr std::size_t explanation_bytes_max = 1'024;

// hub-discrepancies/<adapter>/<name>/<key>
struct DiscrepancyRow {
  std::string adapter;
  std::string name;  // of the reconciliation
  Difference difference;
  std::string first;
  std::string last;            // seen; not written for every run
  std::string state = "open";  // open, explained (by people), resolved
  // Of an explained one: who said so, when, and why.
  std::string explained_by;
  std::string explained_at;
  std::string explanation;
};
json::Value to_value(const DiscrepancyRow& row);
Result<DiscrepancyRow> discrepancy_row(const json::Value& value);
std::string discrepancy_key(std::string_view adapter, std::string_view name, std::string_view key);

// hub-reconciliations/<adapter>/<name>
struct ReconciliationRow {
  std::string adapter;
  std::string name;
  std::string cut;               // what changed until then was judged by the last whole run
  std::string verified_through;  // everything up to then agreed
  std::uint64_t compared = 0;    // = equal + pending + open + explained
  std::uint64_t equal = 0;
  std::uint64_t pending = 0;  // differs, and is on its way or parked
  std::uint64_t open = 0;
  std::uint64_t explained = 0;
  std::string accuracy;  // equal / compared
  std::string last_run;
  bool passed = false;  // the last whole run found nothing open
  std::string every;    // how often it should run, for people and alarms: milliseconds
  std::string detail;   // why the last run could not be made
};
json::Value to_value(const ReconciliationRow& row);
Result<ReconciliationRow> reconciliation_row(const json::Value& value);
std::string reconciliation_key(std::string_view adapter, std::string_view name);

// "0.9997": rounded down, so that it is 1 only when all are equal.
std::string accuracy_text(std::uint64_t equal, std::uint64_t all);

}  // namespace mainstay::integration
