#include "actors/node/node.hpp"

#include <atomic>
#include <future>
#include <mutex>
#include <utility>

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include "actors/admin/admin.hpp"
#include "actors/gateway/gateway.hpp"
#include "actors/kit/errors.hpp"
#include "actors/kit/supervisor.hpp"
#include "actors/metrics/metrics.hpp"
#include "actors/node/slots.hpp"
#include "actors/node/steward.hpp"
#include "actors/peer_link/peer_link.hpp"
#include "actors/replica/replica.hpp"
#include "actors/storage/applier.hpp"
#include "actors/storage/log_writer.hpp"
#include "actors/storage/scrubber.hpp"
#include "actors/storage/snapshots.hpp"
#include "runtime/base/log.hpp"

namespace mainstay::node {

namespace {

using peer_link::kind_of;
using peer_link::Subscribe;

std::uint32_t ticks_of(Millis time) {
  return static_cast<std::uint32_t>(std::max<std::int64_t>(1, time.count() / limits::tick_ms));
}

consensus::Member member_of(const config::Peer& peer) {
  consensus::Member member;
  member.id = peer.id;
  member.peer_address = peer.peer_address;
  member.api_address = peer.api_address;
  return member;
}

// The membership as of `applied`: the start's, and every change in the log up to there.
consensus::Membership membership_at(const store::LogStore& log, consensus::Index applied) {
  consensus::Membership membership = log.start_membership();
  for (const consensus::Entry& entry : log.membership_entries())
    if (entry.index <= applied && entry.membership) membership = *entry.membership;
  return membership;
}

}  // namespace

struct Node::Impl : std::enable_shared_from_this<Node::Impl> {
  Impl(caf::actor_system& actor_system, NodeParts node_parts)
      : system{actor_system}, parts{std::move(node_parts)}, core_random{parts.random->next()} {
    boot.value = parts.random->next() | 1;
    state->formed = static_cast<bool>(parts.store->identity().cluster);
  }

  // --- making the parts ---
  void wire_up();
  void make_backend();
  consensus::Member self() const;
  std::vector<consensus::Member> listed() const;
  bool has_links() const { return !parts.config->tls_certificate.empty(); }
  peer_link::LinksConfig links_config() const;

  // --- supervisors ---
  kit::SupervisorSpec house();
  kit::SupervisorSpec group();
  kit::ChildSpec child(const char* name, Slot& slot, bool critical,
                       std::function<Result<caf::actor>(kit::StartContext&)> make);
  void start_group(ClusterId cluster);
  void watch(const caf::actor& supervisor, const char* name);
  void subscribe_all();

  // --- administration from the API ---
  void administer(api::AdminCommand command, MonotonicTime deadline,
                  std::function<void(Result<std::string>)> done);

  caf::actor_system& system;
  const NodeParts parts;
  SeededRandom core_random;
  BootId boot;
  const std::shared_ptr<Slots> shared_slots = std::make_shared<Slots>();
  Slots& slots = *shared_slots;
  std::shared_ptr<gateway::NodeState> state = std::make_shared<gateway::NodeState>();
  std::shared_ptr<replica::Published<replica::View>> view =
      std::make_shared<replica::Published<replica::View>>();
  std::shared_ptr<storage::Board> board = std::make_shared<storage::Board>();
  std::shared_ptr<gateway::Admission> admission = std::make_shared<gateway::Admission>();
  std::shared_ptr<gateway::Inbox> inbox;
  std::shared_ptr<storage::Listeners> storage_listeners = std::make_shared<storage::Listeners>();
  std::shared_ptr<replica::Ports> replica_ports = std::make_shared<replica::Ports>();
  std::shared_ptr<gateway::Ports> gateway_ports = std::make_shared<gateway::Ports>();
  std::shared_ptr<admin::Ports> admin_ports = std::make_shared<admin::Ports>();
  std::shared_ptr<StewardPorts> steward_ports = std::make_shared<StewardPorts>();
  std::unique_ptr<gateway::NodeBackend> backend;
  std::mutex supervisors_mutex;
  caf::actor house_supervisor;  // guarded, as the next
  caf::actor group_supervisor;
  std::atomic<bool> stopping{false};
  bool stopped = true;  // all of them, in time
};

// Every port ends in a slot: nobody holds another actor's handle.
void Node::Impl::wire_up() {
  // The slots live as long as the last port: an actor that stops late still tells what it did.
  const std::shared_ptr<Slots> to = shared_slots;
  const auto send_frame = [to](NodeId node, Incarnation incarnation, wire::Body body) {
    to->links.tell(peer_link::SendFrame{node, incarnation, first_group, std::move(body)});
  };
  const auto send_body = [to](NodeId node, wire::Body body) {
    to->links.tell(peer_link::SendFrame{node, Incarnation{}, first_group, std::move(body)});
  };
  inbox = std::make_shared<gateway::Inbox>([to] { to->gateway.tell(gateway::InboxFilled{}); });

  storage_listeners->persisted = [to](storage::PersistDone event) { to->replica.tell(event); };
  storage_listeners->applied = [to](storage::AppliedUpTo event) {
    to->replica.tell(std::move(event));
  };
  storage_listeners->outcomes = [to](storage::OwnOutcomes event) {
    to->gateway.tell(std::move(event));
  };
  storage_listeners->pulled = [to](storage::SnapshotPulled event) {
    to->replica.tell(std::move(event));
  };
  storage_listeners->send = send_body;

  replica_ports->log_writer = [to](storage::WritePersist request) {
    to->log_writer.tell(std::move(request));
  };
  replica_ports->applier = [to](storage::ApplyEntries request) {
    to->applier.tell(std::move(request));
  };
  replica_ports->installer = [to](storage::InstallSnapshot request) {
    to->applier.tell(std::move(request));
  };
  replica_ports->snapshots = [to](storage::PullSnapshot request) {
    to->snapshots.tell(std::move(request));
  };
  replica_ports->send = send_frame;
  replica_ports->batch_answered = [to](replica::BatchAnswered event) { to->gateway.tell(event); };
  replica_ports->read_points = [to](replica::ReadPoints event) {
    to->gateway.tell(std::move(event));
  };
  replica_ports->leader_changed = [to](replica::LeaderChanged event) { to->gateway.tell(event); };
  replica_ports->administered = [to](replica::AdministerReply event) {
    to->admin.tell(std::move(event));
  };
  replica_ports->quarantined = [to](replica::Quarantined event) {
    to->steward.tell(std::move(event));
  };

  gateway_ports->propose = [to](replica::ProposeBatch batch) {
    to->replica.tell(std::move(batch));
  };
  gateway_ports->ask_read_point = [to](replica::AskReadPoint ask) { to->replica.tell(ask); };
  gateway_ports->send = send_frame;
  admin_ports->replica = [to](replica::Administer ask) { to->replica.tell(std::move(ask)); };
  admin_ports->send = send_frame;

  steward_ports->send = send_body;
  steward_ports->set_peers = [to](peer_link::SetPeers peers) { to->links.tell(std::move(peers)); };
  steward_ports->formed = [this](ClusterId cluster) { start_group(cluster); };
  steward_ports->restart = [this](const std::string& why) { parts.end(exit_start_over, why); };
}

void Node::Impl::make_backend() {
  gateway::BackendParts backend_parts;
  backend_parts.node = NodeId{parts.config->node_id};
  backend_parts.boot = boot;
  backend_parts.inbox = inbox;
  backend_parts.admission = admission;
  backend_parts.state = state;
  backend_parts.view = view;
  backend_parts.board = board;
  backend_parts.store = parts.store;
  backend_parts.metrics = parts.metrics;
  backend_parts.clock = parts.clock;
  backend_parts.administer = [this](api::AdminCommand command, MonotonicTime deadline, auto done) {
    administer(std::move(command), deadline, std::move(done));
  };
  backend_parts.metrics_text = [this](MonotonicTime, auto done) {
    if (slots.metrics.get())
      slots.metrics.tell(metrics::GetMetricsText{std::move(done)});
    else
      done(fail(Errc::not_ready, "the metrics actor is starting"));
  };
  backend = std::make_unique<gateway::NodeBackend>(std::move(backend_parts));
}

consensus::Member Node::Impl::self() const {
  consensus::Member member;
  member.id = NodeId{parts.config->node_id};
  member.incarnation = parts.store->identity().incarnation;
  member.peer_address = parts.config->peer_address();
  member.api_address = parts.config->api_address();
  return member;
}

std::vector<consensus::Member> Node::Impl::listed() const {
  std::vector<consensus::Member> members;
  for (const config::Peer& peer : parts.config->cluster_peers) members.push_back(member_of(peer));
  if (members.empty()) members.push_back(self());
  return members;
}

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
        return context.spawn<metrics::MetricsActor>(*parts.metrics, std::move(sources));
      }));
  spec.children.push_back(child("gateway", slots.gateway, false,
                                [this](kit::StartContext& context) -> Result<caf::actor> {
                                  return context.spawn<gateway::Gateway>(
                                      gateway::GatewayOptions{NodeId{parts.config->node_id}, boot},
                                      inbox, admission, view, board, *parts.metrics, gateway_ports);
                                }));
  spec.children.push_back(
      child("admin", slots.admin, false, [this](kit::StartContext& context) -> Result<caf::actor> {
        return context.spawn<admin::Admin>(NodeId{parts.config->node_id}, view, admin_ports);
      }));
  spec.children.push_back(child(
      "steward", slots.steward, false, [this](kit::StartContext& context) -> Result<caf::actor> {
        StewardOptions options;
        options.self = self();
        options.listed = listed();
        return context.spawn<Steward, caf::detached>(std::move(options), *parts.store,
                                                     *parts.random, view, steward_ports);
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
                                  return context.spawn<storage::LogWriter, caf::detached>(
                                      log, *parts.metrics, storage_listeners, parts.fatal);
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
        return context.spawn<storage::Applier, caf::detached>(
            applier, parts.store->records(), *parts.metrics, board, storage_listeners, parts.fatal);
      }));
  spec.children.push_back(child(
      "snapshots", slots.snapshots, true, [this](kit::StartContext& context) -> Result<caf::actor> {
        return context.spawn<storage::Snapshots, caf::detached>(*parts.store, *parts.metrics, board,
                                                                storage_listeners, parts.fatal);
      }));
  spec.children.push_back(child(
      "scrubber", slots.scrubber, false, [this](kit::StartContext& context) -> Result<caf::actor> {
        return context.spawn<storage::Scrubber, caf::detached>(parts.config->storage_scrub_every,
                                                               *parts.store, *parts.metrics, board);
      }));
  replica::ReplicaOptions options;
  options.initial = initial;
  consensus::CoreOptions& core = options.driver.core;
  core.id = NodeId{parts.config->node_id};
  core.incarnation = parts.store->identity().incarnation;
  core.heartbeat_ticks = ticks_of(parts.config->raft_heartbeat);
  core.election_ticks_min = ticks_of(parts.config->raft_election_min);
  core.election_ticks_max = ticks_of(parts.config->raft_election_max);
  spec.children.push_back(child(
      "replica", slots.replica, true,
      [this, &log, options](kit::StartContext& context) -> Result<caf::actor> {
        return context.spawn<replica::Replica, caf::detached>(
            options, log, core_random, *parts.clock, *parts.metrics, view, board, replica_ports);
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

void Node::Impl::administer(api::AdminCommand command, MonotonicTime deadline,
                            std::function<void(Result<std::string>)> done) {
  using Kind = wire::AdminRequest::Kind;
  wire::AdminRequest request;
  switch (command.kind) {
    case api::AdminCommand::Kind::drain:
      if (command.node && command.node.value != parts.config->node_id)
        return done(fail(Errc::invalid_argument,
                         "a node drains only itself: ask node " + to_string(command.node)));
      parts.drain();
      return done("node " + std::to_string(parts.config->node_id) + " drains and stops");
    case api::AdminCommand::Kind::add_member:
      request.kind = Kind::add_member;
      break;
    case api::AdminCommand::Kind::remove_member:
      request.kind = Kind::remove_member;
      break;
    case api::AdminCommand::Kind::promote_member:
      request.kind = Kind::promote_member;
      break;
    case api::AdminCommand::Kind::transfer:
      request.kind = Kind::transfer;
      break;
  }
  request.member.id = command.node;
  request.member.incarnation = command.incarnation;
  request.member.peer_address = std::move(command.peer_address);
  request.member.api_address = std::move(command.api_address);
  if (!slots.admin.get()) return done(fail(Errc::not_ready, "the admin actor is starting"));
  slots.admin.tell(admin::RunAdminRequest{std::move(request), deadline, std::move(done)});
}

Node::Node(caf::actor_system& system, NodeParts parts)
    : impl_{std::make_shared<Impl>(system, std::move(parts))} {
  impl_->wire_up();
  impl_->make_backend();
}

Node::~Node() {
  stop(Millis{5000});
  impl_->slots.clear();
}

Result<void> Node::start() {
  const config::Config& config = *impl_->parts.config;
  if (impl_->has_links()) {
    const tls::Identity identity{config.cluster_name, NodeId{config.node_id}};
    TRY_ASSIGN(
        const auto context,
        tls::Context::load({config.tls_ca, config.tls_certificate, config.tls_key}, identity));
  }
  const std::lock_guard lock{impl_->supervisors_mutex};
  impl_->house_supervisor = kit::spawn_supervisor(impl_->system, impl_->house());
  impl_->watch(impl_->house_supervisor, "house");
  return {};
}

std::uint16_t Node::peer_port() const {
  const caf::actor links = impl_->slots.links.get();
  if (!links) return 0;
  std::uint16_t port = 0;
  caf::scoped_actor self{impl_->system};
  self->request(links, std::chrono::seconds{2}, peer_link::GetLinkStatus{})
      .receive([&port](const peer_link::LinkStatus& status) { port = status.port; },
               [](const caf::error&) {});
  return port;
}

api::Backend& Node::backend() {
  return *impl_->backend;
}

std::string Node::dump_inputs() {
  const auto promise = std::make_shared<std::promise<std::string>>();
  auto dump = promise->get_future();
  impl_->slots.replica.tell(
      replica::DumpInputs{[promise](std::string bytes) { promise->set_value(std::move(bytes)); }});
  if (dump.wait_for(std::chrono::seconds{2}) != std::future_status::ready) return {};
  return dump.get();
}

void Node::begin_drain() {
  impl_->state->draining = true;
  impl_->slots.replica.tell(replica::StartDraining{});
  impl_->slots.links.tell(peer_link::SendGoAway{});
  impl_->slots.gateway.tell(gateway::EndFeeds{});
}

bool Node::leads() const {
  const auto view = impl_->view->get();
  return view->status.role == consensus::CoreRole::leader &&
         view->status.membership.voters().size() > 1;
}

bool Node::drained() const {
  return !leads() && impl_->admission->requests() == 0;
}

bool Node::stop(Millis within) {
  if (impl_->stopping.exchange(true)) return impl_->stopped;
  std::vector<caf::actor> supervisors;
  {
    const std::lock_guard lock{impl_->supervisors_mutex};
    supervisors = {impl_->house_supervisor, impl_->group_supervisor};
    impl_->house_supervisor = impl_->group_supervisor = nullptr;
  }
  caf::scoped_actor self{impl_->system};
  for (const caf::actor& supervisor : supervisors) {
    if (!supervisor) continue;
    self->monitor(supervisor);
    caf::anon_send_exit(supervisor, caf::exit_reason::user_shutdown);
    self->receive([](const caf::down_msg&) {}, caf::after(within) >>
                                                   [this] {
                                                     log_warn("node",
                                                              "an actor did not stop in time");
                                                     impl_->stopped = false;
                                                   });
  }
  return impl_->stopped;
}

}  // namespace mainstay::node
