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

// The nodes of a cluster apply the same at the same time, and a copy takes disk and processor from
// everything else: each waits for a different length of log, so that they do not all copy at once.
inline CompactionPolicy staggered(CompactionPolicy policy, NodeId node) {
  const std::uint64_t step = node.value % 8;
  policy.entries_max += step * (policy.entries_max / 16);
  policy.bytes_max += step * (policy.bytes_max / 16);
  return policy;
}

// What stays in the log is counted in entries; where they are large, as few of them as bytes_max
// allows in the same proportion. `entries` of `bytes` in all are those since the last snapshot.
inline CompactionPolicy fitted(CompactionPolicy policy, std::uint64_t entries,
                               std::uint64_t bytes) {
  if (entries == 0 || bytes < entries) return policy;
  const std::uint64_t fitting = policy.bytes_max / (bytes / entries);
  policy.keep_entries = std::min(policy.keep_entries, fitting / 10);
  policy.pinned_entries_max = std::min(policy.pinned_entries_max, fitting * 2);
  return policy;
}

struct LogUse {
  consensus::Index first = 1;    // of the log, or where the last snapshot was made
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
