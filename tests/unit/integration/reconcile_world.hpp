// A cluster of one in memory and a counterpart that a test owns, for the tests of reconciliation.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/integration/hub.hpp"
#include "runtime/integration/reconcile.hpp"
#include "runtime/record/memory_state.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::integration {

inline json::Value parsed(std::string_view text) {
  return json::parse(text).value();
}

class MemoryPort final : public HubPort {
 public:
  Result<record::Outcome> commit(record::Command command) override {
    if (on_commit) on_commit(command);
    command.operation = "op-" + std::to_string(++made);
    record::LogBatch batch;
    batch.wall_millis = static_cast<std::uint64_t>(now.count());
    batch.batches.push_back({NodeId{1}, BootId{1}, 1, {std::move(command)}});
    return record::apply(*state, declarations, state->counters().applied_index + 1, 1, batch,
                         {1'000'000'000})
        .front()
        .outcomes.front();
  }
  Result<std::shared_ptr<const record::StateReader>> view() override {
    return std::shared_ptr<const record::StateReader>{state};
  }
  Result<record::Revision> wait(record::Revision, Millis most) override {
    now += most;
    if (on_wait) on_wait();
    return state->counters().revision;
  }
  WallTime wall() const override { return WallTime{} + now; }
  MonotonicTime monotonic() const override { return MonotonicTime{} + now; }

  std::shared_ptr<record::MemoryState> state = std::make_shared<record::MemoryState>();
  record::Declarations declarations;
  Millis now{1'700'000'000'000};
  std::function<void()> on_wait;
  std::function<void(const record::Command&)> on_commit;
  std::uint64_t made = 0;
};

// {"key":…,"value":…,"as":"put|merge|remove"} as it stands; {"bad":…} is refused.
class PlainMapping final : public Mapping {
 public:
  explicit PlainMapping(std::string collection) : collection_{std::move(collection)} {}
  const std::string& name() const override { return collection_; }
  std::uint64_t version() const override { return 1; }
  Result<Mapped> apply(const json::Value& document, const MapContext&) const override {
    if (document.find("bad") != nullptr) return fail(Errc::invalid_argument, "at '/bad': no");
    MappedRecord record;
    record.collection = collection_;
    record.key = document.find("key")->text();
    if (const json::Value* value = document.find("value")) record.value = *value;
    if (const json::Value* as = document.find("as"))
      record.operation =
          as->text() == "merge" ? MappedRecord::Operation::merge : MappedRecord::Operation::remove;
    return Mapped{{std::move(record)}, {}, "", {}};
  }

 private:
  std::string collection_;
};

// What the counterpart holds: documents by its own ids.
class Counterpart final : public Adapter {
 public:
  AdapterTraits traits() const override { return {true, true, idempotent}; }
  Result<std::vector<json::Value>> decode(const RawMessage& message) override {
    TRY_ASSIGN(json::Value value, json::parse(message.body));
    return std::vector{std::move(value)};
  }
  Result<ObservedPage> observe(const std::string& kind, const std::string& after) override {
    kinds.push_back(kind);
    if (failure) return Failure{*failure};
    ObservedPage page;
    for (auto at = things.upper_bound(after); at != things.end(); ++at) {
      if (page.items.size() == 3) {
        page.next = page.items.back().id;
        break;
      }
      page.items.push_back({at->first, at->second});
    }
    return page;
  }

  void put(const std::string& id, const std::string& key, const std::string& value) {
    things[id] = parsed(R"({"key":")" + key + R"(","value":)" + value + "}");
  }

  std::map<std::string, json::Value> things;
  std::vector<std::string> kinds;
  std::optional<Error> failure;
  bool idempotent = false;
};

struct ReconcileWorld {
  ReconcileWorld() {
    for (const DeclaredCollection& each : hub_collections()) declare(each.name, each.declaration);
    declare("orders", "{}");
    declare("stock", R"({"kind":"ledger","ledger":{"dimensions":["item","location","lot"],)"
                     R"("scale":3}})");
    definition.name = "wms";
    ReconcileDefinition orders;
    orders.name = "orders";
    orders.kind = "order";
    orders.collection = "orders";
    orders.mapping = std::make_shared<PlainMapping>("orders");
    definition.reconciles.push_back(orders);
    definition.source.emplace();
    definition.source->types["order"] = orders.mapping;
    definition.source->types["move"] = std::make_shared<PlainMapping>("stock");
    put(hub::adapters, "wms", R"({"adapter":"wms","node":1,"epoch":7})");
    pass(Millis{60'000});
  }

  void pass(Millis time) { port.now += time; }
  void commit(record::ActionKind kind, const std::string& collection, const std::string& key,
              const std::string& value = "") {
    record::Action action{kind, collection, key, value.empty() ? Bytes{} : Bytes{value}};
    const auto outcome = port.commit(record::single(std::move(action))).value();
    ASSERT_MSG(!outcome.refused, outcome.detail.c_str());
    // Indexes are built with the entries that follow.
    record::apply_nothing(*port.state, port.declarations, port.state->counters().applied_index + 1,
                          1, {1'000'000'000});
  }
  void declare(const std::string& name, const std::string& declaration) {
    commit(record::ActionKind::declare, record::system_collection::collections, name, declaration);
  }
  void put(const std::string& collection, const std::string& key, const std::string& value) {
    commit(record::ActionKind::put, collection, key, value);
  }
  void remove(const std::string& collection, const std::string& key) {
    commit(record::ActionKind::remove, collection, key);
  }
  void move(const std::string& id, const std::string& quantity, const std::string& item,
            const std::string& from, const std::string& to, const std::string& lot = "L") {
    commit(record::ActionKind::post, "stock", id,
           R"({"quantity":")" + quantity + R"(","item":")" + item + R"(","lot":")" + lot +
               R"(","from":{"location":")" + from + R"("},"to":{"location":")" + to + R"("}})");
  }
  // The same order on both sides.
  void both(const std::string& key, const std::string& value) {
    put("orders", key, value);
    there.put("id-" + key, key, value);
  }
  void effect(const std::string& key, const std::string& source_collection,
              const std::string& source_key, EffectState state, std::uint64_t revision = 1) {
    EffectRow row;
    row.adapter = "wms", row.key = key, row.type = "order", row.subject = source_key;
    row.state = state, row.attempt = 1;
    row.source_collection = source_collection, row.source_key = source_key;
    row.source_revision = revision;
    put(hub::effects, effect_key("wms", key), json::to_text(to_value(row)));
  }

  ReconcileDefinition& what() { return definition.reconciles.front(); }
  Reconciler worker() { return Reconciler{definition, Tenure{"wms", epoch}, there, port}; }
  Result<ReconciliationRow> run() { return worker().run(what()); }
  std::optional<json::Value> row(const std::string& collection, const std::string& key) {
    return find_value(*port.state, collection, key);
  }
  // kind and key of the discrepancies in this state.
  std::map<std::string, std::string> found(const std::string& state = "open") {
    std::map<std::string, std::string> found;
    port.state->scan_records(
        hub::discrepancies, "", "", [&](std::string_view, const record::Record& record) {
          const auto row = discrepancy_row(parsed(record.value.view())).value();
          if (row.state == state) found[row.difference.key] = to_string(row.difference.kind);
          return true;
        });
    return found;
  }

  MemoryPort port;
  Counterpart there;
  AdapterDefinition definition;
  std::uint64_t epoch = 7;
};

}  // namespace mainstay::integration
