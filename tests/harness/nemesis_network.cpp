// Faults of the network: cuts, partitions, answers that come late.
#include "tests/harness/simulation.hpp"

namespace mainstay::harness {

void Simulation::mend_later(SimTime delay) {
  scheduler_.after(delay, [this, epoch = mend_epoch_] {
    if (epoch != mend_epoch_) return;
    trace_.say(0, "all cuts are mended");
    network_.mend_all();
  });
}

void Simulation::partition() {
  std::set<NodeId> side;
  for (const auto& [id, node] : nodes_)
    if (random_->between(0, 1) == 0) side.insert(id);
  trace_.say(0, "partition: {} nodes apart", side.size());
  for (const auto& [a, node_a] : nodes_) {
    for (const auto& [b, node_b] : nodes_)
      if (side.contains(a) != side.contains(b)) network_.cut(a, b);
    // Clients sit on both sides.
  }
  mend_later(random_->between(30, 2'000) * sim_ms);
}

void Simulation::cut_one_way() {
  const SimNode* node = random_->between(0, 1) == 0 && leader() != nullptr ? leader() : random_up();
  if (node == nullptr) return;
  const bool into = random_->between(0, 1) == 0;
  const bool all = random_->between(0, 1) == 0;
  trace_.say(node->id().value, "cut {} {}", into ? "into" : "out of",
             all ? "it" : "it, some links");
  for (const auto& [id, other] : nodes_) {
    if (!all && random_->between(0, 1) == 0) continue;
    if (into)
      network_.cut(id, node->id());
    else
      network_.cut(node->id(), id);
  }
  mend_later(random_->between(30, 2'000) * sim_ms);
}

// The leader goes on taking commands that it cannot commit; one follower may still hear it.
void Simulation::isolate_leader() {
  const SimNode* node = leader();
  if (node == nullptr) return;
  if (random_->between(0, 2) == 0) {
    late_answers(node->id());
    return;
  }
  const bool leave_one = random_->between(0, 1) == 0;
  bool left = false;
  trace_.say(node->id().value, "leader is cut off{}", leave_one ? " but for one" : "");
  for (const auto& [id, other] : nodes_) {
    if (id == node->id()) continue;
    if (leave_one && !left && random_->between(0, 1) == 0) {
      left = true;
      network_.cut(id, node->id());
      continue;
    }
    network_.cut(id, node->id());
    network_.cut(node->id(), id);
  }
  mend_later(random_->between(30, 1'500) * sim_ms);
}

// Nobody hears the leader any more, but answers that were given before keep arriving: it must not
// take them for news while another one leads already. Reads come to it at that time.
void Simulation::late_answers(NodeId leading) {
  trace_.say(leading.value, "nobody hears it; answers to it come late");
  for (const auto& [id, other] : nodes_) {
    if (id == leading) continue;
    network_.stall(id, leading, random_->between(180, 420) * sim_ms);
    scheduler_.after(random_->between(0, 60) * sim_ms, [this, leading, to = id] {
      if (chaos_) network_.cut(leading, to);
    });
  }
  for (int round = 0; round < 6; ++round)
    scheduler_.after(random_->between(150, 450) * sim_ms, [this, leading] {
      SimNode& node = *nodes_.at(leading);
      if (chaos_ && node.leads()) workload_->read_all(node);
    });
  mend_later(random_->between(450, 900) * sim_ms);
}

void Simulation::strike_network(Fault) {
  SimNode* node = random_up();
  if (node != nullptr) links_close(*node);
}

}  // namespace mainstay::harness
