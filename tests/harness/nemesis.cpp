// The faults of a simulation: when they strike and what they do.
#include "tests/harness/simulation.hpp"

namespace mainstay::harness {

void Simulation::start_nemesis() {
  for (std::size_t i = 0; i < fault_count; ++i)
    if (plan_.every[i] != 0) schedule(static_cast<Fault>(i));
}

void Simulation::schedule(Fault fault) {
  const SimTime mean = plan_.every[static_cast<std::size_t>(fault)];
  scheduler_.after(random_->between(mean / 4, 2 * mean), [this, fault] {
    if (!chaos_) return;
    ++faults_;
    trace_.mark("fault", static_cast<int>(fault));
    strike(fault);
    schedule(fault);
  });
}

void Simulation::strike(Fault fault) {
  switch (fault) {
    case Fault::kill:
    case Fault::power:
    case Fault::power_in_write:
    case Fault::power_all:
    case Fault::pause:
      strike_process(fault);
      break;
    case Fault::partition:
      partition();
      break;
    case Fault::one_way:
      cut_one_way();
      break;
    case Fault::isolate_leader:
      isolate_leader();
      break;
    case Fault::unseen:
      strike_network(fault);
      break;
    case Fault::slow_disk:
    case Fault::disk_error:
    case Fault::lost_disk:
    case Fault::damage:
    case Fault::differ:
      strike_disk(fault);
      break;
    case Fault::transfer:
    case Fault::storm:
    case Fault::drain:
    case Fault::check:
      strike_leadership(fault);
      break;
    case Fault::member:
      change_membership();
      break;
    case Fault::chase_leader:
      chase_leader();
      break;
    case Fault::election_crash:
    case Fault::hasty_member:
      break;  // strike when roles change: on_role()
  }
}

// --- processes ---

void Simulation::strike_process(Fault fault) {
  Random& random = *random_;
  if (fault == Fault::power_all) {
    trace_.say(0, "the power of all nodes is cut");
    for (auto& [id, node] : nodes_) {
      if (node->state() == SimNode::State::down) continue;
      node->crash(true);
      restart_later(*node, random.between(1, 300) * sim_ms);
    }
    return;
  }
  SimNode* node = random.between(0, 2) == 0 && leader() != nullptr ? leader() : random_up();
  if (node == nullptr) return;
  if (fault == Fault::pause) {
    trace_.say(node->id().value, "is paused");
    node->pause();
    scheduler_.after(random.between(20, 1'500) * sim_ms, [this, node] {
      if (excluded_.contains(node->id()) || node->state() != SimNode::State::paused) return;
      trace_.say(node->id().value, "goes on");
      node->resume();
    });
    return;
  }
  if (fault == Fault::power_in_write) {
    node->die_in_write(random.between(0, 30), random.between(0, 2) != 0);
    // The write in which it happens may be long in coming; whoever finds the node down starts it
    // again.
    scheduler_.after(random.between(50, 1'500) * sim_ms, [this, node] {
      node->disk().disarm_cut();
      if (!excluded_.contains(node->id())) bring_up(*node);
    });
    return;
  }
  // What was on its way to the old process may reach the new one.
  if (random.between(0, 2) == 0)
    for (const auto& [id, other] : nodes_)
      network_.stall(id, node->id(), random.between(1, 500) * sim_ms);
  const SimTime doomed_for = random.between(0, 20) * sim_ms;
  scheduler_.after(doomed_for, [this, node, fault] {
    if (!chaos_) return;
    node->crash(fault == Fault::power);
    if (random_->between(0, 1) == 0) links_close(*node);
    restart_later(*node, random_->between(1, 1'500) * sim_ms);
  });
}

// Kill the leader shortly after it was elected, again and again, so that entries of many terms lie
// around on minorities (figure 8 of the Raft paper).
void Simulation::chase_leader() {
  auto left = std::make_shared<std::uint64_t>(random_->between(2, 6));
  auto last_term = std::make_shared<consensus::Term>(0);
  auto hunt = std::make_shared<std::function<void()>>();
  *hunt = [this, left, last_term, weak = std::weak_ptr{hunt}] {
    const auto again = weak.lock();
    if (!chaos_ || *left == 0 || !again) return;
    SimNode* node = leader();
    if (node != nullptr && node->core().term() > *last_term) {
      *last_term = node->core().term();
      --*left;
      // A few of its messages get through to some of the others first.
      for (const auto& [id, other] : nodes_)
        if (id != node->id() && random_->between(0, 2) != 0) network_.cut(node->id(), id);
      scheduler_.after(random_->between(0, 40 * sim_ms), [this, node] {
        node->crash(random_->between(0, 1) == 0);
        for (const auto& [id, other] : nodes_) network_.mend(node->id(), id);
        restart_later(*node, random_->between(1, 700) * sim_ms);
      });
    }
    scheduler_.after(5 * sim_ms, [again] { (*again)(); });
  };
  (*hunt)();
}

}  // namespace mainstay::harness
