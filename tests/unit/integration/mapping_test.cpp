#include "runtime/integration/mapping.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "runtime/base/limits.hpp"

namespace mainstay::integration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::shared_ptr<const Mapping> mapping(std::string_view text) {
  const auto value = json::parse(text);
  EXPECT_TRUE(value) << value.error().message;
  auto parsed = Mapping::parse(*value);
  EXPECT_TRUE(parsed) << parsed.error().message;
  return *parsed;
}

std::string refusal(std::string_view text) {
  const auto value = json::parse(text);
  EXPECT_TRUE(value) << value.error().message;
  const auto parsed = Mapping::parse(*value);
  return parsed ? "accepted" : parsed.error().message;
}

const MapContext context{"erp", "sale.sale,17", "3", "2026-11-22T22:47:05Z"};

Result<Mapped> run(const Mapping& mapping, std::string_view document) {
  return mapping.apply(json::parse(document).value(), context);
}

// What one rule makes of a document, as JSON; "nothing"; or the refusal.
std::string made(const std::string& rule, std::string_view document, const std::string& more = "") {
  const auto made = run(*mapping(R"({"mapping":"m","version":1,"records":[{"collection":"c",
      "key":{"$const":"k"},"value":{"v":)" +
                                 rule + "}}]" + more + "}"),
                        document);
  if (!made) return made.error().message;
  const json::Value* value = made->records.at(0).value.find("v");
  return value == nullptr ? "nothing" : json::to_text(*value);
}

// Whether the mapping that has this rule is accepted, and if not, why.
std::string bad_rule(const std::string& rule) {
  return refusal(R"({"mapping":"m","version":1,"records":[{"collection":"c","key":"k","value":)" +
                 rule + "}]}");
}

constexpr const char* order_mapping = R"({
  "mapping": "erp-order", "version": 3,
  "when": {"value": "/state", "in": ["confirmed", "processing"]},
  "tables": {"units": {"u": "EA", "kg": "KGM"}, "states": {"confirmed": "confirmed"}},
  "records": [
    {"collection": "orders", "key": {"$key": [{"$context": "adapter"}, "/number"]},
     "sequence": "/revision",
     "value": {
       "order": "/number",
       "status": {"$lookup": "/state", "table": "states", "default": {"$const": "released"}},
       "ordered": {"$date": "/date", "as": "date"},
       "lines": {"$each": "/lines", "value": {
         "line": {"$text": {"$index": 1}},
         "item": {"$path": "product/code", "required": true},
         "quantity": {"$decimal": "quantity", "scale": 6},
         "unit": {"$lookup": "unit", "table": "units"},
         "order": "../number"}}}},
    {"collection": "stock_moves", "operation": "post", "each": "/lines",
     "when": {"value": "quantity", "above": 0},
     "key": {"$format": "{/number}-{product/code}"},
     "value": {"quantity": {"$decimal": "quantity"}, "item": "product/code",
               "unit": {"$lookup": "unit", "table": "units"}, "lot": {"$const": ""},
               "from": {"location": {"$const": "R1"}}, "to": {"location": {"$const": "CUSTOMER"}}}}
  ],
  "trace": "/number",
  "drop": ["/lines/*/id"]
})";

constexpr const char* order = R"({"number":"SO-1","state":"confirmed","revision":7,
  "date":"2026-11-22","note":"x","lines":[
    {"id":1,"product":{"code":"A"},"quantity":1.50,"unit":"u"},
    {"id":2,"product":{"code":"B"},"quantity":"2","unit":"kg","colour":"red"}]})";

TEST(Mapping, AnOrderBecomesRecordsAndEntries) {
  const auto made = run(*mapping(order_mapping), order);
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_EQ(made->records.size(), 3U);
  const MappedRecord& record = made->records[0];
  EXPECT_EQ(record.collection, "orders");
  EXPECT_EQ(record.key, "erp/SO-1");
  EXPECT_EQ(record.operation, MappedRecord::Operation::put);
  EXPECT_EQ(record.sequence, "7");
  EXPECT_EQ(json::to_text(record.value),
            R"({"order":"SO-1","status":"confirmed","ordered":"2026-11-22","lines":[)"
            R"({"line":"1","item":"A","quantity":"1.500000","unit":"EA","order":"SO-1"},)"
            R"({"line":"2","item":"B","quantity":"2.000000","unit":"KGM","order":"SO-1"}]})");
  EXPECT_EQ(made->records[2].key, "SO-1-B");
  EXPECT_EQ(made->records[2].operation, MappedRecord::Operation::post);
  EXPECT_EQ(json::to_text(made->records[1].value),
            R"({"quantity":"1.50","item":"A","unit":"EA","lot":"",)"
            R"("from":{"location":"R1"},"to":{"location":"CUSTOMER"}})");
  EXPECT_EQ(made->trace, "SO-1");
  EXPECT_THAT(made->unmapped, ElementsAre("/note", "/lines/1/colour"));
}

TEST(Mapping, AnUnwantedDocumentGivesNothing) {
  const auto made = run(*mapping(order_mapping), R"({"state":"draft","what":"ever"})");
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->records.empty());
  EXPECT_TRUE(made->unmapped.empty());
}

TEST(Mapping, ErrorsNameTheRuleAndThePlaceInTheDocument) {
  const auto error = [](std::string_view document) {
    const auto made = run(*mapping(order_mapping), document);
    return made ? "fine" : made.error().message;
  };
  EXPECT_EQ(error(R"({"state":"confirmed","number":"1","lines":[{},{"quantity":1}]})"),
            "at '/lines/0/product/code': records[0].value.lines.value.item: is required, and "
            "nothing is there");
  EXPECT_EQ(error(R"({"state":"confirmed","number":"1","lines":[
              {"product":{"code":"A"},"quantity":"many"}]})"),
            "at '/lines/0/quantity': records[0].value.lines.value.quantity: \"many\" is not a "
            "decimal number");
  EXPECT_EQ(error(R"({"state":"confirmed","number":"1","lines":[
              {"product":{"code":"A"},"quantity":1,"unit":"box"}]})"),
            "at '/lines/0/unit': records[0].value.lines.value.unit: the table units has no row "
            "'box'");
  EXPECT_THAT(error(R"({"state":"confirmed","lines":[]})"), HasSubstr("records[0].key"));
  EXPECT_THAT(error(R"({"state":"confirmed","number":"1","lines":{"a":1}})"),
              HasSubstr("at '/lines': is of type object, and not the array to go through"));
}

TEST(Mapping, OfEffects) {
  const auto out = mapping(R"({"mapping":"out","version":1,
    "when":{"all":[{"value":"/status","equals":"shipped"},{"not":{"value":"/test","exists":true}}]},
    "effects":[{"type":"delivery","key":{"$format":"delivery/{/shipment}"},"subject":"/order",
                "document":{"number":"/shipment","lines":{"$each":"/lines","value":{"n":"shipped"}}}}]})");
  const auto made = run(
      *out, R"({"status":"shipped","shipment":"S-1","order":"SO-1","lines":[{"shipped":"2"}]})");
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_EQ(made->effects.size(), 1U);
  EXPECT_EQ(made->effects[0].type, "delivery");
  EXPECT_EQ(made->effects[0].key, "delivery/S-1");
  EXPECT_EQ(made->effects[0].subject, "SO-1");
  EXPECT_EQ(json::to_text(made->effects[0].document), R"({"number":"S-1","lines":[{"n":"2"}]})");
  EXPECT_TRUE(run(*out, R"({"status":"shipped","test":1,"shipment":"S"})")->effects.empty());
}

TEST(Mapping, NestedEachAndOuterItems) {
  const auto moves = mapping(R"({"mapping":"m","version":1,"records":[{
    "collection":"c","each":["/orders","lines"],"key":{"$key":["../no",{"$index":0}]},
    "value":{"order":"../no","qty":"q","item":".","all":"../../plant"}}]})");
  const auto made = run(*moves, R"({"plant":"P","orders":[
    {"no":"A","lines":[{"q":1},{"q":2}]},{"no":"B"},{"no":"C/D","lines":[{"q":3}]}]})");
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_EQ(made->records.size(), 3U);
  EXPECT_EQ(made->records[1].key, "A/1");
  EXPECT_EQ(made->records[2].key, "C%2FD/0");
  EXPECT_EQ(json::to_text(made->records[2].value),
            R"({"order":"C/D","qty":3,"item":{"q":3},"all":"P"})");
  EXPECT_THAT(made->unmapped, ElementsAre("/orders/1/no"));
}

TEST(Mapping, TheSameRecordTwiceIsRefusedUnlessItIsTheSame) {
  const auto twice = mapping(R"({"mapping":"m","version":1,"records":[
    {"collection":"c","each":"/l","key":"k","value":{"v":"v"}}]})");
  EXPECT_EQ(run(*twice, R"({"l":[{"k":"a","v":1},{"k":"a","v":1.0}]})")->records.size(), 1U);
  EXPECT_THAT(run(*twice, R"({"l":[{"k":"a","v":1},{"k":"a","v":2}]})").error().message,
              HasSubstr("makes c/a twice, differently"));
}

TEST(MappingRules, PathsAndConstants) {
  const char* document = R"({"a":{"b":[10,20.50]},"x/y":1,"n":null,"s":"t"})";
  EXPECT_EQ(made(R"("/a/b/1")", document), "20.50");
  EXPECT_EQ(made(R"("a/b")", document), "[10,20.50]");
  EXPECT_EQ(made(R"("/x~1y")", document), "1");
  EXPECT_EQ(made(R"("/none")", document), "nothing");
  EXPECT_EQ(made(R"("/n")", document), "nothing") << "null is nothing,";
  EXPECT_EQ(made(R"({"$path":"/n","keep_null":true})", document), "null")
      << "unless it is asked for";
  EXPECT_EQ(made("null", document), "null");
  EXPECT_EQ(made("[1,true,\"s\",\"none\"]", document), R"([1,true,"t"])");
  EXPECT_EQ(made(R"({"$const":{"$a":["/x"]}})", document), R"({"$a":["/x"]})");
  EXPECT_EQ(made(R"({"$path":"none","default":{"$path":"s"}})", document), "\"t\"");
  EXPECT_EQ(made(R"({"$path":"none","required":true})", document),
            "at '/none': records[0].value.v: is required, and nothing is there");
  EXPECT_EQ(made(R"({"$path":"s","when":{"value":"s","equals":"u"}})", document), "nothing");
  EXPECT_EQ(made(R"({"$first":["none","n","s"]})", document), "\"t\"");
  EXPECT_EQ(made(R"({"$context":"id"})", document), "\"sale.sale,17\"");
}

TEST(MappingRules, Conditions) {
  const auto holds = [](const std::string& condition) {
    return made(R"({"$if":)" + condition + R"(,"then":true,"else":false})",
                R"({"a":"x","n":1.0,"t":"12.5","e":null})");
  };
  EXPECT_EQ(holds(R"({"value":"a","equals":"x"})"), "true");
  EXPECT_EQ(holds(R"({"value":"n","equals":1})"), "true");
  EXPECT_EQ(holds(R"({"value":"n","equals":"1"})"), "false");
  EXPECT_EQ(holds(R"({"value":"a","in":["y","x"]})"), "true");
  EXPECT_EQ(holds(R"({"value":"a","in":[]})"), "false");
  EXPECT_EQ(holds(R"({"value":"e","exists":true})"), "false");
  EXPECT_EQ(holds(R"({"value":"e","exists":false})"), "true");
  EXPECT_EQ(holds(R"({"value":"t","above":12,"below":"12.6"})"), "true");
  EXPECT_EQ(holds(R"({"value":"t","above":12.5})"), "false");
  EXPECT_EQ(holds(R"({"value":"none","above":0})"), "false");
  EXPECT_THAT(holds(R"({"value":"a","above":0})"), HasSubstr("at '/a'"));
  EXPECT_EQ(holds(R"({"any":[{"value":"a","equals":"y"},{"not":{"value":"a","equals":"y"}}]})"),
            "true");
  EXPECT_EQ(holds(R"({"all":[{"value":"a","equals":"x"},{"value":"n","equals":2}]})"), "false");
}

TEST(MappingRules, Numbers) {
  const char* document = R"({"f":0.30000000000000004,"g":"1.234,50-","q":"2.5","u":"LBR",
    "lines":[{"q":1.5,"p":"2.00"},{"q":2,"p":"0.10"}]})";
  EXPECT_EQ(made(R"({"$decimal":"f","scale":6,"round":"half_even"})", document), "\"0.300000\"");
  EXPECT_THAT(made(R"({"$decimal":"f","scale":6})", document),
              HasSubstr("at '/f': records[0].value.v: the number has more than 6 digits"));
  EXPECT_EQ(made(R"({"$decimal":"f","as":"number"})", document), "0.30000000000000004");
  EXPECT_EQ(made(R"({"$decimal":"g","point":",","group":"."})", document), "\"-1234.50\"");
  EXPECT_EQ(made(R"({"$decimal":"g","point":",","group":".","absolute":true})", document),
            "\"1234.50\"");
  EXPECT_EQ(made(R"({"$decimal":"q","negate":true})", document), "\"-2.5\"");
  EXPECT_EQ(made(R"({"$unit":"q","from":"u","to":{"$const":"KGM"},"scale":3,"round":"half_up"})",
                 document),
            "\"1.134\"");
  EXPECT_THAT(made(R"({"$unit":"q","from":{"$const":"kg"},"to":{"$const":"KGM"}})", document),
              HasSubstr("'kg' is no UN/ECE"));
  EXPECT_EQ(
      made(R"({"$sum":{"$each":"lines","value":{"$product":["q","p"]}},"scale":2})", document),
      "\"3.20\"");
  EXPECT_EQ(made(R"({"$sum":["q",{"$decimal":"q","negate":true}]})", document), "\"0.0\"");
}

TEST(MappingRules, Texts) {
  const char* document = R"({"a":"SO-1","b":7,"t":"  Ab ","o":"sale.sale,17","d":"22.11.2026 10:00",
    "x":{"z":1,"y":2.0}})";
  EXPECT_EQ(made(R"({"$format":"{{{a}/{b}}}"})", document), "\"{SO-1/7}\"");
  EXPECT_EQ(made(R"({"$format":"{a}-{none}"})", document), "nothing");
  EXPECT_EQ(made(R"({"$concat":["a","b",{"$const":true}],"separator":"|"})", document),
            "\"SO-1|7|true\"");
  EXPECT_EQ(made(R"({"$text":"t","trim":true,"case":"upper"})", document), "\"AB\"");
  EXPECT_EQ(made(R"({"$text":"b"})", document), "\"7\"");
  EXPECT_THAT(made(R"({"$text":"x"})", document), HasSubstr("at '/x'"));
  EXPECT_EQ(made(R"({"$split":"o","by":",","part":1})", document), "\"17\"");
  EXPECT_EQ(made(R"({"$split":"o","by":",","part":2})", document), "nothing");
  EXPECT_EQ(made(R"({"$date":"d","pattern":"%d.%m.%Y %H:%M","offset":"+01:00"})", document),
            "\"2026-11-22T09:00:00Z\"");
  EXPECT_EQ(made(R"({"$key":["a",{"$const":"x/y"}]})", document), "\"SO-1/x%2Fy\"");
  EXPECT_EQ(made(R"({"$hash":"x"})", document), made(R"({"$hash":{"y":2,"z":1}})", document))
      << "equal values have one hash";
  EXPECT_EQ(made(R"({"$uuid":[{"$const":"order"},"a"]})", document),
            made(R"({"$uuid":[{"$const":"order"},{"$const":"SO-1"}]})", document));
}

TEST(MappingRules, LoopsOverWhatIsNoList) {
  const char* document = R"({"one":{"v":1},"many":[{"v":1},{"v":2}]})";
  EXPECT_EQ(made(R"({"$each":"one","single":true,"value":"v"})", document), "[1]");
  EXPECT_EQ(made(R"({"$each":{"path":"one","single":true},"value":"v"})", document), "[1]");
  EXPECT_EQ(made(R"({"$each":"many","value":"v","where":{"value":"v","above":1}})", document),
            "[2]");
  EXPECT_EQ(made(R"({"$each":"none","value":"v"})", document), "nothing");
  EXPECT_THAT(made(R"({"$each":"one","value":"v"})", document), HasSubstr("at '/one'"));
}

TEST(Mapping, WhatItDoesNotKnowIsRefusedWithThePlace) {
  EXPECT_EQ(bad_rule(R"({"a":{"$pfad":"x"}})").substr(0, 43),
            "records[0].value.a: there is no rule '$pfad");
  EXPECT_EQ(bad_rule(R"({"a":{"$decimal":"x","sclae":2}})"),
            "records[0].value.a: there is no member 'sclae'; known: $decimal, scale, round, as, "
            "negate, absolute, point, group, when, default, required, keep_null");
  EXPECT_EQ(bad_rule(R"({"a":{"$decimal":"x","round":"half_even"}})"),
            "records[0].value.a.round: goes with a scale");
  for (const char* rule : {R"({"a":{"$decimal":"x","scale":19}})",
                           R"({"a":{"$decimal":"x","scale":2,"round":"up!"}})",
                           R"({"a":{"$lookup":"x","table":"none"}})",
                           R"({"a":{"$date":"x","pattern":"%Y"}})",
                           R"({"a":{"$format":"{x"}})",
                           R"({"a":{"$format":"x}"}})",
                           R"({"a":{"$format":"{}"}})",
                           R"({"a":{"$concat":"x"}})",
                           R"({"a":{"$if":{"value":"x"},"then":1}})",
                           R"({"a":{"$if":{"all":[]},"then":1}})",
                           R"({"a":{"$path":"x","$text":"y"}})",
                           R"({"a":"/x~2"})",
                           R"({"a":""})",
                           R"({"a":"/"})",
                           R"({"a":"..//x"})",
                           R"({"a":{"$each":"x"}})",
                           R"({"a":{"$split":"x","by":","}})",
                           R"({"a":{"$context":"host"}})",
                           R"({"a":{"$path":"x","required":1}})",
                           R"({"a":{"$if":{"value":"x","equals":1,"in":[1]},"then":1}})",
                           R"({"a":{"$if":{"value":"x","matches":"y"},"then":1}})"})
    EXPECT_EQ(bad_rule(rule).substr(0, 18), "records[0].value.a") << rule;
  EXPECT_THAT(refusal(R"({"mapping":"m","version":1,"recrods":[]})"),
              HasSubstr("there is no member 'recrods'"));
  for (
      const char* text :
      {"[]", "{}", R"({"mapping":"m","version":1})", R"({"mapping":"m","version":-1,"records":[]})",
       R"({"mapping":"m","version":1,"records":[{"collection":"c","value":1}]})",
       R"({"mapping":"m","version":1,"records":[{"collection":"hub-inbox","key":"k","value":1}]})",
       R"({"mapping":"m","version":1,"records":[{"collection":"_tokens","key":"k","value":1}]})",
       R"({"mapping":"m","version":1,"records":[{"collection":"c","key":"k"}]})",
       R"({"mapping":"m","version":1,"records":[{"collection":"c","key":"k","operation":"remove","value":1}]})",
       R"({"mapping":"m","version":1,"effects":[{"type":"t","key":"k"}]})",
       R"({"mapping":"m","version":1,"records":[],"drop":["x"]})"})
    EXPECT_NE(refusal(text), "accepted") << text;
}

TEST(Mapping, IsBounded) {
  std::string deep = "1";
  for (std::size_t i = 0; i < limits::mapping_depth_max; ++i) deep = "[" + deep + "]";
  EXPECT_THAT(bad_rule(deep), HasSubstr("levels inside one another"));
  std::string wide = "[";
  for (std::size_t i = 0; i < limits::mapping_rules_max; ++i) wide += "1,";
  EXPECT_THAT(bad_rule(wide + "1]"), HasSubstr("at most 4096 rules"));

  // A document that would make too much: of records, of work, of bytes.
  std::string list = R"({"long":")" + std::string(50'000, 'x') + R"(","l":[0)";
  for (int i = 1; i < 1500; ++i) list += "," + std::to_string(i);
  list += "]}";
  const auto refused = [&](const std::string& records) {
    const auto made =
        run(*mapping(R"({"mapping":"m","version":1,"records":[)" + records + "]}"), list);
    return made ? "made" : made.error().message;
  };
  EXPECT_THAT(refused(R"({"collection":"c","each":"/l","key":".","value":1})"),
              HasSubstr("more than 200 records"));
  EXPECT_THAT(refused(R"({"collection":"c","key":{"$const":"k"},
                "value":{"$each":"/l","value":{"$each":"/l","value":"none"}}})"),
              HasSubstr("more steps than allowed"));
  EXPECT_THAT(refused(R"({"collection":"c","key":{"$const":"k"},
                "value":{"$each":"/l","value":"/long"}})"),
              HasSubstr("too large"));
  // Each look into a large object counts by its members.
  std::string members = R"({"o":{"a":1)";
  for (int i = 0; i < 20'000; ++i) members += ",\"m" + std::to_string(i) + "\":1";
  members += R"(},"l":[0)";
  for (int i = 0; i < 2'000; ++i) members += ",0";
  const auto large = mapping(R"({"mapping":"m","version":1,"records":[{"collection":"c",
    "key":{"$const":"k"},"value":{"$each":"/l","value":"/o/none"}}]})");
  EXPECT_THAT(run(*large, members + "]}").error().message, HasSubstr("more steps than allowed"));
  // Nor does a value come out that could not be stored.
  const auto copy = mapping(R"({"mapping":"m","version":1,"records":[{"collection":"c",
    "key":{"$const":"k"},"value":{"v":"."}}]})");
  std::string nested = "1";
  for (std::size_t i = 0; i < json::depth_max; ++i) nested = "[" + nested + "]";
  EXPECT_THAT(run(*copy, nested).error().message, HasSubstr("nested too deeply"));
  EXPECT_THAT(
      run(*copy, '"' + std::string(limits::record_value_bytes_max, 'x') + '"').error().message,
      HasSubstr("too large"));
  // The same work in rules that are not carried out, but looked at for what they read.
  EXPECT_THAT(refused(R"({"collection":"c","key":{"$const":"k"},"value":{"$if":
                {"value":"/none","exists":true},"then":
                {"$each":"/l","value":{"$each":"/l","value":1}},"else":1}})"),
              HasSubstr("more steps than allowed"));
  const auto keys = mapping(R"({"mapping":"m","version":1,"records":[
    {"collection":"c","key":"k","value":1}]})");
  EXPECT_FALSE(run(*keys, R"({"k":")" + std::string(401, 'k') + "\"}"));
  EXPECT_FALSE(run(*keys, R"({"k":"a\nb"})"));
  EXPECT_FALSE(run(*keys, R"({"k":""})"));
  EXPECT_FALSE(run(*keys, R"({"k":[]})"));
}

TEST(MappingCoverage, CountsWhatAnyRuleCouldRead) {
  const auto choice = mapping(R"({"mapping":"m","version":1,"records":[
    {"collection":"c","key":"k","value":{"v":{"$if":{"value":"a","equals":1},"then":"b","else":"c"},
     "w":{"$first":["d","e"]},"x":"whole",
     "y":{"$path":"a","default":"otherwise","when":{"value":"asked","equals":1}}}},
    {"collection":"c","key":"no","when":{"value":"a","equals":2},"value":"f"}],
    "drop":["/g","/h/*/i"]})");
  const auto made =
      run(*choice, R"({"k":"k","a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"no":0,"otherwise":7,"asked":0,
    "whole":{"x":[1,{"y":2}]},"g":{"q":1},"h":[{"i":1,"j/k":2},{"i":3}],"n":null})");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_THAT(made->unmapped, ElementsAre("/h/0/j~1k", "/n"));
}

// --- properties ---

json::Value any_document(int depth) {
  const int kind = *rc::gen::inRange(0, depth == 0 ? 4 : 6);
  if (kind == 0) return json::Value::string(*rc::gen::string<std::string>());
  if (kind == 1) return json::Value::number(std::to_string(*rc::gen::arbitrary<int>()) + ".50");
  if (kind == 2) return json::Value::boolean(*rc::gen::arbitrary<bool>());
  if (kind == 3) return {};
  json::Value value = kind == 4 ? json::Value::array() : json::Value::object();
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
    if (kind == 4)
      value.items().push_back(any_document(depth - 1));
    else
      value.set(*rc::gen::elementOf(std::vector<std::string>{"number", "lines", "state", "q~/"}),
                any_document(depth - 1));
  }
  return value;
}

TEST(MappingProperties, IsPure) {
  const auto rules = mapping(R"({"mapping":"m","version":1,"records":[
    {"collection":"c","key":{"$uuid":[{"$hash":"."}]},"value":{"all":".","n":"number",
     "l":{"$each":{"path":"lines","single":true},"value":["state",{"$index":0}]}}}]})");
  EXPECT_TRUE(rc::check([&rules] {
    const json::Value document = any_document(3);
    const json::Value before = document;
    const auto once = rules->apply(document, context);
    const auto again = rules->apply(before, context);
    RC_ASSERT(once.has_value() == again.has_value());
    RC_ASSERT(json::to_text(document) == json::to_text(before));
    if (!once) return;
    RC_ASSERT(once->unmapped.empty());  // "." reads all
    RC_ASSERT(once->records[0].key == again->records[0].key);
    RC_ASSERT(json::to_text(once->records[0].value) == json::to_text(again->records[0].value));
    // Every digit of the document is there.
    const json::Value* all = once->records[0].value.find("all");
    const bool kept = document.is(json::Type::null)
                          ? all == nullptr
                          : json::to_text(*all) == json::to_text(document);
    RC_ASSERT(kept);
  }));
}

void scalars_of(const json::Value& value, const std::string& at, std::vector<std::string>& out) {
  if (value.is(json::Type::array)) {
    for (std::size_t i = 0; i < value.items().size(); ++i)
      scalars_of(value.items()[i], at + "/" + std::to_string(i), out);
  } else if (value.is(json::Type::object)) {
    for (const auto& [name, member] : value.members())
      scalars_of(member, at + "/" + (name == "q~/" ? "q~0~1" : name), out);
  } else {
    out.push_back(at);
  }
}

TEST(MappingProperties, WhatIsReadAndWhatIsNotIsTheWholeDocument) {
  const auto rules = mapping(R"({"mapping":"m","version":1,"records":[
    {"collection":"c","key":{"$const":"k"},"value":{"n":"number","s":"/lines/0/state"}}]})");
  EXPECT_TRUE(rc::check([&rules] {
    const json::Value document = any_document(3);
    const auto made = rules->apply(document, context);
    RC_ASSERT(made.has_value());
    std::vector<std::string> all;
    scalars_of(document, "", all);
    std::vector<std::string> expected;
    for (const std::string& pointer : all) {
      const auto below = [&pointer](const std::string& read) {
        return pointer == read || pointer.substr(0, read.size() + 1) == read + "/";
      };
      if (!below("/number") && !below("/lines/0/state")) expected.push_back(pointer);
    }
    const bool right = made->unmapped == expected;
    RC_ASSERT(right);
  }));
}

}  // namespace
}  // namespace mainstay::integration
