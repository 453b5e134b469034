#include "actors/kit/restart_policy.hpp"

#include <gmock/gmock.h>

namespace mainstay::kit {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

constexpr MonotonicTime start{};

std::vector<ChildRule> three(RestartKind kind = RestartKind::permanent) {
  return std::vector<ChildRule>(3, ChildRule{kind, false});
}

TEST(RestartPolicy, one_for_one_restarts_only_the_child_that_ended) {
  RestartPolicy policy{RestartStrategy::one_for_one, {5, 10s}, three()};
  const auto plan = policy.on_exit(1, false, start);
  EXPECT_EQ(plan.escalation, Escalation::none);
  EXPECT_THAT(plan.stop, IsEmpty());
  EXPECT_THAT(plan.start, ElementsAre(1));
}

TEST(RestartPolicy, rest_for_one_stops_the_later_children_last_first_and_starts_them_in_order) {
  RestartPolicy policy{RestartStrategy::rest_for_one, {5, 10s}, three()};
  const auto plan = policy.on_exit(0, false, start);
  EXPECT_THAT(plan.stop, ElementsAre(2, 1));
  EXPECT_THAT(plan.start, ElementsAre(0, 1, 2));
}

TEST(RestartPolicy, rest_for_one_does_not_bring_a_temporary_child_back) {
  auto rules = three();
  rules[2].restart = RestartKind::temporary;
  RestartPolicy policy{RestartStrategy::rest_for_one, {5, 10s}, rules};
  const auto plan = policy.on_exit(1, false, start);
  EXPECT_THAT(plan.stop, ElementsAre(2));
  EXPECT_THAT(plan.start, ElementsAre(1));
}

TEST(RestartPolicy, a_transient_child_is_restarted_after_a_failure_only) {
  RestartPolicy policy{RestartStrategy::one_for_one, {5, 10s}, three(RestartKind::transient)};
  EXPECT_THAT(policy.on_exit(0, true, start).start, IsEmpty());
  EXPECT_THAT(policy.on_exit(0, false, start).start, ElementsAre(0));
}

TEST(RestartPolicy, a_permanent_child_is_restarted_after_a_normal_end_too) {
  RestartPolicy policy{RestartStrategy::one_for_one, {5, 10s}, three()};
  EXPECT_THAT(policy.on_exit(0, true, start).start, ElementsAre(0));
}

TEST(RestartPolicy, a_temporary_child_is_never_restarted_and_costs_no_budget) {
  RestartPolicy policy{RestartStrategy::one_for_one, {0, 10s}, three(RestartKind::temporary)};
  const auto plan = policy.on_exit(0, false, start);
  EXPECT_EQ(plan.escalation, Escalation::none);
  EXPECT_THAT(plan.start, IsEmpty());
}

TEST(RestartPolicy, a_critical_failure_escalates_whatever_the_budget) {
  auto rules = three();
  rules[1].critical = true;
  RestartPolicy policy{RestartStrategy::one_for_one, {100, 10s}, rules};
  EXPECT_EQ(policy.on_exit(1, false, start).escalation, Escalation::critical_child);
  EXPECT_EQ(policy.on_exit(0, false, start).escalation, Escalation::none);
}

TEST(RestartPolicy, the_budget_allows_n_restarts_in_the_window_and_escalates_at_the_next) {
  RestartPolicy policy{RestartStrategy::one_for_one, {3, 10s}, three()};
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(policy.on_exit(0, false, start + 1s * i).escalation, Escalation::none);
  EXPECT_EQ(policy.on_exit(0, false, start + 3s).escalation, Escalation::budget_spent);
  EXPECT_EQ(policy.restarts_total(), 3u);
}

TEST(RestartPolicy, restarts_older_than_the_window_do_not_count) {
  RestartPolicy policy{RestartStrategy::one_for_one, {2, 10s}, three()};
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(policy.on_exit(0, false, start + 6s * i).escalation, Escalation::none) << i;
}

}  // namespace
}  // namespace mainstay::kit
