#include <fmt/format.h>

#include "runtime/base/limits.hpp"
#include "runtime/base/mutant.hpp"
#include "runtime/store/log_journal.hpp"
#include "runtime/store/log_store_impl.hpp"
#include "runtime/wire/codec.hpp"

namespace mainstay::store {

using consensus::Entry;
using consensus::HardState;
using consensus::Index;
using consensus::Persist;
using consensus::SnapshotMeta;
using lmdb::Txn;

Result<void> LogStore::Impl::commit(Txn& txn) {
  TRY(txn.commit());
  ++commits;
  return {};
}

Result<void> LogStore::Impl::write(const std::vector<const Persist*>& persists) {
  const std::string frame = encode_frame(persists);
  TRY_ASSIGN(const bool journaled, make_room(frame.size()));
  TRY_ASSIGN(Txn txn, Txn::begin(env.env(), Txn::Kind::write));
  LogPosition at = position;
  if (late_hard_state) TRY(put_meta(txn, meta, "hard_state", wire::encode(*late_hard_state)));
  if (late_start) {
    TRY(put_start(txn, meta, *late_start));
    late_start.reset();
  }
  for (const Persist* persist : persists) TRY(stage(txn, at, *persist));
  if (journaled) TRY(journal.append(frame));
  TRY(absorb_staged(txn, at, persists));
  if (journaled) return {};
  return checkpoint();  // larger than a journal file: the checkpoint itself makes it durable
}

Result<void> LogStore::Impl::checkpoint() {
  const Journal::Position next = journal.next();
  TRY(env.checkpoint(encode_position(next)));
  journal.begin(next);
  return {};
}

// Makes sure that a frame of this size can be appended, by going on in the other journal file if
// need be; the checkpoint that frees this one is flushed meanwhile. False: it fits into none.
Result<bool> LogStore::Impl::make_room(std::size_t frame_bytes) {
  if (journal.fits(frame_bytes)) return true;
  TRY(env.finish());
  const Journal::Position next = journal.next();
  TRY(env.start(encode_position(next)));
  journal.begin(next);
  return journal.fits(frame_bytes);
}

Result<void> LogStore::Impl::absorb_staged(Txn& txn, const LogPosition& at,
                                           const std::vector<const Persist*>& persists) {
  TRY(commit(txn));
  position = at;
  const std::lock_guard guard{mutex};
  for (const Persist* persist : persists) absorb(*persist);
  return {};
}

Result<void> LogStore::Impl::stage(Txn& txn, LogPosition& at, const Persist& persist) {
  if (persist.snapshot) TRY(stage_restart(txn, at, *persist.snapshot));
  if (persist.truncate_from) TRY(stage_truncation(txn, at, *persist.truncate_from));
  for (const Entry& entry : persist.entries) TRY(stage_append(txn, at, entry));
  if (persist.hard_state) TRY(stage_hard_state(txn, *persist.hard_state));
  return {};
}

Result<void> LogStore::Impl::stage_restart(Txn& txn, LogPosition& at,
                                           const SnapshotMeta& installed) {
  if (const int code = mdb_drop(txn.get(), log, 0); code != 0)
    return Failure{txn.error(code, "empty the log")};
  LogStart start{installed.index, installed.term, {}, installed.membership};
  if (MUTANT(snapshot_switch_not_durable))
    late_start = start;
  else
    TRY(put_start(txn, meta, start));
  // A snapshot older than the log's start leads nowhere: the entries behind it are gone.
  if (at.snapshot != 0 && at.snapshot < installed.index) {
    TRY(txn.erase(meta, "snapshot"));
    at.snapshot = 0;
  }
  at.start = at.last = installed.index;
  at.start_chain = at.chain = start.chain;
  return {};
}

Result<void> LogStore::Impl::stage_truncation(Txn& txn, LogPosition& at, Index from) const {
  if (from <= at.start)
    return fail(Errc::internal, fmt::format("truncation from {} reaches behind the log's start {}",
                                            from, at.start));
  if (from > at.last) return {};
  Hash128 chain = at.start_chain;
  if (from - 1 > at.start) {
    TRY_ASSIGN(const std::string_view kept, record_at(txn, from - 1));
    TRY_ASSIGN(const LogHeader header, read_log_header(kept, from - 1));
    chain = header.chain;
  }
  if (!MUTANT(truncate_keeps_stale_tail))
    for (Index index = at.last; index >= from; --index) TRY(txn.erase(log, log_key_of(index)));
  at.last = from - 1;
  at.chain = chain;
  return {};
}

Result<void> LogStore::Impl::stage_append(Txn& txn, LogPosition& at, const Entry& entry) const {
  if (entry.index != at.last + 1)
    return fail(Errc::internal, fmt::format("entry {} does not follow the log's last entry {}",
                                            entry.index, at.last));
  const std::string encoded = wire::encode(entry);
  MDB_val key = lmdb::to_val(log_key_of(entry.index));
  MDB_val value{log_header_bytes + encoded.size(), nullptr};
  const unsigned in_order = MUTANT(truncate_keeps_stale_tail) ? 0U : unsigned{MDB_APPEND};
  if (const int code = mdb_put(txn.get(), log, &key, &value, MDB_RESERVE | in_order); code != 0)
    return Failure{txn.error(code, "append to the log")};
  at.chain = write_log_record(static_cast<char*>(value.mv_data), entry, encoded, at.chain);
  at.last = entry.index;
  return {};
}

Result<void> LogStore::Impl::stage_hard_state(Txn& txn, const HardState& state) {
  if (MUTANT(hard_state_not_in_commit)) {
    late_hard_state = state;
    return {};
  }
  return put_meta(txn, meta, "hard_state", wire::encode(state));
}

void LogStore::Impl::absorb(const Persist& persist) {
  if (persist.snapshot) {
    const SnapshotMeta& installed = *persist.snapshot;
    cache.restart({installed.index, installed.term, {}, installed.membership});
    if (snapshot.index < installed.index) snapshot = {};
  }
  if (persist.truncate_from) cache.truncate(*persist.truncate_from);
  for (const Entry& entry : persist.entries) cache.append(entry);
  if (persist.hard_state) hard_state = *persist.hard_state;
}

Result<Index> LogStore::Impl::compact(Index to) {
  LogStart start = cache.start();  // this thread is the only one that changes it
  to = std::min({to, position.last, start.index + limits::compact_entries_max});
  if (to <= start.index) return start.index + 1;
  TRY_ASSIGN(Txn txn, Txn::begin(env.env(), Txn::Kind::write));
  for (Index index = start.index + 1; index <= to; ++index) {
    TRY_ASSIGN(const std::string_view record, record_at(txn, index));
    TRY_ASSIGN(const LogHeader header, check_log_record(record, index, start.chain));
    start.index = index;
    start.term = header.term;
    start.chain = header.chain;
    if (header.kind == consensus::EntryKind::membership) {
      TRY_ASSIGN(const Entry entry, decode_log_record(record, header));
      start.membership = *entry.membership;
    }
    TRY(txn.erase(log, log_key_of(index)));
  }
  TRY(put_start(txn, meta, start));
  TRY(commit(txn));
  position.start = start.index;
  position.start_chain = start.chain;
  const std::lock_guard guard{mutex};
  cache.compact(std::move(start));
  return to + 1;
}

}  // namespace mainstay::store
