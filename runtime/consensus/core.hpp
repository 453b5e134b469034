// The Raft core of one group on one node: a pure state machine. Inputs are method calls; outputs
// are collected in a Ready.
//
//   loop:  core.tick() | core.step(message) | core.propose(…) | core.stored(…) | …
//          while (core.has_ready()) { Ready ready = core.take_ready(); … }
//
// The caller's duties for each Ready, in this order of dependencies (not of time; each may be done
// in another thread):
//   1. persist: hand `persist` (hard state, truncation, entries, snapshot switch) to the log writer
//      as ONE durable commit. When that commit has returned, call stored(persist.mark). Commits
//      happen in the order of the Readies.
//   2. send_now: may leave at once.
//   3. send_after_stored: may leave only after the persist of the same Ready is durable (votes
//      granted, appends acknowledged).
//   4. committed: apply in order, then call applied(index).
//   5. reads: serve each once applied >= its index.
// If persisting fails the process stops: the core has no way to hear of it.
//
// Owner: the replica actor (or the simulator). Not thread-safe: one thread calls everything. No
// I/O, no clock, no allocation of meaning elsewhere. The same inputs give the same outputs.
//
// Source: Ongaro, "Consensus: Bridging Theory and Practice" (2014); etcd-io/raft for the shape;
// deviations are commented where they are.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/base/result.hpp"
#include "runtime/consensus/log_reader.hpp"
#include "runtime/consensus/message.hpp"
#include "runtime/consensus/types.hpp"

namespace mainstay::consensus {

struct CoreOptions {
  NodeId id;
  Incarnation incarnation;
  GroupId group = first_group;
  // In ticks. The defaults are limits.hpp divided by limits::tick_ms.
  std::uint32_t heartbeat_ticks = 5;
  std::uint32_t election_ticks_min = 20;
  std::uint32_t election_ticks_max = 30;
  // a leader whose own persist is pending this long hands over
  std::uint32_t disk_stall_ticks = 40;
  std::uint32_t promote_lag_entries = 1000;
  // a learner must stay within the lag this long before it is promoted
  std::uint32_t promote_stable_ticks = 100;
  std::size_t append_bytes_max = 1 << 20;
  std::size_t inflight_appends_max = 256;
  std::size_t inflight_bytes_max = 16 << 20;
  std::size_t uncommitted_bytes_max = 64 << 20;
  std::size_t apply_bytes_max = 4 << 20;  // entries in one Ready::committed
  std::size_t recent_bytes_max =
      4 << 20;  // durable entries kept in memory; 0: always read them back through LogReader
  std::size_t pending_reads_max = 65536;  // more are refused (ReadState index 0)
};

// What the log store held when the process started.
struct InitialState {
  HardState hard_state;
  Membership membership;  // as of the snapshot (or bootstrap) point
  // the state machine's durable applied index; everything up to it is committed
  Index applied = 0;
};

enum class CoreRole : std::uint8_t { follower, pre_candidate, candidate, leader };
std::string_view to_string(CoreRole role);

// Identifies one Persist among all: the core recognises by (term, last_index) that an
// acknowledgement belongs to what it still holds, so that a completion of overwritten entries
// cannot acknowledge their successors.
struct PersistMark {
  std::uint64_t sequence = 0;  // 1, 2, 3 … in the order of the Readies; 0: the Persist is empty,
                               // there is nothing to store or report
  Term term = 0;               // term of the last entry appended; 0 when none was
  Index last_index = 0;
};

// One durable commit of the log store. Applied in this order: snapshot switch, truncation, appends,
// hard state.
struct Persist {
  PersistMark mark;
  std::optional<HardState> hard_state;
  std::optional<Index> truncate_from;  // remove this entry and all after it
  std::vector<Entry> entries;          // contiguous, following what remains
  // The staged snapshot becomes the state of this node: the log restarts after it. Set only after
  // the caller reported it as received.
  std::optional<SnapshotMeta> snapshot;

  bool empty() const { return !hard_state && !truncate_from && entries.empty() && !snapshot; }
};

struct ReadState {
  std::uint64_t context = 0;  // as given to read_index()
  // serve when applied >= index; 0: refused (no leader, no quorum): ask again
  Index index = 0;
};

struct Ready {
  Persist persist;
  std::vector<Message> send_now;
  std::vector<Message> send_after_stored;
  // next entries to apply, contiguous, limits::apply_bytes_max at a time
  std::vector<Entry> committed;
  std::vector<ReadState> reads;
  // A leader offered a snapshot: pull its bytes from `snapshot_source`, verify and stage them, then
  // call snapshot_received().
  std::optional<SnapshotMeta> pull_snapshot;
  NodeId snapshot_source;
};

enum class ProgressState : std::uint8_t { probe, replicate, snapshot };

// A leader's view of one member.
struct MemberStatus {
  NodeId id;
  Index match = 0;
  Index next = 0;
  Index applied = 0;
  ProgressState state = ProgressState::probe;
  bool recently_active = false;
};

struct Status {
  NodeId id;
  CoreRole role = CoreRole::follower;
  Term term = 0;
  NodeId vote;
  NodeId leader;  // none: unknown
  Index first = 0;
  Index last = 0;
  Index stored = 0;
  Index commit = 0;
  Index applied = 0;
  bool transferring = false;
  NodeId transfer_target;
  Membership membership;
  bool membership_committed = true;
  // Leaders only: a member needs entries that are compacted, and LogReader::snapshot() has no
  // snapshot recent enough: make one.
  bool snapshot_wanted = false;
  bool installing_snapshot = false;   // a Persist with a snapshot is under way
  std::vector<MemberStatus> members;  // leaders only
};

// Of a node that does not lead: in ticks, since it last heard of a leader or voted, and until it
// asks for votes itself.
struct ElectionTimer {
  std::uint32_t elapsed = 0;
  std::uint32_t timeout = 0;
};

class Core {
 public:
  // `log` and `random` must outlive the core.
  Core(const CoreOptions& options, const InitialState& initial, const LogReader& log,
       Random& random);
  ~Core();
  Core(Core&&) noexcept;

  // --- inputs ---

  // Time passes: one tick (limits::tick_ms). Call at an even pace; several missed ticks may be made
  // up by several calls.
  void tick();

  // A message from another core. Strangers, other incarnations and nonsense are dropped and
  // counted.
  void step(Message message);

  // Appends an entry with this payload; returns its place. Errors: not_leader; busy (uncommitted
  // bytes at the limit, or a transfer runs).
  Result<Index> propose(Bytes payload);

  // Several payloads, one entry each, one Ready: same errors, all or none. Returns the index of the
  // first.
  Result<Index> propose(std::vector<Bytes> payloads);

  // Appends an entry without payload at which all replicas take their state hash. Errors as
  // propose().
  Result<Index> propose_check();

  // One membership change: `next` must differ from the current one in one member (added, removed,
  // role, or incarnation replaced while it is a learner afterwards). Errors: not_leader, conflict
  // (another change is under way; no commit in this term yet), invalid_argument.
  Result<Index> propose_membership(Membership next);

  // Asks for a linearizable read point; the answer is a ReadState with this context. On a follower
  // it is forwarded to the leader; lost messages are not repeated here: the caller asks again with
  // a new context after its own timeout.
  void read_index(std::uint64_t context);

  // Hands leadership to `to`, or to the most caught-up voter if none. Errors: not_leader,
  // invalid_argument (no voter), conflict (runs).
  Result<void> transfer(NodeId to);

  // Give up leadership and do not campaign while draining, unless nobody else can lead.
  void set_draining(bool draining);

  // A node whose state differs from the majority (state hash), or that is not trusted yet, neither
  // campaigns nor votes.
  void set_quarantined(bool quarantined);

  // The connection to a peer closed. A follower that loses its leader's connection starts a
  // pre-vote soon (one to a few ticks).
  void report_unreachable(NodeId peer);

  // This Persist is durable.
  void stored(const PersistMark& mark);

  // The state machine has applied up to here (in memory or better).
  void applied(Index index);

  // The snapshot offered in Ready::pull_snapshot is staged and verified (ok), or could not be had.
  void snapshot_received(const SnapshotMeta& snapshot, bool ok);

  // Leader: a member reported by its snapshot server as having finished or failed is resumed by its
  // own snapshot_reply; nothing to call.

  // --- outputs ---

  bool has_ready() const;
  Ready take_ready();
  Status status() const;
  ElectionTimer election_timer() const;
  NodeId leader() const;
  CoreRole role() const;
  Term term() const;
  const Membership& membership() const;

  // Messages dropped because sender or receiver identity did not match.
  std::uint64_t strangers_dropped() const;

  // The lowest index that compaction must keep because a member is being fed from there (pins are
  // bounded by the caller).
  Index needed_from() const;

 private:
  // core_impl.hpp: shared by the topic files election, replication, reads, membership, transfer,
  // snapshot
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mainstay::consensus
