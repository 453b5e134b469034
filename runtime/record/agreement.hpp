// Who differs: collects the state hashes that replicas report for one index and names the minority
// (promise P6). Pure. The majority decides, not the leader: a leader's state can be the damaged
// one.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "runtime/record/types.hpp"

namespace mainstay::record {

struct Verdict {
  std::uint64_t index = 0;
  std::vector<NodeId> agreeing;
  std::vector<NodeId> differing;  // empty: all reports so far agree
  bool no_majority = false;       // reports of all voters are in and none is shared by a majority

  bool operator==(const Verdict&) const = default;
};

class Agreement {
 public:
  // `voters` are counted for the majority; others are only compared. Keeps the newest `kept_max`
  // indexes.
  explicit Agreement(std::size_t kept_max = 64) : kept_max_{kept_max} {}

  // A verdict as soon as a majority of voters reported the same hash for this index; again when a
  // later report changes it.
  std::optional<Verdict> report(std::uint64_t index, NodeId node, const Hash128& hash,
                                const std::vector<NodeId>& voters);

 private:
  std::size_t kept_max_;
  std::map<std::uint64_t, std::map<NodeId, Hash128>> reports_;
};

}  // namespace mainstay::record
