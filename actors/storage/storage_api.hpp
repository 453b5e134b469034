// What the storage actors say and understand. All of them are detached: they are the threads that
// may block on the disk.
//   log_writer   the only writer of the log; one durable commit for everything that is queued
//   applier      the only writer of the record store; syncs it, installs snapshots
//   copier       makes snapshots while the applier goes on
//   snapshots    sends and receives snapshot files in chunks, watches the free space
//   scrubber     reads everything that is stored again, once in a while
// Any storage error goes to the FatalHandler, which ends the process (promise P7).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include <caf/actor.hpp>

#include "actors/kit/type_ids.hpp"
#include "runtime/consensus/core.hpp"
#include "runtime/record/state_machine.hpp"
#include "runtime/store/record_store.hpp"
#include "runtime/wire/frame.hpp"

namespace mainstay::storage {

// To the log_writer: make this durable. Answered to the replica by PersistDone, in order, several
// at once.
struct WritePersist {
  consensus::Persist persist;
};
// To the replica: every WritePersist up to this mark sequence is durable.
struct PersistDone {
  std::uint64_t sequence = 0;
};
// To the log_writer: publish this snapshot for peers, then forget the log up to `to`, a piece at a
// time.
struct CompactLog {
  consensus::SnapshotMeta snapshot;
  consensus::Index to = 0;
};

// To the applier: apply these, they follow what it was given before.
struct ApplyEntries {
  std::vector<consensus::Entry> entries;
};
// To the applier: the log store has switched to this snapshot; switch the record store too.
struct InstallSnapshot {
  consensus::SnapshotMeta snapshot;
};
// To the replica: applied up to here, with the state hashes taken on the way.
struct AppliedUpTo {
  consensus::Index index = 0;
  std::vector<store::ApplyResult::Check> checks;
};
// To the gateway: applied up to here, with the outcomes of this node's own batches. `jumped`: a
// snapshot skipped entries.
struct OwnOutcomes {
  consensus::Index index = 0;
  consensus::Term term = 0;
  std::vector<record::BatchOutcome> outcomes;
  bool jumped = false;
};

// To the snapshots actor: fetch this from `source` and stage it. Answered to the replica by
// SnapshotPulled. Chunks and requests for chunks come as peer_link::FrameReceived.
struct PullSnapshot {
  consensus::SnapshotMeta snapshot;
  NodeId source;
};
struct SnapshotPulled {
  consensus::SnapshotMeta snapshot;
  bool ok = false;
};
// To the copier: make a snapshot of what is applied. Answered to the applier by SnapshotCopied,
// whose snapshot has no membership yet.
struct CopySnapshot {};
struct SnapshotCopied {
  Result<consensus::SnapshotMeta> snapshot;
};
// Timers and self-messages.
struct WriteQueued {};   // log_writer: everything that was in the mailbox has been taken in
struct ApplyQueued {};   // applier: the same
struct CompactStep {};   // log_writer: go on forgetting
struct SyncTick {};      // applier: make applied durable, look whether a snapshot is due
struct SnapshotTick {};  // snapshots: time-outs of chunks, free space
struct ScrubTick {};     // scrubber: read everything again

// What the storage actors show to everyone, without messages. Each member has one writer.
struct Board {
  std::atomic<std::uint64_t> applied{0};            // applier
  std::atomic<std::uint64_t> durable_applied{0};    // applier
  std::atomic<std::uint64_t> revision{0};           // applier
  std::atomic<std::uint64_t> replicated_millis{0};  // applier, every now and then
  std::atomic<std::uint64_t> disk_free{0};          // snapshots
  std::atomic<std::uint64_t> disk_total{0};         // snapshots: size of the file system
  std::atomic<std::uint64_t> log_bytes{0};          // snapshots: on disk
  std::atomic<std::uint64_t> record_bytes{0};       // snapshots: on disk
  std::atomic<bool> disk_low{false};                // snapshots
  std::atomic<std::uint64_t> needed_from{0};        // replica: a member is being fed from here
  std::atomic<bool> snapshot_wanted{false};         // replica: a member cannot be fed without one
  std::atomic<std::uint64_t> serving_index{0};  // snapshots: of the snapshot a peer fetches; or 0
  std::atomic<bool> damaged{false};             // scrubber: the disk does not hold what it should
  // log_writer: the durable write under way, as nanoseconds of the monotonic clock; 0: none
  std::atomic<std::int64_t> log_write_began{0};
  // log_writer: the longest of them; whoever looks takes it away
  std::atomic<std::int64_t> log_write_slowest_ns{0};
  // node: it ends; work of minutes is given up
  std::atomic<bool> stopping{false};
};

// Who hears of the storage actors' work: set by the node, callable from any thread, never blocks.
struct Listeners {
  std::function<void(PersistDone)> persisted;
  std::function<void(AppliedUpTo)> applied;
  std::function<void(OwnOutcomes)> outcomes;
  std::function<void(SnapshotPulled)> pulled;
  std::function<void(SnapshotCopied)> copied;
  std::function<void(NodeId to, wire::Body body)> send;  // to a peer
};

}  // namespace mainstay::storage

MAINSTAY_BEGIN_MESSAGES(storage)
MAINSTAY_MESSAGE(storage, mainstay::storage::AppliedUpTo)
MAINSTAY_MESSAGE(storage, mainstay::storage::ApplyEntries)
MAINSTAY_MESSAGE(storage, mainstay::storage::ApplyQueued)
MAINSTAY_MESSAGE(storage, mainstay::storage::CompactLog)
MAINSTAY_MESSAGE(storage, mainstay::storage::CompactStep)
MAINSTAY_MESSAGE(storage, mainstay::storage::CopySnapshot)
MAINSTAY_MESSAGE(storage, mainstay::storage::InstallSnapshot)
MAINSTAY_MESSAGE(storage, mainstay::storage::OwnOutcomes)
MAINSTAY_MESSAGE(storage, mainstay::storage::PersistDone)
MAINSTAY_MESSAGE(storage, mainstay::storage::PullSnapshot)
MAINSTAY_MESSAGE(storage, mainstay::storage::ScrubTick)
MAINSTAY_MESSAGE(storage, mainstay::storage::SnapshotCopied)
MAINSTAY_MESSAGE(storage, mainstay::storage::SnapshotPulled)
MAINSTAY_MESSAGE(storage, mainstay::storage::SnapshotTick)
MAINSTAY_MESSAGE(storage, mainstay::storage::SyncTick)
MAINSTAY_MESSAGE(storage, mainstay::storage::WritePersist)
MAINSTAY_MESSAGE(storage, mainstay::storage::WriteQueued)
MAINSTAY_END_MESSAGES(storage)
