#include "actors/replica/replica.hpp"

#include <utility>

#include "actors/kit/errors.hpp"
#include "runtime/base/log.hpp"
#include "runtime/wire/codec.hpp"

namespace mainstay::replica {

namespace {

constexpr std::uint32_t ticks_per_publish = 5;  // 50 ms

// In a signal handler.
bool write_last_words(void* driver, int descriptor) {
  return static_cast<Driver*>(driver)->last_words(
      [](void* to, std::string_view piece) {
        sys::write_when_dying(*static_cast<int*>(to), piece);
      },
      &descriptor);
}

}  // namespace

Replica::Replica(caf::actor_config& config, ReplicaOptions options, const consensus::LogReader& log,
                 Random& random, const sys::Clock& clock, metrics::NodeMetrics& metrics,
                 std::shared_ptr<Published<View>> view, std::shared_ptr<storage::Board> board,
                 std::shared_ptr<const Ports> ports)
    : kit::NetworkActor{config},
      options_{std::move(options)},
      clock_{clock},
      metrics_{metrics},
      view_{std::move(view)},
      board_{std::move(board)},
      ports_{std::move(ports)},
      driver_{options_.driver, options_.initial, log, random, *this} {
  if (!options_.crash_dump.empty())
    crash_dump_.emplace(options_.crash_dump, write_last_words, &driver_);
}

caf::behavior Replica::make_behavior() {
  kit::route_errors(*this, "replica", [this] {
    if (ports_->last_inputs) ports_->last_inputs(driver_.dump());
  });
  publish();
  if (options_.own_ticker)
    ticker_.emplace(caf::actor_cast<caf::actor>(this), Millis{limits::tick_ms});
  return {
      [this](kit::Tick& tick) { on_tick(tick); },
      [this](RunEffects) { on_run_effects(); },
      [this](peer_link::FrameReceived& received) { on_frame(received); },
      [this](const storage::PersistDone& event) { driver_.stored(event.sequence), soon(); },
      [this](const storage::AppliedUpTo& event) {
        driver_.applied(event.index, event.checks), soon();
      },
      [this](const storage::SnapshotPulled& event) {
        driver_.snapshot_received(event.snapshot, event.ok), soon();
      },
      [this](ProposeBatch& batch) { on_propose_batch(batch); },
      [this](const AskReadPoint& ask) { driver_.ask_read_point(ask.context), soon(); },
      [this](const Administer& ask) { driver_.administer(NodeId{}, ask.request), soon(); },
      [this](const DumpInputs& ask) { ask.done(driver_.dump()); },
      [this](StartDraining) { driver_.drain(), soon(); },
      [this](const peer_link::PeerUp& up) { driver_.peer_up(up.node), soon(); },
      [this](const peer_link::PeerDown& down) { driver_.peer_down(down.node), soon(); },
      [](const peer_link::PeerCongested&) {},
  };
}

void Replica::on_exit() {
  ticker_.reset();
}

void Replica::on_tick(kit::Tick& tick) {
  // Until here, not until it was sent: what holds up this thread counts, too.
  metrics_.tick_lateness.observe(
      std::chrono::duration<double>(clock_.monotonic() - tick.due).count());
  if (tick.periods > 1) metrics_.tick_late.add(tick.periods - 1);
  driver_.tick(tick.periods);
  ticks_since_publish_ += tick.periods;
  tick.in_flight.reset();
  soon();
}

void Replica::on_frame(peer_link::FrameReceived& received) {
  wire::Frame& frame = received.frame;
  if (auto* messages = std::get_if<wire::ConsensusMessages>(&frame.body))
    driver_.step(std::move(messages->messages));
  else if (const auto* request = std::get_if<wire::ProposeRequest>(&frame.body))
    on_propose_request(frame.from, *request);
  else if (const auto* report = std::get_if<wire::StateHashReport>(&frame.body))
    driver_.state_hash(frame.from, report->index, report->hash);
  else if (const auto* admin = std::get_if<wire::AdminRequest>(&frame.body))
    driver_.administer(frame.from, *admin);
  else if (const auto* join = std::get_if<wire::JoinRequest>(&frame.body))
    driver_.join(frame.from, join->member);
  soon();
}

void Replica::on_propose_batch(ProposeBatch& batch) {
  if (batch.needs_space && no_space())
    batch_answered(wire::ProposeReply{batch.id, false, Errc::storage_full});
  else if (!wire::decode_batch(batch.batch))
    batch_answered(wire::ProposeReply{batch.id, false, Errc::invalid_argument});
  else
    driver_.propose(Proposal{NodeId{}, batch.id, std::move(batch.batch), batch.commands});
  soon();
}

// Only a leader's word counts: what it takes in, everybody must store.
bool Replica::no_space() const {
  return board_->disk_low && driver_.core().role() == consensus::CoreRole::leader;
}

// What would not decode on every replica must never get into the log.
void Replica::on_propose_request(NodeId from, const wire::ProposeRequest& request) {
  const auto batch = wire::decode_batch(request.batch);
  if (batch && batch->origin == from && needs_space(*batch) && no_space())
    return send(from, Incarnation{}, wire::ProposeReply{request.id, false, Errc::storage_full});
  if (batch && batch->origin == from && !batch->commands.empty())
    return driver_.propose(Proposal{from, request.id, request.batch, batch->commands.size()});
  log_warn("replica", "node {} sent a batch that is not one", from.value);
  send(from, Incarnation{}, wire::ProposeReply{request.id, false, Errc::invalid_argument});
}

// The message to itself goes to the end of the mailbox: what came meanwhile is taken in first, so
// that one round of effects serves all of it.
void Replica::soon() {
  if (!std::exchange(scheduled_, true)) caf::event_based_actor::send(this, RunEffects{});
}

void Replica::on_run_effects() {
  scheduled_ = false;
  driver_.run(time_to_propose());
  if (ticks_since_publish_ >= ticks_per_publish) publish();
}

std::uint64_t Replica::time_to_propose() {
  const bool leads = driver_.core().role() == consensus::CoreRole::leader;
  const bool before = wall_.held_back();
  const std::uint64_t wall = sys::millis_of(clock_.wall());
  const std::uint64_t bounded =
      wall_.bounded(wall, board_->replicated_millis, leads, clock_.monotonic());
  if (leads && wall_.held_back() && !before)
    log_warn("replica", "this node's clock is {} s ahead of what the group can follow at once",
             (wall - bounded) / 1000);
  return bounded;
}

void Replica::publish() {
  ticks_since_publish_ = 0;
  View view = driver_.view();
  if (view.status.leader) leader_contact_ = clock_.monotonic();
  view.leader_contact = leader_contact_;
  view.published = clock_.monotonic();
  board_->needed_from = driver_.core().needed_from();
  board_->snapshot_wanted =
      view.status.role == consensus::CoreRole::leader && view.status.snapshot_wanted;
  measure(view);
  view_->set(std::make_shared<const View>(std::move(view)));
}

void Replica::measure(const View& view) {
  const consensus::Status& status = view.status;
  metrics_.role.set(static_cast<double>(status.role));
  metrics_.term.set(static_cast<double>(status.term));
  metrics_.leader.set(static_cast<double>(status.leader.value));
  metrics_.log_first_index.set(static_cast<double>(status.first));
  metrics_.log_last_index.set(static_cast<double>(status.last));
  metrics_.commit_index.set(static_cast<double>(status.commit));
  metrics_.applied_index.set(static_cast<double>(status.applied));
  metrics_.checked_index.set(static_cast<double>(view.checked_index));
  metrics_.hashes_agree.set(view.hashes_agree ? 1 : 0);
  metrics_.hash_no_majority.set(view.no_majority ? 1 : 0);
  metrics_.quarantined.set(view.quarantined ? 1 : 0);
  metrics_.draining.set(view.draining ? 1 : 0);
  metrics_.queue_depth("proposals", driver_.proposals_waiting());
  metrics_.queue_depth("persists", driver_.persists_in_flight());
  metrics_.queue_depth("apply", status.commit - status.applied);
  for (const consensus::MemberStatus& member : status.members)
    metrics_.member_match(member.id.value, member.match);
  const std::uint64_t strangers = driver_.core().strangers_dropped();
  metrics_.strangers_dropped.add(
      static_cast<double>(strangers - std::exchange(strangers_, strangers)));
}

void Replica::persist(consensus::Persist persist) {
  ports_->log_writer(storage::WritePersist{std::move(persist)});
}

void Replica::apply(std::vector<consensus::Entry> entries) {
  ports_->applier(storage::ApplyEntries{std::move(entries)});
}

void Replica::install(const consensus::SnapshotMeta& snapshot) {
  ports_->installer(storage::InstallSnapshot{snapshot});
}

void Replica::pull(const consensus::SnapshotMeta& snapshot, NodeId source) {
  ports_->snapshots(storage::PullSnapshot{snapshot, source});
}

void Replica::send(NodeId to, Incarnation incarnation, wire::Body body) {
  ports_->send(to, incarnation, std::move(body));
}

void Replica::batch_answered(const wire::ProposeReply& reply) {
  (reply.accepted ? metrics_.proposals : metrics_.proposals_refused).add();
  ports_->batch_answered(BatchAnswered{reply});
}

void Replica::read_points(std::vector<consensus::ReadState> points) {
  ports_->read_points(ReadPoints{std::move(points)});
}

// Who asks what came of it shall see it.
void Replica::administered(const wire::AdminReply& reply) {
  publish();
  ports_->administered(AdministerReply{reply});
}

void Replica::leader_changed(const LeaderChanged& change) {
  metrics_.leader_changes.add();
  publish();
  ports_->leader_changed(change);
}

void Replica::quarantined(const std::string& evidence) {
  publish();
  ports_->quarantined(Quarantined{evidence});
}

}  // namespace mainstay::replica
