// One seed: a cluster, its clients and its nemesis in virtual time. Chaos first; then, when the
// plan demands liveness, a healed majority must make progress while the rest stays faulty; then
// everything heals, the replicas must agree, and what the clients saw is judged.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "tests/harness/corruption.hpp"
#include "tests/harness/plan.hpp"
#include "tests/harness/sim_node.hpp"
#include "tests/harness/workload.hpp"

namespace mainstay::harness {

struct SeedOptions {
  std::uint64_t seed = 1;
  std::uint32_t nodes = 0;  // 0: mixed
  bool liveness = false;
  std::ostream* transcript = nullptr;
  const Corruption* corruption = nullptr;  // the only fault then
};

struct SeedResult {
  bool failed = false;
  std::string invariant;
  std::string what;
  std::uint64_t trace_hash = 0;
  std::uint64_t events = 0;
  SimTime simulated = 0;
  std::uint64_t committed = 0;
  std::uint64_t elections = 0;
  std::uint64_t calls = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t undecided = 0;
  std::uint64_t faults = 0;
  std::uint64_t revisions = 0;  // commits that changed records
  std::uint64_t changes = 0;    // that readers of the feed saw
  std::uint64_t quarantines = 0;
  std::vector<DamageOutcome> outcomes;  // of a corruption, by victim
};

SeedResult run_seed(const SeedOptions& options);

class Simulation {
 public:
  explicit Simulation(const SeedOptions& options);
  ~Simulation();

  // Throws Violation.
  void run();
  SimNode& node(NodeId id) { return *nodes_.at(id); }
  std::vector<NodeId> node_ids() const;
  void report(SeedResult& result) const;

 private:
  // --- simulation.cpp ---
  void make_cluster();
  void run_for(SimTime duration);
  bool run_until(SimTime duration, const std::function<bool()>& done);
  void demand_progress();
  void flood(std::uint64_t number);
  void converge();
  void final_checks();
  std::vector<NodeId> pick_majority();
  void heal_faults();
  std::string state_of_cluster() const;
  void settle_differences(bool by_checks);
  SimNode& add_node(NodeId id, const consensus::Membership* initial);
  SimNode* reachable_node();
  SimNode* leader() const;
  SimNode* random_up();
  const consensus::Membership& latest_membership() const;
  void restart_later(SimNode& node, SimTime delay);
  void bring_up(SimNode& node);
  bool is_member(const SimNode& node) const;
  void links_close(SimNode& node);

  // --- corruption.cpp ---
  void corrupt();
  std::vector<SimNode*> pick_victims(std::uint32_t count);
  void damage_files(const Corruption& corruption, std::vector<SimNode*>& victims);
  DamageOutcome probe(SimNode& node);
  void begin_anew(SimNode& node, DamageOutcome why);
  void watch_victims(const std::vector<SimNode*>& victims);

  // --- nemesis.cpp ---
  void start_nemesis();
  void schedule(Fault fault);
  void strike(Fault fault);
  void strike_process(Fault fault);
  void strike_network(Fault fault);
  void strike_disk(Fault fault);
  void strike_leadership(Fault fault);
  void ask_to_hand_over();
  void race_of_candidates(SimNode& leading);
  void partition();
  void cut_one_way();
  void isolate_leader();
  void late_answers(NodeId leading);
  void mend_later(SimTime delay);
  void lose_disk(SimNode& node);
  void damage(SimNode& node);
  void damage_journal(SimNode& node);
  void on_quarantined(SimNode& node);
  bool someone_differs() const;
  bool someone_may_be_put_out() const;
  void stale_write_race();
  void chase_leader();
  void change_membership();
  void on_role(SimNode& node, consensus::CoreRole role);
  void retire_when_removed(NodeId id);
  bool propose_replacement(SimNode& leader);
  void admit(NodeId id);
  bool disks_may_be_lost() const;

  SeedOptions options_;
  std::unique_ptr<SeededRandom> random_;
  Plan plan_;
  Scheduler scheduler_;
  Trace trace_;
  SimNetwork network_;
  Invariants invariants_;
  Model model_;
  SimWorld world_;
  std::string root_;
  std::map<NodeId, std::unique_ptr<SimNode>> nodes_;
  std::unique_ptr<Workload> workload_;
  bool chaos_ = true;
  bool flooding_ = false;
  std::set<NodeId> excluded_;   // stay faulty in the liveness phase
  std::set<NodeId> retired_;    // removed for good, or waiting to be taken in again
  std::set<NodeId> reachable_;  // for clients; empty: all
  NodeId at_risk_;              // a bit of its log was flipped, not found yet
  NodeId newcomer_;             // started with an empty disk, not yet a member
  std::uint64_t faults_ = 0;
  std::uint64_t quarantines_ = 0;
  std::uint64_t mend_epoch_ = 0;
  std::map<NodeId, DamageOutcome> outcomes_;  // of a corruption's victims
};

// Runs it to its end, good or bad.
SeedResult run(Simulation& simulation);

}  // namespace mainstay::harness
