#include "actors/metrics/metrics.hpp"

#include <gtest/gtest.h>

#include "tests/actor/kit/actor_fixture.hpp"

namespace mainstay::metrics {
namespace {

using namespace std::chrono_literals;

// The metrics actor between links and two supervisors that say what the test wants.
class MetricsActorTest : public testing::ActorTest {
 protected:
  MetricsActorTest() {
    answering = keep(system().spawn([this](caf::event_based_actor*) {
      return caf::behavior{[this](peer_link::GetLinkStatus) { return status; }};
    }));
    for (std::size_t i = 0; i < supervisors.size(); ++i)
      supervisors[i] = keep(system().spawn([this, i](caf::event_based_actor*) {
        return caf::behavior{[this, i](kit::ListChildren) { return children[i]; }};
      }));
    children[0].children.push_back(child("gateway", 0));
    children[1].children.push_back(child("replica", 0));
    MetricsSources sources;
    sources.links = [this] { return answering; };
    sources.supervisors = [this] {
      return std::vector<caf::actor>{supervisors.begin(), supervisors.end()};
    };
    sources.board = board;
    sources.overview = overview;
    sources.daemon = [](NodeMetrics& into) { into.http_streams_open.set(3); };
    actor = spawn<MetricsActor>(metrics, std::move(sources));
    settle();
  }
  ~MetricsActorTest() override {
    answering = nullptr;
    supervisors = {};
  }

  static kit::ChildStatus child(const std::string& name, std::uint64_t restarts) {
    return {name, kit::ChildState::running, false, restarts, 1, ""};
  }

  std::string text() {
    std::string given;
    tell(actor, GetMetricsText{[&given](Result<std::string> answer) { given = answer.value(); }});
    settle();
    return given;
  }

  double refused() {
    return metrics.registry.counter("mainstay_links_refused_total", "", {{"reason", "stranger"}})
        .value();
  }

  NodeMetrics metrics{"test"};
  std::shared_ptr<storage::Board> board = std::make_shared<storage::Board>();
  std::shared_ptr<replica::Published<Overview>> overview =
      std::make_shared<replica::Published<Overview>>();
  peer_link::LinkStatus status;
  std::array<kit::ChildList, 2> children;
  caf::actor answering;
  std::array<caf::actor, 2> supervisors;
  caf::actor actor;
};

TEST_F(MetricsActorTest, TheTextHasWhatIsOnlyLookedAt) {
  board->revision = 42;
  run_for(2000ms);
  const std::string shown = text();
  EXPECT_NE(shown.find("mainstay_revision 42"), std::string::npos);
  EXPECT_NE(shown.find("mainstay_http_streams_open 3"), std::string::npos);
  EXPECT_NE(shown.find("mainstay_build_info{version=\"test\"} 1"), std::string::npos);
}

TEST_F(MetricsActorTest, RefusalsAndRestartsAreAddedUpThroughRestartsOfThoseThatCount) {
  constexpr auto stranger = static_cast<std::size_t>(peer_link::Refusal::stranger);
  status.refused[stranger] = 5;
  children[0].children[0].restarts = 2;
  run_for(1000ms);
  EXPECT_EQ(refused(), 5);
  run_for(3000ms);
  EXPECT_EQ(refused(), 5) << "the same five";
  status.refused[stranger] = 1;  // it was restarted and counts from zero
  run_for(1000ms);
  EXPECT_EQ(refused(), 6);
  EXPECT_EQ(
      metrics.registry.counter("mainstay_actor_restarts_total", "", {{"actor", "gateway"}}).value(),
      2);
}

TEST_F(MetricsActorTest, TheOverviewShowsLinksAndActorsInTheOrderOfTheirStart) {
  peer_link::LinkReport link;
  link.node = NodeId{2};
  link.release = "0.5.0";
  status.links.push_back(link);
  run_for(1000ms);
  const auto shown = overview->get();
  ASSERT_EQ(shown->links.links.size(), 1u);
  EXPECT_EQ(shown->links.links[0].release, "0.5.0");
  ASSERT_EQ(shown->actors.size(), 2u);
  EXPECT_EQ(shown->actors[0].name, "gateway");
  EXPECT_EQ(shown->actors[1].name, "replica");
}

TEST_F(MetricsActorTest, ASlowWriteIsShownForASecondAndOneThatHangsAsLongAsItDoes) {
  board->log_write_slowest_ns = 30'000'000;
  run_for(1000ms);
  EXPECT_DOUBLE_EQ(overview->get()->fsync_ms, 30);
  run_for(1000ms);
  EXPECT_DOUBLE_EQ(overview->get()->fsync_ms, 0);
  board->log_write_began = now().time_since_epoch().count();
  run_for(3000ms);
  EXPECT_GE(overview->get()->fsync_ms, 2000);
}

}  // namespace
}  // namespace mainstay::metrics
