// The clients of a simulated cluster: each does one thing at a time, asks again at another node
// under the same operation id when no answer comes, and everything it saw is kept for judgement.
// Records of one collection are judged for linearizability from what the clients saw alone; all
// others, transactions and ledgers among them, by the model.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/history/linearizability.hpp"
#include "tests/harness/feed_reader.hpp"
#include "tests/harness/plan.hpp"
#include "tests/harness/requests.hpp"
#include "tests/harness/sim_node.hpp"

namespace mainstay::harness {

using history::Call;
using history::Judgement;

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
  // Every reader of the feed goes to the end of what this node has.
  void finish_feeds(SimNode& node);

  std::uint64_t acknowledged() const { return acknowledged_.size(); }
  std::uint64_t calls() const { return next_call_; }
  std::uint64_t undecided() const { return undecided_; }
  std::uint64_t changes_read() const;

 private:
  struct Client;
  struct Running;
  using RunningPtr = std::shared_ptr<Running>;

  void begin(Client& client);
  RunningPtr make_call();
  RunningPtr make_stock_call(std::uint32_t key, bool write);
  RunningPtr make_command(record::Command command);
  void run_steps(std::string name, std::vector<record::Command> steps, std::function<void()> then);
  void write_stock(Running& running);
  void attempt(const RunningPtr& running);
  void attempt_read(const RunningPtr& running, SimNode& node);
  void on_outcome(const RunningPtr& running, const record::Outcome& outcome);
  void remember(const Running& running, const record::Outcome& outcome);
  void on_view(const RunningPtr& running, const record::StateReader* state, NodeId node);
  void finish(const RunningPtr& running);
  void fence(const RunningPtr& running);
  void repeat(const RunningPtr& running);
  void reuse(const RunningPtr& running);
  std::string key_name(std::uint32_t key) const { return "k" + std::to_string(key); }

  SimWorld world_;
  const Plan& plan_;
  std::function<SimNode*()> pick_;
  Requests requests_;
  bool stopped_ = false;
  std::uint64_t next_call_ = 0;
  mutable std::uint64_t undecided_ = 0;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::unique_ptr<FeedReader>> readers_;
  std::size_t under_way_ = 0;
  record::Revision newest_acknowledged_ = 0;
  std::map<std::uint32_t, std::vector<Call>> history_;
  std::map<std::uint32_t, record::Version> seen_version_;
  std::map<std::string, record::Outcome> acknowledged_;
};

}  // namespace mainstay::harness
