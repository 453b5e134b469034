// The inside of a node: its parts, and how they are put together. Private to actors/node.
//   wiring.cpp     the ports, each of which ends in a slot; the backend; administration
//   children.cpp   the two supervisors and what they start
//   node.cpp       the outside
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "actors/admin/admin.hpp"
#include "actors/gateway/gateway.hpp"
#include "actors/kit/supervisor.hpp"
#include "actors/metrics/metrics_api.hpp"
#include "actors/node/node.hpp"
#include "actors/node/slots.hpp"
#include "actors/node/steward.hpp"
#include "actors/peer_link/peer_link.hpp"
#include "actors/replica/replica.hpp"

namespace mainstay::node {

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
  std::shared_ptr<replica::Published<metrics::Overview>> overview =
      std::make_shared<replica::Published<metrics::Overview>>();
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
  bool stopped = true;                   // all of them, in time
  std::atomic<bool> left_behind{false};  // workers of adapters, in a call that does not end
};

}  // namespace mainstay::node
