// The inside of a log store, shared by the files log_open, log_write and log_read. Private to
// runtime/store.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>

#include "runtime/store/checkpoint.hpp"
#include "runtime/store/journal.hpp"
#include "runtime/store/log_cache.hpp"
#include "runtime/store/log_format.hpp"
#include "runtime/store/log_store_open.hpp"

namespace mainstay::store {

// A log key: the index in the machine's own byte order, as MDB_INTEGERKEY wants it. The view points
// into `index`.
inline std::string_view log_key_of(const consensus::Index& index) {
  return {reinterpret_cast<const char*>(&index), sizeof index};
}
consensus::Index index_of_log_key(std::string_view key);

Result<void> put_start(lmdb::Txn& txn, MDB_dbi meta, const LogStart& start);
Result<LogStart> get_start(const lmdb::Txn& txn, MDB_dbi meta);

// Where the writer stands inside a transaction; becomes the truth with its commit.
struct LogPosition {
  consensus::Index start = 0;
  Hash128 start_chain{};
  consensus::Index last = 0;
  Hash128 chain{};  // of the record at `last`
  consensus::Index snapshot = 0;
};

struct LogStore::Impl {
  FatalHandler fatal;
  CheckpointedEnv env;
  Journal journal;
  std::size_t scrub_piece_bytes = 0;
  MDB_dbi log = 0;
  MDB_dbi meta = 0;

  // Writer thread only.
  LogPosition position;
  bool failed = false;
  std::optional<consensus::HardState> late_hard_state;  // mutant hard_state_not_in_commit
  std::optional<LogStart> late_start;                   // mutant snapshot_switch_not_durable
  std::atomic<std::uint64_t> commits{0};

  // Guards what follows; held for copies only, never while the disk is asked.
  mutable std::mutex mutex;
  LogCache cache;
  consensus::HardState hard_state;
  consensus::SnapshotMeta snapshot;

  [[noreturn]] void stop(const Error& error) const {
    fatal(error);
    UNREACHABLE();
  }

  Result<void> open(const LogStoreOptions& options, unsigned table_flags);
  Result<void> replay_journal();
  Result<void> create(const Ownership& owner);
  Result<void> load();
  Result<void> cut_from(consensus::Index bad);

  Result<void> commit(lmdb::Txn& txn);
  Result<void> checkpoint();
  Result<bool> make_room(std::size_t frame_bytes);
  Result<void> absorb_staged(lmdb::Txn& txn, const LogPosition& at,
                             const std::vector<const consensus::Persist*>& persists);
  Result<void> write(const std::vector<const consensus::Persist*>& persists);
  Result<void> stage(lmdb::Txn& txn, LogPosition& at, const consensus::Persist& persist);
  Result<void> stage_restart(lmdb::Txn& txn, LogPosition& at,
                             const consensus::SnapshotMeta& snapshot);
  Result<void> stage_truncation(lmdb::Txn& txn, LogPosition& at, consensus::Index from) const;
  Result<void> stage_append(lmdb::Txn& txn, LogPosition& at, const consensus::Entry& entry) const;
  Result<void> stage_hard_state(lmdb::Txn& txn, const consensus::HardState& state);
  void absorb(const consensus::Persist& persist);
  Result<consensus::Index> compact(consensus::Index to);

  // A walk along the records, which may be done in pieces: the last one that was seen.
  struct Walk {
    consensus::Index last = 0;
    Hash128 chain{};
    consensus::Term term = 0;
    bool ended = false;
  };
  using Visit = std::function<void(const LogHeader& header)>;
  Result<LogPosition> walk(const lmdb::Txn& txn, const LogStart& start, const Visit& visit) const;
  // Goes on from `at`, which a walk begins with the log's start, for so many bytes of records.
  Result<void> walk_on(const lmdb::Txn& txn, const LogStart& start, Walk& at, std::size_t bytes_max,
                       const Visit& visit) const;
  // Whether the record that the walk saw last still stands.
  Result<bool> stands(const lmdb::Txn& txn, const LogStart& start, const Walk& at) const;
  Result<void> verify(const GoOn& go_on) const;
  Result<std::string_view> record_at(const lmdb::Txn& txn, consensus::Index index) const;
  Result<Hash128> chain_at(const lmdb::Txn& txn, const LogStart& start,
                           consensus::Index index) const;
  Result<std::vector<consensus::Entry>> read(consensus::Index low, consensus::Index high,
                                             std::size_t bytes_max) const;
  Result<std::vector<consensus::Entry>> read_memberships() const;
};

}  // namespace mainstay::store
