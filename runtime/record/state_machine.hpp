// The replicated state machine: one log batch in, outcomes out. Pure and deterministic: every
// replica that applies the same entries to the same state gets the same state, the same outcomes
// and the same hash. No clock, no randomness, no I/O of its own.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/record/state.hpp"
#include "runtime/record/types.hpp"

namespace mainstay::record {

struct ApplyOptions {
  std::uint64_t dedup_retention_ms = 0;      // set from limits.hpp
  std::uint64_t tombstone_retention_ms = 0;  // set from limits.hpp
};

// Outcomes of one batch, in the order of its commands.
struct BatchOutcome {
  NodeId origin;
  BootId origin_boot;
  std::uint64_t sequence = 0;
  std::vector<std::string> operations;
  std::vector<Outcome> outcomes;
};

// Applies one entry. Moves counters, hash, deduplication table and expiry queue within the same
// transaction. REQUIRES: index == state.counters().applied_index + 1.
std::vector<BatchOutcome> apply(StateWriter& state, std::uint64_t index, std::uint64_t term,
                                const LogBatch& batch, const ApplyOptions& options);

// An entry without record commands (no-op, membership, check): only the applied index moves.
void apply_nothing(StateWriter& state, std::uint64_t index, std::uint64_t term);

// Checks that need no state, done at the edge before a command is proposed: names, sizes,
// characters.
Result<void> validate(const Command& command);

}  // namespace mainstay::record
