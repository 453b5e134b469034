// What the core reads of the durable log. Implemented by runtime/store over LMDB; owned by the
// caller; must outlive the core.
#pragma once

#include <optional>
#include <vector>

#include "runtime/consensus/types.hpp"

namespace mainstay::consensus {

// Called from the core's thread only. Shows what the log writer has committed; the core keeps what
// is not stored yet itself. An implementation that meets damage stops the process (P7): no error is
// returned here.
class LogReader {
 public:
  virtual ~LogReader() = default;

  // First and last index held; first is snapshot index + 1 when the log is empty, and last is then
  // first - 1.
  virtual Index first_index() const = 0;
  virtual Index last_index() const = 0;

  // The term of an entry in [first_index - 1, last_index], where first_index - 1 is the snapshot
  // (or compaction) point; nothing outside.
  virtual std::optional<Term> term(Index index) const = 0;

  // Entries in [low, high), from `low` on, contiguous, at most `bytes_max` of Entry::bytes() but at
  // least one. Empty when `low` has been compacted away. REQUIRES: low < high <= last_index() + 1.
  virtual std::vector<Entry> entries(Index low, Index high, std::size_t bytes_max) const = 0;

  // The newest snapshot that others may pull; index 0 when there is none.
  virtual SnapshotMeta snapshot() const = 0;

  // Every membership entry in (snapshot index, last_index], oldest first, read once at start: the
  // effective membership is the latest one, committed or not (Raft thesis, section 4.1).
  virtual std::vector<Entry> membership_entries() const = 0;
};

}  // namespace mainstay::consensus
