#include "tests/harness/sim_node.hpp"

#include <algorithm>

#include "runtime/base/mutant.hpp"
#include "runtime/wire/codec.hpp"
#include "tests/harness/describe.hpp"

namespace mainstay::harness {

using consensus::Entry;
using consensus::Index;
using consensus::Membership;
using consensus::Message;
using consensus::Persist;
using consensus::Ready;
using consensus::RecordedCore;

SimNode::SimNode(SimWorld world, NodeId id, const std::filesystem::path& directory,
                 NodeSettings settings)
    : world_{world}, id_{id}, disk_{directory}, settings_{settings} {}

SimNode::~SimNode() {
  disk_.detach();
}

// --- life and death ---

void SimNode::guarded(const std::function<void()>& what) {
  try {
    what();
  } catch (const NodeStopped& stopped) {
    world_.trace.mark("stopped", id_.value);
    world_.trace.say(id_.value, "stops itself: {}", to_string(stopped.error));
    if (!trouble_expected_ && !disk_.cut_happened() && !disk_.failure_happened())
      throw Violation{"a node stops only for a reason", to_string(stopped.error)};
    damaged_ = damaged_ || stopped.error.code == Errc::corrupt;
    // After a failed sync the page cache may live on: crash() decides.
    crash(disk_.cut_happened() ? !kill_in_write_ : !disk_.failure_happened());
    return;
  }
  if (state_ != State::down && disk_.cut_happened()) crash(!kill_in_write_);
}

void SimNode::demand(const Result<void>& done, const char* doing) {
  if (!done)
    throw NodeStopped{Error{done.error().code, std::string{doing} + ": " + done.error().message}};
}

void SimNode::enter(std::uint64_t life, std::function<void()> what) {
  if (life != life_ || state_ == State::down) return;
  if (state_ == State::paused)
    backlog_.push_back(std::move(what));
  else
    guarded(what);
}

void SimNode::after(SimTime delay, std::function<void()> what) {
  world_.scheduler.after(delay,
                         [this, life = life_, what = std::move(what)] { enter(life, what); });
}

void SimNode::form(const Membership& initial) {
  demand(store_->form(world_.cluster, initial), "form");
}

store::StoreOptions SimNode::store_options() const {
  store::StoreOptions options;
  options.directory = disk_.directory();
  options.node = id_;
  options.log_map_bytes = 64 << 20;
  options.record_map_bytes = 256 << 20;
  options.apply = settings_.apply;
  options.free_bytes_min = options.free_bytes_resume = 0;
  options.locked = options.background = false;
  options.journal_bytes = 32 << 10;  // small: checkpoints come often
  options.fatal = [](const Error& error) { throw NodeStopped{error}; };
  return options;
}

Incarnation SimNode::prepare() {
  auto opened = store::NodeStore::open(store_options(), world_.random);
  if (!opened) throw NodeStopped{opened.error()};
  store_ = std::move(*opened);
  incarnation_ = store_->identity().incarnation;
  return incarnation_;
}

bool SimNode::prepare_empty() {
  try {
    prepare();
    form(Membership{});
    if (!disk_.cut_happened()) return true;
  } catch (const NodeStopped& stopped) {
    world_.trace.say(id_.value, "cannot make its store: {}", to_string(stopped.error));
  }
  disk_.detach();
  store_.reset();
  disk_.wipe();
  disk_.clear_cut();
  disk_.clear_failure();
  disk_.attach();
  return false;
}

void SimNode::start() {
  ++life_;
  state_ = State::up;
  guarded([this] {
    if (!store_) prepare();
    const store::LogStore& log = store_->log();
    world_.invariants.opened(key(), log, log.hard_state());
    consensus::InitialState initial = store_->initial_state();
    applied_ = store_->records().applied();
    if (applied_ < altered_at_) altered_at_ = 0;  // a power cut took it back
    if (applied_ > 0) look_through(4);
    applied_membership_ = log.start_membership();
    for (const Entry& entry : log.membership_entries())
      if (entry.index <= applied_) applied_membership_ = *entry.membership;
    last_snapshot_ = log.snapshot().index;
    last_compacted_ = applied_;
    settings_.core.id = id_;
    settings_.core.incarnation = incarnation_;
    core_random_ = std::make_unique<SeededRandom>(world_.random.next());
    core_ = std::make_unique<RecordedCore>(settings_.core, initial, log, *core_random_);
    boot_ = BootId{world_.random.next() | 1};
    // Not the same after a restart: late answers to questions of the former life are still on their
    // way.
    next_context_ = world_.random.next() | 1;
    role_ = core().role();
    world_.trace.mark("start", id_.value, applied_, log.last_index());
    world_.trace.say(id_.value, "starts: log {}..{} applied {} term {}", log.first_index(),
                     log.last_index(), applied_, log.hard_state().term);
    pump();
    after(world_.random.between(0, settings_.tick), [this] { tick(); });
  });
}

void SimNode::die_in_write(std::uint64_t operations, bool power) {
  kill_in_write_ = !power;
  disk_.cut_after(operations);
}

void SimNode::crash(bool power) {
  if (state_ == State::down) return;
  world_.trace.mark(power ? "power cut" : "kill", id_.value);
  ++life_;
  state_ = State::down;
  disk_.detach();
  if (core_) last_recording_ = core_->recording();
  core_.reset();
  store_.reset();
  std::size_t lost = 0;
  // A failed disk may have lost what the page cache showed, or shows it to the next life still.
  const bool forgets = disk_.failure_happened() && world_.random.between(0, 1) == 0;
  if (power || forgets) lost = disk_.power_cut(world_.random);
  world_.trace.say(id_.value, "{}; {} unsynced blocks and changes lost",
                   power ? "power cut" : "killed", lost);
  disk_.clear_cut();
  disk_.clear_failure();
  disk_.attach();
  world_.invariants.crashed(key());
  persists_.clear();
  to_apply_.clear();
  reads_.clear();
  waiting_.clear();
  commands_.clear();
  batches_.clear();
  backlog_.clear();
  pull_.reset();
  agreement_ = record::Agreement{};
  disk_busy_ = apply_busy_ = commands_due_ = batches_due_ = false;
  quarantined_ = alter_next_ = false;
}

void SimNode::verify_log() {
  enter(life_, [this] { demand(store_->log().verify(), "verify"); });
}

void SimNode::lose_disk() {
  world_.trace.mark("lose disk", id_.value);
  world_.trace.say(id_.value, "gets a new, empty disk");
  start_over();
  disk_.wipe();
}

void SimNode::pause() {
  if (state_ == State::up) state_ = State::paused;
}

void SimNode::resume() {
  if (state_ != State::paused) return;
  state_ = State::up;
  const std::uint64_t life = life_;
  for (auto& what : std::exchange(backlog_, {})) enter(life, std::move(what));
}

// --- the replica's loop ---

void SimNode::tick() {
  core_->tick();
  pump();
  after(settings_.tick, [this] { tick(); });
  // Pages of the last checkpoint are not used again: without a next one the file only grows.
  if (++ticks_ % (settings_.sync_every / settings_.tick + 1) == 0)
    demand(store_->records().sync_in_background(), "record sync");
  // Nothing may be applied for long while somebody waits for a snapshot.
  if (ticks_ % 16 == 0) maintain();
  // Others may have come to where this one is only now.
  if (ticks_ % 16 == 0 && is_altered(applied_)) look_through(1);
}

void SimNode::operate(const std::function<void(RecordedCore&)>& what) {
  enter(life_, [this, what] {
    what(*core_);
    pump();
  });
}

void SimNode::pump() {
  while (core().has_ready()) take(core_->take_ready());
  world_.invariants.after_input(key(), core());
  world_.trace.mark("state", id_.value, core().term(), static_cast<int>(core().role()));
  if (core().role() != role_) {
    role_ = core().role();
    world_.trace.say(id_.value, "is {} of term {}", to_string(role_), core().term());
    if (on_role_) on_role_(*this, role_);
  }
  start_disk();
  start_apply();
  serve_reads();
}

void SimNode::take(Ready ready) {
  world_.invariants.on_ready(key(), core(), ready);
  for (const Message& message : ready.send_now) send(message);
  for (Entry& entry : ready.committed) to_apply_.push_back(std::move(entry));
  for (const consensus::ReadState& state : ready.reads) {
    const auto at = reads_.find(state.context);
    if (at == reads_.end()) continue;
    if (state.index == 0) {
      PendingRead refused = std::move(at->second);
      reads_.erase(at);
      refused.on_view(nullptr);
      continue;
    }
    world_.invariants.on_read(at->second.committed_at_start, state.index);
    at->second.index = state.index;
    at->second.confirmed = true;
  }
  if (ready.pull_snapshot) start_pull(*ready.pull_snapshot, ready.snapshot_source);
  if (ready.persist.empty() && persists_.empty()) {
    for (const Message& message : ready.send_after_stored) send(message);
  } else if (!ready.persist.empty() || !ready.send_after_stored.empty()) {
    if (MUTANT(replica_sends_before_stored))
      for (const Message& message : std::exchange(ready.send_after_stored, {})) send(message);
    if (world_.trace.wanted() && !ready.persist.empty())
      world_.trace.say(id_.value, "to disk: {}", describe(ready.persist));
    persists_.push_back({std::move(ready.persist), std::move(ready.send_after_stored)});
  }
}

void SimNode::send(const Message& message) {
  world_.invariants.on_send(key(), message);
  world_.network.send(id_, message.to, message);
}

// --- the log writer ---

void SimNode::start_disk() {
  if (disk_busy_ || persists_.empty()) return;
  disk_busy_ = true;
  const std::size_t count = persists_.size();
  after(world_.random.between(settings_.disk_min, settings_.disk_max),
        [this, count] { write_disk(count); });
}

void SimNode::write_disk(std::size_t count) {
  std::vector<const Persist*> group;
  for (std::size_t i = 0; i < count; ++i)
    if (!persists_[i].persist.empty()) group.push_back(&persists_[i].persist);
  world_.trace.mark("write", id_.value, group.size());
  if (!group.empty()) {
    world_.invariants.writing(key(), group);
    demand(store_->log().write(group), "log write");
    if (disk_.cut_happened()) return;
    world_.invariants.written(key());
    world_.trace.say(id_.value, "on disk: {} writes", group.size());
    for (const Persist* persist : group)
      if (persist->snapshot) install(*persist->snapshot);
    if (disk_.cut_happened()) return;
  }
  after(world_.random.between(settings_.report_min, settings_.report_max),
        [this, count] { write_report(count); });
}

void SimNode::write_report(std::size_t count) {
  disk_busy_ = false;
  bool installed = false;
  for (std::size_t i = 0; i < count; ++i) {
    const PendingPersist done = std::move(persists_.front());
    persists_.pop_front();
    for (const Message& message : done.messages) send(message);
    const bool report = !settings_.report_last_only || i + 1 == count;
    if (report && !done.persist.empty()) core_->stored(done.persist.mark);
    installed = installed || done.persist.snapshot;
  }
  if (installed) tell_applied();
  pump();
}

// --- messages ---

void SimNode::deliver(NodeId from, const Parcel& parcel) {
  enter(life_, [this, from, parcel] {
    if (const auto* message = std::get_if<Message>(&parcel)) {
      core_->step(*message);
      pump();
    } else if (const auto* propose = std::get_if<ProposeParcel>(&parcel)) {
      on_propose(propose->batch);
    } else if (const auto* ask = std::get_if<SnapshotAsk>(&parcel)) {
      on_snapshot_ask(from, *ask);
    } else if (const auto* piece = std::get_if<SnapshotPiece>(&parcel)) {
      on_snapshot_piece(*piece);
    } else if (const auto* report = std::get_if<StateHashParcel>(&parcel)) {
      on_state_hash(from, *report);
    } else {
      core_->report_unreachable(from);
      pump();
    }
  });
}

}  // namespace mainstay::harness
