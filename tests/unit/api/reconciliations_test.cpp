#include <gmock/gmock.h>

#include "tests/unit/api/hub_rows.hpp"

namespace mainstay::api {
namespace {

using http::Method;
namespace hub = integration::hub;

class ReconciliationsTest : public testing::Test, protected ApiFixture {
 protected:
  void SetUp() override { fill_hub(backend); }
};

TEST_F(ReconciliationsTest, TotalsAreShown) {
  const auto rows =
      items_of(ask(Method::get, "/v1/adapters/wms/reconciliations"), "reconciliations");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].at("name"), "orders");
  EXPECT_EQ(rows[0].at("accuracy"), "0.9");
  EXPECT_EQ(rows[0].at("open"), 1);
  EXPECT_EQ(
      items_of(ask(Method::get, "/v1/adapters/erp/reconciliations"), "reconciliations").size(), 0U);
}

TEST_F(ReconciliationsTest, DifferencesAreSelected) {
  const std::string target = "/v1/adapters/wms/discrepancies";
  const auto open = items_of(ask(Method::get, target), "discrepancies");
  ASSERT_EQ(open.size(), 1U);
  EXPECT_EQ(open[0].at("key"), "A-1");
  EXPECT_EQ(open[0].at("fields").at(0).at("pointer"), "/n");
  EXPECT_TRUE(open[0].at("fields").at(0).at("there").is_null());
  EXPECT_FALSE(open[0].as_object().contains("open"));
  const auto count = [&](const std::string& query) {
    return items_of(ask(Method::get, target + query), "discrepancies").size();
  };
  EXPECT_EQ(count("?state=all"), 2U);
  EXPECT_EQ(count("?state=resolved"), 1U);
  EXPECT_EQ(count("?state=all&name=orders"), 2U);
  EXPECT_EQ(count("?state=all&name=order"), 0U);
  EXPECT_EQ(problem_of(ask(Method::get, target + "?state=odd")), "invalid_argument");
  const auto page = body_of(ask(Method::get, target + "?state=all&name=orders&limit=1"));
  EXPECT_EQ(page.at("next"), "A-1");
  EXPECT_EQ(count("?state=all&name=orders&limit=1&after=A-1"), 1U);
}

TEST_F(ReconciliationsTest, AnOpenDifferenceIsExplainedByName) {
  const std::string target = "/v1/adapters/wms/discrepancies/explain";
  const std::string body = R"({"name":"orders","key":"A-1","reason":"written off"})";
  EXPECT_EQ(ask(Method::post, target, body).status, 200);
  const auto explained =
      items_of(ask(Method::get, "/v1/adapters/wms/discrepancies?state=explained"), "discrepancies");
  ASSERT_EQ(explained.size(), 1U);
  EXPECT_EQ(explained[0].at("explanation"), "written off");
  EXPECT_EQ(explained[0].at("explained_by"), "anybody");
  EXPECT_TRUE(explained[0].as_object().contains("explained_at"));
  EXPECT_EQ(row_of(backend, hub::discrepancies, "wms/orders/A-1").find("open"), nullptr);
  std::string trail;
  backend.state->scan_records(record::system_collection::audit, "", "",
                              [&](std::string_view, const record::Record& record) {
                                trail += record.value.view();
                                return true;
                              });
  EXPECT_THAT(trail, testing::HasSubstr("explain discrepancy"));
  EXPECT_THAT(trail, testing::HasSubstr("written off"));
  EXPECT_EQ(problem_of(ask(Method::post, target, body)), "precondition_failed")
      << "it is open no more";
  EXPECT_EQ(problem_of(ask(Method::post, target, R"({"name":"orders","key":"B","reason":"x"})")),
            "not_found");
  for (const char* wrong :
       {"{}", R"({"name":"orders","key":"A-1","reason":""})", R"({"name":"orders","key":"A-1"})"})
    EXPECT_EQ(problem_of(ask(Method::post, target, wrong)), "invalid_argument") << wrong;
}

}  // namespace
}  // namespace mainstay::api
