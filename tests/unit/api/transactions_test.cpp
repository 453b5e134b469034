#include <gmock/gmock.h>

#include "runtime/api/request_parts.hpp"
#include "runtime/base/random.hpp"
#include "tests/unit/api/fake_backend.hpp"

namespace mainstay::api {
namespace {

using http::Method;

constexpr const char* path = "/v1/transactions";

class TransactionsTest : public testing::Test, protected ApiFixture {
 protected:
  TransactionsTest() {
    backend.declare("orders");
    backend.declare("stock", R"({"kind":"ledger","ledger":{"dimensions":["item","location"],)"
                             R"("scale":0,"never_below":"0","except":[{"location":"OUT"}]}})");
  }
  http::Response run(const std::string& body, const Fields& fields = {}) {
    return ask(Method::post, path, body, fields);
  }
  static std::string put(const std::string& key, const std::string& value) {
    return R"({"put":{"collection":"orders","key":")" + key + R"(","value":)" + value + "}}";
  }
  std::string value_of(const std::string& key) {
    return std::string{ask(Method::get, "/v1/collections/orders/records/" + key).body.view()};
  }
};

TEST_F(TransactionsTest, EverythingHappensUnderOneRevision) {
  run("{\"operations\":[" + put("a", "1") + "," + put("b", "{\"x\":1.50,\"y\":2}") + "]}");
  const auto done = run(
      R"({"conditions":[{"collection":"orders","key":"a","version":1},)"
      R"({"collection":"orders","key":"b","exists":true,"fields":[{"pointer":"/x","equals":1.5}]},)"
      R"({"collection":"orders","key":"c","absent":true}],)"
      R"("operations":[{"delete":{"collection":"orders","key":"a"}},)"
      R"({"patch":{"collection":"orders","key":"b","value":{"y":null}}},)"
      R"({"put":{"collection":"orders","key":"c","value":[1]}},)"
      R"({"post":{"collection":"stock","id":"e","entry":{"quantity":5,"item":"A",)"
      R"("from":{"location":"OUT"},"to":{"location":"R"}}}}]})",
      {{"Idempotency-Key", "t-1"}});
  EXPECT_EQ(done.status, 200) << done.body.view();
  EXPECT_EQ(done.body.view(), R"({"revision":4,"operation":"t-1","results":[)"
                              R"({"version":2,"created":false,"changed":true},)"
                              R"({"version":2,"created":false,"changed":true},)"
                              R"({"version":1,"created":true,"changed":true},)"
                              R"({"version":1,"created":true,"changed":true}]})");
  EXPECT_EQ(header(done, revision_header), "4");
  EXPECT_EQ(header(done, session_header), "r4");
  EXPECT_EQ(value_of("b"), R"({"x":1.50})");
  EXPECT_EQ(value_of("c"), "[1]");
  const auto operation = body_of(ask(Method::get, "/v1/operations/t-1"));
  EXPECT_EQ(operation.at("results").as_array().size(), 4U);
}

TEST_F(TransactionsTest, ARefusalNamesItsPart) {
  run("{\"operations\":[" + put("a", "1") + "]}");
  const std::string good = R"({"collection":"orders","key":"a","exists":true})";
  const auto check = [&](const std::string& body, const std::string& problem,
                         const std::string& pointer) {
    auto refused = run(body);
    EXPECT_EQ(problem_of(refused), problem) << refused.body.view();
    EXPECT_EQ(text_of(refused, "pointer"), pointer) << refused.body.view();
    EXPECT_EQ(value_of("a"), "1");
    return refused;
  };
  const auto stale = check("{\"conditions\":[" + good +
                               R"(,{"collection":"orders","key":"a","version":7}],"operations":[)" +
                               put("a", "2") + "]}",
                           "precondition_failed", "/conditions/1");
  EXPECT_EQ(header(stale, "ETag"), "\"1\"");
  check(R"({"conditions":[{"ledger":"stock","at":{"item":"A","location":"R"},"at_least":"1"},)" +
            good + R"(],"operations":[)" + put("a", "2") + "]}",
        "precondition_failed", "/conditions/0");
  check("{\"operations\":[" + put("a", "2") + R"(,{"delete":{"collection":"orders","key":"z"}}]})",
        "not_found", "/operations/1");
  check("{\"operations\":[" + put("a", "2") +
            R"(,{"put":{"collection":"none","key":"z","value":1}}]})",
        "not_found", "/operations/1");
}

TEST_F(TransactionsTest, BalanceConditionsTakeTheirDimensionsInAnyOrder) {
  run(R"({"operations":[{"post":{"collection":"stock","id":"e","entry":{"quantity":5,"item":"A",)"
      R"("from":{"location":"OUT"},"to":{"location":"R"}}}}]})");
  for (const char* at : {R"({"item":"A","location":"R"})", R"({"location":"R","item":"A"})"}) {
    const auto done = run(std::string{R"({"conditions":[{"ledger":"stock","at":)"} + at +
                          R"(,"at_least":5}],"operations":[)" + put("a", "1") + "]}");
    EXPECT_EQ(done.status, 200) << done.body.view();
  }
}

TEST_F(TransactionsTest, BadBodiesAreRefusedWithTheirPlace) {
  const std::string op = put("a", "1");
  const auto conditions = [&](const std::string& condition) {
    return "{\"conditions\":[" + condition + "],\"operations\":[" + op + "]}";
  };
  const std::string a = R"("collection":"orders","key":"a")";
  const std::string two =
      R"({"operations":[{"put":{)" + a + R"(,"value":1},"delete":{)" + a + "}}]}";
  for (const auto& [body, pointer] : std::vector<std::pair<std::string, std::string>>{
           {"[]", ""},
           {"{}", ""},
           {R"({"operations":[]})", "/operations"},
           {R"({"operations":{}})", "/operations"},
           {R"({"operations":[1]})", "/operations/0"},
           {R"({"operations":[{}]})", "/operations/0"},
           {"{\"operations\":[" + op + "],\"x\":1}", ""},
           {"{\"operations\":[" + op + R"(,{"put":{"collection":"orders"}}]})",
            "/operations/1/put"},
           {R"({"operations":[{"put":{)" + a + R"(,"value":1,"if":2}}]})", "/operations/0/put"},
           {two, "/operations/0"},
           {R"({"operations":[{"put":{"collection":7,"key":"a","value":1}}]})",
            "/operations/0/put/collection"},
           {R"({"operations":[{"move":{}}]})", "/operations/0"},
           {conditions("{" + a + "}"), "/conditions/0"},
           {conditions("{" + a + R"(,"version":0})"), "/conditions/0/version"},
           {conditions("{" + a + R"(,"version":1.5})"), "/conditions/0/version"},
           {conditions("{" + a + R"(,"exists":false})"), "/conditions/0/exists"},
           {conditions("{" + a + R"(,"fields":[]})"), "/conditions/0/fields"},
           {conditions("{" + a + R"(,"fields":[{"pointer":"x","equals":1}]})"),
            "/conditions/0/fields/0/pointer"},
           {conditions("{" + a + R"(,"fields":[{"pointer":"/x"}]})"), "/conditions/0/fields/0"},
           {conditions("{" + a + R"(,"colour":1,"exists":true})"), "/conditions/0"},
           {conditions(R"({"ledger":"stock","at":[],"at_least":1})"), "/conditions/0/at"},
           {conditions(R"({"ledger":"stock","at":{"item":1},"at_least":1})"),
            "/conditions/0/at/item"},
           {conditions(R"({"ledger":"stock","at":{},"at_least":"many"})"),
            "/conditions/0/at_least"},
           {R"({"conditions":{},"operations":[)" + op + "]}", "/conditions"}}) {
    const auto refused = run(body);
    EXPECT_EQ(problem_of(refused), "invalid_argument") << body;
    EXPECT_EQ(text_of(refused, "pointer"), pointer) << refused.body.view();
  }
  EXPECT_EQ(problem_of(run("{\"operations\":[" + op + "," + op + "]}")), "invalid_argument")
      << "one record twice";
  EXPECT_EQ(
      problem_of(run(R"({"operations":[{"put":{"collection":"_audit","key":"a","value":1}}]})")),
      "forbidden");
  EXPECT_EQ(problem_of(run("", {})), "invalid_argument");
  EXPECT_EQ(problem_of(ask(Method::post, std::string{path} + "?x=1", "{}")), "invalid_argument");
  EXPECT_TRUE(backend.commands.empty());
}

TEST_F(TransactionsTest, TheSameKeyWithAnotherBodyIsRefused) {
  const Fields key{{"Idempotency-Key", "t"}};
  const auto first = run("{\"operations\":[" + put("a", "1") + "]}", key);
  const auto again = run("{\"operations\":[" + put("a", "1") + "]}", key);
  EXPECT_EQ(again.body.view(), first.body.view());
  EXPECT_EQ(header(again, replayed_header), "true");
  EXPECT_EQ(problem_of(run("{\"operations\":[" + put("a", "2") + "]}", key)), "operation_reused");
}

TEST_F(TransactionsTest, TooManyPartsAreRefused) {
  std::string many = put("k0", "1");
  for (int i = 1; i <= 256; ++i) many += "," + put("k" + std::to_string(i), "1");
  EXPECT_EQ(problem_of(run("{\"operations\":[" + many + "]}")), "invalid_argument");
  const std::string large = "\"" + std::string(700'000, 'x') + "\"";
  EXPECT_EQ(problem_of(run("{\"operations\":[" + put("a", large) + "," + put("b", large) + "]}")),
            "too_large");
}

// Whatever is cut out of or put into a good body: an answer, and never a half of it.
TEST_F(TransactionsTest, MutatedBodiesDoAllOrNothing) {
  SeededRandom random{11};
  const std::string good =
      R"({"conditions":[{"collection":"orders","key":"z","absent":true},)"
      R"({"ledger":"stock","at":{"item":"A","location":"R"},"at_least":"-1"}],)"
      R"("operations":[{"put":{"collection":"orders","key":"a","value":1}},)"
      R"({"put":{"collection":"orders","key":"b","value":{"c":[]}}}]})";
  for (int round = 0; round < 3000; ++round) {
    std::string text = good;
    for (std::uint64_t edits = random.between(1, 3); edits > 0; --edits)
      text[random.between(0, text.size() - 1)] = "{}[]\",:0e-\\x/~1"[random.between(0, 14)];
    const record::Revision before = backend.state->counters().revision;
    const auto answer = run(text);
    const record::Revision made = backend.state->counters().revision - before;
    EXPECT_EQ(made, answer.status == 200 ? 1U : 0U) << text;
    EXPECT_NE(answer.status, 500) << text;
  }
}

}  // namespace
}  // namespace mainstay::api
