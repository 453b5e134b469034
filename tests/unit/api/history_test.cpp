#include <gmock/gmock.h>

#include "runtime/api/request_parts.hpp"
#include "tests/unit/api/fake_backend.hpp"

namespace mainstay::api {
namespace {

using http::Method;

constexpr const char* a1 = "/v1/collections/orders/records/A-1";
constexpr Millis window{48LL * 3600 * 1000};

class HistoryTest : public testing::Test, protected ApiFixture {
 protected:
  HistoryTest() { backend.declare("orders"); }  // revision 1
};

TEST_F(HistoryTest, ARecordIsReadAsItWas) {
  ask(Method::put, a1, "1");  // revision 2
  ask(Method::put, a1, "2");
  ask(Method::remove, a1);
  ask(Method::put, a1, "4");
  const auto at = [&](int revision) {
    return ask(Method::get, std::string{a1} + "?revision=" + std::to_string(revision));
  };
  EXPECT_EQ(problem_of(at(1)), "not_found");
  EXPECT_EQ(at(2).body.view(), "1");
  EXPECT_EQ(header(at(2), "ETag"), "\"1\"");
  EXPECT_EQ(at(3).body.view(), "2");
  EXPECT_EQ(problem_of(at(4)), "not_found");
  EXPECT_EQ(at(5).body.view(), "4");
  EXPECT_EQ(header(at(5), session_header), "r5");
  EXPECT_EQ(problem_of(at(6)), "invalid_argument") << "has not been yet";
}

TEST_F(HistoryTest, VersionsAreListedNewestFirst) {
  ask(Method::put, a1, "{\"n\": 1}");
  clock.passed = Millis{1};
  ask(Method::remove, a1);
  ask(Method::put, a1, "3");
  const auto all = ask(Method::get, std::string{a1} + "/history");
  EXPECT_EQ(
      all.body.view(),
      R"({"versions":[)"
      R"({"version":3,"revision":4,"time":"2023-11-14T22:13:20.001Z","type":"put","value":3},)"
      R"({"version":2,"revision":3,"time":"2023-11-14T22:13:20.001Z","type":"delete"},)"
      R"({"version":1,"revision":2,"time":"2023-11-14T22:13:20.000Z","type":"put",)"
      R"("value":{"n": 1}}],"next":null})");
  const auto first = body_of(ask(Method::get, std::string{a1} + "/history?limit=1"));
  EXPECT_EQ(first.at("versions").as_array().size(), 1U);
  EXPECT_EQ(first.at("next"), 4);
  const auto second = body_of(ask(Method::get, std::string{a1} + "/history?limit=1&before=4"));
  EXPECT_EQ(second.at("versions").at(0).at("version"), 2);
  const auto last = body_of(ask(Method::get, std::string{a1} + "/history?limit=1&before=3"));
  EXPECT_EQ(last.at("versions").at(0).at("version"), 1);
  EXPECT_TRUE(last.at("next").is_null());
  EXPECT_EQ(problem_of(ask(Method::get, "/v1/collections/orders/records/none/history")),
            "not_found");
}

TEST_F(HistoryTest, WhatIsNoLongerHeldIsSaidToBe) {
  ask(Method::put, a1, "1");
  ask(Method::put, a1, "2");
  clock.passed = 2 * window;
  for (int i = 0; i < 3; ++i) ask(Method::put, "/v1/collections/orders/records/x", "1");
  const auto gone = ask(Method::get, std::string{a1} + "?revision=2");
  EXPECT_EQ(gone.status, 410) << gone.body.view();
  EXPECT_EQ(problem_of(gone), "compacted");
  EXPECT_EQ(ask(Method::get, std::string{a1} + "?revision=3").body.view(), "2");
}

}  // namespace
}  // namespace mainstay::api
