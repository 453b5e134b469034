// Links: one actor a node that keeps a link to every peer. Between each two nodes the one with the
// smaller id dials. A connection is made and authenticated by the connector's threads, carried by
// CAF's BASP, and counts as a link once both have introduced themselves (Hello).
//
// Threads: Links itself runs on CAF's network thread, as the broker does that hands it the frames,
// and never blocks. Beside it there are the connector's thread and, while a name is looked up, the
// resolver's. It is not detached: with CAF 0.17.6 an actor system did not end in 3 of 12 runs when
// Links was (its last reference was never released).
// Ends with an error when the network broker dies: the process must stop then, see
// LinksConfig::on_broken.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <caf/io/scribe.hpp>
#include <caf/send.hpp>

#include "actors/kit/network_actor.hpp"
#include "actors/kit/type_ids.hpp"
#include "actors/peer_link/connector.hpp"
#include "actors/peer_link/introduction.hpp"
#include "actors/peer_link/link.hpp"
#include "actors/peer_link/peer_link_api.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/random.hpp"

namespace mainstay::peer_link {

struct LinksConfig {
  std::string cluster_name;  // as in the certificates
  NodeId node;
  Incarnation incarnation;
  BootId boot;
  ClusterId cluster;  // zero: not formed yet
  std::string release;
  std::string listen;        // host:port, port 0: any free one
  std::string peer_address;  // advertised in the Hello
  std::string api_address;
  tls::Files files;
  std::vector<Peer> peers;
  std::uint64_t seed = 0;  // of the jitter

  Millis clock_report_every{5'000};
  // this node's wall clock, milliseconds since 1970; none: the system's
  std::function<std::uint64_t()> wall_millis;
  Millis hello_ms{2'000};  // from the hand-over to BASP until both have introduced themselves
  Millis backoff_ms_min{50};
  Millis backoff_ms_max{2'000};
  ConnectorLimits connector;
  std::size_t credit_bytes =
      limits::link_output_bytes_max / 4 * 3;  // sent to a peer and not yet taken by it
  std::size_t frame_bytes_max = limits::frame_bytes_max;
  // CAF's network broker died: this node can never speak again. Called once, on any thread.
  std::function<void(std::string)> on_broken;
};

// Opens the certificates and the port, so that bad ones are an error at the start, and spawns
// Links. The port is free again when Links has ended.
Result<caf::actor> spawn_links(caf::actor_system& system, LinksConfig config);

class Links final : public kit::NetworkActor {
 public:
  struct Opened {
    UniqueFd listener;
    std::shared_ptr<tls::ContextSource> contexts;
  };
  Links(caf::actor_config& config, LinksConfig options, std::shared_ptr<Opened> opened);

  caf::behavior make_behavior() override;
  const char* name() const override { return "peer_link"; }
  void on_exit() override;

  // Messages of its own: from its threads and its timers.
  struct ConnectionReady {
    std::shared_ptr<Connection> connection;
  };
  struct ConnectionClosed {
    NodeId node;
    std::uint64_t token = 0;
  };
  struct DialFailed {
    NodeId node;
    std::string why;
  };
  struct ConnectionRefused {
    Refusal reason = Refusal::handshake;
    std::string text;
  };
  struct AlarmTick {};

 private:
  // requests
  void on_send(SendFrame& send);
  void on_subscribe(const Subscribe& wish);
  void on_set_peers(const SetPeers& wanted);
  void on_set_cluster(const SetCluster& set);
  void on_go_away();
  LinkStatus on_status();
  // peers and timers
  Link* find(NodeId node);
  Link* find_token(std::uint64_t token);
  bool dials(NodeId node) const { return options_.node < node; }
  void add_peer(const Peer& peer);
  void drop_peer(Link& link);
  void schedule_dial(Link& link, Millis wait);
  void after(Millis time, std::function<void()> action);
  void on_alarm();

  // the life of a connection: connections.cpp
  void dial(NodeId node, std::uint64_t round);
  void on_dial_failed(const DialFailed& failed);
  void on_connection_ready(const ConnectionReady& ready);
  void on_connection_refused(const ConnectionRefused& refused);
  void on_connection_closed(const ConnectionClosed& closed);
  void end_of_patience(NodeId node, std::uint64_t token);
  void on_down(const caf::down_msg& down);
  void open(Link& link, Connection& connection);
  void join_as_dialler(Link& link, caf::io::scribe_ptr scribe);
  void end_connection(Link& link, const std::string& why);
  void set_down(Link& link, const std::string& why);
  void refuse(Refusal reason, const std::string& text);

  // what goes out and what comes in: frames.cpp
  void send_hello(Link& link);
  void report_clock();
  bool send_body(Link& link, GroupId group, Incarnation to, wire::Body body);
  void return_credit(Link& link);
  void tell_congestion(Link& link);
  PeerUp up_event(const Link& link) const;
  template <class Event>
  void tell_subscribers(const Event& event) {
    for (const caf::actor& who : subscribers_) caf::anon_send(who, event);
  }
  void on_wire_frame(kit::WireFrame& frame);
  void on_hello(Link& link, const wire::Frame& frame, const wire::Hello& hello);
  void on_frame(Link& link, wire::Frame frame);
  void on_clock_report(Link& link, const wire::ClockReport& report);

  // constant after construction
  LinksConfig options_;
  const std::shared_ptr<tls::ContextSource> contexts_;
  // state
  Party self_;
  SeededRandom random_;
  std::map<NodeId, std::unique_ptr<Link>> links_;
  std::map<BodyKind, caf::actor> receivers_;
  std::vector<caf::actor> subscribers_;
  std::array<std::uint64_t, refusals> refused_{};
  std::array<MonotonicTime, refusals> refused_logged_{};
  std::multimap<MonotonicTime, std::function<void()>> timers_;
  // handles
  caf::actor broker_;
  std::unique_ptr<Connector> connector_;
};

}  // namespace mainstay::peer_link

MAINSTAY_OWN_MESSAGE(mainstay::peer_link::Links::ConnectionReady)
MAINSTAY_OWN_MESSAGE(mainstay::peer_link::Links::ConnectionClosed)
MAINSTAY_OWN_MESSAGE(mainstay::peer_link::Links::DialFailed)
MAINSTAY_OWN_MESSAGE(mainstay::peer_link::Links::ConnectionRefused)
MAINSTAY_OWN_MESSAGE(mainstay::peer_link::Links::AlarmTick)
