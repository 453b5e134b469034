// Members that come and go, and what strikes when roles change.
#include <algorithm>

#include "tests/harness/describe.hpp"
#include "tests/harness/simulation.hpp"

namespace mainstay::harness {

using consensus::Member;
using consensus::MemberRole;
using consensus::Membership;

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
  leading.operate([&](consensus::RecordedCore& core) {
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
  if (leading == nullptr || newcomer_ || at_risk_ || !retired_.empty() || someone_may_be_put_out())
    return;
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
  leading->operate([&](consensus::RecordedCore& core) {
    const auto proposed = core.propose_membership(next);
    trace_.say(leading->id().value, "membership {}: {}", describe(next),
               proposed ? "proposed" : to_string(proposed.error()));
  });
}

}  // namespace mainstay::harness
