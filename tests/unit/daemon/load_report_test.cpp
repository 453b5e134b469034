#include "runtime/daemon/load_report.hpp"

#include <gtest/gtest.h>

#include "tests/unit/api/fake_backend.hpp"

namespace mainstay::daemon {
namespace {

using State = http::AgentReport::State;

class LoadReportTest : public ::testing::Test {
 protected:
  LoadReportTest() { backend.ready_checks = {{"leader", true, ""}, {"applied", true, ""}}; }

  http::AgentReport report() { return load_report(backend); }

  api::ManualClock clock;
  api::FakeBackend backend{clock};
};

TEST_F(LoadReportTest, AnIdleNodeTakesItsWholeShare) {
  EXPECT_EQ(report().state, State::ready);
  EXPECT_EQ(report().weight_percent, 100u);
}

TEST_F(LoadReportTest, ANodeThatIsNotReadyIsDown) {
  backend.ready_checks[1].ok = false;
  EXPECT_EQ(report().state, State::down);
}

TEST_F(LoadReportTest, ADrainIsToldAsSuchAlthoughItIsNotReadyEither) {
  backend.cluster_view.draining = true;
  backend.ready_checks[1].ok = false;
  EXPECT_EQ(report().state, State::drain);
}

TEST_F(LoadReportTest, AQueueASlowDiskAndALagTakeFromTheShare) {
  backend.cluster_view.queue_depth = limits::gateway_requests_max / 2;
  EXPECT_LE(report().weight_percent, 50u);
  backend.cluster_view.queue_depth = 0;
  backend.cluster_view.fsync_ms = 200;
  EXPECT_LE(report().weight_percent, 50u);
  backend.cluster_view.fsync_ms = 0;
  backend.cluster_view.apply_lag = 100'000;
  EXPECT_LE(report().weight_percent, 50u);
}

}  // namespace
}  // namespace mainstay::daemon
