// What a supervisor does when a child ends: pure, without actors, so that every rule is tested
// alone. The words and the rules are OTP's
// ("Supervisor Behaviour", OTP design principles); what differs is said at the place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "runtime/base/time.hpp"

namespace mainstay::kit {

enum class RestartStrategy : std::uint8_t {
  one_for_one,   // only the child that ended is started again
  rest_for_one,  // the children after it depend on it: they are stopped (last first), then all of
                 // them are started in order
};

enum class RestartKind : std::uint8_t {
  permanent,  // always started again, also after a normal end
  transient,  // started again after a failure only
  temporary,  // never started again
};

// More than `restarts_max` restarts `within` this time means that restarting does not help: the
// supervisor gives up (escalates).
struct RestartBudget {
  std::size_t restarts_max = 5;
  Millis within{10'000};
};

struct ChildRule {
  RestartKind restart = RestartKind::permanent;
  // A failure is never repaired here: it escalates at once, whatever the budget (promise P7:
  // storage and replica).
  bool critical = false;
};

enum class Escalation : std::uint8_t { none, critical_child, budget_spent };

// Indexes into the list of children. `stop` is last first, `start` first to last; the supervisor
// leaves out of `start` those that were not running when the plan was made.
struct RestartPlan {
  Escalation escalation = Escalation::none;
  std::vector<std::size_t> stop;
  std::vector<std::size_t> start;
};

// Not thread-safe; owned by one supervisor.
class RestartPolicy {
 public:
  RestartPolicy(RestartStrategy strategy, RestartBudget budget, std::vector<ChildRule> children);

  // Child `child` ended, which nobody had asked it to. `normal`: without an error. REQUIRES: times
  // do not decrease.
  RestartPlan on_exit(std::size_t child, bool normal, MonotonicTime now);

  std::uint64_t restarts_total() const { return restarts_total_; }

 private:
  bool spend(MonotonicTime now);

  const RestartStrategy strategy_;
  const RestartBudget budget_;
  const std::vector<ChildRule> children_;
  std::deque<MonotonicTime> recent_;
  std::uint64_t restarts_total_ = 0;
};

}  // namespace mainstay::kit
