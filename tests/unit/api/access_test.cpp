#include "runtime/api/access.hpp"

#include <gmock/gmock.h>

#include "tests/unit/api/fake_backend.hpp"

namespace mainstay::api {
namespace {

using http::Method;

constexpr const char* secret = "0123456789012345678901234567890123456789abc";

ApiOptions with_auth() {
  ApiOptions options;
  options.bootstrap_token_hash = hash_of_token("bootstrap");
  return options;
}

class AccessTest : public testing::Test, protected ApiFixture {
 protected:
  AccessTest() : ApiFixture{with_auth()} {
    for (const char* name : {"orders", "wms-in", "secrets"}) backend.declare(name);
  }

  // Kept as if a request had made it; gives its text.
  std::string token(const std::string& id, Role role,
                    std::optional<std::vector<std::string>> collections = {},
                    std::optional<std::string> expires = {}) {
    std::string text = "mst_" + id + "_" + secret;
    TokenRecord kept{id + "-name",           hash_of_token(text),        role,
                     std::move(collections), "2023-01-01T00:00:00.000Z", std::move(expires)};
    record::Action action;
    action.collection = record::system_collection::tokens;
    action.key = id;
    action.value = Bytes{to_json(kept)};
    record::Command command = record::single(std::move(action));
    command.operation = "token-" + id;
    EXPECT_FALSE(backend.apply(std::move(command)).refused);
    return text;
  }
  static Fields with(const std::string& token) { return {{"Authorization", "Bearer " + token}}; }
};

TEST_F(AccessTest, WithoutATokenNothingButHealthIsServed) {
  for (const auto& route : router.routes()) {
    std::string target = route.pattern;
    for (const auto& [name, value] : {std::pair{"{collection}", "orders"},
                                      {"{key}", "k"},
                                      {"{operation}", "o"},
                                      {"{node}", "1"},
                                      {"{token}", "x"},
                                      {"{name}", "busy"}})
      if (const auto at = target.find(name); at != std::string::npos)
        target.replace(at, std::string_view{name}.size(), value);
    const auto response = ask(route.method, target);
    const bool open = find_access(route.method, route.pattern)->role == Role::open;
    EXPECT_EQ(response.status == 401, !open) << route.pattern;
    if (!open) {
      EXPECT_EQ(problem_of(response), "unauthorized") << route.pattern;
      EXPECT_THAT(header(response, "WWW-Authenticate"), testing::StartsWith("Bearer"));
    }
  }
  for (const record::Command& command : backend.commands)
    EXPECT_EQ(command.actions.at(0).collection, record::system_collection::audit);
}

TEST_F(AccessTest, DeniedAdministrativeCallsAreInTheTrail) {
  const auto reader = token("reader00", Role::reader);
  const auto entries = [this] {
    std::vector<std::string> texts;
    backend.state->scan_records(record::system_collection::audit, "", "",
                                [&](std::string_view, const record::Record& record) {
                                  texts.emplace_back(record.value.view());
                                  return true;
                                });
    return texts;
  };
  EXPECT_EQ(ask(Method::remove, "/v1/tokens/x", "", with(reader)).status, 403);
  ASSERT_EQ(entries().size(), 1U);
  for (const char* text : {R"("who":"reader00-name")", R"("what":"denied")",
                           R"("target":"DELETE /v1/tokens/x")", R"("outcome":"forbidden")"})
    EXPECT_THAT(entries()[0], testing::HasSubstr(text));
  EXPECT_EQ(ask(Method::post, "/v1/tokens").status, 401);
  ASSERT_EQ(entries().size(), 2U);
  // What is no administrative call is not told, and not all that come at once are.
  EXPECT_EQ(ask(Method::get, "/v1/cluster").status, 401);
  EXPECT_EQ(entries().size(), 2U);
  for (int i = 0; i < 100; ++i) ask(Method::post, "/v1/tokens");
  EXPECT_EQ(entries().size(), limits::denial_entries_max);
}

TEST_F(AccessTest, UnknownTokensDoNotPileUp) {
  backend.hold_barriers = true;
  const std::string unknown = "mst_other000_" + std::string{secret};
  std::vector<std::shared_ptr<Recorder>> waiting;
  for (std::size_t i = 0; i < limits::token_looks_max; ++i)
    waiting.push_back(begin(Method::get, "/v1/cluster", "", with(unknown)));
  EXPECT_LE(backend.last_deadline, clock.monotonic() + Millis{limits::token_look_ms_max});
  EXPECT_EQ(problem_of(ask(Method::get, "/v1/cluster", "", with(unknown))), "busy");
  EXPECT_EQ(backend.needs.size(), limits::token_looks_max);
  backend.end_barriers();
  for (const auto& each : waiting) {
    each->run();
    EXPECT_EQ(problem_of(each->answers.at(0)), "unauthorized");
  }
  EXPECT_EQ(problem_of(ask(Method::get, "/v1/cluster", "", with(unknown))), "unauthorized");
}

TEST_F(AccessTest, AnOperationOnOtherCollectionsIsToldWithoutItsParts) {
  const auto narrow = token("narrow00", Role::writer, {{"orders"}});
  const auto put = [&](const std::string& collection, const std::string& operation,
                       const std::string& value) {
    auto fields = with("bootstrap");
    fields.emplace_back("Idempotency-Key", operation);
    fields.emplace_back("If-None-Match", "*");
    ask(Method::put, "/v1/collections/" + collection + "/records/k", value, fields);
  };
  put("orders", "op-seen", "1");
  put("secrets", "op-hidden", "1");
  put("secrets", "op-refused", "2");
  const auto read = [&](const std::string& operation, const std::string& text) {
    return body_of(ask(Method::get, "/v1/operations/" + operation, "", with(text)));
  };
  EXPECT_TRUE(read("op-seen", narrow).contains("results"));
  EXPECT_TRUE(read("op-hidden", "bootstrap").contains("results"));
  const auto hidden = read("op-hidden", narrow);
  EXPECT_EQ(hidden.at("state"), "committed");
  EXPECT_FALSE(hidden.contains("results"));
  EXPECT_TRUE(read("op-refused", "bootstrap").contains("detail"));
  const auto refused = read("op-refused", narrow);
  EXPECT_EQ(refused.at("error"), "precondition_failed");
  EXPECT_FALSE(refused.contains("detail"));
  const auto fenced =
      body_of(ask(Method::post, "/v1/operations/op-refused/fence", "", with(narrow)));
  EXPECT_EQ(fenced.at("state"), "refused");
  EXPECT_FALSE(fenced.contains("detail"));
}

TEST_F(AccessTest, EveryRowOfTheTableIsARoute) {
  std::size_t routes = router.routes().size();
  EXPECT_EQ(access_table().size(), routes);
}

// The whole matrix: each role may do what its rows and those below say, and nothing else.
TEST_F(AccessTest, RolesAreALadder) {
  const std::vector<std::pair<Role, std::string>> tokens{
      {Role::reader, token("reader00", Role::reader)},
      {Role::writer, token("writer00", Role::writer)},
      {Role::operating, token("operator", Role::operating)},
      {Role::admin, token("admin000", Role::admin)}};
  for (const Access& row : access_table()) {
    if (row.role == Role::open) continue;
    std::string target{row.pattern};
    for (const auto& [name, value] : {std::pair{"{collection}", "orders"},
                                      {"{key}", "k"},
                                      {"{operation}", "o"},
                                      {"{node}", "1"},
                                      {"{token}", "x"}})
      if (const auto at = target.find(name); at != std::string::npos)
        target.replace(at, std::string_view{name}.size(), value);
    for (const auto& [role, text] : tokens) {
      // A bad query is refused by every handler, but only after the gate.
      const auto response = ask(row.method, target + "?nonsense=1", "", with(text));
      EXPECT_EQ(response.status == 403, role < row.role)
          << to_string(role) << " " << http::to_string(row.method) << " " << row.pattern;
      EXPECT_NE(response.status, 401);
      if (response.status == 403) {
        EXPECT_THAT(text_of(response, "detail"), testing::HasSubstr(to_string(row.role)));
      }
    }
  }
}

TEST_F(AccessTest, GrantsLimitTheCollections) {
  const auto narrow = token("narrow00", Role::writer, {{"orders", "wms-*"}});
  const auto put = [&](const std::string& collection) {
    return ask(Method::put, "/v1/collections/" + collection + "/records/k", "1", with(narrow))
        .status;
  };
  EXPECT_EQ(put("orders"), 201);
  EXPECT_EQ(put("wms-in"), 201);
  EXPECT_EQ(put("secrets"), 403);
  EXPECT_EQ(put("order"), 403);
  EXPECT_EQ(ask(Method::get, "/v1/collections/secrets/records/k", "", with(narrow)).status, 403);
  const auto list = ask(Method::get, "/v1/collections", "", with(narrow));
  EXPECT_EQ(body_of(list).at("collections").as_array().size(), 2U);
  const auto transaction =
      ask(Method::post, "/v1/transactions",
          R"({"conditions":[{"collection":"secrets","key":"k","absent":true}],)"
          R"("operations":[{"put":{"collection":"orders","key":"j","value":1}}]})",
          with(narrow));
  EXPECT_EQ(transaction.status, 403);
  EXPECT_EQ(text_of(transaction, "pointer"), "/conditions/0/collection");
  const auto batch =
      ask(Method::post, "/v1/batch",
          R"({"operations":[{"delete":{"collection":"secrets","key":"j"}}]})", with(narrow));
  EXPECT_EQ(batch.status, 403);
  EXPECT_EQ(ask(Method::get, "/v1/changes?collection=secrets", "", with(narrow)).status, 403);
  ask(Method::put, "/v1/collections/secrets/records/k", "1", with("bootstrap"));
  const auto feed = ask(Method::get, "/v1/changes", "", with(narrow));
  EXPECT_EQ(body_of(feed).at("changes").as_array().size(), 2U) << feed.body.view();
}

TEST_F(AccessTest, SystemCollectionsNeedARole) {
  const auto reader = token("reader00", Role::reader);
  const auto operating = token("operator", Role::operating);
  const auto status = [&](const std::string& collection, const std::string& text) {
    return ask(Method::get, "/v1/collections/" + collection + "/records", "", with(text)).status;
  };
  EXPECT_EQ(status("_audit", reader), 403);
  EXPECT_EQ(status("_audit", operating), 200);
  EXPECT_EQ(status("_collections", operating), 200);
  EXPECT_EQ(status("_tokens", operating), 403);
  EXPECT_EQ(status("_tokens", "bootstrap"), 200);
  for (const char* name : {"_audit", "_tokens", "_collections"})
    EXPECT_EQ(ask(Method::put, std::string{"/v1/collections/"} + name + "/records/k", "1",
                  with("bootstrap"))
                  .status,
              403);
}

TEST_F(AccessTest, WrongAndOldTokensAreRefused) {
  const std::string good = token("reader00", Role::reader);
  const auto status = [&](const Fields& fields) {
    return ask(Method::get, "/v1/cluster", "", fields).status;
  };
  EXPECT_EQ(status(with(good)), 200);
  EXPECT_EQ(status({{"authorization", "bearer  " + good + " "}}), 200);
  std::string wrong = good;
  wrong.back() = 'x';
  EXPECT_EQ(status(with(wrong)), 401);
  EXPECT_EQ(status(with("mst_nobody00_" + std::string{secret})), 401);
  EXPECT_EQ(status(with("bootstrap ")), 200);
  EXPECT_EQ(status(with("Bootstrap")), 401);
  EXPECT_EQ(status({{"Authorization", "Basic " + good}}), 401);
  EXPECT_EQ(status({{"Authorization", "Bearer " + good}, {"Authorization", "Bearer " + good}}),
            401);
  const auto expiring = token("expiring", Role::reader, {}, "2023-11-14T22:13:21.000Z");
  EXPECT_EQ(status(with(expiring)), 200);
  clock.passed = Millis{1000};
  const auto expired = ask(Method::get, "/v1/cluster", "", with(expiring));
  EXPECT_EQ(expired.status, 401);
  EXPECT_THAT(text_of(expired, "detail"), testing::HasSubstr("expired"));
}

// A client makes a token through one node and uses it at once through another, which lags.
TEST_F(AccessTest, ATokenThatIsNotKnownYetIsLookedForOnceMore) {
  std::string text = "mst_fresh000_" + std::string{secret};
  backend.on_barrier = [&] {
    backend.on_barrier = nullptr;
    text = token("fresh000", Role::reader);
  };
  EXPECT_EQ(ask(Method::get, "/v1/cluster", "", with(text)).status, 200);
  EXPECT_EQ(backend.needs.size(), 1U);
  EXPECT_EQ(ask(Method::get, "/v1/cluster", "", with(text)).status, 200);
  EXPECT_EQ(backend.needs.size(), 1U) << "known now";
  backend.refusal = Error{Errc::deadline_exceeded, "no quorum"};
  EXPECT_EQ(
      problem_of(ask(Method::get, "/v1/cluster", "", with("mst_other000_" + std::string{secret}))),
      "deadline_exceeded");
}

TEST_F(AccessTest, MetricsMayBeOpen) {
  EXPECT_EQ(ask(Method::get, "/metrics").status, 401);
  ApiOptions options = with_auth();
  options.metrics_open = true;
  router = {};
  add_routes(router, backend, clock, options);
  EXPECT_EQ(ask(Method::get, "/metrics").status, 200);
  EXPECT_EQ(ask(Method::get, "/v1/cluster").status, 401);
}

TEST(Tokens, HaveOneForm) {
  EXPECT_EQ(token_id_of("mst_abcd0123_" + std::string{secret}), "abcd0123");
  for (const std::string& text :
       {std::string{}, std::string{"bootstrap"}, "mst_abcd012_" + std::string{secret},
        "mst_abcD0123_" + std::string{secret}, "MST_abcd0123_" + std::string{secret},
        "mst_abcd0123-" + std::string{secret}, "mst_abcd0123_" + std::string{secret} + "x"})
    EXPECT_FALSE(token_id_of(text)) << text;
}

TEST(Tokens, ComeBackFromTheirRecord) {
  for (const TokenRecord& kept :
       {TokenRecord{"a \"b\"", "sha256:00", Role::operating, {}, "2023", {}},
        TokenRecord{"w", "sha256:01", Role::writer, {{"a", "b-*"}}, "2023", "2030"}}) {
    const auto read = parse_token_record(to_json(kept));
    ASSERT_TRUE(read) << to_json(kept);
    EXPECT_EQ(to_json(*read), to_json(kept));
  }
  for (const char* text : {"{}", "[]", R"({"hash":"x","role":"god"})",
                           R"({"hash":"x","role":"admin","collections":1})"})
    EXPECT_FALSE(parse_token_record(text)) << text;
}

}  // namespace
}  // namespace mainstay::api
