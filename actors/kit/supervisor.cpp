#include "actors/kit/supervisor.hpp"

#include <algorithm>
#include <utility>

#include <caf/all.hpp>

#include "actors/kit/deadline.hpp"
#include "actors/kit/errors.hpp"
#include "runtime/base/log.hpp"

namespace mainstay::kit {

namespace {

std::vector<ChildRule> rules_of(const SupervisorSpec& spec) {
  std::vector<ChildRule> rules;
  for (const ChildSpec& child : spec.children)
    rules.push_back(ChildRule{child.restart, child.critical});
  return rules;
}

}  // namespace

std::string_view to_string(ChildState state) {
  switch (state) {
    case ChildState::stopped:
      return "stopped";
    case ChildState::running:
      return "running";
    case ChildState::stopping:
      return "stopping";
    case ChildState::ended:
      return "ended";
  }
  return "unknown";
}

caf::actor StartContext::find(const std::string& name) const {
  const auto& specs = supervisor_.spec_.children;
  for (std::size_t i = 0; i < specs.size(); ++i)
    if (specs[i].name == name) return supervisor_.children_[i].handle;
  return {};
}

Supervisor::Supervisor(caf::actor_config& config, SupervisorSpec spec)
    : caf::event_based_actor{config},
      spec_{std::move(spec)},
      policy_{spec_.strategy, spec_.budget, rules_of(spec_)},
      children_{spec_.children.size()} {}

caf::behavior Supervisor::make_behavior() {
  route_errors(*this, spec_.name);
  set_down_handler([this](const caf::down_msg& down) { on_down(down); });
  set_exit_handler([this](const caf::exit_msg& request) { on_exit_request(request); });
  for (std::size_t i = 0; i < children_.size(); ++i) to_start_.insert(i);
  proceed();
  return {[this](const ShutdownTick& tick) { on_shutdown_tick(tick); },
          [this](const ListChildren&) { return on_list(); },
          [this](const FindChild& wanted) { return on_find(wanted); }};
}

// Also reached when this supervisor itself fails or is killed: no child may be left behind without
// one.
void Supervisor::on_exit() {
  for (std::size_t i = children_.size(); i-- > 0;)
    if (children_[i].handle) caf::anon_send_exit(children_[i].handle, caf::exit_reason::kill);
  children_.clear();
}

void Supervisor::on_down(const caf::down_msg& down) {
  for (std::size_t i = 0; i < children_.size(); ++i) {
    if (!children_[i].handle || children_[i].handle.address() != down.source) continue;
    child_ended(i, down.reason);
    proceed();
    return;
  }
}

void Supervisor::on_exit_request(const caf::exit_msg& request) {
  if (mode_ == Mode::running) begin_stop(request.reason);
  proceed();
}

void Supervisor::on_shutdown_tick(const ShutdownTick& tick) {
  Child& child = children_[tick.child];
  if (child.state != ChildState::stopping || child.round != tick.round) return;
  log_warn(spec_.name, "{} did not stop within {} ms and is killed",
           spec_.children[tick.child].name, spec_.children[tick.child].shutdown.count());
  send_exit(child.handle, caf::exit_reason::kill);
}

ChildList Supervisor::on_list() const {
  ChildList list;
  for (std::size_t i = 0; i < children_.size(); ++i) {
    const Child& child = children_[i];
    const ChildSpec& spec = spec_.children[i];
    list.children.push_back(ChildStatus{spec.name, child.state, spec.critical, child.restarts,
                                        child.handle ? child.handle.id() : 0, child.last_end});
  }
  return list;
}

ChildFound Supervisor::on_find(const FindChild& wanted) const {
  for (std::size_t i = 0; i < children_.size(); ++i)
    if (spec_.children[i].name == wanted.name && children_[i].state == ChildState::running)
      return ChildFound{children_[i].handle};
  return {};
}

void Supervisor::child_ended(std::size_t index, const caf::error& reason) {
  Child& child = children_[index];
  const bool asked = child.state == ChildState::stopping;
  child.handle = nullptr;
  child.state = asked ? ChildState::stopped : ChildState::ended;
  child.last_end = text_of(reason);
  if (asked) return;
  const bool normal = is_normal(reason);
  log_at(normal ? LogLevel::info : LogLevel::error, spec_.name, "{} ended: {}",
         spec_.children[index].name, child.last_end);
  if (mode_ == Mode::running) carry_out(policy_.on_exit(index, normal, now_of(*this)), index);
}

void Supervisor::carry_out(const RestartPlan& plan, std::size_t failed) {
  if (plan.escalation != Escalation::none) return escalate(plan.escalation, failed);
  for (std::size_t index : plan.stop)
    if (children_[index].state == ChildState::running &&
        std::find(to_stop_.begin(), to_stop_.end(), index) == to_stop_.end())
      to_stop_.push_back(index);
  // Crashes may overlap: the order over all of them is last first.
  std::sort(to_stop_.begin(), to_stop_.end(), std::greater<>{});
  for (std::size_t index : plan.start)
    if (index == failed || children_[index].state == ChildState::running) to_start_.insert(index);
}

void Supervisor::escalate(Escalation why, std::size_t failed) {
  const std::string& child = spec_.children[failed].name;
  if (why == Escalation::critical_child) {
    log_error(spec_.name, "critical child {} failed: stopping at once", child);
    mode_ = Mode::killed;
    return quit(failure("critical child " + child + " failed: " + children_[failed].last_end));
  }
  log_error(spec_.name, "{} failed more than {} times in {} ms: giving up", child,
            spec_.budget.restarts_max, spec_.budget.within.count());
  begin_stop(failure("restart budget spent on " + child + ": " + children_[failed].last_end));
}

void Supervisor::begin_stop(caf::error reason) {
  mode_ = Mode::stopping;
  end_reason_ = std::move(reason);
  to_start_.clear();
  to_stop_.clear();
  for (std::size_t index = children_.size(); index-- > 0;)
    if (children_[index].state == ChildState::running) to_stop_.push_back(index);
}

// The one place that moves things on: one child stops at a time, and nothing starts before all that
// must stop have stopped.
void Supervisor::proceed() {
  while (mode_ != Mode::killed) {
    if (stop_next()) return;
    if (mode_ == Mode::stopping) return quit(end_reason_);
    if (to_start_.empty()) return;
    const std::size_t index = *to_start_.begin();
    to_start_.erase(to_start_.begin());
    start_child(index);
  }
}

// False when no child is stopping and none has to.
bool Supervisor::stop_next() {
  for (const Child& child : children_)
    if (child.state == ChildState::stopping) return true;
  while (!to_stop_.empty()) {
    const std::size_t index = to_stop_.front();
    to_stop_.erase(to_stop_.begin());
    Child& child = children_[index];
    if (child.state != ChildState::running) continue;
    child.state = ChildState::stopping;
    ++child.round;
    send_exit(child.handle, caf::exit_reason::user_shutdown);
    delayed_send(this, spec_.children[index].shutdown, ShutdownTick{index, child.round});
    return true;
  }
  return false;
}

void Supervisor::start_child(std::size_t index) {
  Child& child = children_[index];
  if (child.attempted) ++child.restarts;
  child.attempted = true;
  auto started = call_start(index);
  if (!started) {
    child.state = ChildState::ended;
    child.last_end = "start failed: " + started.error().message;
    log_error(spec_.name, "{}: {}", spec_.children[index].name, child.last_end);
    return carry_out(policy_.on_exit(index, false, now_of(*this)), index);
  }
  child.handle = std::move(*started);
  child.state = ChildState::running;
  monitor(child.handle);
  log_debug(spec_.name, "{} started", spec_.children[index].name);
}

Result<caf::actor> Supervisor::call_start(std::size_t index) {
  StartContext context{*this, *this};
  try {
    auto started = spec_.children[index].start(context);
    if (started && !*started) return fail(Errc::internal, "the start function made no actor");
    return started;
  } catch (const std::exception& error) {
    return fail(Errc::internal, error.what());
  }
}

caf::actor spawn_supervisor(caf::actor_system& system, SupervisorSpec spec) {
  return system.spawn<Supervisor>(std::move(spec));
}

caf::actor spawn_detached_supervisor(caf::actor_system& system, SupervisorSpec spec) {
  return system.spawn<Supervisor, caf::detached>(std::move(spec));
}

}  // namespace mainstay::kit
