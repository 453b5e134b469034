// The writes that wait on this node: batched towards the leader, sent again under the same
// operation ids through elections and lost replies, completed by what this node's own applier says,
// given up at each request's own deadline (promises P3 and P4). Passive: time and events come in as
// calls, batches go out as values. Owner: the gateway actor; one thread.
//
// Commands are told apart by the place they have in their batch, not by their operation id: a fence
// of an operation that waits here goes to the log as a command of its own, and whichever comes
// first there decides what both are answered.
//
// Life of a batch (a "flight"):
//   sent ── accepted(term, index) ── applied: the outcomes complete its operations
//     │          └─ lost for certain: something of a newer term, or something beyond its index, was
//     applied without it → sent again └─ refused, leader changed, or no reply in time → sent again;
//     should the old copy be applied after all, its outcomes count, and the
//        deduplication table answers the new copy
// An outcome that says busy is none: the entry had no time for the operation, which is sent again.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/time.hpp"
#include "runtime/record/state_machine.hpp"
#include "runtime/record/types.hpp"

namespace mainstay::gateway {

struct PendingOptions {
  NodeId node;
  BootId boot;
  std::uint64_t first_sequence =
      1;  // above every one used before in this boot (an earlier gateway's)
  std::size_t unanswered_batches_max = 4;  // sent, neither accepted nor refused yet
  // An unanswered batch is sent again after this. Long: a change of leader and a lost link send it
  // again at once, and copies would burden a leader that is only slow.
  Millis reply_timeout{2000};
  Millis retry_pause{10};  // after a refusal, until the next attempt
  Millis full_pause{200};  // after a refusal for lack of disk space, until space is asked for again
  Millis accepted_timeout{
      2000};  // an accepted batch of which nothing is heard is sent again after this
};

using OutcomeHandler = std::function<void(Result<record::Outcome>)>;

struct OutgoingBatch {
  std::uint64_t sequence = 0;
  record::Batch batch;
  bool resent = false;  // holds operations that were sent before
};

class PendingOperations {
 public:
  explicit PendingOperations(const PendingOptions& options)
      : options_{options}, next_sequence_{options.first_sequence} {}
  // Everything still waiting is answered outcome_unknown.
  ~PendingOperations();
  PendingOperations(const PendingOperations&) = delete;
  PendingOperations& operator=(const PendingOperations&) = delete;

  // `done` is called exactly once, from a later call on this object.
  void add(record::Command command, MonotonicTime now, MonotonicTime deadline, OutcomeHandler done);

  // The next batch for the leader; nothing when none waits, the window is full, or a refusal asks
  // for a pause. Call until nothing.
  std::optional<OutgoingBatch> next_batch(MonotonicTime now);

  void accepted(std::uint64_t sequence, std::uint64_t term, std::uint64_t index, MonotonicTime now);
  // `why` storage_full: the leader's disk is nearly full. What needs space and was sent only there
  // is answered so, the rest goes on. invalid_argument: no node takes this batch, now or later. Its
  // operations are sent one by one, and the one that is refused alone is answered so.
  void refused(std::uint64_t sequence, Errc why, MonotonicTime now);
  // Unanswered batches went to a node that may not lead any more.
  void leader_changed(MonotonicTime now);

  // This node has applied up to `index`, the last entry of `term`; `outcomes` are those of the
  // batches of this node and boot. Returns how many operations were completed. `jumped`: a snapshot
  // was installed, entries were skipped.
  std::size_t applied(std::uint64_t index, std::uint64_t term,
                      const std::vector<record::BatchOutcome>& outcomes, bool jumped,
                      MonotonicTime now);

  // Gives up operations past their deadline and re-sends what got no reply. Call every few
  // milliseconds while anything waits. Returns how many operations ended without a known outcome.
  std::size_t expire(MonotonicTime now);

  std::size_t waiting() const { return operations_.size(); }
  std::size_t queued() const { return queue_.size(); }
  // When the oldest waiting operation came in; `now` when none waits.
  MonotonicTime oldest(MonotonicTime now) const;

 private:
  using OperationId = std::uint64_t;  // counts up with each add()
  struct Operation {
    record::Command command;
    MonotonicTime added;
    MonotonicTime deadline;
    OutcomeHandler done;
    std::uint64_t flight = 0;   // the newest batch that holds it; 0: queued
    std::uint32_t flights = 0;  // how often it was sent: it may happen
    bool alone = false;         // was in a batch that cannot be taken: goes in one of its own
  };
  struct Flight {
    std::vector<OperationId> operations;  // in the order of the batch's commands
    MonotonicTime since;
    std::uint64_t term = 0;
    std::uint64_t index = 0;
    enum class State { unanswered, accepted, superseded } state = State::unanswered;
  };

  void requeue(std::uint64_t sequence, Flight& flight);
  bool idle(const Flight& flight) const;
  void forget_idle_flights();
  bool hold(OperationId id, Operation& operation);
  void refuse_as_invalid(const Flight& flight, std::uint64_t sequence);
  void refuse_for_space(const Flight& flight, std::uint64_t sequence);
  std::size_t complete(Flight& flight, const record::BatchOutcome& outcome);
  void finish(OperationId id, Result<record::Outcome> result);

  PendingOptions options_;
  std::uint64_t next_sequence_;
  std::uint64_t applied_index_ = 0;
  std::uint64_t applied_term_ = 0;
  OperationId next_operation_ = 1;
  MonotonicTime not_before_{};
  MonotonicTime full_until_{};  // the leader has no space
  std::size_t unanswered_ = 0;
  std::map<OperationId, Operation> operations_;  // oldest first
  std::deque<OperationId> queue_;                // may hold finished ones; skipped when met
  std::vector<OperationId> held_;                // within next_batch(): go back to the front
  std::map<std::uint64_t, Flight> flights_;
};

}  // namespace mainstay::gateway
