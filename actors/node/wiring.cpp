#include <utility>

#include "actors/node/node_impl.hpp"
#include "runtime/base/log.hpp"
#include "runtime/sys/file.hpp"

namespace mainstay::node {

namespace {

consensus::Member member_of(const config::Peer& peer) {
  consensus::Member member;
  member.id = peer.id;
  member.peer_address = peer.peer_address;
  member.api_address = peer.api_address;
  return member;
}

}  // namespace

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
  storage_listeners->copied = [to](storage::SnapshotCopied event) {
    to->applier.tell(std::move(event));
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
  replica_ports->last_inputs = [directory = parts.config->data_directory](const std::string& dump) {
    const sys::Path path = sys::Path{directory} / "input-ring.dump";
    if (const auto written = sys::write_file_durably(path, dump))
      log_info("node", "the core's last inputs are in {}", path.string());
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
  backend_parts.overview = overview;
  backend_parts.release = parts.release;
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
      return done("node " + std::to_string(parts.config->node_id) +
                  " drains: it serves until it is stopped, and leads no more");
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

}  // namespace mainstay::node
