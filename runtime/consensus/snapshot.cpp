// Snapshots as metadata (thesis chapter 5): the leader offers one, the caller pulls its bytes
// outside the core, then one Persist switches the node over. Until that Persist is stored the old
// log and state count.
#include <algorithm>

#include "runtime/consensus/core_impl.hpp"

namespace mainstay::consensus {

// --- leader ---

// The member needs entries that are compacted. Without a snapshot that leads past them the caller
// must make one: Status says so.
void Core::Impl::offer_snapshot(NodeId id, Progress& member) {
  const SnapshotMeta snapshot = log.snapshot();
  const bool useful = snapshot.index > member.match() && snapshot.index + 1 >= log.first() &&
                      snapshot.index <= commit;
  member.snapshot_wanted = !useful;
  if (!useful) return;
  member.offer(snapshot);
  Message offer = message_to(id, MessageType::snapshot);
  offer.snapshot = snapshot;
  send(std::move(offer));
}

// An offer can be lost, and a member can restart in the middle of a pull. It knows an offer that it
// is already pulling.
void Core::Impl::tick_offers() {
  for (auto& [id, member] : progress) {
    if (member.state() != ProgressState::snapshot) continue;
    if (++member.offer_ticks < options.election_ticks_max) continue;
    member.offer_ticks = 0;
    Message offer = message_to(id, MessageType::snapshot);
    offer.snapshot = member.offered();
    send(std::move(offer));
  }
}

void Core::Impl::on_snapshot_reply(const Message& message) {
  Progress* member = progress_of(message.from);
  if (role != CoreRole::leader || member == nullptr) return;
  member->recently_active = true;
  if (message.reject) {
    member->snapshot_failed();
  } else if (message.index > log.last()) {
    ++strangers;
  } else {
    acknowledged(message.from, *member, message.index);
  }
  dirty = true;
}

// The lowest index somebody is fed from. Members that are gone do not pin the log: they get a
// snapshot when they are back.
Index Core::Impl::needed_from() const {
  Index needed = log.last() + 1;
  for (const auto& [id, member] : progress) {
    if (id == options.id || !member.active()) continue;
    const bool by_snapshot = member.state() == ProgressState::snapshot;
    needed = std::min(needed, (by_snapshot ? member.offered().index : member.match()) + 1);
  }
  return needed;
}

// --- follower ---

void Core::Impl::on_snapshot(const Message& message) {
  hear_leader(message);
  const SnapshotMeta& snapshot = message.snapshot;
  if (installing) return;
  if (log.matches(snapshot.index, snapshot.term)) commit_to(snapshot.index);
  if (snapshot.index <= commit) {
    Message reply = reply_to(message, MessageType::snapshot_reply);
    reply.index = commit;
    send_after_stored(std::move(reply));
    return;
  }
  if (pulling && pulling->id == snapshot.id && pull_source == message.from) return;
  pulling = snapshot;
  pull_source = message.from;
  offer_pull = true;
  if (MUTANT(snapshot_reported_before_staged)) snapshot_received(snapshot, true);
}

void Core::Impl::snapshot_received(const SnapshotMeta& snapshot, bool ok) {
  if (!pulling || pulling->id != snapshot.id || pulling->index != snapshot.index) return;
  const NodeId source = pull_source;
  pulling.reset();
  offer_pull = false;
  // The log may have caught up by other means while the bytes came in.
  if (ok && log.matches(snapshot.index, snapshot.term)) commit_to(snapshot.index);
  if (ok && snapshot.index > commit) {
    begin_installing(snapshot);
    return;
  }
  if (!leader || leader == options.id) return;
  Message reply = message_to(leader, MessageType::snapshot_reply);
  reply.to_incarnation = leader_incarnation;
  reply.reject = !ok;
  reply.index = ok ? commit : 0;
  if (ok || leader == source) send_after_stored(std::move(reply));
}

// From here until the Persist is stored, appends are not answered and nothing is applied: the log
// is about to be replaced.
void Core::Impl::begin_installing(const SnapshotMeta& snapshot) {
  ASSERT(role != CoreRole::leader && !installing && snapshot.index > commit);
  if (role != CoreRole::follower) become_follower(term, NodeId{});  // rule 7
  installing = snapshot;
  install_unhanded = true;
  forget_waiting_acks();  // of entries that will now never be written
}

void Core::Impl::finish_installing(const SnapshotMeta& snapshot) {
  ASSERT(installing && installing->id == snapshot.id && snapshot.index > commit);
  installing.reset();
  log.restart_after(snapshot.index, snapshot.term);
  memberships.restart_after(snapshot.index, snapshot.membership);
  commit = emitted = applied_to = snapshot.index;
  applying.clear();
  applying_bytes = 0;
  if (!leader) return;
  Message reply = message_to(leader, MessageType::snapshot_reply);
  reply.to_incarnation = leader_incarnation;
  reply.index = snapshot.index;
  send_after_stored(std::move(reply));
}

}  // namespace mainstay::consensus
