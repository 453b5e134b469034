#include "runtime/consensus/persist_queue.hpp"

#include <iterator>

#include "runtime/base/assert.hpp"
#include "runtime/base/mutant.hpp"

namespace mainstay::consensus {

void PersistQueue::push(Persist& persist, std::uint64_t tick) {
  ASSERT(!persist.empty());
  persist.mark.sequence = ++sequence_;
  if (!persist.entries.empty()) {
    persist.mark.term = persist.entries.back().term;
    persist.mark.last_index = persist.entries.back().index;
  }
  PendingPersist pending;
  pending.mark = persist.mark;
  pending.stores_to = persist.mark.last_index;
  pending.hard_state = persist.hard_state;
  pending.snapshot = persist.snapshot;
  pending.tick = tick;
  pending_.push_back(std::move(pending));
}

void PersistQueue::hold(std::vector<Message> messages) {
  ASSERT(!pending_.empty());
  auto& held = pending_.back().held;
  held.insert(held.end(), std::make_move_iterator(messages.begin()),
              std::make_move_iterator(messages.end()));
}

void PersistQueue::truncated(Index from) {
  if (MUTANT(stored_aba)) return;
  for (auto& pending : pending_) pending.stores_to = std::min(pending.stores_to, from - 1);
}

std::vector<PendingPersist> PersistQueue::complete(const PersistMark& mark) {
  std::vector<PendingPersist> done;
  ASSERT_MSG(mark.sequence <= sequence_, "a Persist was reported durable that was never made");
  while (!pending_.empty() && pending_.front().mark.sequence <= mark.sequence) {
    done.push_back(std::move(pending_.front()));
    pending_.pop_front();
  }
  if (!done.empty() && done.back().mark.sequence == mark.sequence)
    ASSERT_MSG(done.back().mark.term == mark.term && done.back().mark.last_index == mark.last_index,
               "a mark was changed on its way through the log writer");
  return done;
}

std::uint64_t PersistQueue::oldest_age(std::uint64_t tick) const {
  return pending_.empty() ? 0 : tick - pending_.front().tick;
}

}  // namespace mainstay::consensus
