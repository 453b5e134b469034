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

Result<LogPosition> LogStore::Impl::walk(const Txn& txn, const LogStart& start,
                                         const Visit& visit) const {
  LogPosition at{start.index, start.chain, start.index, start.chain, 0};
  Term term = start.term;
  TRY_ASSIGN(Cursor cursor, Cursor::open(txn, log));
  TRY_ASSIGN(auto row, cursor.first());
  while (row) {
    if (index_of_log_key(row->key) != at.last + 1)
      return fail(Errc::corrupt, fmt::format("log record {} is missing, the next one held is {}",
                                             at.last + 1, index_of_log_key(row->key)));
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
