// What the metrics actor understands.
#pragma once

#include <functional>
#include <string>

#include <caf/actor.hpp>

#include "actors/kit/type_ids.hpp"
#include "runtime/base/result.hpp"

namespace mainstay::metrics {

// All instruments of the node in Prometheus' text format; `done` is called exactly once, soon.
struct GetMetricsText {
  std::function<void(Result<std::string>)> done;
};

// Timer: once a second, what is only looked at, not told.
struct MetricsTick {};

}  // namespace mainstay::metrics

MAINSTAY_BEGIN_MESSAGES(metrics)
MAINSTAY_MESSAGE(metrics, mainstay::metrics::GetMetricsText)
MAINSTAY_MESSAGE(metrics, mainstay::metrics::MetricsTick)
MAINSTAY_END_MESSAGES(metrics)
