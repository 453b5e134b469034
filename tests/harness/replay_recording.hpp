// Feeds a recording of a core's inputs (runtime/consensus/input_ring.hpp) to a fresh core and tells
// what it did.
#pragma once

#include <ostream>

#include "runtime/consensus/input_ring.hpp"

namespace mainstay::harness {

// The core is brought to the recording's checkpoint first: a follower with its log, or a leader
// through an election that is made up. From there on its answers are those of the recorded node,
// but for what a checkpoint does not hold (votes and other messages in flight). Returns what became
// of it.
consensus::Status replay(const consensus::Recording& recording, std::ostream& out);

}  // namespace mainstay::harness
