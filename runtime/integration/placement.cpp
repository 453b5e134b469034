#include "runtime/integration/placement.hpp"

#include <algorithm>

#include "runtime/base/mutant.hpp"

namespace mainstay::integration {

namespace {

const NodeRow* find_node(const PlacementInput& input, std::uint64_t id) {
  for (const NodeRow& node : input.nodes)
    if (node.node == id) return &node;
  return nullptr;
}

bool has(const NodeRow& node, const std::string& adapter) {
  return std::any_of(node.adapters.begin(), node.adapters.end(),
                     [&](const NodeRow::Candidate& one) { return one.adapter == adapter; });
}

bool can_run(const PlacementInput& input, const NodeRow& node, const std::string& adapter) {
  return input.alive.contains(node.node) && !node.draining && has(node, adapter);
}

bool may_stay(const PlacementInput& input, const PlacementRow& row) {
  const NodeRow* node = find_node(input, row.node);
  return node != nullptr && node->boot == row.boot && can_run(input, *node, row.adapter);
}

}  // namespace

std::vector<PlacementRow> plan_placement(const PlacementInput& input) {
  std::set<std::string> adapters;
  for (const auto& [name, row] : input.placed) adapters.insert(name);
  for (const NodeRow& node : input.nodes)
    for (const NodeRow::Candidate& one : node.adapters) adapters.insert(one.adapter);
  std::map<std::uint64_t, std::size_t> load;
  std::vector<PlacementRow> moving;
  for (const std::string& name : adapters) {
    const auto placed = input.placed.find(name);
    PlacementRow row;
    if (placed != input.placed.end()) row = placed->second;
    row.adapter = name;
    const NodeRow* wanted = find_node(input, row.prefer);
    const bool wants_away = row.prefer != 0 && row.prefer != row.node && wanted != nullptr &&
                            can_run(input, *wanted, name);
    if (placed != input.placed.end() && may_stay(input, row) && !wants_away)
      ++load[row.node];
    else
      moving.push_back(std::move(row));
  }
  std::vector<PlacementRow> plan;
  for (PlacementRow& row : moving) {
    const NodeRow* best = find_node(input, row.prefer);
    if (best == nullptr || !can_run(input, *best, row.adapter)) {
      best = nullptr;
      for (const NodeRow& node : input.nodes) {
        if (!can_run(input, node, row.adapter)) continue;
        const bool better = best == nullptr || load[node.node] < load[best->node] ||
                            (load[node.node] == load[best->node] && node.node < best->node);
        if (better) best = &node;
      }
    }
    // A dead node's tenure ends only when another begins: it costs nothing to leave it there.
    if (best == nullptr) continue;
    ++load[best->node];
    row.node = best->node;
    row.boot = best->boot;
    row.epoch += MUTANT(epoch_not_raised) ? 0 : 1;
    plan.push_back(std::move(row));
  }
  return plan;
}

}  // namespace mainstay::integration
