// The Persists that were handed to the log writer and are not yet durable, oldest first, with the
// messages that wait for them.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "runtime/consensus/core.hpp"

namespace mainstay::consensus {

struct PendingPersist {
  PersistMark mark;
  // Its completion makes the log durable up to here. Lowered by truncations that came after it, so
  // that the completion of overwritten entries cannot acknowledge their successors, not even ones
  // of equal index and term that were written again later.
  Index stores_to = 0;
  std::optional<HardState> hard_state;
  std::optional<SnapshotMeta> snapshot;
  std::uint64_t tick = 0;     // when it was handed over
  std::vector<Message> held;  // acknowledgements made later, waiting for this one too
};

class PersistQueue {
 public:
  bool empty() const { return pending_.empty(); }
  // Gives `persist` its mark and remembers it. REQUIRES: !persist.empty().
  void push(Persist& persist, std::uint64_t tick);
  // Messages that may leave only when everything handed over so far is durable. REQUIRES: !empty().
  void hold(std::vector<Message> messages);
  // The log was truncated: completions still under way say nothing about `from` and later.
  void truncated(Index from);
  // Everything up to `mark` is durable: group commits may report only their last. Marks already
  // reported give nothing.
  std::vector<PendingPersist> complete(const PersistMark& mark);
  // Ticks that the oldest one has been waiting.
  std::uint64_t oldest_age(std::uint64_t tick) const;

 private:
  std::deque<PendingPersist> pending_;
  std::uint64_t sequence_ = 0;
};

}  // namespace mainstay::consensus
