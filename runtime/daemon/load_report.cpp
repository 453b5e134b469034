#include "runtime/daemon/load_report.hpp"

#include <algorithm>
#include <cmath>

#include "runtime/base/limits.hpp"

namespace mainstay::daemon {

http::AgentReport load_report(api::Backend& backend) {
  using State = http::AgentReport::State;
  const api::ClusterView view = backend.cluster();
  if (view.draining) return {State::drain, 100};
  const std::vector<api::Check> checks = backend.readiness();
  if (!std::all_of(checks.begin(), checks.end(), [](const api::Check& check) { return check.ok; }))
    return {State::down, 100};
  http::AgentLoad load;
  load.queue_used =
      static_cast<double>(view.queue_depth) / static_cast<double>(limits::gateway_requests_max);
  load.lag = view.apply_lag;
  load.disk_write = Millis{std::llround(view.fsync_ms)};
  return {State::ready, weight_percent_of(load)};
}

}  // namespace mainstay::daemon
