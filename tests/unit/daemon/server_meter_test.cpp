#include "runtime/daemon/server_meter.hpp"

#include <gtest/gtest.h>

namespace mainstay::daemon {
namespace {

TEST(ServerMeter, AddsWhatCameSinceTheLastLook) {
  metrics::NodeMetrics metrics{"test"};
  ServerMeter meter;
  http::ServerCounts counts;
  meter.look_at([&counts] { return counts; });
  counts.connections_accepted = 5;
  counts.connections_open = 2;
  counts.timeouts = 1;
  meter.measure(metrics);
  meter.measure(metrics);
  EXPECT_EQ(metrics.http_connections.value(), 5);
  EXPECT_EQ(metrics.http_connections_open.value(), 2);
  EXPECT_EQ(metrics.http_timeouts.value(), 1);
  counts.connections_accepted = 7;
  counts.connections_open = 1;
  meter.measure(metrics);
  EXPECT_EQ(metrics.http_connections.value(), 7);
  EXPECT_EQ(metrics.http_connections_open.value(), 1);
}

TEST(ServerMeter, WithoutAServerItLooksAtNothing) {
  metrics::NodeMetrics metrics{"test"};
  ServerMeter meter;
  meter.measure(metrics);
  int looks = 0;
  meter.look_at([&looks] { return ++looks, http::ServerCounts{}; });
  meter.look_at(nullptr);
  meter.measure(metrics);
  EXPECT_EQ(looks, 0);
}

}  // namespace
}  // namespace mainstay::daemon
