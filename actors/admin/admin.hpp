// The admin actor: a shell around AdminRequests. Asks this node's replica when it leads, else the
// leader's node. Restarts alone.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include <caf/event_based_actor.hpp>

#include "actors/admin/admin_api.hpp"
#include "actors/admin/admin_requests.hpp"
#include "actors/peer_link/peer_link_api.hpp"
#include "actors/replica/replica_api.hpp"

namespace mainstay::admin {

// Where the admin actor's effects end. Set by the node; must not block.
struct Ports {
  std::function<void(replica::Administer)> replica;
  std::function<void(NodeId, Incarnation, wire::Body)> send;
};

class Admin final : public caf::event_based_actor {
 public:
  Admin(caf::actor_config& config, NodeId node,
        std::shared_ptr<const replica::Published<replica::View>> view,
        std::shared_ptr<const Ports> ports);

  caf::behavior make_behavior() override;
  const char* name() const override { return "admin"; }
  void on_exit() override { requests_.reset(); }

 private:
  void on_run_admin_request(RunAdminRequest& request);
  void on_reply(const wire::AdminReply& reply);
  void on_admin_tick();
  void pump();

  const NodeId node_;
  const std::shared_ptr<const replica::Published<replica::View>> view_;
  const std::shared_ptr<const Ports> ports_;
  std::optional<AdminRequests> requests_;
  bool ticking_ = false;
};

}  // namespace mainstay::admin
