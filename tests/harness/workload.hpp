// The clients of a simulated cluster: each does one thing at a time, asks again at another node
// under the same operation id when no answer comes, and everything it saw is kept for judgement.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/harness/linearizability.hpp"
#include "tests/harness/plan.hpp"
#include "tests/harness/sim_node.hpp"

namespace mainstay::harness {

class Workload {
 public:
  // `pick` gives a node that clients can reach now, or null.
  Workload(SimWorld world, const Plan& plan, std::function<SimNode*()> pick);
  ~Workload();

  void start();
  void stop();  // no new calls; those under way go on until answered or given up
  bool idle() const;

  // One more call of each kind, for the liveness phase; true once answered.
  struct Probe {
    bool wrote = false, read = false;
  };
  std::shared_ptr<Probe> probe();
  // Reads every key at `node`.
  void read_all(SimNode& node);

  // Throws Violation if no order explains what the clients saw.
  void judge_history() const;
  // Every acknowledged write must be recorded with its answer on this node.
  void check_acknowledged(SimNode& node) const;

  std::uint64_t acknowledged() const { return acknowledged_.size(); }
  std::uint64_t calls() const { return next_call_; }
  std::uint64_t undecided() const { return undecided_; }

 private:
  struct Client;
  struct Running;

  void begin(Client& client);
  std::shared_ptr<Running> make_call(std::uint32_t key, bool write);
  void attempt(const std::shared_ptr<Running>& running);
  void attempt_write(const std::shared_ptr<Running>& running, SimNode& node);
  void attempt_read(const std::shared_ptr<Running>& running, SimNode& node);
  void on_outcome(const std::shared_ptr<Running>& running, const record::Outcome& outcome);
  void on_read(const std::shared_ptr<Running>& running, const ReadAnswer& answer);
  void finish(const std::shared_ptr<Running>& running);
  void repeat(const std::shared_ptr<Running>& running);
  void reuse(const std::shared_ptr<Running>& running);
  std::string key_name(std::uint32_t key) const { return "k" + std::to_string(key); }

  SimWorld world_;
  const Plan& plan_;
  std::function<SimNode*()> pick_;
  bool stopped_ = false;
  std::uint64_t next_call_ = 0;
  mutable std::uint64_t undecided_ = 0;
  std::vector<std::unique_ptr<Client>> clients_;
  std::size_t under_way_ = 0;
  std::map<std::uint32_t, std::vector<Call>> history_;
  std::map<std::uint32_t, std::uint64_t> seen_version_;
  std::map<std::string, record::Outcome> acknowledged_;
};

}  // namespace mainstay::harness
