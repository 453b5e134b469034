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

#include <fmt/format.h>

#include "runtime/base/limits.hpp"
#include "runtime/base/log.hpp"
#include "runtime/base/mutant.hpp"
#include "runtime/store/record_store_impl.hpp"
#include "runtime/store/table_keys.hpp"
#include "runtime/sys/file.hpp"
#include "runtime/wire/codec.hpp"

namespace mainstay::store {

using consensus::Entry;
using consensus::EntryKind;
using consensus::Index;
using lmdb::Txn;
using record::Counters;

lmdb::EnvOptions record_env_options(const RecordStoreOptions& options, const char* name,
                                    bool create) {
  lmdb::EnvOptions wanted;
  wanted.directory = options.data_directory / name;
  wanted.map_bytes = options.map_bytes;
  wanted.tables_max = RecordTables::count;
  // Beside the views: those kept for reuse, and the readers of two checkpoints.
  wanted.readers_max = limits::record_readers_max + limits::idle_readers_max + 2;
  wanted.create = create;
  return wanted;
}

Failure earlier_write_failed() {
  return fail(Errc::io_error, "an earlier write to the records failed: nothing may follow it");
}

// --- opening ---

Result<void> RecordStore::Impl::open(const char* name, unsigned table_flags) {
  TRY_ASSIGN(env, CheckpointedEnv::open(record_env_options(options, name, table_flags != 0),
                                        records_checkpoint_of(options.owner.incarnation),
                                        options.background));
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
  TRY_ASSIGN(const CheckpointedEnv env,
             CheckpointedEnv::open(record_env_options(options, name),
                                   records_checkpoint_of(options.owner.incarnation), false));
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
  if (impl_->failed) return earlier_write_failed();
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
  if (impl_->failed) return earlier_write_failed();
  const Index synced = impl_->applied;
  impl_->failed = true;
  TRY(impl_->env.checkpoint({}));
  impl_->failed = false;
  impl_->durable = synced;
  return {};
}

Result<void> RecordStore::sync_in_background() {
  if (impl_->failed) return earlier_write_failed();
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
