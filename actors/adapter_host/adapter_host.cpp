#include "actors/adapter_host/adapter_host.hpp"

#include <utility>

#include <caf/send.hpp>
#include <fmt/format.h>

#include "actors/adapter_host/adapter_metrics.hpp"
#include "actors/kit/errors.hpp"
#include "actors/kit/supervisor.hpp"
#include "runtime/base/log.hpp"
#include "runtime/integration/heartbeat.hpp"
#include "runtime/integration/hub.hpp"
#include "runtime/integration/release.hpp"
#include "runtime/integration/rows.hpp"

namespace mainstay::adapter_host {

namespace {

using integration::NodeRow;
using integration::PlacementRow;
namespace hub = integration::hub;

constexpr Millis tick{100};
// A new leader has not heard everybody yet.
constexpr Millis leader_grace{700};
// After an adapter's supervisor gave up.
constexpr Millis start_again_after{5'000};
constexpr Millis show_every{1'000};
constexpr Millis trim_every{60'000};
// Of all workers together, when the node stops.
constexpr Millis stop_max{1'500};

record::Command declaration_of(const integration::DeclaredCollection& collection) {
  record::Action action;
  action.kind = record::ActionKind::declare;
  action.collection = record::system_collection::collections;
  action.key = collection.name;
  action.value = Bytes{collection.declaration};
  return record::single(std::move(action));
}

// Puts the row if its record is still as it was seen.
record::Command guarded_put(const record::StateReader& view, const char* collection,
                            const std::string& key, const json::Value& value) {
  const auto before = view.find_record(collection, key);
  record::Condition condition;
  if (before && !before->tombstone)
    condition.version_is = before->version;
  else
    condition.must_be_absent = true;
  return record::single(integration::put_action(collection, key, value), std::move(condition));
}

}  // namespace

AdapterHost::AdapterHost(caf::actor_config& config, HostParts parts)
    : caf::event_based_actor{config},
      parts_{std::move(parts)},
      boot_text_{fmt::format("{:016x}", parts_.boot.value)},
      port_{*parts_.backend, *parts_.clock, stopping_} {}

caf::behavior AdapterHost::make_behavior() {
  kit::route_errors(*this, "adapter_host");
  set_exit_handler([this](const caf::exit_msg& request) { on_exit_request(request); });
  set_down_handler([this](const caf::down_msg& down) { on_down(down); });
  send(this, HostTick{});
  return {
      [this](HostTick) { on_host_tick(); },
      [this](StopDeadline) { on_stop_deadline(); },
  };
}

void AdapterHost::on_host_tick() {
  if (quitting_) return;
  delayed_send(this, tick, HostTick{});
  if (!parts_.backend->started()) return;
  show_heartbeats();
  const auto looked = look();
  const std::string trouble = looked ? "" : to_string(looked.error());
  if (trouble != trouble_ && !trouble.empty())
    log_warn("adapter_host", "cannot look after the adapters: {}", trouble);
  trouble_ = trouble;
}

Result<void> AdapterHost::look() {
  const api::ClusterView cluster = parts_.backend->cluster();
  TRY_ASSIGN(auto view, port_.view());
  if (!declared_) {
    TRY(declare_collections());
    declared_ = true;
    TRY_ASSIGN(view, port_.view());
  }
  TRY(show_node(*view, cluster));
  TRY(run_what_is_ours(*view));
  TRY(trim_commands(*view));
  return place(*view, cluster);
}

// Declaring again what is declared so already changes nothing.
Result<void> AdapterHost::declare_collections() {
  for (const auto* list : {&integration::hub_collections(), &integration::canonical_collections()})
    for (const integration::DeclaredCollection& collection : *list) {
      TRY_ASSIGN(const auto outcome, port_.commit(declaration_of(collection)));
      if (outcome.refused)
        return fail(*outcome.refused, "collection '" + collection.name + "': " + outcome.detail);
    }
  return {};
}

Result<void> AdapterHost::show_node(const record::StateReader& view,
                                    const api::ClusterView& cluster) {
  NodeRow row;
  row.node = parts_.node.value;
  row.boot = boot_text_;
  row.draining = cluster.draining;
  for (const auto& definition : parts_.definitions)
    row.adapters.push_back({definition->name, definition->kind, definition->hash});
  const std::string key = std::to_string(parts_.node.value);
  const json::Value value = to_value(row);
  if (const auto known = integration::find_value(view, hub::nodes, key); known && *known == value)
    return {};
  TRY_ASSIGN(const auto outcome, port_.commit(guarded_put(view, hub::nodes, key, value)));
  if (outcome.refused && outcome.refused != Errc::precondition_failed)
    return fail(*outcome.refused, outcome.detail);
  return {};
}

// Only the leader decides; two that both think so are kept apart by the rows' versions.
Result<void> AdapterHost::place(const record::StateReader& view, const api::ClusterView& cluster) {
  const MonotonicTime now = parts_.clock->monotonic();
  if (cluster.leader != parts_.node || cluster.role != "leader") {
    leads_since_ = {};
    return {};
  }
  if (leads_since_ == MonotonicTime{}) leads_since_ = now;
  if (now - leads_since_ < leader_grace) return {};
  integration::PlacementInput input;
  for (const api::MemberView& member : cluster.members)
    if (member.id == parts_.node || member.active) input.alive.insert(member.id.value);
  view.scan_records(hub::nodes, "", "", [&input](std::string_view, const record::Record& record) {
    if (record.tombstone) return true;
    const auto value = json::parse(record.value.view());
    if (!value) return true;
    if (auto row = integration::node_row(*value)) input.nodes.push_back(*std::move(row));
    return true;
  });
  view.scan_records(hub::adapters, "", "",
                    [&input](std::string_view key, const record::Record& record) {
                      if (record.tombstone) return true;
                      const auto value = json::parse(record.value.view());
                      if (!value) return true;
                      if (auto row = integration::placement_row(*value))
                        input.placed.emplace(std::string{key}, *std::move(row));
                      return true;
                    });
  for (PlacementRow& row : integration::plan_placement(input)) {
    row.since = integration::time_text(parts_.clock->wall());
    log_info("adapter_host", "adapter '{}' goes to node {} (epoch {})", row.adapter, row.node,
             row.epoch);
    TRY_ASSIGN(const auto outcome,
               port_.commit(guarded_put(view, hub::adapters, row.adapter, to_value(row))));
    if (outcome.refused && outcome.refused != Errc::precondition_failed)
      return fail(*outcome.refused, outcome.detail);
  }
  return {};
}

// Not left to the workers, which may be what is stuck; at every node, as it sees them.
void AdapterHost::show_heartbeats() {
  const MonotonicTime now = parts_.clock->monotonic();
  if (now < next_show_) return;
  next_show_ = now + show_every;
  const auto view = port_.view();
  if (!view) return;
  for (const auto& definition : parts_.definitions)
    show_paths_of(*parts_.registry, **view, definition->name, parts_.clock->wall());
}

Result<void> AdapterHost::show_paths(const record::StateReader& view,
                                     const integration::AdapterDefinition& definition,
                                     std::uint64_t epoch) {
  auto changes = integration::path_changes(view, definition, parts_.clock->wall());
  if (changes.empty()) return {};
  record::Command command;
  command.checks.push_back(integration::check_of({definition.name, epoch}));
  command.actions = std::move(changes);
  TRY_ASSIGN(const auto outcome, port_.commit(std::move(command)));
  if (outcome.refused && outcome.refused != Errc::precondition_failed)
    return fail(*outcome.refused, outcome.detail);
  return {};
}

Result<void> AdapterHost::trim_commands(const record::StateReader& view) {
  const MonotonicTime now = parts_.clock->monotonic();
  if (now < next_trim_) return {};
  next_trim_ = now + trim_every;
  for (const auto& [adapter, running] : running_) {
    record::Command command;
    command.checks.push_back(integration::check_of({adapter, running.epoch}));
    command.actions = integration::old_commands(view, adapter, parts_.clock->wall());
    if (command.actions.empty()) continue;
    TRY(port_.commit(std::move(command)));
  }
  return {};
}

Result<void> AdapterHost::run_what_is_ours(const record::StateReader& view) {
  const MonotonicTime now = parts_.clock->monotonic();
  for (const auto& definition : parts_.definitions) {
    std::optional<PlacementRow> placed;
    if (const auto value = integration::find_value(view, hub::adapters, definition->name))
      if (auto row = integration::placement_row(*value)) placed = *std::move(row);
    const bool ours = placed && placed->node == parts_.node.value && placed->boot == boot_text_ &&
                      !placed->paused;
    const auto running = running_.find(definition->name);
    if (running != running_.end() && (!ours || running->second.epoch != placed->epoch))
      stop(definition->name);
    const auto wait = not_before_.find(definition->name);
    const bool may = wait == not_before_.end() || now >= wait->second;
    if (ours && may && !running_.contains(definition->name)) {
      TRY(show_paths(view, *definition, placed->epoch));
      start(*definition, placed->epoch, definition);
    }
  }
  return {};
}

void AdapterHost::start(const integration::AdapterDefinition& definition, std::uint64_t epoch,
                        std::shared_ptr<const integration::AdapterDefinition> shared) {
  JobParts parts;
  parts.definition = std::move(shared);
  parts.kinds = parts_.kinds;
  parts.tenure = {definition.name, epoch};
  parts.backend = parts_.backend;
  parts.clock = parts_.clock;
  parts.random = parts_.random;
  parts.registry = parts_.registry;
  parts.stopping = stopping_;
  kit::SupervisorSpec spec;
  spec.name = "adapter " + definition.name;
  spec.budget = {20, Millis{60'000}};
  for (NamedJob& job : jobs_of(parts)) {
    kit::ChildSpec child;
    child.name = job.name;
    child.restart = kit::RestartKind::transient;
    child.start = [this_backend = parts_.backend, clock = parts_.clock, threads = parts_.threads,
                   job](kit::StartContext& context) -> Result<caf::actor> {
      if (!threads) return context.spawn<Worker>(job.name, job.make, *this_backend, *clock);
      return context.spawn<Worker, caf::detached>(job.name, job.make, *this_backend, *clock);
    };
    spec.children.push_back(std::move(child));
  }
  log_info("adapter_host", "runs adapter '{}' (epoch {})", definition.name, epoch);
  Running running;
  running.supervisor = kit::spawn_supervisor(system(), std::move(spec));
  running.epoch = epoch;
  monitor(running.supervisor);
  running_[definition.name] = std::move(running);
}

void AdapterHost::stop(const std::string& adapter) {
  const auto at = running_.find(adapter);
  if (at == running_.end()) return;
  log_info("adapter_host", "stops adapter '{}' (epoch {})", adapter, at->second.epoch);
  ending_.emplace(at->second.supervisor.address(), adapter);
  caf::anon_send_exit(at->second.supervisor, caf::exit_reason::user_shutdown);
  running_.erase(at);
}

void AdapterHost::on_down(const caf::down_msg& down) {
  ending_.erase(down.source);
  for (auto at = running_.begin(); at != running_.end(); ++at) {
    if (at->second.supervisor.address() != down.source) continue;
    log_warn("adapter_host", "adapter '{}' ended: {}; it starts again in {} ms", at->first,
             kit::text_of(down.reason), start_again_after.count());
    not_before_[at->first] = parts_.clock->monotonic() + start_again_after;
    running_.erase(at);
    break;
  }
  if (quitting_ && running_.empty() && ending_.empty()) quit(caf::exit_reason::user_shutdown);
}

// Ends when its adapters have: they use what this actor's owner destroys next.
void AdapterHost::on_exit_request(const caf::exit_msg& request) {
  if (!kit::is_normal(request.reason)) return quit(request.reason);
  quitting_ = true;
  *stopping_ = true;
  while (!running_.empty()) stop(std::string{running_.begin()->first});
  if (ending_.empty()) return quit(caf::exit_reason::user_shutdown);
  delayed_send(this, stop_max, StopDeadline{});
}

// A call cannot be interrupted, and a counterpart that hangs must not hold the node up. A worker
// may be killed at any instruction: whoever takes over knows what may have happened.
void AdapterHost::on_stop_deadline() {
  for (const auto& [supervisor, adapter] : ending_)
    log_warn("adapter_host", "adapter '{}' is still in a call to its counterpart: left behind",
             adapter);
  if (parts_.left_behind != nullptr) *parts_.left_behind = true;
  quit(caf::exit_reason::user_shutdown);
}

// However it ends: nobody else knows them.
void AdapterHost::on_exit() {
  *stopping_ = true;
  for (const auto& [adapter, running] : running_)
    caf::anon_send_exit(running.supervisor, caf::exit_reason::user_shutdown);
  running_.clear();
}

}  // namespace mainstay::adapter_host
