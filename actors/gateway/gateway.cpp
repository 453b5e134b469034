#include "actors/gateway/gateway.hpp"

#include <utility>

#include "actors/gateway/command_bytes.hpp"
#include "actors/kit/deadline.hpp"
#include "actors/kit/errors.hpp"
#include "runtime/base/log.hpp"
#include "runtime/wire/codec.hpp"

namespace mainstay::gateway {

namespace {

double seconds(MonotonicTime from, MonotonicTime to) {
  return std::chrono::duration<double>(to - from).count();
}

Millis millis(MonotonicTime from, MonotonicTime to) {
  return std::chrono::duration_cast<Millis>(to - from);
}

// Above everything an earlier gateway of this boot has used: it counts by one, this by nanoseconds.
std::uint64_t first_number(MonotonicTime now) {
  return static_cast<std::uint64_t>(now.time_since_epoch().count());
}

}  // namespace

Gateway::Gateway(caf::actor_config& config, const GatewayOptions& options,
                 std::shared_ptr<Inbox> inbox, std::shared_ptr<Admission> admission,
                 std::shared_ptr<const replica::Published<replica::View>> view,
                 std::shared_ptr<const storage::Board> board, metrics::NodeMetrics& metrics,
                 std::shared_ptr<const Ports> ports)
    : kit::NetworkActor{config},
      options_{options},
      inbox_{std::move(inbox)},
      admission_{std::move(admission)},
      view_{std::move(view)},
      board_{std::move(board)},
      metrics_{metrics},
      ports_{std::move(ports)} {
  const std::uint64_t first = first_number(kit::now_of(*this));
  PendingOptions pending;
  pending.node = options.node;
  pending.boot = options.boot;
  pending.first_sequence = first;
  operations_.emplace(pending);
  ReadBatcherOptions reads;
  reads.first_context = first;
  reads_.emplace(reads);
  reads_->applied(board_->applied, kit::now_of(*this));
  revisions_.emplace();
  look_who_leads();
}

caf::behavior Gateway::make_behavior() {
  kit::route_errors(*this, "gateway");
  send(this, InboxFilled{});
  return {
      [this](InboxFilled) { on_inbox_filled(); },
      [this](const replica::BatchAnswered& event) { on_batch_answered(event.reply); },
      [this](const replica::LeaderChanged& event) { on_leader_changed(event); },
      [this](const replica::ReadPoints& event) { on_read_points(event); },
      [this](const storage::OwnOutcomes& event) { on_own_outcomes(event); },
      [this](const peer_link::FrameReceived& received) {
        if (const auto* reply = std::get_if<wire::ProposeReply>(&received.frame.body))
          on_batch_answered(*reply);
      },
      [this](GatewayTick) { on_gateway_tick(); },
      [this](WaitTick) { on_wait_tick(); },
      [this](EndFeeds) { revisions_->end_feeds(); },
      [](const peer_link::PeerUp&) {},
      [this](const peer_link::PeerDown& down) { on_peer_down(down); },
      [](const peer_link::PeerCongested&) {},
  };
}

void Gateway::on_exit() {
  operations_.reset();
  reads_.reset();
  revisions_.reset();
}

// A LeaderChanged is lost while a restarted gateway is not in its place yet. The view is never
// older than one that arrives: the replica publishes first.
void Gateway::look_who_leads() {
  const auto shown = view_->get();
  const consensus::Status& status = shown->status;
  if (status.term < leader_.term ||
      (status.term == leader_.term && status.leader == leader_.leader))
    return;
  const consensus::Member* member = status.membership.find(status.leader);
  leader_ = replica::LeaderChanged{
      status.leader, member != nullptr ? member->incarnation : Incarnation{}, status.term};
  operations_->leader_changed(kit::now_of(*this));
}

void Gateway::on_inbox_filled() {
  look_who_leads();
  Inbox::Items items = inbox_->take();
  for (WriteRequest& request : items.writes) take(std::move(request));
  for (ReadRequest& request : items.reads) take(std::move(request));
  // The board first: what was applied before a request came is told by no event after it.
  revisions_->applied(board_->revision);
  for (RevisionRequest& request : items.revisions) take(std::move(request));
  pump();
}

void Gateway::take(WriteRequest request) {
  const MonotonicTime now = kit::now_of(*this);
  const std::size_t bytes = bytes_of(request.command);
  operations_->add(std::move(request.command), now, request.deadline,
                   [this, bytes, added = request.added,
                    done = std::move(request.done)](Result<record::Outcome> result) {
                     const MonotonicTime end = kit::now_of(*this);
                     admission_->leave(bytes);
                     ledger_.answered(millis(added, end), result.has_value());
                     if (result) metrics_.writes_acknowledged.add();
                     metrics_.write_latency.observe(seconds(added, end));
                     done(std::move(result));
                   });
}

void Gateway::take(ReadRequest request) {
  reads_->add(request.deadline,
              [this, added = request.added, done = std::move(request.done)](Result<void> result) {
                const MonotonicTime end = kit::now_of(*this);
                admission_->leave(0);
                ledger_.answered(millis(added, end), result.has_value());
                metrics_.read_barrier_latency.observe(seconds(added, end));
                done(std::move(result));
              });
}

void Gateway::take(RevisionRequest request) {
  if (request.feed)
    return revisions_->add(
        request.after, request.deadline, RevisionWaiters::Late::told,
        [this, done = std::move(request.done)](Result<record::Revision> revision) {
          admission_->leave_feed();
          done(std::move(revision));
        });
  revisions_->add(request.after, request.deadline, RevisionWaiters::Late::failed,
                  [this, added = request.added,
                   done = std::move(request.done)](Result<record::Revision> revision) {
                    const MonotonicTime end = kit::now_of(*this);
                    admission_->leave(0);
                    ledger_.answered(millis(added, end), revision.has_value());
                    metrics_.read_barrier_latency.observe(seconds(added, end));
                    done(std::move(revision));
                  });
}

void Gateway::pump() {
  const MonotonicTime now = kit::now_of(*this);
  if (leader_.leader)
    while (auto batch = operations_->next_batch(now)) propose(std::move(*batch));
  while (const auto context = reads_->next_round(now))
    ports_->ask_read_point(replica::AskReadPoint{*context});
  keep_ticking();
}

void Gateway::propose(OutgoingBatch out) {
  metrics_.batches_sent.add();
  if (out.resent) metrics_.batches_resent.add();
  const std::size_t commands = out.batch.commands.size();
  const bool needs_space = replica::needs_space(out.batch);
  Bytes bytes{wire::encode(out.batch)};
  if (leader_.leader == options_.node)
    ports_->propose(replica::ProposeBatch{out.sequence, std::move(bytes), commands, needs_space});
  else
    ports_->send(leader_.leader, leader_.incarnation,
                 wire::ProposeRequest{out.sequence, std::move(bytes)});
}

void Gateway::on_batch_answered(const wire::ProposeReply& reply) {
  const MonotonicTime now = kit::now_of(*this);
  if (reply.accepted)
    operations_->accepted(reply.id, reply.term, reply.index, now);
  else
    operations_->refused(reply.id, reply.refused, now);
  if (!reply.accepted && reply.refused == Errc::not_leader) look_who_leads();
  pump();
}

void Gateway::on_leader_changed(const replica::LeaderChanged& change) {
  leader_ = change;
  operations_->leader_changed(kit::now_of(*this));
  pump();
}

void Gateway::on_peer_down(const peer_link::PeerDown& down) {
  if (down.node != leader_.leader) return;
  operations_->leader_changed(kit::now_of(*this));
}

void Gateway::on_own_outcomes(const storage::OwnOutcomes& event) {
  const MonotonicTime now = kit::now_of(*this);
  const MonotonicTime waiting_since = operations_->oldest(now);
  if (operations_->applied(event.index, event.term, event.outcomes, event.jumped, now) > 0)
    ledger_.acknowledged(now, waiting_since);
  reads_->applied(event.index, now);
  revisions_->applied(board_->revision);
  pump();
}

void Gateway::on_read_points(const replica::ReadPoints& event) {
  const MonotonicTime now = kit::now_of(*this);
  for (const consensus::ReadState& point : event.points)
    reads_->read_point(point.context, point.index, now);
  pump();
}

void Gateway::on_gateway_tick() {
  ticking_ = false;
  const MonotonicTime now = kit::now_of(*this);
  const std::size_t unknown = operations_->expire(now);
  metrics_.writes_unknown.add(static_cast<double>(unknown));
  reads_->expire(now);
  pump();
  measure();
}

void Gateway::on_wait_tick() {
  wait_ticking_ = false;
  revisions_->expire(kit::now_of(*this));
  keep_ticking();
}

// An idle gateway has no timer, one that only feeds look at a slower one.
void Gateway::keep_ticking() {
  if (revisions_->waiting() > 0 && !std::exchange(wait_ticking_, true))
    delayed_send(this, options_.wait_tick, WaitTick{});
  if (ticking_ || (operations_->waiting() == 0 && reads_->waiting() == 0)) return;
  ticking_ = true;
  delayed_send(this, options_.tick, GatewayTick{});
}

void Gateway::measure() {
  metrics_.requests_waiting.set(static_cast<double>(admission_->requests()));
  metrics_.feeds_waiting.set(static_cast<double>(admission_->feeds()));
  metrics_.request_bytes_waiting.set(static_cast<double>(admission_->bytes()));
  metrics_.read_rounds.add(
      static_cast<double>(reads_->rounds() - std::exchange(rounds_, reads_->rounds())));
  metrics_.read_rounds_repeated.add(
      static_cast<double>(reads_->repeated() - std::exchange(repeated_, reads_->repeated())));
  metrics_.answered_in_time_ratio.set(ledger_.share_in_time());
  metrics_.longest_ack_gap.set(std::chrono::duration<double>(ledger_.longest_gap()).count());
}

}  // namespace mainstay::gateway
