#include "actors/adapters/tryton/effect_documents.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace mainstay::adapters::tryton {

using json::Type;
using json::Value;

namespace {

struct Made {
  std::string_view type;
  std::string_view model;
};
constexpr std::array made{
    Made{"shipment", outgoing}, Made{"stock_move", internal}, Made{"count", inventory},
    Made{"receipt", incoming},  Made{"order", sale},
};

}  // namespace

std::string_view made_by(std::string_view type) {
  const auto at =
      std::find_if(made.begin(), made.end(), [type](const Made& row) { return row.type == type; });
  return at == made.end() ? std::string_view{} : at->model;
}

bool is_over(std::string_view type, std::string_view state) {
  if (type == "order") return state == "confirmed" || state == "processing" || state == "done";
  return state == "done";
}

Result<std::string> required(const Value& document, std::string_view pointer) {
  std::string found = text_at(document, pointer);
  if (found.empty())
    return fail(Errc::invalid_argument, "the effect says no " + std::string{pointer.substr(1)});
  return found;
}

Result<Decimal> amount(const Value& document, std::string_view pointer) {
  TRY_ASSIGN(const std::string digits, required(document, pointer));
  TRY_ASSIGN(const Decimal value, Decimal::parse(digits));
  if (value.is_negative())
    return fail(Errc::invalid_argument, std::string{pointer.substr(1)} + " is negative");
  return value;
}

bool flag(const Value& document, std::string_view name) {
  const Value* found = document.is(Type::object) ? document.find(name) : nullptr;
  return found != nullptr && is_true(*found);
}

json::Array lines_in(const Value& document) {
  const Value* lines = document.is(Type::object) ? document.find("lines") : nullptr;
  if (lines != nullptr && lines->is(Type::array)) return lines->items();
  return {document};
}

Value reference_to(std::string_view model, Id id) {
  return text(std::string{model} + "," + std::to_string(id));
}

Id referred(const std::string& reference) {
  const auto comma = reference.find(',');
  Id id = 0;
  if (comma != std::string::npos)
    std::from_chars(reference.data() + comma + 1, reference.data() + reference.size(), id);
  return id;
}

void set_lot(Value& values, Id lot) {
  if (lot != 0) values.set("lot", integer(lot));
}

const std::vector<std::string>& move_fields() {
  static const std::vector<std::string> fields{
      "product.code", "quantity", "uom.digits", "from_location", "to_location",
      "state",        "origin",   "lot",        "currency",      "unit_price"};
  return fields;
}

bool is_open(const Value& move) {
  const std::string state = text_at(move, "/state");
  return state != "done" && state != "cancelled";
}

Result<Decimal> quantity_of(const Value& row) {
  return Decimal::parse(text_at(row, "/quantity"));
}

}  // namespace mainstay::adapters::tryton
