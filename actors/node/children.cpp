#include <algorithm>
#include <utility>

#include "actors/kit/errors.hpp"
#include "actors/metrics/metrics.hpp"
#include "actors/node/detached.hpp"
#include "actors/node/node_impl.hpp"
#include "actors/storage/applier.hpp"
#include "actors/storage/copier.hpp"
#include "actors/storage/log_writer.hpp"
#include "actors/storage/scrubber.hpp"
#include "actors/storage/snapshots.hpp"

namespace mainstay::node {

namespace {

using peer_link::kind_of;
using peer_link::Subscribe;

std::uint32_t ticks_of(Millis time) {
  return static_cast<std::uint32_t>(std::max<std::int64_t>(1, time.count() / limits::tick_ms));
}

// The membership as of `applied`: the start's, and every change in the log up to there.
consensus::Membership membership_at(const store::LogStore& log, consensus::Index applied) {
  consensus::Membership membership = log.start_membership();
  for (const consensus::Entry& entry : log.membership_entries())
    if (entry.index <= applied && entry.membership) membership = *entry.membership;
  return membership;
}

// Every actor that is listed as such gets a thread of its own, no other one does.
template <class Actor, class... Args>
caf::actor spawn_child(kit::StartContext& context, std::string_view name, Args&&... args) {
  if (is_detached(name)) return context.spawn<Actor, caf::detached>(std::forward<Args>(args)...);
  return context.spawn<Actor>(std::forward<Args>(args)...);
}

}  // namespace

peer_link::LinksConfig Node::Impl::links_config() const {
  const config::Config& config = *parts.config;
  peer_link::LinksConfig links;
  links.cluster_name = config.cluster_name;
  links.node = NodeId{config.node_id};
  links.incarnation = parts.store->identity().incarnation;
  links.boot = boot;
  links.cluster = parts.store->identity().cluster;
  links.release = parts.release;
  links.listen = config.peer_listen;
  links.peer_address = config.peer_address();
  links.api_address = config.api_address();
  links.files = {config.tls_ca, config.tls_certificate, config.tls_key};
  links.seed = parts.random->next();
  links.wall_millis = [clock = parts.clock] { return sys::millis_of(clock->wall()); };
  links.on_broken = [this](const std::string& why) {
    if (!stopping) parts.end(exit_internal, "the network broker died: " + why);
  };
  const auto shown = view->get();
  const auto& members = shown->member ? shown->status.membership.members : listed();
  for (const consensus::Member& member : members)
    if (member.id != links.node) links.peers.push_back({member.id, member.peer_address});
  return links;
}

// A child that puts its handle into its slot and takes its subscriptions when it starts.
kit::ChildSpec Node::Impl::child(const char* name, Slot& slot, bool critical,
                                 std::function<Result<caf::actor>(kit::StartContext&)> make) {
  kit::ChildSpec spec;
  spec.name = name;
  spec.critical = critical;
  spec.start = [this, &slot,
                make = std::move(make)](kit::StartContext& context) -> Result<caf::actor> {
    TRY_ASSIGN(caf::actor handle, make(context));
    slot.set(handle);
    // What came while it was not in its place was told to nobody.
    if (&slot == &slots.gateway) slot.tell(gateway::InboxFilled{});
    subscribe_all();
    return handle;
  };
  return spec;
}

// Links forget an ended receiver by themselves and take the latest one, so that repeating all of it
// is right after any restart.
void Node::Impl::subscribe_all() {
  const auto subscribe = [this](const Slot& slot, std::vector<peer_link::BodyKind> kinds) {
    if (const caf::actor who = slot.get()) slots.links.tell(Subscribe{who, std::move(kinds)});
  };
  subscribe(slots.replica, {kind_of<wire::ConsensusMessages>(), kind_of<wire::ProposeRequest>(),
                            kind_of<wire::StateHashReport>(), kind_of<wire::AdminRequest>(),
                            kind_of<wire::JoinRequest>()});
  subscribe(slots.gateway, {kind_of<wire::ProposeReply>()});
  subscribe(slots.admin, {kind_of<wire::AdminReply>()});
  subscribe(slots.snapshots, {kind_of<wire::SnapshotRequest>(), kind_of<wire::SnapshotChunk>()});
  subscribe(slots.steward, {kind_of<wire::FormationOffer>()});
}

kit::SupervisorSpec Node::Impl::house() {
  kit::SupervisorSpec spec;
  spec.name = "house";
  if (has_links())
    spec.children.push_back(
        child("peer_link", slots.links, false, [this](kit::StartContext& context) {
          return peer_link::spawn_links(context.system(), links_config());
        }));
  spec.children.push_back(child(
      "metrics", slots.metrics, false, [this](kit::StartContext& context) -> Result<caf::actor> {
        metrics::MetricsSources sources;
        sources.links = [this] { return slots.links.get(); };
        sources.supervisors = [this] {
          const std::lock_guard lock{supervisors_mutex};
          return std::vector<caf::actor>{house_supervisor, group_supervisor};
        };
        sources.board = board;
        sources.overview = overview;
        sources.daemon = parts.measure;
        return spawn_child<metrics::MetricsActor>(context, "metrics", *parts.metrics,
                                                  std::move(sources));
      }));
  spec.children.push_back(child(
      "gateway", slots.gateway, false, [this](kit::StartContext& context) -> Result<caf::actor> {
        return spawn_child<gateway::Gateway>(
            context, "gateway", gateway::GatewayOptions{NodeId{parts.config->node_id}, boot}, inbox,
            admission, view, board, *parts.metrics, gateway_ports);
      }));
  spec.children.push_back(
      child("admin", slots.admin, false, [this](kit::StartContext& context) -> Result<caf::actor> {
        return spawn_child<admin::Admin>(context, "admin", NodeId{parts.config->node_id}, view,
                                         admin_ports);
      }));
  spec.children.push_back(child(
      "steward", slots.steward, false, [this](kit::StartContext& context) -> Result<caf::actor> {
        StewardOptions options;
        options.self = self();
        options.listed = listed();
        return spawn_child<Steward>(context, "steward", std::move(options), *parts.store,
                                    *parts.random, view, steward_ports);
      }));
  // Last, so that it stops first: its workers use the others.
  if (!parts.adapters.empty())
    spec.children.push_back(child("adapter_host", slots.adapter_host, false,
                                  [this](kit::StartContext& context) -> Result<caf::actor> {
                                    adapter_host::HostParts host;
                                    host.node = NodeId{parts.config->node_id};
                                    host.boot = boot;
                                    host.definitions = parts.adapters;
                                    host.kinds = parts.adapter_kinds;
                                    host.backend = backend.get();
                                    host.clock = parts.clock;
                                    host.random = parts.random;
                                    host.registry = &parts.metrics->registry;
                                    host.left_behind = &left_behind;
                                    return spawn_child<adapter_host::AdapterHost>(
                                        context, "adapter_host", std::move(host));
                                  }));
  return spec;
}

kit::SupervisorSpec Node::Impl::group() {
  store::LogStore& log = parts.store->log();
  const consensus::InitialState initial = parts.store->initial_state();
  kit::SupervisorSpec spec;
  spec.name = "group";
  spec.children.push_back(child("log_writer", slots.log_writer, true,
                                [this, &log](kit::StartContext& context) -> Result<caf::actor> {
                                  return spawn_child<storage::LogWriter>(
                                      context, "log_writer", log, *parts.metrics, board,
                                      storage_listeners, parts.fatal);
                                }));
  spec.children.push_back(
      child("copier", slots.copier, true, [this](kit::StartContext& context) -> Result<caf::actor> {
        return spawn_child<storage::Copier>(context, "copier", parts.store->records(),
                                            storage_listeners);
      }));
  storage::ApplierOptions applier;
  applier.node = NodeId{parts.config->node_id};
  applier.boot = boot;
  applier.membership = membership_at(log, initial.applied);
  applier.log_first = log.first_index();
  applier.compaction = storage::policy_for(parts.config->storage_snapshot_entries);
  spec.children.push_back(child(
      "applier", slots.applier, true,
      [this, applier](kit::StartContext& context) mutable -> Result<caf::actor> {
        applier.log_writer = context.find("log_writer");
        applier.copier = context.find("copier");
        return spawn_child<storage::Applier>(context, "applier", applier, parts.store->records(),
                                             *parts.metrics, board, storage_listeners, parts.fatal);
      }));
  spec.children.push_back(child(
      "snapshots", slots.snapshots, true, [this](kit::StartContext& context) -> Result<caf::actor> {
        return spawn_child<storage::Snapshots>(context, "snapshots", *parts.store, *parts.metrics,
                                               board, storage_listeners, parts.fatal);
      }));
  spec.children.push_back(child(
      "scrubber", slots.scrubber, false, [this](kit::StartContext& context) -> Result<caf::actor> {
        return spawn_child<storage::Scrubber>(context, "scrubber",
                                              parts.config->storage_scrub_every, *parts.store,
                                              *parts.metrics, board);
      }));
  replica::ReplicaOptions options;
  options.initial = initial;
  options.crash_dump = parts.config->data_directory + "/input-ring.dump";
  consensus::CoreOptions& core = options.driver.core;
  core.id = NodeId{parts.config->node_id};
  core.incarnation = parts.store->identity().incarnation;
  core.heartbeat_ticks = ticks_of(parts.config->raft_heartbeat);
  core.election_ticks_min = ticks_of(parts.config->raft_election_min);
  core.election_ticks_max = ticks_of(parts.config->raft_election_max);
  spec.children.push_back(
      child("replica", slots.replica, true,
            [this, &log, options](kit::StartContext& context) -> Result<caf::actor> {
              return spawn_child<replica::Replica>(context, "replica", options, log, core_random,
                                                   *parts.clock, *parts.metrics, view, board,
                                                   replica_ports);
            }));
  return spec;
}

// Called by the steward, on its thread. A steward that was restarted tells it again.
void Node::Impl::start_group(ClusterId cluster) {
  slots.links.tell(peer_link::SetCluster{cluster});
  {
    const std::lock_guard lock{supervisors_mutex};
    if (group_supervisor || stopping) return;
    group_supervisor = kit::spawn_detached_supervisor(system, group());
    watch(group_supervisor, "group");
  }
  state->formed = true;
}

// A supervisor that gives up has done what it could: the process ends, and its service manager
// decides.
void Node::Impl::watch(const caf::actor& supervisor, const char* name) {
  const std::weak_ptr<Impl> weak = weak_from_this();
  system.spawn([weak, supervisor,
                name = std::string{name}](caf::event_based_actor* watcher) -> caf::behavior {
    watcher->monitor(supervisor);
    watcher->set_down_handler([weak, name, watcher](const caf::down_msg& down) {
      watcher->quit();
      const auto impl = weak.lock();
      if (impl && !impl->stopping)
        impl->parts.end(exit_internal, name + " ended: " + kit::text_of(down.reason));
    });
    return {[](const Subscribe&) {}};
  });
}

}  // namespace mainstay::node
