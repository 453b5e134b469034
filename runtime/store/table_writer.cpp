// The writing half of the record store's tables.
#include "runtime/base/mutant.hpp"
#include "runtime/store/record_tables.hpp"
#include "runtime/store/scrub.hpp"
#include "runtime/store/sealed_meta.hpp"
#include "runtime/store/table_keys.hpp"
#include "runtime/wire/codec.hpp"

namespace mainstay::store {

using lmdb::Cursor;
using record::Balance;
using record::Collection;
using record::Commit;
using record::Expiry;
using record::Operation;
using record::Record;
using record::Revision;

namespace {

Result<Expiry> expiry_of(const Cursor::Row& row) {
  constexpr std::size_t fixed_bytes = 9;
  constexpr std::size_t tail_bytes = 1 + sizeof(Revision);
  const std::size_t split =
      row.key.size() < fixed_bytes ? std::string_view::npos : row.key.find(separator, fixed_bytes);
  if (split == std::string_view::npos || row.key.size() < split + 1 + tail_bytes)
    return fail(Errc::corrupt, "a row of the table 'expiry' has a damaged key");
  TRY(unseal(row.key, row.value));
  const std::size_t key_end = row.key.size() - tail_bytes;
  Expiry expiry;
  expiry.due_millis = get_big(row.key);
  expiry.kind = static_cast<Expiry::Kind>(row.key[8]);
  expiry.collection = row.key.substr(fixed_bytes, split - fixed_bytes);
  expiry.key = row.key.substr(split + 1, key_end - split - 1);
  expiry.revision = get_big(row.key.substr(key_end + 1));
  return expiry;
}

}  // namespace

void TableWriter::finish() {
  write_collections();
  collections_.clear();
  commits_.reset();
}

// --- rows of the state hash ---

void TableWriter::note(Table table, std::string_view key, std::string_view after) const {
  if (noted_ == nullptr) return;
  Hash128 delta{};
  if (!after.empty()) delta = need(hash_of_row(table, key, after));
  const auto before = need(txn_.get(tables_.of(table), key));
  if (before) delta = subtract(delta, need(hash_of_row(table, key, *before)));
  noted_->push_back({table, std::string{key}, delta});
}

void TableWriter::put_row(Table table, std::string_view key, std::string_view value) {
  note(table, key, value);
  need(txn_.put(tables_.of(table), key, value));
}

void TableWriter::erase_row(Table table, std::string_view key) {
  note(table, key, {});
  need(txn_.erase(tables_.of(table), key));
}

// --- records and their history ---

void TableWriter::put_record(std::string_view collection, std::string_view key,
                             const Record& record) {
  put_row(Table::records, row_key(collection, key).view(), wire::encode(record));
}

void TableWriter::erase_record(std::string_view collection, std::string_view key) {
  erase_row(Table::records, row_key(collection, key).view());
}

void TableWriter::put_history(std::string_view collection, std::string_view key,
                              const Record& record) {
  const TableKey place = history_key(collection, key, record.revision);
  put_row(Table::history, place.view(), wire::encode(record));
}

std::optional<Record> TableWriter::take_history(std::string_view collection, std::string_view key,
                                                Revision revision) {
  const TableKey place = history_key(collection, key, revision);
  const auto row = need(txn_.get(tables_.history, place.view()));
  if (!row) return std::nullopt;
  std::optional<Record> record = need(wire::decode_record(*row));
  erase_row(Table::history, place.view());
  return record;
}

// --- the timeline ---

Cursor& TableWriter::commit_cursor() {
  if (!commits_) commits_.emplace(need(Cursor::open(txn_, tables_.commits)));
  return *commits_;
}

void TableWriter::append_commit(const Commit& commit) {
  if (MUTANT(timeline_outside_transaction)) {
    late_.commits.push_back(commit);
    return;
  }
  const TableKey key = commit_key(commit.revision);
  const std::string row = wire::encode(commit);
  note(Table::commits, key.view(), row);
  need(commit_cursor().append(key.view(), row));
}

std::optional<Commit> TableWriter::take_commit(std::uint64_t until_millis) {
  Cursor& cursor = commit_cursor();
  const auto row = need(cursor.first());
  if (!row) return std::nullopt;
  Commit commit = need(wire::decode_commit(row->value));
  if (commit.stamp.millis > until_millis) return std::nullopt;
  note(Table::commits, row->key, {});
  need(cursor.erase());
  return commit;
}

// --- operations ---

std::optional<Operation> TableWriter::find_operation(std::string_view operation) const {
  if (const auto late = late_.operations.find(operation); late != late_.operations.end())
    return late->second;
  return TableRows::find_operation(operation);
}

void TableWriter::put_operation(std::string_view operation, const Operation& value) {
  if (MUTANT(dedup_outside_transaction))
    late_.operations.insert_or_assign(std::string{operation}, value);
  else
    put_row(Table::operations, operation, wire::encode(value));
}

void TableWriter::erase_operation(std::string_view operation) {
  erase_row(Table::operations, operation);
}

// --- collections ---

std::optional<Collection> TableWriter::find_collection(std::string_view name) const {
  auto kept = collections_.find(name);
  if (kept == collections_.end())
    kept = collections_
               .emplace(std::string{name}, KeptCollection{TableRows::find_collection(name), false})
               .first;
  return kept->second.row;
}

void TableWriter::scan_collections(const CollectionVisitor& visit) const {
  write_collections();
  TableRows::scan_collections(visit);
}

void TableWriter::put_collection(std::string_view name, const Collection& collection) {
  const auto kept = collections_.find(name);
  if (kept != collections_.end())
    kept->second = {collection, true};
  else
    collections_.emplace(std::string{name}, KeptCollection{collection, true});
}

void TableWriter::erase_collection(std::string_view name) {
  collections_.insert_or_assign(std::string{name}, KeptCollection{std::nullopt, true});
}

void TableWriter::write_collections() const {
  for (auto& [name, kept] : collections_) {
    if (!kept.changed) continue;
    if (kept.row)
      need(txn_.put(tables_.collections, name, wire::encode(*kept.row)));
    else
      need(txn_.erase(tables_.collections, name));
    kept.changed = false;
  }
}

// --- balances ---

void TableWriter::put_balance(std::string_view collection, std::string_view position,
                              const Balance& balance) {
  put_row(Table::balances, row_key(collection, position).view(), wire::encode(balance));
}

void TableWriter::erase_balance(std::string_view collection, std::string_view position) {
  erase_row(Table::balances, row_key(collection, position).view());
}

// --- indexes ---

void TableWriter::put_index_row(std::uint32_t collection, std::uint16_t index,
                                std::string_view value, std::string_view key) {
  const TableKey place = index_row_key(collection, index, value, key);
  need(txn_.put(tables_.index, place.view(), seal(place.view(), {})));
}

void TableWriter::erase_index_row(std::uint32_t collection, std::uint16_t index,
                                  std::string_view value, std::string_view key) {
  need(txn_.erase(tables_.index, index_row_key(collection, index, value, key).view()));
}

std::size_t TableWriter::erase_index_rows(std::uint32_t collection, std::uint16_t index,
                                          std::size_t most) {
  const TableKey all = index_prefix(collection, index);
  Cursor cursor = need(Cursor::open(txn_, tables_.index));
  std::size_t erased = 0;
  for (; erased < most; ++erased) {
    const auto row = need(cursor.at_or_after(all.view()));
    if (!row || !row->key.starts_with(all.view())) break;
    need(cursor.erase());
  }
  return erased;
}

// --- the expiry queue ---

void TableWriter::put_expiry(const Expiry& expiry) {
  const TableKey place = expiry_key(expiry);
  need(txn_.put(tables_.expiry, place.view(), seal(place.view(), {})));
}

std::optional<Expiry> TableWriter::take_expiry(std::uint64_t now_millis) {
  Cursor cursor = need(Cursor::open(txn_, tables_.expiry));
  const auto row = need(cursor.first());
  if (!row) return std::nullopt;
  Expiry expiry = need(expiry_of(*row));
  if (expiry.due_millis > now_millis) return std::nullopt;
  need(cursor.erase());
  return expiry;
}

}  // namespace mainstay::store
