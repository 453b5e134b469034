// The network between simulated nodes: delays, losses, duplicates, reordering and cuts, all drawn
// from the seed.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <utility>
#include <variant>

#include "runtime/base/random.hpp"
#include "runtime/consensus/message.hpp"
#include "tests/harness/scheduler.hpp"
#include "tests/harness/trace.hpp"

namespace mainstay::harness {

// What travels. The daemon packs the same things into frames; here they stay values.
struct ProposeParcel {
  Bytes batch;  // an encoded record::Batch for the leader
};
struct SnapshotAsk {
  std::string id;
  std::uint64_t offset = 0;
};
struct SnapshotPiece {
  std::string id;
  std::uint64_t offset = 0;
  std::string data;
  bool refused = false;
};
struct StateHashParcel {
  consensus::Index index = 0;
  Hash128 hash{};
};
struct LinkClosed {};  // the process at the other end is gone
using Parcel = std::variant<consensus::Message, ProposeParcel, SnapshotAsk, SnapshotPiece,
                            StateHashParcel, LinkClosed>;

// Probabilities in thousandths.
struct NetworkFaults {
  std::uint32_t drop = 0;
  std::uint32_t duplicate = 0;
  std::uint32_t reorder = 0;
  std::uint32_t straggle = 0;    // delayed by up to `straggle_max`
  std::uint32_t slow_votes = 0;  // the same for votes only, so that candidates of one term meet
  SimTime delay_min = 100;
  SimTime delay_max = 800;
  SimTime straggle_max = 500 * sim_ms;
};

class SimNetwork {
 public:
  using Deliver = std::function<void(NodeId from, NodeId to, const Parcel&)>;

  SimNetwork(Scheduler& scheduler, Random& random, Trace& trace, Deliver deliver)
      : scheduler_{scheduler}, random_{random}, trace_{trace}, deliver_{std::move(deliver)} {}

  void set_faults(const NetworkFaults& faults) { faults_ = faults; }
  const NetworkFaults& faults() const { return faults_; }

  void send(NodeId from, NodeId to, Parcel parcel);

  // One direction only.
  void cut(NodeId from, NodeId to) { cuts_.insert({from, to}); }
  void mend(NodeId from, NodeId to) { cuts_.erase({from, to}); }
  void mend_all() { cuts_.clear(); }
  bool is_cut(NodeId from, NodeId to) const { return cuts_.contains({from, to}); }

  // Whatever is sent that way in the next `duration` arrives after it: a connection that stalls.
  void stall(NodeId from, NodeId to, SimTime duration) {
    stalled_until_[{from, to}] = scheduler_.now() + duration;
  }

  std::uint64_t sent() const { return sent_; }

 private:
  bool chance(std::uint32_t thousandths) { return random_.between(0, 999) < thousandths; }
  bool straggles(const Parcel& parcel);
  void schedule(NodeId from, NodeId to, const Parcel& parcel);

  Scheduler& scheduler_;
  Random& random_;
  Trace& trace_;
  Deliver deliver_;
  NetworkFaults faults_;
  std::set<std::pair<NodeId, NodeId>> cuts_;
  std::map<std::pair<NodeId, NodeId>, SimTime> last_arrival_;
  std::map<std::pair<NodeId, NodeId>, SimTime> stalled_until_;
  std::uint64_t sent_ = 0;
};

}  // namespace mainstay::harness
