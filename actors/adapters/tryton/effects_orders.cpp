#include "actors/adapters/tryton/effect_documents.hpp"
#include "actors/adapters/tryton/effects.hpp"

namespace mainstay::adapters::tryton {

using integration::Effect;
using json::Type;
using json::Value;

// --- new orders ---

Effects::Receipt Effects::enter_order(const Effect& effect) {
  TRY_ASSIGN(auto order, find(sale, effect));
  if (!order) {
    TRY_ASSIGN(Value values, order_values(effect));
    TRY_ASSIGN(order, rpc_.create(sale, std::move(values)));
  }
  for (std::size_t step = 0; step < steps_max; ++step) {
    TRY_ASSIGN(const std::string state, state_of(sale, *order));
    if (is_over("order", state)) return receipt_of(sale, *order);
    if (state == "draft") {
      TRY(rpc_.press(sale, "quote", {*order}));
    } else if (state == "quotation") {
      TRY(rpc_.press(sale, "confirm", {*order}));
    } else {
      return fail(Errc::forbidden, "the order is " + state + " in the ERP");
    }
  }
  return fail(Errc::conflict, "the order does not reach its end");
}

// The ERP itself says what follows from the customer: addresses, terms.
Result<Value> Effects::order_values(const Effect& effect) {
  const Value& document = effect.document;
  TRY_ASSIGN(const std::string customer, required(document, "/customer"));
  TRY_ASSIGN(const Id party, one("party.party", list({clause("code", "=", text(customer))}),
                                 "customer " + customer));
  TRY_ASSIGN(const Id company, rpc_.company());
  TRY_ASSIGN(const json::Array companies, rpc_.read("company.company", {company}, {"currency"}));
  Id currency = companies.empty() ? 0 : id_at(companies[0], "currency");
  if (const std::string code = text_at(document, "/currency"); !code.empty()) {
    TRY_ASSIGN(currency, one("currency.currency", list({clause("code", "=", text(code))}),
                             "currency " + code));
  }
  Value head = object(
      {{"party", integer(party)}, {"company", integer(company)}, {"currency", integer(currency)}});
  TRY_ASSIGN(const Value follows, rpc_.call(sale, "on_change", {head, list({text("party")})}));
  const Value* changed =
      follows.is(Type::array) && !follows.items().empty() ? &follows.items()[0] : &follows;
  for (const std::string_view name : {"invoice_address", "shipment_address", "payment_term"})
    if (const Id id = id_at(*changed, name); id != 0) head.set(std::string{name}, integer(id));
  if (head.find("payment_term") == nullptr) {
    TRY_ASSIGN(const Ids terms, rpc_.search("account.invoice.payment_term", Value::array(), 1));
    if (!terms.empty()) head.set("payment_term", integer(terms[0]));
  }
  TRY_ASSIGN(const Ids warehouses,
             rpc_.search("stock.location", list({clause("type", "=", text("warehouse"))}), 1));
  if (!warehouses.empty()) head.set("warehouse", integer(warehouses[0]));
  TRY_ASSIGN(const std::vector<Line> lines, lines_of(document, ""));
  const json::Array said = lines_in(document);
  Value rows = Value::array();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    TRY_ASSIGN(Value row, order_line(head, lines[i], said[i]));
    row.set("sequence", integer(static_cast<std::int64_t>(i + 1) * 10));
    rows.items().push_back(std::move(row));
  }
  head.set("reference", text(reference(effect)));
  head.set("invoice_method", text("order"));
  head.set("shipment_method", text("order"));
  if (const std::string words = text_at(document, "/customer_reference"); !words.empty())
    head.set("description", text(words));
  if (const std::string day = text_at(document, "/date"); is_date(day))
    head.set("sale_date", date(day));
  head.set("lines", list({list({text("create"), std::move(rows)})}));
  return head;
}

Result<Value> Effects::order_line(const Value& head, const Line& line, const Value& said) {
  Value values = object({{"type", text("line")},
                         {"product", integer(line.product)},
                         {"quantity", quantity(line.quantity)},
                         {"unit", integer(line.unit)}});
  if (const std::string price = text_at(said, "/price"); !price.empty()) {
    TRY_ASSIGN(const Decimal exact, Decimal::parse(price));
    values.set("unit_price", money(exact));
    return values;
  }
  Value asked = values;
  asked.set("sale", Value{});
  asked.set("_parent_sale.party", integer(id_at(head, "party")));
  asked.set("_parent_sale.currency", integer(id_at(head, "currency")));
  TRY_ASSIGN(const Value follows, rpc_.call("sale.line", "on_change",
                                            {asked, list({text("product"), text("quantity")})}));
  const Value* changed =
      follows.is(Type::array) && !follows.items().empty() ? &follows.items()[0] : &follows;
  const std::string price = text_at(*changed, "/unit_price");
  if (price.empty())
    return fail(Errc::invalid_argument,
                "the ERP has no price for " + line.item + ", and the order says none");
  TRY_ASSIGN(const Decimal exact, Decimal::parse(price));
  values.set("unit_price", money(exact));
  return values;
}

}  // namespace mainstay::adapters::tryton
