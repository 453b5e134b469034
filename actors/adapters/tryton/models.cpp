#include "actors/adapters/tryton/models.hpp"

#include <algorithm>

namespace mainstay::adapters::tryton {

namespace {

using Fields = std::vector<std::string>;

const Fields move_fields{"product.code",
                         "product.default_uom.symbol",
                         "product.default_uom.digits",
                         "lot.number",
                         "quantity",
                         "internal_quantity",
                         "uom.symbol",
                         "uom.digits",
                         "from_location.code",
                         "from_location.name",
                         "from_location.type",
                         "to_location.code",
                         "to_location.name",
                         "to_location.type",
                         "state",
                         "planned_date",
                         "effective_date",
                         "origin",
                         "shipment",
                         "production_input",
                         "production_output"};

ChildModel moves(std::string member, Fields links, std::string changed) {
  return {std::move(member), std::move(links), std::move(changed), "stock.move", move_fields};
}

const Fields sale_line_fields{"sequence",    "type",     "product.code", "product.name",
                              "description", "quantity", "unit.symbol",  "unit.digits",
                              "unit_price",  "amount"};

std::vector<ReadModel> make_models() {
  return {
      {"sale.sale",
       "order",
       "orders",
       {"number", "reference", "description", "state", "shipment_state", "invoice_state",
        "sale_date", "currency.code", "party.code", "party.name", "warehouse.code",
        "shipment_address", "untaxed_amount", "tax_amount", "total_amount", "comment"},
       {{"lines", {"lines"}, "lines", "sale.line", sale_line_fields}},
       {}},
      {"purchase.purchase",
       "purchase_order",
       "purchase_orders",
       {"number", "reference", "description", "state", "shipment_state", "purchase_date",
        "currency.code", "party.code", "party.name", "warehouse.code", "total_amount", "comment"},
       {{"lines", {"lines"}, "lines", "purchase.line", sale_line_fields}},
       {}},
      // A done move never changes any more.
      {"stock.move", "stock_move", "stock_moves", move_fields, {}, {"done"}},
      {"stock.shipment.out",
       "shipment",
       "shipments",
       {"number", "reference", "state", "planned_date", "effective_date", "customer.code",
        "customer.name", "warehouse.code"},
       {moves("inventory_moves", {"inventory_moves"}, "moves"),
        moves("outgoing_moves", {"outgoing_moves"}, "")},
       {}},
      {"stock.shipment.in",
       "receipt",
       "receipts",
       {"number", "reference", "state", "planned_date", "effective_date", "supplier.code",
        "supplier.name", "warehouse.code"},
       {moves("incoming_moves", {"incoming_moves"}, "moves"),
        moves("inventory_moves", {"inventory_moves"}, "")},
       {}},
      {"production",
       "production_order",
       "production_orders",
       {"number", "reference", "state", "product.code", "quantity", "uom.symbol", "uom.digits",
        "bom.name", "planned_date", "planned_start_date", "effective_date", "effective_start_date",
        "location.code", "warehouse.code"},
       {moves("inputs", {"inputs"}, "inputs"),
        moves("outputs", {"outputs"}, "outputs"),
        {"works",
         {"works"},
         "works",
         "production.work",
         {"sequence", "state", "operation.name", "work_center.name"}}},
       {}},
      {"product.product",
       "item",
       "items",
       {"code", "name", "type", "active", "default_uom.symbol", "default_uom.digits"},
       {},
       {}},
      {"party.party", "party", "parties", {"code", "name", "active"}, {}, {}},
      {"stock.location",
       "location",
       "locations",
       {"code", "name", "type", "active", "parent.code", "parent.name"},
       {},
       {}},
  };
}

}  // namespace

const std::vector<ReadModel>& known_models() {
  static const std::vector<ReadModel> models = make_models();
  return models;
}

const ReadModel* known_model(std::string_view model) {
  const auto& all = known_models();
  const auto at = std::find_if(all.begin(), all.end(),
                               [model](const ReadModel& known) { return known.model == model; });
  return at == all.end() ? nullptr : &*at;
}

}  // namespace mainstay::adapters::tryton
