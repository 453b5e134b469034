#include "runtime/consensus/quorum.hpp"

#include <algorithm>
#include <limits>

namespace mainstay::consensus {
namespace {

Index committed_in(const std::vector<NodeId>& voters,
                   const std::function<Index(NodeId)>& match_of) {
  if (voters.empty()) return 0;
  std::vector<Index> matches;
  matches.reserve(voters.size());
  for (NodeId voter : voters) matches.push_back(match_of(voter));
  std::sort(matches.begin(), matches.end(), std::greater<>{});
  return matches[majority(voters.size()) - 1];
}

VoteResult tally_of(const std::vector<NodeId>& voters, const std::map<NodeId, bool>& granted) {
  std::size_t yes = 0;
  std::size_t open = 0;
  for (NodeId voter : voters) {
    const auto answer = granted.find(voter);
    if (answer == granted.end())
      ++open;
    else if (answer->second)
      ++yes;
  }
  if (yes >= majority(voters.size())) return VoteResult::won;
  return yes + open >= majority(voters.size()) ? VoteResult::pending : VoteResult::lost;
}

}  // namespace

Index committed_index(const VoterSets& sets, const std::function<Index(NodeId)>& match_of) {
  if (sets.empty()) return 0;
  Index lowest = std::numeric_limits<Index>::max();
  for (const auto& voters : sets) lowest = std::min(lowest, committed_in(voters, match_of));
  return lowest;
}

VoteResult tally(const VoterSets& sets, const std::map<NodeId, bool>& granted) {
  VoteResult result = sets.empty() ? VoteResult::lost : VoteResult::won;
  for (const auto& voters : sets) {
    const VoteResult one = tally_of(voters, granted);
    if (one == VoteResult::lost) return VoteResult::lost;
    if (one == VoteResult::pending) result = VoteResult::pending;
  }
  return result;
}

bool has_quorum(const VoterSets& sets, const std::function<bool(NodeId)>& holds) {
  if (sets.empty()) return false;
  return std::all_of(sets.begin(), sets.end(), [&holds](const std::vector<NodeId>& voters) {
    const auto count = std::count_if(voters.begin(), voters.end(), holds);
    return static_cast<std::size_t>(count) >= majority(voters.size());
  });
}

}  // namespace mainstay::consensus
