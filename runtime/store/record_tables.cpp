#include "runtime/store/record_tables.hpp"

#include <fmt/format.h>

#include "runtime/base/mutant.hpp"
#include "runtime/store/byte_order.hpp"
#include "runtime/store/sealed_meta.hpp"
#include "runtime/wire/codec.hpp"

namespace mainstay::store {

using lmdb::Cursor;
using lmdb::Txn;
using record::Counters;
using record::Expiry;
using record::Operation;
using record::Record;

namespace {

constexpr char separator = '\0';  // no collection name contains it

std::string record_key(std::string_view collection, std::string_view key) {
  std::string whole;
  whole.reserve(collection.size() + 1 + key.size());
  whole.append(collection).push_back(separator);
  return whole.append(key);
}

std::string expiry_key(const Expiry& expiry) {
  std::string key;
  append_big(key, expiry.due_millis);
  key.push_back(static_cast<char>(expiry.kind));
  return key.append(record_key(expiry.collection, expiry.key));
}

Result<Expiry> expiry_of(const Cursor::Row& row) {
  constexpr std::size_t fixed_bytes = 9;
  const std::size_t split =
      row.key.size() < fixed_bytes ? std::string_view::npos : row.key.find(separator, fixed_bytes);
  if (split == std::string_view::npos)
    return fail(Errc::corrupt, "a row of the table 'expiry' has a damaged key");
  Expiry expiry;
  expiry.due_millis = get_big(row.key);
  expiry.kind = static_cast<Expiry::Kind>(row.key[8]);
  expiry.collection = row.key.substr(fixed_bytes, split - fixed_bytes);
  expiry.key = row.key.substr(split + 1);
  TRY_ASSIGN(const std::string_view body, unseal(row.key, row.value));
  if (body.size() != 8) return fail(Errc::corrupt, "a row of the table 'expiry' has a wrong size");
  expiry.revision = get_little<std::uint64_t>(body.data());
  return expiry;
}

}  // namespace

Result<RecordTables> RecordTables::open(Txn& txn, unsigned flags) {
  RecordTables tables;
  TRY_ASSIGN(tables.records, txn.open_table("records", flags));
  TRY_ASSIGN(tables.operations, txn.open_table("operations", flags));
  TRY_ASSIGN(tables.expiry, txn.open_table("expiry", flags));
  TRY_ASSIGN(tables.meta, txn.open_table("meta", flags));
  return tables;
}

Result<Counters> get_counters(const Txn& txn, MDB_dbi meta) {
  TRY_ASSIGN(const std::string_view body, get_meta(txn, meta, "counters"));
  return wire::decode_counters(body);
}

Result<void> put_counters(Txn& txn, MDB_dbi meta, const Counters& counters) {
  return put_meta(txn, meta, "counters", wire::encode(counters));
}

// --- reading ---

void TableReader::stop(const Error& error) const {
  fatal_(error);
  UNREACHABLE();
}

std::optional<Record> TableReader::find_record(std::string_view collection,
                                               std::string_view key) const {
  const auto row = need(txn_.get(tables_.records, record_key(collection, key)));
  if (!row) return std::nullopt;
  return need(wire::decode_record(*row));
}

std::optional<Operation> TableReader::find_operation(std::string_view operation) const {
  const auto row = need(txn_.get(tables_.operations, operation));
  if (!row) return std::nullopt;
  return need(wire::decode_operation(*row));
}

Counters TableReader::counters() const {
  return need(get_counters(txn_, tables_.meta));
}

void TableReader::scan_records(
    std::string_view collection, std::string_view prefix, std::string_view after,
    const std::function<bool(std::string_view, const Record&)>& visit) const {
  const std::string all = record_key(collection, prefix);
  const std::size_t key_at = collection.size() + 1;
  Cursor cursor = need(Cursor::open(txn_, tables_.records));
  for (auto row = need(cursor.at_or_after(record_key(collection, std::max(prefix, after)))); row;
       row = need(cursor.next())) {
    if (row->key.substr(0, all.size()) != all) return;
    const std::string_view key = row->key.substr(key_at);
    if (!after.empty() && key <= after) continue;
    if (!visit(key, need(wire::decode_record(row->value)))) return;
  }
}

void TableReader::scan_all_records(
    const std::function<bool(std::string_view, std::string_view, const Record&)>& visit) const {
  Cursor cursor = need(Cursor::open(txn_, tables_.records));
  for (auto row = need(cursor.first()); row; row = need(cursor.next())) {
    const std::size_t split = row->key.find(separator);
    if (split == std::string_view::npos)
      stop(Error{Errc::corrupt, "a row of the table 'records' has a damaged key"});
    if (!visit(row->key.substr(0, split), row->key.substr(split + 1),
               need(wire::decode_record(row->value))))
      return;
  }
}

void TableReader::scan_all_operations(
    const std::function<bool(std::string_view, const Operation&)>& visit) const {
  Cursor cursor = need(Cursor::open(txn_, tables_.operations));
  for (auto row = need(cursor.first()); row; row = need(cursor.next()))
    if (!visit(row->key, need(wire::decode_operation(row->value)))) return;
}

// --- writing ---

std::optional<Record> TableWriter::find_record(std::string_view collection,
                                               std::string_view key) const {
  return reader_.find_record(collection, key);
}

std::optional<Operation> TableWriter::find_operation(std::string_view operation) const {
  if (const auto late = late_.find(operation); late != late_.end()) return late->second;
  return reader_.find_operation(operation);
}

void TableWriter::scan_records(
    std::string_view collection, std::string_view prefix, std::string_view after,
    const std::function<bool(std::string_view, const Record&)>& visit) const {
  reader_.scan_records(collection, prefix, after, visit);
}

void TableWriter::scan_all_records(
    const std::function<bool(std::string_view, std::string_view, const Record&)>& visit) const {
  reader_.scan_all_records(visit);
}

void TableWriter::scan_all_operations(
    const std::function<bool(std::string_view, const Operation&)>& visit) const {
  reader_.scan_all_operations(visit);
}

void TableWriter::put_record(std::string_view collection, std::string_view key,
                             const Record& record) {
  need(txn_.put(tables_.records, record_key(collection, key), wire::encode(record)));
}

void TableWriter::erase_record(std::string_view collection, std::string_view key) {
  need(txn_.erase(tables_.records, record_key(collection, key)));
}

void TableWriter::put_operation(std::string_view operation, const Operation& value) {
  if (MUTANT(dedup_outside_transaction))
    late_.insert_or_assign(std::string{operation}, value);
  else
    need(txn_.put(tables_.operations, operation, wire::encode(value)));
}

void TableWriter::erase_operation(std::string_view operation) {
  need(txn_.erase(tables_.operations, operation));
}

void TableWriter::put_expiry(const Expiry& expiry) {
  const std::string key = expiry_key(expiry);
  std::string body;
  append_little(body, expiry.revision);
  need(txn_.put(tables_.expiry, key, seal(key, body)));
}

std::optional<Expiry> TableWriter::take_expiry(std::uint64_t now_millis) {
  Cursor cursor = reader_.need(Cursor::open(txn_, tables_.expiry));
  const auto row = reader_.need(cursor.first());
  if (!row) return std::nullopt;
  Expiry expiry = reader_.need(expiry_of(*row));
  if (expiry.due_millis > now_millis) return std::nullopt;
  need(cursor.erase());
  return expiry;
}

}  // namespace mainstay::store
