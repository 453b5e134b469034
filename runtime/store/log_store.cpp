#include "runtime/store/log_store.hpp"

#include "runtime/base/log.hpp"
#include "runtime/store/log_store_impl.hpp"
#include "runtime/wire/codec.hpp"

namespace mainstay::store {

using consensus::Entry;
using consensus::HardState;
using consensus::Index;
using consensus::Membership;
using consensus::Persist;
using consensus::SnapshotMeta;
using consensus::Term;
using lmdb::Txn;

LogStore::LogStore(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}

// A clean close leaves nothing to replay. If it fails, nothing is lost: the next start replays
// more.
LogStore::~LogStore() {
  if (!impl_ || impl_->failed) return;
  if (const auto closed = impl_->checkpoint(); !closed)
    log_warn("store", "the log was closed without a last checkpoint: {}",
             to_string(closed.error()));
}

Result<void> LogStore::write(const std::vector<const Persist*>& persists) {
  if (impl_->failed)
    return fail(Errc::io_error, "an earlier write to the log failed: nothing may follow it");
  auto written = impl_->write(persists);
  impl_->failed = !written;
  return written;
}

Result<Index> LogStore::compact(Index to) {
  if (impl_->failed)
    return fail(Errc::io_error, "an earlier write to the log failed: nothing may follow it");
  auto first = impl_->compact(to);
  impl_->failed = !first;
  return first;
}

Result<void> LogStore::set_snapshot(const SnapshotMeta& snapshot) {
  TRY_ASSIGN(Txn txn, Txn::begin(impl_->env.env(), Txn::Kind::write));
  if (snapshot.index == 0)
    TRY(txn.erase(impl_->meta, "snapshot"));
  else
    TRY(put_meta(txn, impl_->meta, "snapshot", wire::encode(snapshot)));
  TRY(impl_->commit(txn));
  impl_->position.snapshot = snapshot.index;
  const std::lock_guard guard{impl_->mutex};
  impl_->snapshot = snapshot;
  return {};
}

Result<void> LogStore::form(ClusterId cluster, const Membership& initial) {
  if (impl_->position.last != 0)
    return fail(Errc::conflict, "a log that holds entries cannot be formed again");
  TRY_ASSIGN(Txn txn, Txn::begin(impl_->env.env(), Txn::Kind::write));
  TRY_ASSIGN(Ownership owner, get_ownership(txn, impl_->meta));
  owner.cluster = cluster;
  LogStart start;
  start.membership = initial;
  TRY(put_ownership(txn, impl_->meta, owner));
  TRY(put_start(txn, impl_->meta, start));
  TRY(impl_->commit(txn));
  TRY(impl_->checkpoint());
  const std::lock_guard guard{impl_->mutex};
  impl_->cache.restart(std::move(start));
  return {};
}

HardState LogStore::hard_state() const {
  const std::lock_guard guard{impl_->mutex};
  return impl_->hard_state;
}

Membership LogStore::start_membership() const {
  const std::lock_guard guard{impl_->mutex};
  return impl_->cache.start().membership;
}

Index LogStore::first_index() const {
  const std::lock_guard guard{impl_->mutex};
  return impl_->cache.start().index + 1;
}

Index LogStore::last_index() const {
  const std::lock_guard guard{impl_->mutex};
  return impl_->cache.last();
}

std::optional<Term> LogStore::term(Index index) const {
  {
    const std::lock_guard guard{impl_->mutex};
    if (auto known = impl_->cache.term(index)) return known;
    if (!impl_->cache.holds(index)) return std::nullopt;
  }
  const auto found = impl_->read(index, index + 1, 0);
  if (!found) impl_->stop(found.error());
  if (found->empty()) return std::nullopt;
  return found->front().term;
}

std::vector<Entry> LogStore::entries(Index low, Index high, std::size_t bytes_max) const {
  {
    const std::lock_guard guard{impl_->mutex};
    if (low <= impl_->cache.start().index) return {};
    if (auto hot = impl_->cache.entries(low, high, bytes_max)) return *std::move(hot);
  }
  auto found = impl_->read(low, high, bytes_max);
  if (!found) impl_->stop(found.error());
  return *std::move(found);
}

SnapshotMeta LogStore::snapshot() const {
  const std::lock_guard guard{impl_->mutex};
  return impl_->snapshot;
}

std::vector<Entry> LogStore::membership_entries() const {
  auto found = impl_->read_memberships();
  if (!found) impl_->stop(found.error());
  return *std::move(found);
}

Result<void> LogStore::verify(const GoOn& go_on) const {
  return impl_->verify(go_on);
}

StoreUsage LogStore::usage() const {
  const auto usage = impl_->env.env().usage({impl_->log, impl_->meta});
  return {usage.used_bytes, usage.file_bytes, usage.map_bytes};
}

std::uint64_t LogStore::commits() const {
  return impl_->commits;
}

}  // namespace mainstay::store
