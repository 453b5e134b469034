// The rows of the hub are read with grants, and written by nobody but the hub.
#include "runtime/api/flows.hpp"

#include <gmock/gmock.h>

#include "tests/unit/api/hub_rows.hpp"

namespace mainstay::api {
namespace {

using http::Method;
using testing::HasSubstr;

class FlowsTest : public testing::Test, protected ApiFixture {
 protected:
  void SetUp() override { fill_hub(backend); }
};

TEST_F(FlowsTest, TheRowsOfTheHubAreReadLikeOthers) {
  EXPECT_EQ(ask(Method::get, "/v1/collections/hub-adapters").status, 200);
  EXPECT_EQ(ask(Method::get, "/v1/collections/hub-adapters/records/wms").status, 200);
  EXPECT_EQ(
      items_of(ask(Method::get, "/v1/collections/hub-effects/records?index=state&value=parked"),
               "records")
          .size(),
      1U);
}

TEST_F(FlowsTest, ClientsNeitherWriteNorDeclareThem) {
  backend.commands.clear();
  const std::string record = "/v1/collections/hub-adapters/records/wms";
  const std::vector<std::tuple<Method, std::string, std::string>> refused{
      {Method::put, "/v1/collections/hub-mine", "{}"},
      {Method::put, "/v1/collections/hub-letters", "{}"},
      {Method::remove, "/v1/collections/hub-letters", ""},
      {Method::put, record, "{}"},
      {Method::patch, record, "{}"},
      {Method::remove, record, ""},
      {Method::post, "/v1/collections/hub-adapters/entries", R"({"id":"a"})"},
      {Method::post, "/v1/transactions",
       R"({"operations":[{"put":{"collection":"hub-adapters","key":"a","value":1}}]})"}};
  for (const auto& [method, target, body] : refused) {
    const auto answer = ask(method, target, body);
    EXPECT_EQ(problem_of(answer), "forbidden") << target << answer.body.view();
    EXPECT_THAT(text_of(answer, "detail"), HasSubstr("/v1/adapters")) << target;
  }
  EXPECT_TRUE(backend.commands.empty());
  EXPECT_EQ(ask(Method::put, "/v1/collections/hub", "{}").status, 201) << "only the prefix";
}

TEST_F(FlowsTest, TokensForOtherCollectionsSeeNoFlows) {
  const Principal limited{"t", Role::reader, std::vector<std::string>{"orders"}};
  EXPECT_FALSE(need_flows(limited, {integration::hub::adapters}));
  const Principal granted{"t", Role::reader, std::vector<std::string>{"hub-*"}};
  EXPECT_TRUE(need_flows(granted, {integration::hub::adapters, integration::hub::letters}));
  EXPECT_TRUE(need_flows(anybody(), {integration::hub::adapters}));
}

TEST_F(FlowsTest, ARefusedBarrierChangesNothing) {
  backend.refusal = Error{Errc::not_ready, "draining"};
  EXPECT_EQ(problem_of(ask(Method::post, "/v1/adapters/wms/pause")), "not_ready");
  backend.refusal.reset();
  EXPECT_FALSE(integration::placement_row(row_of(backend, integration::hub::adapters, "wms"))
                   .value()
                   .paused);
}

}  // namespace
}  // namespace mainstay::api
