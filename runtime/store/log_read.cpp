#include <fmt/format.h>

#include "runtime/store/log_store_impl.hpp"

namespace mainstay::store {

using consensus::Entry;
using consensus::Index;
using consensus::Term;
using lmdb::Cursor;
using lmdb::Txn;

Result<std::string_view> LogStore::Impl::record_at(const Txn& txn, Index index) const {
  TRY_ASSIGN(const auto record, txn.get(log, log_key_of(index)));
  if (!record) return fail(Errc::corrupt, fmt::format("log record {} is missing", index));
  return *record;
}

Result<Hash128> LogStore::Impl::chain_at(const Txn& txn, const LogStart& start, Index index) const {
  if (index == start.index) return start.chain;
  TRY_ASSIGN(const std::string_view record, record_at(txn, index));
  TRY_ASSIGN(const LogHeader header, read_log_header(record, index));
  return header.chain;
}

Result<void> LogStore::Impl::walk_on(const Txn& txn, const LogStart& start, Walk& at,
                                     std::size_t bytes_max, const Visit& visit) const {
  TRY_ASSIGN(Cursor cursor, Cursor::open(txn, log));
  TRY_ASSIGN(auto row,
             at.last == start.index ? cursor.first() : cursor.at_or_after(log_key_of(at.last + 1)));
  for (std::size_t bytes = 0; row && bytes < bytes_max;) {
    if (index_of_log_key(row->key) != at.last + 1)
      return fail(Errc::corrupt, fmt::format("log record {} is missing, the next one held is {}",
                                             at.last + 1, index_of_log_key(row->key)));
    TRY_ASSIGN(const LogHeader header, check_log_record(row->value, at.last + 1, at.chain));
    if (header.term < at.term)
      return fail(Errc::corrupt, fmt::format("log record {} has term {} after term {}",
                                             header.index, header.term, at.term));
    at = {header.index, header.chain, header.term, false};
    bytes += row->value.size();
    visit(header);
    TRY_ASSIGN(row, cursor.next());
  }
  at.ended = !row;
  return {};
}

Result<LogPosition> LogStore::Impl::walk(const Txn& txn, const LogStart& start,
                                         const Visit& visit) const {
  Walk at{start.index, start.chain, start.term, false};
  TRY(walk_on(txn, start, at, SIZE_MAX, visit));
  return LogPosition{start.index, start.chain, at.last, at.chain, 0};
}

Result<bool> LogStore::Impl::stands(const Txn& txn, const LogStart& start, const Walk& at) const {
  if (at.last < start.index) return false;
  if (at.last == start.index) return at.chain == start.chain;
  TRY_ASSIGN(const auto record, txn.get(log, log_key_of(at.last)));
  if (!record) return false;
  TRY_ASSIGN(const LogHeader header, read_log_header(*record, at.last));
  return header.chain == at.chain;
}

// Piece by piece, each in a transaction of its own. Records that were compacted away or truncated
// meanwhile make the walk begin again at the log's start.
Result<void> LogStore::Impl::verify(const GoOn& go_on) const {
  std::optional<Walk> at;
  while (!at || !at->ended) {
    if (!go_on()) return fail(Errc::busy, "told to stop before all of the log was read");
    TRY_ASSIGN(const Txn txn, Txn::begin(env.env(), Txn::Kind::read));
    TRY(check_format(txn, meta));
    TRY_ASSIGN(const LogStart start, get_start(txn, meta));
    bool resumes = false;
    if (at) {
      TRY_ASSIGN(resumes, stands(txn, start, *at));
    }
    if (!resumes) at = Walk{start.index, start.chain, start.term, false};
    TRY(walk_on(txn, start, *at, scrub_piece_bytes, [](const LogHeader&) {}));
  }
  return {};
}

Result<std::vector<Entry>> LogStore::Impl::read(Index low, Index high,
                                                std::size_t bytes_max) const {
  TRY_ASSIGN(const Txn txn, Txn::begin(env.env(), Txn::Kind::read));
  // The writer may have compacted since the caller looked: what counts is this moment of the disk.
  TRY_ASSIGN(const LogStart start, get_start(txn, meta));
  std::vector<Entry> found;
  if (low <= start.index) return found;
  TRY_ASSIGN(Hash128 chain, chain_at(txn, start, low - 1));
  TRY_ASSIGN(Cursor cursor, Cursor::open(txn, log));
  std::size_t bytes = 0;
  TRY_ASSIGN(auto row, cursor.at(log_key_of(low)));
  for (Index index = low; index < high; ++index) {
    if (!row || index_of_log_key(row->key) != index)
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
  TRY_ASSIGN(const Txn txn, Txn::begin(env.env(), Txn::Kind::read));
  std::vector<Entry> found;
  for (const Index index : indexes) {
    TRY_ASSIGN(const std::string_view record, record_at(txn, index));
    TRY_ASSIGN(const LogHeader header, read_log_header(record, index));
    TRY_ASSIGN(Entry entry, decode_log_record(record, header));
    found.push_back(std::move(entry));
  }
  return found;
}

}  // namespace mainstay::store
