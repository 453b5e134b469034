// Elections: randomised timers, pre-vote (thesis section 9.6), votes, check-quorum (section 6.2)
// and the change of roles.
#include "runtime/consensus/core_impl.hpp"

namespace mainstay::consensus {

// --- timers ---

void Core::Impl::tick_election() {
  ++election_elapsed;
  if (election_elapsed < election_timeout + election_patience()) return;
  if (!may_campaign()) {
    forget_leader();
    if (!may_be_voter() || quarantined) reset_election_timer();
    return;  // a voter that only waits for its disk tries again at the next tick
  }
  campaign(false);
}

// Lag-aware: a node that is known to lack committed entries cannot win, so it leaves the first
// attempt to the others. A draining node gives everybody else the time of several elections.
std::uint32_t Core::Impl::election_patience() const {
  if (draining) return 3 * options.election_ticks_max;
  if (!behind()) return 0;
  return timer_is_quick ? 3 : options.election_ticks_min / 2;
}

void Core::Impl::reset_election_timer() {
  election_elapsed = 0;
  timer_is_quick = false;
  election_timeout = static_cast<std::uint32_t>(
      random.between(options.election_ticks_min, options.election_ticks_max));
}

// The leader's process is probably gone, which the other followers see at the same moment: the
// first to move should be one, so the moment is random.
void Core::Impl::campaign_soon() {
  election_elapsed = 0;
  timer_is_quick = true;
  election_timeout = static_cast<std::uint32_t>(random.between(1, 3));
}

bool Core::Impl::behind() const {
  const bool disk_is_slow = persists.oldest_age(now) > options.heartbeat_ticks;
  return commit_heard > log.last() || pulling || installing || disk_is_slow;
}

// Rule 7: only a log that is durable to its end counts, and no snapshot may be half installed.
bool Core::Impl::nothing_unstored() const {
  return log.all_stored() && persists.empty() && !installing && handed == HardState{term, vote};
}

bool Core::Impl::may_campaign() const {
  if (role == CoreRole::leader || quarantined || !may_be_voter()) return false;
  return nothing_unstored() || MUTANT(S6_campaign_with_unstored);
}

void Core::Impl::report_unreachable(NodeId peer) {
  if (Progress* member = progress_of(peer)) {
    member->unreachable();
    dirty = true;
  }
  if (role != CoreRole::follower || peer != leader || draining) return;
  leader_silence = options.election_ticks_min;  // nothing speaks for this leader any more: others
                                                // may ask for our vote
  quick_campaigns = 3;
  campaign_soon();
}

// --- campaigning ---

// Raft paper 5.2: "To begin an election, a follower increments its current term and transitions to
// candidate state." Before that a pre-vote asks whether it could win, so that a node cut off does
// not come back with a term that unseats a working leader.
void Core::Impl::campaign(bool forced) {
  ASSERT(role != CoreRole::leader);
  ASSERT_MSG(nothing_unstored() || MUTANT(S6_campaign_with_unstored),
             "campaigns only with everything of the log stored");
  if (forced) {
    start_candidacy(true);
    return;
  }
  forget_leader();
  role = CoreRole::pre_candidate;
  if (quick_campaigns > 0) {
    --quick_campaigns;
    campaign_soon();
    election_timeout += 2;  // give the answers a round trip
  } else {
    reset_election_timer();
  }
  votes.clear();
  votes[options.id] = true;
  request_votes(MessageType::pre_vote, term + 1, false);
  check_election();
}

void Core::Impl::start_candidacy(bool forced) {
  forget_leader();
  role = CoreRole::candidate;
  ++term;
  vote = options.id;
  campaign_is_forced = forced;
  reset_election_timer();
  votes.clear();  // the own vote counts when it is durable: own_vote_stored()
  request_votes(MessageType::vote, term, forced);
}

void Core::Impl::request_votes(MessageType type, Term campaign_term, bool forced) {
  for (const Member& member : memberships.current().members) {
    if (member.id == options.id || member.role != MemberRole::voter) continue;
    Message request = message_to(member.id, type);
    request.term = campaign_term;
    request.index = log.last();
    request.log_term = log.last_term();
    request.forced = forced;
    // A real candidate asks only once its own vote is durable: after a crash it must not ask again
    // in this term with another log.
    if (type == MessageType::vote && !MUTANT(S6_campaign_with_unstored))
      send_after_stored(std::move(request));
    else
      send(std::move(request));
  }
}

void Core::Impl::own_vote_stored(const HardState& durable) {
  if (role != CoreRole::candidate || durable.term != term || durable.vote != options.id) return;
  votes[options.id] = true;
  check_election();
}

void Core::Impl::check_election() {
  const VoteResult result = tally(voter_sets(), votes);
  if (result == VoteResult::won) {
    if (role == CoreRole::pre_candidate)
      start_candidacy(false);
    else
      become_leader();
  } else if (result == VoteResult::lost) {
    const bool again_soon = role == CoreRole::pre_candidate && timer_is_quick;
    const auto timeout = election_timeout;
    become_follower(term, NodeId{});
    if (again_soon) {
      timer_is_quick = true;
      election_timeout = timeout;
    }
  }
}

void Core::Impl::on_vote_reply(const Message& message) {
  if (role != CoreRole::candidate || message.term != term) return;
  votes.emplace(message.from, !message.reject);
  check_election();
}

// Rule 8: a refusal carries the voter's real term; a higher one was adopted before we came here.
void Core::Impl::on_pre_vote_reply(const Message& message) {
  if (role != CoreRole::pre_candidate) return;
  if (!message.reject && message.term != term + 1) return;
  votes.emplace(message.from, !message.reject);
  check_election();
}

// --- voting ---

// Rule 8: refuse for one BASE election timeout after hearing from a leader, not until the own
// random timer ends.
bool Core::Impl::leader_is_fresh() const {
  if (role == CoreRole::leader) return true;
  return leader && leader_silence < options.election_ticks_min;
}

// Raft paper, figure 2, RequestVote: "If votedFor is null or candidateId, and candidate's log is at
// least as up-to-date as receiver's log, grant vote." Section 5.2: "each server will vote for at
// most one candidate in a given term".
void Core::Impl::on_vote(const Message& message) {
  bool free_to_vote = vote == message.from || (!vote && !leader);
  if (MUTANT(S3_transfer_second_vote) && message.forced) free_to_vote = true;
  bool up_to_date = log.not_ahead_of(message.index, message.log_term);
  if (installing && !MUTANT(S6_campaign_with_unstored))
    up_to_date = up_to_date && std::pair{message.log_term, message.index} >=
                                   std::pair{installing->term, installing->index};
  if (MUTANT(vote_ignores_log_order)) up_to_date = true;
  Message reply = reply_to(message, MessageType::vote_reply);
  reply.reject = !free_to_vote || !up_to_date || quarantined;
  if (reply.reject) {
    send(std::move(reply));
    return;
  }
  if (role != CoreRole::follower) become_follower(term, NodeId{});
  vote = message.from;
  reset_election_timer();
  if (MUTANT(skip_vote_persist))
    send(std::move(reply));
  else
    send_after_stored(std::move(reply));
}

void Core::Impl::on_pre_vote(const Message& message) {
  bool up_to_date = log.not_ahead_of(message.index, message.log_term);
  if (installing)
    up_to_date = up_to_date && std::pair{message.log_term, message.index} >=
                                   std::pair{installing->term, installing->index};
  if (MUTANT(vote_ignores_log_order)) up_to_date = true;
  const bool granted = message.term > term && up_to_date && !quarantined && !leader_is_fresh();
  Message reply = reply_to(message, MessageType::pre_vote_reply);
  reply.reject = !granted;
  reply.term = granted ? message.term : term;
  if (!granted && MUTANT(L2_prevote_reply_echoes_term)) reply.term = message.term - 1;
  send(std::move(reply));
  if (granted) yield_to_rival(message);
}

// Two nodes that see the leader's connection close ask each other at the same moment, and would
// split the vote: the one with the shorter log gives way, between equal logs the one with the lower
// id.
void Core::Impl::yield_to_rival(const Message& message) {
  if (role != CoreRole::pre_candidate) return;
  const bool same_log = message.index == log.last() && message.log_term == log.last_term();
  if (same_log && message.from < options.id) return;
  const bool quick = quick_campaigns > 0;
  become_follower(term, NodeId{});
  if (!quick) return;
  campaign_soon();
  election_timeout += 4;  // the rival's election takes two round trips and one disk write
}

// --- terms ---

// Raft paper, figure 2: "If RPC request or response contains term T > currentTerm: set currentTerm
// = T, convert to follower." Not so for questions about a term that does not exist yet, nor for
// candidates while a leader is alive (thesis section 4.2.3). False: drop it.
bool Core::Impl::accept_higher_term(const Message& message) {
  if (message.type == MessageType::pre_vote) return true;
  if (message.type == MessageType::pre_vote_reply && !message.reject) return true;
  if (message.type == MessageType::vote && !message.forced && leader_is_fresh()) return false;
  become_follower(message.term, NodeId{});
  return true;
}

// Raft paper 5.1: "If a server receives a request with a stale term number, it rejects the
// request." The answer carries our term, else a leader or candidate that is behind would stay so
// (rule 9).
void Core::Impl::answer_lower_term(const Message& message) {
  switch (message.type) {
    case MessageType::append:
    case MessageType::heartbeat:
    case MessageType::snapshot: {
      Message reply = reply_to(message, MessageType::append_reply);
      reply.reject = true;
      send(std::move(reply));
      break;
    }
    case MessageType::vote: {
      Message reply = reply_to(message, MessageType::vote_reply);
      reply.reject = true;
      send(std::move(reply));
      break;
    }
    case MessageType::pre_vote:
      on_pre_vote(message);
      break;
    case MessageType::read_index: {
      Message reply = reply_to(message, MessageType::read_index_reply);
      reply.context = message.context;
      reply.reject = true;
      send(std::move(reply));
      break;
    }
    default:
      break;  // answers to questions of an older term (rule 10)
  }
}

// --- roles ---

void Core::Impl::become_follower(Term new_term, NodeId new_leader) {
  ASSERT(new_term >= term);
  if (role == CoreRole::leader) leave_leadership();
  if (new_term != term) {
    term = new_term;
    vote = NodeId{};
  }
  if (leader != new_leader || new_leader == NodeId{}) forget_leader();
  role = CoreRole::follower;
  leader = new_leader;
  votes.clear();
  reset_election_timer();
}

void Core::Impl::forget_leader() {
  refuse_forwarded_reads();
  leader = NodeId{};
}

// A message that only a leader of this term sends.
void Core::Impl::hear_leader(const Message& message) {
  ASSERT_MSG(role != CoreRole::leader, "there are two leaders in this term");
  ASSERT_MSG(!leader || leader == message.from, "this term had another leader before");
  if (role != CoreRole::follower || leader != message.from) become_follower(term, message.from);
  leader_incarnation = message.from_incarnation;
  leader_silence = 0;
  election_elapsed = 0;
  quick_campaigns = 0;
  if (timer_is_quick) reset_election_timer();
}

// Rule 3: the no-op comes before the first heartbeat. Thesis section 6.4: it is what tells a leader
// which entries are committed.
void Core::Impl::become_leader() {
  ASSERT(role == CoreRole::candidate);
  role = CoreRole::leader;
  leader = options.id;
  leader_incarnation = options.incarnation;
  heartbeat_elapsed = 0;
  quorum_elapsed = 0;
  quick_campaigns = 0;
  handover_rest =
      options.election_ticks_max;  // two nodes that both want to be rid of it must not play ball
  term_start = log.last() + 1;
  sync_progress();
  progress.at(options.id).acknowledge(log.stored());
  if (MUTANT(S2_commit_old_term)) {
    term_start = log.last();  // the engine that had this bug made no first entry either
    return;
  }
  Entry noop;
  noop.kind = EntryKind::noop;
  append_own(std::move(noop));
}

void Core::Impl::leave_leadership() {
  refuse_reads();
  progress.clear();
  uncommitted.clear();
  uncommitted_bytes = 0;
  transfer_target = NodeId{};
  term_start = 0;
}

// A leader that does not hear a majority within one election timeout cannot know that it still
// leads (thesis section 6.2).
void Core::Impl::check_quorum() {
  if (++quorum_elapsed < options.election_ticks_min) return;
  quorum_elapsed = 0;
  const bool heard = has_quorum(voter_sets(), [this](NodeId id) {
    const Progress* member = progress_of(id);
    return id == options.id || (member != nullptr && member->recently_active);
  });
  for (auto& [id, member] : progress)
    member.active_before = std::exchange(member.recently_active, false);
  if (!heard && !MUTANT(no_check_quorum)) become_follower(term, NodeId{});
}

}  // namespace mainstay::consensus
