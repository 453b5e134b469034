// When to make a snapshot and how much of the log to forget afterwards. Pure.
#pragma once

#include <algorithm>
#include <cstdint>

#include "runtime/consensus/types.hpp"

namespace mainstay::storage {

struct CompactionPolicy {
  std::uint64_t entries_max = 200'000;     // log entries behind which a snapshot is due
  std::uint64_t bytes_max = 512ULL << 20;  // the same in payload bytes
  std::uint64_t keep_entries = 20'000;     // left in the log for followers that are a little behind
  std::uint64_t pinned_entries_max =
      400'000;  // a member being fed may hold this much more of the log, not more
};

// All counts in proportion to the one that operators set.
inline CompactionPolicy policy_for(std::uint64_t entries_max) {
  CompactionPolicy policy;
  policy.entries_max = entries_max;
  policy.keep_entries = entries_max / 10;
  policy.pinned_entries_max = entries_max * 2;
  return policy;
}

struct LogUse {
  consensus::Index first = 1;    // of the log
  consensus::Index applied = 0;  // synced
  std::uint64_t bytes = 0;       // payload bytes applied since the last snapshot
};

inline bool snapshot_due(const CompactionPolicy& policy, const LogUse& use) {
  return use.applied >= use.first &&
         (use.applied - use.first >= policy.entries_max || use.bytes >= policy.bytes_max);
}

// Up to where the log may be forgotten once a snapshot of `synced` exists; 0: nothing. Never beyond
// what is synced and covered by the snapshot. `needed_from`: a member is being fed from there (0:
// none).
inline consensus::Index compact_to(const CompactionPolicy& policy, consensus::Index synced,
                                   consensus::Index snapshot, consensus::Index needed_from) {
  const consensus::Index covered = std::min(synced, snapshot);
  if (covered <= policy.keep_entries) return 0;
  consensus::Index to = covered - policy.keep_entries;
  if (needed_from != 0 && needed_from <= to) {
    const consensus::Index pinned = needed_from - 1;
    const consensus::Index floor =
        covered > policy.pinned_entries_max ? covered - policy.pinned_entries_max : 0;
    to = std::max(pinned, floor);
  }
  return to;
}

}  // namespace mainstay::storage
