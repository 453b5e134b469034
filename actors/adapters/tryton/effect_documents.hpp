// Words of effects and of the ERP's documents that several of them share. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "actors/adapters/tryton/values.hpp"
#include "runtime/base/decimal.hpp"
#include "runtime/base/json.hpp"
#include "runtime/base/result.hpp"

namespace mainstay::adapters::tryton {

inline constexpr std::size_t steps_max = 12;  // from one state to the next; more is a circle
inline constexpr std::string_view outgoing = "stock.shipment.out";
inline constexpr std::string_view incoming = "stock.shipment.in";
inline constexpr std::string_view internal = "stock.shipment.internal";
inline constexpr std::string_view inventory = "stock.inventory";
inline constexpr std::string_view move_model = "stock.move";
inline constexpr std::string_view sale = "sale.sale";

// The model of what effects of a type make; "" for those that make nothing that could carry a
// reference.
std::string_view made_by(std::string_view type);
// Is what an effect of this type made where it shall be?
bool is_over(std::string_view type, std::string_view state);

// Errors: invalid_argument: it is not there, or no amount.
Result<std::string> required(const json::Value& document, std::string_view pointer);
Result<Decimal> amount(const json::Value& document, std::string_view pointer);
bool flag(const json::Value& document, std::string_view name);
// {"lines": [...]}, or the one line that the document itself is.
json::Array lines_in(const json::Value& document);

// "stock.move,7"
json::Value reference_to(std::string_view model, Id id);
Id referred(const std::string& reference);
void set_lot(json::Value& values, Id lot);

// Of stock.move.
const std::vector<std::string>& move_fields();
bool is_open(const json::Value& move);
Result<Decimal> quantity_of(const json::Value& row);  // REQUIRES: rounded

}  // namespace mainstay::adapters::tryton
