// The tool's commands of the integration hub, against the API over the hub's rows.
#include "tests/unit/api/hub_rows.hpp"
#include "tests/unit/daemon/tool/fake_node.hpp"

namespace mainstay::tool {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace hub = integration::hub;

class FlowTest : public ToolTest {
 protected:
  FlowTest() { api::fill_hub(node_.backend); }

  std::string member(const char* collection, const std::string& key, const std::string& pointer) {
    const json::Value row = api::row_of(node_.backend, collection, key);
    const json::Value* found = json::find(row, pointer);
    return found == nullptr ? "" : json::to_text(*found);
  }
};

TEST_F(FlowTest, StatusShowsWhereAdaptersRunAndWhatWaits) {
  const std::string all = ok({"flow", "status"});
  EXPECT_THAT(all, HasSubstr("ADAPTER"));
  EXPECT_THAT(all, HasSubstr("erp"));
  EXPECT_THAT(all, testing::ContainsRegex("wms +postgres +3 +7 +placed +1 +1 +1"));
  EXPECT_THAT(ok({"flow", "status", "wms"}), HasSubstr("in parked: 1\n"));
  EXPECT_THAT(ok({"flow", "status", "wms", "--json"}), HasSubstr("\"epoch\":7"));
  EXPECT_EQ(tool({"flow", "status", "none"}).code, 3);
}

TEST_F(FlowTest, TraceTellsAStoryInOrder) {
  const std::string story = ok({"flow", "trace", "A-1"});
  EXPECT_LT(story.find("received"), story.find("acknowledged"));
  EXPECT_EQ(tool({"flow", "trace", "nobody"}).code, 3);
}

TEST_F(FlowTest, DeadLettersAreListedShownEditedReplayedAndDiscarded) {
  const std::string list = ok({"flow", "dead-letters", "wms"});
  EXPECT_THAT(list, HasSubstr("in/order-17"));
  EXPECT_THAT(list, HasSubstr("no such item"));
  EXPECT_THAT(ok({"flow", "dead-letters", "wms", "--direction", "out"}),
              Not(HasSubstr("order-17")));
  EXPECT_THAT(ok({"flow", "dead-letters", "wms", "in/order-17"}), HasSubstr(R"({"number":"A-1"})"));
  ok({"flow", "edit", "wms", "in/order-17", R"({"number":"A-2"})"});
  EXPECT_EQ(member(hub::letters, "wms/in/order-17", "/body"), R"("{\"number\":\"A-2\"}")");
  EXPECT_THAT(ok({"flow", "replay", "wms", "in/order-17", "--plan"}), HasSubstr("would try"));
  EXPECT_EQ(member(hub::letters, "wms/in/order-17", "/state"), R"("parked")");
  ok({"flow", "replay", "wms", "in/order-17"});
  EXPECT_EQ(member(hub::letters, "wms/in/order-17", "/state"), R"("replay")");
  const std::string out = "out/" + integration::key_part("order/A-3");
  ok({"flow", "discard", "wms", out});
  EXPECT_EQ(member(hub::letters, "wms/" + out, "/state"), R"("discarded")");
  EXPECT_EQ(tool({"flow", "edit", "wms", "in/none", "{}"}).code, 3);
}

TEST_F(FlowTest, AdaptersArePausedResumedAndMoved) {
  EXPECT_EQ(ok({"flow", "pause", "wms"}), "adapter wms is paused\n");
  EXPECT_EQ(member(hub::adapters, "wms", "/paused"), "true");
  EXPECT_THAT(ok({"flow", "status"}), HasSubstr("paused"));
  ok({"flow", "resume", "wms"});
  EXPECT_EQ(member(hub::adapters, "wms", "/paused"), "false");
  ok({"flow", "move", "wms", "2"});
  EXPECT_EQ(member(hub::adapters, "wms", "/prefer"), "2");
  EXPECT_EQ(tool({"flow", "pause", "none"}).code, 3);
}

TEST_F(FlowTest, CommandsAreAskedUnderTheirOperation) {
  for (int i = 0; i < 2; ++i)
    ok({"flow", "backfill", "wms", "--type", "order", "--from", "1", "--operation", "b1"});
  EXPECT_EQ(member(hub::commands, "wms/b1", "/arguments"), R"({"type":"order","from":"1"})");
  ok({"flow", "reconcile", "wms", "--name", "orders", "--repair", "--key", "A-1", "--operation",
      "r1"});
  EXPECT_EQ(member(hub::commands, "wms/r1", "/command"), R"("repair")");
  ok({"flow", "replay", "wms", "--class", "refused", "--operation", "p1"});
  EXPECT_EQ(member(hub::commands, "wms/p1", "/arguments"), R"({"class":"refused"})");
}

TEST_F(FlowTest, SweepsAreAskedForAndDifferencesExplained) {
  ok({"flow", "sweep", "wms", "--operation", "s1"});
  EXPECT_EQ(member(hub::commands, "wms/s1", "/command"), R"("sweep")");
  EXPECT_THAT(ok({"flow", "explain", "wms", "orders", "A-1", "written off", "--plan"}),
              HasSubstr("would accept difference A-1"));
  ok({"flow", "explain", "wms", "orders", "A-1", "written off"});
  EXPECT_EQ(member(hub::discrepancies, "wms/orders/A-1", "/explanation"), R"("written off")");
  EXPECT_THAT(ok({"flow", "discrepancies", "wms", "--state", "explained"}),
              HasSubstr("written off"));
}

TEST_F(FlowTest, HeartbeatsAndBreakersAreShown) {
  EXPECT_THAT(ok({"flow", "status"}), testing::ContainsRegex("overdue +open"));
  EXPECT_THAT(ok({"flow", "status", "wms"}),
              testing::ContainsRegex("path lane-0: heartbeat [0-9.]+ s ago, took 2.0 s, overdue, "
                                     "breaker open: refused"));
}

TEST_F(FlowTest, ReconciliationsAndDifferencesAreShown) {
  EXPECT_THAT(ok({"flow", "reconciliations", "wms"}), HasSubstr("0.9"));
  const std::string open = ok({"flow", "discrepancies", "wms"});
  EXPECT_THAT(open, HasSubstr("A-1"));
  EXPECT_THAT(open, Not(HasSubstr("A-2")));
  EXPECT_THAT(ok({"flow", "discrepancies", "wms", "--state", "all"}), HasSubstr("A-2"));
}

}  // namespace
}  // namespace mainstay::tool
