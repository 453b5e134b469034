// Drives one Raft core: turns what happens into its inputs, and its Readies into effects in the
// order that core.hpp demands (persist, send, apply). Passive: no actor, no thread, no clock; the
// replica actor calls it, tests call it with effects of their own.
//
// Use: any number of inputs, then run() once. run() takes the Readies and calls the effects.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/replica/proposal_queue.hpp"
#include "actors/replica/replica_api.hpp"
#include "runtime/consensus/core.hpp"
#include "runtime/consensus/recorded_core.hpp"
#include "runtime/record/agreement.hpp"
#include "runtime/store/record_store.hpp"
#include "runtime/wire/frame.hpp"

namespace mainstay::replica {

// Where effects go. Calls come from within Driver::run(), in an order that may be kept by queues of
// one sender and one receiver each.
class Effects {
 public:
  virtual ~Effects() = default;
  virtual void persist(consensus::Persist persist) = 0;               // answer: Driver::stored
  virtual void apply(std::vector<consensus::Entry> entries) = 0;      // answer: Driver::applied
  virtual void install(const consensus::SnapshotMeta& snapshot) = 0;  // answer: Driver::applied
  virtual void pull(const consensus::SnapshotMeta& snapshot,
                    NodeId source) = 0;  // answer: Driver::snapshot_received
  virtual void send(NodeId to, Incarnation incarnation, wire::Body body) = 0;
  virtual void batch_answered(const wire::ProposeReply& reply) = 0;  // to this node's gateway
  virtual void read_points(std::vector<consensus::ReadState> points) = 0;
  virtual void administered(const wire::AdminReply& reply) = 0;  // to this node's admin
  virtual void leader_changed(const LeaderChanged& change) = 0;
  virtual void quarantined(const std::string& evidence) = 0;
};

struct DriverOptions {
  consensus::CoreOptions core;
  std::size_t persists_in_flight_max = 2;  // while more wait for the disk, proposals gather
  std::uint32_t check_ticks = limits::state_check_ms / limits::tick_ms;
  std::uint32_t idle_checks_max = 60;  // check after so many periods even if nothing changed
};

class Driver {
 public:
  // All references must outlive the driver.
  Driver(const DriverOptions& options, const consensus::InitialState& initial,
         const consensus::LogReader& log, Random& random, Effects& effects);

  // --- inputs ---
  void tick(std::uint32_t periods);
  void step(std::vector<consensus::Message> messages);
  void propose(Proposal proposal);
  void ask_read_point(std::uint64_t context);
  void administer(NodeId from, const wire::AdminRequest& request);  // from none: this node's admin
  void join(NodeId from, const consensus::Member& member);
  void stored(std::uint64_t sequence);
  void applied(consensus::Index index, const std::vector<store::ApplyResult::Check>& checks);
  void snapshot_received(const consensus::SnapshotMeta& snapshot, bool ok);
  void state_hash(NodeId from, consensus::Index index, const Hash128& hash);
  void peer_up(NodeId peer);
  void peer_down(NodeId peer);
  void drain();

  // --- effects ---
  // `wall_millis`: this node's wall clock, for entries proposed now.
  void run(std::uint64_t wall_millis);

  // --- for people ---
  View view() const;
  const consensus::Core& core() const { return *core_; }
  // The last inputs of the core, for the simulator.
  std::string dump() const { return core_.dump(); }
  bool last_words(consensus::InputRing::Sink sink, void* context) {
    return core_.last_words(sink, context);
  }
  std::size_t proposals_waiting() const { return proposals_.size(); }
  std::size_t persists_in_flight() const { return in_flight_.size(); }

 private:
  // A Persist under way, with what must wait for it.
  struct InFlight {
    consensus::PersistMark mark;
    std::vector<consensus::Message> messages;
    std::optional<consensus::SnapshotMeta> snapshot;
  };
  // A request for an administrative change that is under way.
  struct AdminWait {
    NodeId from;
    std::uint64_t id = 0;
    consensus::Index index = 0;  // of the change; 0: a transfer
    consensus::Term term = 0;
  };

  void take_ready();
  void take_committed(std::vector<consensus::Entry> entries);
  void pull(const consensus::SnapshotMeta& snapshot, NodeId source);
  void queue(std::vector<consensus::Message> messages);
  void flush_messages();
  void propose_waiting(std::uint64_t wall_millis);
  void answer(const Proposal& proposal, wire::ProposeReply reply);
  void refuse_all(Errc why);
  void answer_admin(const AdminWait& wait, Result<void> result);
  void finish_admin();
  void watch_leader();
  void judge(const std::optional<record::Verdict>& verdict);

  const DriverOptions options_;
  Effects& effects_;
  consensus::RecordedCore core_;
  ProposalQueue proposals_;
  std::deque<InFlight> in_flight_;
  std::vector<consensus::Entry>
      held_;  // committed entries behind a snapshot that is not installed yet
  consensus::Index installing_ = 0;  // the snapshot that is being installed; 0: none
  std::map<NodeId, std::vector<consensus::Message>> outgoing_;
  std::vector<AdminWait> admin_;
  record::Agreement agreement_;
  std::set<NodeId> connected_;
  LeaderChanged known_leader_;
  std::uint32_t ticks_to_check_ = 0;
  bool changed_since_check_ = true;
  std::uint32_t idle_checks_ = 0;
  consensus::Index checked_index_ = 0;
  bool hashes_agree_ = true;
  bool no_majority_ = false;
  bool quarantined_ = false;
  bool draining_ = false;
};

}  // namespace mainstay::replica
