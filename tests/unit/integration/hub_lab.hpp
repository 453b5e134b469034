// A cluster and a counterpart in memory for tests of the hub's workers: every call can be the last
// one of a worker's life.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/integration/adapter.hpp"
#include "runtime/integration/definition.hpp"
#include "runtime/integration/hub.hpp"
#include "runtime/integration/hub_port.hpp"
#include "runtime/integration/rows.hpp"
#include "runtime/integration/tenure.hpp"
#include "runtime/record/memory_state.hpp"
#include "runtime/record/state_machine.hpp"

namespace mainstay::integration {

// What ends a worker at the call it makes: thrown, as nothing that it does later happens.
struct Killed {};

// When the next kill is due: counted down by every call that could be the last.
class Executioner {
 public:
  // Never.
  static constexpr std::uint64_t spared = UINT64_MAX;

  void kill_after(std::uint64_t calls) { left_ = calls; }
  void point() {
    if (left_ == spared) return;
    if (left_ == 0) {
      left_ = spared;
      throw Killed{};
    }
    --left_;
  }

 private:
  std::uint64_t left_ = spared;
};

class LabHub final : public HubPort {
 public:
  explicit LabHub(Executioner& executioner) : executioner_{executioner} {
    for (const auto& collection : hub_collections())
      declare(collection.name, collection.declaration);
  }

  void declare(const std::string& name, const std::string& declaration = "{}") {
    record::Action action;
    action.kind = record::ActionKind::declare;
    action.collection = record::system_collection::collections;
    action.key = name;
    action.value = Bytes{declaration};
    const auto outcome = run(record::single(std::move(action)));
    ASSERT_MSG(!outcome.refused, "the lab declares well");
  }

  // Begins a tenure: whoever had one before is fenced.
  Tenure begin(const std::string& adapter) {
    PlacementRow row;
    row.adapter = adapter;
    row.node = 1;
    row.boot = "b";
    row.epoch = ++epoch_;
    run(record::single(put_action(hub::adapters, adapter, to_value(row))));
    return {adapter, epoch_};
  }

  Result<record::Outcome> commit(record::Command command) override {
    executioner_.point();
    if (const auto valid = validate(command); !valid) return Failure{valid.error()};
    const auto outcome = run(std::move(command));
    executioner_.point();  // done, and nobody was told
    return outcome;
  }
  Result<std::shared_ptr<const record::StateReader>> view() override {
    executioner_.point();
    return std::shared_ptr<const record::StateReader>{std::shared_ptr<void>{}, &state};
  }
  Result<record::Revision> wait(record::Revision, Millis most) override {
    advance(most);
    return state.counters().revision;
  }
  WallTime wall() const override { return WallTime{now_}; }
  MonotonicTime monotonic() const override { return MonotonicTime{now_}; }
  void advance(Millis time) { now_ += time; }

  // As the gateway does before it takes a command.
  Result<void> validate(record::Command command) {
    if (command.operation.empty()) command.operation = "any";
    return record::validate(command);
  }
  record::Outcome run(record::Command command) {
    if (command.operation.empty()) command.operation = "op-" + std::to_string(++operations_);
    const record::LogBatch batch{
        static_cast<std::uint64_t>(std::chrono::duration_cast<Millis>(now_).count()),
        {{NodeId{1}, BootId{1}, 1, {std::move(command)}}}};
    return record::apply(state, declarations_, state.counters().applied_index + 1, 1, batch,
                         {window_ms})
        .at(0)
        .outcomes.at(0);
  }
  // As somebody else writes, say the API.
  void put(const std::string& collection, const std::string& key, const std::string& value) {
    record::Action action;
    action.collection = collection;
    action.key = key;
    action.value = Bytes{value};
    const auto outcome = run(record::single(std::move(action)));
    ASSERT_MSG(!outcome.refused, "the lab writes well");
  }

  std::optional<json::Value> value(const std::string& collection, const std::string& key) const {
    return find_value(state, collection, key);
  }
  std::string text(const std::string& collection, const std::string& key,
                   const std::string& pointer) const {
    const auto found = value(collection, key);
    const json::Value* part = found ? json::find(*found, pointer) : nullptr;
    return part == nullptr ? "" : part->text();
  }
  std::size_t count(const std::string& collection) const {
    std::size_t count = 0;
    state.scan_records(collection, "", "", [&](std::string_view, const record::Record& record) {
      if (!record.tombstone) ++count;
      return true;
    });
    return count;
  }

  record::MemoryState state;
  std::uint64_t window_ms = 48ULL * 3600 * 1000;

 private:
  Executioner& executioner_;
  record::Declarations declarations_;
  std::chrono::nanoseconds now_{std::chrono::hours{24 * 20'000}};
  std::uint64_t operations_ = 0;
  std::uint64_t epoch_ = 0;
};

// A counterpart with a list of messages to give and a list of effects it took: no idempotency key,
// as the worst of them.
class LabCounterpart {
 public:
  std::vector<RawMessage> messages;
  // A key as often as it was carried out.
  std::vector<std::string> effects;
  std::function<EffectResult(const Effect&)> answer;  // instead of doing it
  std::string acknowledged;
  std::string asked_from;  // by the last fetch
  bool down = false;
  std::set<std::string> without_past;  // types that cannot be read again
  bool answers_questions = true;       // that change nothing
  int questions = 0;

  std::size_t times(const std::string& key) const {
    return static_cast<std::size_t>(std::count(effects.begin(), effects.end(), key));
  }
};

class LabAdapter final : public Adapter {
 public:
  LabAdapter(LabCounterpart& counterpart, Executioner& executioner)
      : counterpart_{counterpart}, executioner_{executioner} {}

  AdapterTraits traits() const override { return {true, true, false}; }

  Result<Page> fetch(const std::string& position, std::size_t messages_max) override {
    executioner_.point();
    if (counterpart_.down) return fail(Errc::unavailable, "connection refused");
    counterpart_.asked_from = position;
    return page(position, messages_max);
  }
  Result<std::vector<json::Value>> decode(const RawMessage& message) override {
    TRY_ASSIGN(json::Value value, json::parse(message.body));
    return std::vector<json::Value>{std::move(value)};
  }
  Result<void> acknowledge(const std::string& position) override {
    executioner_.point();
    counterpart_.acknowledged = position;
    return {};
  }
  EffectResult apply(const Effect& effect) override {
    executioner_.point();
    if (counterpart_.answer) return counterpart_.answer(effect);
    counterpart_.effects.push_back(effect.key);
    executioner_.point();  // it happened, and nobody was told
    return EffectResult::done(json::Value::string("receipt of " + effect.key));
  }
  Result<std::optional<json::Value>> lookup(const Effect& effect) override {
    executioner_.point();
    if (counterpart_.down) return fail(Errc::unavailable, "connection refused");
    if (counterpart_.times(effect.key) == 0) return std::optional<json::Value>{};
    return std::optional{json::Value::string("found " + effect.key)};
  }
  Result<void> probe() override {
    executioner_.point();
    if (!counterpart_.answers_questions) return Adapter::probe();
    ++counterpart_.questions;
    if (counterpart_.down) return fail(Errc::unavailable, "connection refused");
    return {};
  }
  Result<Page> backfill(const Range& range, const std::string& position,
                        std::size_t messages_max) override {
    executioner_.point();
    if (counterpart_.without_past.contains(range.type))
      return fail(Errc::invalid_argument, "no past of type '" + range.type + "'");
    Page all = page(position, messages_max);
    if (!range.type.empty())
      std::erase_if(all.messages, [&](const RawMessage& one) { return one.type != range.type; });
    return all;
  }

 private:
  Page page(const std::string& position, std::size_t messages_max) const {
    Page page;
    std::size_t at = position.empty() ? 0 : std::stoul(position);
    while (at < counterpart_.messages.size() && page.messages.size() < messages_max)
      page.messages.push_back(counterpart_.messages[at++]);
    page.position = std::to_string(at);
    page.more = at < counterpart_.messages.size();
    return page;
  }

  LabCounterpart& counterpart_;
  Executioner& executioner_;
};

inline std::shared_ptr<const Mapping> lab_mapping(const std::string& text) {
  auto mapping = Mapping::parse(json::parse(text).value());
  ASSERT_MSG(mapping, "the lab maps well");
  return *mapping;
}

// {"id":…,"state":…} -> orders/<id>; an order's change -> effect "ship/<key>/<version>"
inline AdapterDefinition lab_definition() {
  AdapterDefinition definition;
  definition.name = "erp";
  definition.kind = "lab";
  definition.source.emplace();
  definition.source->messages_max = 10;
  definition.source->types["order"] = lab_mapping(R"({
    "mapping": "order-in", "version": 1, "trace": "/id", "drop": ["/nonce"],
    "records": [{"collection": "orders", "key": {"$path": "/id", "required": true},
                 "sequence": "/seq",
                 "value": {"id": "/id", "state": {"$path": "/state", "required": true}}}]})");
  definition.exports.push_back({"orders", lab_mapping(R"({
    "mapping": "order-out", "version": 1, "trace": "/id",
    "effects": [{"type": "ship", "subject": "/id",
                 "key": {"$key": [{"$const": "ship"}, "/id", "/_record/version"]},
                 "document": {"id": "/id", "state": "/state"}}]})")});
  definition.effects.lanes = 2;
  return definition;
}

inline RawMessage order_message(const std::string& id, const std::string& version,
                                const std::string& state = "confirmed") {
  RawMessage message;
  message.id = id;
  message.version = version;
  message.type = "order";
  message.body = R"({"id":")" + id + R"(","seq":")" + version + R"(","state":")" + state + R"("})";
  return message;
}

}  // namespace mainstay::integration
