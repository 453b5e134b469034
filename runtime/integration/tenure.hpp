// Who may act for an adapter: the node that the replicated state names, for as long as the epoch
// there is its own. Every commit of a worker checks it, so that whoever was replaced cannot write
// any more, and with it cannot begin any call to the counterpart (each begins with a commit).
#pragma once

#include <cstdint>
#include <string>

#include "runtime/integration/hub.hpp"
#include "runtime/record/types.hpp"

namespace mainstay::integration {

struct Tenure {
  std::string adapter;
  std::uint64_t epoch = 0;
};

// Holds while the adapter is this tenure's.
record::RecordCheck check_of(const Tenure& tenure);
// The commit was refused because another tenure began.
bool is_over(const record::Outcome& outcome, const record::Command& command);

// What a worker's step came to.
enum class Step : std::uint8_t {
  idle,    // nothing to do now; come again when something changes, or after the pause
  worked,  // come again at once
  ended,   // the tenure is over
};

}  // namespace mainstay::integration
