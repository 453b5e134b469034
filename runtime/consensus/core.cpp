// The public shell, the dispatch of messages, and the making of a Ready.
#include "runtime/consensus/core.hpp"

#include <algorithm>
#include <iterator>

#include "runtime/consensus/core_impl.hpp"

namespace mainstay::consensus {
namespace {

// What no core of ours sends: damaged or forged.
bool is_well_formed(const Message& message) {
  Index index = message.index;
  Term term = message.log_term;
  for (const Entry& entry : message.entries) {
    if (entry.index != ++index || entry.term < term || entry.term > message.term) return false;
    if ((entry.kind == EntryKind::membership) != (entry.membership != nullptr)) return false;
    if (entry.membership && !validate(*entry.membership)) return false;
    term = entry.term;
  }
  if (message.type == MessageType::snapshot)
    return message.snapshot.index > 0 && message.snapshot.term <= message.term &&
           validate(message.snapshot.membership).has_value();
  return message.entries.empty() || message.type == MessageType::append;
}

}  // namespace

std::string_view to_string(CoreRole role) {
  switch (role) {
    case CoreRole::follower:
      return "follower";
    case CoreRole::pre_candidate:
      return "pre_candidate";
    case CoreRole::candidate:
      return "candidate";
    case CoreRole::leader:
      return "leader";
  }
  UNREACHABLE();
}

Core::Impl::Impl(const CoreOptions& core_options, const InitialState& initial,
                 const LogReader& reader, Random& source)
    : options{core_options},
      random{source},
      log{reader, core_options.recent_bytes_max},
      memberships{initial.membership, reader.first_index() - 1, reader.membership_entries()},
      term{initial.hard_state.term},
      vote{initial.hard_state.vote},
      handed{initial.hard_state},
      commit{initial.applied},
      emitted{initial.applied},
      applied_to{initial.applied},
      rounds{core_options.pending_reads_max} {
  ASSERT(options.election_ticks_min > 0 &&
         options.election_ticks_min <= options.election_ticks_max);
  ASSERT_MSG(initial.applied + 1 >= log.first(), "the log starts after what the state holds");
  ASSERT_MSG(initial.applied <= log.last(), "the state holds entries that the log lost");
  ASSERT_MSG(term >= log.last_term(), "the log holds entries of a term that is not durable");
  if (MUTANT(single_vote_rule_broken_after_restart)) vote = NodeId{};
  memberships.committed(commit);
  reset_election_timer();
}

// --- inputs ---

void Core::Impl::tick() {
  ++now;
  if (leader_silence < options.election_ticks_min) ++leader_silence;
  if (role != CoreRole::leader) {
    tick_election();
    return;
  }
  tick_transfer();
  check_quorum();
  if (role == CoreRole::leader) tick_handover();
  if (role != CoreRole::leader) return;
  tick_promotion();
  tick_offers();
  if (++heartbeat_elapsed >= options.heartbeat_ticks) send_heartbeats();
}

void Core::Impl::step(Message message) {
  const bool may_speak = sender_is_known(message) || sender_may_be_newer(message);
  if (!is_addressed_to_us(message) || message.from == options.id || !may_speak ||
      !is_well_formed(message)) {
    ++strangers;
    return;
  }
  if (message.term > term) {
    if (!accept_higher_term(message)) return;
  } else if (message.term < term) {
    answer_lower_term(message);
    return;
  }
  dispatch(message);
}

void Core::Impl::dispatch(const Message& message) {
  switch (message.type) {
    case MessageType::pre_vote:
      return on_pre_vote(message);
    case MessageType::pre_vote_reply:
      return on_pre_vote_reply(message);
    case MessageType::vote:
      return on_vote(message);
    case MessageType::vote_reply:
      return on_vote_reply(message);
    case MessageType::append:
      return on_append(message);
    case MessageType::append_reply:
      return on_append_reply(message);
    case MessageType::heartbeat:
      return on_heartbeat(message);
    case MessageType::heartbeat_reply:
      return on_heartbeat_reply(message);
    case MessageType::snapshot:
      return on_snapshot(message);
    case MessageType::snapshot_reply:
      return on_snapshot_reply(message);
    case MessageType::timeout_now:
      return on_timeout_now(message);
    case MessageType::read_index:
      return on_read_index(message);
    case MessageType::read_index_reply:
      return on_read_index_reply(message);
  }
  ++strangers;
}

void Core::Impl::stored(const PersistMark& mark) {
  for (PendingPersist& persist : persists.complete(mark)) {
    if (persist.stores_to > log.stored()) log.stored_to(persist.stores_to);
    if (persist.snapshot) finish_installing(*persist.snapshot);
    for (Message& message : persist.held) {
      if (MUTANT(S7_ack_after_term_change) && leader) {
        message.term = term;
        message.to = leader;
        message.to_incarnation = leader_incarnation;
      }
      send(std::move(message));
    }
    if (persist.hard_state) own_vote_stored(*persist.hard_state);
  }
  advance_commit();
}

void Core::Impl::applied(Index index) {
  ASSERT_MSG(index <= emitted, "applied more than was committed");
  applied_to = std::max(applied_to, index);
  while (!applying.empty() && applying.front().first <= applied_to) {
    applying_bytes -= applying.front().second;
    applying.pop_front();
  }
}

// --- messages ---

Message Core::Impl::message_to(NodeId to, MessageType type) const {
  Message message;
  message.type = type;
  message.from = options.id;
  message.from_incarnation = options.incarnation;
  message.to = to;
  const Member* member = memberships.current().find(to);
  if (member != nullptr) message.to_incarnation = member->incarnation;
  message.term = term;
  return message;
}

Message Core::Impl::reply_to(const Message& request, MessageType type) const {
  Message reply = message_to(request.from, type);
  reply.to_incarnation = request.from_incarnation;
  return reply;
}

void Core::Impl::send(Message message) {
  outgoing.push_back(std::move(message));
}

void Core::Impl::send_after_stored(Message message) {
  const auto is_ack = [](const Message& one) {
    return one.type == MessageType::append_reply && !one.reject;
  };
  // Several appends of one leader stored together are acknowledged together.
  if (!waiting.empty() && is_ack(message) && is_ack(waiting.back()) &&
      waiting.back().to == message.to && waiting.back().term == message.term) {
    message.index = std::max(message.index, waiting.back().index);
    message.context = std::max(message.context, waiting.back().context);
    waiting.back() = std::move(message);
    return;
  }
  waiting.push_back(std::move(message));
}

void Core::Impl::forget_waiting_acks() {
  waiting.erase(std::remove_if(waiting.begin(), waiting.end(),
                               [](const Message& message) {
                                 return message.type == MessageType::append_reply;
                               }),
                waiting.end());
}

// --- outputs ---

bool Core::Impl::can_apply() const {
  return !installing && std::min(commit, log.stored()) > emitted &&
         applying_bytes < 2 * options.apply_bytes_max;
}

bool Core::Impl::must_persist() const {
  return handed != HardState{term, vote} || install_unhanded || (!installing && log.has_unhanded());
}

bool Core::Impl::has_ready() const {
  return dirty || offer_pull || must_persist() || can_apply() || can_begin_read_round() ||
         !outgoing.empty() || !waiting.empty() || !read_states.empty();
}

Ready Core::Impl::take_ready() {
  begin_read_round();
  send_appends();
  Ready ready;
  ready.persist = take_persist();
  ready.committed = take_committed();
  ready.reads = std::exchange(read_states, {});
  ready.send_now = std::exchange(outgoing, {});
  route_waiting(ready);
  if (std::exchange(offer_pull, false)) {
    ready.pull_snapshot = pulling;
    ready.snapshot_source = pull_source;
  }
  return ready;
}

Persist Core::Impl::take_persist() {
  Persist persist;
  const HardState wanted{term, vote};
  if (wanted != handed) {
    persist.hard_state = wanted;
    handed = wanted;
  }
  if (install_unhanded) {
    persist.snapshot = installing;
    install_unhanded = false;
  } else if (!installing) {
    persist.truncate_from = log.take_truncation();
    persist.entries = log.take_unhanded();
  }
  if (!persist.empty()) persists.push(persist, now);
  if (MUTANT(skip_vote_persist) && persist.hard_state) persist.hard_state->vote = NodeId{};
  return persist;
}

// Messages that wait leave with this Persist, or if it is empty when those before it are durable.
void Core::Impl::route_waiting(Ready& ready) {
  std::vector<Message> messages = std::exchange(waiting, {});
  if (messages.empty()) return;
  if (MUTANT(S7_ack_after_term_change) && !persists.empty()) {
    persists.hold(std::move(messages));
  } else if (!ready.persist.empty()) {
    ready.send_after_stored = std::move(messages);
  } else if (!persists.empty()) {
    persists.hold(std::move(messages));
  } else {
    ready.send_now.insert(ready.send_now.end(), std::make_move_iterator(messages.begin()),
                          std::make_move_iterator(messages.end()));
  }
}

// Only what is durable here is applied: a state machine must never be ahead of its own log.
std::vector<Entry> Core::Impl::take_committed() {
  if (!can_apply()) return {};
  std::vector<Entry> entries =
      log.entries(emitted + 1, std::min(commit, log.stored()), options.apply_bytes_max);
  ASSERT_MSG(!entries.empty(), "entries were compacted before they were applied");
  ASSERT(entries.front().index == emitted + 1);
  emitted = entries.back().index;
  std::size_t bytes = 0;
  for (const Entry& entry : entries) bytes += entry.bytes();
  applying.emplace_back(emitted, bytes);
  applying_bytes += bytes;
  return entries;
}

Status Core::Impl::status() const {
  Status status;
  status.id = options.id;
  status.role = role;
  status.term = term;
  status.vote = vote;
  status.leader = leader;
  status.first = log.first();
  status.last = log.last();
  status.stored = log.stored();
  status.commit = commit;
  status.applied = applied_to;
  status.transferring = static_cast<bool>(transfer_target);
  status.transfer_target = transfer_target;
  status.membership = memberships.current();
  status.membership_committed = memberships.current_index() <= commit;
  status.installing_snapshot = installing.has_value();
  for (const auto& [id, member] : progress) {
    const bool self = id == options.id;
    status.snapshot_wanted = status.snapshot_wanted || member.snapshot_wanted;
    status.members.push_back({id, member.match(), member.next(), self ? applied_to : member.applied,
                              member.state(), self || member.active()});
  }
  return status;
}

// --- the public shell ---

Core::Core(const CoreOptions& options, const InitialState& initial, const LogReader& log,
           Random& random)
    : impl_{std::make_unique<Impl>(options, initial, log, random)} {}
Core::~Core() = default;
Core::Core(Core&&) noexcept = default;

void Core::tick() {
  impl_->tick();
}

void Core::step(Message message) {
  impl_->step(std::move(message));
}

Result<Index> Core::propose(Bytes payload) {
  std::vector<Bytes> one;
  one.push_back(std::move(payload));
  return propose(std::move(one));
}

Result<Index> Core::propose(std::vector<Bytes> payloads) {
  std::vector<Entry> entries(payloads.size());
  for (std::size_t i = 0; i < payloads.size(); ++i) {
    entries[i].kind = EntryKind::batch;
    entries[i].payload = std::move(payloads[i]);
  }
  return impl_->propose(std::move(entries));
}

Result<Index> Core::propose_check() {
  std::vector<Entry> entries(1);
  entries[0].kind = EntryKind::check;
  return impl_->propose(std::move(entries));
}

Result<Index> Core::propose_membership(Membership next) {
  return impl_->propose_membership(std::move(next));
}

void Core::read_index(std::uint64_t context) {
  impl_->read_index(context);
}

Result<void> Core::transfer(NodeId to) {
  return impl_->transfer(to);
}

void Core::set_draining(bool draining) {
  impl_->draining = draining;
}

void Core::set_quarantined(bool quarantined) {
  impl_->quarantined = quarantined;
  if (quarantined && impl_->role == CoreRole::leader) impl_->tick_handover();
}

void Core::report_unreachable(NodeId peer) {
  impl_->report_unreachable(peer);
}

void Core::stored(const PersistMark& mark) {
  impl_->stored(mark);
}

void Core::applied(Index index) {
  impl_->applied(index);
}

void Core::snapshot_received(const SnapshotMeta& snapshot, bool ok) {
  impl_->snapshot_received(snapshot, ok);
}

bool Core::has_ready() const {
  return impl_->has_ready();
}

Ready Core::take_ready() {
  return impl_->take_ready();
}

ElectionTimer Core::election_timer() const {
  return {impl_->election_elapsed, impl_->election_timeout};
}

Status Core::status() const {
  return impl_->status();
}

NodeId Core::leader() const {
  return impl_->leader;
}

CoreRole Core::role() const {
  return impl_->role;
}

Term Core::term() const {
  return impl_->term;
}

const Membership& Core::membership() const {
  return impl_->memberships.current();
}

std::uint64_t Core::strangers_dropped() const {
  return impl_->strangers;
}

Index Core::needed_from() const {
  return impl_->needed_from();
}

}  // namespace mainstay::consensus
