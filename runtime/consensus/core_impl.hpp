// What the topic files of the core share. Each part of the state that has rules of its own is a
// class of its own (log, persists, memberships, progress, read rounds); what is left here is Raft's
// small set of variables and the queues of the next Ready.
//
//   core.cpp         the public shell, step(), tick(), take_ready(), stored()
//   election.cpp     timers, pre-vote, votes, becoming and ceasing to be leader, check-quorum
//   replication.cpp  proposals, appends and their answers, commit
//   reads.cpp        ReadIndex
//   membership.cpp   changes, promotion of learners, who may talk to us
//   transfer.cpp     handing leadership over: on request, draining, quarantined, a stalled disk
//   snapshot.cpp     offering and installing snapshots
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "runtime/base/assert.hpp"
#include "runtime/base/mutant.hpp"
#include "runtime/consensus/core.hpp"
#include "runtime/consensus/membership_history.hpp"
#include "runtime/consensus/persist_queue.hpp"
#include "runtime/consensus/progress.hpp"
#include "runtime/consensus/quorum.hpp"
#include "runtime/consensus/read_rounds.hpp"
#include "runtime/consensus/unstable_log.hpp"

namespace mainstay::consensus {

struct Core::Impl {
  Impl(const CoreOptions& core_options, const InitialState& initial, const LogReader& reader,
       Random& source);

  // --- core.cpp ---
  void tick();
  void step(Message message);
  void dispatch(const Message& message);
  void stored(const PersistMark& mark);
  void applied(Index index);
  bool has_ready() const;
  Ready take_ready();
  Persist take_persist();
  void route_waiting(Ready& ready);
  std::vector<Entry> take_committed();
  bool can_apply() const;
  bool must_persist() const;
  Status status() const;
  // A message to a member, addressed to its present incarnation.
  Message message_to(NodeId to, MessageType type) const;
  Message reply_to(const Message& request, MessageType type) const;
  void send(Message message);               // leaves at once
  void send_after_stored(Message message);  // leaves when all that was decided so far is durable
  void forget_waiting_acks();

  // --- election.cpp ---
  void tick_election();
  void campaign(bool forced);
  void start_candidacy(bool forced);
  void request_votes(MessageType type, Term campaign_term, bool forced);
  void check_election();
  bool may_campaign() const;
  bool nothing_unstored() const;
  bool behind() const;
  void reset_election_timer();
  std::uint32_t election_patience() const;
  void campaign_soon();
  void become_follower(Term new_term, NodeId new_leader);
  void become_leader();
  void leave_leadership();
  void forget_leader();
  void hear_leader(const Message& message);
  bool leader_is_fresh() const;
  bool accept_higher_term(const Message& message);
  void answer_lower_term(const Message& message);
  void on_vote(const Message& message);
  void on_pre_vote(const Message& message);
  void on_vote_reply(const Message& message);
  void on_pre_vote_reply(const Message& message);
  void yield_to_rival(const Message& message);
  void own_vote_stored(const HardState& durable);
  void check_quorum();
  void report_unreachable(NodeId peer);

  // --- replication.cpp ---
  Result<Index> propose(std::vector<Entry> entries);
  Index append_own(Entry entry);
  void send_appends();
  void send_appends_to(NodeId id, Progress& progress);
  bool send_append(NodeId id, Progress& progress, bool with_entries);
  void send_heartbeats();
  void send_heartbeat(NodeId id, const Progress& progress);
  void on_append(const Message& message);
  void accept_entries(const Message& message);
  void truncate_log(Index from);
  void refuse_append(const Message& message);
  void on_append_reply(const Message& message);
  void on_append_rejected(const Message& message, Progress& progress);
  void on_heartbeat(const Message& message);
  void on_heartbeat_reply(const Message& message);
  void acknowledged(NodeId id, Progress& progress, Index index);
  void advance_commit();
  void commit_to(Index index);
  bool committed_in_this_term() const;
  Progress* progress_of(NodeId id);

  // --- reads.cpp ---
  void read_index(std::uint64_t context);
  void on_read_index(const Message& message);
  void on_read_index_reply(const Message& message);
  bool can_begin_read_round() const;
  void begin_read_round();
  void deliver_reads();
  void answer_read(const ReadRequest& request, Index index);
  void refuse_reads();
  void refuse_forwarded_reads();

  // --- membership.cpp ---
  bool is_addressed_to_us(const Message& message) const;
  bool sender_is_known(const Message& message) const;
  bool sender_may_be_newer(const Message& message) const;
  VoterSets voter_sets() const;
  bool is_voter(NodeId id) const;
  bool may_be_voter() const;
  Result<Index> propose_membership(Membership next);
  Result<void> may_change_membership() const;
  void sync_progress();
  void tick_promotion();
  void step_down_if_removed();

  // --- transfer.cpp ---
  Result<void> transfer(NodeId to);
  void tick_transfer();
  void tick_handover();
  void try_timeout_now(NodeId id, const Progress& progress);
  void on_timeout_now(const Message& message);
  NodeId best_successor() const;
  bool hand_over();

  // --- snapshot.cpp ---
  void offer_snapshot(NodeId id, Progress& progress);
  void tick_offers();
  void on_snapshot(const Message& message);
  void on_snapshot_reply(const Message& message);
  void snapshot_received(const SnapshotMeta& snapshot, bool ok);
  void begin_installing(const SnapshotMeta& snapshot);
  void finish_installing(const SnapshotMeta& snapshot);
  Index needed_from() const;

  // --- constant after construction ---
  const CoreOptions options;
  Random& random;

  // --- log and what is on its way to disk ---
  UnstableLog log;
  PersistQueue persists;
  MembershipHistory memberships;

  // --- term and vote; durable once handed over and stored. One vote a term, no exceptions (rule 4)
  // ---
  Term term = 0;
  NodeId vote;
  HardState handed;  // what the last Persist said

  // --- Raft's volatile state: applied <= emitted <= commit; emitted <= log.stored() ---
  CoreRole role = CoreRole::follower;
  NodeId leader;
  Incarnation leader_incarnation;
  Index commit = 0;
  Index emitted = 0;  // given out for applying
  Index applied_to = 0;
  Index commit_heard =
      0;  // the highest commit index any leader told: more than last means we are behind
  std::deque<std::pair<Index, std::size_t>> applying;  // emitted and not applied: last index, bytes
  std::size_t applying_bytes = 0;

  // --- time, in ticks ---
  std::uint64_t now = 0;
  std::uint32_t election_elapsed = 0;
  std::uint32_t election_timeout = 0;
  std::uint32_t leader_silence = 0;  // since a leader was heard
  std::uint32_t heartbeat_elapsed = 0;
  std::uint32_t quorum_elapsed = 0;
  std::uint32_t quick_campaigns =
      0;  // pre-votes that may follow at once: a connection to the leader closed
  bool timer_is_quick = false;

  // --- elections ---
  std::map<NodeId, bool> votes;
  bool campaign_is_forced = false;

  // --- leading; empty otherwise ---
  std::map<NodeId, Progress> progress;  // every member, this node included
  Index term_start = 0;                 // the no-op of this term
  std::deque<std::pair<Index, std::size_t>> uncommitted;
  std::size_t uncommitted_bytes = 0;
  NodeId transfer_target;
  std::uint32_t transfer_elapsed = 0;
  std::uint32_t handover_rest = 0;  // after a transfer that failed: proposals get their turn
  ReadRounds rounds;

  // --- reads forwarded to the leader, by context ---
  std::set<std::uint64_t> forwarded_reads;

  // --- snapshots: first pulled (outside), then installing (a Persist); until that is stored the
  // old state counts ---
  std::optional<SnapshotMeta> pulling;
  NodeId pull_source;
  std::optional<SnapshotMeta> installing;
  bool install_unhanded = false;

  // --- told by the operator ---
  bool draining = false;
  bool quarantined = false;

  // --- the next Ready ---
  bool dirty = false;  // there may be appends to send
  std::vector<Message> outgoing;
  std::vector<Message> waiting;  // for durability
  std::vector<ReadState> read_states;
  bool offer_pull = false;
  std::uint64_t strangers = 0;
};

}  // namespace mainstay::consensus
