// A reader of the change feed: goes on at another node when its own is gone, keeps what it read as
// a copy of the records, and checks that every change came once, in order, and as the log says.
// When it is behind what is held, it takes the current records and goes on from there.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "tests/harness/model.hpp"
#include "tests/harness/sim_node.hpp"

namespace mainstay::harness {

class FeedReader {
 public:
  // `pick` gives a node that clients can reach now, or null.
  FeedReader(SimWorld world, std::uint64_t number, std::function<SimNode*()> pick);

  void start();
  void stop() { stopped_ = true; }
  // Reads to the end of what `node` has applied, and compares the copy with its records.
  void finish(SimNode& node);

  std::uint64_t changes() const { return changes_; }
  std::uint64_t hand_overs() const { return hand_overs_; }

 private:
  void poll();
  void read_some(const record::StateReader& state, NodeId node, std::size_t most);
  void take(const record::ChangeView& view, NodeId node);
  void hand_over(const record::StateReader& state, NodeId node);
  void compare(const record::StateReader& state, NodeId node) const;
  [[noreturn]] void violated(NodeId node, const std::string& what) const;

  SimWorld world_;
  const std::uint64_t number_;
  std::function<SimNode*()> pick_;
  SimNode* node_ = nullptr;
  bool stopped_ = false;
  // All of this commit was read, and `within_` changes of the next.
  record::Revision after_ = 0;
  std::size_t within_ = 0;
  std::map<Model::Key, record::Version> copy_;
  std::uint64_t changes_ = 0;
  std::uint64_t hand_overs_ = 0;
};

}  // namespace mainstay::harness
