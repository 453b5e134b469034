#include <gmock/gmock.h>

#include "runtime/integration/release.hpp"
#include "tests/unit/api/hub_rows.hpp"

namespace mainstay::api {
namespace {

using http::Method;
using testing::HasSubstr;
namespace hub = integration::hub;

class AdaptersTest : public testing::Test, protected ApiFixture {
 protected:
  void SetUp() override {
    fill_hub(backend);
    backend.commands.clear();
  }
};

TEST_F(AdaptersTest, AreListedWhetherPlacedOrOnlyDefined) {
  const auto page = body_of(ask(Method::get, "/v1/adapters"));
  const auto& adapters = page.at("adapters").as_array();
  ASSERT_EQ(adapters.size(), 2U);
  EXPECT_EQ(adapters[0].at("adapter"), "erp");
  EXPECT_TRUE(adapters[0].at("node").is_null());
  EXPECT_EQ(adapters[1].at("adapter"), "wms");
  EXPECT_EQ(adapters[1].at("node"), 3);
  EXPECT_EQ(adapters[1].at("kind"), "postgres");
  EXPECT_EQ(adapters[1].at("candidates").at(0).at("hash"), "h2");
  EXPECT_TRUE(page.at("next").is_null());
  const auto first = body_of(ask(Method::get, "/v1/adapters?limit=1"));
  EXPECT_EQ(first.at("next"), "erp");
  EXPECT_EQ(items_of(ask(Method::get, "/v1/adapters?limit=1&after=erp"), "adapters").size(), 1U);
}

TEST_F(AdaptersTest, EverythingThatCameOrGoesIsCounted) {
  put_letter(backend, "in", "gone", "refused", "discarded");
  put_letter(backend, "in", "again", "refused", "replay");
  put_letter(backend, "in", "later", "behind");
  put_letter(backend, "out", "order/A-2", "refused", "released");
  const auto body = body_of(ask(Method::get, "/v1/adapters/wms"));
  const auto& in = body.at("in");
  EXPECT_EQ(in.at("acknowledged"), 1);
  EXPECT_EQ(in.at("refused"), 1);
  EXPECT_EQ(in.at("parked"), 1);
  EXPECT_EQ(in.at("pending"), 2);
  EXPECT_EQ(in.at("total"), 5) << "in = acknowledged + refused + parked + pending";
  const auto& out = body.at("out");
  EXPECT_EQ(out.at("total"), 3);
  EXPECT_EQ(out.at("acknowledged"), 1);
  EXPECT_EQ(out.at("parked"), 1);
  EXPECT_EQ(out.at("pending"), 1);
  EXPECT_EQ(out.at("oldest_pending"), "2026-01-01T00:00:02.000Z");
  EXPECT_EQ(out.at("last_success"), "2026-01-01T00:00:04.000Z");
  EXPECT_EQ(body.at("positions").at("source").at("position"), "17");
  EXPECT_EQ(body.at("complete"), true);
}

TEST_F(AdaptersTest, PathsTellOfTheirNewestHeartbeat) {
  const auto sent = integration::time_of("2023-11-14T22:00:10.000Z").value();
  const auto age = std::chrono::duration_cast<Millis>(clock.wall() - sent).count();
  ASSERT_GT(age, 60'000);
  const auto listed = body_of(ask(Method::get, "/v1/adapters")).at("adapters").at(1).as_object();
  const auto shown = body_of(ask(Method::get, "/v1/adapters/wms"));
  for (const auto& adapter : {listed, shown}) {
    const auto& path = adapter.at("paths").at(0);
    EXPECT_EQ(path.at("path"), "lane-0");
    EXPECT_EQ(path.at("age_ms"), age);
    EXPECT_EQ(path.at("delay_ms"), 2'000);
    EXPECT_EQ(path.at("overdue"), true);
    EXPECT_EQ(path.at("breaker"), "open");
    EXPECT_EQ(path.at("trouble"), "refused");
  }
}

TEST_F(AdaptersTest, UnknownOnesAreNamed) {
  for (const char* target :
       {"/v1/adapters/none", "/v1/adapters/none/letters", "/v1/adapters/none/reconciliations",
        "/v1/adapters/none/discrepancies"})
    EXPECT_EQ(problem_of(ask(Method::get, target)), "not_found") << target;
  for (const char* change : {"pause", "resume", "reconcile", "replay"})
    EXPECT_EQ(problem_of(ask(Method::post, std::string{"/v1/adapters/none/"} + change)),
              "not_found")
        << change;
  EXPECT_EQ(problem_of(ask(Method::get, "/v1/adapters/A%2FB")), "invalid_argument");
}

TEST_F(AdaptersTest, ArePausedResumedAndMoved) {
  EXPECT_EQ(ask(Method::post, "/v1/adapters/wms/pause").status, 200);
  auto row = integration::placement_row(row_of(backend, hub::adapters, "wms")).value();
  EXPECT_TRUE(row.paused);
  EXPECT_EQ(row.epoch, 7U) << "the placement is the cluster's business";
  EXPECT_EQ(ask(Method::post, "/v1/adapters/wms/resume").status, 200);
  EXPECT_EQ(ask(Method::post, "/v1/adapters/wms/move", R"({"to":2})").status, 200);
  row = integration::placement_row(row_of(backend, hub::adapters, "wms")).value();
  EXPECT_FALSE(row.paused);
  EXPECT_EQ(row.prefer, 2U);
  EXPECT_EQ(row.node, 3U);
  EXPECT_EQ(ask(Method::post, "/v1/adapters/wms/move", R"({"to":0})").status, 200);
  row = integration::placement_row(row_of(backend, hub::adapters, "wms")).value();
  EXPECT_EQ(row.prefer, 0U);
  const auto nowhere = ask(Method::post, "/v1/adapters/erp/move", R"({"to":2})");
  EXPECT_EQ(problem_of(nowhere), "conflict");
  EXPECT_EQ(ask(Method::post, "/v1/adapters/erp/pause").status, 201) << "before it is placed";
  row = integration::placement_row(row_of(backend, hub::adapters, "erp")).value();
  EXPECT_TRUE(row.paused);
  for (const char* body : {"", "{}", R"({"to":-1})", R"({"to":1,"x":1})"})
    EXPECT_EQ(problem_of(ask(Method::post, "/v1/adapters/wms/move", body)), "invalid_argument");
}

TEST_F(AdaptersTest, CommandsAreAskedOnceAndAudited) {
  for (int i = 0; i < 2; ++i) {
    const auto asked = ask(Method::post, "/v1/adapters/wms/backfill",
                           R"({"type":"order","from":"1","to":"9"})", {{"Idempotency-Key", "b/1"}});
    EXPECT_EQ(asked.status, 201) << asked.body.view();
    EXPECT_EQ(body_of(asked).at("command"), "b%2F1");
    EXPECT_EQ(header(asked, "Mainstay-Replayed"), i == 0 ? "" : "true");
  }
  const auto row = integration::command_row(row_of(backend, hub::commands, "wms/b%2F1")).value();
  EXPECT_EQ(row.command, "backfill");
  EXPECT_EQ(row.id, "b%2F1") << "its key and its id are one";
  EXPECT_EQ(row.state, "asked");
  EXPECT_EQ(row.asked_by, "anybody");
  EXPECT_EQ(json::to_text(row.arguments), R"({"type":"order","from":"1","to":"9"})");
  ask(Method::post, "/v1/adapters/wms/reconcile", R"({"name":"orders","repair":true,"key":"A"})",
      {{"Idempotency-Key", "r1"}});
  EXPECT_EQ(integration::command_row(row_of(backend, hub::commands, "wms/r1")).value().command,
            "repair");
  ask(Method::post, "/v1/adapters/wms/reconcile", "", {{"Idempotency-Key", "r2"}});
  EXPECT_EQ(integration::command_row(row_of(backend, hub::commands, "wms/r2")).value().command,
            "reconcile");
  EXPECT_EQ(problem_of(ask(Method::post, "/v1/adapters/wms/reconcile", R"({"key":"A"})")),
            "invalid_argument");
  EXPECT_EQ(problem_of(ask(Method::post, "/v1/adapters/wms/backfill", R"({"type":1})")),
            "invalid_argument");
  std::string trail;
  backend.state->scan_records(record::system_collection::audit, "", "",
                              [&](std::string_view, const record::Record& record) {
                                trail += record.value.view();
                                return true;
                              });
  EXPECT_THAT(trail, HasSubstr(R"("what":"backfill")"));
  EXPECT_THAT(trail, HasSubstr(R"("what":"repair")"));
}

TEST_F(AdaptersTest, ASweepIsAskedForAndCommandsAreBounded) {
  EXPECT_EQ(ask(Method::post, "/v1/adapters/wms/sweep", "", {{"Idempotency-Key", "s1"}}).status,
            201);
  const auto row = integration::command_row(row_of(backend, hub::commands, "wms/s1")).value();
  EXPECT_EQ(row.command, "sweep");
  EXPECT_EQ(ask(Method::post, "/v1/adapters/wms/sweep", R"({"type":"order"})").status, 201);
  EXPECT_EQ(problem_of(ask(Method::post, "/v1/adapters/wms/sweep", R"({"from":"1"})")),
            "invalid_argument");
  int asked = 2;
  while (asked < 200 && ask(Method::post, "/v1/adapters/wms/replay").status == 201) ++asked;
  EXPECT_EQ(asked, static_cast<int>(integration::commands_open_max));
  EXPECT_EQ(problem_of(ask(Method::post, "/v1/adapters/wms/replay")), "busy");
  EXPECT_EQ(ask(Method::post, "/v1/adapters/erp/replay").status, 201) << "others have their own";
}

}  // namespace
}  // namespace mainstay::api
