// The part of a record store that makes, takes in and switches to snapshots.
#include <fmt/format.h>

#include "runtime/store/record_store_impl.hpp"
#include "runtime/sys/file.hpp"
#include "runtime/wire/codec.hpp"

namespace mainstay::store {

using consensus::Index;
using consensus::Membership;
using consensus::SnapshotMeta;
using lmdb::Txn;
using record::Counters;

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
             CheckpointedEnv::open(record_env_options(options, next_records_name),
                                   records_checkpoint_of(options.owner.incarnation), false));
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

Result<SnapshotMeta> RecordStore::copy_snapshot() {
  const auto go_on = [this] { return !impl_->switching && !impl_->copies_end; };
  // As long as it is there, an installation waits. It lasts as long as the copy does, and is none
  // of the readers whose time is watched.
  TRY_ASSIGN(MDB_txn* const txn, impl_->begin_read());
  auto view = std::make_unique<View>(*impl_, txn, impl_->options.fatal, false);
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

}  // namespace mainstay::store
