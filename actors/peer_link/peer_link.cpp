#include "actors/peer_link/peer_link.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include "actors/kit/deadline.hpp"
#include "actors/kit/errors.hpp"
#include "actors/peer_link/parcel.hpp"
#include "actors/peer_link/tls_scribe.hpp"
#include "runtime/base/log.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::peer_link {

namespace {

constexpr const char* component = "peer_link";
// What CAF adds to a frame: its header, the type name, the forwarding stack.
constexpr std::size_t basp_overhead_bytes_max = 64 * limits::kib;
constexpr Millis join_ms_max{2'000};
constexpr std::chrono::seconds refusals_logged_every{10};

// The key under which the broker publishes Links; any number, the same on both sides.
constexpr std::uint16_t basp_port = 1;

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
    : caf::event_based_actor{config},
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

// --- the life of a connection ---

void Links::dial(NodeId node, std::uint64_t round) {
  Link* link = find(node);
  if (link == nullptr || link->dial_round != round || link->is_open()) return;
  if (link->report.state != LinkState::waiting) return;
  link->report.state = LinkState::connecting;
  connector_->dial(node, link->report.address);
}

void Links::on_dial_failed(const DialFailed& failed) {
  Link* link = find(failed.node);
  if (link == nullptr || link->report.state != LinkState::connecting) return;
  link->report.state = LinkState::waiting;
  if (link->report.last_error != failed.why)
    log_info(component, "node {} at {}: {}", failed.node.value, link->report.address, failed.why);
  link->report.last_error = failed.why;
  schedule_dial(*link, link->backoff.next(random_));
}

void Links::on_connection_ready(const ConnectionReady& ready) {
  Connection& connection = *ready.connection;
  Link* link = find(connection.peer);
  const bool dialled = connection.role == tls::Role::dialler;
  // One direction only: two nodes that dial each other at once would cut each other's connection.
  if (link == nullptr || dials(connection.peer) != dialled)
    return refuse(Refusal::wrong_node, connection.remote + ": node " + to_string(connection.peer) +
                                           (link == nullptr ? " is not a peer of this node"
                                                            : " must not dial this one"));
  if (!link->is_open()) return open(*link, connection);
  // The peer dials again because the connection is dead for it. BASP would take the new one for a
  // double while it knows the old one.
  link->next = ready.connection;
  end_connection(*link, "the peer has connected again");
}

void Links::on_connection_refused(const ConnectionRefused& refused) {
  refuse(refused.reason, refused.text);
}

void Links::on_connection_closed(const ConnectionClosed& closed) {
  Link* link = find(closed.node);
  if (link == nullptr || link->token != closed.token) return;
  set_down(*link, "the connection was closed");
  link->token = 0;
  link->cutting = false;
  link->socket = UniqueFd{};
  link->report.state = LinkState::waiting;
  if (!link->listed) {
    links_.erase(closed.node);
  } else if (auto next = std::exchange(link->next, nullptr)) {
    open(*link, *next);
  } else if (dials(closed.node)) {
    schedule_dial(*link, link->backoff.next(random_));
  }
}

void Links::end_of_patience(NodeId node, std::uint64_t token) {
  Link* link = find(node);
  if (link != nullptr && link->token == token && link->report.state == LinkState::joining)
    end_connection(*link, "it did not introduce itself in time");
}

void Links::on_down(const caf::down_msg& down) {
  if (broker_ && broker_.address() == down.source) {
    const std::string why = "the network broker ended: " + kit::text_of(down.reason);
    log_error(component, "{}; this node cannot speak to others any more", why);
    if (options_.on_broken) options_.on_broken(why);
    return quit(kit::failure(why));
  }
  for (auto& [node, link] : links_)
    if (link->gateway && link->gateway.address() == down.source)
      return end_connection(*link, "the peer's end is gone: " + kit::text_of(down.reason));
  const auto is_source = [&down](const caf::actor& who) { return who.address() == down.source; };
  subscribers_.erase(std::remove_if(subscribers_.begin(), subscribers_.end(), is_source),
                     subscribers_.end());
  for (auto at = receivers_.begin(); at != receivers_.end();)
    at = is_source(at->second) ? receivers_.erase(at) : std::next(at);
}

// Hands an authenticated connection to BASP. REQUIRES: none is open.
void Links::open(Link& link, Connection& connection) {
  const NodeId node = connection.peer;
  link.token = connection.token;
  link.socket = duplicate(connection.socket.get());
  link.cutting = false;
  link.flow.restart();
  link.congestion_told = false;
  link.clock.reset();
  link.peer = Party{};
  link.report.state = LinkState::joining;
  const auto weak = caf::actor_cast<caf::weak_actor_ptr>(ctrl());
  auto closed = [weak, node, token = connection.token] {
    if (auto strong = weak.lock())
      caf::anon_send(caf::actor_cast<caf::actor>(strong), ConnectionClosed{node, token});
  };
  const ScribeLimits scribe_limits{options_.frame_bytes_max + basp_overhead_bytes_max,
                                   limits::link_output_bytes_max};
  auto scribe = make_tls_scribe(system(), connection, scribe_limits, std::move(closed));
  after(options_.hello_ms, [this, node, token = link.token] { end_of_patience(node, token); });
  if (connection.role == tls::Role::dialler) return join_as_dialler(link, std::move(scribe));
  caf::anon_send(broker_, caf::publish_atom::value, std::move(scribe), basp_port,
                 caf::actor_cast<caf::strong_actor_ptr>(this), std::set<std::string>{});
}

void Links::join_as_dialler(Link& link, caf::io::scribe_ptr scribe) {
  const NodeId node = link.report.node;
  const std::uint64_t token = link.token;
  request(broker_, join_ms_max, caf::connect_atom::value, std::move(scribe), basp_port)
      .then(
          [this, node, token](caf::node_id&, caf::strong_actor_ptr& gateway,
                              std::set<std::string>&) {
            Link* joined = find(node);
            if (joined == nullptr || joined->token != token || joined->cutting) return;
            if (!gateway) return end_connection(*joined, "it offers no gateway");
            joined->gateway = caf::actor_cast<caf::actor>(gateway);
            monitor(joined->gateway);
            send_hello(*joined);
          },
          [this, node, token](const caf::error& error) {
            Link* failed = find(node);
            if (failed != nullptr && failed->token == token)
              end_connection(*failed, "cannot join: " + kit::text_of(error));
          });
}

// Cuts the connection; the rest follows when its scribe is gone (ConnectionClosed).
void Links::end_connection(Link& link, const std::string& why) {
  if (!link.is_open()) return;
  set_down(link, why);
  if (std::exchange(link.cutting, true)) return;
  cut(link.socket.get());
}

void Links::set_down(Link& link, const std::string& why) {
  if (link.report.state == LinkState::up) {
    ++link.report.disconnects;
    log_warn(component, "link to node {} is down: {}", link.report.node.value, why);
    link.report.last_error = why;
    tell_subscribers(PeerDown{link.report.node, link.peer.incarnation, link.peer.boot, why});
    link.report.state = LinkState::joining;
    link.report.protocol = 0;
  } else if (!link.cutting && link.is_open()) {
    if (link.report.last_error != why)
      log_info(component, "node {}: {}", link.report.node.value, why);
    link.report.last_error = why;
  }
  if (link.gateway) demonitor(link.gateway);
  link.gateway = nullptr;
}

void Links::refuse(Refusal reason, const std::string& text) {
  const auto at = static_cast<std::size_t>(reason);
  ++refused_[at];
  const MonotonicTime now = kit::now_of(*this);
  // Strangers must not be able to fill the log.
  if (refused_[at] > 1 && now - refused_logged_[at] < refusals_logged_every) return;
  refused_logged_[at] = now;
  log_warn(component, "refused a connection ({}, {} so far): {}", to_string(reason), refused_[at],
           text);
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

// --- what goes out ---

void Links::send_hello(Link& link) {
  wire::Hello hello;
  hello.release = options_.release;
  hello.formed = static_cast<bool>(self_.cluster);
  hello.peer_address = options_.peer_address;
  hello.api_address = options_.api_address;
  send_body(link, first_group, Incarnation{}, std::move(hello));
}

// Again and again, to every peer: who notices that clocks differ need not be who leads.
void Links::report_clock() {
  for (auto& [node, link] : links_)
    if (link->report.state == LinkState::up)
      send_body(*link, first_group, Incarnation{}, wire::ClockReport{options_.wall_millis()});
  after(options_.clock_report_every, [this] { report_clock(); });
}

bool Links::send_body(Link& link, GroupId group, Incarnation to, wire::Body body) {
  wire::Frame frame;
  // Before the other's Hello the version is not known yet; a Hello is the same in all of them.
  frame.version = link.version != 0 ? link.version : wire::protocol_version_max;
  frame.cluster = self_.cluster;
  frame.group = group;
  frame.from = self_.node;
  frame.from_incarnation = self_.incarnation;
  frame.from_boot = self_.boot;
  frame.to = link.report.node;
  frame.to_incarnation = to;
  frame.body = std::move(body);
  std::string bytes = wire::encode(frame);
  const std::size_t size = bytes.size();
  if (size > options_.frame_bytes_max) {
    ++link.report.dropped_oversize;
    log_error(component, "a frame of {} bytes for node {} is larger than allowed and was dropped",
              size, link.report.node.value);
    return false;
  }
  if (!link.flow.send(size)) {
    ++link.report.dropped_congested;
    tell_congestion(link);
    return false;
  }
  link.flow.told = link.flow.received;
  send(link.gateway, kit::WireFrame{seal_parcel(std::move(bytes), link.token, link.flow.received)});
  ++link.report.frames_sent;
  link.report.bytes_sent += size;
  tell_congestion(link);
  return true;
}

void Links::return_credit(Link& link) {
  if (!link.flow.must_tell() || !link.gateway) return;
  link.flow.told = link.flow.received;
  send(link.gateway, kit::WireFrame{seal_parcel("", link.token, link.flow.received)});
}

void Links::tell_congestion(Link& link) {
  const bool congested = link.flow.credit.congested();
  if (congested == link.congestion_told || link.report.state != LinkState::up) return;
  link.congestion_told = congested;
  tell_subscribers(PeerCongested{link.report.node, congested});
}

PeerUp Links::up_event(const Link& link) const {
  return PeerUp{link.report.node, link.peer.incarnation, link.peer.boot, link.cluster, link.hello};
}

template <class Event>
void Links::tell_subscribers(const Event& event) {
  for (const caf::actor& who : subscribers_) caf::anon_send(who, event);
}

// --- what comes in ---

void Links::on_wire_frame(kit::WireFrame& wire_frame) {
  auto parcel = open_parcel(std::move(wire_frame.blob));
  Link* link = parcel ? find_token(parcel->token) : nullptr;
  if (link == nullptr) return;  // of a connection that is gone, or from someone who guesses
  link->flow.taken(parcel->received);
  tell_congestion(*link);
  if (parcel->frame.empty()) return;
  link->flow.received += parcel->frame.size();
  link->report.bytes_received += parcel->frame.size();
  ++link->report.frames_received;
  auto frame = wire::decode_frame(std::move(parcel->frame));
  if (!frame) {
    ++link->report.dropped_received;
    // TLS keeps bytes intact and both ends agreed on a version: whoever sends this does not speak
    // our language.
    if (frame.error().code == Errc::wrong_version)
      refuse(Refusal::wrong_version, frame.error().message);
    end_connection(*link, "it sent a bad frame: " + frame.error().message);
  } else if (const auto* hello = std::get_if<wire::Hello>(&frame->body)) {
    on_hello(*link, *frame, *hello);
  } else {
    on_frame(*link, std::move(*frame));
  }
  return_credit(*link);
}

void Links::on_hello(Link& link, const wire::Frame& frame, const wire::Hello& hello) {
  auto refused = check_hello(self_, link.report.node, frame, hello);
  if (!refused && link.report.state == LinkState::up && frame.from_boot != link.peer.boot)
    refused = Refused{Refusal::wrong_node, "it changed its identity"};
  if (refused) {
    refuse(refused->reason, "node " + to_string(link.report.node) + ": " + refused->text);
    return end_connection(link, refused->text);
  }
  const bool answer = !dials(link.report.node) && link.report.state == LinkState::joining;
  link.peer = Party{frame.from, frame.from_incarnation, frame.from_boot, frame.cluster};
  link.cluster = frame.cluster;
  link.hello = hello;
  link.version = common_version(hello);
  if (answer) {
    link.gateway = caf::actor_cast<caf::actor>(current_sender());
    if (!link.gateway) return end_connection(link, "it did not say where to answer");
    monitor(link.gateway);
    send_hello(link);
  }
  if (link.report.state != LinkState::up) {
    ++link.report.connects;
    link.report.state = LinkState::up;
    link.report.incarnation = link.peer.incarnation;
    link.report.boot = link.peer.boot;
    link.report.last_error.clear();
    link.report.release = hello.release;
    link.report.protocol = link.version;
    send_body(link, first_group, Incarnation{}, wire::ClockReport{options_.wall_millis()});
    link.backoff.reset();
    log_info(component, "link to node {} is up (release {}, protocol {})", link.report.node.value,
             hello.release, link.version);
  }
  tell_subscribers(up_event(link));
}

void Links::on_frame(Link& link, wire::Frame frame) {
  std::optional<std::string> wrong = "before its Hello";
  if (link.report.state == LinkState::up) wrong = check_frame(self_, link.peer, frame);
  if (const auto* report = std::get_if<wire::ClockReport>(&frame.body); report && !wrong)
    return on_clock_report(link, *report);
  const auto receiver = receivers_.find(static_cast<BodyKind>(frame.body.index()));
  if (!wrong && receiver == receivers_.end()) wrong = "without a receiver here";
  if (wrong) {
    ++link.report.dropped_received;
    log_debug(component, "dropped a frame from node {}: {}", link.report.node.value, *wrong);
    return;
  }
  caf::anon_send(receiver->second, FrameReceived{std::move(frame)});
}

void Links::on_clock_report(Link& link, const wire::ClockReport& report) {
  link.clock.report(report.wall_millis, options_.wall_millis());
  link.report.clock_offset_ms = link.clock.millis();
}

}  // namespace mainstay::peer_link
