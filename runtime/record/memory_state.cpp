#include "runtime/record/memory_state.hpp"

namespace mainstay::record {

std::optional<Record> MemoryState::find_record(std::string_view collection,
                                               std::string_view key) const {
  const auto at = records_.find(RecordKey{collection, key});
  if (at == records_.end()) return std::nullopt;
  return at->second;
}

std::optional<Operation> MemoryState::find_operation(std::string_view operation) const {
  const auto at = operations_.find(operation);
  if (at == operations_.end()) return std::nullopt;
  return at->second;
}

void MemoryState::scan_records(
    std::string_view collection, std::string_view prefix, std::string_view after,
    const std::function<bool(std::string_view key, const Record&)>& visit) const {
  const std::string_view from = after > prefix ? after : prefix;
  for (auto at = records_.lower_bound(RecordKey{collection, from}); at != records_.end(); ++at) {
    const auto& [name, key] = at->first;
    if (name != collection || !std::string_view{key}.starts_with(prefix)) return;
    if (!after.empty() && key <= after) continue;
    if (!visit(key, at->second)) return;
  }
}

void MemoryState::scan_all_records(
    const std::function<bool(std::string_view collection, std::string_view key, const Record&)>&
        visit) const {
  for (const auto& [name, record] : records_)
    if (!visit(name.first, name.second, record)) return;
}

void MemoryState::scan_all_operations(
    const std::function<bool(std::string_view operation, const Operation&)>& visit) const {
  for (const auto& [operation, value] : operations_)
    if (!visit(operation, value)) return;
}

void MemoryState::put_record(std::string_view collection, std::string_view key,
                             const Record& record) {
  records_.insert_or_assign(RecordKey{collection, key}, record);
}

void MemoryState::erase_record(std::string_view collection, std::string_view key) {
  records_.erase(RecordKey{collection, key});
}

void MemoryState::put_operation(std::string_view operation, const Operation& value) {
  operations_.insert_or_assign(std::string{operation}, value);
}

void MemoryState::erase_operation(std::string_view operation) {
  const auto at = operations_.find(operation);
  if (at != operations_.end()) operations_.erase(at);
}

void MemoryState::put_expiry(const Expiry& expiry) {
  // Two deletions of one record in one millisecond share a place: the later revision is the one
  // that may still stand.
  expiries_.insert_or_assign(
      ExpiryKey{expiry.due_millis, expiry.kind, expiry.collection, expiry.key}, expiry.revision);
}

std::optional<Expiry> MemoryState::take_expiry(std::uint64_t now_millis) {
  const auto first = expiries_.begin();
  if (first == expiries_.end() || std::get<0>(first->first) > now_millis) return std::nullopt;
  const auto& [due, kind, collection, key] = first->first;
  Expiry expiry{due, kind, collection, key, first->second};
  expiries_.erase(first);
  return expiry;
}

}  // namespace mainstay::record
