#include "runtime/record/indexing.hpp"

#include <algorithm>

#include "runtime/base/limits.hpp"
#include "runtime/base/mutant.hpp"
#include "runtime/record/index_key.hpp"

namespace mainstay::record {

namespace {

// Declared and dropped ones together, while rows of dropped ones are still there.
constexpr std::size_t index_states_max = 4 * limits::indexes_max;

const std::string* pointer_of(const Declaration& declaration, std::string_view name) {
  for (const IndexDeclaration& index : declaration.indexes)
    if (index.name == name) return &index.pointer;
  return nullptr;
}

std::optional<std::string> value_at(const json::Value* root, std::string_view pointer) {
  const json::Value* found = root == nullptr ? nullptr : json::find(*root, pointer);
  return found == nullptr ? std::nullopt : index_key(*found);
}

// What one entry may still do. By records and by bytes: 256 records can be 256 MiB to parse.
struct Budget {
  std::size_t records = limits::index_build_records;
  std::size_t bytes = limits::index_build_bytes;

  bool is_spent() const { return records == 0 || bytes == 0; }
  void take(std::size_t more_records, std::size_t more_bytes) {
    records -= std::min(records, more_records);
    bytes -= std::min(bytes, more_bytes);
  }
};

// Whether a record may have a row: it is in the part that is built, or not yet removed.
bool covers(const IndexState& index, std::string_view key) {
  return is_dropped(index) || index.ready || key <= index.built_to;
}

const std::string& pointer_of(const Declaration& declaration, const IndexState& index) {
  if (is_dropped(index)) return index.built_to;
  const std::string* pointer = pointer_of(declaration, index.name);
  ASSERT_MSG(pointer != nullptr, "an index goes with its declaration");
  return *pointer;
}

struct Row {
  std::string value;
  std::string key;
};

// Takes the next records into an index.
void build(Entry& entry, Place& place, IndexState& index, Budget& budget) {
  const std::string& pointer = pointer_of(*place.declaration(), index);
  std::vector<Row> rows;  // written after the scan, which must not see its own writes
  bool is_end = true;
  std::string last = index.built_to;
  entry.state.scan_records(place.name, "", index.built_to,
                           [&](std::string_view key, const Record& record) {
                             if (budget.is_spent()) return is_end = false;
                             budget.take(1, record.value.size());
                             last = key;
                             if (record.tombstone) return true;
                             const auto root = json::parse(record.value.view());
                             auto value = value_at(root ? &*root : nullptr, pointer);
                             if (value) rows.push_back({*std::move(value), last});
                             return true;
                           });
  for (const Row& row : rows) entry.state.put_index_row(place.row.id, index.id, row.value, row.key);
  index.built_to = is_end ? "" : last;
  index.ready = is_end;
}

// One collection.
void work_on(Entry& entry, Place& place, Budget& budget) {
  for (IndexState& index : place.row.indexes) {
    if (index.ready || budget.is_spent()) continue;
    if (is_dropped(index)) {
      const std::size_t most = budget.records;
      const std::size_t erased = entry.state.erase_index_rows(place.row.id, index.id, most);
      index.ready = erased < most;  // nothing left: goes below
      budget.take(erased, 0);
    } else {
      build(entry, place, index, budget);
    }
  }
  std::erase_if(place.row.indexes,
                [](const IndexState& index) { return is_dropped(index) && index.ready; });
  place.changed = true;
}

}  // namespace

bool has_index_rows(const Place& place, std::string_view key) {
  const auto& indexes = place.row.indexes;
  return std::any_of(indexes.begin(), indexes.end(),
                     [&](const IndexState& index) { return covers(index, key); });
}

void update_index_rows(StateWriter& state, const Place& place, const RecordVersions& versions) {
  const Collection& row = place.row;
  for (const IndexState& index : row.indexes) {
    if (!covers(index, versions.key)) continue;
    const std::string& pointer = pointer_of(*place.declaration(), index);
    const auto was = value_at(versions.before, pointer);
    const auto is = is_dropped(index) ? std::nullopt : value_at(versions.after, pointer);
    if (was == is) continue;
    if (was && !MUTANT(index_row_left_behind))
      state.erase_index_row(row.id, index.id, *was, versions.key);
    if (is) state.put_index_row(row.id, index.id, *is, versions.key);
  }
}

void work_on_indexes(Entry& entry) {
  auto& work = entry.declarations.index_work();
  Budget budget;
  for (auto at = work.begin(); at != work.end() && !budget.is_spent();) {
    Place& place = entry.collections.find(*at);
    if (place.has_row) work_on(entry, place, budget);
    const auto& indexes = place.row.indexes;
    const bool is_done = std::all_of(indexes.begin(), indexes.end(),
                                     [](const IndexState& index) { return index.ready; });
    at = is_done ? work.erase(at) : std::next(at);
  }
}

Result<void> redeclare_indexes(Collection& row, const Declaration* from, const Declaration& to) {
  for (IndexState& index : row.indexes) {
    if (is_dropped(index)) continue;
    const std::string* old = from == nullptr ? nullptr : pointer_of(*from, index.name);
    const std::string* now = pointer_of(to, index.name);
    const bool stays = old != nullptr && now != nullptr && *old == *now;
    if (!stays) index = {index.id, "", false, old == nullptr ? "" : *old};
  }
  // Without records there are no rows to remove.
  if (row.live == 0) std::erase_if(row.indexes, is_dropped);
  for (const IndexDeclaration& declared : to.indexes) {
    const bool there =
        std::any_of(row.indexes.begin(), row.indexes.end(),
                    [&](const IndexState& index) { return index.name == declared.name; });
    if (there) continue;
    if (row.next_index == UINT16_MAX)
      return fail(Errc::conflict, "the collection has used up its index numbers");
    row.indexes.push_back({row.next_index++, declared.name, row.live == 0, ""});
  }
  if (row.indexes.size() > index_states_max)
    return fail(Errc::conflict, "earlier indexes are still being removed; try again soon");
  return {};
}

}  // namespace mainstay::record
