// The inside of a record store, shared by the files record_store, record_read and record_snapshots.
// Private to runtime/store.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <vector>

#include "runtime/base/time.hpp"
#include "runtime/store/checkpoint.hpp"
#include "runtime/store/record_store_open.hpp"
#include "runtime/store/record_tables.hpp"
#include "runtime/store/scrub.hpp"
#include "runtime/store/snapshot_files.hpp"

namespace mainstay::store {

lmdb::EnvOptions record_env_options(const RecordStoreOptions& options, const char* name,
                                    bool create = false);
Failure earlier_write_failed();

struct RecordStore::Impl {
  explicit Impl(const RecordStoreOptions& wanted)
      : options{wanted},
        scrub{wanted.scrub_piece_bytes},
        files{wanted.data_directory / snapshots_name, wanted.free_bytes_min, wanted.free_bytes} {}
  ~Impl() { drop_idle(); }

  RecordStoreOptions options;
  CheckpointedEnv env;
  RecordTables tables;
  Scrub scrub;
  SnapshotFiles files;
  std::atomic<consensus::Index> applied{0};
  std::atomic<consensus::Index> durable{0};
  consensus::Index becoming_durable = 0;  // by the checkpoint that runs; applying thread only
  bool failed = false;                    // applying thread only
  LateRows late;                          // mutants dedup_ and timeline_outside_transaction
  record::Declarations declarations;      // applying thread only
  record::Counters late_counters;         // mutant applied_index_not_in_transaction

  std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::vector<MDB_txn*>
      idle;  // read transactions that were reset: reusing one costs no reader slot search
  std::size_t open_views = 0;
  std::multiset<MonotonicTime> views_began;  // of those that read() gave
  Micros longest_view{0};                    // of those that ended, since it was asked for
  std::atomic<bool> switching{false};        // written under the mutex
  bool gone = false;                         // a switch has failed, and there is nothing to read
  std::atomic<bool> copies_end{false};
  StoreUsage known_usage;  // for the length of a switch

  Result<void> open(const char* name, unsigned table_flags);
  Result<void> load();
  Result<void> apply(std::span<const consensus::Entry> entries, ApplyResult& result);
  Result<void> apply_one(TableWriter& writer, const consensus::Entry& entry, ApplyResult& result);
  Result<void> write_late_rows(lmdb::Txn& txn);
  Result<void> commit(lmdb::Txn& txn, const record::Counters& counters, RowChanges* noted);

  Result<MDB_txn*> begin_read();
  void end_read(MDB_txn* txn);
  void drop_idle();
  std::multiset<MonotonicTime>::iterator note_view();
  void forget_view(std::multiset<MonotonicTime>::iterator began);
  Micros take_longest_view();
  Result<consensus::SnapshotMeta> describe(const std::filesystem::path& copy) const;
  Result<void> adopt(const consensus::SnapshotMeta& snapshot) const;
  Result<void> install(const consensus::SnapshotMeta& snapshot);
  Result<void> wait_for_views();
};

// A read transaction for as long as it lives.
class View final : public ReadView {
 public:
  View(RecordStore::Impl& owner, MDB_txn* txn, const FatalHandler& fatal, bool timed)
      : owner_{owner},
        txn_{owner.env.env(), txn},
        reader_{txn_, owner.tables, fatal},
        timed_{timed} {
    if (timed_) began_ = owner_.note_view();
  }
  ~View() override {
    if (timed_) owner_.forget_view(began_);
    owner_.end_read(txn_.release());
  }
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  const record::StateReader& state() const override { return reader_; }

 private:
  RecordStore::Impl& owner_;
  lmdb::Txn txn_;
  TableReader reader_;
  const bool timed_;
  std::multiset<MonotonicTime>::iterator began_;
};

}  // namespace mainstay::store
