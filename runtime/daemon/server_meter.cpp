#include "runtime/daemon/server_meter.hpp"

#include <utility>

namespace mainstay::daemon {

void ServerMeter::look_at(Source source) {
  const std::lock_guard lock{mutex_};
  source_ = std::move(source);
  before_ = {};
}

void ServerMeter::measure(metrics::NodeMetrics& metrics) {
  const std::lock_guard lock{mutex_};
  if (!source_) return;
  const http::ServerCounts now = source_();
  const auto add = [](metrics::Counter& counter, std::uint64_t before, std::uint64_t after) {
    counter.add(static_cast<double>(after - before));
  };
  metrics.http_connections_open.set(static_cast<double>(now.connections_open));
  metrics.http_streams_open.set(static_cast<double>(now.streams_open));
  add(metrics.http_connections, before_.connections_accepted, now.connections_accepted);
  add(metrics.http_connections_refused, before_.connections_refused, now.connections_refused);
  add(metrics.http_requests_bad, before_.requests_bad, now.requests_bad);
  add(metrics.http_timeouts, before_.timeouts, now.timeouts);
  add(metrics.http_handshakes_failed, before_.handshakes_failed, now.handshakes_failed);
  before_ = now;
}

}  // namespace mainstay::daemon
