// Who may be linked with, and which frames are taken: the checks on a peer's Hello and on every
// frame after it. Pure.
#pragma once

#include <optional>
#include <string>

#include "actors/peer_link/peer_link_api.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/wire/frame.hpp"

namespace mainstay::peer_link {

// One end of a link, as it says itself in its frames.
struct Party {
  NodeId node;
  Incarnation incarnation;
  BootId boot;
  ClusterId cluster;  // zero: belongs to none yet
};

struct Refused {
  Refusal reason = Refusal::handshake;
  std::string text;
};

// The highest protocol version that both know; 0 when there is none.
std::uint32_t common_version(const wire::Hello& theirs);

// Nodes of one cluster, or of which one is still to be formed into it.
bool may_share_cluster(ClusterId a, ClusterId b);

// `certified`: the node that the certificate of the connection names. None: the Hello is good.
std::optional<Refused> check_hello(const Party& self, NodeId certified, const wire::Frame& frame,
                                   const wire::Hello& hello);

// A frame after the Hello. None: it is from `peer` and for `self`.
std::optional<std::string> check_frame(const Party& self, const Party& peer,
                                       const wire::Frame& frame);

}  // namespace mainstay::peer_link
