// What leaves the tables when its time has passed. Private to the apply step.
#pragma once

#include "runtime/record/draft.hpp"

namespace mainstay::record {

// Removes what is due, oldest first, at most limits::expire_per_batch_max rows of the timeline and
// of the expiry queue each. The bound keeps one entry short; it is larger than what one batch of
// single writes can add, so that both drain. A row that outlives its time goes on to do its duty.
void expire(Entry& entry);

// The deduplication row is new; its place in the queue goes with commands that changed nothing.
void remember_operation(Entry& entry, const Command& command, const Outcome& outcome);

}  // namespace mainstay::record
