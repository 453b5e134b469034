#include "runtime/integration/placement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mainstay::integration {
namespace {

NodeRow node(std::uint64_t id, std::vector<std::string> adapters, const std::string& boot = "b") {
  NodeRow row;
  row.node = id;
  row.boot = boot;
  for (std::string& adapter : adapters) row.adapters.push_back({std::move(adapter), "file", "h"});
  return row;
}

// Writes what was planned.
void carry_out(PlacementInput& input) {
  for (PlacementRow& row : plan_placement(input)) input.placed[row.adapter] = row;
}

TEST(PlacementTest, SpreadsAdaptersAndLeavesThemWhereTheyAre) {
  PlacementInput input;
  input.nodes = {node(1, {"a", "b", "c"}), node(2, {"a", "b", "c"}), node(3, {"a", "b", "c"})};
  input.alive = {1, 2, 3};
  carry_out(input);
  EXPECT_EQ(input.placed["a"].node, 1u);
  EXPECT_EQ(input.placed["b"].node, 2u);
  EXPECT_EQ(input.placed["c"].node, 3u);
  EXPECT_EQ(input.placed["a"].epoch, 1u);
  EXPECT_TRUE(plan_placement(input).empty());
}

TEST(PlacementTest, ADeadNodesAdaptersGoElsewhereUnderANewEpoch) {
  PlacementInput input;
  input.nodes = {node(1, {"a"}), node(2, {"a"})};
  input.alive = {1, 2};
  carry_out(input);
  input.alive = {2};
  carry_out(input);
  EXPECT_EQ(input.placed["a"].node, 2u);
  EXPECT_EQ(input.placed["a"].epoch, 2u);
  input.alive = {1, 2};
  EXPECT_TRUE(plan_placement(input).empty()) << "it does not go back by itself";
}

TEST(PlacementTest, ARestartedProcessIsAnotherTenure) {
  PlacementInput input;
  input.nodes = {node(1, {"a"}, "first")};
  input.alive = {1};
  carry_out(input);
  input.nodes = {node(1, {"a"}, "second")};
  carry_out(input);
  EXPECT_EQ(input.placed["a"].epoch, 2u);
  EXPECT_EQ(input.placed["a"].boot, "second");
}

TEST(PlacementTest, ADrainingNodeGivesItsAdaptersAway) {
  PlacementInput input;
  input.nodes = {node(1, {"a"}), node(2, {"a"})};
  input.alive = {1, 2};
  carry_out(input);
  input.nodes[0].draining = true;
  carry_out(input);
  EXPECT_EQ(input.placed["a"].node, 2u);
}

TEST(PlacementTest, OnlyNodesThatHaveTheDefinitionAreAsked) {
  PlacementInput input;
  input.nodes = {node(1, {}), node(2, {"a"})};
  input.alive = {1, 2};
  carry_out(input);
  EXPECT_EQ(input.placed["a"].node, 2u);
  input.alive = {1};
  EXPECT_TRUE(plan_placement(input).empty()) << "nobody can run it: it stays where it was";
}

TEST(PlacementTest, ThePreferredNodeGetsItWhileItCan) {
  PlacementInput input;
  input.nodes = {node(1, {"a"}), node(2, {"a"})};
  input.alive = {1, 2};
  carry_out(input);
  input.placed["a"].prefer = 2;
  carry_out(input);
  EXPECT_EQ(input.placed["a"].node, 2u);
  EXPECT_EQ(input.placed["a"].prefer, 2u);
  input.alive = {1};
  carry_out(input);
  EXPECT_EQ(input.placed["a"].node, 1u);
}

}  // namespace
}  // namespace mainstay::integration
