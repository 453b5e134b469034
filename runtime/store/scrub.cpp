#include "runtime/store/scrub.hpp"

#include <fmt/format.h>

#include "runtime/base/limits.hpp"
#include "runtime/record/state_hash.hpp"
#include "runtime/store/sealed_meta.hpp"
#include "runtime/store/table_keys.hpp"
#include "runtime/wire/codec.hpp"

namespace mainstay::store {

using lmdb::Cursor;
using lmdb::Txn;

namespace {

// Those of the state hash, then those that follow from them.
constexpr Table scrubbed[] = {Table::records, Table::history,  Table::operations,
                              Table::commits, Table::balances, Table::collections,
                              Table::index,   Table::expiry};

Failure damaged(std::string_view table) {
  return fail(Errc::corrupt, fmt::format("a row of the table '{}' has a damaged key", table));
}

Result<Hash128> hash_of_balance(std::string_view key, std::string_view value) {
  const std::size_t split = key.find(separator);
  if (split == std::string_view::npos) return damaged("balances");
  TRY_ASSIGN(const record::Balance row, wire::decode_balance(value));
  return record::hash_of(key.substr(0, split), key.substr(split + 1), row);
}

Result<Hash128> hash_of_record(std::string_view key, std::string_view value) {
  const std::size_t split = key.find(separator);
  if (split == std::string_view::npos) return damaged("records");
  TRY_ASSIGN(const record::Record row, wire::decode_record(value));
  return record::hash_of(key.substr(0, split), key.substr(split + 1), row);
}

Result<Hash128> hash_of_superseded(std::string_view key, std::string_view value) {
  constexpr std::size_t tail_bytes = 1 + sizeof(record::Revision);
  const std::size_t split = key.find(separator);
  if (split == std::string_view::npos || key.size() < split + 1 + tail_bytes)
    return damaged("history");
  TRY_ASSIGN(const record::Record row, wire::decode_record(value));
  if (get_big(key.substr(key.size() - sizeof(record::Revision))) != row.revision)
    return damaged("history");
  const std::string_view name = key.substr(split + 1, key.size() - split - 1 - tail_bytes);
  return record::hash_of_history(key.substr(0, split), name, row);
}

Result<Hash128> hash_of_commit(std::string_view key, std::string_view value) {
  TRY_ASSIGN(const record::Commit row, wire::decode_commit(value));
  if (key != commit_key(row.revision).view()) return damaged("commits");
  return record::hash_of(row);
}

}  // namespace

Result<Hash128> hash_of_row(Table table, std::string_view key, std::string_view value) {
  switch (table) {
    case Table::records:
      return hash_of_record(key, value);
    case Table::history:
      return hash_of_superseded(key, value);
    case Table::commits:
      return hash_of_commit(key, value);
    case Table::operations: {
      TRY_ASSIGN(const record::Operation row, wire::decode_operation(value));
      return record::hash_of(key, row);
    }
    case Table::balances:
      return hash_of_balance(key, value);
    case Table::collections:
      TRY(wire::decode_collection(value));
      return Hash128{};
    case Table::index:
    case Table::expiry:
      TRY(unseal(key, value));
      return Hash128{};
  }
  UNREACHABLE();
}

// --- the applying thread ---

Result<void> Scrub::commit(Txn& txn, RowChanges* noted) {
  const std::lock_guard guard{mutex_};
  TRY(txn.commit());
  if (!running_) return {};
  if (noted == nullptr) {
    missed_ = true;
  } else if (pending_.size() + noted->size() > limits::scrub_changes_max) {
    abandoned_ = true;
    pending_.clear();
  } else {
    pending_.insert(pending_.end(), std::make_move_iterator(noted->begin()),
                    std::make_move_iterator(noted->end()));
  }
  return {};
}

void Scrub::abandon() {
  const std::lock_guard guard{mutex_};
  abandoned_ = true;
}

// --- the scrubbing thread ---

bool Scrub::Place::is_behind(const RowChange& change) const {
  if (table == std::size(scrubbed)) return true;
  for (std::size_t i = 0; i < table; ++i)
    if (scrubbed[i] == change.table) return true;
  return scrubbed[table] == change.table && change.key < key;
}

Result<void> Scrub::run(Views& views, const GoOn& go_on) {
  {
    const std::lock_guard guard{mutex_};
    if (running_) return fail(Errc::busy, "another scrub is under way");
    missed_ = abandoned_ = false;
    running_ = true;
  }
  place_ = {};
  sum_ = {};
  auto result = walk(views, go_on);
  const std::lock_guard guard{mutex_};
  running_ = false;
  pending_ = {};
  return result;
}

Result<void> Scrub::walk(Views& views, const GoOn& go_on) {
  for (bool over = false; !over;) {
    TRY_ASSIGN(Txn txn, next_moment(views));
    over = place_.table == std::size(scrubbed);
    const auto good = over ? compare(txn, views.tables()) : read_piece(txn, views.tables(), go_on);
    views.end(std::move(txn));
    TRY(good);
  }
  return {};
}

Result<Txn> Scrub::next_moment(Views& views) {
  const std::lock_guard guard{mutex_};
  if (abandoned_) return fail(Errc::busy, "the scrub cannot follow what is written");
  if (missed_) {
    // The transaction under way when the scrub began; what was read before it ended does not count.
    missed_ = false;
    place_ = {};
    sum_ = {};
  }
  for (const RowChange& change : pending_)
    if (place_.is_behind(change)) sum_ = add(sum_, change.delta);
  pending_.clear();
  return views.begin();
}

Result<void> Scrub::read_piece(const Txn& txn, const RecordTables& tables, const GoOn& go_on) {
  const Table table = scrubbed[place_.table];
  TRY_ASSIGN(Cursor cursor, Cursor::open(txn, tables.of(table)));
  TRY_ASSIGN(auto row, place_.key.empty() ? cursor.first() : cursor.at_or_after(place_.key));
  for (std::size_t bytes = 0; row && bytes < piece_bytes_;) {
    if (!go_on()) return fail(Errc::busy, "told to stop before all records were read");
    TRY_ASSIGN(const Hash128 hash, hash_of_row(table, row->key, row->value));
    sum_ = add(sum_, hash);
    bytes += row->key.size() + row->value.size();
    place_.key.assign(row->key).push_back('\0');  // the very next key there can be
    TRY_ASSIGN(row, cursor.next());
  }
  if (!row) place_ = {place_.table + 1, {}};
  return {};
}

Result<void> Scrub::compare(const Txn& txn, const RecordTables& tables) const {
  TRY_ASSIGN(const record::Counters counters, get_counters(txn, tables.meta));
  if (counters.hash == sum_) return {};
  return fail(Errc::corrupt, fmt::format("the rows have the state hash {}, kept was {}",
                                         hex_of(sum_), hex_of(counters.hash)));
}

}  // namespace mainstay::store
