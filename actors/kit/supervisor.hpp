// A supervisor: starts its children in order, starts those again that fail (restart_policy.hpp),
// stops them in reverse order.
//
// A restarted child is a new actor with a new handle. Whoever needs another child's handle gets it
// in its own start function (StartContext::find), so a child is listed after those it needs, under
// rest_for_one. What `start` returned counts as started: work that later children rely on belongs
// in the start function or the actor's constructor, not in its first message.
//
// A start function that fails is a failure of its child like any other, also at the first start.
//
// Giving up (budget spent): the children are stopped in reverse order, then the supervisor ends
// with an error; a critical child's failure ends it at once and its children are killed, because
// nothing may act on state that is no longer trusted. The root's owner stops the process when the
// root ends with an error.
//
// Owner: its parent supervisor, or the daemon. Stop it with an exit message of reason
// user_shutdown; it ends when its children have.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <caf/event_based_actor.hpp>

#include "actors/kit/restart_policy.hpp"
#include "actors/kit/supervisor_api.hpp"
#include "runtime/base/result.hpp"

namespace mainstay::kit {

class Supervisor;

// What a start function works with; valid only during the call.
class StartContext {
 public:
  StartContext(Supervisor& supervisor, caf::event_based_actor& self)
      : supervisor_{supervisor}, self_{self} {}

  // context.spawn<Admin>(args...): a scheduled actor. Detached: context.spawn<LogWriter,
  // caf::detached>(args...).
  template <class Actor, caf::spawn_options Options = caf::no_spawn_options, class... Args>
  auto spawn(Args&&... args) {
    return self_.spawn<Actor, Options>(std::forward<Args>(args)...);
  }

  caf::actor_system& system() { return self_.system(); }
  // A child started before this one. REQUIRES: listed before it.
  caf::actor find(const std::string& name) const;

 private:
  Supervisor& supervisor_;
  caf::event_based_actor& self_;
};

struct ChildSpec {
  std::string name;  // unique among its siblings
  // Makes the child. An error or an exception counts as a failure of the child.
  std::function<Result<caf::actor>(StartContext&)> start;
  RestartKind restart = RestartKind::permanent;
  bool critical = false;
  Millis shutdown{5'000};  // time to end by itself after user_shutdown; then it is killed
};

struct SupervisorSpec {
  std::string name;  // component of its log lines
  RestartStrategy strategy = RestartStrategy::one_for_one;
  RestartBudget budget;
  std::vector<ChildSpec> children;
};

class Supervisor final : public caf::event_based_actor {
 public:
  Supervisor(caf::actor_config& config, SupervisorSpec spec);

  caf::behavior make_behavior() override;
  const char* name() const override { return "supervisor"; }
  void on_exit() override;

 private:
  friend class StartContext;
  enum class Mode { running, stopping, killed };
  struct Child {
    caf::actor handle;
    ChildState state = ChildState::stopped;
    bool attempted = false;
    std::uint64_t restarts = 0;
    std::uint64_t round = 0;  // guards against a shutdown timer of an earlier life
    std::string last_end;
  };

  void on_down(const caf::down_msg& down);
  void on_exit_request(const caf::exit_msg& request);
  void on_shutdown_tick(const ShutdownTick& tick);
  ChildList on_list() const;
  ChildFound on_find(const FindChild& wanted) const;

  void child_ended(std::size_t index, const caf::error& reason);
  void carry_out(const RestartPlan& plan, std::size_t failed);
  void escalate(Escalation why, std::size_t failed);
  void begin_stop(caf::error reason);
  void proceed();
  bool stop_next();
  void start_child(std::size_t index);
  Result<caf::actor> call_start(std::size_t index);

  // constant after construction
  const SupervisorSpec spec_;
  // state
  RestartPolicy policy_;
  std::vector<Child> children_;
  Mode mode_ = Mode::running;
  std::vector<std::size_t> to_stop_;  // the next one to stop is in front
  std::set<std::size_t> to_start_;
  caf::error end_reason_;
};

// Spawns a root or inner supervisor. Detached supervisors may have start functions that block
// (opening files).
caf::actor spawn_supervisor(caf::actor_system& system, SupervisorSpec spec);
caf::actor spawn_detached_supervisor(caf::actor_system& system, SupervisorSpec spec);

}  // namespace mainstay::kit
