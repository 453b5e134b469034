// Handing leadership over (thesis section 3.10): on request, while draining, when quarantined, and
// when this node's disk stalls.
#include "runtime/consensus/core_impl.hpp"

namespace mainstay::consensus {

Result<void> Core::Impl::transfer(NodeId to) {
  if (role != CoreRole::leader)
    return fail(Errc::not_leader, "node " + to_string(options.id) + " does not lead the group");
  if (transfer_target)
    return fail(Errc::conflict, "leadership already moves to node " + to_string(transfer_target));
  const NodeId target = to ? to : best_successor();
  if (!target || target == options.id || !is_voter(target))
    return fail(Errc::invalid_argument, "there is no such voter to lead the group");
  transfer_target = target;
  transfer_elapsed = 0;
  dirty = true;
  try_timeout_now(target, progress.at(target));
  return {};
}

// Once per answer of the target, so that a lost message does not lose the transfer; never before it
// holds everything (bug L3).
void Core::Impl::try_timeout_now(NodeId id, const Progress& member) {
  if (role != CoreRole::leader || id != transfer_target || member.match() != log.last()) return;
  send(message_to(id, MessageType::timeout_now));
}

// Thesis section 3.10: "If leadership transfer does not complete after about an election timeout,
// the prior leader aborts the transfer and resumes accepting client requests."
void Core::Impl::tick_transfer() {
  if (handover_rest > 0) --handover_rest;
  if (!transfer_target || ++transfer_elapsed < options.election_ticks_min) return;
  transfer_target = NodeId{};
  handover_rest = options.election_ticks_max;
}

void Core::Impl::on_timeout_now(const Message& message) {
  hear_leader(message);
  if (may_campaign()) campaign(true);  // else the leader asks again at our next answer, or gives up
}

// The active voter with the longest log; between equals the lowest id.
NodeId Core::Impl::best_successor() const {
  NodeId best;
  Index best_match = 0;
  for (const auto& [id, member] : progress) {
    if (id == options.id || !is_voter(id) || !member.active()) continue;
    if (member.state() == ProgressState::snapshot || member.match() <= best_match) continue;
    best = id;
    best_match = member.match();
  }
  return best;
}

bool Core::Impl::hand_over() {
  if (transfer_target) return true;
  if (handover_rest > 0) return false;
  const NodeId successor = best_successor();
  return successor && transfer(successor).has_value();
}

// A leader that should not lead: tries to name its successor first, because that costs one round
// trip instead of an election timeout.
void Core::Impl::tick_handover() {
  const bool alone = memberships.current().voters() == std::vector<NodeId>{options.id};
  if (alone && !quarantined) return;
  if (quarantined) {
    const NodeId successor = best_successor();
    if (successor && progress.at(successor).match() == log.last())
      send(message_to(successor, MessageType::timeout_now));
    become_follower(term, NodeId{});
    return;
  }
  if (draining) static_cast<void>(hand_over());
  if (persists.oldest_age(now) < options.disk_stall_ticks) return;
  if (MUTANT(S4_reuse_index_after_failed_append)) {
    if (log.stored() < log.last()) truncate_log(log.stored() + 1);
    return;
  }
  if (!hand_over()) become_follower(term, NodeId{});
}

}  // namespace mainstay::consensus
