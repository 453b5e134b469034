// The state hash: a sum modulo 2^128 over all rows, so that one write changes it in O(1): minus the
// old row, plus the new one. Hashed are the logical fields, never stored bytes: two nodes with
// different storage formats still agree (docs/formats/state-hash.md). Not hashed: the expiry queue
// (follows from the rows) and the counters themselves.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "runtime/record/state.hpp"
#include "runtime/record/types.hpp"

namespace mainstay::record {

Hash128 hash_of(std::string_view collection, std::string_view key, const Record& record);
Hash128 hash_of(std::string_view operation, const Operation& value);

// Recomputed from every row: what the scrub compares with Counters::hash.
Hash128 full_hash(const StateReader& state);
// The same, asking before each row whether to go on; nothing when it was told not to.
std::optional<Hash128> full_hash(const StateReader& state, const std::function<bool()>& go_on);

}  // namespace mainstay::record
