// Majorities, over "a set of voter sets": a decision needs a majority in every set. There is one
// set today; joint consensus would use two. Pure functions without state.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "runtime/consensus/types.hpp"

namespace mainstay::consensus {

using VoterSets = std::vector<std::vector<NodeId>>;

enum class VoteResult : std::uint8_t { pending, won, lost };

// How many members of a set of `voters` make a majority; 1 for none, so that an empty set decides
// nothing.
constexpr std::size_t majority(std::size_t voters) {
  return voters / 2 + 1;
}

// The highest index that a majority of every set has reached: the median of the match indexes
// (notes rule 2), 0 if a set is empty.
Index committed_index(const VoterSets& sets, const std::function<Index(NodeId)>& match_of);

// Outcome of an election given the answers so far. Answers of nodes in no set count nothing. An
// empty set never wins.
VoteResult tally(const VoterSets& sets, const std::map<NodeId, bool>& granted);

// Whether the nodes for which `holds` is true are a majority of every set.
bool has_quorum(const VoterSets& sets, const std::function<bool(NodeId)>& holds);

}  // namespace mainstay::consensus
