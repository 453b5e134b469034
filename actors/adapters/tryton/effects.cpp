#include "actors/adapters/tryton/effects.hpp"

#include <algorithm>

#include "actors/adapters/tryton/effect_documents.hpp"

namespace mainstay::adapters::tryton {

using integration::Effect;
using integration::EffectResult;
using json::Value;

Effects::Effects(JsonRpc& rpc, EffectsOptions options) : rpc_{rpc}, options_{std::move(options)} {}

EffectResult Effects::apply(const Effect& effect) {
  auto receipt = carry_out(effect);
  if (receipt) return EffectResult::done(std::move(*receipt));
  return EffectResult::failed(verdict_of(receipt.error().code), receipt.error().message);
}

Effects::Receipt Effects::carry_out(const Effect& effect) {
  if (effect.type == "shipment") return ship(effect);
  if (effect.type == "stock_move") return transfer(effect);
  if (effect.type == "count") return count(effect);
  if (effect.type == "receipt") return receive(effect);
  if (effect.type == "production_report") return report_production(effect);
  if (effect.type == "order") return enter_order(effect);
  return fail(Errc::invalid_argument,
              "the ERP does not know effects of the type '" + effect.type + "'");
}

Result<std::optional<Value>> Effects::lookup(const Effect& effect) {
  if (effect.type == "production_report") {
    TRY_ASSIGN(const Decimal good, amount(effect.document, "/good"));
    TRY_ASSIGN(const Value order, production(effect.document));
    TRY_ASSIGN(const Decimal posted, Decimal::parse(text_at(order, "/posted")));
    const bool closed = text_at(order, "/state") == "done";
    if (posted < good || (flag(effect.document, "final") && !closed)) return std::optional<Value>{};
    return std::optional<Value>{order};
  }
  const std::string_view model = made_by(effect.type);
  if (model.empty())
    return fail(Errc::invalid_argument,
                "the ERP does not know effects of the type '" + effect.type + "'");
  TRY_ASSIGN(const auto found, find(model, effect));
  if (!found) return std::optional<Value>{};
  TRY_ASSIGN(Value receipt, receipt_of(model, *found));
  if (!is_over(effect.type, text_at(receipt, "/state"))) return std::optional<Value>{};
  return std::optional<Value>{std::move(receipt)};
}

// --- what all need ---

std::string Effects::reference(const Effect& effect) const {
  return options_.reference_prefix + effect.key;
}

Result<std::optional<Id>> Effects::find(std::string_view model, const Effect& effect) {
  const std::string_view field = model == inventory ? "number" : "reference";
  TRY_ASSIGN(const Ids found,
             rpc_.search(model, list({clause(field, "=", text(reference(effect)))}), 2));
  if (found.empty()) return std::optional<Id>{};
  if (found.size() > 1)
    return fail(Errc::forbidden, "the ERP has more than one " + std::string{model} +
                                     " with the reference " + reference(effect));
  return std::optional<Id>{found[0]};
}

Result<std::string> Effects::state_of(std::string_view model, Id id) {
  TRY_ASSIGN(const json::Array rows, rpc_.read(model, {id}, {"state"}));
  if (rows.empty()) return fail(Errc::conflict, std::string{model} + " is gone");
  return text_at(rows[0], "/state");
}

Effects::Receipt Effects::receipt_of(std::string_view model, Id id) {
  std::vector<std::string> fields{"number", "state", "_timestamp"};
  if (model != inventory) fields.emplace_back("reference");
  TRY_ASSIGN(const json::Array rows, rpc_.read(model, {id}, fields));
  if (rows.empty()) return fail(Errc::conflict, std::string{model} + " is gone");
  Value receipt = object({{"model", text(model)}});
  for (const auto& [name, member] : rows[0].members())
    receipt.set(name == "_timestamp" ? "version" : name, member);
  return receipt;
}

// Posts the moves of a document in parts, where it has many: then its button has nothing left to
// do.
Result<void> Effects::post(std::string_view model, Id id, std::string_view link) {
  TRY_ASSIGN(const json::Array rows, rpc_.read(model, {id}, {std::string{link}}));
  if (rows.empty()) return {};
  const Ids all = ids_at(rows[0], link);
  if (all.size() <= options_.moves_max) return {};
  for (std::size_t at = 0; at < all.size(); at += options_.moves_max) {
    const auto end = std::min(all.size(), at + options_.moves_max);
    TRY(rpc_.press(move_model, "do",
                   Ids{all.begin() + static_cast<std::ptrdiff_t>(at),
                       all.begin() + static_cast<std::ptrdiff_t>(end)}));
  }
  return {};
}

Result<std::vector<Effects::Line>> Effects::lines_of(const Value& document,
                                                     std::string_view place) {
  std::vector<Line> lines;
  for (const Value& said : lines_in(document)) {
    TRY_ASSIGN(Line line, line_of(said, place));
    lines.push_back(std::move(line));
  }
  return lines;
}

// `place`: pointer to the code of the location within a line, if it may have one.
Result<Effects::Line> Effects::line_of(const Value& said, std::string_view place) {
  Line line;
  TRY_ASSIGN(line.item, required(said, "/item"));
  TRY_ASSIGN(const json::Array products,
             rpc_.search_read("product.product", list({clause("code", "=", text(line.item))}),
                              {"default_uom", "default_uom.symbol", "default_uom.digits"}, 2));
  if (products.size() != 1)
    return fail(Errc::invalid_argument, "the ERP has " + std::to_string(products.size()) +
                                            " items with the code " + line.item);
  line.product = id_of(products[0]);
  line.unit = id_at(products[0], "default_uom");
  std::string digits = text_at(products[0], "/default_uom/digits");
  const std::string unit = text_at(said, "/unit");
  if (!unit.empty() && unit != text_at(products[0], "/default_uom/symbol")) {
    TRY_ASSIGN(
        const json::Array units,
        rpc_.search_read("product.uom", list({clause("symbol", "=", text(unit))}), {"digits"}, 2));
    if (units.size() != 1)
      return fail(Errc::invalid_argument, "the ERP has no unit with the symbol " + unit);
    line.unit = id_of(units[0]);
    digits = text_at(units[0], "/digits");
  }
  TRY_ASSIGN(line.quantity, amount(said, "/quantity"));
  const auto exact = line.quantity.rescaled(static_cast<unsigned>(std::stoul("0" + digits)));
  if (!exact)
    return fail(Errc::invalid_argument, line.quantity.to_string() + " of " + line.item +
                                            " has more digits than its unit in the ERP");
  line.quantity = *exact;
  if (const std::string code = place.empty() ? "" : text_at(said, place); !code.empty()) {
    TRY_ASSIGN(line.location, location(code));
  }
  if (const std::string number = text_at(said, "/lot"); !number.empty() && number != "-") {
    TRY_ASSIGN(line.lot, lot(number, line.product));
  }
  return line;
}

Result<Id> Effects::one(std::string_view model, Value domain, const std::string& what) {
  TRY_ASSIGN(const Ids found, rpc_.search(model, std::move(domain), 2));
  if (found.size() == 1) return found[0];
  return fail(Errc::invalid_argument,
              "the ERP has " + std::string{found.empty() ? "no " : "more than one "} + what);
}

Result<Id> Effects::location(const std::string& code) {
  if (code.empty()) return fail(Errc::invalid_argument, "the effect names no location");
  return one("stock.location", list({clause("code", "=", text(code))}),
             "location with the code " + code);
}

Result<Id> Effects::lot(const std::string& number, Id product) {
  const Value domain =
      list({clause("number", "=", text(number)), clause("product", "=", integer(product))});
  TRY_ASSIGN(const Ids found, rpc_.search("stock.lot", domain, 1));
  if (!found.empty()) return found[0];
  return rpc_.create("stock.lot",
                     object({{"number", text(number)}, {"product", integer(product)}}));
}

}  // namespace mainstay::adapters::tryton
