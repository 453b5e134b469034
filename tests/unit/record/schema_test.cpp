#include "runtime/record/schema.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"

namespace mainstay::record {
namespace {

// "ok", or "at '<pointer>': <message>"
std::string check(std::string_view schema, std::string_view value) {
  const auto compiled = Schema::compile(*json::parse(schema));
  if (!compiled) return "refused: " + compiled.error().message;
  const auto violation = (*compiled)->check(*json::parse(value));
  if (!violation) return "ok";
  return "at '" + violation->pointer + "': " + violation->message;
}

TEST(Schema, SaysWhatIsWrongAndWhere) {
  const char* order = R"({"type":"object","required":["id"],"additionalProperties":false,
    "properties":{"id":{"type":"string","pattern":"^[A-Z]+-[0-9]+$"},
                  "lines":{"type":"array","items":{"properties":{"price":{"minimum":0}}}},
                  "a/b":{"enum":["x","y"]}}})";
  EXPECT_EQ(check(order, R"({"id":"A-1","lines":[{"price":1}]})"), "ok");
  EXPECT_EQ(check(order, R"({"id":"A-1","lines":[{"price":1},{"price":-0.01}]})"),
            "at '/lines/1/price': is less than the minimum 0");
  EXPECT_EQ(check(order, "[]"), "at '': is of type array, not object");
  EXPECT_EQ(check(order, "{}"), "at '': has no member 'id'");
  EXPECT_EQ(check(order, R"({"id":"a"})"), "at '/id': does not match the pattern ^[A-Z]+-[0-9]+$");
  EXPECT_EQ(check(order, R"({"id":"A-1","x":1})"), "at '': has a member 'x', which is not allowed");
  EXPECT_EQ(check(order, R"({"id":"A-1","a/b":"z"})"), R"(at '/a~1b': is none of "x", "y")");
}

TEST(Schema, NumbersAreExact) {
  EXPECT_EQ(check(R"({"multipleOf":0.1})", "0.3"), "ok");
  EXPECT_EQ(check(R"({"multipleOf":0.1})", "0.35"), "at '': is not a multiple of 0.1");
  EXPECT_EQ(check(R"({"multipleOf":7})", "70000000000000000000000000000000000000000"), "ok");
  EXPECT_EQ(check(R"({"multipleOf":7})", "1e1000000000"), "at '': is not a multiple of 7");
  EXPECT_EQ(check(R"({"multipleOf":0.000001})", "12345678901234567890.123456"), "ok");
  EXPECT_EQ(check(R"({"maximum":9007199254740992})", "9007199254740993"),
            "at '': is greater than the maximum 9007199254740992");
  EXPECT_EQ(check(R"({"const":0.1})", "0.10"), "ok");
  EXPECT_EQ(check(R"({"type":"integer"})", "1e2"), "ok");
}

TEST(Schema, KeywordsOfTheNewerDraft) {
  const char* tuple = R"({"prefixItems":[{"type":"string"},{"type":"number"}],"items":false})";
  EXPECT_EQ(check(tuple, R"(["a",1])"), "ok");
  EXPECT_EQ(check(tuple, R"(["a"])"), "ok");
  EXPECT_EQ(check(tuple, R"(["a","b"])"), "at '/1': is of type string, not number");
  EXPECT_EQ(check(tuple, R"(["a",1,2])"), "at '/2': nothing is allowed here");
  const char* some = R"({"contains":{"minimum":5},"minContains":2,"maxContains":3})";
  EXPECT_EQ(check(some, "[5,6,1]"), "ok");
  EXPECT_EQ(check(some, "[5,1]"), "at '': contains fewer than 2 items of the wanted form");
  EXPECT_EQ(check(some, "[5,6,7,8]"), "at '': contains more than 3 items of the wanted form");
  EXPECT_EQ(check(R"({"contains":{"minimum":5},"minContains":0})", "[]"), "ok");
  const char* card = R"({"dependentRequired":{"card":["address"]}})";
  EXPECT_EQ(check(card, R"({"card":1,"address":2})"), "ok");
  EXPECT_EQ(check(card, R"({"card":1})"), "at '': has a member 'card' but no 'address'");
  // Beside $ref other keywords count too.
  const char* beside =
      R"({"$defs":{"text":{"type":"string"}},"$ref":"#/$defs/text","minLength":2})";
  EXPECT_EQ(check(beside, R"("ab")"), "ok");
  EXPECT_EQ(check(beside, R"("a")"), "at '': is shorter than 2 characters");
  EXPECT_EQ(check(beside, "1"), "at '': is of type number, not string");
}

TEST(Schema, ReferencesMayRecurseThroughTheValueOnly) {
  const char* tree = R"({"$defs":{"node":{"type":"object","required":["v"],
    "properties":{"children":{"items":{"$ref":"#/$defs/node"}}}}},"$ref":"#/$defs/node"})";
  EXPECT_EQ(check(tree, R"({"v":1,"children":[{"v":2,"children":[]}]})"), "ok");
  EXPECT_EQ(check(tree, R"({"v":1,"children":[{"v":2},{}]})"),
            "at '/children/1': has no member 'v'");
  EXPECT_EQ(check(R"({"$ref":"#"})", "1"), "refused: a $ref leads in a circle back to itself");
  EXPECT_THAT(
      check(R"({"$defs":{"a":{"anyOf":[{"$ref":"#/$defs/b"}]},"b":{"not":{"$ref":"#/$defs/a"}}}})",
            "1"),
      testing::HasSubstr("in a circle"));
}

TEST(Schema, WhatItDoesNotKnowIsRefused) {
  for (const char* schema : {R"({"unevaluatedProperties":false})",
                             R"({"$anchor":"a"})",
                             R"({"definitions":{}})",
                             R"({"items":[{}]})",
                             R"({"dependentSchemas":{}})",
                             R"({"minimun":1})",
                             R"({"type":"int"})",
                             R"x({"pattern":"("})x",
                             R"x({"pattern":"a(?=b)"})x",
                             R"x({"pattern":"(a)\\1"})x",
                             R"({"$ref":"https://example.com/x"})",
                             R"({"$ref":"#/$defs/none"})",
                             R"({"minLength":-1})",
                             R"({"minLength":1.5})",
                             R"({"multipleOf":0})",
                             R"({"anyOf":[]})",
                             R"({"required":"a"})",
                             R"({"properties":{"a":{"$id":"x"}}})",
                             R"({"$schema":"http://json-schema.org/draft-07/schema#"})",
                             R"({"type":[]})",
                             "[]",
                             "1"})
    EXPECT_THAT(check(schema, "1"), testing::StartsWith("refused: ")) << schema;
  EXPECT_EQ(check(R"({"properties":{"a":{"colour":1}}})", "1"),
            "refused: at '/properties/a/colour': this keyword is not supported; docs/data-model.md "
            "lists those that are");
  const std::string large = R"({"title":")" + std::string(limits::schema_bytes_max, 'x') + "\"}";
  EXPECT_THAT(check(large, "1"), testing::StartsWith("refused: "));
}

TEST(Schema, AnnotationsAreWithoutEffect) {
  EXPECT_EQ(
      check(R"({"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"urn:x","title":"t",
      "description":"d","default":1,"examples":[2],"format":"email","deprecated":true,"readOnly":true,
      "writeOnly":false,"$comment":"c"})",
            R"("no mail")"),
      "ok");
}

// Each must end soon: the apply step of every replica waits for it.
TEST(Schema, AttacksOnTimeAndStackAreBounded) {
  // Evil for engines that go back.
  EXPECT_THAT(check(R"({"pattern":"^(a+)+$"})", '"' + std::string(100'000, 'a') + "b\""),
              testing::HasSubstr("does not match"));
  // Each level doubles the work.
  std::string doubling = R"({"$defs":{"d0":{"type":"number"})";
  for (int i = 1; i <= 28; ++i) {
    const std::string below = R"({"$ref":"#/$defs/d)" + std::to_string(i - 1) + "\"}";
    doubling.append(",\"d").append(std::to_string(i)).append(R"(":{"allOf":[)");
    doubling.append(below).append(",").append(below).append("]}");
  }
  EXPECT_EQ(check(doubling + R"(},"$ref":"#/$defs/d28"})", "1"),
            "at '': takes more steps to check than allowed");
  std::string chain = R"({"$defs":{"d0":{})";
  for (int i = 1; i <= 100; ++i)
    chain.append(",\"d")
        .append(std::to_string(i))
        .append(R"(":{"$ref":"#/$defs/d)")
        .append(std::to_string(i - 1))
        .append("\"}");
  EXPECT_THAT(check(chain + "}}", "1"), testing::HasSubstr("more than 64 subschemas"));
}

}  // namespace
}  // namespace mainstay::record
