#include "actors/kit/restart_policy.hpp"

#include <utility>

#include "runtime/base/assert.hpp"

namespace mainstay::kit {

RestartPolicy::RestartPolicy(RestartStrategy strategy, RestartBudget budget,
                             std::vector<ChildRule> children)
    : strategy_{strategy}, budget_{budget}, children_{std::move(children)} {}

RestartPlan RestartPolicy::on_exit(std::size_t child, bool normal, MonotonicTime now) {
  ASSERT(child < children_.size());
  const ChildRule& rule = children_[child];
  RestartPlan plan;
  if (rule.critical && !normal) {
    plan.escalation = Escalation::critical_child;
    return plan;
  }
  if (rule.restart == RestartKind::temporary) return plan;
  if (rule.restart == RestartKind::transient && normal) return plan;
  if (!spend(now)) {
    plan.escalation = Escalation::budget_spent;
    return plan;
  }
  plan.start.push_back(child);
  if (strategy_ == RestartStrategy::one_for_one) return plan;
  for (std::size_t later = children_.size(); later-- > child + 1;) plan.stop.push_back(later);
  for (std::size_t later = child + 1; later < children_.size(); ++later)
    if (children_[later].restart != RestartKind::temporary) plan.start.push_back(later);
  return plan;
}

bool RestartPolicy::spend(MonotonicTime now) {
  while (!recent_.empty() && now - recent_.front() > budget_.within) recent_.pop_front();
  if (recent_.size() >= budget_.restarts_max) return false;
  recent_.push_back(now);
  ++restarts_total_;
  return true;
}

}  // namespace mainstay::kit
