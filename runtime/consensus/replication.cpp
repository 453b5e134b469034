// Proposals, appends, their answers, and commit (Raft paper, sections 5.3 and 5.4).
#include <algorithm>

#include "runtime/consensus/core_impl.hpp"

namespace mainstay::consensus {

// --- leader: taking entries in ---

Result<Index> Core::Impl::propose(std::vector<Entry> entries) {
  if (role != CoreRole::leader)
    return fail(Errc::not_leader, "node " + to_string(options.id) + " does not lead the group");
  if (entries.empty()) return fail(Errc::invalid_argument, "nothing was proposed");
  if (transfer_target)
    return fail(Errc::busy, "leadership moves to node " + to_string(transfer_target));
  std::size_t bytes = 0;
  for (const Entry& entry : entries) bytes += entry.bytes();
  if (uncommitted_bytes > 0 && uncommitted_bytes + bytes > options.uncommitted_bytes_max)
    return fail(Errc::busy, "too many bytes wait for a majority");
  const Index first_of_these = log.last() + 1;
  for (Entry& entry : entries) append_own(std::move(entry));
  return first_of_these;
}

// Rule 5: an index of this term is used once; the leader never takes an entry back.
Index Core::Impl::append_own(Entry entry) {
  ASSERT(role == CoreRole::leader);
  entry.index = log.last() + 1;
  entry.term = term;
  const std::size_t bytes = entry.bytes();
  const MembershipPtr membership = entry.membership;
  uncommitted.emplace_back(entry.index, bytes);
  uncommitted_bytes += bytes;
  log.append(std::move(entry));
  if (membership) {
    memberships.append(log.last(), membership);
    sync_progress();
  }
  dirty = true;
  return log.last();
}

// --- leader: sending ---

void Core::Impl::send_appends() {
  dirty = false;
  if (role != CoreRole::leader) return;
  for (auto& [id, member] : progress)
    if (id != options.id) send_appends_to(id, member);
}

// Entries leave before they are durable here: this disk and theirs work in parallel.
void Core::Impl::send_appends_to(NodeId id, Progress& member) {
  while (!member.paused()) {
    const bool has_entries = member.next() <= log.last();
    // A probing member is asked even when there is nothing to send: a new one, or one whose
    // connection broke.
    const bool has_question = member.state() == ProgressState::probe || member.commit_sent < commit;
    if (!has_entries && !has_question) return;
    if (!send_append(id, member, has_entries)) return;
  }
}

bool Core::Impl::send_append(NodeId id, Progress& member, bool with_entries) {
  const Index previous = member.next() - 1;
  const auto previous_term = log.term(previous);
  std::vector<Entry> entries;
  if (previous_term && with_entries && member.next() <= log.last())
    entries = log.entries(member.next(), log.last(), options.append_bytes_max);
  if (!previous_term || (with_entries && entries.empty())) {
    offer_snapshot(id, member);
    return false;
  }
  member.snapshot_wanted = false;
  std::size_t bytes = 0;
  for (const Entry& entry : entries) bytes += entry.bytes();
  Message append = message_to(id, MessageType::append);
  append.index = previous;
  append.log_term = *previous_term;
  append.commit = commit;
  append.context = rounds.newest();
  append.entries = std::move(entries);
  member.commit_sent = commit;
  member.sent(append.entries.empty() ? previous : append.entries.back().index, bytes);
  send(std::move(append));
  return true;
}

void Core::Impl::send_heartbeats() {
  heartbeat_elapsed = 0;
  for (const auto& [id, member] : progress)
    if (id != options.id) send_heartbeat(id, member);
}

void Core::Impl::send_heartbeat(NodeId id, const Progress& member) {
  Message heartbeat = message_to(id, MessageType::heartbeat);
  heartbeat.commit = std::min(member.match(), commit);
  if (MUTANT(follower_commit_unclamped)) heartbeat.commit = commit;
  heartbeat.context = rounds.newest();
  send(std::move(heartbeat));
}

// --- follower ---

// Raft paper, figure 2, AppendEntries: "Reply false if log doesn't contain an entry at prevLogIndex
// whose term matches prevLogTerm."
void Core::Impl::on_append(const Message& message) {
  hear_leader(message);
  commit_heard = std::max(commit_heard, message.commit);
  if (installing) return;  // the log is about to be replaced; the leader asks again
  const bool before_commit = message.index < commit;
  const bool matches =
      message.index <= log.last() &&
      (log.matches(message.index, message.log_term) || MUTANT(append_without_prev_check));
  if (!before_commit && !matches) {
    refuse_append(message);
    return;
  }
  Message reply = reply_to(message, MessageType::append_reply);
  reply.context = message.context;
  reply.applied = applied_to;
  if (before_commit) {
    reply.index = commit;  // every leader's log agrees up to there; it goes on from there
  } else {
    accept_entries(message);
    // Rule 1: never more than this append proved equal, whatever else the log holds behind it.
    reply.index = message.index + message.entries.size();
    if (MUTANT(S1_ack_stale_tail)) reply.index = log.last();
  }
  ASSERT(reply.index <= log.last());
  if (MUTANT(ack_before_stored))
    send(std::move(reply));
  else
    send_after_stored(std::move(reply));
}

// Raft paper, figure 2: "If an existing entry conflicts with a new one (same index but different
// terms), delete the existing entry and all that follow it. Append any new entries not already in
// the log. If leaderCommit > commitIndex, set commitIndex = min(leaderCommit, index of last new
// entry)."
void Core::Impl::accept_entries(const Message& message) {
  for (const Entry& entry : message.entries) {
    if (entry.index <= log.last()) {
      if (log.matches(entry.index, entry.term)) continue;
      truncate_log(entry.index);
    }
    log.append(entry);
    if (entry.membership) memberships.append(entry.index, entry.membership);
  }
  const Index proved = message.index + message.entries.size();
  if (MUTANT(truncate_committed_blindly) && proved < log.last()) truncate_log(proved + 1);
  commit_to(std::min(message.commit, proved));
}

void Core::Impl::truncate_log(Index from) {
  ASSERT_MSG(from > commit || MUTANT(truncate_committed_blindly),
             "committed entries are never truncated");
  log.truncate(from);
  persists.truncated(from);
  memberships.truncate(from);
  forget_waiting_acks();  // they were of an older term, and what they tell of may now never be
                          // written
}

// The hint lets the leader skip whole terms: below it, no entry of ours has a term above that of
// the leader's previous entry.
void Core::Impl::refuse_append(const Message& message) {
  Message reply = reply_to(message, MessageType::append_reply);
  reply.reject = true;
  reply.index = message.index;
  reply.hint_index = log.last_with_term_at_most(message.index, message.log_term, commit);
  reply.hint_term = log.term(reply.hint_index).value_or(0);
  reply.context = message.context;
  reply.applied = applied_to;
  send(std::move(reply));
}

void Core::Impl::on_heartbeat(const Message& message) {
  hear_leader(message);
  commit_heard = std::max(commit_heard, message.commit);
  if (MUTANT(follower_commit_unclamped)) {
    if (!installing) commit_to(std::min(message.commit, log.last()));
  } else if (!installing) {
    ASSERT_MSG(message.commit <= log.last(), "this node lost entries that it had acknowledged");
    commit_to(message.commit);
  }
  if (MUTANT(S1_ack_stale_tail)) {
    Message stale = reply_to(message, MessageType::append_reply);
    stale.index = log.last();
    send_after_stored(std::move(stale));
  }
  Message reply = reply_to(message, MessageType::heartbeat_reply);
  reply.context = message.context;
  reply.applied = applied_to;
  send(std::move(reply));
}

// --- leader: answers ---

void Core::Impl::on_append_reply(const Message& message) {
  Progress* member = progress_of(message.from);
  if (role != CoreRole::leader || member == nullptr) return;
  member->recently_active = true;
  member->applied = std::max(member->applied, message.applied);
  rounds.confirm(message.from, message.context);
  if (message.reject) {
    on_append_rejected(message, *member);
  } else if (message.index > log.last()) {
    ++strangers;  // nobody can hold more of this term than its leader
  } else {
    acknowledged(message.from, *member, message.index);
  }
  deliver_reads();
}

void Core::Impl::on_append_rejected(const Message& message, Progress& member) {
  // Where the follower's log and ours may agree at best: our last entry at or below the hint whose
  // term is not above the hint's.
  const Index retry =
      log.last_with_term_at_most(message.hint_index, message.hint_term, member.match());
  if (member.reject(message.index, retry)) dirty = true;
}

void Core::Impl::acknowledged(NodeId id, Progress& member, Index index) {
  const bool was_paused = member.paused();
  const bool news = member.acknowledge(index);
  if (news) advance_commit();
  if (role != CoreRole::leader) return;  // the commit removed this node
  if (news || was_paused) dirty = true;
  try_timeout_now(id, member);
}

void Core::Impl::on_heartbeat_reply(const Message& message) {
  Progress* member = progress_of(message.from);
  if (role != CoreRole::leader || member == nullptr) return;
  member->recently_active = true;
  member->applied = std::max(member->applied, message.applied);
  member->heartbeat_answered();
  rounds.confirm(message.from, message.context);
  if (member->match() < log.last()) {
    // Sends what the window allows. If all of it is in flight, an empty append finds out whether it
    // got lost.
    const bool all_sent = member->window_full() || member->next() > log.last();
    if (member->state() == ProgressState::replicate && all_sent)
      send_append(message.from, *member, false);
    dirty = true;
  }
  try_timeout_now(message.from, *member);
  deliver_reads();
}

// --- commit ---

// Raft paper, figure 2, leaders: "If there exists an N such that N > commitIndex, a majority of
// matchIndex[i] >= N, and log[N].term == currentTerm: set commitIndex = N." Rule 2: the median
// decides, not our last index; this node counts only what it has stored.
void Core::Impl::advance_commit() {
  if (role != CoreRole::leader) return;
  progress.at(options.id)
      .acknowledge(MUTANT(leader_counts_itself_unstored) ? log.last() : log.stored());
  const Index reached = committed_index(voter_sets(), [this](NodeId id) {
    const Progress* member = progress_of(id);
    return member == nullptr ? 0 : member->match();
  });
  if (reached <= commit) return;
  if (log.term(reached) != term && !MUTANT(S2_commit_old_term)) return;
  if (MUTANT(L1_commit_at_leaders_last) && reached != log.last()) return;
  commit_to(reached);
  while (!uncommitted.empty() && uncommitted.front().first <= commit) {
    uncommitted_bytes -= uncommitted.front().second;
    uncommitted.pop_front();
  }
  dirty = true;
  step_down_if_removed();
}

void Core::Impl::commit_to(Index index) {
  if (index <= commit) return;
  ASSERT_MSG(index <= log.last(), "committed what this log does not hold");
  commit = index;
  memberships.committed(index);
  if (pulling && pulling->index <= commit) pulling.reset();
}

bool Core::Impl::committed_in_this_term() const {
  return role == CoreRole::leader && commit >= term_start;
}

Progress* Core::Impl::progress_of(NodeId id) {
  const auto found = progress.find(id);
  return found == progress.end() ? nullptr : &found->second;
}

}  // namespace mainstay::consensus
