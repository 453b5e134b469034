#include <gmock/gmock.h>

#include "runtime/api/request_parts.hpp"
#include "tests/unit/api/fake_backend.hpp"

namespace mainstay::api {
namespace {

using http::Method;

class BatchTest : public testing::Test, protected ApiFixture {
 protected:
  BatchTest() { backend.declare("orders"); }

  http::Response run(const std::string& body, const Fields& fields = {}) {
    return ask(Method::post, "/v1/batch", body, fields);
  }
};

constexpr const char* three =
    R"({"operations":[{"put":{"collection":"orders","key":"a","value":1}},)"
    R"({"delete":{"collection":"orders","key":"none"}},)"
    R"({"put":{"collection":"orders","key":"b","value":2},"operation":"mine",)"
    R"("conditions":[{"collection":"orders","key":"b","absent":true}]}]})";

TEST_F(BatchTest, EachWriteHasItsOwnOutcome) {
  const auto done = run(three, {{"Idempotency-Key", "load-7"}});
  EXPECT_EQ(done.status, 200) << done.body.view();
  EXPECT_EQ(header(done, operation_header), "load-7");
  EXPECT_EQ(header(done, session_header), "r3");
  const auto outcomes = body_of(done).at("outcomes").as_array();
  ASSERT_EQ(outcomes.size(), 3U);
  EXPECT_EQ(outcomes[0].at("status"), 201);
  EXPECT_EQ(outcomes[0].at("operation"), "load-7/0");
  EXPECT_EQ(outcomes[0].at("revision"), 2);
  EXPECT_EQ(outcomes[1].at("status"), 404);
  EXPECT_EQ(outcomes[1].at("problem").at("type"), "/errors/not_found");
  EXPECT_EQ(outcomes[1].at("problem").at("operation"), "load-7/1");
  EXPECT_EQ(outcomes[2].at("operation"), "mine");
  EXPECT_EQ(ask(Method::get, "/v1/collections/orders/records/b").body.view(), "2");
}

TEST_F(BatchTest, ARepetitionChangesNothing) {
  const auto first = run(three, {{"Idempotency-Key", "load-7"}});
  const auto again = run(three, {{"Idempotency-Key", "load-7"}});
  EXPECT_EQ(again.body.view(), first.body.view());
  EXPECT_EQ(backend.state->counters().revision, 3U);
}

TEST_F(BatchTest, WhatChangedNothingWasSeenToo) {
  backend.declare("stock", R"({"kind":"ledger","ledger":{"dimensions":["at"]}})");
  const std::string post = R"({"operations":[{"post":{"collection":"stock","id":"e1","entry":)"
                           R"({"quantity":"1","from":{"at":"A"},"to":{"at":"B"}}}}]})";
  EXPECT_EQ(header(run(post), session_header), "r3");
  ask(Method::put, "/v1/collections/orders/records/a", "1");
  // The entry is there already; so is what was written since.
  const int views = backend.views;
  EXPECT_EQ(header(run(post), session_header), "r4");
  EXPECT_EQ(backend.views, views) << "a view may have to wait for a snapshot; the thread must not";
}

TEST_F(BatchTest, NobodyTakesTheIdsOfTheTrail) {
  const auto refused = run(R"({"operations":[{"put":{"collection":"orders","key":"a","value":1},)"
                           R"("operation":"~audit-1"}]})");
  EXPECT_EQ(problem_of(refused), "forbidden");
  EXPECT_EQ(text_of(refused, "pointer"), "/operations/0/operation");
  EXPECT_EQ(problem_of(run(three, {{"Idempotency-Key", "~audit-1"}})), "forbidden");
  EXPECT_EQ(problem_of(ask(Method::post, "/v1/operations/~audit-1/fence")), "forbidden");
  EXPECT_TRUE(backend.commands.empty());
}

TEST_F(BatchTest, WithoutAKeyTheIdsAreMadeHere) {
  const auto done = run(three);
  EXPECT_EQ(header(done, operation_header), "made-1");
  EXPECT_EQ(body_of(done).at("outcomes").at(0).at("operation"), "made-1/0");
}

TEST_F(BatchTest, AMistakeRefusesTheWholeBeforeAnythingIsDone) {
  const std::string put = R"({"put":{"collection":"orders","key":"a","value":1}})";
  for (const auto& [body, pointer] : std::vector<std::pair<std::string, std::string>>{
           {"{}", ""},
           {R"({"operations":[]})", "/operations"},
           {"{\"operations\":[" + put + ",{}]}", "/operations/1"},
           {"{\"operations\":[" + put +
                R"(,{"put":{"collection":"orders","key":"a","value":1},"operation":7}]})",
            "/operations/1/operation"},
           {"{\"operations\":[" + put + R"(,{"put":{"collection":"orders","key":"","value":1}}]})",
            "/operations/1"},
           {R"({"operations":[)" + put.substr(0, put.size() - 1) + R"(,"operation":"x"},)" +
                put.substr(0, put.size() - 1) + R"(,"operation":"x"}]})",
            "/operations/1"}}) {
    const auto refused = run(body);
    EXPECT_EQ(problem_of(refused), "invalid_argument") << body;
    EXPECT_EQ(text_of(refused, "pointer"), pointer) << refused.body.view();
  }
  EXPECT_EQ(problem_of(run(three, {{"Idempotency-Key", std::string(127, 'k')}})),
            "invalid_argument")
      << "no room for the numbers";
  EXPECT_TRUE(backend.commands.empty());
}

TEST_F(BatchTest, WhatTheNodeCannotTakeIsSaidForEach) {
  backend.refusal = Error{Errc::outcome_unknown, "no answer in time"};
  const auto outcomes = body_of(run(three)).at("outcomes").as_array();
  EXPECT_EQ(outcomes[0].at("status"), 504);
  EXPECT_EQ(outcomes[2].at("problem").at("operation"), "mine");
}

TEST_F(BatchTest, TakesAThousandWrites) {
  std::string items;
  for (int i = 0; i < 1000; ++i)
    items += (i == 0 ? "" : ",") +
             (R"({"put":{"collection":"orders","key":"k)" + std::to_string(i) + R"(","value":1}})");
  EXPECT_EQ(body_of(run("{\"operations\":[" + items + "]}")).at("outcomes").as_array().size(),
            1000U);
  const auto more =
      run("{\"operations\":[" + items + "," + items.substr(0, items.find("},{") + 1) + "]}");
  EXPECT_EQ(problem_of(more), "invalid_argument");
}

}  // namespace
}  // namespace mainstay::api
