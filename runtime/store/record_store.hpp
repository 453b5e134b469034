// The record state machine's tables in LMDB. Grammar of its tables: on top of record_store.cpp and
// docs/formats/records.md. One thread applies; any number of threads read through ReadView, each
// view used by one thread and short-lived.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "runtime/consensus/types.hpp"
#include "runtime/record/state.hpp"
#include "runtime/record/state_machine.hpp"
#include "runtime/store/go_on.hpp"
#include "runtime/store/usage.hpp"

namespace mainstay::store {

// One LMDB read transaction: a consistent moment. Keep it short: it pins pages.
class ReadView {
 public:
  virtual ~ReadView() = default;
  virtual const record::StateReader& state() const = 0;
};

struct ApplyResult {
  std::vector<record::BatchOutcome> outcomes;  // in log order
  struct Check {
    consensus::Index index = 0;
    Hash128 hash{};
  };
  std::vector<Check> checks;  // state hashes at the EntryKind::check entries of this call
  consensus::Index applied = 0;
};

class RecordStore {
 public:
  struct Impl;
  explicit RecordStore(std::unique_ptr<Impl> impl);
  ~RecordStore();

  // Applies committed entries in one transaction; entries at or below the applied index are skipped
  // (replay after a crash). Not synced: sync() or a later checkpoint makes it durable; the log
  // replays the rest.
  Result<ApplyResult> apply(std::span<const consensus::Entry> entries);

  consensus::Index applied() const;  // visible to readers
  // survives a power cut; the log may be compacted up to here
  consensus::Index durable_applied() const;
  Result<void> sync();  // makes applied() durable
  // Begins to make applied() durable, or takes note that what was begun has ended:
  // durable_applied() moves on at a later call. Does not wait for the disk. Same thread as apply().
  Result<void> sync_in_background();

  // Fails with busy when all reader slots are taken.
  Result<std::unique_ptr<ReadView>> read() const;

  // Writes a compacting copy of what is applied when it begins to <snapshots>/<id>.snap with its
  // checksum, synced, while the records go on. The membership as of the snapshot's index is for the
  // caller to fill in. Any thread, one copy at a time. Errors: storage_full, busy (gave way to an
  // installation, or to end_copies()), conflict (nothing is applied yet).
  Result<consensus::SnapshotMeta> copy_snapshot();
  // The same on the applying thread, which knows that nothing is applied meanwhile. `membership` is
  // the one as of the applied index.
  Result<consensus::SnapshotMeta> make_snapshot(const consensus::Membership& membership);
  // The store closes soon: a copy under way ends, no other one begins. Any thread.
  void end_copies();
  // A piece of a snapshot file made here, for a peer. Thread-safe. Errors: not_found,
  // invalid_argument (offset past the end).
  Result<std::string> read_snapshot_chunk(const std::string& id, std::uint64_t offset,
                                          std::size_t bytes_max) const;
  // Keeps the newest `keep` snapshot files, and those made at `serving` (0: none), which a peer is
  // fetching.
  Result<void> prune_snapshots(std::size_t keep, consensus::Index serving = 0);

  // Whether the file of a snapshot made here is still there.
  bool holds_snapshot(const std::string& id) const;

  // Receiving: chunks in order from 0; resumable: staged_bytes(id) says where to go on. finish
  // verifies size, checksum and that the copy opens as a record store of this group at the promised
  // index; nothing of the current state changes yet.
  std::uint64_t staged_bytes(const std::string& id) const;
  Result<void> stage_chunk(const consensus::SnapshotMeta& snapshot, std::uint64_t offset,
                           std::string_view data);
  Result<void> finish_staging(const consensus::SnapshotMeta& snapshot);
  // Replaces the current tables by the staged ones; one durable switch (rename of the environment
  // directory + sync). Waits for open views. Order with the log: the log store's Persist with
  // `snapshot` is committed BEFORE this; open() repeats this step if a crash came between.
  Result<void> install(const consensus::SnapshotMeta& snapshot);

  // Recomputes the state hash from every row and compares. Errors: corrupt; busy when `go_on` said
  // no, or an installation began, before all was read. Any thread.
  Result<void> scrub(const GoOn& go_on = always) const;

  // How long a view that read() gave was, or has been, open at most since this was asked before;
  // not copies and scrubs. Any thread. LMDB gives no page back that an open view may read, so that
  // a long one makes the file grow.
  Micros take_longest_view();

  std::uint64_t bytes_used() const;
  StoreUsage usage() const;

  // Binds an unformed store to its cluster, durably. For NodeStore::form().
  Result<void> form(ClusterId cluster);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace mainstay::store
