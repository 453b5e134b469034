// Random schedules over small clusters: lost, doubled and reordered messages, cuts, crashes between
// any two steps, slow disks, transfers, membership changes, compaction with snapshots. The full
// nemesis is tests/sim; this keeps the core honest by itself, in seconds.
#include <algorithm>

#include <gtest/gtest.h>

#include "runtime/base/random.hpp"
#include "runtime/consensus/invariants.hpp"
#include "tests/unit/consensus/cluster_fixture.hpp"

namespace mainstay::consensus::testing {
namespace {

class RandomRun {
 public:
  RandomRun(std::uint64_t size, std::uint64_t seed)
      : size_{size}, cluster_{size, seed}, random_{seed * 7919 + size} {
    for (std::uint64_t id = 1; id <= size_; ++id) {
      TestNode& one = cluster_[id];
      if (random_.between(0, 1) == 0) one.options.recent_bytes_max = 0;
      one.options.append_bytes_max = 200;
      one.options.inflight_appends_max = 4;
      one.options.promote_stable_ticks = 20;
      one.disk_waits = true;
      cluster_.restart(id);
    }
  }

  void chaos(int steps) {
    for (int i = 0; i < steps; ++i) {
      event();
      check();
    }
  }

  // Everything works again: there must be a leader, a commit, and equal logs.
  void heal() {
    cluster_.heal();
    loss_ = 0;
    for (std::uint64_t id = 1; id <= size_; ++id)
      if (!cluster_[id].core) cluster_.start(id);
    for (int i = 0; i < 3000; ++i) {
      for (std::uint64_t id = 1; id <= size_; ++id)
        if (cluster_[id].core && i % 10 == 0) cluster_[id].core->tick();
      for (int k = 0; k < 10; ++k) calm_step();
      check();
    }
  }

  bool recovered() {
    const auto leader = leader_id();
    if (leader == 0) return false;
    if (!cluster_[leader].core->propose(Bytes{std::string{"last"}})) return false;
    for (int i = 0; i < 400; ++i) calm_step();
    check();
    const Status top = cluster_[leader].status();
    for (const Member& one : top.membership.members) {
      const Status status = cluster_[one.id.value].status();
      if (status.applied != top.last || status.last != top.last) return false;
    }
    return true;
  }

 private:
  std::uint64_t any() { return random_.between(1, size_); }

  std::uint64_t leader_id() {
    std::uint64_t best = 0;
    for (std::uint64_t id = 1; id <= size_; ++id)
      if (cluster_[id].core && cluster_[id].core->role() == CoreRole::leader &&
          (best == 0 || cluster_[id].core->term() > cluster_[best].core->term()))
        best = id;
    return best;
  }

  void calm_step() {
    for (std::uint64_t id = 1; id <= size_; ++id) {
      cluster_.pump(id);
      while (cluster_.store_next(id)) cluster_.pump(id);
    }
    for (std::size_t n = cluster_.network.size(); n > 0; --n) cluster_.deliver_one();
  }

  void shuffle_one() {
    auto& queue = cluster_.network;
    if (queue.size() < 2) return;
    std::swap(queue.front(),
              queue[random_.between(0, std::min<std::size_t>(queue.size() - 1, 20))]);
  }

  void event() {
    const std::uint64_t id = any();
    TestNode& one = cluster_[id];
    const std::uint64_t dice = random_.between(0, 999);
    if (cluster_.network.size() > 400)
      cluster_.network.erase(cluster_.network.begin(), cluster_.network.begin() + 200);
    if (dice < 500) return deliver();
    if (!one.core) {
      if (dice < 700) cluster_.start(id);
      return;
    }
    if (dice < 700) return one.core->tick();
    if (dice < 860) return store(id);
    if (dice < 900) return propose(id);
    if (dice < 906) return cluster_.cut(id, any());
    if (dice < 910) return cut_leader_off();
    if (dice < 918) return cluster_.heal();
    if (dice < 924) return cluster_.stop(id);
    if (dice < 940) return static_cast<void>(one.core->transfer(NodeId{}));
    if (dice < 955) return change_membership(id);
    if (dice < 965) return compact(id);
    if (dice < 970) return one.core->report_unreachable(node(any()));
    if (dice < 985) return read(id);
    one.core->set_draining(random_.between(0, 4) == 0);
  }

  void deliver() {
    auto& queue = cluster_.network;
    for (auto burst = random_.between(1, 4); burst > 0 && !queue.empty(); --burst) {
      shuffle_one();
      if (random_.between(0, 9) == 0) queue.push_back(queue.front());
      if (random_.between(0, 99) < loss_)
        queue.pop_front();
      else
        cluster_.deliver_one();
      cluster_.pump(any());
    }
  }

  void store(std::uint64_t id) {
    cluster_.pump(id);
    cluster_.store_next(id);
    cluster_.pump(id);
  }

  void propose(std::uint64_t id) {
    const auto leader = random_.between(0, 3) == 0 ? id : leader_id();
    if (leader != 0 && cluster_[leader].core)
      static_cast<void>(cluster_[leader].core->propose(Bytes{"v" + std::to_string(++value_)}));
  }

  // The leader keeps at most one friend: entries that only a minority holds are what most bugs
  // need.
  void cut_leader_off() {
    const auto leader = leader_id();
    if (leader == 0) return;
    const auto friend_of_it = any();
    for (std::uint64_t id = 1; id <= size_; ++id) {
      if (id == leader || id == friend_of_it) continue;
      for (std::uint64_t inside : {leader, friend_of_it}) {
        cluster_.cut(inside, id);
        cluster_.cut(id, inside);
      }
    }
  }

  void read(std::uint64_t id) {
    read_floor_[++context_] = history_.empty() ? 0 : history_.rbegin()->first;
    cluster_[id].core->read_index(context_);
  }

  void change_membership(std::uint64_t id) {
    const auto leader = leader_id();
    if (leader == 0) return;
    Membership next = cluster_[leader].core->membership();
    const auto at = std::find_if(next.members.begin(), next.members.end(),
                                 [id](const Member& one) { return one.id == node(id); });
    if (at == next.members.end()) {
      next.members.push_back(member(id, MemberRole::learner));
      next.members.back().auto_promote = true;
      std::sort(next.members.begin(), next.members.end(),
                [](const Member& a, const Member& b) { return a.id < b.id; });
    } else if (random_.between(0, 1) == 0) {
      next.members.erase(at);
    } else {
      at->role = at->role == MemberRole::voter ? MemberRole::learner : MemberRole::voter;
    }
    static_cast<void>(cluster_[leader].core->propose_membership(next));
  }

  void compact(std::uint64_t id) {
    TestNode& one = cluster_[id];
    const Index to = one.durably_applied;
    if (to < one.disk.first_index() || !one.unstored.empty()) return;
    SnapshotMeta snapshot;
    snapshot.index = to;
    snapshot.term = *one.disk.term(to);
    snapshot.membership = one.disk.start_membership;
    for (const Entry& entry : one.disk.membership_entries())
      if (entry.index <= to) snapshot.membership = *entry.membership;
    snapshot.id = std::to_string(id) + "/" + std::to_string(to);
    one.disk.publish_snapshot(snapshot);
    one.disk.compact(to);
  }

  // One vote a term, over all lives of a node; nothing acknowledged that its disk does not hold.
  void check_messages() {
    for (const Message& one : cluster_.seen) {
      if (one.type == MessageType::vote_reply && !one.reject) {
        const auto given = votes_.emplace(std::pair{one.from, one.term}, one.to).first;
        ASSERT_EQ(given->second, one.to) << "node " << one.from.value << " voted twice in a term";
      }
      if (one.type == MessageType::append_reply && !one.reject) {
        ASSERT_LE(one.index, cluster_[one.from.value].disk.last_index())
            << "node " << one.from.value << " acknowledges what its disk does not hold";
      }
    }
    cluster_.forget();
  }

  // Applied entries are the same everywhere, for ever; the core's own invariants hold.
  void check() {
    cluster_.check();
    check_messages();
    for (std::uint64_t id = 1; id <= size_; ++id) {
      TestNode& one = cluster_[id];
      for (; seen_[id] < one.applied.size(); ++seen_[id]) {
        const Entry& entry = one.applied[seen_[id]];
        const auto [known, first] = history_.emplace(entry.index, entry);
        ASSERT_TRUE(first ||
                    (known->second.term == entry.term && known->second.payload == entry.payload))
            << "node " << id << " applied another entry " << entry.index;
      }
      for (const ReadState& state : std::exchange(one.reads, {})) {
        ASSERT_TRUE(state.index == 0 || state.index >= read_floor_.at(state.context))
            << "node " << id << " reads at " << state.index << " what was applied at "
            << read_floor_.at(state.context) << " when it asked";
      }
      if (!one.core) {
        last_status_.erase(id);
        continue;
      }
      const Status status = one.status();
      const auto before = last_status_.find(id);
      if (before != last_status_.end()) {
        ASSERT_EQ(violation(before->second, status), "");
      }
      last_status_[id] = status;
    }
  }

  std::uint64_t size_;
  Cluster cluster_;
  SeededRandom random_;
  std::uint64_t loss_ = 5;
  std::uint64_t value_ = 0;
  std::uint64_t context_ = 0;
  std::map<std::uint64_t, std::size_t> seen_;
  std::map<std::uint64_t, Status> last_status_;
  std::map<std::pair<NodeId, Term>, NodeId> votes_;
  std::map<Index, Entry> history_;             // everything that any node ever applied
  std::map<std::uint64_t, Index> read_floor_;  // by context: what a read must at least see
};

TEST(RandomRunsTest, NothingCommittedIsLostAndEveryRunRecovers) {
  const char* from = std::getenv("CORE_SEED");
  const std::uint64_t first = from != nullptr ? std::strtoull(from, nullptr, 10) : 1;
  const char* count = std::getenv("CORE_SEEDS");
  const std::uint64_t seeds = count != nullptr ? std::strtoull(count, nullptr, 10) : 40;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    const std::uint64_t size = std::vector<std::uint64_t>{3, 4, 5, 3}[seed % 4];
    SCOPED_TRACE("seed " + std::to_string(seed));
    if (count != nullptr) std::fprintf(stderr, "seed %lu\n", static_cast<unsigned long>(seed));
    RandomRun run{size, seed};
    run.chaos(10000);
    if (::testing::Test::HasFatalFailure()) return;
    run.heal();
    ASSERT_TRUE(run.recovered());
  }
}

}  // namespace
}  // namespace mainstay::consensus::testing
