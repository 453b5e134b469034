#include "actors/peer_link/peer_link.hpp"

#include <algorithm>
#include <utility>

#include <caf/all.hpp>

#include "actors/kit/deadline.hpp"
#include "actors/kit/errors.hpp"
#include "actors/peer_link/tls_scribe.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::peer_link {

namespace {

constexpr const char* component = "peer_link";

}  // namespace

Result<caf::actor> spawn_links(caf::actor_system& system, LinksConfig config) {
  TRY(tls::check_cluster_name(config.cluster_name));
  auto opened = std::make_shared<Links::Opened>();
  TRY_ASSIGN(opened->contexts,
             tls::ContextSource::open(config.files, {config.cluster_name, config.node}));
  TRY_ASSIGN(opened->listener, listen_on(config.listen));
  return system.spawn<Links>(std::move(config), std::move(opened));
}

Links::Links(caf::actor_config& config, LinksConfig options, std::shared_ptr<Opened> opened)
    : kit::NetworkActor{config},
      options_{std::move(options)},
      contexts_{opened->contexts},
      self_{options_.node, options_.incarnation, options_.boot, options_.cluster},
      random_{options_.seed} {
  if (!options_.wall_millis)
    options_.wall_millis = [] { return sys::millis_of(sys::system_clock().wall()); };
  // The threads hold this actor weakly: they end with it, in on_exit().
  const auto weak = caf::actor_cast<caf::weak_actor_ptr>(ctrl());
  const auto tell = [weak](auto message) {
    if (auto strong = weak.lock())
      caf::anon_send(caf::actor_cast<caf::actor>(strong), std::move(message));
  };
  ConnectorEvents events;
  events.established = [tell](std::shared_ptr<Connection> connection) {
    tell(ConnectionReady{std::move(connection)});
  };
  events.dial_failed = [tell](NodeId node, std::string why) {
    tell(DialFailed{node, std::move(why)});
  };
  events.refused = [tell](Refusal reason, std::string text) {
    tell(ConnectionRefused{reason, std::move(text)});
  };
  events.alarm = [tell] { tell(AlarmTick{}); };
  connector_ = std::make_unique<Connector>(std::move(opened->listener), contexts_,
                                           options_.connector, std::move(events));
}

caf::behavior Links::make_behavior() {
  kit::route_errors(*this, component);
  set_down_handler([this](const caf::down_msg& down) { on_down(down); });
  broker_ = basp_broker_of(system());
  monitor(broker_);
  for (const Peer& peer : options_.peers) add_peer(peer);
  after(options_.clock_report_every, [this] { report_clock(); });
  return {
      [this](kit::WireFrame& frame) { on_wire_frame(frame); },
      [this](SendFrame& frame) { on_send(frame); },
      [this](const Subscribe& wish) { on_subscribe(wish); },
      [this](const SetPeers& wanted) { on_set_peers(wanted); },
      [this](const SetCluster& set) { on_set_cluster(set); },
      [this](const SendGoAway&) {
        on_go_away();
        return GoAwaySent{};
      },
      [this](const GetLinkStatus&) { return on_status(); },
      [this](const ConnectionReady& ready) { on_connection_ready(ready); },
      [this](const ConnectionClosed& closed) { on_connection_closed(closed); },
      [this](const ConnectionRefused& refused) { on_connection_refused(refused); },
      [this](const DialFailed& failed) { on_dial_failed(failed); },
      [this](const AlarmTick&) { on_alarm(); },
  };
}

void Links::on_exit() {
  connector_.reset();
  for (auto& [node, link] : links_) cut(link->socket.get());
  timers_.clear();
  links_.clear();
  receivers_.clear();
  subscribers_.clear();
  broker_ = nullptr;
}

// --- requests ---

void Links::on_send(SendFrame& send) {
  Link* link = find(send.to);
  if (link == nullptr) return;
  if (link->report.state != LinkState::up) {
    ++link->report.dropped_down;
    return;
  }
  send_body(*link, send.group, send.to_incarnation, std::move(send.body));
}

void Links::on_subscribe(const Subscribe& wish) {
  for (BodyKind kind : wish.kinds) receivers_[kind] = wish.who;
  if (std::find(subscribers_.begin(), subscribers_.end(), wish.who) == subscribers_.end()) {
    subscribers_.push_back(wish.who);
    monitor(wish.who);
  }
  for (const auto& [node, link] : links_)
    if (link->report.state == LinkState::up) caf::anon_send(wish.who, up_event(*link));
}

void Links::on_set_peers(const SetPeers& wanted) {
  for (auto& [node, link] : links_) link->listed = false;
  for (const Peer& peer : wanted.peers) add_peer(peer);
  std::vector<Link*> gone;
  for (auto& [node, link] : links_)
    if (!link->listed) gone.push_back(link.get());
  for (Link* link : gone) drop_peer(*link);
}

void Links::on_set_cluster(const SetCluster& set) {
  self_.cluster = set.cluster;
  for (auto& [node, link] : links_) {
    if (link->report.state != LinkState::up) continue;
    if (may_share_cluster(self_.cluster, link->cluster)) {
      send_hello(*link);
      continue;
    }
    refuse(Refusal::wrong_cluster, "node " + to_string(node) + " belongs to another cluster");
    end_connection(*link, "it belongs to another cluster");
  }
}

void Links::on_go_away() {
  for (auto& [node, link] : links_)
    if (link->report.state == LinkState::up)
      send_body(*link, first_group, Incarnation{}, wire::GoAway{});
}

LinkStatus Links::on_status() {
  LinkStatus status;
  for (const auto& [node, link] : links_) {
    status.links.push_back(link->report);
    status.links.back().bytes_in_flight = link->flow.credit.used();
  }
  status.refused = refused_;
  status.port = connector_->port();
  status.certificate_expires_unix = std::chrono::duration_cast<std::chrono::seconds>(
                                        contexts_->current()->expires().time_since_epoch())
                                        .count();
  return status;
}

// --- peers ---

Link* Links::find(NodeId node) {
  const auto at = links_.find(node);
  return at == links_.end() ? nullptr : at->second.get();
}

Link* Links::find_token(std::uint64_t token) {
  for (auto& [node, link] : links_)
    if (link->token == token && !link->cutting) return link.get();
  return nullptr;
}

void Links::add_peer(const Peer& peer) {
  if (peer.id == options_.node) return;
  auto& link = links_[peer.id];
  const bool fresh = link == nullptr;
  if (fresh)
    link = std::make_unique<Link>(peer.id, options_.backoff_ms_min, options_.backoff_ms_max,
                                  options_.credit_bytes);
  link->listed = true;
  link->report.address = peer.address;
  link->report.dials = dials(peer.id);
  if (fresh && link->report.dials) schedule_dial(*link, Millis{0});
}

void Links::drop_peer(Link& link) {
  link.next = nullptr;
  if (link.is_open()) return end_connection(link, "it is not a peer any more");
  links_.erase(NodeId{link.report.node});
}

void Links::schedule_dial(Link& link, Millis wait) {
  after(wait, [this, node = link.report.node, round = ++link.dial_round] { dial(node, round); });
}

// --- timers ---

void Links::after(Millis time, std::function<void()> action) {
  const MonotonicTime due = kit::now_of(*this) + time;
  timers_.emplace(due, std::move(action));
  connector_->set_alarm(due);
}

void Links::on_alarm() {
  const MonotonicTime now = kit::now_of(*this);
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const auto due = timers_.extract(timers_.begin());
    due.mapped()();
  }
  if (!timers_.empty()) connector_->set_alarm(timers_.begin()->first);
}

}  // namespace mainstay::peer_link
