#include "actors/adapter_host/adapter_host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/adapter_host/adapter_metrics.hpp"
#include "runtime/integration/heartbeat.hpp"
#include "runtime/integration/hub.hpp"
#include "runtime/integration/rows.hpp"
#include "tests/actor/kit/actor_fixture.hpp"
#include "tests/unit/api/fake_backend.hpp"

namespace mainstay::adapter_host {
namespace {

using integration::PlacementRow;
namespace hub = integration::hub;

// A counterpart that has one order to give.
struct Counterpart {
  int alive = 0;
  int fetched = 0;
};

class OneOrder final : public integration::Adapter {
 public:
  explicit OneOrder(Counterpart& counterpart) : counterpart_{counterpart} { ++counterpart_.alive; }
  ~OneOrder() override { --counterpart_.alive; }

  integration::AdapterTraits traits() const override { return {true, false, false}; }
  Result<integration::Page> fetch(const std::string& position, std::size_t) override {
    ++counterpart_.fetched;
    integration::Page page;
    page.position = "1";
    if (position.empty()) {
      integration::RawMessage message;
      message.id = "A";
      message.type = "order";
      message.body = R"({"id":"A"})";
      page.messages.push_back(std::move(message));
    }
    return page;
  }
  Result<std::vector<json::Value>> decode(const integration::RawMessage& message) override {
    TRY_ASSIGN(json::Value value, json::parse(message.body));
    return std::vector<json::Value>{std::move(value)};
  }

 private:
  Counterpart& counterpart_;
};

class AdapterHostTest : public testing::ActorTest {
 protected:
  AdapterHostTest() {
    backend.declare("things");
    backend.cluster_view.self = NodeId{1};
    backend.cluster_view.leader = NodeId{1};
    backend.cluster_view.role = "leader";
    for (const std::uint64_t id : {1, 2}) {
      api::MemberView member;
      member.id = NodeId{id};
      member.active = true;
      backend.cluster_view.members.push_back(member);
    }
    const auto mapping = integration::Mapping::parse(json::parse(R"({"mapping":"m","version":1,
          "records":[{"collection":"things","key":"/id","value":{"id":"/id"}}]})")
                                                         .value());
    auto definition = std::make_shared<integration::AdapterDefinition>();
    definition->name = "erp";
    definition->kind = "one-order";
    definition->source.emplace().types["order"] = *mapping;
    auto kinds = std::make_shared<integration::AdapterKinds>();
    kinds->add("one-order", [this](const integration::AdapterContext&) {
      return Result<std::unique_ptr<integration::Adapter>>{std::make_unique<OneOrder>(counterpart)};
    });
    parts.node = NodeId{1};
    parts.boot = BootId{7};
    parts.definitions = {definition};
    parts.kinds = kinds;
    parts.backend = &backend;
    parts.clock = &clock;
    parts.random = &random;
    parts.registry = &registry;
    parts.threads = false;
  }

  void start() { host = spawn<AdapterHost>(parts); }
  // Actors and the cluster have one time.
  void pass(Millis time) {
    for (Millis passed{0}; passed < time; passed += Millis{50}) {
      clock.passed += Millis{50};
      run_for(Millis{50});
      backend.wake();
    }
  }
  PlacementRow placed() {
    const auto value = integration::find_value(*backend.state, hub::adapters, "erp");
    return value ? integration::placement_row(*value).value() : PlacementRow{};
  }
  void place(const PlacementRow& row) {
    auto command =
        record::single(integration::put_action(hub::adapters, "erp", integration::to_value(row)));
    command.operation = backend.make_operation_id();
    backend.apply(std::move(command));
  }

  api::ManualClock clock;
  api::FakeBackend backend{clock};
  SeededRandom random{1};
  metrics::Registry registry;
  Counterpart counterpart;
  HostParts parts;
  caf::actor host;
};

TEST_F(AdapterHostTest, DeclaresPlacesAndRunsAnAdapter) {
  start();
  pass(Millis{1'500});
  EXPECT_TRUE(backend.state->find_collection(hub::inbox));
  EXPECT_TRUE(backend.state->find_collection("orders"));
  EXPECT_EQ(placed().node, 1u);
  EXPECT_EQ(placed().epoch, 1u);
  EXPECT_EQ(counterpart.alive, 1);
  EXPECT_TRUE(backend.state->find_record("things", "A"));
  EXPECT_THAT(registry.text(),
              ::testing::HasSubstr(
                  "mainstay_adapter_messages_total{adapter=\"erp\",result=\"accepted\"} 1"));
  EXPECT_THAT(registry.text(),
              ::testing::HasSubstr("mainstay_adapter_source_up{adapter=\"erp\"} 1"));
}

TEST_F(AdapterHostTest, HeartbeatsAreShownAtEveryNodeAndGrowOldWhenTheAdapterIsGone) {
  start();
  pass(Millis{2'500});
  const auto sample = [this] {
    const std::string text = registry.text();
    const std::string name =
        "mainstay_adapter_heartbeat_age_seconds{adapter=\"erp\",path=\"source\"} ";
    const auto at = text.find(name);
    return at == std::string::npos ? -1.0 : std::stod(text.substr(at + name.size()));
  };
  EXPECT_GE(sample(), 0);
  EXPECT_LE(sample(), 2.5);
  // It runs somewhere else now, where nothing goes on.
  PlacementRow row = placed();
  row.node = 2;
  row.boot = "other";
  row.epoch = 2;
  backend.cluster_view.role = "follower";
  place(row);
  pass(Millis{60'000});
  EXPECT_GE(sample(), 57);
}

TEST_F(AdapterHostTest, RowsOfPathsAreThereBeforeAnyWorkerWorks) {
  parts.kinds = std::make_shared<integration::AdapterKinds>();  // nothing can be made
  start();
  pass(Millis{1'500});
  const auto value = integration::find_value(*backend.state, hub::paths, "erp/source");
  ASSERT_TRUE(value);
  pass(Millis{60'000});
  EXPECT_TRUE(is_overdue(integration::path_row(*value).value(), clock.wall()));
}

TEST_F(AdapterHostTest, ReconciliationsAreShownInTheMetrics) {
  start();
  pass(Millis{1'500});
  auto command = record::single(integration::put_action(
      hub::reconciliations, "erp/stock",
      json::parse(R"({"adapter":"erp","name":"stock","compared":4,"equal":3,"pending":0,"open":1,
                      "accuracy":"0.75","passed":false})")
          .value()));
  command.operation = backend.make_operation_id();
  backend.apply(std::move(command));
  show_reconciliations(registry, *backend.state, "erp");
  EXPECT_THAT(registry.text(),
              ::testing::HasSubstr(
                  R"(mainstay_adapter_reconciliation_accuracy{adapter="erp",name="stock"} 0.75)"));
}

TEST_F(AdapterHostTest, WhoDoesNotLeadPlacesNothing) {
  backend.cluster_view.leader = NodeId{2};
  backend.cluster_view.role = "follower";
  start();
  pass(Millis{1'500});
  EXPECT_EQ(placed().node, 0u);
  EXPECT_EQ(counterpart.alive, 0);
}

TEST_F(AdapterHostTest, AnAdapterThatWasGivenAwayStops) {
  start();
  pass(Millis{1'500});
  PlacementRow row = placed();
  row.node = 2;
  row.boot = "other";
  row.epoch = 2;
  backend.cluster_view.role = "follower";
  place(row);
  pass(Millis{500});
  EXPECT_EQ(counterpart.alive, 0);
}

TEST_F(AdapterHostTest, APausedAdapterRestsAndGoesOn) {
  start();
  pass(Millis{1'500});
  PlacementRow row = placed();
  row.paused = true;
  place(row);
  pass(Millis{500});
  EXPECT_EQ(counterpart.alive, 0);
  row.paused = false;
  place(row);
  pass(Millis{500});
  EXPECT_EQ(counterpart.alive, 1);
}

TEST_F(AdapterHostTest, ARestartedNodeTakesItsAdapterUnderANewEpoch) {
  start();
  pass(Millis{1'500});
  stop(host);
  pass(Millis{200});
  EXPECT_EQ(counterpart.alive, 0);
  parts.boot = BootId{8};
  start();
  pass(Millis{1'500});
  EXPECT_EQ(placed().epoch, 2u);
  EXPECT_EQ(counterpart.alive, 1);
}

TEST_F(AdapterHostTest, ItEndsAfterItsAdapters) {
  start();
  pass(Millis{1'500});
  stop(host);
  pass(Millis{200});
  EXPECT_EQ(end_of(host), "user_shutdown");
  EXPECT_EQ(counterpart.alive, 0);
}

TEST_F(AdapterHostTest, AClusterThatCannotBeAskedIsAskedAgain) {
  backend.refusal = Error{Errc::busy, "later"};
  start();
  pass(Millis{500});
  EXPECT_EQ(counterpart.alive, 0);
  backend.refusal.reset();
  pass(Millis{2'000});
  EXPECT_EQ(counterpart.alive, 1);
}

}  // namespace
}  // namespace mainstay::adapter_host
