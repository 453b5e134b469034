#include <gmock/gmock.h>

#include "runtime/api/access.hpp"
#include "runtime/api/request_parts.hpp"
#include "tests/unit/api/fake_backend.hpp"

namespace mainstay::api {
namespace {

using http::Method;
using testing::HasSubstr;
using testing::Not;

ApiOptions with_auth() {
  ApiOptions options;
  options.bootstrap_token_hash = hash_of_token("root");
  return options;
}

class TokensTest : public testing::Test, protected ApiFixture {
 protected:
  TokensTest() : ApiFixture{with_auth()} { backend.declare("orders"); }

  const Fields root{{"Authorization", "Bearer root"}};

  http::Response make(const std::string& body, Fields fields = {}) {
    fields.insert(fields.end(), root.begin(), root.end());
    return ask(Method::post, "/v1/tokens", body, fields);
  }
  // Of the newest entry.
  boost::json::object newest_audit() {
    std::string text = "{}";
    backend.state->scan_records(record::system_collection::audit, "", "",
                                [&](std::string_view, const record::Record& record) {
                                  if (!record.tombstone) text = record.value.view();
                                  return true;
                                });
    return boost::json::parse(text).as_object();
  }
  std::size_t audits() {
    std::size_t count = 0;
    backend.state->scan_records(record::system_collection::audit, "", "",
                                [&](std::string_view, const record::Record& record) {
                                  count += record.tombstone ? 0 : 1;
                                  return true;
                                });
    return count;
  }
};

TEST_F(TokensTest, AMadeTokenWorksUntilItIsTakenBack) {
  const auto made = make(R"({"name":"wms","role":"writer","collections":["orders"]})");
  ASSERT_EQ(made.status, 201) << made.body.view();
  EXPECT_EQ(header(made, "Cache-Control"), "no-store");
  const std::string text = text_of(made, "token"), id = text_of(made, "id");
  EXPECT_EQ(token_id_of(text), id);
  EXPECT_TRUE(body_of(made).at("expires").is_null());
  const Fields mine{{"Authorization", "Bearer " + text}};
  EXPECT_EQ(ask(Method::put, "/v1/collections/orders/records/a", "1", mine).status, 201);
  EXPECT_EQ(ask(Method::get, "/v1/tokens", "", mine).status, 403);
  EXPECT_EQ(ask(Method::remove, "/v1/tokens/" + id, "", root).status, 200);
  EXPECT_EQ(ask(Method::put, "/v1/collections/orders/records/a", "1", mine).status, 401);
  EXPECT_EQ(problem_of(ask(Method::remove, "/v1/tokens/" + id, "", root)), "not_found");
}

TEST_F(TokensTest, TheSecretIsKeptNowhere) {
  const std::string text = text_of(make(R"({"name":"n","role":"reader"})"), "token");
  ASSERT_EQ(text.size(), 56U);
  const std::string secret = text.substr(13);
  backend.state->scan_all_records(
      [&](std::string_view, std::string_view, const record::Record& record) {
        EXPECT_THAT(std::string{record.value.view()}, Not(HasSubstr(secret)));
        return true;
      });
  const auto list = ask(Method::get, "/v1/tokens", "", root);
  EXPECT_THAT(std::string{list.body.view()}, Not(HasSubstr("sha256")));
  const auto shown = items_of(list, "tokens").at(0).as_object();
  EXPECT_EQ(shown.at("name"), "n");
  EXPECT_EQ(shown.at("role"), "reader");
  EXPECT_NE(text, text_of(make(R"({"name":"n","role":"reader"})"), "token"));
}

TEST_F(TokensTest, ARepetitionDoesNotMakeASecondOne) {
  const Fields key{{"Idempotency-Key", "make-wms"}};
  const std::string body = R"({"name":"wms","role":"reader"})";
  EXPECT_EQ(make(body, key).status, 201);
  const auto again = make(body, key);
  EXPECT_EQ(problem_of(again), "conflict");
  EXPECT_THAT(text_of(again, "detail"), HasSubstr("take that one back"));
  EXPECT_EQ(body_of(ask(Method::get, "/v1/tokens", "", root)).at("tokens").as_array().size(), 1U);
  EXPECT_EQ(audits(), 1U);
}

TEST_F(TokensTest, BadRequestsAreRefusedWithTheirPlace) {
  for (const auto& [body, pointer] : std::vector<std::pair<std::string, std::string>>{
           {R"({"role":"reader"})", ""},
           {R"({"name":"","role":"reader"})", "/name"},
           {R"({"name":"n"})", ""},
           {R"({"name":"n","role":"open"})", "/role"},
           {R"({"name":"n","role":"root"})", "/role"},
           {R"({"name":"n","role":"reader","collections":[]})", "/collections"},
           {R"({"name":"n","role":"reader","collections":["A"]})", "/collections/0"},
           {R"({"name":"n","role":"reader","collections":["a","b*c"]})", "/collections/1"},
           {R"({"name":"n","role":"reader","expires":"tomorrow"})", "/expires"},
           {R"({"name":"n","role":"reader","expires":"2020-01-01T00:00:00Z"})", "/expires"},
           {R"({"name":"n","role":"reader","secret":"x"})", ""}}) {
    const auto refused = make(body);
    EXPECT_EQ(problem_of(refused), "invalid_argument") << body;
    EXPECT_EQ(text_of(refused, "pointer"), pointer) << refused.body.view();
  }
  EXPECT_TRUE(backend.commands.empty());
}

TEST_F(TokensTest, AdministrativeCallsLeaveATrail) {
  make(R"({"name":"wms","role":"writer"})");
  auto entry = newest_audit();
  EXPECT_EQ(entry.at("who"), "bootstrap");
  EXPECT_EQ(entry.at("what"), "make token");
  EXPECT_EQ(entry.at("outcome"), "done");
  EXPECT_EQ(entry.at("from"), "10.0.0.9:4711");
  EXPECT_EQ(entry.at("time"), "2023-11-14T22:13:20.000Z");
  EXPECT_THAT(std::string{entry.at("target").as_string()}, HasSubstr("wms, writer"));
  ask(Method::put, "/v1/collections/new", "{}", root);
  EXPECT_EQ(newest_audit().at("what"), "declare collection");
  const std::size_t before = audits();
  ask(Method::put, "/v1/collections/new", "{}", root);
  EXPECT_EQ(audits(), before) << "nothing was changed";
  ask(Method::remove, "/v1/collections/none", "", root);
  EXPECT_EQ(newest_audit().at("outcome"), "refused: not_found");
  ask(Method::post, "/v1/cluster/transfer", R"({"to":2})", root);
  EXPECT_EQ(newest_audit().at("what"), "transfer leadership");
  EXPECT_EQ(newest_audit().at("target"), "node 2");
  ask(Method::post, "/v1/nodes/3/drain", "", root);
  EXPECT_EQ(newest_audit().at("outcome"), "asked");
}

TEST_F(TokensTest, ARepeatedCallIsInTheTrailOnce) {
  Fields key{{"Idempotency-Key", "declare-new"}};
  key.insert(key.end(), root.begin(), root.end());
  // The node could not write the entry.
  backend.lost_collection = record::system_collection::audit;
  EXPECT_EQ(ask(Method::put, "/v1/collections/new", "{}", key).status, 201);
  EXPECT_EQ(audits(), 0U);
  backend.lost_collection.clear();
  for (int i = 0; i < 3; ++i) {
    const auto again = ask(Method::put, "/v1/collections/new", "{}", key);
    EXPECT_EQ(header(again, replayed_header), "true");
    EXPECT_EQ(audits(), 1U);
  }
  EXPECT_EQ(newest_audit().at("what"), "declare collection");
  EXPECT_EQ(newest_audit().at("outcome"), "done");
}

TEST_F(TokensTest, TheTrailIsKeptForNinetyDays) {
  for (int i = 0; i < 40; ++i) ask(Method::post, "/v1/cluster/transfer", "", root);
  EXPECT_EQ(audits(), 40U);
  clock.passed = Millis{91LL * 24 * 3600 * 1000};
  ask(Method::post, "/v1/cluster/transfer", "", root);
  EXPECT_EQ(audits(), 25U) << "a few with each that is written";
  ask(Method::post, "/v1/cluster/transfer", "", root);
  ask(Method::post, "/v1/cluster/transfer", "", root);
  EXPECT_EQ(audits(), 3U);
}

TEST_F(TokensTest, WithoutAMajorityAMemberCommandIsStillAnswered) {
  backend.refusal = Error{Errc::deadline_exceeded, "no quorum"};
  EXPECT_EQ(problem_of(ask(Method::post, "/v1/cluster/transfer", "", root)), "deadline_exceeded");
  EXPECT_EQ(backend.commands.size(), 1U) << "the trail was tried";
}

}  // namespace
}  // namespace mainstay::api
