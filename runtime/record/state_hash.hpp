// The state hash: a sum modulo 2^128 over all rows, so that one write changes it in O(1): minus the
// old row, plus the new one. Hashed are the logical fields, never stored bytes: two nodes with
// different storage formats still agree (docs/formats/state-hash.md). Hashed are records, history,
// operations, the timeline and balances; what follows from them is not.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "runtime/record/state.hpp"
#include "runtime/record/types.hpp"

namespace mainstay::record {

Hash128 hash_of(std::string_view collection, std::string_view key, const Record& record);
Hash128 hash_of_history(std::string_view collection, std::string_view key, const Record& record);
Hash128 hash_of(std::string_view operation, const Operation& value);
Hash128 hash_of(const Commit& commit);
Hash128 hash_of(std::string_view collection, std::string_view position, const Balance& balance);

// A version that moves from the records to the history: both hashes at the cost of one value.
struct MovedHashes {
  Hash128 record;
  Hash128 history;
};
MovedHashes moved_hashes(std::string_view collection, std::string_view key, const Record& record);

// Recomputed from every row: what the scrub compares with Counters::hash.
Hash128 full_hash(const StateReader& state);
// The same, asking before each row whether to go on; nothing when it was told not to.
std::optional<Hash128> full_hash(const StateReader& state, const std::function<bool()>& go_on);

}  // namespace mainstay::record
