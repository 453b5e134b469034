// The steward actor: brings this node into its cluster and keeps the list of links right. While the
// node is empty it forms a cluster with the listed peers, adopts a peer's offer, or joins a cluster
// that exists already (runtime/consensus/formation.hpp); while the node is not in the membership it
// asks to be taken in; a node found to differ from the majority is sent to start over. Detached:
// forming blocks on the disk.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/event_based_actor.hpp>

#include "actors/kit/type_ids.hpp"
#include "actors/peer_link/peer_link_api.hpp"
#include "actors/replica/replica_api.hpp"
#include "runtime/consensus/formation.hpp"
#include "runtime/store/node_store.hpp"

namespace mainstay::node {

// Timer.
struct StewardTick {};

struct StewardOptions {
  consensus::Member self;                 // addresses as advertised
  std::vector<consensus::Member> listed;  // as configured; empty: a single node
  Millis tick{250};
  Millis offer_wait{
      2000};  // how long an empty node that met a formed one waits for an offer before it joins
};

// Where the steward's effects end. Set by the node; must not block.
struct StewardPorts {
  std::function<void(NodeId, wire::Body)> send;
  std::function<void(peer_link::SetPeers)> set_peers;
  std::function<void(ClusterId)> formed;  // the node belongs to this cluster: start the replica
  std::function<void(const std::string& evidence)>
      restart;  // end the process so that it starts over
};

class Steward final : public caf::event_based_actor {
 public:
  // `store` and `random` must outlive the actor.
  Steward(caf::actor_config& config, StewardOptions options, store::NodeStore& store,
          Random& random, std::shared_ptr<const replica::Published<replica::View>> view,
          std::shared_ptr<const StewardPorts> ports);

  caf::behavior make_behavior() override;
  const char* name() const override { return "steward"; }

 private:
  void on_peer_up(const peer_link::PeerUp& up);
  void on_peer_down(const peer_link::PeerDown& down);
  void on_frame(const peer_link::FrameReceived& received);
  void on_steward_tick();
  void on_quarantined(const replica::Quarantined& event);

  void begin();
  void become_formed(ClusterId cluster, const consensus::Membership& initial, const char* how);
  void remember_offer();
  void offer_to(const peer_link::PeerUp& peer);
  void join_if_due();
  void ask_to_be_taken_in();
  void keep_links();

  const StewardOptions options_;
  store::NodeStore& store_;
  Random& random_;
  const std::shared_ptr<const replica::Published<replica::View>> view_;
  const std::shared_ptr<const StewardPorts> ports_;
  consensus::Formation formation_;
  std::optional<wire::FormationOffer>
      offer_;  // what a formed node repeats to listed nodes that are still empty
  std::map<NodeId, peer_link::PeerUp> up_;
  std::optional<MonotonicTime> met_formed_;
  std::vector<consensus::Member> linked_;  // what SetPeers was last told
};

}  // namespace mainstay::node

MAINSTAY_BEGIN_MESSAGES(node)
MAINSTAY_MESSAGE(node, mainstay::node::StewardTick)
MAINSTAY_END_MESSAGES(node)
