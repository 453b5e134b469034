// What the ERP shall do, once. It has no idempotency keys: whatever is made carries the effect's
// key as its reference and is looked for before it is made; then its state decides what is still
// to do. So every effect may be repeated, from the beginning, at any time, by one writer. Reports
// of production carry sums, not differences, and are compared with what is posted.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/adapters/tryton/json_rpc.hpp"
#include "actors/adapters/tryton/picking.hpp"
#include "runtime/integration/adapter.hpp"

namespace mainstay::adapters::tryton {

struct EffectsOptions {
  std::string reference_prefix = "HUB:";
  std::size_t moves_max = 20;  // posted in one call: the ERP takes more than linear time
};

class Effects {
 public:
  // `rpc` must outlive this.
  Effects(JsonRpc& rpc, EffectsOptions options);

  integration::EffectResult apply(const integration::Effect& effect);
  Result<std::optional<json::Value>> lookup(const integration::Effect& effect);

 private:
  using Receipt = Result<json::Value>;
  struct Line {
    std::string item;
    Id product = 0;
    Id unit = 0;
    Id location = 0;
    Id lot = 0;
    Decimal quantity;
  };

  Receipt carry_out(const integration::Effect& effect);
  Receipt ship(const integration::Effect& effect);
  Receipt transfer(const integration::Effect& effect);
  Receipt count(const integration::Effect& effect);
  Receipt receive(const integration::Effect& effect);
  Receipt report_production(const integration::Effect& effect);
  Receipt enter_order(const integration::Effect& effect);

  // --- shipments ---
  Result<Id> claim_shipment(const integration::Effect& effect);
  Result<void> pick(Id shipment, const json::Value& document);
  Result<void> rewrite_moves(Id shipment, const std::vector<Pick>& picks,
                             const std::vector<InventoryMove>& present);
  Result<std::vector<InventoryMove>> inventory_moves(std::string_view model, Id shipment);
  // --- receipts ---
  Result<Id> make_receipt(const integration::Effect& effect);
  Result<void> set_received(Id receipt, const json::Value& document);
  Result<void> put_away(Id receipt, const json::Value& document);
  // --- production ---
  Result<json::Value> production(const json::Value& document);
  Result<void> post_output(const json::Value& production, const Decimal& good);
  Result<void> finish_production(Id production);
  // --- orders ---
  Result<json::Value> order_values(const integration::Effect& effect);
  Result<json::Value> order_line(const json::Value& head, const Line& line,
                                 const json::Value& said);

  // --- what all need ---
  std::string reference(const integration::Effect& effect) const;
  // The one thing with this reference; nothing: there is none.
  Result<std::optional<Id>> find(std::string_view model, const integration::Effect& effect);
  Result<std::string> state_of(std::string_view model, Id id);
  Receipt receipt_of(std::string_view model, Id id);
  Result<void> post(std::string_view model, Id id, std::string_view link);
  Result<std::vector<Line>> lines_of(const json::Value& document, std::string_view place);
  Result<Line> line_of(const json::Value& line, std::string_view place);
  Result<Id> one(std::string_view model, json::Value domain, const std::string& what);
  Result<Id> location(const std::string& code);
  Result<Id> lot(const std::string& number, Id product);

  JsonRpc& rpc_;
  const EffectsOptions options_;
};

}  // namespace mainstay::adapters::tryton
