#include "runtime/metrics/registry.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "runtime/metrics/node_metrics.hpp"

namespace mainstay::metrics {
namespace {

TEST(RegistryTest, SameNameAndLabelsIsTheSameInstrument) {
  Registry registry;
  registry.counter("mainstay_a_total", "A", {{"x", "1"}}).add();
  registry.counter("mainstay_a_total", "A", {{"x", "1"}}).add(2);
  registry.counter("mainstay_a_total", "A", {{"x", "2"}}).add();
  EXPECT_EQ(registry.counter("mainstay_a_total", "A", {{"x", "1"}}).value(), 3);
  const std::string text = registry.text();
  EXPECT_NE(text.find("# HELP mainstay_a_total A\n"), std::string::npos);
  EXPECT_NE(text.find("mainstay_a_total{x=\"2\"} 1\n"), std::string::npos);
}

std::string all_instruments() {
  NodeMetrics metrics{"0.5.0"};
  metrics.http_requests("GET", "/v1/cluster", 200).add();
  metrics.http_seconds("/v1/cluster").observe(0.001);
  metrics.strangers_refused("stranger", 1);
  metrics.link_state(2, true);
  metrics.member_match(2, 17);
  metrics.actor_restarted("gateway", 1);
  metrics.queue_depth("apply", 3);
  metrics.log_write.observe(0.0002);
  return metrics.registry.text();
}

TEST(NodeMetricsTest, PassesPromtool) {
  // ./check unpacks promtool into build/tools where it is not installed.
  FILE* pipe = popen("PATH=$PATH:build/tools promtool check metrics", "w");
  ASSERT_NE(pipe, nullptr);
  const std::string text = all_instruments();
  std::fwrite(text.data(), 1, text.size(), pipe);
  EXPECT_EQ(pclose(pipe), 0);
}

TEST(NodeMetricsTest, ObservationsShowInTheText) {
  const std::string text = all_instruments();
  EXPECT_NE(text.find("mainstay_log_write_seconds_count 1\n"), std::string::npos);
  EXPECT_NE(text.find("mainstay_link_up{peer=\"2\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("mainstay_build_info{version=\"0.5.0\"} 1\n"), std::string::npos);
}

}  // namespace
}  // namespace mainstay::metrics
