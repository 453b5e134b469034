// The cluster behind the transcripts: pure cores over logs in memory, moved one step at a time by
// the commands of a script. Every command answers with the lines that stand below it in the file.
// The commands are listed in README.md beside the scripts.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/consensus/core.hpp"
#include "tests/harness/memory_log.hpp"

namespace mainstay::interaction {

class ScriptCluster {
 public:
  // Runs one command line; what the cluster answers, lines ending in '\n'. An unknown command
  // answers "error: …".
  std::string run(const std::string& line);

 private:
  struct Node {
    Incarnation incarnation;
    harness::MemoryLog log;
    consensus::Membership applied_membership;
    consensus::Index durable_applied = 0;
    std::unique_ptr<SeededRandom> random;
    std::unique_ptr<consensus::Core> core;  // null: crashed
    std::deque<consensus::Message> inbox;
    bool slow_disk = false;
    std::deque<std::pair<consensus::Persist, std::vector<consensus::Message>>> unstored;
    std::optional<consensus::SnapshotMeta> pulling;
    consensus::CoreRole role = consensus::CoreRole::follower;
    consensus::Index applied = 0;
  };
  using Words = std::vector<std::string>;

  std::string dispatch(const Words& words);
  std::string dispatch_faults(const Words& words);
  std::string dispatch_log(const Words& words);

  // Commands.
  void add_nodes(const Words& words);
  void add_empty_node(NodeId id, std::uint64_t life);
  void campaign(NodeId id);
  void elect(NodeId id);
  std::string quietly(const Words& words);
  void propose(const Words& words);
  void change(const Words& words);
  void ready(NodeId id);
  void deliver(const Words& words);
  void stabilize(const Words& words);
  void stored(NodeId id, std::size_t count);
  void crash(NodeId id);
  void restart(NodeId id);
  void cut(const Words& words);
  void snapshot(NodeId id);
  void status(const Words& words);
  void show_log(NodeId id);

  // Parts.
  void start_core(NodeId id);
  void set_option(const std::string& word);
  Node& node(NodeId id);
  bool ready_once(NodeId id);
  void persisted(NodeId id, const consensus::Persist& persist);
  void apply(NodeId id, const std::vector<consensus::Entry>& entries);
  void post(const consensus::Message& message, const char* when);
  bool deliver_to(NodeId id, const std::set<NodeId>& dropped);
  void note_role(NodeId id);
  void say(const std::string& text);

  std::map<NodeId, std::unique_ptr<Node>> nodes_;
  consensus::CoreOptions options_;
  std::set<std::pair<NodeId, NodeId>> cuts_;
  std::string answer_;
};

}  // namespace mainstay::interaction
