// The state machine's tables. Keys sort as bytes, numbers in keys are big-endian:
//
//   table          key                                                          value
//   "records"      collection ∙ 00 ∙ record key                                 Record
//   "history"      collection ∙ 00 ∙ record key ∙ 00 ∙ revision:u64             Record
//   "commits"      revision:u64                                                 Commit
//   "operations"   operation id                                                 Operation
//   "collections"  collection                                                   Collection
//   "balances"     collection ∙ 00 ∙ position (ledger.hpp)                      Balance
//   "index"        collection id:u32 ∙ index id:u16 ∙ value ∙ 00 ∙ record key   seal
//   "expiry"       due:u64 ∙ kind:u8 ∙ collection ∙ 00 ∙ key ∙ 00 ∙ revision:u64  seal
//   "meta"         sealed_meta.hpp, and
//     "counters"   Counters, which hold the applied index
//
// Record, Commit and the others: wire::encode() of it. seal: sealed_meta.hpp, of an empty body
// under the row's own key. `value` is an encoded scalar (index_key.hpp), which has no zero byte;
// `key` of an expiry is an operation id or a record key.
//
// A checkpointed environment (checkpoint.hpp): a commit waits for no disk. The store opens as of
// its last checkpoint, and the log replays the rest.
#include "runtime/store/record_store.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include <fmt/format.h>

#include "runtime/base/limits.hpp"
#include "runtime/base/log.hpp"
#include "runtime/base/mutant.hpp"
#include "runtime/store/checkpoint.hpp"
#include "runtime/store/record_store_open.hpp"
#include "runtime/store/record_tables.hpp"
#include "runtime/store/scrub.hpp"
#include "runtime/store/snapshot_files.hpp"
#include "runtime/store/table_keys.hpp"
#include "runtime/sys/file.hpp"
#include "runtime/wire/codec.hpp"

namespace mainstay::store {

using consensus::Entry;
using consensus::EntryKind;
using consensus::Index;
using consensus::Membership;
using consensus::SnapshotMeta;
using lmdb::Txn;
using record::Counters;

namespace {

lmdb::EnvOptions env_options(const RecordStoreOptions& options, const char* name,
                             bool create = false) {
  lmdb::EnvOptions wanted;
  wanted.directory = options.data_directory / name;
  wanted.map_bytes = options.map_bytes;
  wanted.tables_max = RecordTables::count;
  // Beside the views: those kept for reuse, and the readers of two checkpoints.
  wanted.readers_max = limits::record_readers_max + limits::idle_readers_max + 2;
  wanted.create = create;
  return wanted;
}

Failure failed_before() {
  return fail(Errc::io_error, "an earlier write to the records failed: nothing may follow it");
}

}  // namespace

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
  std::atomic<Index> applied{0};
  std::atomic<Index> durable{0};
  Index becoming_durable = 0;         // by the checkpoint that runs; applying thread only
  bool failed = false;                // applying thread only
  LateRows late;                      // mutants dedup_ and timeline_outside_transaction
  record::Declarations declarations;  // applying thread only
  Counters late_counters;             // mutant applied_index_not_in_transaction

  std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::vector<MDB_txn*>
      idle;  // read transactions that were reset: reusing one costs no reader slot search
  std::size_t open_views = 0;
  std::atomic<bool> switching{false};  // written under the mutex
  bool gone = false;                   // a switch has failed, and there is nothing to read
  std::atomic<bool> copies_end{false};
  StoreUsage known_usage;  // for the length of a switch

  Result<void> open(const char* name, unsigned table_flags);
  Result<void> load();
  Result<void> apply(std::span<const Entry> entries, ApplyResult& result);
  Result<void> apply_one(TableWriter& writer, const Entry& entry, ApplyResult& result);
  Result<void> write_late_rows(Txn& txn);
  Result<void> commit(Txn& txn, const Counters& counters, RowChanges* noted);

  Result<MDB_txn*> begin_read();
  void end_read(MDB_txn* txn);
  void drop_idle();
  Result<SnapshotMeta> describe(const std::filesystem::path& copy) const;
  Result<void> adopt(const SnapshotMeta& snapshot) const;
  Result<void> install(const SnapshotMeta& snapshot);
  Result<void> wait_for_views();
};

namespace {

class View final : public ReadView {
 public:
  View(RecordStore::Impl& owner, MDB_txn* txn, const FatalHandler& fatal)
      : owner_{owner}, txn_{owner.env.env(), txn}, reader_{txn_, owner.tables, fatal} {}
  ~View() override { owner_.end_read(txn_.release()); }
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  const record::StateReader& state() const override { return reader_; }

 private:
  RecordStore::Impl& owner_;
  Txn txn_;
  TableReader reader_;
};

class ScrubViews final : public Scrub::Views {
 public:
  explicit ScrubViews(RecordStore::Impl& owner) : owner_{owner} {}
  Result<Txn> begin() override {
    TRY_ASSIGN(MDB_txn* const txn, owner_.begin_read());
    return Txn{owner_.env.env(), txn};
  }
  void end(Txn txn) override { owner_.end_read(txn.release()); }
  const RecordTables& tables() const override { return owner_.tables; }

 private:
  RecordStore::Impl& owner_;
};

}  // namespace

// --- opening ---

Result<void> RecordStore::Impl::open(const char* name, unsigned table_flags) {
  TRY_ASSIGN(
      env, CheckpointedEnv::open(env_options(options, name, table_flags != 0), options.background));
  env.env().check_readers();
  TRY_ASSIGN(Txn txn, Txn::begin(env.env(), Txn::Kind::write));
  TRY_ASSIGN(tables, RecordTables::open(txn, table_flags));
  return txn.commit();
}

Result<void> RecordStore::Impl::load() {
  if (!env.note()) TRY(env.checkpoint({}));
  TRY_ASSIGN(const Txn txn, Txn::begin(env.env(), Txn::Kind::read));
  TRY_ASSIGN(const Counters counters, get_counters(txn, tables.meta));
  applied = durable = counters.applied_index;
  late_counters = counters;
  return {};
}

Result<std::unique_ptr<RecordStore>> create_record_store(const RecordStoreOptions& options) {
  TRY(sys::make_directory(options.data_directory / records_name));
  auto impl = std::make_unique<RecordStore::Impl>(options);
  TRY(impl->files.prepare());
  TRY(impl->open(records_name, MDB_CREATE));
  {
    TRY_ASSIGN(Txn txn, Txn::begin(impl->env.env(), Txn::Kind::write));
    TRY(put_format(txn, impl->tables.meta));
    TRY(put_ownership(txn, impl->tables.meta, options.owner));
    TRY(put_counters(txn, impl->tables.meta, Counters{}));
    TRY(txn.commit());
  }
  TRY(impl->load());
  return std::make_unique<RecordStore>(std::move(impl));
}

Result<std::unique_ptr<RecordStore>> open_record_store(const RecordStoreOptions& options) {
  auto impl = std::make_unique<RecordStore::Impl>(options);
  TRY(impl->files.prepare());
  TRY(impl->open(records_name, 0));
  Ownership found;
  {
    TRY_ASSIGN(const Txn txn, Txn::begin(impl->env.env(), Txn::Kind::read));
    TRY(check_format(txn, impl->tables.meta));
    TRY_ASSIGN(found, get_ownership(txn, impl->tables.meta));
  }
  const bool unformed = !found.cluster && options.owner.cluster;
  if (unformed) found.cluster = options.owner.cluster;
  TRY(check_ownership(found, options.owner, options.data_directory / records_name));
  TRY(impl->load());
  auto store = std::make_unique<RecordStore>(std::move(impl));
  if (unformed) TRY(store->form(options.owner.cluster));
  return store;
}

Result<Index> applied_of(const RecordStoreOptions& options, const char* name) {
  TRY_ASSIGN(const CheckpointedEnv env, CheckpointedEnv::open(env_options(options, name), false));
  TRY_ASSIGN(Txn txn, Txn::begin(env.env(), Txn::Kind::write));
  TRY_ASSIGN(const RecordTables tables, RecordTables::open(txn, 0));
  TRY(check_format(txn, tables.meta));
  TRY_ASSIGN(const Counters counters, get_counters(txn, tables.meta));
  return Index{counters.applied_index};
}

// --- applying ---

Result<void> RecordStore::Impl::apply_one(TableWriter& writer, const Entry& entry,
                                          ApplyResult& result) {
  const Index before = writer.counters().applied_index;
  if (entry.index <= before) return {};
  if (entry.index != before + 1)
    return fail(Errc::internal,
                fmt::format("entry {} cannot be applied after {}", entry.index, before));
  if (entry.kind == EntryKind::batch) {
    TRY_ASSIGN(const record::LogBatch batch, wire::decode_log_batch(entry.payload));
    auto outcomes =
        record::apply(writer, declarations, entry.index, entry.term, batch, options.apply);
    std::move(outcomes.begin(), outcomes.end(), std::back_inserter(result.outcomes));
    return {};
  }
  record::apply_nothing(writer, declarations, entry.index, entry.term, options.apply);
  if (entry.kind == EntryKind::check)
    result.checks.push_back({entry.index, writer.counters().hash});
  return {};
}

Result<void> RecordStore::Impl::commit(Txn& txn, const Counters& counters, RowChanges* noted) {
  if (MUTANT(applied_index_not_in_transaction)) {
    TRY(put_counters(txn, tables.meta, late_counters));
    late_counters = counters;
  } else {
    TRY(put_counters(txn, tables.meta, counters));
  }
  TRY(scrub.commit(txn, noted));
  applied = counters.applied_index;
  return {};
}

Result<void> RecordStore::Impl::write_late_rows(Txn& txn) {
  for (const auto& [id, operation] : late.operations)
    TRY(txn.put(tables.operations, id, wire::encode(operation)));
  for (const record::Commit& row : late.commits)
    TRY(txn.put(tables.commits, commit_key(row.revision).view(), wire::encode(row)));
  late = {};
  return {};
}

Result<void> RecordStore::Impl::apply(std::span<const Entry> entries, ApplyResult& result) {
  const bool noting = scrub.running();
  TRY_ASSIGN(Txn txn, Txn::begin(env.env(), Txn::Kind::write));
  TRY_ASSIGN(Counters counters, get_counters(txn, tables.meta));
  if (MUTANT(applied_index_not_in_transaction)) counters = late_counters;
  TRY(write_late_rows(txn));
  RowChanges changes;
  RowChanges* const noted = noting ? &changes : nullptr;
  TableWriter writer{txn, tables, options.fatal, counters, late, noted};
  for (const Entry& entry : entries) TRY(apply_one(writer, entry, result));
  result.applied = writer.counters().applied_index;
  if (result.applied == counters.applied_index) return {};
  writer.finish();
  return commit(txn, writer.counters(), noted);
}

// --- reading ---

Result<MDB_txn*> RecordStore::Impl::begin_read() {
  MDB_txn* txn = nullptr;
  {
    std::unique_lock guard{mutex};
    const auto patience = std::chrono::milliseconds{options.view_wait_ms};
    if (!changed.wait_for(guard, patience, [this] { return !switching; }))
      return fail(Errc::busy, "the records are being replaced by a snapshot");
    if (gone) return failed_before();
    if (open_views >= limits::record_readers_max) return fail(Errc::busy, "too many reads at once");
    ++open_views;
    if (!idle.empty()) {
      txn = idle.back();
      idle.pop_back();
    }
  }
  int code = 0;
  if (txn != nullptr) {
    code = mdb_txn_renew(txn);
    if (code == 0) return txn;
    mdb_txn_abort(txn);
  } else {
    auto fresh = Txn::begin(env.env(), Txn::Kind::read);
    if (!fresh && fresh.error().code == Errc::busy) {
      env.env().check_readers();
      fresh = Txn::begin(env.env(), Txn::Kind::read);
    }
    if (fresh) return fresh->release();
    end_read(nullptr);
    return Failure{std::move(fresh).error()};
  }
  end_read(nullptr);
  return Failure{lmdb::error_of(code, "begin reading", env.env().directory())};
}

void RecordStore::Impl::end_read(MDB_txn* txn) {
  if (txn != nullptr) mdb_txn_reset(txn);
  const std::lock_guard guard{mutex};
  if (txn != nullptr) {
    if (idle.size() < limits::idle_readers_max)
      idle.push_back(txn);
    else
      mdb_txn_abort(txn);
  }
  --open_views;
  changed.notify_all();
}

void RecordStore::Impl::drop_idle() {
  for (MDB_txn* txn : idle) mdb_txn_abort(txn);
  idle.clear();
}

// --- snapshots ---

Result<SnapshotMeta> RecordStore::Impl::describe(const std::filesystem::path& copy) const {
  lmdb::EnvOptions wanted;
  wanted.directory = copy;
  wanted.map_bytes = options.map_bytes;
  wanted.flags = MDB_RDONLY | MDB_NOLOCK;
  wanted.tables_max = RecordTables::count;
  wanted.create = false;
  TRY_ASSIGN(const lmdb::Env copied, lmdb::Env::open(wanted));
  TRY_ASSIGN(Txn txn, Txn::begin(copied, Txn::Kind::read));
  TRY_ASSIGN(const RecordTables copied_tables, RecordTables::open(txn, 0));
  TRY_ASSIGN(const Counters counters, get_counters(txn, copied_tables.meta));
  SnapshotMeta meta;
  meta.index = counters.applied_index;
  meta.term = counters.applied_term;
  return meta;
}

// The staged copy carries the identity of the node that made it; checked for being ours in
// everything else, it gets this node's.
Result<void> RecordStore::Impl::adopt(const SnapshotMeta& snapshot) const {
  TRY_ASSIGN(CheckpointedEnv staged,
             CheckpointedEnv::open(env_options(options, next_records_name), false));
  TRY_ASSIGN(Txn txn, Txn::begin(staged.env(), Txn::Kind::write));
  TRY_ASSIGN(const RecordTables staged_tables, RecordTables::open(txn, 0));
  TRY(check_format(txn, staged_tables.meta));
  TRY_ASSIGN(Ownership found, get_ownership(txn, staged_tables.meta));
  found.node = options.owner.node;
  found.incarnation = options.owner.incarnation;
  TRY(check_ownership(found, options.owner, staged.env().directory()));
  TRY_ASSIGN(const Counters counters, get_counters(txn, staged_tables.meta));
  if (counters.applied_index != snapshot.index || counters.applied_term != snapshot.term)
    return fail(
        Errc::corrupt,
        fmt::format("the received snapshot is of entry {} (term {}), promised was {} (term {})",
                    counters.applied_index, counters.applied_term, snapshot.index, snapshot.term));
  TRY(put_ownership(txn, staged_tables.meta, found));
  TRY(txn.commit());
  return staged.checkpoint({});
}

Result<void> switch_records(const std::filesystem::path& data_directory) {
  const auto current = data_directory / records_name;
  const auto next = data_directory / next_records_name;
  const auto old = data_directory / old_records_name;
  std::error_code error;
  if (std::filesystem::exists(next, error)) {
    if (std::filesystem::exists(current, error)) {
      TRY(sys::remove_durably(old));
      TRY(sys::rename_durably(current, old));
    }
    TRY(sys::rename_durably(next, current));
  }
  return sys::remove_durably(old);
}

Result<void> RecordStore::Impl::wait_for_views() {
  std::unique_lock guard{mutex};
  switching = true;
  files.interrupt();
  const auto patience = std::chrono::milliseconds{options.view_wait_ms};
  if (!changed.wait_for(guard, patience, [this] { return open_views == 0; }))
    return fail(Errc::busy,
                "readers hold the records for too long: the snapshot is not installed yet");
  drop_idle();
  gone = true;  // until the end of install()
  return {};
}

Result<void> RecordStore::Impl::install(const SnapshotMeta& snapshot) {
  TRY_ASSIGN(const Index staged, applied_of(options, next_records_name));
  if (staged != snapshot.index)
    return fail(Errc::conflict, fmt::format("staged is entry {}, to be installed entry {}", staged,
                                            snapshot.index));
  // However it ends, nobody must go on waiting for it.
  struct Guard {
    Impl& impl;
    ~Guard() {
      const std::lock_guard lock{impl.mutex};
      impl.switching = false;
      impl.changed.notify_all();
    }
  } const guard{*this};
  TRY(wait_for_views());
  scrub.abandon();
  failed = true;  // without tables until the end of this function
  env = CheckpointedEnv{};
  TRY(switch_records(options.data_directory));
  TRY(open(records_name, 0));
  TRY(load());
  late = {};
  declarations = {};
  failed = false;
  const std::lock_guard lock{mutex};
  gone = false;
  return {};
}

// --- the public face ---

RecordStore::RecordStore(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}

// A clean close leaves nothing to replay. If it fails, nothing is lost: the log holds what is
// missing.
RecordStore::~RecordStore() {
  if (!impl_ || impl_->failed || impl_->applied == impl_->durable) return;
  if (const auto synced = sync(); !synced)
    log_warn("store", "the records were closed without a last checkpoint: {}",
             to_string(synced.error()));
}

Result<ApplyResult> RecordStore::apply(std::span<const Entry> entries) {
  if (impl_->failed) return failed_before();
  impl_->failed = true;  // also when the fatal handler leaves by an exception
  ApplyResult result;
  TRY(impl_->apply(entries, result));
  impl_->failed = false;
  return result;
}

Index RecordStore::applied() const {
  return impl_->applied;
}

Index RecordStore::durable_applied() const {
  return MUTANT(compaction_past_durable_applied) ? impl_->applied : impl_->durable;
}

Result<void> RecordStore::sync() {
  if (impl_->failed) return failed_before();
  const Index synced = impl_->applied;
  impl_->failed = true;
  TRY(impl_->env.checkpoint({}));
  impl_->failed = false;
  impl_->durable = synced;
  return {};
}

Result<void> RecordStore::sync_in_background() {
  if (impl_->failed) return failed_before();
  impl_->failed = true;
  const bool ran = impl_->env.running();
  TRY_ASSIGN(const bool idle, impl_->env.poll());
  if (ran && idle) impl_->durable = impl_->becoming_durable;
  if (idle && impl_->applied != impl_->durable) {
    impl_->becoming_durable = impl_->applied;
    TRY(impl_->env.start({}));
    if (!impl_->env.running()) impl_->durable = impl_->becoming_durable;
  }
  impl_->failed = false;
  return {};
}

Result<std::unique_ptr<ReadView>> RecordStore::read() const {
  TRY_ASSIGN(MDB_txn* const txn, impl_->begin_read());
  return std::unique_ptr<ReadView>{std::make_unique<View>(*impl_, txn, impl_->options.fatal)};
}

Result<SnapshotMeta> RecordStore::copy_snapshot() {
  const auto go_on = [this] { return !impl_->switching && !impl_->copies_end; };
  // As long as it is there, an installation waits.
  TRY_ASSIGN(auto view, read());
  if (view->state().counters().applied_index == 0)
    return fail(Errc::conflict, "nothing has been applied: there is nothing to take a snapshot of");
  TRY_ASSIGN(const auto copy, impl_->files.copy(impl_->env.env(), bytes_used(), go_on));
  view.reset();
  TRY_ASSIGN(SnapshotMeta meta, impl_->describe(copy));
  return impl_->files.publish(std::move(meta), go_on);
}

void RecordStore::end_copies() {
  impl_->copies_end = true;
  impl_->files.interrupt();
}

Result<SnapshotMeta> RecordStore::make_snapshot(const Membership& membership) {
  TRY_ASSIGN(SnapshotMeta meta, copy_snapshot());
  meta.membership = membership;
  return meta;
}

Result<std::string> RecordStore::read_snapshot_chunk(const std::string& id, std::uint64_t offset,
                                                     std::size_t bytes_max) const {
  return impl_->files.read_chunk(id, offset, bytes_max);
}

Result<void> RecordStore::prune_snapshots(std::size_t keep, Index serving) {
  return impl_->files.prune(keep, serving);
}

bool RecordStore::holds_snapshot(const std::string& id) const {
  return impl_->files.holds(id);
}

std::uint64_t RecordStore::staged_bytes(const std::string& id) const {
  return impl_->files.staged_bytes(id);
}

Result<void> RecordStore::stage_chunk(const SnapshotMeta& snapshot, std::uint64_t offset,
                                      std::string_view data) {
  return impl_->files.stage_chunk(snapshot, offset, data);
}

Result<void> RecordStore::finish_staging(const SnapshotMeta& snapshot) {
  const auto next = impl_->options.data_directory / next_records_name;
  std::error_code error;
  if (staged_bytes(snapshot.id) == 0 && std::filesystem::exists(next, error)) {
    TRY_ASSIGN(const Index staged, applied_of(impl_->options, next_records_name));
    if (staged == snapshot.index) return {};  // finished before
  }
  TRY_ASSIGN(const auto part, impl_->files.finish(snapshot));
  TRY(sys::remove_durably(next));
  TRY(sys::make_directory(next));
  TRY(sys::rename_durably(part, next / "data.mdb"));
  auto adopted = impl_->adopt(snapshot);
  if (!adopted) TRY(sys::remove_durably(next));
  return adopted;
}

Result<void> RecordStore::install(const SnapshotMeta& snapshot) {
  return impl_->install(snapshot);
}

Result<void> RecordStore::scrub(const GoOn& go_on) const {
  ScrubViews views{*impl_};
  return impl_->scrub.run(views, [this, &go_on] { return !impl_->switching && go_on(); });
}

std::uint64_t RecordStore::bytes_used() const {
  return usage().used_bytes;
}

StoreUsage RecordStore::usage() const {
  const std::lock_guard guard{impl_->mutex};
  if (!impl_->switching && !impl_->gone) {
    const RecordTables& tables = impl_->tables;
    const auto usage = impl_->env.env().usage(
        {tables.records, tables.history, tables.commits, tables.operations, tables.collections,
         tables.balances, tables.index, tables.expiry, tables.meta});
    impl_->known_usage = {usage.used_bytes, usage.file_bytes, usage.map_bytes};
  }
  return impl_->known_usage;
}

Result<void> RecordStore::form(ClusterId cluster) {
  TRY_ASSIGN(Txn txn, Txn::begin(impl_->env.env(), Txn::Kind::write));
  TRY_ASSIGN(Ownership owner, get_ownership(txn, impl_->tables.meta));
  owner.cluster = cluster;
  TRY(put_ownership(txn, impl_->tables.meta, owner));
  TRY(txn.commit());
  impl_->options.owner.cluster = cluster;
  return impl_->env.checkpoint({});
}

}  // namespace mainstay::store
