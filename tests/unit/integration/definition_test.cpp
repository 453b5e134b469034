#include "runtime/integration/definition.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mainstay::integration {
namespace {

using testing::HasSubstr;

constexpr const char* mapping_text =
    R"({"mapping":"m","version":1,"records":[{"collection":"c","key":"/id","value":{"id":"/id"}}]})";

Result<AdapterDefinition> parse(const std::string& text, const std::string& name = "erp") {
  return parse_definition(name, json::parse(text).value(),
                          [](const std::string& file) -> Result<std::string> {
                            if (file == "m.json") return std::string{mapping_text};
                            return fail(Errc::not_found, "there is no file '" + file + "'");
                          });
}
std::string refusal(const std::string& text, const std::string& name = "erp") {
  const auto parsed = parse(text, name);
  return parsed ? "accepted" : parsed.error().message;
}

TEST(DefinitionTest, EveryMemberIsTaken) {
  const auto definition = parse(R"({
    "kind":"file","settings":{"in":"/x"},
    "source":{"poll":"2s","messages_max":7,"order":"strict","inbox_kept":"1d","types":{"o":"m.json"}},
    "effects":{"lanes":3,"rate_per_second":5,"attempts_max":9,"backoff_min":"1s","backoff_max":"2s",
               "breaker_failures":4,"breaker_pause":"3s","call_timeout":"4s","settle":"5s"},
    "export":[{"collection":"orders","mapping":"m.json"}],
    "reconcile":[{"name":"orders","mapping":"m.json","collection":"orders","fields":["/id"],
                  "where":{"/system":"erp"},"every":"1m","settle":"1s","repair":true}]})");
  ASSERT_TRUE(definition) << definition.error().message;
  EXPECT_EQ(definition->source->poll, Millis{2'000});
  EXPECT_EQ(definition->source->order, SubjectOrder::strict);
  EXPECT_EQ(definition->effects.lanes, 3u);
  EXPECT_EQ(definition->effects.settle, Millis{5'000});
  EXPECT_EQ(definition->exports.at(0).collection, "orders");
  EXPECT_EQ(definition->reconciles.at(0).kind, "orders");
  EXPECT_EQ(definition->reconciles.at(0).where.at(0).second, "erp");
  EXPECT_TRUE(definition->reconciles.at(0).repair);
}

TEST(DefinitionTest, MistakesAreNamedWithTheirPlace) {
  EXPECT_THAT(refusal(R"({"source":{"types":{"o":"m.json"}}})"), HasSubstr("kind: is missing"));
  EXPECT_THAT(refusal(R"({"kind":"file"})"), HasSubstr("does nothing"));
  EXPECT_THAT(refusal(R"({"kind":"file","sauce":{}})"), HasSubstr("sauce"));
  EXPECT_THAT(refusal(R"({"kind":"file","source":{"poll":"soon","types":{"o":"m.json"}}})"),
              HasSubstr("source.poll: a duration"));
  EXPECT_THAT(refusal(R"({"kind":"file","source":{"types":{"o":"none.json"}}})"),
              HasSubstr("there is no file 'none.json'"));
  EXPECT_THAT(refusal(R"({"kind":"file","source":{}})"), HasSubstr("types = {"));
  EXPECT_THAT(refusal(R"({"kind":"file","export":[{"collection":"c"}]})"),
              HasSubstr("export[0].mapping: is missing"));
  EXPECT_THAT(refusal(R"({"kind":"f","source":{"types":{"o":"m.json"}},"effects":{"lanes":0}})"),
              HasSubstr("a whole number from 1 to 16"));
  EXPECT_THAT(refusal(R"({"kind":"file","source":{"types":{"o":"m.json"}}})", "Big Name"),
              HasSubstr("a name has"));
}

TEST(DefinitionTest, TheHashChangesWithTheDefinition) {
  const std::string text = R"({"kind":"file","source":{"types":{"o":"m.json"}}})";
  EXPECT_EQ(parse(text)->hash, parse(text)->hash);
  EXPECT_NE(parse(text)->hash, parse(R"({"kind":"http","source":{"types":{"o":"m.json"}}})")->hash);
}

}  // namespace
}  // namespace mainstay::integration
