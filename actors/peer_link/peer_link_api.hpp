// Messages of Links, the actor that keeps one link to every other node. One Links a node.
// Everything here stays in the process; what crosses to other nodes is kit::WireFrame, which only
// Links touches.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <caf/actor.hpp>

#include "actors/kit/type_ids.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/time.hpp"
#include "runtime/wire/frame.hpp"

namespace mainstay::peer_link {

// --- to Links ---

// Sends `body` to a node; the envelope (cluster, identities, version, checksum) is Links' work.
// Dropped and counted when the link is down or the peer has not taken enough of what was sent
// before (PeerCongested): senders repeat by their own rules, as over any network.
struct SendFrame {
  NodeId to;
  Incarnation to_incarnation;  // 0: whichever life of the node is there
  GroupId group = first_group;
  wire::Body body;
};

// The kinds of body an actor can receive: the alternatives of wire::Body by number, see kind_of().
using BodyKind = std::uint32_t;
constexpr BodyKind bodies = static_cast<BodyKind>(std::variant_size_v<wire::Body>);
template <class T, std::size_t Index = 0>
constexpr BodyKind kind_of() {
  static_assert(Index < bodies, "not a body");
  if constexpr (std::is_same_v<std::variant_alternative_t<Index, wire::Body>, T>)
    return static_cast<BodyKind>(Index);
  else
    return kind_of<T, Index + 1>();
}

// From now on `who` receives PeerUp, PeerDown and PeerCongested, and FrameReceived for each of
// `kinds` (each kind has one receiver: the latest to ask). PeerUp comes at once for every link that
// is up. Ends by itself when `who` ends. Send it again after Links was restarted.
struct Subscribe {
  caf::actor who;
  std::vector<BodyKind> kinds;
};

// The nodes to keep links with, replacing the previous list; this node itself is skipped. A changed
// address counts from the next dial.
struct Peer {
  NodeId id;
  std::string address;  // host:port
};
struct SetPeers {
  std::vector<Peer> peers;
};

// This node now belongs to `cluster` (formed, adopted or loaded). Every link is told by a new
// Hello; links to nodes of another cluster end.
struct SetCluster {
  ClusterId cluster;
};

// Tells every peer that this node is about to stop (wire::GoAway). Answered by GoAwaySent.
struct SendGoAway {};
struct GoAwaySent {};

// Answered by LinkStatus.
struct GetLinkStatus {};

// --- from Links ---

// A link is up: TLS, certificate, cluster and Hello are checked both ways. Sent again with the same
// boot when the peer's Hello changed (it was formed into the cluster).
struct PeerUp {
  NodeId node;
  Incarnation incarnation;
  BootId boot;
  ClusterId cluster;  // zero: not formed yet
  wire::Hello hello;
};

// A link that was up is not any more. Comes at once when the peer's process ends, after the
// heartbeat time-out when it is silent.
struct PeerDown {
  NodeId node;
  Incarnation incarnation;
  BootId boot;
  std::string reason;
};

// The peer takes frames slower than they are sent: SendFrame to it is dropped until `congested` is
// false again.
struct PeerCongested {
  NodeId node;
  bool congested = false;
};

// A frame from the node that its certificate and Hello say it is, for this node and this life of
// it, checksum good.
struct FrameReceived {
  wire::Frame frame;
};

// --- status ---

enum class LinkState : std::uint8_t {
  waiting,     // for the peer to dial (it has the smaller id), or for the next try
  connecting,  // connection and TLS handshake are under way
  joining,     // handed to BASP, Hello under way
  up,
};
std::string_view to_string(LinkState state);

struct LinkReport {
  NodeId node;
  std::string address;
  LinkState state = LinkState::waiting;
  bool dials = false;  // this side dials
  Incarnation incarnation;
  BootId boot;
  std::string last_error;            // "" after a successful Hello
  std::string release;               // as in its last Hello
  std::uint32_t protocol = 0;        // version spoken on the link; 0: not up
  std::int64_t clock_offset_ms = 0;  // its wall clock minus this node's; 0 until it has told it
  std::uint64_t connects = 0;
  std::uint64_t disconnects = 0;
  std::uint64_t frames_sent = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t frames_received = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t dropped_down = 0;       // link not up
  std::uint64_t dropped_congested = 0;  // credit used up
  std::uint64_t dropped_oversize = 0;   // larger than a frame may be
  std::uint64_t dropped_received = 0;   // frames that failed a check or had no receiver
  std::size_t bytes_in_flight = 0;      // sent and not yet taken by the peer
};

// Why a connection was refused; each is counted.
enum class Refusal : std::uint8_t {
  handshake,      // no TLS, or none within the time
  stranger,       // certificate missing, expired, or of another authority
  wrong_cluster,  // certificate or Hello of another cluster
  wrong_node,  // certificate of a node that is not a peer, or not the one that was dialled or that
               // speaks
  wrong_version,  // no protocol version in common
  overload,       // too many handshakes at once
};
constexpr std::size_t refusals = 6;
std::string_view to_string(Refusal reason);

struct LinkStatus {
  std::vector<LinkReport> links;
  std::array<std::uint64_t, refusals> refused{};
  std::uint16_t port = 0;                     // where this node listens
  std::int64_t certificate_expires_unix = 0;  // seconds
};

}  // namespace mainstay::peer_link

MAINSTAY_BEGIN_MESSAGES(peer_link)
MAINSTAY_MESSAGE(peer_link, mainstay::peer_link::FrameReceived)
MAINSTAY_MESSAGE(peer_link, mainstay::peer_link::GetLinkStatus)
MAINSTAY_MESSAGE(peer_link, mainstay::peer_link::GoAwaySent)
MAINSTAY_MESSAGE(peer_link, mainstay::peer_link::LinkStatus)
MAINSTAY_MESSAGE(peer_link, mainstay::peer_link::PeerCongested)
MAINSTAY_MESSAGE(peer_link, mainstay::peer_link::PeerDown)
MAINSTAY_MESSAGE(peer_link, mainstay::peer_link::PeerUp)
MAINSTAY_MESSAGE(peer_link, mainstay::peer_link::SendFrame)
MAINSTAY_MESSAGE(peer_link, mainstay::peer_link::SendGoAway)
MAINSTAY_MESSAGE(peer_link, mainstay::peer_link::SetCluster)
MAINSTAY_MESSAGE(peer_link, mainstay::peer_link::SetPeers)
MAINSTAY_MESSAGE(peer_link, mainstay::peer_link::Subscribe)
MAINSTAY_END_MESSAGES(peer_link)
