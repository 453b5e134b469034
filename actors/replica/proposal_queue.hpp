// Batches that wait to become the next log entry of this leader: those of the local gateway and
// those that peers sent. All that wait go into one entry, within its limits, as soon as few enough
// entries are on their way to the disk. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/limits.hpp"

namespace mainstay::replica {

struct Proposal {
  NodeId from;           // none: this node's gateway
  std::uint64_t id = 0;  // of the asker
  Bytes batch;           // encoded record::Batch
  std::size_t commands = 0;
};

class ProposalQueue {
 public:
  // False: full.
  bool push(Proposal proposal) {
    if (!waiting_.empty() && bytes_ + proposal.batch.size() > limits::gateway_buffer_bytes_max)
      return false;
    bytes_ += proposal.batch.size();
    waiting_.push_back(std::move(proposal));
    return true;
  }

  // What fits into one entry, oldest first; not empty unless the queue is.
  std::vector<Proposal> take_entry() {
    std::vector<Proposal> entry;
    std::size_t bytes = 0;
    std::size_t commands = 0;
    while (!waiting_.empty()) {
      const Proposal& next = waiting_.front();
      if (!entry.empty() && (bytes + next.batch.size() > limits::batch_bytes_max ||
                             commands + next.commands > limits::batch_commands_max))
        break;
      bytes += next.batch.size();
      commands += next.commands;
      entry.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    bytes_ -= bytes;
    return entry;
  }

  // Puts back what take_entry() gave, in front.
  void put_back(std::vector<Proposal> entry) {
    for (auto at = entry.rbegin(); at != entry.rend(); ++at) {
      bytes_ += at->batch.size();
      waiting_.push_front(std::move(*at));
    }
  }

  bool empty() const { return waiting_.empty(); }
  std::size_t size() const { return waiting_.size(); }

 private:
  std::deque<Proposal> waiting_;
  std::size_t bytes_ = 0;
};

}  // namespace mainstay::replica
