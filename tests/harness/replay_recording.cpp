#include "tests/harness/replay_recording.hpp"

#include <algorithm>
#include <deque>

#include <fmt/format.h>

#include "tests/harness/describe.hpp"
#include "tests/harness/memory_log.hpp"

namespace mainstay::harness {

using consensus::Core;
using consensus::CoreRole;
using consensus::Entry;
using consensus::EntryKind;
using consensus::Index;
using consensus::Input;
using consensus::Member;
using consensus::Message;
using consensus::MessageType;
using consensus::Persist;
using consensus::Ready;
using consensus::Recording;
using consensus::Status;
using consensus::Term;

namespace {

// Until it is armed, what makes the election timer that ran at the beginning; then what was drawn;
// then anything.
class DrawnRandom final : public Random {
 public:
  std::uint64_t next() override {
    if (!armed) return first_timer;
    return at_ < draws.size() ? draws[at_++] : rest_.next();
  }
  std::uint64_t first_timer = 0;
  std::vector<std::uint64_t> draws;
  bool armed = false;

 private:
  std::size_t at_ = 0;
  SeededRandom rest_{1};
};

class Replay {
 public:
  Replay(const Recording& recording, std::ostream& out)
      : start_{recording.start}, status_{recording.start.status}, out_{out} {
    random_.draws = recording.draws;
    const std::uint32_t shortest = start_.options.election_ticks_min;
    random_.first_timer = std::max(start_.timer.timeout, shortest) - shortest;
    build_log();
    consensus::InitialState initial;
    const bool led = status_.role == CoreRole::leader;
    initial.hard_state = led ? consensus::HardState{status_.term - 1, NodeId{}}
                             : consensus::HardState{status_.term, status_.vote};
    initial.membership = status_.membership;
    initial.applied = std::clamp(status_.applied, log_.first_index() - 1, log_.last_index());
    core_ = std::make_unique<Core>(start_.options, initial, log_, random_);
    if (led)
      lead();
    else if (status_.leader)
      hear_leader();
    if (!led) wait(start_.timer.elapsed);
    random_.armed = true;
    quiet_ = false;
    tell("begins as {} of term {}, log {}..{}, commit {}, applied {}, {}", to_string(core_->role()),
         core_->term(), status_.first, status_.last, status_.commit, status_.applied,
         describe(status_.membership));
  }

  void feed(const Input& input);
  Status status() const { return core_->status(); }

 private:
  void wait(std::uint64_t ticks) {
    for (std::uint64_t i = 0; i < ticks; ++i) {
      core_->tick();
      pump();
    }
  }

  template <class... Args>
  void tell(fmt::format_string<Args...> format, Args&&... args) {
    if (!quiet_) out_ << fmt::format(format, std::forward<Args>(args)...) << '\n';
  }

  Term term_at(Index index) const {
    Term term = start_.start_term;
    for (const auto& run : start_.terms)
      if (run.first <= index) term = run.term;
    return term;
  }

  // Entries without payload; a leader's own term comes from the election that is made up.
  void build_log() {
    log_ = MemoryLog{status_.membership};
    Persist begin;
    if (status_.first > 1) {
      begin.snapshot.emplace();
      begin.snapshot->index = status_.first - 1;
      begin.snapshot->term = start_.start_term;
      begin.snapshot->membership = status_.membership;
    }
    for (Index index = status_.first; index <= status_.last; ++index) {
      if (status_.role == CoreRole::leader && term_at(index) == status_.term) break;
      Entry entry;
      entry.index = index;
      entry.term = term_at(index);
      entry.kind = EntryKind::batch;
      begin.entries.push_back(entry);
    }
    log_.write(begin);
  }

  Message from(const Member& member, MessageType type, Term term) const {
    Message message;
    message.type = type;
    message.from = member.id;
    message.from_incarnation = member.incarnation;
    message.to = start_.options.id;
    message.to_incarnation = start_.options.incarnation;
    message.term = term;
    return message;
  }

  void lead() {
    for (int ticks = 0; ticks < 1000 && core_->role() == CoreRole::follower; ++ticks) core_->tick();
    pump();
    for (const MessageType type : {MessageType::pre_vote_reply, MessageType::vote_reply}) {
      for (const Member& member : status_.membership.members)
        if (member.id != start_.options.id) core_->step(from(member, type, status_.term));
      pump();
      complete_all();
    }
    while (core_->role() == CoreRole::leader && core_->status().last < status_.last)
      if (!core_->propose(Bytes{})) break;
    pump();
    complete_all();
    for (const consensus::MemberStatus& follower : status_.members) {
      const Member* member = status_.membership.find(follower.id);
      if (member == nullptr || follower.id == start_.options.id || follower.match == 0) continue;
      Message reply = from(*member, MessageType::append_reply, status_.term);
      reply.index = follower.match;
      reply.applied = follower.applied;
      core_->step(reply);
    }
    pump();
    report_applied(status_.applied);
  }

  void hear_leader() {
    const Member* member = status_.membership.find(status_.leader);
    if (member == nullptr) return;
    Message heartbeat = from(*member, MessageType::heartbeat, status_.term);
    heartbeat.commit = std::min(status_.commit, log_.last_index());
    core_->step(heartbeat);
    pump();
    complete_all();
    report_applied(status_.applied);
  }

  void pump() {
    while (core_->has_ready()) take(core_->take_ready());
  }

  void take(Ready ready) {
    if (!ready.persist.empty()) tell("  writes {}", describe(ready.persist));
    for (const Message& message : ready.send_now) tell("  sends {}", describe(message));
    for (const Message& message : ready.send_after_stored)
      tell("  sends when stored {}", describe(message));
    for (const consensus::ReadState& read : ready.reads)
      tell("  read {} {}", read.context,
           read.index == 0 ? "refused" : "may be served at " + std::to_string(read.index));
    if (ready.pull_snapshot)
      tell("  pulls snapshot {} from n{}", ready.pull_snapshot->index, ready.snapshot_source.value);
    if (!ready.committed.empty()) {
      emitted_ = ready.committed.back().index;
      tell("  gives out for applying {}..{}", ready.committed.front().index, emitted_);
    }
    if (!ready.persist.empty()) pending_.push_back(std::move(ready.persist));
  }

  void complete_oldest() {
    const Persist done = std::move(pending_.front());
    pending_.pop_front();
    log_.write(done);
    core_->stored(done.mark);
  }

  void complete_all() {
    while (!pending_.empty()) {
      complete_oldest();
      pump();
    }
  }

  // The recorded marks count from the start of that process; they are matched by what they stored.
  void complete_to(const consensus::PersistMark& mark) {
    const auto match = std::find_if(pending_.begin(), pending_.end(), [&](const Persist& persist) {
      return persist.mark.term == mark.term && persist.mark.last_index == mark.last_index;
    });
    const auto count = match == pending_.end() ? 1 : std::distance(pending_.begin(), match) + 1;
    for (auto i = count; i > 0 && !pending_.empty(); --i) complete_oldest();
  }

  void report_applied(Index index) {
    if (index <= emitted_) core_->applied(index);
  }

  void tell_input(const Input& input);

  const consensus::Checkpoint& start_;
  const Status& status_;
  std::ostream& out_;
  MemoryLog log_;
  DrawnRandom random_;
  std::unique_ptr<Core> core_;
  std::deque<Persist> pending_;
  Index emitted_ = 0;
  bool quiet_ = true;
};

void Replay::tell_input(const Input& input) {
  switch (input.kind) {
    case Input::Kind::tick:
      return tell("{} ticks", input.number);
    case Input::Kind::step:
      return tell("gets {}", describe(input.message));
    case Input::Kind::propose:
      return tell("is asked to propose {} entries", input.sizes.size());
    case Input::Kind::propose_check:
      return tell("is asked for a state check");
    case Input::Kind::propose_membership:
      return tell("is asked for the membership {}", describe(input.membership));
    case Input::Kind::read_index:
      return tell("is asked for read {}", input.number);
    case Input::Kind::transfer:
      return tell("is asked to hand over to n{}", input.number);
    case Input::Kind::draining:
      return tell("draining {}", input.number);
    case Input::Kind::quarantined:
      return tell("quarantined {}", input.number);
    case Input::Kind::unreachable:
      return tell("lost its connection to n{}", input.number);
    case Input::Kind::stored:
      return tell("hears that {}@t{} is stored", input.mark.last_index, input.mark.term);
    case Input::Kind::applied:
      return tell("hears that {} is applied", input.number);
    case Input::Kind::snapshot_received:
      return tell("hears of snapshot {}: {}", input.snapshot.index,
                  input.number != 0 ? "staged" : "failed");
  }
}

void Replay::feed(const Input& input) {
  const CoreRole before = core_->role();
  tell_input(input);
  std::vector<Bytes> payloads;
  for (std::uint64_t size : input.sizes) payloads.emplace_back(std::string(size, '\0'));
  switch (input.kind) {
    case Input::Kind::tick:
      wait(input.number);
      break;
    case Input::Kind::step: {
      Message message = input.message;
      for (std::size_t i = 0; i < message.entries.size() && i < payloads.size(); ++i)
        message.entries[i].payload = payloads[i];
      core_->step(std::move(message));
      break;
    }
    case Input::Kind::propose:
      if (const auto done = core_->propose(std::move(payloads)); !done)
        tell("  refused: {}", to_string(done.error().code));
      break;
    case Input::Kind::propose_check:
      if (const auto done = core_->propose_check(); !done)
        tell("  refused: {}", to_string(done.error().code));
      break;
    case Input::Kind::propose_membership:
      if (const auto done = core_->propose_membership(input.membership); !done)
        tell("  refused: {}", to_string(done.error().code));
      break;
    case Input::Kind::read_index:
      core_->read_index(input.number);
      break;
    case Input::Kind::transfer:
      if (const auto done = core_->transfer(NodeId{input.number}); !done)
        tell("  refused: {}", to_string(done.error().code));
      break;
    case Input::Kind::draining:
      core_->set_draining(input.number != 0);
      break;
    case Input::Kind::quarantined:
      core_->set_quarantined(input.number != 0);
      break;
    case Input::Kind::unreachable:
      core_->report_unreachable(NodeId{input.number});
      break;
    case Input::Kind::stored:
      complete_to(input.mark);
      break;
    case Input::Kind::applied:
      report_applied(input.number);
      break;
    case Input::Kind::snapshot_received:
      core_->snapshot_received(input.snapshot, input.number != 0);
      break;
  }
  pump();
  if (core_->role() != before) tell("is {} of term {}", to_string(core_->role()), core_->term());
}

}  // namespace

Status replay(const Recording& recording, std::ostream& out) {
  Replay replay{recording, out};
  for (const Input& input : recording.inputs) replay.feed(input);
  return replay.status();
}

}  // namespace mainstay::harness
