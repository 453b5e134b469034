#include <algorithm>

#include "actors/adapters/tryton/effect_documents.hpp"
#include "actors/adapters/tryton/effects.hpp"

namespace mainstay::adapters::tryton {

using integration::Effect;
using json::Type;
using json::Value;

// --- production ---

// {"id", "number", "state", "posted", …}: what of the product is posted already.
Result<Value> Effects::production(const Value& document) {
  TRY_ASSIGN(const std::string number, required(document, "/order"));
  TRY_ASSIGN(const Id id, one("production", list({clause("number", "=", text(number))}),
                              "production order " + number));
  TRY_ASSIGN(const json::Array rows, rpc_.read("production", {id},
                                               {"number", "state", "product", "uom.digits",
                                                "quantity", "outputs", "_timestamp"}));
  if (rows.empty()) return fail(Errc::conflict, "the production order is gone");
  Value order = rows[0];
  TRY(round_quantities(order));
  TRY_ASSIGN(json::Array outputs, rpc_.read(move_model, ids_at(order, "outputs"), move_fields()));
  Decimal posted;
  for (Value& move : outputs) {
    if (text_at(move, "/state") != "done" || id_at(move, "product") != id_at(order, "product"))
      continue;
    TRY(round_quantities(move));
    TRY_ASSIGN(const Decimal quantity, quantity_of(move));
    TRY_ASSIGN(posted, posted.plus(quantity));
  }
  order.set("posted", Value::number(posted.to_string()));
  order.set("model", text("production"));
  return order;
}

Effects::Receipt Effects::report_production(const Effect& effect) {
  TRY_ASSIGN(const Decimal good, amount(effect.document, "/good"));
  const bool last = flag(effect.document, "final");
  for (std::size_t step = 0; step < steps_max; ++step) {
    TRY_ASSIGN(const Value order, production(effect.document));
    TRY_ASSIGN(const Decimal posted, Decimal::parse(text_at(order, "/posted")));
    const std::string state = text_at(order, "/state");
    const Id id = id_of(order);
    if (posted >= good && (!last || state == "done")) return order;
    if (state == "draft") {
      TRY(rpc_.press("production", "wait", {id}));
    } else if (state == "waiting") {
      TRY_ASSIGN(const Value assigned, rpc_.press("production", "assign_try", {id}));
      if (!is_true(assigned))
        return fail(Errc::conflict, "the ERP has too little stock for the order");
    } else if (state == "assigned") {
      TRY(rpc_.press("production", "run", {id}));
    } else if (state == "running" && posted < good) {
      TRY(post_output(order, good));
    } else if (state == "running") {
      TRY(finish_production(id));
    } else {
      return fail(Errc::forbidden, "the production order is " + state + " and " +
                                       posted.to_string() + " are posted, not " + good.to_string());
    }
  }
  return fail(Errc::conflict, "the production order does not reach its end");
}

// One open output with what is new, one with the rest, in one transaction; then the first is
// posted.
Result<void> Effects::post_output(const Value& order, const Decimal& good) {
  const Id product = id_at(order, "product");
  TRY_ASSIGN(json::Array outputs, rpc_.read(move_model, ids_at(order, "outputs"), move_fields()));
  std::vector<Value> open;
  Value pattern;
  for (Value& move : outputs) {
    if (id_at(move, "product") != product) continue;
    pattern = move;
    if (is_open(move)) open.push_back(move);
  }
  if (pattern.is(Type::null)) return fail(Errc::forbidden, "the production order has no output");
  std::sort(open.begin(), open.end(),
            [](const Value& a, const Value& b) { return id_of(a) < id_of(b); });
  TRY_ASSIGN(const Decimal planned, quantity_of(order));
  TRY_ASSIGN(const Decimal posted, Decimal::parse(text_at(order, "/posted")));
  TRY_ASSIGN(const Decimal now, good.minus(posted));
  TRY_ASSIGN(const Decimal rest, planned.minus(good));
  TRY_ASSIGN(const Id company, rpc_.company());

  Value changes = Value::array();
  const auto want = [&](std::size_t place, const Decimal& amount) {
    if (place < open.size()) {
      changes.items().push_back(list(
          {text("write"), ids({id_of(open[place])}), object({{"quantity", quantity(amount)}})}));
      return;
    }
    Value values = object({{"product", integer(product)},
                           {"uom", integer(id_at(pattern, "uom"))},
                           {"quantity", quantity(amount)},
                           {"from_location", integer(id_at(pattern, "from_location"))},
                           {"to_location", integer(id_at(pattern, "to_location"))},
                           {"company", integer(company)}});
    if (const Id currency = id_at(pattern, "currency"); currency != 0) {
      values.set("currency", integer(currency));
      values.set("unit_price",
                 money(Decimal::parse(text_at(pattern, "/unit_price")).value_or(Decimal{})));
    }
    changes.items().push_back(list({text("create"), list({std::move(values)})}));
  };
  want(0, now);
  Ids left;
  if (rest > Decimal{}) want(1, rest);
  for (std::size_t i = rest > Decimal{} ? 2 : 1; i < open.size(); ++i)
    left.push_back(id_of(open[i]));
  if (!left.empty()) changes.items().push_back(list({text("delete"), ids(left)}));
  TRY(rpc_.write("production", {id_of(order)}, object({{"outputs", std::move(changes)}})));

  if (!open.empty()) {
    TRY(rpc_.press(move_model, "do", {id_of(open[0])}));
    return {};
  }
  // The new one: the open one of exactly this amount, which the next step finds first.
  TRY_ASSIGN(const json::Array again, rpc_.read("production", {id_of(order)}, {"outputs"}));
  TRY_ASSIGN(const json::Array all,
             rpc_.read(move_model, ids_at(again.at(0), "outputs"), move_fields()));
  Id lowest = 0;
  for (const Value& move : all)
    if (id_at(move, "product") == product && is_open(move) && (lowest == 0 || id_of(move) < lowest))
      lowest = id_of(move);
  TRY(rpc_.press(move_model, "do", lowest == 0 ? Ids{} : Ids{lowest}));
  return {};
}

// No more will come: what is still planned is dropped, operations end.
Result<void> Effects::finish_production(Id id) {
  TRY_ASSIGN(const json::Array rows, rpc_.read("production", {id}, {"product", "outputs"}));
  TRY_ASSIGN(const json::Array outputs,
             rpc_.read(move_model, ids_at(rows.at(0), "outputs"), move_fields()));
  Ids left;
  for (const Value& move : outputs)
    if (is_open(move) && id_at(move, "product") == id_at(rows[0], "product"))
      left.push_back(id_of(move));
  if (!left.empty())
    TRY(rpc_.write("production", {id},
                   object({{"outputs", list({list({text("delete"), ids(left)})})}})));
  TRY_ASSIGN(const Value fields, rpc_.call("production", "fields_get", {Value::array()}));
  if (fields.is(Type::object) && fields.find("works") != nullptr) {
    TRY_ASSIGN(const json::Array works,
               rpc_.search_read("production.work", list({clause("production", "=", integer(id))}),
                                {"state"}));
    for (const Value& work : works) {
      const std::string state = text_at(work, "/state");
      if (state == "finished" || state == "done") continue;
      if (state != "running") TRY(rpc_.press("production.work", "start", {id_of(work)}));
      TRY(rpc_.press("production.work", "stop", {id_of(work)}));
    }
  }
  TRY(rpc_.press("production", "done", {id}));
  return {};
}

}  // namespace mainstay::adapters::tryton
