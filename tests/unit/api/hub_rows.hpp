// Rows of the integration hub in a fake backend, as its workers write them.
#pragma once

#include <string>

#include "runtime/integration/comparison.hpp"
#include "runtime/integration/heartbeat.hpp"
#include "runtime/integration/hub.hpp"
#include "runtime/integration/rows.hpp"
#include "tests/unit/api/fake_backend.hpp"

namespace mainstay::api {

inline void put_row(FakeBackend& backend, const char* collection, const std::string& key,
                    const json::Value& value) {
  record::Action action = integration::put_action(collection, key, value);
  record::Command command = record::single(std::move(action));
  command.operation = "row-" + std::to_string(++backend.declared);
  const auto outcome = backend.apply(std::move(command));
  ASSERT_MSG(!outcome.refused, outcome.detail.c_str());
}

inline json::Value row_of(FakeBackend& backend, const char* collection, const std::string& key) {
  return integration::find_value(*backend.state, collection, key).value_or(json::Value{});
}

inline integration::EffectRow effect_named(const std::string& key, const std::string& record_key,
                                           integration::EffectState state) {
  integration::EffectRow row;
  row.adapter = "wms", row.key = key, row.type = "order", row.subject = record_key;
  row.trace = record_key, row.state = state, row.attempt = 1;
  row.document = json::Value::object();
  row.source_collection = "orders", row.source_key = record_key;
  row.created = "2026-01-01T00:00:02.000Z", row.sent = "2026-01-01T00:00:03.000Z";
  if (!is_open(state)) row.finished = "2026-01-01T00:00:04.000Z";
  return row;
}

inline void put_effect(FakeBackend& backend, const integration::EffectRow& row) {
  put_row(backend, integration::hub::effects, integration::effect_key(row.adapter, row.key),
          to_value(row));
}

inline void put_letter(FakeBackend& backend, const std::string& direction, const std::string& id,
                       const std::string& kind = "refused", const std::string& state = "parked") {
  integration::LetterRow row;
  row.adapter = "wms", row.direction = direction, row.id = id, row.type = "order";
  row.subject = row.trace = "A-1", row.kind = kind, row.reason = "no such item";
  row.body = "{\"number\":\"A-1\"}", row.content_type = "application/json";
  row.first = row.last = "2026-01-01T00:00:05.000Z", row.state = state;
  put_row(backend, integration::hub::letters, integration::letter_key("wms", direction, id),
          to_value(row));
}

// Adapter wms, which ran at node 3, with something of everything; erp is defined, not placed.
inline void fill_hub(FakeBackend& backend) {
  namespace hub = integration::hub;
  for (const auto& each : integration::hub_collections())
    backend.declare(each.name, each.declaration);
  integration::PlacementRow placed;
  placed.adapter = "wms", placed.node = 3, placed.boot = "b3", placed.epoch = 7;
  placed.since = "2026-01-01T00:00:00.000Z";
  put_row(backend, hub::adapters, "wms", to_value(placed));
  for (const std::uint64_t node : {2, 3}) {
    integration::NodeRow row;
    row.node = node, row.boot = "b" + std::to_string(node);
    row.adapters = {{"wms", "postgres", "h" + std::to_string(node)}};
    if (node == 3) row.adapters.push_back({"erp", "tryton", "e"});
    put_row(backend, hub::nodes, std::to_string(node), to_value(row));
  }
  put_row(
      backend, hub::positions, "wms/source",
      json::parse(R"({"adapter":"wms","position":"17","at":"2026-01-01T00:00:01.000Z"})").value());
  integration::InboxRow came;
  came.adapter = "wms", came.id = "o-1", came.version = "1", came.type = "order";
  came.subject = came.trace = "A-1", came.at = "2026-01-01T00:00:01.000Z";
  came.mapping = "order@1", came.hash = "h", came.records = {{"orders", "A-1"}};
  put_row(backend, hub::inbox, integration::inbox_key("wms", "o-1", "1"), to_value(came));
  using integration::EffectState;
  put_effect(backend, effect_named("order/A-1", "A-1", EffectState::acknowledged));
  put_effect(backend, effect_named("order/A-2", "A-2", EffectState::unknown));
  put_effect(backend, effect_named("order/A-3", "A-3", EffectState::parked));
  put_letter(backend, "in", "order-17");
  put_letter(backend, "out", "order/A-3");
  integration::ReconciliationRow totals;
  totals.adapter = "wms", totals.name = "orders", totals.compared = 10, totals.equal = 9;
  totals.open = 1, totals.accuracy = "0.9", totals.cut = totals.last_run = came.at;
  put_row(backend, hub::reconciliations, "wms/orders", to_value(totals));
  integration::PathRow lane;
  lane.adapter = "wms", lane.path = "lane-0", lane.every_ms = 10'000;
  lane.since = "2023-11-14T22:00:00.000Z", lane.sent = "2023-11-14T22:00:10.000Z";
  lane.arrived = "2023-11-14T22:00:12.000Z", lane.breaker = "open", lane.trouble = "refused";
  put_row(backend, hub::paths, "wms/lane-0", to_value(lane));
  integration::DiscrepancyRow differs;
  differs.adapter = "wms", differs.name = "orders", differs.first = differs.last = came.at;
  differs.difference = {integration::DifferenceKind::differs,
                        "A-1",
                        "o-1",
                        {{"/n", json::Value::number("1"), json::Value{}}}};
  put_row(backend, hub::discrepancies, integration::discrepancy_key("wms", "orders", "A-1"),
          to_value(differs));
  differs.difference.key = "A-2", differs.state = "resolved";
  put_row(backend, hub::discrepancies, integration::discrepancy_key("wms", "orders", "A-2"),
          to_value(differs));
  backend.tick();
}

}  // namespace mainstay::api
