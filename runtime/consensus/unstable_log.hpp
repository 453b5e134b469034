// The log as the core sees it: what the log store has made durable, read through LogReader, and
// over it the tail that is not durable yet.
//
//   first … stored                stored+1 … handed          handed+1 … last
//   in the store (a bounded       given to the log writer,   not yet taken by take_ready()
//   recent part also in memory)   not acknowledged
//
// The store may run ahead of what the core knows (a commit whose stored() is still on its way) and
// behind it (a truncation not yet written), so it is only asked about entries at or below `stored`,
// where both always agree. Invariants: first - 1 <= stored <= handed <= last; the tail in memory is
// contiguous, ends at `last` and covers stored+1 … last.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "runtime/consensus/log_reader.hpp"

namespace mainstay::consensus {

class UnstableLog {
 public:
  // Keeps up to `recent_bytes_max` of durable entries in memory, so that the usual case reads
  // nothing back.
  UnstableLog(const LogReader& reader, std::size_t recent_bytes_max);

  Index first() const { return reader_.first_index(); }
  SnapshotMeta snapshot() const { return reader_.snapshot(); }
  Index last() const { return last_; }
  Term last_term() const { return last_term_; }
  Index stored() const { return stored_; }
  bool all_stored() const { return stored_ == last_ && !truncate_from_; }

  // Nothing for entries that are compacted away or do not exist. Index 0 has term 0.
  std::optional<Term> term(Index index) const;
  bool matches(Index index, Term term_wanted) const { return term(index) == term_wanted; }
  // Whether a log ending in (index, term) is at least as up-to-date as this one (Raft paper,
  // section 5.4.1).
  bool not_ahead_of(Index index, Term its_term) const;

  // Entries from `low` up to and including `high`, at most `bytes_max` but at least one; empty when
  // `low` is compacted away. REQUIRES: low <= high <= last().
  std::vector<Entry> entries(Index low, Index high, std::size_t bytes_max) const;

  // The largest index <= `from` whose term is <= `bound`, not looking below `floor`: where two logs
  // may agree again.
  Index last_with_term_at_most(Index from, Term bound, Index floor) const;

  // REQUIRES: entry.index == last() + 1 and its term is not below last_term().
  void append(Entry entry);
  // Removes `from` and all after it. REQUIRES: first() <= from <= last().
  void truncate(Index from);

  bool has_unhanded() const { return handed_ != last_ || truncate_from_; }
  // What the next Persist must truncate and append; these entries count as handed from now on.
  std::optional<Index> take_truncation();
  std::vector<Entry> take_unhanded();
  // Entries up to `index` are durable.
  void stored_to(Index index);
  // A snapshot replaced the log.
  void restart_after(Index index, Term term);

 private:
  Index tail_start() const { return last_ + 1 - tail_.size(); }
  const Entry& at(Index index) const { return tail_[index - tail_start()]; }
  void trim();

  const LogReader& reader_;
  const std::size_t recent_bytes_max_;
  std::deque<Entry> tail_;
  std::size_t recent_bytes_ = 0;  // of the durable entries in tail_
  Index stored_ = 0;
  Index handed_ = 0;
  Index last_ = 0;
  Term last_term_ = 0;
  std::optional<Index> truncate_from_;  // handed entries that the next Persist must remove
};

}  // namespace mainstay::consensus
