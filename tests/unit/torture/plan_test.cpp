#include "runtime/torture/plan.hpp"

#include <set>

#include <gtest/gtest.h>

namespace mainstay::torture {
namespace {

std::vector<std::string> lines_of(const PlanOptions& options) {
  std::vector<std::string> lines;
  for (const Fault& fault : make_plan(options)) lines.push_back(to_string(fault));
  return lines;
}

TEST(PlanTest, TheSameSeedGivesTheSamePlan) {
  const PlanOptions options{42, 5, Millis{600'000}};
  EXPECT_EQ(lines_of(options), lines_of(options));
  EXPECT_NE(lines_of(options), lines_of({43, 5, Millis{600'000}}));
}

TEST(PlanTest, ALongerRunBeginsAsTheShorterOne) {
  const auto shorter = lines_of({7, 3, Millis{60'000}});
  const auto longer = lines_of({7, 3, Millis{600'000}});
  ASSERT_LT(shorter.size(), longer.size());
  EXPECT_TRUE(std::equal(shorter.begin(), shorter.end(), longer.begin()));
}

TEST(PlanTest, FaultsComeOneAfterTheOtherAndEndBeforeTheLoad) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const Millis length{120'000};
    Millis end{0};
    for (const Fault& fault : make_plan({seed, 3, length})) {
      EXPECT_GT(fault.at, end);
      EXPECT_LE(fault.node, 3U);
      EXPECT_GT(fault.lasts, Millis{0});
      end = fault.at + fault.lasts;
    }
    EXPECT_GT(end, Millis{60'000}) << "seed " << seed;
    EXPECT_LT(end, length - Millis{2000}) << "seed " << seed;
  }
}

TEST(PlanTest, EveryKindComesBeforeOneComesAgain) {
  const auto plan = make_plan({11, 3, Millis{1'200'000}});
  ASSERT_GE(plan.size(), 2 * fault_kinds);
  for (std::size_t round = 0; round < 2; ++round) {
    std::set<FaultKind> seen;
    for (std::size_t i = 0; i < fault_kinds; ++i) seen.insert(plan[round * fault_kinds + i].kind);
    EXPECT_EQ(seen.size(), fault_kinds);
  }
}

TEST(PlanTest, EveryKindHasANameAndSaysWhatItNeeds) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < fault_kinds; ++i) {
    const auto kind = static_cast<FaultKind>(i);
    names.insert(to_string(kind));
    EXPECT_EQ(leaves_majority(kind), kind != FaultKind::kill_all);
  }
  EXPECT_EQ(names.size(), fault_kinds);
  EXPECT_EQ(need_of(FaultKind::bridge), Need::network);
  EXPECT_EQ(need_of(FaultKind::sync_stall), Need::hook);
  EXPECT_EQ(need_of(FaultKind::disk_full), Need::mount);
}

}  // namespace
}  // namespace mainstay::torture
