// A leader's view of one member's log, and how fast it may be sent to (flow control; etcd-io/raft's
// three states).
//
//   probe      where the logs agree is not known: one append at a time, the next after its answer
//   or the next heartbeat replicate  it is known: appends are sent without waiting, `next` runs
//   ahead, within a window of messages and bytes snapshot   it needs entries that are compacted:
//   nothing is sent until the snapshot offered is installed or refused
//
// Invariants: match < next; match never decreases within a leader's term.
#pragma once

#include <cstdint>
#include <deque>

#include "runtime/consensus/core.hpp"

namespace mainstay::consensus {

class Progress {
 public:
  struct Window {
    std::size_t appends_max = 256;
    std::size_t bytes_max = 16 << 20;
  };

  Progress(Index next, const Window& window) : window_{window}, next_{next} {}

  Index match() const { return match_; }
  Index next() const { return next_; }
  ProgressState state() const { return state_; }
  const SnapshotMeta& offered() const { return offered_; }
  // Nothing may be sent now.
  bool paused() const;
  bool window_full() const;
  std::size_t in_flight() const { return in_flight_.size(); }

  // An append with the entries up to `last` (next() - 1 if it had none) was sent.
  void sent(Index last, std::size_t bytes);
  // The member holds durably, equal to this log, everything up to `index`. Returns whether that is
  // news.
  bool acknowledge(Index index);
  // The member refused an append whose previous entry was `rejected`; `retry` is where the logs may
  // agree. Stale refusals change nothing.
  bool reject(Index rejected, Index retry);
  // A lost message must not keep a probing member waiting for ever.
  void heartbeat_answered() { probe_sent_ = false; }
  // The connection broke: what is in flight may be lost.
  void unreachable();
  void offer(const SnapshotMeta& snapshot);
  // The member could not get the snapshot.
  void snapshot_failed();

  // Kept by the leader, meaningless to flow control.
  Incarnation incarnation;
  bool recently_active = true;  // since the last check of the quorum
  bool active_before = true;    // between the two before
  bool active() const { return recently_active || active_before; }
  Index applied = 0;              // as last reported
  Index commit_sent = 0;          // newest commit index told
  std::uint32_t close_ticks = 0;  // for how long it has been within the promotion lag
  std::uint32_t offer_ticks = 0;  // since the snapshot was last offered
  bool snapshot_wanted = false;   // needs a snapshot that does not exist yet

 private:
  struct Flight {
    Index last = 0;
    std::size_t bytes = 0;
  };

  void become_probe(Index next);
  void become_replicate();

  Window window_;
  ProgressState state_ = ProgressState::probe;
  Index match_ = 0;
  Index next_ = 1;
  bool probe_sent_ = false;
  std::deque<Flight> in_flight_;
  std::size_t in_flight_bytes_ = 0;
  SnapshotMeta offered_;
};

}  // namespace mainstay::consensus
