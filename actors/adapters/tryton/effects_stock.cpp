#include <algorithm>
#include <map>

#include "actors/adapters/tryton/effect_documents.hpp"
#include "actors/adapters/tryton/effects.hpp"

namespace mainstay::adapters::tryton {

using integration::Effect;
using json::Value;

// --- moves and counts ---

Effects::Receipt Effects::transfer(const Effect& effect) {
  TRY_ASSIGN(auto shipment, find(internal, effect));
  if (!shipment) {
    TRY_ASSIGN(const Id from, location(text_at(effect.document, "/from")));
    TRY_ASSIGN(const Id to, location(text_at(effect.document, "/to")));
    TRY_ASSIGN(const std::vector<Line> lines, lines_of(effect.document, ""));
    TRY_ASSIGN(const Id company, rpc_.company());
    Value moves = Value::array();
    for (const Line& line : lines) {
      Value values = object({{"product", integer(line.product)},
                             {"uom", integer(line.unit)},
                             {"quantity", quantity(line.quantity)},
                             {"from_location", integer(from)},
                             {"to_location", integer(to)},
                             {"company", integer(company)}});
      set_lot(values, line.lot);
      moves.items().push_back(std::move(values));
    }
    TRY_ASSIGN(shipment,
               rpc_.create(internal,
                           object({{"reference", text(reference(effect))},
                                   {"from_location", integer(from)},
                                   {"to_location", integer(to)},
                                   {"company", integer(company)},
                                   {"moves", list({list({text("create"), std::move(moves)})})}})));
  }
  for (std::size_t step = 0; step < steps_max; ++step) {
    TRY_ASSIGN(const std::string state, state_of(internal, *shipment));
    if (state == "done") return receipt_of(internal, *shipment);
    if (state == "request") {
      TRY(rpc_.press(internal, "draft", {*shipment}));
    } else if (state == "draft") {
      TRY(rpc_.press(internal, "wait", {*shipment}));
    } else if (state == "waiting") {
      // It has happened in the warehouse: whether the ERP would have had enough does not matter.
      TRY_ASSIGN(const json::Array rows, rpc_.read(internal, {*shipment}, {"moves"}));
      TRY(rpc_.press(move_model, "assign", rows.empty() ? Ids{} : ids_at(rows[0], "moves")));
      TRY_ASSIGN(const Value assigned, rpc_.press(internal, "assign_try", {*shipment}));
      if (!is_true(assigned)) return fail(Errc::conflict, "the moves could not be assigned");
    } else if (state == "assigned" || state == "shipped") {
      TRY(post(internal, *shipment, "moves"));
      TRY(rpc_.press(internal, "done", {*shipment}));
    } else {
      return fail(Errc::forbidden, "the internal shipment is " + state + " in the ERP");
    }
  }
  return fail(Errc::conflict, "the internal shipment does not reach its end");
}

Effects::Receipt Effects::count(const Effect& effect) {
  TRY_ASSIGN(auto counted, find(inventory, effect));
  if (!counted) {
    TRY_ASSIGN(const std::string code, required(effect.document, "/location"));
    TRY_ASSIGN(const Id bin, location(code));
    TRY_ASSIGN(const std::vector<Line> lines, lines_of(effect.document, ""));
    TRY_ASSIGN(const Id company, rpc_.company());
    Value rows = Value::array();
    for (const Line& line : lines) {
      Value values =
          object({{"product", integer(line.product)}, {"quantity", quantity(line.quantity)}});
      set_lot(values, line.lot);
      rows.items().push_back(std::move(values));
    }
    // The number is the ERP's to give, unless it comes with the document.
    Value values = object({{"number", text(reference(effect))},
                           {"location", integer(bin)},
                           {"empty_quantity", text("keep")},
                           {"company", integer(company)},
                           {"lines", list({list({text("create"), std::move(rows)})})}});
    const std::string day = text_at(effect.document, "/date");
    if (is_date(day)) values.set("date", date(day));
    TRY_ASSIGN(counted, rpc_.create(inventory, std::move(values)));
  }
  TRY_ASSIGN(const std::string state, state_of(inventory, *counted));
  if (state == "cancelled") return fail(Errc::forbidden, "the count was cancelled in the ERP");
  if (state != "done") {
    // Expected is what the book says now, not when the count was entered.
    TRY(rpc_.press(inventory, "complete_lines", {*counted}));
    TRY(rpc_.press(inventory, "confirm", {*counted}));
  }
  return receipt_of(inventory, *counted);
}

// --- receipts ---

Effects::Receipt Effects::receive(const Effect& effect) {
  TRY_ASSIGN(auto receipt, find(incoming, effect));
  if (!receipt) {
    TRY_ASSIGN(receipt, make_receipt(effect));
  }
  for (std::size_t step = 0; step < steps_max; ++step) {
    TRY_ASSIGN(const std::string state, state_of(incoming, *receipt));
    if (state == "done") return receipt_of(incoming, *receipt);
    if (state == "draft") {
      TRY(set_received(*receipt, effect.document));
      TRY(rpc_.press(incoming, "receive", {*receipt}));
    } else if (state == "received") {
      TRY(put_away(*receipt, effect.document));
      TRY(post(incoming, *receipt, "inventory_moves"));
      TRY(rpc_.press(incoming, "done", {*receipt}));
    } else {
      return fail(Errc::forbidden, "the receipt is " + state + " in the ERP");
    }
  }
  return fail(Errc::conflict, "the receipt does not reach its end");
}

// A supplier's shipment with the expected moves of those order lines that arrived.
Result<Id> Effects::make_receipt(const Effect& effect) {
  TRY_ASSIGN(const std::string number, required(effect.document, "/order"));
  TRY_ASSIGN(const Id order, one("purchase.purchase", list({clause("number", "=", text(number))}),
                                 "purchase order " + number));
  TRY_ASSIGN(const json::Array orders,
             rpc_.read("purchase.purchase", {order}, {"party", "invoice_address", "warehouse"}));
  TRY_ASSIGN(const std::vector<Line> lines, lines_of(effect.document, "/location"));
  TRY_ASSIGN(const json::Array expected,
             rpc_.search_read(
                 move_model,
                 list({clause("purchase", "=", integer(order)), clause("state", "=", text("draft")),
                       clause("shipment", "=", Value{})}),
                 {"product"}));
  Ids arrived;
  for (const Line& line : lines) {
    const auto at = std::find_if(expected.begin(), expected.end(), [&line](const Value& move) {
      return id_at(move, "product") == line.product;
    });
    if (at == expected.end())
      return fail(Errc::invalid_argument,
                  "nothing of " + line.item + " is expected of order " + number);
    if (std::find(arrived.begin(), arrived.end(), id_of(*at)) == arrived.end())
      arrived.push_back(id_of(*at));
  }
  TRY_ASSIGN(const Id company, rpc_.company());
  const Value& of = orders.at(0);
  Value values = object({{"reference", text(reference(effect))},
                         {"company", integer(company)},
                         {"supplier", integer(id_at(of, "party"))},
                         {"warehouse", integer(id_at(of, "warehouse"))},
                         {"incoming_moves", list({list({text("add"), ids(arrived)})})}});
  if (const Id address = id_at(of, "invoice_address"); address != 0)
    values.set("contact_address", integer(address));
  return rpc_.create(incoming, std::move(values));
}

// What arrived, of each item; the ERP expects the rest again.
Result<void> Effects::set_received(Id receipt, const Value& document) {
  TRY_ASSIGN(const std::vector<Line> lines, lines_of(document, "/location"));
  std::map<Id, Decimal> arrived;
  for (const Line& line : lines) {
    TRY_ASSIGN(arrived[line.product], arrived[line.product].plus(line.quantity));
  }
  TRY_ASSIGN(const json::Array rows, rpc_.read(incoming, {receipt}, {"incoming_moves"}));
  TRY_ASSIGN(json::Array moves,
             rpc_.read(move_model, ids_at(rows.at(0), "incoming_moves"), move_fields()));
  for (Value& move : moves) {
    TRY(round_quantities(move));
    TRY_ASSIGN(const Decimal planned, quantity_of(move));
    const Decimal here = arrived[id_at(move, "product")];
    if (planned == here) continue;
    TRY(rpc_.write(move_model, {id_of(move)}, object({{"quantity", quantity(here)}})));
  }
  return {};
}

// From the dock into bins. One move of the ERP for each line with a bin, in one transaction.
Result<void> Effects::put_away(Id receipt, const Value& document) {
  TRY_ASSIGN(const std::vector<Line> lines, lines_of(document, "/location"));
  TRY_ASSIGN(const std::vector<InventoryMove> present, inventory_moves(incoming, receipt));
  TRY_ASSIGN(const json::Array rows, rpc_.read(move_model,
                                               [&] {
                                                 Ids all;
                                                 for (const auto& move : present)
                                                   all.push_back(move.id);
                                                 return all;
                                               }(),
                                               {"to_location", "from_location"}));
  TRY_ASSIGN(const Id company, rpc_.company());
  Value changes = Value::array();
  for (const InventoryMove& move : present) {
    bool first = true;
    for (const Line& line : lines) {
      if (line.product != move.product || line.location == 0 || move.state == "done") continue;
      Value values =
          object({{"to_location", integer(line.location)}, {"quantity", quantity(line.quantity)}});
      set_lot(values, line.lot);
      if (first) {
        changes.items().push_back(list({text("write"), ids({move.id}), std::move(values)}));
      } else {
        values.set("product", integer(move.product));
        values.set("uom", integer(move.unit));
        values.set("from_location", integer(move.bin));
        values.set("company", integer(company));
        changes.items().push_back(list({text("create"), list({std::move(values)})}));
      }
      first = false;
    }
  }
  std::map<Id, std::size_t> moves_of;
  for (const InventoryMove& move : present) ++moves_of[move.product];
  const bool split = std::any_of(moves_of.begin(), moves_of.end(),
                                 [](const auto& count) { return count.second > 1; });
  // Split over bins by an earlier attempt: that was one transaction, it is whole.
  if (split || changes.items().empty()) return {};
  return rpc_.write(incoming, {receipt}, object({{"inventory_moves", std::move(changes)}}));
}

}  // namespace mainstay::adapters::tryton
