// The log of one group. Two tables:
//
//   "log"   key := index:u64 native (MDB_INTEGERKEY), contiguous from start.index + 1;  value :=
//   log_format.hpp "meta"  sealed_meta.hpp, and
//     "hard_state"   wire::encode(HardState)
//     "start"        index:u64 ∙ term:u64 ∙ chain:2×u64 ∙ wire::encode(Membership)      what the
//     log starts behind "snapshot"     wire::encode(SnapshotMeta); absent: none to offer
//
// Environment flags: LMDB's defaults. Each commit syncs its pages, then writes the header page
// synchronously, before it returns.
#include "runtime/store/log_store.hpp"

#include <atomic>
#include <cstring>
#include <functional>
#include <mutex>

#include <fmt/format.h>

#include "runtime/base/limits.hpp"
#include "runtime/base/mutant.hpp"
#include "runtime/store/byte_order.hpp"
#include "runtime/store/log_cache.hpp"
#include "runtime/store/log_format.hpp"
#include "runtime/store/log_store_open.hpp"
#include "runtime/sys/file.hpp"
#include "runtime/wire/codec.hpp"

namespace mainstay::store {

using consensus::Entry;
using consensus::HardState;
using consensus::Index;
using consensus::Membership;
using consensus::Persist;
using consensus::SnapshotMeta;
using consensus::Term;
using lmdb::Cursor;
using lmdb::Txn;

namespace {

std::string_view key_of(const Index& index) {
  return {reinterpret_cast<const char*>(&index), sizeof index};
}

Index index_of(std::string_view key) {
  Index index = 0;
  if (key.size() == sizeof index) std::memcpy(&index, key.data(), sizeof index);
  return index;
}

Result<void> put_start(Txn& txn, MDB_dbi meta, const LogStart& start) {
  std::string body;
  append_little(body, start.index);
  append_little(body, start.term);
  append_hash(body, start.chain);
  body += wire::encode(start.membership);
  return put_meta(txn, meta, "start", body);
}

Result<LogStart> get_start(const Txn& txn, MDB_dbi meta) {
  constexpr std::size_t fixed_bytes = 32;
  TRY_ASSIGN(const std::string_view body, get_meta(txn, meta, "start"));
  if (body.size() < fixed_bytes)
    return fail(Errc::corrupt, "the log's start is damaged: too short");
  LogStart start;
  start.index = get_little<std::uint64_t>(body.data());
  start.term = get_little<std::uint64_t>(body.data() + 8);
  start.chain = get_hash(body.data() + 16);
  TRY_ASSIGN(start.membership, wire::decode_membership(body.substr(fixed_bytes)));
  return start;
}

Result<SnapshotMeta> get_snapshot(const Txn& txn, MDB_dbi meta) {
  TRY_ASSIGN(const auto row, txn.get(meta, "snapshot"));
  if (!row) return SnapshotMeta{};
  TRY_ASSIGN(const std::string_view body, unseal("snapshot", *row));
  return wire::decode_snapshot_meta(body);
}

// Where the writer stands inside a transaction; becomes the truth with its commit.
struct Position {
  Index start = 0;
  Hash128 start_chain{};
  Index last = 0;
  Hash128 chain{};  // of the record at `last`
  Index snapshot = 0;
};

}  // namespace

struct LogStore::Impl {
  FatalHandler fatal;
  lmdb::Env env;
  MDB_dbi log = 0;
  MDB_dbi meta = 0;

  // Writer thread only.
  Position position;
  bool failed = false;
  std::optional<HardState> late_hard_state;  // mutant hard_state_not_in_commit
  std::optional<LogStart> late_start;        // mutant snapshot_switch_not_durable
  std::atomic<std::uint64_t> commits{0};

  mutable std::mutex
      mutex;  // guards what follows; held for copies only, never while the disk is asked
  LogCache cache;
  HardState hard_state;
  SnapshotMeta snapshot;

  [[noreturn]] void stop(const Error& error) const {
    fatal(error);
    UNREACHABLE();
  }

  Result<void> open(const LogStoreOptions& options, unsigned table_flags);
  Result<void> create(const Ownership& owner);
  Result<void> load();
  Result<void> cut_from(Index bad);

  Result<void> commit(Txn& txn);
  Result<void> write(const std::vector<const Persist*>& persists);
  Result<void> stage(Txn& txn, Position& at, const Persist& persist);
  Result<void> stage_restart(Txn& txn, Position& at, const SnapshotMeta& snapshot);
  Result<void> stage_truncation(Txn& txn, Position& at, Index from) const;
  Result<void> stage_append(Txn& txn, Position& at, const Entry& entry) const;
  Result<void> stage_hard_state(Txn& txn, const HardState& state);
  void absorb(const Persist& persist);
  Result<Index> compact(Index to);

  using Visit = std::function<void(const LogHeader& header)>;
  Result<Position> walk(const Txn& txn, const LogStart& start, const Visit& visit) const;
  Result<std::string_view> record_at(const Txn& txn, Index index) const;
  Result<Hash128> chain_at(const Txn& txn, const LogStart& start, Index index) const;
  Result<std::vector<Entry>> read(Index low, Index high, std::size_t bytes_max) const;
  Result<std::vector<Entry>> read_memberships() const;
};

// --- opening ---

Result<void> LogStore::Impl::open(const LogStoreOptions& options, unsigned table_flags) {
  fatal = options.fatal;
  lmdb::EnvOptions wanted;
  wanted.directory = options.directory;
  wanted.map_bytes = options.map_bytes;
  wanted.locked = options.locked;
  if (MUTANT(log_write_not_synced)) wanted.flags |= MDB_NOSYNC;
  TRY_ASSIGN(env, lmdb::Env::open(wanted));
  env.check_readers();
  TRY_ASSIGN(Txn txn, Txn::begin(env, Txn::Kind::write));
  TRY_ASSIGN(log, txn.open_table("log", table_flags | MDB_INTEGERKEY));
  TRY_ASSIGN(meta, txn.open_table("meta", table_flags));
  return txn.commit();
}

Result<void> LogStore::Impl::create(const Ownership& owner) {
  TRY_ASSIGN(Txn txn, Txn::begin(env, Txn::Kind::write));
  TRY(put_format(txn, meta));
  TRY(put_ownership(txn, meta, owner));
  TRY(put_start(txn, meta, LogStart{}));
  TRY(put_meta(txn, meta, "hard_state", wire::encode(HardState{})));
  TRY(txn.commit());
  return env.sync();
}

Result<void> LogStore::Impl::load() {
  Index bad = 0;
  {
    TRY_ASSIGN(const Txn txn, Txn::begin(env, Txn::Kind::read));
    TRY_ASSIGN(LogStart start, get_start(txn, meta));
    TRY_ASSIGN(const std::string_view state, get_meta(txn, meta, "hard_state"));
    TRY_ASSIGN(hard_state, wire::decode_hard_state(state));
    TRY_ASSIGN(snapshot, get_snapshot(txn, meta));
    cache.restart(start);
    auto end = walk(txn, start, [this](const LogHeader& header) {
      cache.append_cold(header.index, header.term, header.kind);
    });
    if (end) {
      position = *end;
      position.snapshot = snapshot.index;
      return {};
    }
    if (!MUTANT(corrupt_tail_truncated)) return Failure{std::move(end).error()};
    bad = cache.last() + 1;
  }
  return cut_from(bad);
}

// Only ever reached by the mutant: a damaged record may be committed, cutting it off forgets an
// acknowledged write.
Result<void> LogStore::Impl::cut_from(Index bad) {
  TRY_ASSIGN(Txn txn, Txn::begin(env, Txn::Kind::write));
  {
    TRY_ASSIGN(Cursor cursor, Cursor::open(txn, log));
    while (true) {
      TRY_ASSIGN(const auto row, cursor.at_or_after(key_of(bad)));
      if (!row) break;
      TRY(cursor.erase());
    }
  }
  TRY(txn.commit());
  return load();
}

// --- writing ---

Result<void> LogStore::Impl::commit(Txn& txn) {
  TRY(txn.commit());
  ++commits;
  return {};
}

Result<void> LogStore::Impl::write(const std::vector<const Persist*>& persists) {
  TRY_ASSIGN(Txn txn, Txn::begin(env, Txn::Kind::write));
  Position at = position;
  if (late_hard_state) TRY(put_meta(txn, meta, "hard_state", wire::encode(*late_hard_state)));
  if (late_start) {
    TRY(put_start(txn, meta, *late_start));
    late_start.reset();
  }
  for (const Persist* persist : persists) TRY(stage(txn, at, *persist));
  TRY(commit(txn));
  position = at;
  const std::lock_guard guard{mutex};
  for (const Persist* persist : persists) absorb(*persist);
  return {};
}

Result<void> LogStore::Impl::stage(Txn& txn, Position& at, const Persist& persist) {
  if (persist.snapshot) TRY(stage_restart(txn, at, *persist.snapshot));
  if (persist.truncate_from) TRY(stage_truncation(txn, at, *persist.truncate_from));
  for (const Entry& entry : persist.entries) TRY(stage_append(txn, at, entry));
  if (persist.hard_state) TRY(stage_hard_state(txn, *persist.hard_state));
  return {};
}

Result<void> LogStore::Impl::stage_restart(Txn& txn, Position& at, const SnapshotMeta& installed) {
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

Result<void> LogStore::Impl::stage_truncation(Txn& txn, Position& at, Index from) const {
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
    for (Index index = at.last; index >= from; --index) TRY(txn.erase(log, key_of(index)));
  at.last = from - 1;
  at.chain = chain;
  return {};
}

Result<void> LogStore::Impl::stage_append(Txn& txn, Position& at, const Entry& entry) const {
  if (entry.index != at.last + 1)
    return fail(Errc::internal, fmt::format("entry {} does not follow the log's last entry {}",
                                            entry.index, at.last));
  const std::string encoded = wire::encode(entry);
  MDB_val key = lmdb::to_val(key_of(entry.index));
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
  TRY_ASSIGN(Txn txn, Txn::begin(env, Txn::Kind::write));
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
    TRY(txn.erase(log, key_of(index)));
  }
  TRY(put_start(txn, meta, start));
  TRY(commit(txn));
  position.start = start.index;
  position.start_chain = start.chain;
  const std::lock_guard guard{mutex};
  cache.compact(std::move(start));
  return to + 1;
}

// --- reading ---

Result<std::string_view> LogStore::Impl::record_at(const Txn& txn, Index index) const {
  TRY_ASSIGN(const auto record, txn.get(log, key_of(index)));
  if (!record) return fail(Errc::corrupt, fmt::format("log record {} is missing", index));
  return *record;
}

Result<Hash128> LogStore::Impl::chain_at(const Txn& txn, const LogStart& start, Index index) const {
  if (index == start.index) return start.chain;
  TRY_ASSIGN(const std::string_view record, record_at(txn, index));
  TRY_ASSIGN(const LogHeader header, read_log_header(record, index));
  return header.chain;
}

Result<Position> LogStore::Impl::walk(const Txn& txn, const LogStart& start,
                                      const Visit& visit) const {
  Position at{start.index, start.chain, start.index, start.chain, 0};
  Term term = start.term;
  TRY_ASSIGN(Cursor cursor, Cursor::open(txn, log));
  TRY_ASSIGN(auto row, cursor.first());
  while (row) {
    if (index_of(row->key) != at.last + 1)
      return fail(Errc::corrupt, fmt::format("log record {} is missing, the next one held is {}",
                                             at.last + 1, index_of(row->key)));
    TRY_ASSIGN(const LogHeader header, check_log_record(row->value, at.last + 1, at.chain));
    if (header.term < term)
      return fail(Errc::corrupt, fmt::format("log record {} has term {} after term {}",
                                             header.index, header.term, term));
    term = header.term;
    at.last = header.index;
    at.chain = header.chain;
    visit(header);
    TRY_ASSIGN(row, cursor.next());
  }
  return at;
}

Result<std::vector<Entry>> LogStore::Impl::read(Index low, Index high,
                                                std::size_t bytes_max) const {
  TRY_ASSIGN(const Txn txn, Txn::begin(env, Txn::Kind::read));
  // The writer may have compacted since the caller looked: what counts is this moment of the disk.
  TRY_ASSIGN(const LogStart start, get_start(txn, meta));
  std::vector<Entry> found;
  if (low <= start.index) return found;
  TRY_ASSIGN(Hash128 chain, chain_at(txn, start, low - 1));
  TRY_ASSIGN(Cursor cursor, Cursor::open(txn, log));
  std::size_t bytes = 0;
  TRY_ASSIGN(auto row, cursor.at(key_of(low)));
  for (Index index = low; index < high; ++index) {
    if (!row || index_of(row->key) != index)
      return fail(Errc::corrupt, fmt::format("log record {} is missing", index));
    TRY_ASSIGN(const LogHeader header, check_log_record(row->value, index, chain));
    TRY_ASSIGN(Entry entry, decode_log_record(row->value, header));
    bytes += entry.bytes();
    if (!found.empty() && bytes > bytes_max) break;
    chain = header.chain;
    found.push_back(std::move(entry));
    TRY_ASSIGN(row, cursor.next());
  }
  return found;
}

Result<std::vector<Entry>> LogStore::Impl::read_memberships() const {
  std::deque<Index> indexes;
  {
    const std::lock_guard guard{mutex};
    indexes = cache.memberships();
  }
  TRY_ASSIGN(const Txn txn, Txn::begin(env, Txn::Kind::read));
  std::vector<Entry> found;
  for (const Index index : indexes) {
    TRY_ASSIGN(const std::string_view record, record_at(txn, index));
    TRY_ASSIGN(const LogHeader header, read_log_header(record, index));
    TRY_ASSIGN(Entry entry, decode_log_record(record, header));
    found.push_back(std::move(entry));
  }
  return found;
}

// --- the public face ---

Result<std::unique_ptr<LogStore>> create_log_store(const LogStoreOptions& options) {
  TRY(sys::make_directory(options.directory));
  auto impl = std::make_unique<LogStore::Impl>();
  TRY(impl->open(options, MDB_CREATE));
  TRY(impl->create(options.owner));
  TRY(impl->load());
  return std::make_unique<LogStore>(std::move(impl));
}

Result<std::unique_ptr<LogStore>> open_log_store(const LogStoreOptions& options,
                                                 ClusterId* found_cluster) {
  auto impl = std::make_unique<LogStore::Impl>();
  TRY(impl->open(options, 0));
  {
    TRY_ASSIGN(const Txn txn, Txn::begin(impl->env, Txn::Kind::read));
    TRY(check_format(txn, impl->meta));
    TRY_ASSIGN(const Ownership found, get_ownership(txn, impl->meta));
    Ownership expected = options.owner;
    if (!expected.cluster) expected.cluster = found.cluster;
    TRY(check_ownership(found, expected, options.directory));
    *found_cluster = found.cluster;
  }
  TRY(impl->load());
  return std::make_unique<LogStore>(std::move(impl));
}

LogStore::LogStore(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
LogStore::~LogStore() = default;

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
  TRY_ASSIGN(Txn txn, Txn::begin(impl_->env, Txn::Kind::write));
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
  TRY_ASSIGN(Txn txn, Txn::begin(impl_->env, Txn::Kind::write));
  TRY_ASSIGN(Ownership owner, get_ownership(txn, impl_->meta));
  owner.cluster = cluster;
  LogStart start;
  start.membership = initial;
  TRY(put_ownership(txn, impl_->meta, owner));
  TRY(put_start(txn, impl_->meta, start));
  TRY(impl_->commit(txn));
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

Result<void> LogStore::verify() const {
  TRY_ASSIGN(const Txn txn, Txn::begin(impl_->env, Txn::Kind::read));
  TRY(check_format(txn, impl_->meta));
  TRY_ASSIGN(const LogStart start, get_start(txn, impl_->meta));
  TRY_ASSIGN(const Position end, impl_->walk(txn, start, [](const LogHeader&) {}));
  if (end.last < start.index) return fail(Errc::corrupt, "the log ends before its start");
  return {};
}

StoreUsage LogStore::usage() const {
  const auto usage = impl_->env.usage({impl_->log, impl_->meta});
  return {usage.used_bytes, usage.file_bytes, usage.map_bytes};
}

std::uint64_t LogStore::commits() const {
  return impl_->commits;
}

}  // namespace mainstay::store
