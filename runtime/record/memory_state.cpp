#include "runtime/record/memory_state.hpp"

#include "runtime/base/assert.hpp"

namespace mainstay::record {

namespace {

template <class Map, class Key>
auto found(const Map& map, const Key& key) -> std::optional<typename Map::mapped_type> {
  const auto at = map.find(key);
  if (at == map.end()) return std::nullopt;
  return at->second;
}

// Rows of one collection in key order, from a prefix and behind a key.
template <class Map, class Visit>
void scan_part(const Map& map, std::string_view collection, std::string_view prefix,
               std::string_view after, const Visit& visit) {
  const std::string_view from = after > prefix ? after : prefix;
  for (auto at = map.lower_bound({std::string{collection}, std::string{from}}); at != map.end();
       ++at) {
    const auto& [name, key] = at->first;
    if (name != collection || !std::string_view{key}.starts_with(prefix)) return;
    if (!after.empty() && key <= after) continue;
    if (!visit(key, at->second)) return;
  }
}

}  // namespace

// --- reading ---

std::optional<Record> MemoryState::find_record(std::string_view collection,
                                               std::string_view key) const {
  return found(records_, Name{collection, key});
}

void MemoryState::scan_records(std::string_view collection, std::string_view prefix,
                               std::string_view after, const RecordVisitor& visit) const {
  scan_part(records_, collection, prefix, after, visit);
}

void MemoryState::scan_history(std::string_view collection, std::string_view key, Revision at_most,
                               const HistoryVisitor& visit) const {
  auto at = history_.upper_bound(HistoryName{collection, key, at_most});
  while (at != history_.begin()) {
    --at;
    if (std::get<0>(at->first) != collection || std::get<1>(at->first) != key) return;
    if (!visit(at->second)) return;
  }
}

Revision MemoryState::oldest_version(std::string_view collection, std::string_view key) const {
  const auto at = history_.lower_bound(HistoryName{collection, key, 0});
  const bool is_own =
      at != history_.end() && std::get<0>(at->first) == collection && std::get<1>(at->first) == key;
  return is_own ? std::get<2>(at->first) : 0;
}

void MemoryState::scan_commits(Revision after, const CommitVisitor& visit) const {
  for (auto at = commits_.upper_bound(after); at != commits_.end(); ++at)
    if (!visit(at->second)) return;
}

std::optional<Operation> MemoryState::find_operation(std::string_view operation) const {
  return found(operations_, operation);
}

std::optional<Collection> MemoryState::find_collection(std::string_view name) const {
  return found(collections_, name);
}

void MemoryState::scan_collections(const CollectionVisitor& visit) const {
  for (const auto& [name, collection] : collections_)
    if (!visit(name, collection)) return;
}

std::optional<Balance> MemoryState::find_balance(std::string_view collection,
                                                 std::string_view position) const {
  return found(balances_, Name{collection, position});
}

void MemoryState::scan_balances(std::string_view collection, std::string_view prefix,
                                std::string_view after, const BalanceVisitor& visit) const {
  scan_part(balances_, collection, prefix, after, visit);
}

void MemoryState::scan_index(std::uint32_t collection, std::uint16_t index, std::string_view from,
                             std::string_view after_key, const IndexVisitor& visit) const {
  for (auto at = index_rows_.lower_bound(IndexRow{collection, index, from, after_key});
       at != index_rows_.end(); ++at) {
    const auto& [of, id, value, key] = *at;
    if (of != collection || id != index) return;
    if (value == from && !after_key.empty() && key == after_key) continue;
    if (!visit(value, key)) return;
  }
}

void MemoryState::scan_all_records(
    const std::function<bool(std::string_view collection, std::string_view key, const Record&)>&
        visit) const {
  for (const auto& [name, record] : records_)
    if (!visit(name.first, name.second, record)) return;
}

void MemoryState::scan_all_history(
    const std::function<bool(std::string_view collection, std::string_view key, const Record&)>&
        visit) const {
  for (const auto& [name, record] : history_)
    if (!visit(std::get<0>(name), std::get<1>(name), record)) return;
}

void MemoryState::scan_all_operations(
    const std::function<bool(std::string_view operation, const Operation&)>& visit) const {
  for (const auto& [operation, value] : operations_)
    if (!visit(operation, value)) return;
}

void MemoryState::scan_all_balances(
    const std::function<bool(std::string_view collection, std::string_view position,
                             const Balance&)>& visit) const {
  for (const auto& [name, balance] : balances_)
    if (!visit(name.first, name.second, balance)) return;
}

// --- writing ---

void MemoryState::put_record(std::string_view collection, std::string_view key,
                             const Record& record) {
  records_.insert_or_assign(Name{collection, key}, record);
}

void MemoryState::erase_record(std::string_view collection, std::string_view key) {
  records_.erase(Name{collection, key});
}

void MemoryState::put_history(std::string_view collection, std::string_view key,
                              const Record& record) {
  history_.insert_or_assign(HistoryName{collection, key, record.revision}, record);
}

std::optional<Record> MemoryState::take_history(std::string_view collection, std::string_view key,
                                                Revision revision) {
  const auto at = history_.find(HistoryName{collection, key, revision});
  if (at == history_.end()) return std::nullopt;
  Record record = std::move(at->second);
  history_.erase(at);
  return record;
}

void MemoryState::append_commit(const Commit& commit) {
  ASSERT(commits_.empty() || commits_.rbegin()->first < commit.revision);
  commits_.emplace(commit.revision, commit);
}

std::optional<Commit> MemoryState::take_commit(std::uint64_t until_millis) {
  if (commits_.empty() || commits_.begin()->second.stamp.millis > until_millis) return std::nullopt;
  Commit commit = std::move(commits_.begin()->second);
  commits_.erase(commits_.begin());
  return commit;
}

void MemoryState::put_operation(std::string_view operation, const Operation& value) {
  operations_.insert_or_assign(std::string{operation}, value);
}

void MemoryState::erase_operation(std::string_view operation) {
  const auto at = operations_.find(operation);
  if (at != operations_.end()) operations_.erase(at);
}

void MemoryState::put_collection(std::string_view name, const Collection& collection) {
  collections_.insert_or_assign(std::string{name}, collection);
}

void MemoryState::erase_collection(std::string_view name) {
  const auto at = collections_.find(name);
  if (at != collections_.end()) collections_.erase(at);
}

void MemoryState::put_balance(std::string_view collection, std::string_view position,
                              const Balance& balance) {
  balances_.insert_or_assign(Name{collection, position}, balance);
}

void MemoryState::erase_balance(std::string_view collection, std::string_view position) {
  balances_.erase(Name{collection, position});
}

void MemoryState::put_index_row(std::uint32_t collection, std::uint16_t index,
                                std::string_view value, std::string_view key) {
  index_rows_.emplace(collection, index, value, key);
}

void MemoryState::erase_index_row(std::uint32_t collection, std::uint16_t index,
                                  std::string_view value, std::string_view key) {
  index_rows_.erase(IndexRow{collection, index, value, key});
}

std::size_t MemoryState::erase_index_rows(std::uint32_t collection, std::uint16_t index,
                                          std::size_t most) {
  std::size_t erased = 0;
  auto at = index_rows_.lower_bound(IndexRow{collection, index, "", ""});
  while (at != index_rows_.end() && erased < most && std::get<0>(*at) == collection &&
         std::get<1>(*at) == index) {
    at = index_rows_.erase(at);
    ++erased;
  }
  return erased;
}

void MemoryState::put_expiry(const Expiry& expiry) {
  expiries_.emplace(expiry.due_millis, expiry.kind, expiry.collection, expiry.key, expiry.revision);
}

std::optional<Expiry> MemoryState::take_expiry(std::uint64_t now_millis) {
  const auto first = expiries_.begin();
  if (first == expiries_.end() || std::get<0>(*first) > now_millis) return std::nullopt;
  const auto& [due, kind, collection, key, revision] = *first;
  Expiry expiry{due, kind, collection, key, revision};
  expiries_.erase(first);
  return expiry;
}

}  // namespace mainstay::record
