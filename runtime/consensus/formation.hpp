// How empty nodes become a cluster, once and only once. Pure.
//
// Every node is configured with the same initial list of (node id, addresses). An empty node has an
// incarnation made at random when its data directory was initialised. When the node with the lowest
// id has heard all the listed nodes say "empty", it draws a cluster id, forms itself durably and
// offers (cluster, membership with all incarnations) to the others; a node adopts an offer only if
// it is empty and the offer lists its own (id, incarnation). A node that lost its disk later has an
// incarnation that no offer lists: it cannot adopt, and joins as a learner instead. A formed node
// repeats the offer to listed nodes that are still empty for as long as the log starts at the
// bootstrap.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/consensus/types.hpp"

namespace mainstay::consensus {

struct Formed {
  ClusterId cluster;
  Membership initial;
};

class Formation {
 public:
  // `self` with its incarnation; `listed` as configured (incarnations unset), self included.
  Formation(Member self, std::vector<Member> listed);

  // A peer's hello. Returns what this node must now form durably (it is the coordinator and has
  // heard everyone), at most once.
  std::optional<Formed> on_hello(NodeId from, Incarnation incarnation, bool formed, Random& random);

  // Alone in the list: nothing to wait for.
  std::optional<Formed> form_alone(Random& random);

  // An offer from a formed node: true if this node must adopt it durably.
  bool accepts(const Formed& offer) const;

  // A formed peer exists and this node is not in its membership: join as a learner.
  bool should_join() const;

 private:
  Member self_;
  std::vector<Member> listed_;
  std::map<NodeId, Incarnation> empty_peers_;
  bool formed_peer_seen_ = false;
  bool done_ = false;
};

}  // namespace mainstay::consensus
