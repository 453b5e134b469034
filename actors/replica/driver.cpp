#include "actors/replica/driver.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "actors/replica/membership_change.hpp"
#include "runtime/base/log.hpp"
#include "runtime/wire/codec.hpp"

namespace mainstay::replica {

using consensus::CoreRole;
using consensus::Entry;
using consensus::EntryKind;
using consensus::Message;
using consensus::Ready;

namespace {

// Ticks that were missed while the process was held up are made up only as far as they do no harm:
// more than this at once could start an election before the leader's waiting messages are read.
constexpr std::uint32_t catch_up_ticks_max = limits::election_ms_min / limits::tick_ms / 2;

std::size_t bytes_of(const Message& message) {
  std::size_t bytes = 256;
  for (const Entry& entry : message.entries) bytes += entry.bytes();
  return bytes;
}

}  // namespace

Driver::Driver(const DriverOptions& options, const consensus::InitialState& initial,
               const consensus::LogReader& log, Random& random, Effects& effects)
    : options_{options}, effects_{effects}, core_{options.core, initial, log, random} {}

void Driver::tick(std::uint32_t periods) {
  for (std::uint32_t i = 0; i < std::min(periods, catch_up_ticks_max); ++i) core_.tick();
  if (ticks_to_check_ > periods) {
    ticks_to_check_ -= periods;
    return;
  }
  ticks_to_check_ = options_.check_ticks;
  // Also when nothing changed, now and then: a scrub may have found what no write touches.
  const bool due = changed_since_check_ || ++idle_checks_ >= options_.idle_checks_max;
  if (core_->role() != CoreRole::leader || !due || !core_.propose_check()) return;
  changed_since_check_ = false;
  idle_checks_ = 0;
}

void Driver::step(std::vector<Message> messages) {
  for (Message& message : messages) core_.step(std::move(message));
}

void Driver::propose(Proposal proposal) {
  wire::ProposeReply refusal{proposal.id};
  if (core_->role() != CoreRole::leader)
    refusal.refused = Errc::not_leader;
  else if (proposals_.push(proposal))
    return;
  else
    refusal.refused = Errc::busy;
  answer(proposal, refusal);
}

void Driver::ask_read_point(std::uint64_t context) {
  core_.read_index(context);
}

void Driver::administer(NodeId from, const wire::AdminRequest& request) {
  AdminWait wait{from, request.id, 0, core_->term()};
  if (core_->role() != CoreRole::leader)
    return answer_admin(wait, fail(Errc::not_leader, "this node does not lead the group"));
  if (request.kind == wire::AdminRequest::Kind::transfer) {
    if (request.member.id == options_.core.id) return answer_admin(wait, {});
    if (auto started = core_.transfer(request.member.id); !started)
      return answer_admin(wait, std::move(started));
    admin_.push_back(wait);
    return;
  }
  auto plan = plan_change(core_->membership(), request);
  if (!plan) return answer_admin(wait, Failure{plan.error()});
  if (!*plan) return answer_admin(wait, {});
  const auto index = core_.propose_membership(std::move(**plan));
  if (!index) return answer_admin(wait, Failure{index.error()});
  wait.index = *index;
  admin_.push_back(wait);
}

// The joining node repeats its request until the leader feeds it: nothing to answer.
void Driver::join(NodeId from, const consensus::Member& member) {
  if (core_->role() != CoreRole::leader || from != member.id) return;
  const consensus::Status status = core_->status();
  const bool active =
      std::any_of(status.members.begin(), status.members.end(),
                  [from](const auto& one) { return one.id == from && one.recently_active; });
  auto plan = plan_join(core_->membership(), member, active);
  if (!plan) {
    log_warn("replica", "node {} asks to join: {}", member.id.value, plan.error().message);
  } else if (*plan) {
    const auto index = core_.propose_membership(std::move(**plan));
    if (index)
      log_info("replica", "takes in node {} with incarnation {:x}", member.id.value,
               member.incarnation.value);
  }
}

void Driver::stored(std::uint64_t sequence) {
  while (!in_flight_.empty() && in_flight_.front().mark.sequence <= sequence) {
    InFlight done = std::move(in_flight_.front());
    in_flight_.pop_front();
    core_.stored(done.mark);
    queue(std::move(done.messages));
    if (!done.snapshot) continue;
    installing_ = done.snapshot->index;
    effects_.install(*done.snapshot);
    if (!held_.empty()) effects_.apply(std::exchange(held_, {}));
  }
}

void Driver::applied(consensus::Index index, const std::vector<store::ApplyResult::Check>& checks) {
  core_.applied(index);
  if (index >= installing_) installing_ = 0;
  for (const auto& check : checks) {
    for (const consensus::Member& member : core_->membership().members)
      if (member.id != options_.core.id)
        effects_.send(member.id, member.incarnation,
                      wire::StateHashReport{check.index, check.hash});
    state_hash(options_.core.id, check.index, check.hash);
  }
}

void Driver::snapshot_received(const consensus::SnapshotMeta& snapshot, bool ok) {
  core_.snapshot_received(snapshot, ok);
}

void Driver::state_hash(NodeId from, consensus::Index index, const Hash128& hash) {
  judge(agreement_.report(index, from, hash, core_->membership().voters()));
}

void Driver::peer_up(NodeId peer) {
  connected_.insert(peer);
  changed_since_check_ = true;
}

void Driver::peer_down(NodeId peer) {
  connected_.erase(peer);
  core_.report_unreachable(peer);
}

void Driver::drain() {
  draining_ = true;
  core_.set_draining(true);
}

void Driver::run(std::uint64_t wall_millis) {
  if (core_->role() != CoreRole::leader) refuse_all(Errc::not_leader);
  propose_waiting(wall_millis);
  while (core_->has_ready()) {
    take_ready();
    propose_waiting(wall_millis);
  }
  watch_leader();
  finish_admin();
  flush_messages();
}

void Driver::take_ready() {
  Ready ready = core_.take_ready();
  queue(std::move(ready.send_now));
  if (!ready.persist.empty()) {
    // What may leave at once leaves before the disk is busy.
    flush_messages();
    in_flight_.push_back(
        {ready.persist.mark, std::move(ready.send_after_stored), ready.persist.snapshot});
    effects_.persist(std::move(ready.persist));
  } else if (in_flight_.empty()) {
    queue(std::move(ready.send_after_stored));
  } else {
    auto& waiting = in_flight_.back().messages;
    std::move(ready.send_after_stored.begin(), ready.send_after_stored.end(),
              std::back_inserter(waiting));
  }
  if (!ready.committed.empty()) take_committed(std::move(ready.committed));
  if (!ready.reads.empty()) effects_.read_points(std::move(ready.reads));
  if (ready.pull_snapshot) pull(*ready.pull_snapshot, ready.snapshot_source);
}

// While a snapshot that the log has switched to is not installed, its staged file must stay: a
// second one would take its place, and the node could not start again. The leader offers again.
void Driver::pull(const consensus::SnapshotMeta& snapshot, NodeId source) {
  if (installing_ != 0)
    core_.snapshot_received(snapshot, false);
  else
    effects_.pull(snapshot, source);
}

void Driver::take_committed(std::vector<Entry> entries) {
  changed_since_check_ =
      changed_since_check_ || std::any_of(entries.begin(), entries.end(), [](const Entry& entry) {
        return entry.kind == EntryKind::batch || entry.kind == EntryKind::membership;
      });
  const bool behind_snapshot =
      std::any_of(in_flight_.begin(), in_flight_.end(),
                  [](const InFlight& one) { return one.snapshot.has_value(); });
  if (behind_snapshot)
    std::move(entries.begin(), entries.end(), std::back_inserter(held_));
  else
    effects_.apply(std::move(entries));
}

void Driver::queue(std::vector<Message> messages) {
  for (Message& message : messages) outgoing_[message.to].push_back(std::move(message));
}

// All messages to one peer in one frame, several frames where that would be too large.
void Driver::flush_messages() {
  for (auto& [to, messages] : outgoing_) {
    wire::ConsensusMessages frame;
    std::size_t bytes = 0;
    Incarnation incarnation;
    for (Message& message : messages) {
      const std::size_t more = bytes_of(message);
      const bool full = bytes + more > limits::append_bytes_max ||
                        frame.messages.size() >= limits::frame_messages_max;
      if (!frame.messages.empty() && (full || message.to_incarnation != incarnation)) {
        effects_.send(to, incarnation, std::exchange(frame, {}));
        bytes = 0;
      }
      bytes += more;
      incarnation = message.to_incarnation;
      frame.messages.push_back(std::move(message));
    }
    if (!frame.messages.empty()) effects_.send(to, incarnation, std::move(frame));
  }
  outgoing_.clear();
}

void Driver::propose_waiting(std::uint64_t wall_millis) {
  while (!proposals_.empty() && core_->role() == CoreRole::leader &&
         in_flight_.size() < options_.persists_in_flight_max) {
    std::vector<Proposal> entry = proposals_.take_entry();
    std::vector<Bytes> batches;
    for (const Proposal& proposal : entry) batches.push_back(proposal.batch);
    const auto index = core_.propose(Bytes{wire::encode_log_batch(wall_millis, batches)});
    if (!index) {  // a transfer runs, or too much is uncommitted: wait here
      proposals_.put_back(std::move(entry));
      return;
    }
    for (const Proposal& proposal : entry)
      answer(proposal,
             wire::ProposeReply{proposal.id, true, Errc::internal, core_->term(), *index});
    if (core_->has_ready()) take_ready();
  }
}

void Driver::answer(const Proposal& proposal, wire::ProposeReply reply) {
  if (proposal.from)
    effects_.send(proposal.from, Incarnation{}, reply);
  else
    effects_.batch_answered(reply);
}

void Driver::refuse_all(Errc why) {
  while (!proposals_.empty())
    for (const Proposal& proposal : proposals_.take_entry())
      answer(proposal, wire::ProposeReply{proposal.id, false, why});
}

void Driver::answer_admin(const AdminWait& wait, Result<void> result) {
  wire::AdminReply reply;
  reply.id = wait.id;
  reply.done = result.has_value();
  if (!result) {
    reply.refused = result.error().code;
    reply.message = result.error().message;
  }
  if (wait.from)
    effects_.send(wait.from, Incarnation{}, std::move(reply));
  else
    effects_.administered(reply);
}

void Driver::finish_admin() {
  if (admin_.empty()) return;
  const consensus::Status status = core_->status();
  const bool leads = status.role == CoreRole::leader;
  std::erase_if(admin_, [this, leads, &status](const AdminWait& wait) {
    const bool transfer = wait.index == 0;
    if (leads && status.term == wait.term) {
      if (transfer ? status.transferring : status.applied < wait.index) return false;
      answer_admin(wait, transfer ? Result<void>{fail(Errc::conflict,
                                                      "the other node did not take over in time")}
                                  : Result<void>{});
    } else if (transfer) {
      answer_admin(wait, {});
    } else {
      answer_admin(wait, fail(Errc::not_leader, "leadership changed on the way; ask again"));
    }
    return true;
  });
}

void Driver::watch_leader() {
  const NodeId leader = core_->leader();
  if (leader == known_leader_.leader && core_->term() == known_leader_.term) return;
  const bool other = leader != known_leader_.leader;
  const consensus::Member* member = core_->membership().find(leader);
  known_leader_ =
      LeaderChanged{leader, member != nullptr ? member->incarnation : Incarnation{}, core_->term()};
  if (core_->role() == CoreRole::leader) {
    changed_since_check_ = true;
    log_info("replica", "leads term {}", core_->term());
  } else if (other && leader) {
    log_info("replica", "follows node {} in term {}", leader.value, core_->term());
  } else if (other) {
    log_info("replica", "knows no leader in term {}", core_->term());
  }
  effects_.leader_changed(known_leader_);
}

void Driver::judge(const std::optional<record::Verdict>& verdict) {
  if (!verdict || verdict->index < checked_index_) return;
  no_majority_ = verdict->no_majority;
  hashes_agree_ = verdict->differing.empty() && !no_majority_;
  if (!no_majority_) checked_index_ = verdict->index;
  if (no_majority_)
    log_error("replica", "no majority shares a state hash at index {}", verdict->index);
  const auto& differing = verdict->differing;
  if (std::find(differing.begin(), differing.end(), options_.core.id) == differing.end() ||
      quarantined_)
    return;
  quarantined_ = true;
  core_.set_quarantined(true);
  const std::string evidence = "the state hash of node " + to_string(options_.core.id) +
                               " at index " + std::to_string(verdict->index) +
                               " differs from the majority's";
  log_error("replica", "{}: it stops serving and voting", evidence);
  effects_.quarantined(evidence);
}

View Driver::view() const {
  View view;
  view.status = core_->status();
  view.incarnation = options_.core.incarnation;
  view.connected.assign(connected_.begin(), connected_.end());
  view.checked_index = checked_index_;
  view.hashes_agree = hashes_agree_;
  view.no_majority = no_majority_;
  view.quarantined = quarantined_;
  view.draining = draining_;
  const consensus::Member* self = view.status.membership.find(options_.core.id);
  view.member = self != nullptr && self->incarnation == options_.core.incarnation;
  return view;
}

}  // namespace mainstay::replica
