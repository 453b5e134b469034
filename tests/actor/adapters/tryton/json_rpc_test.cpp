#include "actors/adapters/tryton/json_rpc.hpp"

#include "tests/actor/adapters/tryton/fake_tryton.hpp"

namespace mainstay::adapters::tryton {
namespace {

using integration::Verdict;
using testing::ElementsAre;
using testing::HasSubstr;

class TrytonRpcTest : public testing::Test {
 protected:
  TrytonRpcTest() { erp_.put("sale.sale", R"({"id":1,"number":"1"})"); }

  JsonRpc rpc(bool acknowledge = false) {
    RpcOptions options = erp_.options();
    options.acknowledge_warnings = acknowledge;
    return JsonRpc{options, sys::system_clock()};
  }
  Error error_of(std::string_view body, std::string_view method, int status = 200) {
    JsonRpc one = rpc();
    EXPECT_TRUE(one.company());
    erp_.next(status, std::string{body});
    const auto result = one.call("sale.sale", method, {});
    EXPECT_FALSE(result) << body;
    return result ? Error{} : result.error();
  }

  FakeTryton erp_;
};

TEST_F(TrytonRpcTest, LogsInOnceAndSendsTheContextLast) {
  JsonRpc one = rpc();
  ASSERT_TRUE(one.read("sale.sale", {1}, {"number"}, {{"active_test", Value::boolean(false)}}));
  ASSERT_TRUE(one.read("sale.sale", {1}, {"number"}));
  EXPECT_THAT(erp_.calls, ElementsAre("common.db.login", "model.res.user.get_preferences",
                                      "model.sale.sale.read", "model.sale.sale.read"));
  EXPECT_EQ(json::to_text(erp_.params[2]),
            R"([[1],["number"],{"company":1,"language":"en","active_test":false}])");
  EXPECT_EQ(json::to_text(erp_.params[3]), R"([[1],["number"],{"company":1,"language":"en"}])");
}

TEST_F(TrytonRpcTest, LogsInAgainWhenTheSessionIsOver) {
  JsonRpc one = rpc();
  ASSERT_TRUE(one.search("sale.sale", Value::array()));
  erp_.end_session();
  const auto found = one.search("sale.sale", Value::array());
  ASSERT_TRUE(found) << to_string(found.error());
  EXPECT_THAT(*found, ElementsAre(1));
}

TEST_F(TrytonRpcTest, AWrongPasswordIsToldAndNotTriedForever) {
  RpcOptions options = erp_.options();
  options.password = "wrong";
  JsonRpc one{options, sys::system_clock()};
  const auto found = one.search("sale.sale", Value::array());
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::unauthorized);
  EXPECT_EQ(erp_.calls.size(), 1U);
}

TEST_F(TrytonRpcTest, WhatTheErpSaysDecidesTheVerdict) {
  const auto verdict = [this](std::string_view body) {
    return verdict_of(error_of(body, "do").code);
  };
  EXPECT_EQ(verdict(R"({"id":1,"error":["UserError",["You cannot modify it.","",null]]})"),
            Verdict::refused);
  EXPECT_EQ(verdict(R"({"id":1,"error":["UserWarning",["ab.done","No origin.",""]]})"),
            Verdict::refused);
  EXPECT_EQ(
      verdict(
          R"({"id":1,"error":["ConcurrencyException","Records were modified in the meanwhile"]})"),
      Verdict::conflict);
  EXPECT_EQ(
      verdict(R"({"id":1,"error":["duplicate key value violates unique constraint \"x\"",""]})"),
      Verdict::conflict);
  EXPECT_EQ(
      verdict(R"({"id":1,"error":["could not serialize access due to concurrent update",""]})"),
      Verdict::transient);
  EXPECT_EQ(verdict(R"({"id":1,"error":["'no.such'",""]})"), Verdict::refused);
  EXPECT_EQ(verdict("<html>"), Verdict::unparsable);
  EXPECT_EQ(verdict(R"({"id":1})"), Verdict::unparsable);
}

TEST_F(TrytonRpcTest, AStatusAfterAWriteMayHideThatItHappened) {
  EXPECT_EQ(error_of("", "do", 502).code, Errc::outcome_unknown);
  EXPECT_EQ(error_of("", "do", 500).code, Errc::outcome_unknown);
  EXPECT_EQ(error_of("", "read", 502).code, Errc::unavailable);
  EXPECT_EQ(error_of("", "do", 503).code, Errc::unavailable);
  EXPECT_EQ(error_of("", "do", 429).code, Errc::unavailable);
  EXPECT_EQ(error_of("", "do", 403).code, Errc::forbidden);
  EXPECT_EQ(error_of("", "do", 404).code, Errc::not_found);
}

TEST_F(TrytonRpcTest, NobodyThereIsTransient) {
  RpcOptions options = erp_.options();
  options.endpoint.port = 1;
  JsonRpc one{options, sys::system_clock()};
  const auto found = one.search("sale.sale", Value::array());
  ASSERT_FALSE(found);
  EXPECT_EQ(verdict_of(found.error().code), Verdict::transient);
}

TEST_F(TrytonRpcTest, AWarningIsAcknowledgedIfThatIsWanted) {
  JsonRpc one = rpc(true);
  ASSERT_TRUE(one.company());
  erp_.next(200, R"({"id":1,"error":["UserWarning",["ab.done","No origin.",""]]})");
  erp_.on("model.stock.move.do", [](const json::Array&, const Value&) { return "null"; });
  ASSERT_TRUE(one.press("stock.move", "do", {7}));
  EXPECT_THAT(erp_.calls, testing::Contains("model.res.user.warning.create"));
  EXPECT_EQ(text_at(erp_.params[erp_.params.size() - 2], "/0/0/name"), "ab.done");
}

TEST_F(TrytonRpcTest, Urls) {
  const auto url = parse_url("https://erp.example.org/production/");
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->endpoint.port, 443);
  EXPECT_EQ(url->database, "production");
  EXPECT_EQ(parse_url("http://[::1]:8000/erp")->endpoint.host, "::1");
  for (const char* wrong : {"erp", "ftp://x/y", "http://x", "http://x/", "http://x/a/b"})
    EXPECT_FALSE(parse_url(wrong)) << wrong;
}

}  // namespace
}  // namespace mainstay::adapters::tryton
