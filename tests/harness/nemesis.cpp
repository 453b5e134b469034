// The faults of a simulation: when they strike and what they do.
#include <cerrno>

#include "tests/harness/describe.hpp"
#include "tests/harness/simulation.hpp"

namespace mainstay::harness {

using consensus::Core;
using consensus::Member;
using consensus::MemberRole;
using consensus::Membership;

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
    node->disk().cut_after(random.between(0, 30));
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

// --- network ---

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

// --- disks ---

bool Simulation::disks_may_be_lost() const {
  // Never more than one member without its disk, and never while the membership is on the move.
  if (newcomer_ || at_risk_ || !retired_.empty()) return false;
  const Membership& members = invariants_.membership();
  if (members.voters().size() < 3) return false;
  for (const Member& member : members.members) {
    const auto at = nodes_.find(member.id);
    if (at != nodes_.end() && at->second->up() && !(at->second->core().membership() == members))
      return false;
    if (at == nodes_.end() || !at->second->up() || at->second->key().second != member.incarnation)
      return false;
    if (at->second->damaged()) return false;
  }
  return true;
}

void Simulation::strike_disk(Fault fault) {
  Random& random = *random_;
  SimNode* node = random.between(0, 1) == 0 && leader() != nullptr ? leader() : random_up();
  if (node == nullptr) return;
  if (fault == Fault::slow_disk) {
    if (random.between(0, 1) == 0 && leader() != nullptr) {
      stale_write_race();
      return;
    }
    trace_.say(node->id().value, "its disk is slow");
    node->settings().disk_min = random.between(5, 100) * sim_ms;
    node->settings().disk_max = node->settings().disk_min + random.between(0, 900) * sim_ms;
    scheduler_.after(random.between(100, 2'000) * sim_ms, [this, node] {
      node->settings().disk_min = plan_.node.disk_min;
      node->settings().disk_max = plan_.node.disk_max;
    });
  } else if (fault == Fault::disk_error) {
    node->disk().fail_after(random.between(0, 20), random.between(0, 1) == 0 ? EIO : ENOSPC);
    scheduler_.after(random.between(50, 1'500) * sim_ms, [this, node] {
      node->disk().clear_failure();
      if (!excluded_.contains(node->id())) bring_up(*node);
    });
  } else if (disks_may_be_lost() && is_member(*node)) {
    if (fault == Fault::lost_disk) {
      node->crash(true);
      lose_disk(*node);
    } else {
      damage(*node);
    }
  }
}

// One follower with a slow disk is the only one that still hears the leader; then the leader is
// gone, too: entries that only these two have are still on their way to the disk when another
// leader replaces them.
void Simulation::stale_write_race() {
  const SimNode* old = leader();
  std::vector<SimNode*> others;
  for (const auto& [id, node] : nodes_)
    if (id != old->id() && node->up()) others.push_back(node.get());
  if (others.empty()) return;
  SimNode* slow = others[random_->between(0, others.size() - 1)];
  trace_.say(slow->id().value, "its disk is slow, and only it hears n{}", old->id().value);
  slow->settings().disk_min = random_->between(100, 400) * sim_ms;
  slow->settings().disk_max = slow->settings().disk_min + random_->between(0, 400) * sim_ms;
  for (const SimNode* other : others) {
    if (other == slow) continue;
    network_.cut(old->id(), other->id());
    network_.cut(other->id(), old->id());
  }
  scheduler_.after(random_->between(20, 200) * sim_ms, [this, from = old->id(), to = slow->id()] {
    if (!chaos_) return;
    network_.cut(from, to);
    network_.cut(to, from);
  });
  mend_later(random_->between(500, 1'500) * sim_ms);
  scheduler_.after(random_->between(600, 2'000) * sim_ms, [this, slow] {
    slow->settings().disk_min = plan_.node.disk_min;
    slow->settings().disk_max = plan_.node.disk_max;
  });
}

// The node comes back with an empty disk: another incarnation, hence another member, that must be
// taken in.
void Simulation::lose_disk(SimNode& node) {
  if (at_risk_ == node.id()) at_risk_ = NodeId{};
  node.lose_disk();
  retired_.insert(node.id());
  scheduler_.after(random_->between(10, 500) * sim_ms, [this, id = node.id()] { admit(id); });
}

void Simulation::damage(SimNode& node) {
  const std::uint64_t number = random_->between(1, workload_->calls() + 1);
  if (!node.disk().flip_bit("log/data.mdb", "op-" + std::to_string(number), *random_)) return;
  trace_.say(node.id().value, "a bit flips in its log");
  node.expect_trouble(true);
  at_risk_ = node.id();
  // It is found at the latest when the log is opened again.
  SimNode* damaged = &node;
  scheduler_.after(random_->between(0, 300) * sim_ms, [this, damaged] {
    damaged->crash(false);
    restart_later(*damaged, random_->between(1, 100) * sim_ms);
  });
}

// --- leadership ---

void Simulation::strike_leadership(Fault fault) {
  Random& random = *random_;
  SimNode* node = leader();
  if (fault == Fault::drain) {
    node = random_up();
    if (node == nullptr) return;
    trace_.say(node->id().value, "drains");
    node->operate([](Core& core) { core.set_draining(true); });
    scheduler_.after(random.between(50, 1'500) * sim_ms,
                     [node] { node->operate([](Core& core) { core.set_draining(false); }); });
    return;
  }
  if (node == nullptr) return;
  if (fault == Fault::check) {
    node->operate([](Core& core) {
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
  leading->operate([to](Core& core) {
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
  leading.operate([target](Core& core) {
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

// --- membership ---

// A node with an empty disk starts; the change that takes it in is proposed until it is.
void Simulation::admit(NodeId id) {
  if (newcomer_ && newcomer_ != id) {
    scheduler_.after(200 * sim_ms, [this, id] { admit(id); });
    return;
  }
  SimNode& node = *nodes_.at(id);
  if (newcomer_ != id) {
    if (!node.prepare_empty()) {
      scheduler_.after(200 * sim_ms, [this, id] { admit(id); });
      return;
    }
    newcomer_ = id;
    retired_.erase(id);
    trace_.say(id.value, "starts empty as incarnation {}", node.key().second.value);
    node.start();
  }
  if (is_member(node)) {
    newcomer_ = NodeId{};
    return;
  }
  if (SimNode* leading = leader()) propose_replacement(*leading);
  scheduler_.after(random_->between(50, 300) * sim_ms, [this, id] { admit(id); });
}

bool Simulation::propose_replacement(SimNode& leading) {
  Membership next = leading.core().membership();
  Member member;
  member.id = newcomer_;
  member.incarnation = nodes_.at(newcomer_)->key().second;
  member.role = MemberRole::learner;
  member.auto_promote = true;
  member.peer_address = "n" + to_string(newcomer_) + ":1";
  member.api_address = "n" + to_string(newcomer_) + ":2";
  auto at = std::find_if(next.members.begin(), next.members.end(),
                         [&](const Member& each) { return each.id >= newcomer_; });
  if (at != next.members.end() && at->id == newcomer_) {
    if (at->incarnation == member.incarnation) return true;
    *at = member;
  } else {
    next.members.insert(at, member);
  }
  leading.operate([&](Core& core) {
    const auto proposed = core.propose_membership(next);
    trace_.say(leading.id().value, "membership {}: {}", describe(next),
               proposed ? "proposed" : to_string(proposed.error()));
  });
  return true;
}

void Simulation::retire_when_removed(NodeId id) {
  scheduler_.after(random_->between(100, 1'000) * sim_ms, [this, id] {
    SimNode& node = *nodes_.at(id);
    if (invariants_.membership().find(id) != nullptr || retired_.contains(id) || newcomer_ == id)
      return;
    trace_.say(id.value, "was removed and is switched off");
    node.crash(false);
    if (at_risk_ == id) at_risk_ = NodeId{};
    retired_.insert(id);
    node.lose_disk();
    scheduler_.after(random_->between(100, 1'500) * sim_ms, [this, id] { admit(id); });
  });
}

// Faults that hit in the short moments around an election.
void Simulation::on_role(SimNode& node, consensus::CoreRole role) {
  if (!chaos_) return;
  if (role == consensus::CoreRole::candidate && plan_.on(Fault::election_crash)) {
    ++faults_;
    for (const auto& [id, other] : nodes_) {
      if (id == node.id() || random_->between(0, 1) == 0) continue;
      SimNode* victim = other.get();
      scheduler_.after(random_->between(0, 5 * sim_ms), [this, victim] {
        if (!chaos_ || !victim->up()) return;
        victim->crash(random_->between(0, 1) == 0);
        restart_later(*victim, random_->between(0, 8 * sim_ms));
      });
    }
  }
  if (role == consensus::CoreRole::leader && plan_.on(Fault::hasty_member)) {
    ++faults_;
    const std::uint64_t times = random_->between(1, 3);
    for (std::uint64_t i = 0; i < times; ++i)
      scheduler_.after(random_->between(0, 4 * sim_ms), [this] { change_membership(); });
  }
}

void Simulation::change_membership() {
  SimNode* leading = leader();
  if (leading == nullptr || newcomer_ || at_risk_ || !retired_.empty()) return;
  const Membership current = leading->core().membership();
  const std::uint64_t choice = random_->between(0, 3);
  if (choice == 0 && current.members.size() < plan_.nodes + 2) {
    const NodeId id{nodes_.rbegin()->first.value + 1};
    if (id.value > plan_.nodes + 6) return;
    add_node(id, nullptr);
    admit(id);
    return;
  }
  if (current.members.empty()) return;
  Membership next = current;
  const std::size_t place = random_->between(0, next.members.size() - 1);
  Member& member = next.members[place];
  const std::size_t voters = current.voters().size();
  if (choice == 1 && (voters > 2 || member.role == MemberRole::learner)) {
    const NodeId gone = member.id;
    next.members.erase(next.members.begin() + static_cast<std::ptrdiff_t>(place));
    retire_when_removed(gone);
  } else if (choice == 2 && member.role == MemberRole::voter && voters > 2) {
    member.role = MemberRole::learner;
    member.auto_promote = random_->between(0, 1) == 0;
  } else if (member.role == MemberRole::learner) {
    member.role = MemberRole::voter;
    member.auto_promote = false;
  } else {
    return;
  }
  leading->operate([&](Core& core) {
    const auto proposed = core.propose_membership(next);
    trace_.say(leading->id().value, "membership {}: {}", describe(next),
               proposed ? "proposed" : to_string(proposed.error()));
  });
}

}  // namespace mainstay::harness
