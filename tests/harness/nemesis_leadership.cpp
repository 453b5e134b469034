// Leaders that are asked to step back, or are raced.
#include "tests/harness/simulation.hpp"

namespace mainstay::harness {

void Simulation::strike_leadership(Fault fault) {
  Random& random = *random_;
  SimNode* node = leader();
  if (fault == Fault::drain) {
    node = random_up();
    if (node == nullptr) return;
    trace_.say(node->id().value, "drains");
    node->operate([](consensus::RecordedCore& core) { core.set_draining(true); });
    scheduler_.after(random.between(50, 1'500) * sim_ms, [node] {
      node->operate([](consensus::RecordedCore& core) { core.set_draining(false); });
    });
    return;
  }
  if (node == nullptr) return;
  if (fault == Fault::check) {
    node->operate([](consensus::RecordedCore& core) {
      const auto proposed = core.propose_check();
      static_cast<void>(proposed);  // refused when it no longer leads: nothing to check then
    });
    return;
  }
  if (fault == Fault::transfer || random.between(0, 1) == 0) {
    ask_to_hand_over();
    return;
  }
  race_of_candidates(*node);
}

void Simulation::ask_to_hand_over() {
  SimNode* leading = leader();
  if (leading == nullptr) return;
  const std::vector<NodeId> voters = leading->core().membership().voters();
  NodeId to;
  if (!voters.empty() && random_->between(0, 3) != 0)
    to = voters[random_->between(0, voters.size() - 1)];
  trace_.say(leading->id().value, "is asked to hand over to n{}", to.value);
  leading->operate([to](consensus::RecordedCore& core) {
    const auto asked = core.transfer(to);
    static_cast<void>(asked);  // refusals are part of the game
  });
}

// The target of a transfer campaigns while its connections stall, the leader falls silent, and the
// others begin an election of their own: votes for one term cross each other.
void Simulation::race_of_candidates(SimNode& leading) {
  const std::vector<NodeId> voters = leading.core().membership().voters();
  if (voters.size() < 3) return;
  const NodeId target = voters[random_->between(0, voters.size() - 1)];
  trace_.say(leading.id().value, "is asked to hand over to n{}, whose connections stall",
             target.value);
  for (NodeId voter : voters)
    if (voter != target && random_->between(0, 3) != 0)
      network_.stall(target, voter, random_->between(20, 250) * sim_ms);
  leading.operate([target](consensus::RecordedCore& core) {
    const auto asked = core.transfer(target);
    static_cast<void>(asked);  // refusals are part of the game
  });
  SimNode* old = &leading;
  scheduler_.after(random_->between(1, 20) * sim_ms, [this, old] {
    if (!old->up()) return;
    links_close(*old);
    old->pause();
    scheduler_.after(random_->between(50, 400) * sim_ms, [this, old] {
      if (!excluded_.contains(old->id())) old->resume();
    });
  });
}

}  // namespace mainstay::harness
