// The HTTP server's own counts as metrics: they are looked at when metrics become text.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>

#include "runtime/http/server.hpp"
#include "runtime/metrics/node_metrics.hpp"

namespace mainstay::daemon {

// Thread-safe.
class ServerMeter {
 public:
  using Source = std::function<http::ServerCounts()>;

  // From now on these; null: none any more (no call of the old source is under way afterwards).
  void look_at(Source source);
  void measure(metrics::NodeMetrics& metrics);

 private:
  std::mutex mutex_;
  Source source_;
  http::ServerCounts before_;
};

}  // namespace mainstay::daemon
