// What the metrics actor understands.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <caf/actor.hpp>

#include "actors/kit/supervisor_api.hpp"
#include "actors/kit/type_ids.hpp"
#include "actors/peer_link/peer_link_api.hpp"
#include "runtime/base/result.hpp"

namespace mainstay::metrics {

// All instruments of the node in Prometheus' text format; `done` is called exactly once, soon.
struct GetMetricsText {
  std::function<void(Result<std::string>)> done;
};

// What the others last told, for the cluster view: a new value every second.
struct Overview {
  peer_link::LinkStatus links;
  std::vector<kit::ChildStatus> actors;  // in the order of their start
  double fsync_ms = 0;                   // slowest durable write of the log in the last second
};

// Timer: once a second, what is only looked at, not told.
struct MetricsTick {};

}  // namespace mainstay::metrics

MAINSTAY_BEGIN_MESSAGES(metrics)
MAINSTAY_MESSAGE(metrics, mainstay::metrics::GetMetricsText)
MAINSTAY_MESSAGE(metrics, mainstay::metrics::MetricsTick)
MAINSTAY_END_MESSAGES(metrics)
