// Rows of declared indexes: kept with each change of a record, made for a new index a piece at a
// time, removed for a dropped one the same way. Private to the apply step.
#pragma once

#include <string_view>

#include "runtime/base/json.hpp"
#include "runtime/record/collections.hpp"
#include "runtime/record/draft.hpp"

namespace mainstay::record {

// Whether a change of the record may change rows.
bool has_index_rows(const Place& place, std::string_view key);

// A record's values before and after a change; null: not live, or not JSON, which no index holds.
struct RecordVersions {
  std::string_view key;
  const json::Value* before = nullptr;
  const json::Value* after = nullptr;
};

void update_index_rows(StateWriter& state, const Place& place, const RecordVersions& versions);

// The next piece of work on indexes: at most limits::index_build_records rows and, but for the last
// record, limits::index_build_bytes.
void work_on_indexes(Entry& entry);

// What the rows' indexes become under a changed declaration: those with the same name and pointer
// go on, others start to be built, or to be removed. `from`: null for a new collection. Errors:
// conflict (too many at once).
Result<void> redeclare_indexes(Collection& row, const Declaration* from, const Declaration& to);

// An index that is being removed has lost its name, and keeps its pointer in `built_to`: changes of
// records go on to remove rows, so that a collection without records has none.
inline bool is_dropped(const IndexState& index) {
  return index.name.empty();
}

}  // namespace mainstay::record
