// Values of the ERP's JSON-RPC and plain JSON: {"__class__": "Decimal", "decimal": "690.00"} is
// 690.00 here, with its digits; times are RFC 3339 texts in UTC with six digits behind the second,
// so that they sort as texts. Pure.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/decimal.hpp"
#include "runtime/base/json.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"

namespace mainstay::adapters::tryton {

using Id = std::int64_t;
using Ids = std::vector<Id>;

// --- to the ERP ---

json::Value text(std::string_view value);
json::Value integer(std::int64_t value);
json::Value ids(const Ids& values);
json::Value list(std::initializer_list<json::Value> items);
json::Value object(std::initializer_list<json::Member> members);
// ["field", "operator", value]
json::Value clause(std::string_view field, std::string_view comparison, json::Value value);
json::Value money(const Decimal& value);     // exact
json::Value quantity(const Decimal& value);  // the ERP computes with binary floating point
json::Value date(std::string_view day);      // REQUIRES is_date
json::Value moment(std::string_view time);   // REQUIRES: as decode writes it
bool is_date(std::string_view day);          // 2026-11-28
std::string earlier(std::string_view time, Millis by);

// --- from the ERP ---

// Any answer as plain JSON. A dotted read ("party.": {"code": …}) becomes the object "party".
json::Value decode(const json::Value& value);

Id id_of(const json::Value& row);                           // 0: it has none
Id id_at(const json::Value& row, std::string_view name);    // of a reference read plainly
Ids ids_at(const json::Value& row, std::string_view name);  // of a list read plainly
std::string text_at(const json::Value& row, std::string_view pointer);  // also of a number; ""
bool is_true(const json::Value& value);

// A quantity as the ERP computed it, 0.30000000000000004, with the digits of its unit: 0.3.
Result<Decimal> rounded(std::string_view number, unsigned digits);
// Does that in a row and in the rows within it, for every quantity whose unit was read.
Result<void> round_quantities(json::Value& row);

}  // namespace mainstay::adapters::tryton
