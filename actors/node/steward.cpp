#include "actors/node/steward.hpp"

#include <utility>

#include "actors/kit/deadline.hpp"
#include "actors/kit/errors.hpp"
#include "runtime/base/log.hpp"

namespace mainstay::node {

Steward::Steward(caf::actor_config& config, StewardOptions options, store::NodeStore& store,
                 Random& random, std::shared_ptr<const replica::Published<replica::View>> view,
                 std::shared_ptr<const StewardPorts> ports)
    : caf::event_based_actor{config},
      options_{std::move(options)},
      store_{store},
      random_{random},
      view_{std::move(view)},
      ports_{std::move(ports)},
      formation_{options_.self, options_.listed} {}

caf::behavior Steward::make_behavior() {
  kit::route_errors(*this, "steward");
  begin();
  delayed_send(this, options_.tick, StewardTick{});
  return {
      [this](const peer_link::PeerUp& up) { on_peer_up(up); },
      [this](const peer_link::PeerDown& down) { on_peer_down(down); },
      [](const peer_link::PeerCongested&) {},
      [this](const peer_link::FrameReceived& received) { on_frame(received); },
      [this](const replica::Quarantined& event) { on_quarantined(event); },
      [this](StewardTick) { on_steward_tick(); },
  };
}

void Steward::begin() {
  keep_links();
  if (store_.identity().cluster) {
    remember_offer();
    ports_->formed(store_.identity().cluster);
  } else if (const auto alone = formation_.form_alone(random_)) {
    become_formed(alone->cluster, alone->initial, "alone");
  } else {
    log_info("steward", "waits for the other {} listed nodes", options_.listed.size() - 1);
  }
}

void Steward::on_peer_up(const peer_link::PeerUp& up) {
  up_[up.node] = up;
  const bool its_formed = static_cast<bool>(up.cluster);
  if (store_.identity().cluster) {
    if (!its_formed) offer_to(up);
    return;
  }
  if (its_formed && !met_formed_) met_formed_ = kit::now_of(*this);
  if (const auto formed = formation_.on_hello(up.node, up.incarnation, its_formed, random_)) {
    become_formed(formed->cluster, formed->initial, "with the listed nodes");
    for (const auto& [node, peer] : up_) offer_to(peer);
  }
}

void Steward::on_peer_down(const peer_link::PeerDown& down) {
  const auto at = up_.find(down.node);
  if (at != up_.end() && at->second.boot == down.boot) up_.erase(at);
}

void Steward::on_frame(const peer_link::FrameReceived& received) {
  const auto* offer = std::get_if<wire::FormationOffer>(&received.frame.body);
  if (offer == nullptr || store_.identity().cluster) return;
  if (formation_.accepts(consensus::Formed{offer->cluster, offer->initial}))
    become_formed(offer->cluster, offer->initial, "as offered");
}

void Steward::on_steward_tick() {
  delayed_send(this, options_.tick, StewardTick{});
  if (!store_.identity().cluster) return join_if_due();
  for (const auto& [node, peer] : up_)
    if (!peer.cluster) offer_to(peer);
  ask_to_be_taken_in();
  keep_links();
}

void Steward::become_formed(ClusterId cluster, const consensus::Membership& initial,
                            const char* how) {
  if (const auto formed = store_.form(cluster, initial); !formed) {
    log_error("steward", "cannot form: {}", to_string(formed.error()));
    return quit(kit::failure("cannot form"));
  }
  log_info("steward", "belongs to cluster {}, formed {}", to_string(cluster), how);
  remember_offer();
  ports_->formed(cluster);
}

// Only what this node itself was formed with may be offered, and only while its log goes back that
// far.
void Steward::remember_offer() {
  const store::LogStore& log = store_.log();
  consensus::Membership initial = log.start_membership();
  if (log.first_index() == 1 && !initial.members.empty())
    offer_ = wire::FormationOffer{store_.identity().cluster, std::move(initial)};
}

void Steward::offer_to(const peer_link::PeerUp& peer) {
  if (!offer_) return;
  const consensus::Member* member = offer_->initial.find(peer.node);
  if (member != nullptr && member->incarnation == peer.incarnation)
    ports_->send(peer.node, *offer_);
}

void Steward::join_if_due() {
  if (!met_formed_ || !formation_.should_join() ||
      kit::now_of(*this) - *met_formed_ < options_.offer_wait)
    return;
  for (const auto& [node, peer] : up_) {
    if (!peer.cluster) continue;
    // Without a membership of its own until the leader feeds it.
    return become_formed(peer.cluster, consensus::Membership{}, "to join it as a new member");
  }
}

void Steward::ask_to_be_taken_in() {
  const auto view = view_->get();
  if (view->member || view->published == MonotonicTime{}) return;
  consensus::Member self = options_.self;
  self.incarnation = store_.identity().incarnation;
  for (const auto& [node, peer] : up_)
    if (peer.cluster) ports_->send(node, wire::JoinRequest{self});
}

// The members, once there are any that include this node; until then the configured ones.
void Steward::keep_links() {
  const auto view = view_->get();
  const std::vector<consensus::Member>& wanted =
      view->member ? view->status.membership.members : options_.listed;
  if (wanted == linked_) return;
  linked_ = wanted;
  peer_link::SetPeers peers;
  for (const consensus::Member& member : wanted)
    if (member.id != options_.self.id) peers.peers.push_back({member.id, member.peer_address});
  ports_->set_peers(std::move(peers));
}

void Steward::on_quarantined(const replica::Quarantined& event) {
  if (const auto marked = store_.mark_for_start_over(event.evidence); !marked) {
    // Unmarked, it would come back with the same data and vote: it stays as it is, out of service.
    log_error("steward", "cannot mark the data for starting over, stays in quarantine: {}",
              to_string(marked.error()));
    return;
  }
  ports_->restart(event.evidence);
}

}  // namespace mainstay::node
