#include "runtime/api/index_query.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include "runtime/http/target.hpp"
#include "runtime/record/index_key.hpp"
#include "tests/unit/api/fake_backend.hpp"

namespace mainstay::api {
namespace {

using http::Method;
using testing::ElementsAre;

constexpr const char* declaration =
    R"({"indexes":[{"name":"by-item","pointer":"/item"},{"name":"by-n","pointer":"/n"}]})";

class IndexQueryTest : public testing::Test, protected ApiFixture {
 protected:
  IndexQueryTest() { declare_ready(); }

  void declare_ready() {
    backend.declare("orders", declaration);
    for (int i = 0; i < 3; ++i) backend.tick();
  }
  void put(const std::string& key, const std::string& value) {
    ASSERT_LT(ask(Method::put, "/v1/collections/orders/records/" + key, value).status, 300);
  }
  http::Response query(const std::string& parameters) {
    return ask(Method::get, "/v1/collections/orders/records?" + parameters);
  }
  std::vector<std::string> keys(const std::string& parameters) {
    std::vector<std::string> found;
    std::string after;
    for (int pages = 0; pages < 100; ++pages) {
      const auto page = query(parameters + after);
      if (page.status != 200) return {std::string{page.body.view()}};
      for (const auto& record : items_of(page, "records"))
        found.emplace_back(record.at("key").as_string());
      const std::string next = text_of(page, "next");
      if (next.empty()) return found;
      after = "&after=" + next;
    }
    return {"endless"};
  }
};

TEST_F(IndexQueryTest, FindsByValueAndByRange) {
  put("a", R"({"item":"ACME","n":10})");
  put("b", R"({"item":"ACME","n":9})");
  put("c", R"({"item":"BOLT","n":-1})");
  put("d", R"({"item":10,"n":"10"})");
  put("e", R"({"item":{"x":1}})");
  EXPECT_THAT(keys("index=by-item&value=ACME"), ElementsAre("a", "b"));
  EXPECT_THAT(keys("index=by-item&value=%22ACME%22"), ElementsAre("a", "b"));
  EXPECT_THAT(keys("index=by-item&value=10"), ElementsAre("d"));
  EXPECT_THAT(keys("index=by-item&value=%2210%22"), ElementsAre());
  EXPECT_THAT(keys("index=by-item"), ElementsAre("d", "a", "b", "c"));
  EXPECT_THAT(keys("index=by-n"), ElementsAre("c", "b", "a", "d"));
  EXPECT_THAT(keys("index=by-n&from=9&to=10.0"), ElementsAre("b", "a"));
  EXPECT_THAT(keys("index=by-n&from=9.5"), ElementsAre("a", "d"));
  EXPECT_THAT(keys("index=by-n&to=9"), ElementsAre("c", "b"));
  EXPECT_THAT(keys("index=by-n&from=11&to=9"), ElementsAre());
  EXPECT_THAT(keys("index=by-n&limit=1"), ElementsAre("c", "b", "a", "d"));
}

TEST_F(IndexQueryTest, LongStringsAreComparedWhole) {
  const std::string same(100, 'x');
  put("a", R"({"item":")" + same + R"(a"})");
  put("b", R"({"item":")" + same + R"(b"})");
  put("c", R"({"item":")" + same + R"(c"})");
  EXPECT_THAT(keys("index=by-item&value=" + same + "b"), ElementsAre("b"));
  EXPECT_THAT(keys("index=by-item&value=" + same), ElementsAre());
  EXPECT_THAT(keys("index=by-item&from=" + same + "b&limit=1"), ElementsAre("b", "c"));
  EXPECT_THAT(keys("index=by-item&to=" + same + "b&limit=1"), ElementsAre("a", "b"));
}

TEST_F(IndexQueryTest, APlaceStaysGoodWhileRecordsComeAndGo) {
  for (const char* key : {"a", "b", "c", "d"}) put(key, R"({"n":1})");
  const std::string next = text_of(query("index=by-n&limit=2"), "next");
  ask(Method::remove, "/v1/collections/orders/records/b");
  put("bb", R"({"n":1})");
  put("a0", R"({"n":1})");
  EXPECT_THAT(keys("index=by-n&after=" + next), ElementsAre("bb", "c", "d"));
}

TEST_F(IndexQueryTest, BadQueriesAreRefused) {
  for (const char* parameters :
       {"index=none", "from=1", "to=1", "value=1", "index=by-n&prefix=a", "index=by-n&value=1&to=2",
        "index=by-n&value=[1]", "index=by-n&from=%7B%7D", "index=by-n&after=xyz",
        "index=by-n&after=", "index=by-n&after=05", "index=by-n&limit=0"})
    EXPECT_EQ(problem_of(query(parameters)), "invalid_argument") << parameters;
  EXPECT_THAT(text_of(query("index=none"), "detail"), testing::HasSubstr("by-item, by-n"));
}

TEST_F(IndexQueryTest, AnIndexThatIsBeingBuiltIsNotReady) {
  backend.declare("big");
  for (int i = 0; i < 600; ++i)
    ask(Method::put, "/v1/collections/big/records/k" + std::to_string(i), R"({"n":1})");
  backend.declare("big", R"({"indexes":[{"name":"by-n","pointer":"/n"}]})");
  const std::string target = "/v1/collections/big/records?index=by-n&limit=1000";
  const auto early = ask(Method::get, target);
  EXPECT_EQ(problem_of(early), "not_ready");
  EXPECT_EQ(header(early, "Retry-After"), "1");
  for (int i = 0; i < 5; ++i) backend.tick();
  EXPECT_EQ(body_of(ask(Method::get, target)).at("records").as_array().size(), 600U);
}

// Against a plain sort of all records.
TEST_F(IndexQueryTest, AgreesWithAPlainSearch) {
  EXPECT_TRUE(rc::check("any records, any bounds", [this] {
    backend.state = std::make_shared<record::MemoryState>();
    backend.declarations = {};
    declare_ready();
    const auto scalar = rc::gen::element<std::string>("null", "false", "true", "-2", "0", "0.0",
                                                      "1.5", "15e-1", "\"\"", "\"a\"", "\"ab\"");
    const auto values = *rc::gen::container<std::vector<std::string>>(scalar);
    std::vector<std::pair<json::Value, std::string>> expected;
    const auto from = json::parse(*scalar).value(), to = json::parse(*scalar).value();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::string key = "k" + std::to_string(100 + i);
      put(key, "{\"n\":" + values[i] + "}");
      const auto value = json::parse(values[i]).value();
      if (record::compare_scalars(value, from) >= 0 && record::compare_scalars(value, to) <= 0)
        expected.emplace_back(value, key);
    }
    std::stable_sort(expected.begin(), expected.end(), [](const auto& a, const auto& b) {
      return record::compare_scalars(a.first, b.first) < 0;
    });
    std::vector<std::string> wanted;
    wanted.reserve(expected.size());
    for (const auto& [value, key] : expected) wanted.push_back(key);
    RC_ASSERT(keys("index=by-n&limit=3&from=" + http::percent_encode(json::to_text(from)) +
                   "&to=" + http::percent_encode(json::to_text(to))) == wanted);
  }));
}

}  // namespace
}  // namespace mainstay::api
