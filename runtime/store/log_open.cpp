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
// A checkpointed environment (checkpoint.hpp) with a journal (log_journal.hpp): a write is durable
// with the one flush of its journal frame; the tables follow without any.
#include <cstring>

#include "runtime/base/mutant.hpp"
#include "runtime/store/byte_order.hpp"
#include "runtime/store/log_journal.hpp"
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
  scrub_piece_bytes = options.scrub_piece_bytes;
  lmdb::EnvOptions wanted;
  wanted.directory = options.directory;
  wanted.map_bytes = options.map_bytes;
  wanted.create = table_flags != 0;
  TRY_ASSIGN(env, CheckpointedEnv::open(wanted, log_checkpoint_of(options.owner.incarnation),
                                        options.background));
  env.env().check_readers();
  const Incarnation owner = options.owner.incarnation;
  TRY_ASSIGN(journal, wanted.create
                          ? Journal::create(options.directory, owner, options.journal_bytes)
                          : Journal::open(options.directory, owner));
  TRY_ASSIGN(Txn txn, Txn::begin(env.env(), Txn::Kind::write));
  TRY_ASSIGN(log, txn.open_table("log", table_flags | MDB_INTEGERKEY));
  TRY_ASSIGN(meta, txn.open_table("meta", table_flags));
  return txn.commit();
}

Result<void> LogStore::Impl::create(const Ownership& owner) {
  TRY_ASSIGN(Txn txn, Txn::begin(env.env(), Txn::Kind::write));
  TRY(put_format(txn, meta));
  TRY(put_ownership(txn, meta, owner));
  TRY(put_start(txn, meta, LogStart{}));
  TRY(put_meta(txn, meta, "hard_state", wire::encode(HardState{})));
  TRY(txn.commit());
  journal.begin({1, 1});
  return env.checkpoint(encode_position({1, 1}));
}

Result<void> LogStore::Impl::load() {
  Index bad = 0;
  {
    TRY_ASSIGN(const Txn txn, Txn::begin(env.env(), Txn::Kind::read));
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

// From the tables of the checkpoint to what was durable when the last life ended. The new
// checkpoint at the end makes it so again before anything is acted on: a killed process may have
// left a frame in the page cache that no flush covers.
Result<void> LogStore::Impl::replay_journal() {
  if (!env.note()) return fail(Errc::corrupt, "the log has no checkpoint");
  TRY_ASSIGN(const Journal::Position from, decode_position(*env.note()));
  TRY_ASSIGN(const Journal::Position next,
             journal.read(from, [this](std::string_view frame) -> Result<void> {
               TRY_ASSIGN(const auto persists, decode_frame(frame));
               std::vector<const consensus::Persist*> pointers;
               for (const auto& persist : persists) pointers.push_back(&persist);
               TRY_ASSIGN(Txn txn, Txn::begin(env.env(), Txn::Kind::write));
               LogPosition at = position;
               for (const auto* persist : pointers) TRY(stage(txn, at, *persist));
               return absorb_staged(txn, at, pointers);
             }));
  if (!MUTANT(replayed_log_not_synced)) TRY(env.checkpoint(encode_position(next)));
  journal.begin(next);
  return {};
}

// Only ever reached by the mutant: a damaged record may be committed, cutting it off forgets an
// acknowledged write.
Result<void> LogStore::Impl::cut_from(Index bad) {
  TRY_ASSIGN(Txn txn, Txn::begin(env.env(), Txn::Kind::write));
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
  {
    TRY_ASSIGN(const Txn txn, Txn::begin(impl->env.env(), Txn::Kind::read));
    TRY(check_format(txn, impl->meta));
    TRY_ASSIGN(const Ownership found, get_ownership(txn, impl->meta));
    Ownership expected = options.owner;
    if (!expected.cluster) expected.cluster = found.cluster;
    TRY(check_ownership(found, expected, options.directory));
    *found_cluster = found.cluster;
  }
  TRY(impl->load());
  TRY(impl->replay_journal());
  return std::make_unique<LogStore>(std::move(impl));
}

}  // namespace mainstay::store
