// Which node runs which adapter: decided by the leader of the cluster from the replicated rows and
// from who is alive, written with an epoch that fences whoever had it before. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "runtime/integration/rows.hpp"

namespace mainstay::integration {

struct PlacementInput {
  std::map<std::string, PlacementRow> placed;  // hub-adapters, by adapter
  std::vector<NodeRow> nodes;                  // hub-nodes
  // Members that the leader hears; a node that is not here is as good as dead.
  std::set<std::uint64_t> alive;
};

// The rows that must be written, each with its next epoch. An adapter stays where it is as long as
// its node lives, is the same process, still has it, and does not drain; else it goes to the
// preferred candidate, or to the one that runs the fewest. Nobody to be found: it stays where it
// was.
std::vector<PlacementRow> plan_placement(const PlacementInput& input);

}  // namespace mainstay::integration
