#include <algorithm>

#include "actors/adapters/tryton/effect_documents.hpp"
#include "actors/adapters/tryton/effects.hpp"

namespace mainstay::adapters::tryton {

using integration::Effect;
using json::Value;

// --- shipments to customers ---

Effects::Receipt Effects::ship(const Effect& effect) {
  TRY_ASSIGN(const Id shipment, claim_shipment(effect));
  for (std::size_t step = 0; step < steps_max; ++step) {
    TRY_ASSIGN(const std::string state, state_of(outgoing, shipment));
    if (state == "done") return receipt_of(outgoing, shipment);
    if (state == "draft") {
      TRY(rpc_.press(outgoing, "wait", {shipment}));
    } else if (state == "waiting" || state == "assigned") {
      TRY(pick(shipment, effect.document));
    } else if (state == "picked") {
      TRY(rpc_.press(outgoing, "pack", {shipment}));
    } else if (state == "packed") {
      TRY(post(outgoing, shipment, "outgoing_moves"));
      TRY(rpc_.press(outgoing, "done", {shipment}));
    } else {
      return fail(Errc::forbidden, "the shipment is " + state + " in the ERP");
    }
  }
  return fail(Errc::conflict, "the shipment does not reach its end");
}

// Finds the shipment that is meant and writes our reference on it, before anything else.
Result<Id> Effects::claim_shipment(const Effect& effect) {
  TRY_ASSIGN(const auto own, find(outgoing, effect));
  if (own) return *own;
  const std::string number = text_at(effect.document, "/shipment");
  const std::string order = text_at(effect.document, "/order");
  Value domain = Value::array();
  if (!number.empty()) {
    domain = list({clause("number", "=", text(number))});
  } else if (!order.empty()) {
    TRY_ASSIGN(const Id id,
               one(sale, list({clause("number", "=", text(order))}), "order " + order));
    TRY_ASSIGN(const json::Array rows, rpc_.read(sale, {id}, {"shipments"}));
    domain = list({clause("id", "in", ids(rows.empty() ? Ids{} : ids_at(rows[0], "shipments"))),
                   clause("state", "in", list({text("draft"), text("waiting"), text("assigned")})),
                   list({text("OR"), clause("reference", "=", Value{}),
                         clause("reference", "not like", text(options_.reference_prefix + "%"))})});
  } else {
    return fail(Errc::invalid_argument, "the effect names neither shipment nor order");
  }
  TRY_ASSIGN(const json::Array found, rpc_.search_read(outgoing, std::move(domain),
                                                       {"reference", "state", "_timestamp"}, 2));
  if (found.empty())
    return fail(Errc::invalid_argument,
                "the ERP has no open shipment " + (number.empty() ? "of order " + order : number));
  const Id id = id_of(found[0]);
  const std::string other = text_at(found[0], "/reference");
  if (other.starts_with(options_.reference_prefix) || text_at(found[0], "/state") == "done")
    return fail(Errc::forbidden, "shipment " + number + " was shipped already, as '" + other + "'");
  // Whoever changed it since it was read makes this fail.
  const Value version = object(
      {{std::string{outgoing} + "," + std::to_string(id), text(text_at(found[0], "/_timestamp"))}});
  TRY(rpc_.write(outgoing, {id}, object({{"reference", text(reference(effect))}}),
                 {{"_timestamp", version}}));
  return id;
}

Result<std::vector<InventoryMove>> Effects::inventory_moves(std::string_view model, Id shipment) {
  TRY_ASSIGN(const json::Array rows, rpc_.read(model, {shipment}, {"inventory_moves"}));
  if (rows.empty()) return fail(Errc::conflict, "the shipment is gone");
  TRY_ASSIGN(json::Array found,
             rpc_.read(move_model, ids_at(rows[0], "inventory_moves"), move_fields()));
  std::vector<InventoryMove> moves;
  for (Value& row : found) {
    if (text_at(row, "/state") == "cancelled") continue;
    TRY(round_quantities(row));
    TRY_ASSIGN(const Decimal quantity, quantity_of(row));
    moves.push_back({.id = id_of(row),
                     .product = id_at(row, "product"),
                     .unit = id_at(row, "uom"),
                     .bin = id_at(row, "from_location"),
                     .lot = id_at(row, "lot"),
                     .quantity = quantity,
                     .origin = referred(text_at(row, "/origin")),
                     .to = id_at(row, "to_location"),
                     .state = text_at(row, "/state")});
  }
  std::sort(moves.begin(), moves.end(),
            [](const InventoryMove& a, const InventoryMove& b) { return a.id < b.id; });
  return moves;
}

// From waiting or assigned to picked, with exactly what was picked.
Result<void> Effects::pick(Id shipment, const Value& document) {
  const bool as_planned = document.find("lines") == nullptr;
  std::vector<Pick> picks;
  if (!as_planned) {
    TRY_ASSIGN(const std::vector<Line> lines, lines_of(document, "/location"));
    for (const Line& line : lines)
      picks.push_back({line.product, line.item, line.location, line.lot, line.quantity});
  }
  TRY_ASSIGN(std::vector<InventoryMove> present, inventory_moves(outgoing, shipment));
  if (!as_planned && !fits(picks, present)) {
    TRY(rewrite_moves(shipment, picks, present));
    TRY_ASSIGN(present, inventory_moves(outgoing, shipment));
  }
  // Taken from a bin is taken: the ERP's own level does not matter. Without a bin it looks for one.
  Ids taken;
  for (const InventoryMove& move : present) {
    const bool named = std::any_of(picks.begin(), picks.end(), [&move](const Pick& one_pick) {
      return one_pick.product == move.product && one_pick.bin == move.bin;
    });
    if (move.state == "draft" && named) taken.push_back(move.id);
  }
  TRY(rpc_.press(move_model, "assign", taken));
  TRY_ASSIGN(const std::string state, state_of(outgoing, shipment));
  if (state != "assigned") {
    TRY_ASSIGN(const Value assigned, rpc_.press(outgoing, "assign_try", {shipment}));
    if (!is_true(assigned)) return fail(Errc::conflict, "the ERP has too little stock to assign");
  }
  TRY(post(outgoing, shipment, "inventory_moves"));
  TRY(rpc_.press(outgoing, "pick", {shipment}));
  return {};
}

Result<void> Effects::rewrite_moves(Id shipment, const std::vector<Pick>& picks,
                                    const std::vector<InventoryMove>& present) {
  TRY_ASSIGN(const json::Array rows, rpc_.read(outgoing, {shipment}, {"outgoing_moves"}));
  TRY_ASSIGN(json::Array rows_out,
             rpc_.read(move_model, ids_at(rows[0], "outgoing_moves"), move_fields()));
  std::vector<Wanted> wanted;
  for (Value& row : rows_out) {
    if (!is_open(row)) continue;
    TRY(round_quantities(row));
    TRY_ASSIGN(const Decimal quantity, quantity_of(row));
    wanted.push_back({id_of(row), id_at(row, "product"), id_at(row, "uom"), quantity});
  }
  TRY_ASSIGN(const std::vector<InventoryMove> needed, allocate(picks, wanted, present));
  Ids old, left;
  for (const InventoryMove& move : present) {
    if (move.state == "done")
      return fail(Errc::forbidden, "something else than was picked is posted already");
    if (move.state != "draft") old.push_back(move.id);
    if (std::none_of(needed.begin(), needed.end(),
                     [&move](const InventoryMove& need) { return need.id == move.id; }))
      left.push_back(move.id);
  }
  TRY(rpc_.press(move_model, "draft", old));
  TRY_ASSIGN(const Id company, rpc_.company());
  Value changes = Value::array();
  for (const InventoryMove& need : needed) {
    Value values =
        object({{"from_location", integer(need.bin)}, {"quantity", quantity(need.quantity)}});
    set_lot(values, need.lot);
    if (need.id != 0) {
      changes.items().push_back(list({text("write"), ids({need.id}), std::move(values)}));
      continue;
    }
    values.set("product", integer(need.product));
    values.set("uom", integer(need.unit));
    values.set("to_location", integer(need.to));
    values.set("origin", reference_to(move_model, need.origin));
    values.set("company", integer(company));
    changes.items().push_back(list({text("create"), list({std::move(values)})}));
  }
  if (!left.empty()) changes.items().push_back(list({text("delete"), ids(left)}));
  return rpc_.write(outgoing, {shipment}, object({{"inventory_moves", std::move(changes)}}));
}

}  // namespace mainstay::adapters::tryton
