// The part of Links that makes and ends connections: dialling, the hand-over to CAF's BASP, and
// what follows when one is gone.
#include <algorithm>
#include <set>
#include <utility>

#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include "actors/kit/deadline.hpp"
#include "actors/kit/errors.hpp"
#include "actors/peer_link/peer_link.hpp"
#include "actors/peer_link/tls_scribe.hpp"
#include "runtime/base/log.hpp"

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

}  // namespace mainstay::peer_link
