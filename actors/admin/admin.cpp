#include "actors/admin/admin.hpp"

#include <utility>

#include "actors/kit/deadline.hpp"
#include "actors/kit/errors.hpp"

namespace mainstay::admin {

namespace {

constexpr Millis tick{20};

}  // namespace

Admin::Admin(caf::actor_config& config, NodeId node,
             std::shared_ptr<const replica::Published<replica::View>> view,
             std::shared_ptr<const Ports> ports)
    : caf::event_based_actor{config},
      node_{node},
      view_{std::move(view)},
      ports_{std::move(ports)} {
  requests_.emplace(static_cast<std::uint64_t>(kit::now_of(*this).time_since_epoch().count()));
}

caf::behavior Admin::make_behavior() {
  kit::route_errors(*this, "admin");
  return {
      [this](RunAdminRequest& request) { on_run_admin_request(request); },
      [this](const replica::AdministerReply& event) { on_reply(event.reply); },
      [this](const peer_link::FrameReceived& received) {
        if (const auto* reply = std::get_if<wire::AdminReply>(&received.frame.body))
          on_reply(*reply);
      },
      [this](AdminTick) { on_admin_tick(); },
      [](const peer_link::PeerUp&) {},
      [](const peer_link::PeerDown&) {},
      [](const peer_link::PeerCongested&) {},
  };
}

void Admin::on_run_admin_request(RunAdminRequest& request) {
  requests_->add(std::move(request.request), request.deadline, std::move(request.done));
  pump();
}

void Admin::on_reply(const wire::AdminReply& reply) {
  requests_->answered(reply, kit::now_of(*this));
  pump();
}

void Admin::on_admin_tick() {
  ticking_ = false;
  requests_->expire(kit::now_of(*this));
  pump();
}

void Admin::pump() {
  const auto view = view_->get();
  if (const NodeId leader = view->status.leader) {
    for (wire::AdminRequest& request : requests_->due(kit::now_of(*this))) {
      if (leader == node_)
        ports_->replica(replica::Administer{std::move(request)});
      else
        ports_->send(leader, Incarnation{}, std::move(request));
    }
  }
  if (requests_->empty() || std::exchange(ticking_, true)) return;
  delayed_send(this, tick, AdminTick{});
}

}  // namespace mainstay::admin
