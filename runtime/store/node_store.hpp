// Everything one node keeps on disk, in one data directory:
//
//   identity.json   cluster id (zero until formed), node id, incarnation, format version; written
//                   by write-sync-rename
//   log/            LMDB: entries, hard state, log start (log_store.hpp)
//   records/        LMDB: the state machine's tables (record_store.hpp); `records.next/` while a
//                   snapshot is being installed
//   snapshots/      <id>.snap made here, <id>.part being received
//   evidence/       what a node that differed from the majority kept of itself
//   lock            held while a process uses the directory
//
// Opening checks format version, cluster, node and incarnation of every part and refuses what is
// foreign, newer or damaged, saying why and what to do. Owner: the daemon (or the simulator), which
// hands log() to the log writer and records() to the applier.
#pragma once

#include <filesystem>
#include <memory>

#include "runtime/base/limits.hpp"
#include "runtime/base/random.hpp"
#include "runtime/consensus/core.hpp"
#include "runtime/store/fatal.hpp"
#include "runtime/store/log_store.hpp"
#include "runtime/store/record_store.hpp"

namespace mainstay::store {

struct Identity {
  ClusterId cluster;  // zero: the node has not joined a cluster yet
  NodeId node;
  Incarnation incarnation;

  bool operator==(const Identity&) const = default;
};

struct StoreOptions {
  std::filesystem::path directory;
  NodeId node;                                // must match an existing directory
  std::uint64_t log_map_bytes = 16ULL << 30;  // address space, not disk space
  std::uint64_t record_map_bytes = 1ULL << 40;
  std::uint64_t free_bytes_min = 256ULL << 20;     // below: storage_full for inserts
  std::uint64_t free_bytes_resume = 384ULL << 20;  // above: inserts again (hysteresis)
  // Hold the directory's lock file. False in the simulator: several lives in one process.
  bool locked = true;
  // Flush checkpoints in threads of their own. False in the simulator, which has one thread.
  bool background = true;
  // Of each of the log's two journal files: how much is written between two checkpoints of the log.
  std::uint64_t journal_bytes = limits::journal_bytes;
  // A scrub reads so much in one transaction. Another value for tests only.
  std::size_t scrub_piece_bytes = limits::scrub_piece_bytes;
  FatalHandler fatal = stop_process();
  // Free bytes of the disk below a path; empty: the operating system's answer. For tests and the
  // simulator.
  FreeBytes free_bytes;
  // The same on every node. Others in the simulator only.
  record::ApplyOptions apply{.window_ms = limits::retention_window_ms};
  // How long RecordStore::install() waits for open views.
  std::uint64_t view_wait_ms = limits::view_wait_ms_max;
};

class NodeStore {
 public:
  // Opens, or initialises an empty or missing directory with a fresh incarnation. Finishes or
  // discards a snapshot installation that a crash interrupted: the old state or the new one, whole.
  static Result<std::unique_ptr<NodeStore>> open(const StoreOptions& options, Random& random);
  ~NodeStore();

  const Identity& identity() const;

  // Binds a fresh node to its cluster, durably: the initial membership becomes the log's start
  // (index 0, term 0). Errors: conflict when it belongs to another cluster already.
  Result<void> form(ClusterId cluster, const consensus::Membership& initial);

  // A node that must come back as a new member (lost trust in its own state): moves log and records
  // to evidence/, takes a new incarnation, keeps the cluster. Only before log() and records() are
  // in use, at start.
  Result<void> start_over(Random& random);
  // Asks for start_over() at the next open, durably.
  Result<void> mark_for_start_over(const std::string& reason);

  LogStore& log();
  RecordStore& records();

  // For Core's constructor.
  consensus::InitialState initial_state() const;

  struct Space {
    std::uint64_t free_bytes = 0;
    std::uint64_t total_bytes = 0;  // of the file system
    bool low = false;               // inserts are refused
  };
  // Cheap enough for once a second.
  Space space();

 private:
  struct Impl;
  explicit NodeStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mainstay::store
