#include "tests/harness/simulation.hpp"

#include <algorithm>
#include <filesystem>

#include <unistd.h>

#include "tests/harness/audit.hpp"
#include "tests/harness/collections.hpp"
#include "tests/harness/describe.hpp"

namespace mainstay::harness {

using consensus::CoreRole;
using consensus::Member;
using consensus::MemberRole;
using consensus::Membership;

namespace {

// How long a healed majority may take: elections of both kinds, a snapshot transfer, the client's
// own pauses between attempts.
constexpr SimTime progress_time_max = 20 * 300 * sim_ms;
constexpr SimTime convergence_time_max = 30 * sim_second;

std::string fresh_root() {
  static std::uint64_t count = 0;
  const std::filesystem::path base =
      std::filesystem::exists("/dev/shm") ? "/dev/shm" : std::filesystem::temp_directory_path();
  return base / ("mainstay-sim-" + std::to_string(::getpid()) + "-" + std::to_string(++count));
}

}  // namespace

SeedResult run_seed(const SeedOptions& options) {
  Simulation simulation{options};
  return run(simulation);
}

SeedResult run(Simulation& simulation) {
  SeedResult result;
  try {
    simulation.run();
  } catch (const Violation& violation) {
    result.failed = true;
    result.invariant = violation.invariant();
    result.what = violation.what();
  } catch (const NodeStopped& stopped) {
    result.failed = true;
    result.invariant = "a node stops only for a reason";
    result.what = result.invariant + ": " + to_string(stopped.error);
  }
  simulation.report(result);
  return result;
}

std::vector<NodeId> Simulation::node_ids() const {
  std::vector<NodeId> ids;
  for (const auto& [id, node] : nodes_) ids.push_back(id);
  return ids;
}

Simulation::Simulation(const SeedOptions& options)
    : options_{options},
      random_{std::make_unique<SeededRandom>(options.seed)},
      plan_{options.corruption == nullptr
                ? draw_plan(*random_, options.seed, options.nodes, options.liveness)
                : draw_calm_plan(*random_, options.nodes)},
      trace_{scheduler_, options.transcript},
      network_{scheduler_, *random_, trace_,
               [this](NodeId from, NodeId to, const Parcel& parcel) {
                 if (const auto at = nodes_.find(to); at != nodes_.end())
                   at->second->deliver(from, parcel);
               }},
      model_{plan_.node.apply},
      world_{scheduler_,
             *random_,
             trace_,
             network_,
             invariants_,
             model_,
             ClusterId{{random_->next(), random_->next()}}},
      root_{fresh_root()} {
  // What a killed process with the same number left behind.
  std::filesystem::remove_all(root_);
  network_.set_faults(plan_.network);
}

Simulation::~Simulation() {
  workload_.reset();
  nodes_.clear();
  std::error_code ignored;  // a test directory: nothing depends on its removal
  std::filesystem::remove_all(root_, ignored);
}

void Simulation::report(SeedResult& result) const {
  result.trace_hash = trace_.hash();
  result.events = scheduler_.events();
  result.simulated = scheduler_.now();
  result.committed = invariants_.committed();
  result.elections = invariants_.leaders_seen();
  result.faults = faults_;
  result.quarantines = quarantines_;
  for (const auto& [id, outcome] : outcomes_) result.outcomes.push_back(outcome);
  if (!workload_) return;
  result.calls = workload_->calls();
  result.acknowledged = workload_->acknowledged();
  result.undecided = workload_->undecided();
  result.revisions = model_.revision();
  result.changes = workload_->changes_read();
}

void Simulation::run() {
  trace_.say(0, "seed {}: {}", options_.seed, describe(plan_));
  make_cluster();
  workload_ = std::make_unique<Workload>(world_, plan_, [this] { return reachable_node(); });
  workload_->start();
  start_nemesis();
  run_for(plan_.chaos);
  if (options_.corruption != nullptr) corrupt();
  chaos_ = false;
  if (plan_.liveness) demand_progress();
  workload_->stop();
  converge();
  final_checks();
}

// --- the cluster ---

void Simulation::make_cluster() {
  Membership initial;
  for (std::uint64_t id = 1; id <= plan_.nodes; ++id) {
    SimNode& node = add_node(NodeId{id}, nullptr);
    Member member;
    member.id = node.id();
    member.incarnation = node.prepare();
    member.peer_address = "n" + std::to_string(id) + ":1";
    member.api_address = "n" + std::to_string(id) + ":2";
    initial.members.push_back(member);
  }
  invariants_.set_initial(initial);
  for (auto& [id, node] : nodes_) {
    node->form(initial);
    node->start();
  }
}

SimNode& Simulation::add_node(NodeId id, const Membership* initial) {
  NodeSettings settings = plan_.node;
  if (plan_.skewed_ticks) settings.tick = random_->between(8'500, 11'500);
  if (plan_.skewed_clocks)
    settings.wall_skew_ms = static_cast<std::int64_t>(random_->between(0, 20'000)) - 10'000;
  auto& node = nodes_[id];
  node = std::make_unique<SimNode>(world_, id, root_ + "/n" + to_string(id), settings);
  node->watch_quarantine([this](SimNode& which) { on_quarantined(which); });
  node->watch_role([this](SimNode& which, CoreRole role) { on_role(which, role); });
  if (initial != nullptr) {
    node->prepare();
    node->form(*initial);
  }
  return *node;
}

SimNode* Simulation::leader() const {
  SimNode* found = nullptr;
  for (const auto& [id, node] : nodes_)
    if (node->leads() && (found == nullptr || node->core().term() > found->core().term()))
      found = node.get();
  return found;
}

SimNode* Simulation::reachable_node() {
  std::vector<SimNode*> candidates;
  for (const auto& [id, node] : nodes_)
    if (node->up() && !retired_.contains(id) && (reachable_.empty() || reachable_.contains(id)))
      candidates.push_back(node.get());
  if (candidates.empty()) return nullptr;
  return candidates[random_->between(0, candidates.size() - 1)];
}

SimNode* Simulation::random_up() {
  std::vector<SimNode*> candidates;
  for (const auto& [id, node] : nodes_)
    if (node->up()) candidates.push_back(node.get());
  return candidates.empty() ? nullptr : candidates[random_->between(0, candidates.size() - 1)];
}

const Membership& Simulation::latest_membership() const {
  const SimNode* leading = leader();
  return leading != nullptr ? const_cast<SimNode*>(leading)->core().membership()
                            : invariants_.membership();
}

bool Simulation::is_member(const SimNode& node) const {
  const Member* member = invariants_.membership().find(node.id());
  return member != nullptr && member->incarnation == node.key().second;
}

void Simulation::links_close(SimNode& node) {
  for (const auto& [id, other] : nodes_)
    if (id != node.id()) network_.send(node.id(), id, LinkClosed{});
}

void Simulation::bring_up(SimNode& node) {
  if (node.state() == SimNode::State::paused) node.resume();
  if (node.state() != SimNode::State::down || retired_.contains(node.id())) return;
  node.start();
  if (at_risk_ == node.id() && node.up()) {
    node.verify_log();
    if (node.up()) at_risk_ = NodeId{};
  }
  if (node.state() == SimNode::State::down && node.damaged()) {
    lose_disk(node);
    return;
  }
  if (node.state() == SimNode::State::down) restart_later(node, 100 * sim_ms);
}

void Simulation::restart_later(SimNode& node, SimTime delay) {
  scheduler_.after(delay, [this, &node] {
    if (excluded_.contains(node.id())) return;
    if (node.state() == SimNode::State::down) bring_up(node);
  });
}

// --- phases ---

void Simulation::run_for(SimTime duration) {
  const SimTime end = scheduler_.now() + duration;
  while (scheduler_.now() < end && scheduler_.step()) {
  }
}

bool Simulation::run_until(SimTime duration, const std::function<bool()>& done) {
  const SimTime end = scheduler_.now() + duration;
  while (scheduler_.now() < end) {
    for (int i = 0; i < 50; ++i)
      if (!scheduler_.step()) return done();
    if (done()) return true;
  }
  return done();
}

// The voters that will work; the others stay down, paused or behind one-way cuts. Learners that may
// be promoted count as voters, and it must be a majority of every membership that any node may
// still believe in, else all nodes are taken.
std::vector<NodeId> Simulation::pick_majority() {
  const auto potential_voters = [](const Membership& members) {
    std::vector<NodeId> ids;
    for (const Member& member : members.members)
      if (member.role == MemberRole::voter || member.auto_promote) ids.push_back(member.id);
    return ids;
  };
  const std::vector<NodeId> voters = potential_voters(invariants_.membership());
  std::vector<NodeId> healthy;
  for (NodeId id : invariants_.membership().voters()) {
    const auto at = nodes_.find(id);
    if (at != nodes_.end() && !retired_.contains(id) && at_risk_ != id && is_member(*at->second))
      healthy.push_back(id);
  }
  for (std::size_t i = healthy.size(); i > 1; --i)
    std::swap(healthy[i - 1], healthy[random_->between(0, i - 1)]);
  const std::size_t enough = voters.size() / 2 + 1;
  if (healthy.size() > enough) healthy.resize(random_->between(enough, healthy.size()));
  std::sort(healthy.begin(), healthy.end());
  const auto most_of = [&](const std::vector<NodeId>& ids) {
    const auto working = std::count_if(ids.begin(), ids.end(), [&](NodeId id) {
      return std::binary_search(healthy.begin(), healthy.end(), id);
    });
    return 2 * static_cast<std::size_t>(working) > ids.size();
  };
  const auto suffices = [&](const Membership& members) {
    return most_of(members.voters()) && most_of(potential_voters(members));
  };
  bool good = suffices(invariants_.membership());
  for (const auto& [id, node] : nodes_)
    if (node->state() != SimNode::State::down && !node->core().membership().members.empty())
      good = good && suffices(node->core().membership());
  if (good) return healthy;
  healthy.clear();
  for (const auto& [id, node] : nodes_)
    if (!retired_.contains(id)) healthy.push_back(id);
  return healthy;
}

void Simulation::heal_faults() {
  if (at_risk_) {  // a flipped bit is found now
    SimNode& node = *nodes_.at(at_risk_);
    node.crash(false);
    bring_up(node);
  }
  ++mend_epoch_;
  NetworkFaults calm;
  calm.delay_min = plan_.network.delay_min;
  calm.delay_max = std::min<SimTime>(plan_.network.delay_max, 3 * sim_ms);
  network_.set_faults(calm);
  for (auto& [id, node] : nodes_) {
    node->disk().clear_failure();
    node->disk().disarm_cut();
    node->alter_no_more();
    node->settings().disk_min = plan_.node.disk_min;
    node->settings().disk_max = plan_.node.disk_max;
    node->operate([](consensus::RecordedCore& core) { core.set_draining(false); });
  }
}

// Checks name whoever differs as long as a majority can; a group of two cannot. Where progress is
// demanded of just a majority at once, it is put out by hand.
void Simulation::settle_differences(bool by_checks) {
  for (auto& [id, node] : nodes_) {
    if (!node->differs()) continue;
    if (by_checks && latest_membership().voters().size() > 2 && is_member(*node)) {
      // A leader that differs gives no snapshot to whoever needs one for the majority.
      if (SimNode* leading = leader())
        leading->operate([differs = leading->differs()](consensus::RecordedCore& core) {
          const Result<consensus::Index> proposed = core.propose_check();
          if (differs && proposed) static_cast<void>(core.transfer(NodeId{}).has_value());
        });
      scheduler_.after(200 * sim_ms, [this] { settle_differences(true); });
      return;
    }
    node->crash(false);
    if (!retired_.contains(id)) lose_disk(*node);
  }
}

void Simulation::demand_progress() {
  heal_faults();
  settle_differences(false);
  network_.mend_all();
  // All start once: what membership a log holds decides who is needed for a majority.
  for (auto& [id, node] : nodes_) bring_up(*node);
  const std::vector<NodeId> majority = pick_majority();
  for (auto& [id, node] : nodes_) {
    if (std::binary_search(majority.begin(), majority.end(), id)) {
      bring_up(*node);
      reachable_.insert(id);
      continue;
    }
    excluded_.insert(id);
    const std::uint64_t fate = random_->between(0, 4);
    if (fate == 0) node->crash(false);
    if (fate == 1) node->pause();
    for (const auto& [other, unused] : nodes_) {
      if (fate == 2 || (fate == 4 && random_->between(0, 1) == 0)) network_.cut(id, other);
      if (fate == 3 || (fate == 4 && random_->between(0, 1) == 0)) network_.cut(other, id);
    }
  }
  trace_.mark("liveness", majority.size());
  if (trace_.wanted()) trace_.say(0, "a majority is healed: {}", state_of_cluster());
  if (plan_.flood) {
    flooding_ = true;
    flood(1);
  }
  const auto probe = workload_->probe();
  const SimTime begun = scheduler_.now();
  if (!run_until(progress_time_max, [&] { return probe->wrote && probe->read; }))
    throw Violation{"progress of a healed majority",
                    fmt::format("after {} ms: {}, {}; {}", (scheduler_.now() - begun) / sim_ms,
                                probe->wrote ? "written" : "no write",
                                probe->read ? "read" : "no read", state_of_cluster())};
}

// Commands that nobody waits for, closer together than a round trip takes: a leader that commits
// only when it has nothing more to send shows.
void Simulation::flood(std::uint64_t number) {
  if (!flooding_) return;
  if (SimNode* leading = leader()) {
    record::Command command = record::single(
        {record::ActionKind::put, names::stock, "flood-" + std::to_string(number % 5), Bytes{"1"}});
    command.operation = "flood-" + std::to_string(number);
    command.request_hash = {3, number};
    leading->submit(std::move(command), [](const record::Outcome&) {});
  }
  scheduler_.after(random_->between(100, 300), [this, number] { flood(number + 1); });
}

void Simulation::converge() {
  flooding_ = false;
  heal_faults();
  network_.mend_all();
  excluded_.clear();
  reachable_.clear();
  for (auto& [id, node] : nodes_) bring_up(*node);
  settle_differences(true);
  const auto agreed = [this] {
    if (!workload_->idle() || leader() == nullptr || someone_differs()) return false;
    return std::all_of(nodes_.begin(), nodes_.end(), [this](const auto& entry) {
      const SimNode& node = *entry.second;
      if (retired_.contains(entry.first) || !is_member(node)) return true;
      return node.up() && node.applied() == invariants_.committed();
    });
  };
  if (!run_until(convergence_time_max, agreed))
    throw Violation{"replicas agree after healing", state_of_cluster()};
}

void Simulation::final_checks() {
  for (auto& [id, node] : nodes_) {
    if (!node->up() || !is_member(*node)) continue;
    workload_->read_all(*node);
    const Result<void> scrubbed = node->store().records().scrub();
    if (!scrubbed) throw Violation{"state hash fits the rows", to_string(scrubbed.error())};
    const Result<void> verified = node->store().log().verify();
    if (!verified) throw Violation{"log records are whole", to_string(verified.error())};
    workload_->check_acknowledged(*node);
    workload_->finish_feeds(*node);
    if (const auto view = node->local_view()) audit(view->state(), model_, id);
  }
  if (!run_until(convergence_time_max, [this] { return workload_->idle(); }))
    throw Violation{"reads are answered after healing", state_of_cluster()};
  workload_->judge_history();
}

std::string Simulation::state_of_cluster() const {
  std::string text;
  for (const auto& [id, node] : nodes_) {
    text += text.empty() ? "" : "; ";
    text += "n" + to_string(id);
    if (retired_.contains(id)) text += " retired";
    if (excluded_.contains(id)) text += " faulty";
    if (node->state() == SimNode::State::down) {
      text += " down";
      continue;
    }
    const consensus::Status status = node->core().status();
    text +=
        fmt::format(" {}{} term {} log {}..{} commit {} applied {} {}", node->up() ? "" : "paused ",
                    to_string(status.role), status.term, status.first, status.last, status.commit,
                    node->applied(), describe(status.membership));
  }
  return text;
}

}  // namespace mainstay::harness
