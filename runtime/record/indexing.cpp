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

// Nothing: not JSON, which no index holds.
std::optional<json::Value> parsed(const Record* record) {
  if (record == nullptr) return std::nullopt;
  auto value = json::parse(record->value.view());
  if (!value) return std::nullopt;
  return *std::move(value);
}

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

// Takes the next records into an index; how many were looked at.
std::size_t build(Entry& entry, Place& place, IndexState& index, std::size_t most) {
  const std::string& pointer = pointer_of(*place.declaration(), index);
  std::vector<Row> rows;  // written after the scan, which must not see its own writes
  std::size_t seen = 0;
  bool is_end = true;
  std::string last = index.built_to;
  entry.state.scan_records(place.name, "", index.built_to,
                           [&](std::string_view key, const Record& record) {
                             if (seen == most) return is_end = false;
                             ++seen;
                             last = key;
                             if (record.tombstone) return true;
                             const auto root = parsed(&record);
                             auto value = value_at(root ? &*root : nullptr, pointer);
                             if (value) rows.push_back({*std::move(value), last});
                             return true;
                           });
  for (const Row& row : rows) entry.state.put_index_row(place.row.id, index.id, row.value, row.key);
  index.built_to = is_end ? "" : last;
  index.ready = is_end;
  return seen;
}

// One collection; how much work it was.
std::size_t work_on(Entry& entry, Place& place, std::size_t most) {
  std::size_t done = 0;
  for (IndexState& index : place.row.indexes) {
    if (index.ready || done >= most) continue;
    if (is_dropped(index)) {
      const std::size_t erased = entry.state.erase_index_rows(place.row.id, index.id, most - done);
      index.ready = erased < most - done;  // nothing left: goes below
      done += erased;
    } else {
      done += build(entry, place, index, most - done);
    }
  }
  std::erase_if(place.row.indexes,
                [](const IndexState& index) { return is_dropped(index) && index.ready; });
  place.changed = true;
  return done;
}

}  // namespace

void update_index_rows(StateWriter& state, const Place& place, const RecordVersions& versions) {
  const Collection& row = place.row;
  const auto concerned = [&](const IndexState& index) { return covers(index, versions.key); };
  if (std::none_of(row.indexes.begin(), row.indexes.end(), concerned)) return;
  const auto before = parsed(versions.before);
  std::optional<json::Value> own;
  const json::Value* after = versions.parsed;
  if (after == nullptr) {
    own = parsed(versions.after);
    after = own ? &*own : nullptr;
  }
  for (const IndexState& index : row.indexes) {
    if (!concerned(index)) continue;
    const std::string& pointer = pointer_of(*place.declaration(), index);
    const auto was = value_at(before ? &*before : nullptr, pointer);
    const auto is = is_dropped(index) ? std::nullopt : value_at(after, pointer);
    if (was == is) continue;
    if (was && !MUTANT(index_row_left_behind))
      state.erase_index_row(row.id, index.id, *was, versions.key);
    if (is) state.put_index_row(row.id, index.id, *is, versions.key);
  }
}

void work_on_indexes(Entry& entry) {
  auto& work = entry.declarations.index_work();
  std::size_t left = limits::index_build_records;
  for (auto at = work.begin(); at != work.end() && left > 0;) {
    Place& place = entry.collections.find(*at);
    if (place.has_row) left -= std::min(left, work_on(entry, place, left));
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
