#include <gmock/gmock.h>

#include "runtime/api/request_parts.hpp"
#include "tests/unit/api/fake_backend.hpp"

namespace mainstay::api {
namespace {

using http::Method;
using testing::HasSubstr;

constexpr const char* path = "/v1/collections/stock/entries";

class EntriesTest : public testing::Test, protected ApiFixture {
 protected:
  EntriesTest() {
    backend.declare("stock", R"({"kind":"ledger","ledger":{"dimensions":["item","location"],)"
                             R"("scale":2,"never_below":"0","except":[{"location":"OUT"}]}})");
    backend.declare("orders");
  }
  static std::string entry(const std::string& id, const std::string& quantity,
                           const std::string& from, const std::string& to) {
    return R"({"id":")" + id + R"(","quantity":")" + quantity +
           R"(","item":"A","from":{"location":")" + from + R"("},"to":{"location":")" + to + "\"}}";
  }
  http::Response post(const std::string& body, const Fields& fields = {}) {
    return ask(Method::post, path, body, fields);
  }
};

TEST_F(EntriesTest, AnEntryIsPostedOnce) {
  const auto posted = post(entry("e1", "5", "OUT", "R1"));
  EXPECT_EQ(posted.status, 201) << posted.body.view();
  EXPECT_EQ(posted.body.view(),
            R"({"revision":3,"operation":"made-1","results":[{"id":"e1","created":true}]})");
  const auto again = post(entry("e1", "5.00", "OUT", "R1"));
  EXPECT_EQ(again.status, 200) << again.body.view();
  EXPECT_EQ(body_of(again).at("results").at(0).at("created"), false);
  EXPECT_EQ(body_of(again).at("revision"), 0);
  EXPECT_EQ(header(again, session_header), "r3");
  const auto other = post(entry("e1", "6", "OUT", "R1"));
  EXPECT_EQ(problem_of(other), "conflict");
  const auto read = ask(Method::get, "/v1/collections/stock/records/e1");
  EXPECT_EQ(body_of(read).at("quantity"), "5.00");
}

TEST_F(EntriesTest, SeveralArePostedTogetherOrNotAtAll) {
  const std::string good = entry("m1", "2", "OUT", "R1"), bad = entry("m2", "3", "R1", "R2");
  const auto refused = post("{\"entries\":[" + good + "," + bad + "]}");
  EXPECT_EQ(problem_of(refused), "conflict") << refused.body.view();
  EXPECT_THAT(text_of(refused, "detail"), HasSubstr("R1"));
  EXPECT_EQ(ask(Method::get, "/v1/collections/stock/records/m1").status, 404);
  const auto posted = post("{\"entries\":[" + entry("m2", "2", "R1", "R2") + "," + good + "]}");
  EXPECT_EQ(posted.status, 201) << "the guard looks at the balances after all of them";
  EXPECT_EQ(body_of(posted).at("results").as_array().size(), 2U);
}

TEST_F(EntriesTest, AWrongEntryIsPointedAt) {
  const auto refused = post("{\"entries\":[" + entry("a", "2", "OUT", "R1") + "," +
                            entry("b", "2.005", "OUT", "R1") + "]}");
  EXPECT_EQ(problem_of(refused), "invalid_argument");
  EXPECT_EQ(text_of(refused, "pointer"), "/entries/1") << refused.body.view();
  const auto unnamed = post("{\"entries\":[" + entry("a", "2", "OUT", "R1") + ",{}]}");
  EXPECT_EQ(text_of(unnamed, "pointer"), "/entries/1");
  for (const char* body : {"", "[]", "{}", R"({"entries":[]})", R"({"entries":1})",
                           R"({"entries":[{"id":"a"}],"x":1})", R"({"id":7})"})
    EXPECT_EQ(problem_of(post(body)), "invalid_argument") << body;
  EXPECT_EQ(
      problem_of(ask(Method::post, "/v1/collections/orders/entries", entry("a", "1", "OUT", "R1"))),
      "conflict");
  EXPECT_EQ(
      problem_of(ask(Method::post, "/v1/collections/_audit/entries", entry("a", "1", "OUT", "R1"))),
      "forbidden");
}

TEST_F(EntriesTest, AReversalUndoesAnEntryOnce) {
  post(entry("e1", "5", "OUT", "R1"));
  std::string undo = entry("e2", "5", "R1", "OUT");
  undo.insert(undo.size() - 1, R"(,"reverses":"e1")");
  EXPECT_EQ(post(undo).status, 201);
  undo.replace(undo.find("e2"), 2, "e3");
  EXPECT_EQ(problem_of(post(undo)), "conflict");
}

TEST_F(EntriesTest, AreListedById) {
  for (const char* id : {"b1", "a1", "a2"}) post(entry(id, "1", "OUT", "R1"));
  const auto page = ask(Method::get, std::string{path} + "?prefix=a&limit=1");
  EXPECT_EQ(page.body.view(),
            R"({"entries":[{"id":"a1","revision":4,"time":"2023-11-14T22:13:20.000Z","entry":)"
            R"({"from":{"location":"OUT"},"item":"A","quantity":"1.00","to":{"location":"R1"}}}],)"
            R"("next":"a1"})");
  const auto rest = body_of(ask(Method::get, std::string{path} + "?prefix=a&limit=5&after=a1"));
  EXPECT_EQ(rest.at("entries").as_array().size(), 1U);
  EXPECT_TRUE(rest.at("next").is_null());
  EXPECT_EQ(problem_of(ask(Method::get, "/v1/collections/orders/entries")), "conflict");
}

TEST_F(EntriesTest, ARepeatedRequestGetsTheFirstAnswer) {
  const Fields key{{"Idempotency-Key", "p-1"}};
  const auto first = post(entry("e1", "5", "OUT", "R1"), key);
  const auto again = post(entry("e1", "5", "OUT", "R1"), key);
  EXPECT_EQ(again.body.view(), first.body.view());
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(header(again, replayed_header), "true");
}

}  // namespace
}  // namespace mainstay::api
