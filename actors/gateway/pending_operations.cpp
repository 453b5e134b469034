#include "actors/gateway/pending_operations.hpp"

#include <algorithm>
#include <utility>

#include "actors/gateway/command_bytes.hpp"
#include "actors/replica/replica_api.hpp"
#include "runtime/base/limits.hpp"

namespace mainstay::gateway {

namespace {

constexpr const char* disk_full_text =
    "free disk space of the leading node is below the reserve; delete records or add space";

}  // namespace

PendingOperations::~PendingOperations() {
  while (!operations_.empty())
    finish(operations_.begin()->first, fail(Errc::outcome_unknown,
                                            "the node stopped before the outcome was known; ask "
                                            "again with the same Idempotency-Key"));
}

void PendingOperations::add(record::Command command, MonotonicTime now, MonotonicTime deadline,
                            OutcomeHandler done) {
  const OperationId id = next_operation_++;
  operations_.emplace(id, Operation{std::move(command), now, deadline, std::move(done)});
  queue_.push_back(id);
}

std::optional<OutgoingBatch> PendingOperations::next_batch(MonotonicTime now) {
  if (queue_.empty() || unanswered_ >= options_.unanswered_batches_max || now < not_before_)
    return std::nullopt;
  OutgoingBatch out;
  Flight flight;
  std::size_t bytes = 0;
  while (!queue_.empty() && flight.operations.size() < limits::batch_commands_max) {
    const auto at = operations_.find(queue_.front());
    if (at == operations_.end() || at->second.flight != 0) {
      queue_.pop_front();
      continue;
    }
    Operation& operation = at->second;
    if (now < full_until_ && hold(at->first, operation)) {
      queue_.pop_front();
      continue;
    }
    const std::size_t more = bytes_of(operation.command);
    const bool is_full = bytes + more > limits::batch_bytes_max / 2 || operation.alone;
    if (!flight.operations.empty() && is_full) break;
    bytes += more;
    out.resent = out.resent || operation.flights > 0;
    ++operation.flights;
    operation.flight = next_sequence_;
    out.batch.commands.push_back(operation.command);
    flight.operations.push_back(at->first);
    queue_.pop_front();
    if (operation.alone) break;
  }
  for (; !held_.empty(); held_.pop_back()) queue_.push_front(held_.back());
  if (flight.operations.empty()) return std::nullopt;
  flight.since = now;
  out.sequence = next_sequence_++;
  out.batch.origin = options_.node;
  out.batch.origin_boot = options_.boot;
  out.batch.sequence = out.sequence;
  flights_.emplace(out.sequence, std::move(flight));
  ++unanswered_;
  return out;
}

void PendingOperations::accepted(std::uint64_t sequence, std::uint64_t term, std::uint64_t index,
                                 MonotonicTime now) {
  const auto at = flights_.find(sequence);
  if (at == flights_.end() || at->second.state != Flight::State::unanswered) return;
  at->second.state = Flight::State::accepted;
  at->second.since = now;
  at->second.term = term;
  at->second.index = index;
  --unanswered_;
  // The answer came after the entry was applied here, or overwritten.
  if (term < applied_term_ || index <= applied_index_) requeue(sequence, at->second);
}

void PendingOperations::refused(std::uint64_t sequence, Errc why, MonotonicTime now) {
  const auto at = flights_.find(sequence);
  if (at == flights_.end() || at->second.state != Flight::State::unanswered) return;
  if (why == Errc::storage_full) {
    refuse_for_space(at->second, sequence);
    full_until_ = now + options_.full_pause;
  }
  if (why == Errc::invalid_argument) refuse_as_invalid(at->second, sequence);
  requeue(sequence, at->second);
  // A refused batch is in no log: it needs no memory.
  flights_.erase(at);
  not_before_ = now + options_.retry_pause;
}

void PendingOperations::leader_changed(MonotonicTime) {
  for (auto& [sequence, flight] : flights_)
    if (flight.state == Flight::State::unanswered) requeue(sequence, flight);
  not_before_ = MonotonicTime{};
  full_until_ = MonotonicTime{};  // the next leader has a disk of its own
}

std::size_t PendingOperations::applied(std::uint64_t index, std::uint64_t term,
                                       const std::vector<record::BatchOutcome>& outcomes,
                                       bool jumped, MonotonicTime) {
  applied_index_ = index;
  applied_term_ = term;
  std::size_t completed = 0;
  for (const record::BatchOutcome& outcome : outcomes) {
    const auto at = flights_.find(outcome.sequence);
    if (at == flights_.end()) continue;
    if (at->second.state == Flight::State::unanswered) --unanswered_;
    Flight flight = std::move(at->second);
    flights_.erase(at);
    completed += complete(flight, outcome);
  }
  for (auto& [sequence, flight] : flights_) {
    const bool lost =
        flight.state == Flight::State::accepted && (flight.term < term || flight.index <= index);
    if (lost || (jumped && flight.state == Flight::State::unanswered)) requeue(sequence, flight);
  }
  forget_idle_flights();
  return completed;
}

std::size_t PendingOperations::expire(MonotonicTime now) {
  for (auto& [sequence, flight] : flights_) {
    const bool silent = (flight.state == Flight::State::unanswered &&
                         now - flight.since >= options_.reply_timeout) ||
                        (flight.state == Flight::State::accepted &&
                         now - flight.since >= options_.accepted_timeout);
    if (silent) requeue(sequence, flight);
  }
  std::size_t unknown = 0;
  for (auto at = operations_.begin(); at != operations_.end();) {
    const auto [id, operation] = std::pair{at->first, &at->second};
    ++at;
    if (now < operation->deadline) continue;
    if (operation->flights > 0) {
      ++unknown;
      finish(id, fail(Errc::outcome_unknown,
                      "the deadline passed before the outcome was known; ask again with the same "
                      "Idempotency-Key"));
    } else {
      finish(id, fail(Errc::not_ready,
                      "the group had no leader until the deadline; nothing was changed"));
    }
  }
  forget_idle_flights();
  return unknown;
}

MonotonicTime PendingOperations::oldest(MonotonicTime now) const {
  return operations_.empty() ? now : operations_.begin()->second.added;
}

// While the leader's disk is nearly full: what needs space and was never sent is refused, what may
// have happened waits. False: it needs none.
bool PendingOperations::hold(OperationId id, Operation& operation) {
  if (!replica::needs_space(operation.command)) return false;
  if (operation.flights > 0)
    held_.push_back(id);
  else
    finish(id, fail(Errc::storage_full, disk_full_text));
  return true;
}

void PendingOperations::refuse_for_space(const Flight& flight, std::uint64_t sequence) {
  for (const OperationId id : flight.operations) {
    const auto at = operations_.find(id);
    if (at == operations_.end() || at->second.flight != sequence) continue;
    const Operation& operation = at->second;
    if (replica::needs_space(operation.command) && operation.flights == 1)
      finish(id, fail(Errc::storage_full, disk_full_text));
  }
}

// A copy that was sent before can have been taken no more than this one.
void PendingOperations::refuse_as_invalid(const Flight& flight, std::uint64_t sequence) {
  for (const OperationId id : flight.operations) {
    const auto at = operations_.find(id);
    if (at == operations_.end() || at->second.flight != sequence) continue;
    if (flight.operations.size() > 1)
      at->second.alone = true;
    else
      finish(id, fail(Errc::invalid_argument, "the leading node cannot take this operation"));
  }
}

// Its unfinished operations go to the front of the queue, in order. The flight stays known: its
// copy may be applied yet.
void PendingOperations::requeue(std::uint64_t sequence, Flight& flight) {
  if (flight.state == Flight::State::unanswered) --unanswered_;
  flight.state = Flight::State::superseded;
  for (auto id = flight.operations.rbegin(); id != flight.operations.rend(); ++id) {
    const auto at = operations_.find(*id);
    if (at == operations_.end() || at->second.flight != sequence) continue;
    at->second.flight = 0;
    queue_.push_front(*id);
  }
}

bool PendingOperations::idle(const Flight& flight) const {
  return std::none_of(flight.operations.begin(), flight.operations.end(),
                      [this](OperationId id) { return operations_.count(id) != 0; });
}

void PendingOperations::forget_idle_flights() {
  for (auto at = flights_.begin(); at != flights_.end();) {
    if (at->second.state == Flight::State::superseded && idle(at->second))
      at = flights_.erase(at);
    else
      ++at;
  }
}

std::size_t PendingOperations::complete(Flight& flight, const record::BatchOutcome& outcome) {
  std::size_t completed = 0;
  const std::size_t count = std::min(flight.operations.size(), outcome.outcomes.size());
  std::vector<OperationId> again;
  for (std::size_t i = 0; i < count; ++i) {
    const OperationId id = flight.operations[i];
    const auto at = operations_.find(id);
    if (at == operations_.end()) continue;
    if (outcome.outcomes[i].refused == Errc::busy) {
      if (at->second.flight == outcome.sequence) again.push_back(id);
      continue;
    }
    finish(id, outcome.outcomes[i]);
    ++completed;
  }
  for (auto id = again.rbegin(); id != again.rend(); ++id) {
    operations_.at(*id).flight = 0;
    queue_.push_front(*id);
  }
  return completed;
}

void PendingOperations::finish(OperationId id, Result<record::Outcome> result) {
  auto node = operations_.extract(id);
  node.mapped().done(std::move(result));
}

}  // namespace mainstay::gateway
