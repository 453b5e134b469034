#include "runtime/integration/heartbeat.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/integration/exporter.hpp"
#include "runtime/integration/lane.hpp"
#include "runtime/integration/source.hpp"
#include "tests/unit/integration/hub_lab.hpp"

namespace mainstay::integration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// An adapter whose workers run side by side; each of them can be stuck in a call that does not
// come back.
struct HeartbeatTest : testing::Test {
  HeartbeatTest() {
    cluster.declare("orders");
    definition.effects.lanes = 1;
    definition.effects.breaker_failures = 3;
    definition.source->messages_max = 2;
    start();
  }

  void start() {
    source.emplace(definition, tenure, in, cluster, random);
    exporter.emplace(definition, tenure, cluster);
    lane.emplace(definition, tenure, 0, out, cluster, random);
  }
  void pass(Millis time) {
    for (const MonotonicTime until = cluster.monotonic() + time; cluster.monotonic() < until;) {
      bool worked = false;
      const auto step = [&worked](auto& worker) {
        const auto done = worker->step();
        ASSERT_TRUE(done) << to_string(done.error());
        worked = worked || *done == Step::worked;
      };
      if (!source_is_stuck) step(source);
      if (!exporter_is_stuck) step(exporter);
      if (!lane_is_stuck) step(lane);
      if (!worked) cluster.advance(Millis{100});
    }
  }
  PathRow row(const std::string& path) {
    const auto value = cluster.value(hub::paths, path_key("erp", path));
    return value ? path_row(*value).value() : PathRow{};
  }
  Millis age(const std::string& path) { return heartbeat_age(row(path), cluster.wall()); }
  // The paths that are overdue.
  std::vector<std::string> overdue() {
    std::vector<std::string> found;
    for (const char* path : {"source", "export", "lane-0"})
      if (is_overdue(row(path), cluster.wall())) found.emplace_back(path);
    return found;
  }
  void order(const std::string& id) {
    cluster.put("orders", id, R"({"id":")" + id + R"(","state":"confirmed"})");
  }

  Executioner executioner;
  LabHub cluster{executioner};
  LabCounterpart counterpart;
  AdapterDefinition definition = lab_definition();
  Tenure tenure = cluster.begin("erp");
  SeededRandom random{1};
  LabAdapter in{counterpart, executioner};
  LabAdapter out{counterpart, executioner};
  std::optional<Source> source;
  std::optional<Exporter> exporter;
  std::optional<Lane> lane;
  bool source_is_stuck = false, exporter_is_stuck = false, lane_is_stuck = false;
};

TEST_F(HeartbeatTest, ComeThroughEachPathFromEndToEnd) {
  pass(Millis{120'000});
  EXPECT_THAT(overdue(), ElementsAre());
  for (const char* path : {"source", "export", "lane-0"}) {
    EXPECT_LE(age(path), Millis{12'000}) << path;
    EXPECT_LE(heartbeat_delay(row(path)), Millis{1'000}) << path;
    EXPECT_EQ(row(path).trouble, "") << path;
  }
  EXPECT_EQ(row("lane-0").reached, "counterpart");
  EXPECT_GE(counterpart.questions, 11);
  EXPECT_EQ(cluster.count(hub::paths), 3u) << "they leave no trail";
  EXPECT_EQ(cluster.count(hub::effects) + cluster.count(hub::inbox), 0u);
}

TEST_F(HeartbeatTest, AStuckWorkerShowsThoughAllOthersLive) {
  pass(Millis{20'000});
  source_is_stuck = true;
  pass(Millis{60'000});
  EXPECT_THAT(overdue(), ElementsAre("source"));
  source_is_stuck = false;
  lane_is_stuck = true;
  pass(Millis{60'000});
  EXPECT_THAT(overdue(), ElementsAre("lane-0"));
  lane_is_stuck = false;
  exporter_is_stuck = true;
  pass(Millis{60'000});
  EXPECT_THAT(overdue(), ElementsAre("export", "lane-0")) << "what is behind it, too";
  exporter_is_stuck = false;
  pass(Millis{20'000});
  EXPECT_THAT(overdue(), ElementsAre());
}

TEST_F(HeartbeatTest, ACounterpartThatCannotBeReachedShowsWithItsReason) {
  pass(Millis{20'000});
  counterpart.down = true;
  pass(Millis{60'000});
  EXPECT_THAT(overdue(), ElementsAre("source", "lane-0"));
  EXPECT_THAT(row("source").trouble, HasSubstr("connection refused"));
  EXPECT_EQ(row("lane-0").breaker, "open");
  EXPECT_THAT(row("lane-0").trouble, HasSubstr("connection refused"));
  counterpart.down = false;
  pass(Millis{20'000});
  EXPECT_THAT(overdue(), ElementsAre());
  EXPECT_EQ(row("source").trouble + row("lane-0").trouble, "");
  EXPECT_EQ(row("lane-0").breaker, "closed");
}

TEST_F(HeartbeatTest, OfASourceNoneComesBeforeWhatTheCounterpartHad) {
  for (int i = 0; i < 40; ++i)
    counterpart.messages.push_back(order_message("A-" + std::to_string(i), "1"));
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(source->step());
  ASSERT_LT(cluster.count("orders"), 40u);
  ASSERT_GT(cluster.count("orders"), 10u);
  EXPECT_EQ(row("source").sent, "") << "there is more to fetch";
  pass(Millis{1'000});
  EXPECT_EQ(cluster.count("orders"), 40u);
  EXPECT_NE(row("source").sent, "");
}

TEST_F(HeartbeatTest, OfALaneNoneComesBeforeTheEffectsOfEarlierChanges) {
  pass(Millis{11'000});
  const std::string before = row("lane-0").sent;
  for (int i = 0; i < 50; ++i) order("A-" + std::to_string(i));
  lane_is_stuck = true;
  pass(Millis{11'000});
  lane_is_stuck = false;
  for (int i = 0; i < 100 && counterpart.effects.size() < 50; ++i) {
    EXPECT_EQ(row("lane-0").sent, before);
    ASSERT_TRUE(lane->step());
  }
  EXPECT_EQ(counterpart.effects.size(), 50u);
  pass(Millis{2'000});
  EXPECT_GT(row("lane-0").sent, before);
}

TEST_F(HeartbeatTest, OneThatIsOnItsWayArrivesBeforeANewerOne) {
  // A lane that always has more to do than it can.
  definition.effects.rate_per_second = 5;
  start();
  for (int second = 0; second < 120; ++second) {
    for (int i = 0; i < 4; ++i) order("A-" + std::to_string(second) + "-" + std::to_string(i));
    pass(Millis{1'000});
  }
  EXPECT_THAT(overdue(), ElementsAre());
  EXPECT_GE(counterpart.questions, 5);
}

TEST_F(HeartbeatTest, AParkedSubjectHoldsNoneUp) {
  counterpart.answer = [](const Effect&) {
    return EffectResult::failed(Verdict::refused, "unknown customer");
  };
  order("A");
  pass(Millis{60'000});
  EXPECT_EQ(cluster.count(hub::letters), 1u);
  EXPECT_THAT(overdue(), ElementsAre());
}

TEST_F(HeartbeatTest, WithoutAHarmlessQuestionTheyEndAtTheLane) {
  counterpart.answers_questions = false;
  pass(Millis{60'000});
  EXPECT_THAT(overdue(), ElementsAre());
  EXPECT_EQ(row("lane-0").reached, "lane");
  // But not past a counterpart that is known to be away.
  counterpart.answer = [](const Effect&) {
    return EffectResult::failed(Verdict::transient, "refused");
  };
  order("A");
  pass(Millis{90'000});
  EXPECT_EQ(row("lane-0").breaker, "open");
  EXPECT_THAT(overdue(), ElementsAre("lane-0"));
  counterpart.answer = nullptr;
  pass(Millis{60'000});
  EXPECT_THAT(overdue(), ElementsAre());
  EXPECT_EQ(row("lane-0").breaker, "closed");
}

TEST_F(HeartbeatTest, AnotherInstanceGoesOnWithThem) {
  pass(Millis{20'000});
  order("A");
  for (int i = 0; i < 20; ++i) {
    tenure = cluster.begin("erp");
    start();
    pass(Millis{2'300});
  }
  EXPECT_THAT(overdue(), ElementsAre());
  EXPECT_LE(age("lane-0"), Millis{12'000});
}

TEST_F(HeartbeatTest, RowsAreThoseOfTheDefinition) {
  const auto show = [this] {
    record::Command command;
    command.actions = path_changes(cluster.state, definition, cluster.wall());
    const std::size_t changed = command.actions.size();
    const bool refused = changed > 0 && cluster.run(std::move(command)).refused;
    EXPECT_FALSE(refused);
    return changed;
  };
  EXPECT_EQ(show(), 3u);
  EXPECT_EQ(show(), 0u) << "nothing has changed";
  EXPECT_EQ(age("lane-0"), Millis{0}) << "it counts from here until the first comes";
  cluster.advance(Millis{60'000});
  EXPECT_THAT(overdue(), ElementsAre("source", "export", "lane-0"));
  definition.source.reset();
  definition.effects.lanes = 2;
  EXPECT_EQ(show(), 2u) << "a lane more, no source any more";
  EXPECT_EQ(cluster.count(hub::paths), 3u);
  EXPECT_FALSE(cluster.value(hub::paths, "erp/source"));
}

TEST_F(HeartbeatTest, ASourceThatIsAskedSeldomBeatsAsSeldom) {
  definition.source->poll = Millis{3'600'000};
  EXPECT_EQ(path_of(cluster.state, definition, source_path, cluster.wall()).every_ms, 3'600'000u);
}

}  // namespace
}  // namespace mainstay::integration
