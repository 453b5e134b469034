// What a log store knows without reading its disk: bounds, terms, and the newest entries decoded,
// from which followers are fed. Private to runtime/store. Not thread-safe: the log store guards it.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "runtime/base/checksum.hpp"
#include "runtime/consensus/types.hpp"

namespace mainstay::store {

// The point the log starts behind: formation, a snapshot, or the last compacted entry.
struct LogStart {
  consensus::Index index = 0;
  consensus::Term term = 0;
  Hash128 chain{};                   // of the record at `index`; zero after formation or a snapshot
  consensus::Membership membership;  // as of `index`
};

class LogCache {
 public:
  // An empty log behind `start`.
  void restart(LogStart start);
  void append(const consensus::Entry& entry);
  // An entry found on disk at open: counted, not kept.
  void append_cold(consensus::Index index, consensus::Term term, consensus::EntryKind kind);
  void truncate(consensus::Index from);
  // Forgets everything up to and including start.index.
  void compact(LogStart start);

  const LogStart& start() const { return start_; }
  consensus::Index last() const { return last_; }

  // nullopt: outside, or (when holds(index)) older than the remembered terms: ask the disk.
  std::optional<consensus::Term> term(consensus::Index index) const;
  bool holds(consensus::Index index) const { return index > start_.index && index <= last_; }

  // From the tail; nullopt when `low` is older than the tail.
  std::optional<std::vector<consensus::Entry>> entries(consensus::Index low, consensus::Index high,
                                                       std::size_t bytes_max) const;
  const std::deque<consensus::Index>& memberships() const { return memberships_; }

 private:
  struct TermRun {
    consensus::Index first = 0;
    consensus::Term term = 0;
  };

  consensus::Index tail_first() const { return last_ + 1 - tail_.size(); }

  LogStart start_;
  consensus::Index last_ = 0;
  std::deque<TermRun> runs_;           // newest limits::log_term_runs_max
  std::deque<consensus::Entry> tail_;  // contiguous up to last_, at most limits::log_tail_bytes_max
  std::size_t tail_bytes_ = 0;
  std::deque<consensus::Index> memberships_;
};

}  // namespace mainstay::store
