// The leader's side of ReadIndex (Ongaro's thesis, section 6.4), batched: every read queued so far
// shares one round of heartbeats. An answer to round n also confirms all earlier rounds: it was
// given later. No clock, no lease.
#pragma once

#include <deque>
#include <set>
#include <vector>

#include "runtime/consensus/quorum.hpp"

namespace mainstay::consensus {

struct ReadRequest {
  NodeId from;  // the asking node
  Incarnation from_incarnation;
  std::uint64_t context = 0;
};

struct ReadRound {
  std::uint64_t number = 0;
  Index index = 0;  // the commit index when the round began: at or above that of every read in it
  std::vector<ReadRequest> requests;
  std::set<NodeId> confirmed;
};

class ReadRounds {
 public:
  explicit ReadRounds(std::size_t requests_max) : requests_max_{requests_max} {}

  // False when there are too many already.
  bool queue(const ReadRequest& request);
  bool has_queued() const { return !queued_.empty(); }
  // Queued reads may begin a round: not too many are under way.
  bool may_begin() const;
  // Moves all queued reads into a new round; returns its number.
  std::uint64_t begin(Index commit, NodeId self);
  // The newest round's number; it grows for the life of the process, across terms.
  std::uint64_t newest() const { return newest_; }
  void confirm(NodeId voter, std::uint64_t number);
  // Rounds that a quorum confirmed, oldest first.
  std::vector<ReadRound> take_confirmed(const VoterSets& voters);
  // All requests, queued or under way, for refusal.
  std::vector<ReadRequest> take_all();

 private:
  const std::size_t requests_max_;
  std::size_t requests_ = 0;
  std::vector<ReadRequest> queued_;
  std::deque<ReadRound> rounds_;
  std::uint64_t newest_ = 0;
};

}  // namespace mainstay::consensus
