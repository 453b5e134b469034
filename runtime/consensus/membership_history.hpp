// The memberships that the log holds: effective from the moment an entry is appended, taken back
// when it is truncated (Ongaro's thesis, section 4.1). At restart it is rebuilt from the start of
// the log and every membership entry after it, committed or not.
#pragma once

#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/consensus/types.hpp"

namespace mainstay::consensus {

class MembershipHistory {
 public:
  // `base` is the membership at the log's start; `entries` the membership entries after it, oldest
  // first.
  MembershipHistory(const Membership& base, Index base_index, const std::vector<Entry>& entries);

  const Membership& current() const { return *history_.back().membership; }
  // Where the current one stands in the log.
  Index current_index() const { return history_.back().index; }

  // Whether (id, incarnation) votes in the current membership or in one that may still become the
  // committed one. A node that left by an uncommitted change must still campaign: its vote and its
  // log may be needed to finish the change (thesis section 4.2.2).
  bool may_be_voter(NodeId id, Incarnation incarnation) const;

  // REQUIRES: `index` is above current_index().
  void append(Index index, MembershipPtr membership);
  // Returns whether the current membership changed.
  bool truncate(Index from);
  // Entries up to here can no longer be truncated.
  void committed(Index index);
  void restart_after(Index index, const Membership& membership);

 private:
  struct Step {
    Index index = 0;
    MembershipPtr membership;
  };
  std::vector<Step> history_;  // never empty; the first is committed
};

// Well-formed: ids set, sorted, each once, at least one voter, at most limits::members_max.
Result<void> validate(const Membership& membership);
// `next` differs from `current` in exactly one member, and a replaced incarnation is a learner.
Result<void> validate_change(const Membership& current, const Membership& next);

}  // namespace mainstay::consensus
