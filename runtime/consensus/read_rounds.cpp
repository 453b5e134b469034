#include "runtime/consensus/read_rounds.hpp"

#include <utility>

#include "runtime/base/mutant.hpp"

namespace mainstay::consensus {
namespace {

// Rounds follow each other without waiting, but not one for every read under load: a few per round
// trip are enough.
constexpr std::size_t rounds_under_way_max = 8;

}  // namespace

bool ReadRounds::queue(const ReadRequest& request) {
  if (requests_ >= requests_max_) return false;
  ++requests_;
  queued_.push_back(request);
  return true;
}

bool ReadRounds::may_begin() const {
  return !queued_.empty() && rounds_.size() < rounds_under_way_max;
}

std::uint64_t ReadRounds::begin(Index commit, NodeId self) {
  ReadRound round;
  round.number = ++newest_;
  round.index = commit;
  round.requests = std::exchange(queued_, {});
  round.confirmed.insert(self);
  rounds_.push_back(std::move(round));
  return newest_;
}

void ReadRounds::confirm(NodeId voter, std::uint64_t number) {
  for (ReadRound& round : rounds_)
    if (round.number <= number || MUTANT(read_from_stale_round)) round.confirmed.insert(voter);
}

std::vector<ReadRound> ReadRounds::take_confirmed(const VoterSets& voters) {
  std::vector<ReadRound> done;
  while (!rounds_.empty()) {
    const auto& confirmed = rounds_.front().confirmed;
    const bool quorum =
        has_quorum(voters, [&confirmed](NodeId id) { return confirmed.count(id) != 0; });
    if (!quorum && !MUTANT(read_index_without_quorum)) break;
    requests_ -= rounds_.front().requests.size();
    done.push_back(std::move(rounds_.front()));
    rounds_.pop_front();
  }
  return done;
}

std::vector<ReadRequest> ReadRounds::take_all() {
  std::vector<ReadRequest> all;
  for (ReadRound& round : rounds_)
    all.insert(all.end(), round.requests.begin(), round.requests.end());
  all.insert(all.end(), queued_.begin(), queued_.end());
  rounds_.clear();
  queued_.clear();
  requests_ = 0;
  return all;
}

}  // namespace mainstay::consensus
