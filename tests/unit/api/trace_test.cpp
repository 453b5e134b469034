#include <gmock/gmock.h>

#include "tests/unit/api/hub_rows.hpp"

namespace mainstay::api {
namespace {

using http::Method;
using testing::ElementsAre;

class TraceTest : public testing::Test, protected ApiFixture {
 protected:
  void SetUp() override {
    backend.declare("orders");
    ask(Method::put, "/v1/collections/orders/records/A-1", R"({"n":1})");
    ask(Method::put, "/v1/collections/orders/records/A-1", R"({"n":2})");
    fill_hub(backend);
  }
  std::vector<std::string> whats(const std::string& key) {
    std::vector<std::string> all;
    std::string before;
    for (const auto& event : items_of(ask(Method::get, "/v1/trace/" + key), "events")) {
      all.emplace_back(event.at("what").as_string());
      const std::string time{event.at("time").as_string()};
      EXPECT_LE(before, time);
      before = time;
    }
    return all;
  }
};

TEST_F(TraceTest, TellsTheWholeStoryInTheOrderOfTime) {
  EXPECT_THAT(whats("A-1"), ElementsAre("written", "written", "received", "intended", "sent",
                                        "acknowledged", "parked", "parked"));
  const auto body = body_of(ask(Method::get, "/v1/trace/A-1"));
  EXPECT_EQ(body.at("key"), "A-1");
  EXPECT_EQ(body.at("complete"), true);
  const auto& events = body.at("events").as_array();
  EXPECT_EQ(events[0].at("collection"), "orders");
  EXPECT_EQ(events[2].at("id"), "o-1");
  EXPECT_EQ(events[2].at("adapter"), "wms");
  EXPECT_EQ(events[5].at("effect"), "order/A-1");
  EXPECT_EQ(events[6].at("letter"), "in/order-17");
}

TEST_F(TraceTest, TellsOfEffectsUnderWayAndOfRecordsAlone) {
  EXPECT_THAT(whats("A-2"), ElementsAre("intended", "sent"));
  ask(Method::put, "/v1/collections/orders/records/lonely", "1");
  ask(Method::remove, "/v1/collections/orders/records/lonely");
  const auto told = whats("lonely");
  EXPECT_EQ(told.size(), 2U);
  EXPECT_EQ(problem_of(ask(Method::get, "/v1/trace/nothing")), "not_found");
}

TEST_F(TraceTest, WorksBeforeTheIndexesAreBuilt) {
  // Declared again with other indexes: they are being built until the log goes on.
  backend.declare("hub-effects");
  EXPECT_THAT(whats("A-2"), ElementsAre("intended", "sent"));
}

}  // namespace
}  // namespace mainstay::api
