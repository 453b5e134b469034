// The log of one group. Two tables:
//
//   "log"    key := index:u64 native (MDB_INTEGERKEY), contiguous from start.index + 1
//            value := log_format.hpp
//   "meta"   sealed_meta.hpp, and
//     "hard_state"  wire::encode(HardState)
//     "start"       what the log starts behind:
//                   index:u64 ∙ term:u64 ∙ chain:2×u64 ∙ wire::encode(Membership)
//     "snapshot"    wire::encode(SnapshotMeta); absent: none to offer
//
// Environment flags: LMDB's defaults. Each commit syncs its pages, then writes the header page
// synchronously, before it returns.
#include <cstring>

#include "runtime/base/mutant.hpp"
#include "runtime/store/byte_order.hpp"
#include "runtime/store/log_store_impl.hpp"
#include "runtime/sys/file.hpp"
#include "runtime/wire/codec.hpp"

namespace mainstay::store {

using consensus::HardState;
using consensus::Index;
using consensus::SnapshotMeta;
using lmdb::Cursor;
using lmdb::Txn;

namespace {

Result<SnapshotMeta> get_snapshot(const Txn& txn, MDB_dbi meta) {
  TRY_ASSIGN(const auto row, txn.get(meta, "snapshot"));
  if (!row) return SnapshotMeta{};
  TRY_ASSIGN(const std::string_view body, unseal("snapshot", *row));
  return wire::decode_snapshot_meta(body);
}

}  // namespace

Index index_of_log_key(std::string_view key) {
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
      TRY_ASSIGN(const auto row, cursor.at_or_after(log_key_of(bad)));
      if (!row) break;
      TRY(cursor.erase());
    }
  }
  TRY(txn.commit());
  return load();
}

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
  // A killed process may have left a commit in the page cache that no sync covers: what is read
  // below is acted on, so it must be durable.
  TRY(impl->env.sync());
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

}  // namespace mainstay::store
