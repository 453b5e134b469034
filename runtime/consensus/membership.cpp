// Who belongs to the group, who may change it (one member at a time, thesis section 4.1), and whose
// messages count.
#include "runtime/base/limits.hpp"
#include "runtime/consensus/core_impl.hpp"

namespace mainstay::consensus {

// --- identity ---

// A node that lost its disk has another incarnation: what was meant for its former life must not be
// answered by it. A new member knows no membership yet, but it knows who it is.
bool Core::Impl::is_addressed_to_us(const Message& message) const {
  if (MUTANT(lost_disk_rejoins_under_old_id)) return message.to == options.id;
  return message.to == options.id && message.to_incarnation == options.incarnation;
}

bool Core::Impl::sender_is_known(const Message& message) const {
  const Member* member = memberships.current().find(message.from);
  if (MUTANT(lost_disk_rejoins_under_old_id)) return member != nullptr;
  return member != nullptr && member->incarnation == message.from_incarnation;
}

// Someone our membership does not list can only be right if it knows a membership that we do not
// have yet. A leader was elected by those who do know it. A candidate whose log is not ahead of
// ours knows no more than we do. Answers of strangers never count.
bool Core::Impl::sender_may_be_newer(const Message& message) const {
  if (!message.from_incarnation) return false;
  switch (message.type) {
    case MessageType::append:
    case MessageType::heartbeat:
    case MessageType::snapshot:
    case MessageType::timeout_now:
      return true;
    case MessageType::vote:
    case MessageType::pre_vote:
      return log.not_ahead_of(message.index, message.log_term) &&
             (message.index != log.last() || message.log_term != log.last_term());
    default:
      return false;
  }
}

// --- quorums ---

VoterSets Core::Impl::voter_sets() const {
  std::vector<NodeId> voters = memberships.current().voters();
  if (MUTANT(learner_counts_in_quorum)) {
    voters.clear();
    for (const Member& member : memberships.current().members) voters.push_back(member.id);
  }
  return {std::move(voters)};
}

// A voter is (id, incarnation): under another incarnation this node is not the member that the
// others count on.
bool Core::Impl::is_voter(NodeId id) const {
  const Member* member = memberships.current().find(id);
  if (member == nullptr || member->role != MemberRole::voter) return false;
  return id != options.id || member->incarnation == options.incarnation ||
         MUTANT(lost_disk_rejoins_under_old_id);
}

// This node, now or in a membership that is not yet settled.
bool Core::Impl::may_be_voter() const {
  if (MUTANT(lost_disk_rejoins_under_old_id) && is_voter(options.id)) return true;
  return memberships.may_be_voter(options.id, options.incarnation);
}

// --- changes ---

// Rule 3 and Ongaro's correction of 2015: no change before an entry of this term is committed, and
// one at a time.
Result<void> Core::Impl::may_change_membership() const {
  if (role != CoreRole::leader)
    return fail(Errc::not_leader, "node " + to_string(options.id) + " does not lead the group");
  if (!committed_in_this_term() && !MUTANT(membership_change_before_own_term_commit))
    return fail(Errc::conflict, "this leader has not committed an entry of its term yet");
  if (memberships.current_index() > commit && !MUTANT(two_membership_changes_at_once))
    return fail(Errc::conflict, "another membership change is under way");
  return {};
}

Result<Index> Core::Impl::propose_membership(Membership next) {
  TRY(may_change_membership());
  TRY(validate_change(memberships.current(), next));
  Entry entry;
  entry.kind = EntryKind::membership;
  entry.membership = std::make_shared<const Membership>(std::move(next));
  std::vector<Entry> entries;
  entries.push_back(std::move(entry));
  return propose(std::move(entries));
}

// One Progress for every member of the current membership, and for this node even when it is being
// removed.
void Core::Impl::sync_progress() {
  const Membership& current = memberships.current();
  for (auto at = progress.begin(); at != progress.end();) {
    const bool stays = at->first == options.id || current.find(at->first) != nullptr;
    at = stays ? std::next(at) : progress.erase(at);
  }
  const Progress::Window window{options.inflight_appends_max, options.inflight_bytes_max};
  const Index next = log.last() + 1;
  progress.try_emplace(options.id, next, window);
  for (const Member& member : current.members) {
    const auto [at, added] = progress.try_emplace(member.id, next, window);
    if (!added && at->second.incarnation != member.incarnation && member.id != options.id) {
      at->second = Progress{next, window};
    }
    at->second.incarnation = member.incarnation;
  }
  dirty = true;
}

// A learner that stays close to the end of the log for long enough becomes a voter by itself.
void Core::Impl::tick_promotion() {
  NodeId ready;
  for (const Member& member : memberships.current().members) {
    Progress& follower = progress.at(member.id);
    const bool close = member.role == MemberRole::learner && member.auto_promote &&
                       follower.state() == ProgressState::replicate && follower.active() &&
                       log.last() - follower.match() <= options.promote_lag_entries;
    follower.close_ticks = close ? follower.close_ticks + 1 : 0;
    if (!ready && follower.close_ticks >= options.promote_stable_ticks) ready = member.id;
  }
  if (!ready || transfer_target || !may_change_membership()) return;
  Membership next = memberships.current();
  for (Member& member : next.members) {
    if (member.id != ready) continue;
    member.role = MemberRole::voter;
    member.auto_promote = false;
  }
  // Refused at most because too much waits for a majority; the next tick asks again.
  static_cast<void>(propose_membership(std::move(next)));
}

// Thesis section 4.2.2: a leader that removes itself leads until the change is committed, without
// counting itself.
void Core::Impl::step_down_if_removed() {
  if (is_voter(options.id) || memberships.current_index() > commit) return;
  send_appends();  // the others learn of the commit
  const NodeId successor = best_successor();
  if (successor && progress.at(successor).match() == log.last())
    send(message_to(successor, MessageType::timeout_now));
  become_follower(term, NodeId{});
}

}  // namespace mainstay::consensus
