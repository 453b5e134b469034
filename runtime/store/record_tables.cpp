#include "runtime/store/record_tables.hpp"

#include "runtime/store/sealed_meta.hpp"
#include "runtime/store/table_keys.hpp"
#include "runtime/wire/codec.hpp"

namespace mainstay::store {

using lmdb::Cursor;
using lmdb::Txn;
using record::Balance;
using record::Collection;
using record::Commit;
using record::Counters;
using record::Operation;
using record::Record;
using record::Revision;

namespace {

Error damaged_key(const char* table) {
  return Error{Errc::corrupt, std::string{"a row of the table '"} + table + "' has a damaged key"};
}

// "collection ∙ 0x00 ∙ rest". Nothing when it is not of that form.
struct Split {
  std::string_view collection;
  std::string_view rest;
};
std::optional<Split> split_key(std::string_view key) {
  const std::size_t at = key.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  return Split{key.substr(0, at), key.substr(at + 1)};
}

// Rows of one collection in key order that start with `prefix` and come behind `after`; `take` gets
// the rest of the key and the row's bytes.
template <class Tables, class Take>
void scan_part(const Tables& tables, Cursor cursor, std::string_view collection,
               std::string_view prefix, std::string_view after, const Take& take) {
  const TableKey all = row_key(collection, prefix);
  const std::size_t rest_at = collection.size() + 1;
  for (auto row =
           tables.need(cursor.at_or_after(row_key(collection, std::max(prefix, after)).view()));
       row; row = tables.need(cursor.next())) {
    if (!row->key.starts_with(all.view())) return;
    const std::string_view rest = row->key.substr(rest_at);
    if (!after.empty() && rest <= after) continue;
    if (!take(rest, row->value)) return;
  }
}

}  // namespace

Result<RecordTables> RecordTables::open(Txn& txn, unsigned flags) {
  RecordTables tables;
  TRY_ASSIGN(tables.records, txn.open_table("records", flags));
  TRY_ASSIGN(tables.history, txn.open_table("history", flags));
  TRY_ASSIGN(tables.commits, txn.open_table("commits", flags));
  TRY_ASSIGN(tables.operations, txn.open_table("operations", flags));
  TRY_ASSIGN(tables.collections, txn.open_table("collections", flags));
  TRY_ASSIGN(tables.balances, txn.open_table("balances", flags));
  TRY_ASSIGN(tables.index, txn.open_table("index", flags));
  TRY_ASSIGN(tables.expiry, txn.open_table("expiry", flags));
  TRY_ASSIGN(tables.meta, txn.open_table("meta", flags));
  return tables;
}

MDB_dbi RecordTables::of(Table table) const {
  switch (table) {
    case Table::records:
      return records;
    case Table::history:
      return history;
    case Table::commits:
      return commits;
    case Table::operations:
      return operations;
    case Table::collections:
      return collections;
    case Table::balances:
      return balances;
    case Table::index:
      return index;
    case Table::expiry:
      return expiry;
  }
  UNREACHABLE();
}

Result<Counters> get_counters(const Txn& txn, MDB_dbi meta) {
  TRY_ASSIGN(const std::string_view body, get_meta(txn, meta, "counters"));
  return wire::decode_counters(body);
}

Result<void> put_counters(Txn& txn, MDB_dbi meta, const Counters& counters) {
  return put_meta(txn, meta, "counters", wire::encode(counters));
}

template <class I>
void TableRows<I>::stop(const Error& error) const {
  fatal_(error);
  UNREACHABLE();
}

template <class I>
Counters TableRows<I>::counters() const {
  return need(get_counters(txn_, tables_.meta));
}

// --- single rows ---

template <class I>
std::optional<Record> TableRows<I>::find_record(std::string_view collection,
                                                std::string_view key) const {
  const auto row = need(txn_.get(tables_.records, row_key(collection, key).view()));
  if (!row) return std::nullopt;
  return need(wire::decode_record(*row));
}

template <class I>
std::optional<Operation> TableRows<I>::find_operation(std::string_view operation) const {
  if (operation.empty() || operation.size() > limits::lmdb_key_bytes_max) return std::nullopt;
  const auto row = need(txn_.get(tables_.operations, operation));
  if (!row) return std::nullopt;
  return need(wire::decode_operation(*row));
}

template <class I>
std::optional<Collection> TableRows<I>::find_collection(std::string_view name) const {
  if (name.empty() || name.size() > limits::lmdb_key_bytes_max) return std::nullopt;
  const auto row = need(txn_.get(tables_.collections, name));
  if (!row) return std::nullopt;
  return need(wire::decode_collection(*row));
}

template <class I>
std::optional<Balance> TableRows<I>::find_balance(std::string_view collection,
                                                  std::string_view position) const {
  const auto row = need(txn_.get(tables_.balances, row_key(collection, position).view()));
  if (!row) return std::nullopt;
  return need(wire::decode_balance(*row));
}

// --- parts of a table ---

template <class I>
void TableRows<I>::scan_records(std::string_view collection, std::string_view prefix,
                                std::string_view after,
                                const record::StateReader::RecordVisitor& visit) const {
  scan_part(*this, need(Cursor::open(txn_, tables_.records)), collection, prefix, after,
            [&](std::string_view key, std::string_view row) {
              return visit(key, need(wire::decode_record(row)));
            });
}

template <class I>
void TableRows<I>::scan_balances(std::string_view collection, std::string_view prefix,
                                 std::string_view after,
                                 const record::StateReader::BalanceVisitor& visit) const {
  scan_part(*this, need(Cursor::open(txn_, tables_.balances)), collection, prefix, after,
            [&](std::string_view position, std::string_view row) {
              return visit(position, need(wire::decode_balance(row)));
            });
}

// Newest first: from the row at `at_most`, or the one before where it would stand, downwards.
template <class I>
void TableRows<I>::scan_history(std::string_view collection, std::string_view key, Revision at_most,
                                const record::StateReader::HistoryVisitor& visit) const {
  const TableKey wanted = history_key(collection, key, at_most);
  const std::string_view own = wanted.view().substr(0, wanted.view().size() - sizeof(Revision));
  Cursor cursor = need(Cursor::open(txn_, tables_.history));
  auto row = need(cursor.at_or_after(wanted.view()));
  if (!row)
    row = need(cursor.last());
  else if (row->key != wanted.view())
    row = need(cursor.previous());
  for (; row && row->key.starts_with(own); row = need(cursor.previous()))
    if (!visit(need(wire::decode_record(row->value)))) return;
}

template <class I>
Revision TableRows<I>::oldest_version(std::string_view collection, std::string_view key) const {
  const TableKey first = history_key(collection, key, 0);
  const std::size_t own_bytes = first.view().size() - sizeof(Revision);
  Cursor cursor = need(Cursor::open(txn_, tables_.history));
  const auto row = need(cursor.at_or_after(first.view()));
  const bool is_own = row && row->key.size() == first.view().size() &&
                      row->key.starts_with(first.view().substr(0, own_bytes));
  return is_own ? get_big(row->key.substr(own_bytes)) : 0;
}

template <class I>
void TableRows<I>::scan_commits(Revision after,
                                const record::StateReader::CommitVisitor& visit) const {
  if (after == UINT64_MAX) return;
  Cursor cursor = need(Cursor::open(txn_, tables_.commits));
  for (auto row = need(cursor.at_or_after(commit_key(after + 1).view())); row;
       row = need(cursor.next()))
    if (!visit(need(wire::decode_commit(row->value)))) return;
}

template <class I>
void TableRows<I>::scan_collections(const record::StateReader::CollectionVisitor& visit) const {
  Cursor cursor = need(Cursor::open(txn_, tables_.collections));
  for (auto row = need(cursor.first()); row; row = need(cursor.next()))
    if (!visit(row->key, need(wire::decode_collection(row->value)))) return;
}

template <class I>
void TableRows<I>::scan_index(std::uint32_t collection, std::uint16_t index, std::string_view from,
                              std::string_view after_key,
                              const record::StateReader::IndexVisitor& visit) const {
  const TableKey all = index_prefix(collection, index);
  const TableKey first = index_row_key(collection, index, from, after_key);
  Cursor cursor = need(Cursor::open(txn_, tables_.index));
  for (auto row = need(cursor.at_or_after(first.view())); row; row = need(cursor.next())) {
    if (!row->key.starts_with(all.view())) return;
    const auto split = split_key(row->key.substr(all.view().size()));
    if (!split) stop(damaged_key("index"));
    need(unseal(row->key, row->value));
    if (!after_key.empty() && row->key == first.view()) continue;
    if (!visit(split->collection, split->rest)) return;
  }
}

// --- whole tables ---

template <class I>
void TableRows<I>::scan_all_records(const NamedRecordVisitor& visit) const {
  Cursor cursor = need(Cursor::open(txn_, tables_.records));
  for (auto row = need(cursor.first()); row; row = need(cursor.next())) {
    const auto split = split_key(row->key);
    if (!split) stop(damaged_key("records"));
    if (!visit(split->collection, split->rest, need(wire::decode_record(row->value)))) return;
  }
}

template <class I>
void TableRows<I>::scan_all_history(const NamedRecordVisitor& visit) const {
  constexpr std::size_t revision_bytes = 1 + sizeof(Revision);  // behind the record's key
  Cursor cursor = need(Cursor::open(txn_, tables_.history));
  for (auto row = need(cursor.first()); row; row = need(cursor.next())) {
    const auto split = split_key(row->key);
    if (!split || split->rest.size() <= revision_bytes) stop(damaged_key("history"));
    const std::string_view key = split->rest.substr(0, split->rest.size() - revision_bytes);
    const Record record = need(wire::decode_record(row->value));
    if (get_big(split->rest.substr(key.size() + 1)) != record.revision)
      stop(damaged_key("history"));
    if (!visit(split->collection, key, record)) return;
  }
}

template <class I>
void TableRows<I>::scan_all_operations(
    const std::function<bool(std::string_view, const Operation&)>& visit) const {
  Cursor cursor = need(Cursor::open(txn_, tables_.operations));
  for (auto row = need(cursor.first()); row; row = need(cursor.next()))
    if (!visit(row->key, need(wire::decode_operation(row->value)))) return;
}

template <class I>
void TableRows<I>::scan_all_balances(const NamedBalanceVisitor& visit) const {
  Cursor cursor = need(Cursor::open(txn_, tables_.balances));
  for (auto row = need(cursor.first()); row; row = need(cursor.next())) {
    const auto split = split_key(row->key);
    if (!split) stop(damaged_key("balances"));
    if (!visit(split->collection, split->rest, need(wire::decode_balance(row->value)))) return;
  }
}

template class TableRows<record::StateReader>;
template class TableRows<record::StateWriter>;

}  // namespace mainstay::store
