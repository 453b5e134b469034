// One simulated node: the real core over the real stores on a simulated disk, driven the way the
// daemon's replica, log writer and applier drive them, but in virtual time: a log write is queued,
// later reaches the disk, and later still is reported. So a crash can fall before a write, inside
// it, between it and its report, and before or after any message.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/consensus/core.hpp"
#include "runtime/consensus/recorded_core.hpp"
#include "runtime/record/agreement.hpp"
#include "runtime/record/state_machine.hpp"
#include "runtime/record/types.hpp"
#include "runtime/store/node_store.hpp"
#include "tests/harness/invariants.hpp"
#include "tests/harness/model.hpp"
#include "tests/harness/scheduler.hpp"
#include "tests/harness/sim_disk.hpp"
#include "tests/harness/sim_network.hpp"
#include "tests/harness/trace.hpp"

namespace mainstay::harness {

// How fast and how careful one node is; drawn per seed, changed by the nemesis.
struct NodeSettings {
  SimTime tick = 10 * sim_ms;
  SimTime disk_min = 100, disk_max = 400;    // one log write
  SimTime report_min = 0, report_max = 100;  // from the write to the core hearing of it
  SimTime apply_min = 50, apply_max = 300;
  std::int64_t wall_skew_ms = 0;
  std::uint32_t compact_every = 0;  // applied entries between snapshots; 0: never
  std::uint32_t keep_entries = 0;   // behind the snapshot
  bool compact_alone = false;  // without a snapshot each time; one is made when a member needs it
  bool honour_pins = true;
  bool report_last_only = false;      // group commits report only their last mark
  SimTime sync_every = 500 * sim_ms;  // checkpoints of the records beside compaction
  bool resend = false;                // batches without outcomes are sent again as they are
  record::ApplyOptions apply;
  std::uint64_t clock_rate = 1;     // milliseconds that the wall clocks go on in one
  std::uint32_t audit_one_in = 64;  // applies after which everything is looked through
  std::size_t chunk_bytes = 8192;
  consensus::CoreOptions core;
};

struct SimWorld {
  Scheduler& scheduler;
  Random& random;
  Trace& trace;
  SimNetwork& network;
  Invariants& invariants;
  Model& model;
  ClusterId cluster;
};

// The process of a node has stopped itself (promise P7).
struct NodeStopped {
  Error error;
};

class SimNode {
 public:
  using OnOutcome = std::function<void(const record::Outcome&)>;
  // Null: refused, ask again.
  using OnView = std::function<void(const record::StateReader*)>;
  enum class State { down, up, paused };

  SimNode(SimWorld world, NodeId id, const std::filesystem::path& directory, NodeSettings settings);
  ~SimNode();

  NodeId id() const { return id_; }
  MemberKey key() const { return {id_, incarnation_}; }
  State state() const { return state_; }
  bool up() const { return state_ == State::up; }
  SimDisk& disk() { return disk_; }
  NodeSettings& settings() { return settings_; }
  const consensus::Core& core() const { return **core_; }
  store::NodeStore& store() { return *store_; }
  consensus::Index applied() const { return applied_; }
  bool leads() const { return up() && core().role() == consensus::CoreRole::leader; }

  // How it opens its store.
  store::StoreOptions store_options() const;
  // Makes an empty disk a member's: `initial` is the cluster's first membership, or empty for one
  // that joins later.
  Incarnation prepare();
  void form(const consensus::Membership& initial);
  // Both for a node that joins later; false when its disk failed meanwhile, which leaves it empty.
  bool prepare_empty();
  void start();
  // The process ends at once; with `power`, so does what was not synced.
  void crash(bool power);
  // The same in the middle of what the process writes, after so many more operations on its disk.
  void die_in_write(std::uint64_t operations, bool power);
  // An empty disk under the same node id; the process must be down.
  void lose_disk();
  void pause();
  void resume();
  // What the store said when it stopped by itself, with no fault injected: a finding.
  void expect_trouble(bool expected) { trouble_expected_ = expected; }
  bool damaged() const { return damaged_; }
  // Reads the whole log as the scrub does; a damaged record stops the node.
  void verify_log();

  // The next write of a plain value that it applies becomes another one.
  void alter_next() { alter_next_ = up(); }
  void alter_no_more() { alter_next_ = false; }
  // It holds, or soon will, what the log does not say.
  bool differs() const { return alter_next_ || is_altered(applied_); }
  // Though nothing is seen of it any more, a hash that was reported before can put it out yet.
  bool may_be_put_out() const { return alter_next_ || was_altered(); }
  bool was_altered() const { return altered_at_ != 0; }
  // Called in the middle of the node's work when it has put itself out: only schedule from here.
  void watch_quarantine(std::function<void(SimNode&)> on_quarantined) {
    on_quarantined_ = std::move(on_quarantined);
  }
  // What it had is set aside by its next start, which makes another member of it; it must be down.
  void start_over();

  // Called in the middle of the node's work when its role has changed: only schedule from here.
  void watch_role(std::function<void(SimNode&, consensus::CoreRole)> on_role) {
    on_role_ = std::move(on_role);
  }

  // What this life's core was told lately.
  consensus::Recording recording() const { return core_ ? core_->recording() : last_recording_; }

  void deliver(NodeId from, const Parcel& parcel);
  void submit(record::Command command, OnOutcome on_outcome);
  // A linearizable look at the records.
  void look(OnView on_view);
  // What this node has applied; null while it cannot be had.
  std::unique_ptr<store::ReadView> local_view();
  // Runs `what` on the core as an operator's request would, and the effects after it.
  void operate(const std::function<void(consensus::RecordedCore&)>& what);

 private:
  struct PendingPersist {
    consensus::Persist persist;
    std::vector<consensus::Message> messages;
  };
  struct PendingRead {
    OnView on_view;
    consensus::Index committed_at_start = 0;
    consensus::Index index = 0;
    bool confirmed = false;
  };
  struct Pull {
    consensus::SnapshotMeta meta;
    NodeId source;
    std::uint64_t offset = 0;
    std::uint32_t silent = 0;
  };

  // Runs now, later when paused, never when this life is over.
  void enter(std::uint64_t life, std::function<void()> what);
  void guarded(const std::function<void()>& what);
  void after(SimTime delay, std::function<void()> what);
  void demand(const Result<void>& done, const char* doing);

  void tick();
  void pump();
  void take(consensus::Ready ready);
  void send(const consensus::Message& message);
  void start_disk();
  void write_disk(std::size_t count);
  void write_report(std::size_t count);
  void install(const consensus::SnapshotMeta& snapshot);
  void start_apply();
  void apply_some();
  void tell_applied();
  // What the records hold now: the state hash always, everything once in so many times.
  void look_through(std::uint32_t one_in);
  void compare(consensus::Index before, const store::ApplyResult& result) const;
  void answer(const std::vector<record::BatchOutcome>& outcomes);
  void alter(std::vector<consensus::Entry>& entries);
  bool is_altered(consensus::Index index) const {
    return altered_at_ != 0 && index >= altered_at_ && index < mended_at_;
  }
  void see_whether_mended(const record::Counters& counters);
  void report_checks(const std::vector<store::ApplyResult::Check>& checks);
  void on_state_hash(NodeId from, const StateHashParcel& report);
  void serve_reads();
  void maintain();
  void make_snapshot();
  void compact(consensus::Index to);
  void flush_commands();
  void send_batch(const Bytes& batch);
  void resend_later(std::uint64_t sequence, const Bytes& batch, std::uint32_t times);
  void flush_batches();
  void on_propose(const Bytes& batch);
  void on_snapshot_ask(NodeId from, const SnapshotAsk& ask);
  void on_snapshot_piece(const SnapshotPiece& piece);
  void start_pull(const consensus::SnapshotMeta& meta, NodeId source);
  void ask_for_piece();
  void watch_pull(std::string id);
  void finish_pull(bool ok);

  SimWorld world_;
  const NodeId id_;
  Incarnation incarnation_;
  SimDisk disk_;
  NodeSettings settings_;
  State state_ = State::down;
  std::uint64_t life_ = 0;
  bool trouble_expected_ = false;
  bool damaged_ = false;
  bool kill_in_write_ = false;  // when the disk's cut comes, it is no power cut

  // The entry that was applied with another value (0: none), and where nothing was seen of it any
  // more: what was altered can be forgotten in time.
  consensus::Index altered_at_ = 0, mended_at_ = consensus::Index{0} - 1;

  std::function<void(SimNode&, consensus::CoreRole)> on_role_;
  std::function<void(SimNode&)> on_quarantined_;

  // One life of the process.
  consensus::CoreRole role_ = consensus::CoreRole::follower;
  std::unique_ptr<SeededRandom> core_random_;
  std::unique_ptr<store::NodeStore> store_;
  std::unique_ptr<consensus::RecordedCore> core_;
  consensus::Recording last_recording_;  // while the node is down
  BootId boot_;
  std::uint64_t next_context_ = 0;
  std::uint64_t next_sequence_ = 0;
  std::deque<PendingPersist> persists_;
  bool disk_busy_ = false;
  std::deque<consensus::Entry> to_apply_;
  bool apply_busy_ = false;
  consensus::Index applied_ = 0;
  consensus::Membership applied_membership_;
  consensus::Index last_snapshot_ = 0;
  consensus::Index last_compacted_ = 0;
  std::uint64_t ticks_ = 0;
  std::map<std::uint64_t, PendingRead> reads_;
  std::map<std::pair<std::uint64_t, std::size_t>, OnOutcome>
      waiting_;  // by batch sequence and place in it
  std::vector<std::pair<record::Command, OnOutcome>> commands_;
  std::vector<Bytes> batches_;
  bool commands_due_ = false, batches_due_ = false;
  std::optional<Pull> pull_;
  record::Agreement agreement_;
  bool quarantined_ = false;
  bool alter_next_ = false;
  std::vector<std::function<void()>> backlog_;
};

}  // namespace mainstay::harness
