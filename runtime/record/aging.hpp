// What leaves the tables when its time has passed. Private to the apply step.
#pragma once

#include "runtime/base/limits.hpp"
#include "runtime/record/draft.hpp"

namespace mainstay::record {

// Removes what is due, oldest first: of the timeline and of the expiry queue at most
// limits::expire_rows_min rows each, or twice what the entry has added. The bound keeps one entry
// short; it follows what comes in, so that both drain. A row that outlives its time goes on to do
// its duty.
void expire(Entry& entry);

// As how many rows a superseded version counts there.
inline std::size_t rows_of(const Record& version) {
  return 1 + version.value.size() / limits::expire_row_bytes;
}

// The deduplication row is new; its place in the queue goes with commands that changed nothing.
void remember_operation(Entry& entry, const Command& command, const Outcome& outcome);

}  // namespace mainstay::record
