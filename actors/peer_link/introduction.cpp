#include "actors/peer_link/introduction.hpp"

#include <algorithm>

namespace mainstay::peer_link {

std::string_view to_string(LinkState state) {
  switch (state) {
    case LinkState::waiting:
      return "waiting";
    case LinkState::connecting:
      return "connecting";
    case LinkState::joining:
      return "joining";
    case LinkState::up:
      return "up";
  }
  return "unknown";
}

std::string_view to_string(Refusal reason) {
  switch (reason) {
    case Refusal::handshake:
      return "handshake";
    case Refusal::stranger:
      return "stranger";
    case Refusal::wrong_cluster:
      return "wrong_cluster";
    case Refusal::wrong_node:
      return "wrong_node";
    case Refusal::wrong_version:
      return "wrong_version";
    case Refusal::overload:
      return "overload";
  }
  return "unknown";
}

std::uint32_t common_version(const wire::Hello& theirs) {
  const std::uint32_t highest = std::min(wire::protocol_version_max, theirs.version_max);
  const std::uint32_t lowest = std::max(wire::protocol_version_min, theirs.version_min);
  return highest >= lowest ? highest : 0;
}

bool may_share_cluster(ClusterId a, ClusterId b) {
  return !a || !b || a == b;
}

std::optional<Refused> check_hello(const Party& self, NodeId certified, const wire::Frame& frame,
                                   const wire::Hello& hello) {
  if (frame.from != certified)
    return Refused{Refusal::wrong_node, "it says that it is node " + to_string(frame.from) +
                                            " with the certificate of node " +
                                            to_string(certified)};
  if (frame.to && frame.to != self.node)
    return Refused{Refusal::wrong_node, "it looks for node " + to_string(frame.to)};
  if (frame.to_incarnation && frame.to_incarnation != self.incarnation)
    return Refused{Refusal::wrong_node, "it looks for an earlier life of this node"};
  if (!frame.from_incarnation || !frame.from_boot)
    return Refused{Refusal::wrong_node, "it does not say which life of the node it is"};
  if (!may_share_cluster(self.cluster, frame.cluster))
    return Refused{Refusal::wrong_cluster, "it belongs to cluster " + to_string(frame.cluster) +
                                               ", this node to " + to_string(self.cluster)};
  if (common_version(hello) == 0)
    return Refused{Refusal::wrong_version, "it speaks protocol versions " +
                                               std::to_string(hello.version_min) + " to " +
                                               std::to_string(hello.version_max) + ", this node " +
                                               std::to_string(wire::protocol_version_min) + " to " +
                                               std::to_string(wire::protocol_version_max)};
  return std::nullopt;
}

std::optional<std::string> check_frame(const Party& self, const Party& peer,
                                       const wire::Frame& frame) {
  if (frame.from != peer.node || frame.from_incarnation != peer.incarnation ||
      frame.from_boot != peer.boot)
    return "not from the node that introduced itself";
  if (frame.to != self.node || (frame.to_incarnation && frame.to_incarnation != self.incarnation))
    return "for another node or another life of this one";
  if (!may_share_cluster(self.cluster, frame.cluster)) return "of another cluster";
  return std::nullopt;
}

}  // namespace mainstay::peer_link
