#include <gmock/gmock.h>

#include "runtime/api/request_parts.hpp"
#include "tests/unit/api/fake_backend.hpp"

namespace mainstay::api {
namespace {

using http::Method;
using testing::HasSubstr;

class CollectionsTest : public testing::Test, protected ApiFixture {
 protected:
  http::Response put(const std::string& name, const std::string& body, const Fields& fields = {}) {
    return ask(Method::put, "/v1/collections/" + name, body, fields);
  }
};

TEST_F(CollectionsTest, AreDeclaredShownAndRemoved) {
  EXPECT_EQ(problem_of(ask(Method::get, "/v1/collections/orders")), "not_found");
  const auto made = put("orders", R"({"indexes":[{"name":"by-item","pointer":"/item"}]})");
  EXPECT_EQ(made.status, 201) << made.body.view();
  EXPECT_EQ(header(made, "ETag"), "\"1\"");
  ask(Method::put, "/v1/collections/orders/records/a", R"({"item":"X"})");
  const auto shown = ask(Method::get, "/v1/collections/orders");
  EXPECT_EQ(shown.status, 200);
  EXPECT_EQ(header(shown, "ETag"), "\"1\"");
  const auto body = body_of(shown);
  EXPECT_EQ(body.at("name"), "orders");
  EXPECT_EQ(body.at("records"), 1);
  EXPECT_EQ(body.at("bytes"), 12);
  EXPECT_EQ(body.at("indexes").at(0).at("name"), "by-item");
  EXPECT_EQ(body.at("declaration").at("kind"), "document");
  const auto full = ask(Method::remove, "/v1/collections/orders");
  EXPECT_EQ(problem_of(full), "conflict");
  EXPECT_THAT(text_of(full, "detail"), HasSubstr("1 record"));
  ask(Method::remove, "/v1/collections/orders/records/a");
  EXPECT_EQ(ask(Method::remove, "/v1/collections/orders").status, 200);
  EXPECT_EQ(problem_of(ask(Method::get, "/v1/collections/orders")), "not_found");
}

TEST_F(CollectionsTest, DeclaringTheSameAgainChangesNothing) {
  EXPECT_EQ(put("orders", "{}").status, 201);
  const auto again = put("orders", R"({ "kind": "document" })");
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(header(again, "ETag"), "\"1\"");
  EXPECT_EQ(body_of(again).at("version"), 1);
  EXPECT_EQ(body_of(again).at("revision"), 0);
  EXPECT_EQ(header(again, session_header), "r2") << "what was there: with its entry of the trail";
  const auto changed = put("orders", R"({"description":"d"})");
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(header(changed, "ETag"), "\"2\"");
  EXPECT_EQ(problem_of(put("orders", "{}", {{"If-Match", "\"1\""}})), "precondition_failed");
  EXPECT_EQ(problem_of(put("orders", "{}", {{"If-None-Match", "*"}})), "precondition_failed");
}

TEST_F(CollectionsTest, BadDeclarationsAreRefused) {
  for (const char* body :
       {"", "[]", "{", R"({"kind":"table"})", R"({"x":1})", R"({"kind":"ledger"})",
        R"({"indexes":[{"name":"A","pointer":"/a"}]})", R"({"schema":{"type":"thing"}})"})
    EXPECT_EQ(problem_of(put("orders", body)), "invalid_argument") << body;
  EXPECT_EQ(problem_of(put("Orders", "{}")), "invalid_argument");
  EXPECT_EQ(problem_of(put("_mine", "{}")), "invalid_argument");
  EXPECT_EQ(problem_of(put("_audit", "{}")), "forbidden");
  EXPECT_EQ(problem_of(ask(Method::put, "/v1/collections/orders?x=1", "{}")), "invalid_argument");
  EXPECT_EQ(problem_of(ask(Method::remove, "/v1/collections/orders", "{}")), "invalid_argument");
  EXPECT_TRUE(backend.commands.empty());
}

TEST_F(CollectionsTest, UndeclaredOnesTakeAndShowNothing) {
  for (const auto& [method, path, body] : std::vector<std::tuple<Method, std::string, std::string>>{
           {Method::get, "/records", ""},
           {Method::get, "/records/k", ""},
           {Method::get, "/records/k/history", ""},
           {Method::get, "/entries", ""},
           {Method::get, "/balances", ""},
           {Method::put, "/records/k", "1"},
           {Method::patch, "/records/k", "{}"},
           {Method::remove, "/records/k", ""},
           {Method::post, "/entries", R"({"id":"a"})"}}) {
    const auto refused = ask(method, "/v1/collections/none" + path, body);
    EXPECT_EQ(problem_of(refused), "not_found") << path << refused.body.view();
    EXPECT_THAT(text_of(refused, "detail"), HasSubstr("PUT /v1/collections/none")) << path;
  }
}

TEST_F(CollectionsTest, AreListedInPages) {
  for (const char* name : {"b", "a", "c"}) put(name, "{}");
  const auto page = body_of(ask(Method::get, "/v1/collections?limit=2"));
  EXPECT_EQ(page.at("collections").as_array().size(), 2U);
  EXPECT_EQ(page.at("collections").at(0).at("name"), "a");
  EXPECT_EQ(page.at("next"), "b");
  const auto rest = body_of(ask(Method::get, "/v1/collections?limit=2&after=b"));
  EXPECT_EQ(rest.at("collections").at(0).at("name"), "c");
  EXPECT_TRUE(rest.at("next").is_null());
}

TEST_F(CollectionsTest, ASchemaRefusesWithThePlaceInTheValue) {
  put("orders",
      R"({"schema":{"type":"object","properties":{"price":{"type":"number","minimum":0}}}})");
  const auto refused = ask(Method::put, "/v1/collections/orders/records/a", R"({"price":-1})");
  EXPECT_EQ(problem_of(refused), "invalid_argument");
  EXPECT_THAT(text_of(refused, "detail"), HasSubstr("/price"));
}

}  // namespace
}  // namespace mainstay::api
