#include "runtime/consensus/membership_history.hpp"

#include <algorithm>
#include <set>

#include "runtime/base/assert.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/mutant.hpp"

namespace mainstay::consensus {

MembershipHistory::MembershipHistory(const Membership& base, Index base_index,
                                     const std::vector<Entry>& entries) {
  history_.push_back({base_index, std::make_shared<const Membership>(base)});
  if (MUTANT(S5_membership_uncommitted_as_committed)) return;
  for (const Entry& entry : entries) append(entry.index, entry.membership);
}

void MembershipHistory::append(Index index, MembershipPtr membership) {
  ASSERT(membership != nullptr);
  ASSERT(history_.size() == 1 || index > history_.back().index);
  history_.push_back({index, std::move(membership)});
}

bool MembershipHistory::may_be_voter(NodeId id, Incarnation incarnation) const {
  return std::any_of(history_.begin(), history_.end(), [&](const Step& step) {
    const Member* member = step.membership->find(id);
    return member != nullptr && member->role == MemberRole::voter &&
           member->incarnation == incarnation;
  });
}

bool MembershipHistory::truncate(Index from) {
  if (MUTANT(S5_membership_uncommitted_as_committed)) return false;
  bool changed = false;
  while (history_.size() > 1 && history_.back().index >= from) {
    history_.pop_back();
    changed = true;
  }
  return changed;
}

void MembershipHistory::committed(Index index) {
  while (history_.size() > 1 && history_[1].index <= index) history_.erase(history_.begin());
}

void MembershipHistory::restart_after(Index index, const Membership& membership) {
  history_.clear();
  history_.push_back({index, std::make_shared<const Membership>(membership)});
}

Result<void> validate(const Membership& membership) {
  if (membership.members.size() > limits::members_max)
    return fail(Errc::invalid_argument,
                "a group has at most " + std::to_string(limits::members_max) + " members");
  NodeId before;
  for (const Member& member : membership.members) {
    if (!member.id || !member.incarnation)
      return fail(Errc::invalid_argument, "a member needs a node id and an incarnation");
    if (member.id <= before)
      return fail(Errc::invalid_argument, "members must be sorted by node id, each once");
    before = member.id;
  }
  if (membership.voters().empty())
    return fail(Errc::invalid_argument, "a group needs at least one voter");
  return {};
}

Result<void> validate_change(const Membership& current, const Membership& next) {
  TRY(validate(next));
  std::set<NodeId> ids;
  for (const Member& member : current.members) ids.insert(member.id);
  for (const Member& member : next.members) ids.insert(member.id);
  std::size_t changed = 0;
  for (NodeId id : ids) {
    const Member* before = current.find(id);
    const Member* after = next.find(id);
    if (before != nullptr && after != nullptr && *before == *after) continue;
    ++changed;
    if (before != nullptr && after != nullptr && before->incarnation != after->incarnation &&
        after->role != MemberRole::learner)
      return fail(Errc::invalid_argument, "node " + to_string(id) +
                                              " has a new incarnation: it lost its disk and must "
                                              "come back as a learner");
  }
  if (changed != 1)
    return fail(Errc::invalid_argument,
                "a change must concern exactly one member, not " + std::to_string(changed));
  return {};
}

}  // namespace mainstay::consensus
