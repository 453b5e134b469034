#include "runtime/record/declaration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"

namespace mainstay::record {
namespace {

std::string refusal_of(std::string_view json) {
  const auto declaration = parse_declaration(json);
  return declaration ? "accepted" : declaration.error().message;
}

TEST(Declaration, DefaultsAreFilledIn) {
  const Declaration plain = *parse_declaration("{}");
  EXPECT_EQ(plain.kind, Kind::document);
  EXPECT_EQ(to_json(plain),
            R"({"kind":"document","description":"","schema":null,"indexes":[],)"
            R"("limits":{"value_bytes":1048576,"records":0},"retention":{"history_hours":48},)"
            R"("conflict":"last_writer_wins"})");
  EXPECT_EQ(to_json(*parse_declaration(to_json(plain))), to_json(plain));
}

TEST(Declaration, EveryMemberIsRead) {
  const char* text =
      R"({"kind":"ledger","description":"stock","schema":{"type":"object"},)"
      R"("indexes":[{"name":"by-item","pointer":"/item"}],)"
      R"("limits":{"value_bytes":4096,"records":100},"retention":{"history_hours":72},)"
      R"("conflict":"keep_both","ledger":{"dimensions":["item","location"],"scale":3,)"
      R"("never_below":"0.000","except":[{"location":"SUPPLIER"}]}})";
  const Declaration declaration = *parse_declaration(text);
  EXPECT_EQ(to_json(declaration), text);
  EXPECT_EQ(declaration.history_ms, 72u * 3'600'000);
  EXPECT_EQ(declaration.ledger->never_below, (Decimal{0, 3}));
  EXPECT_THAT(declaration.ledger->except,
              testing::ElementsAre(Dimensions{{"location", "SUPPLIER"}}));
}

TEST(Declaration, MistakesAreNamed) {
  EXPECT_EQ(
      refusal_of(R"({"knid":"ledger"})"),
      "the declaration: there is no member 'knid'; known: kind, description, schema, indexes, "
      "limits, retention, conflict, ledger");
  EXPECT_EQ(refusal_of(R"({"kind":"table"})"), "kind: is \"document\" or \"ledger\"");
  EXPECT_EQ(refusal_of(R"({"kind":"ledger"})"),
            "ledger: is missing; a ledger names its dimensions");
  EXPECT_EQ(refusal_of(R"({"limits":{"value_bytes":0}})"),
            "limits.value_bytes: is a whole number from 1 to 1048576");
  EXPECT_EQ(refusal_of(R"({"retention":{"history_hours":1}})"),
            "retention.history_hours: is a whole number from 48 to 175680");
  EXPECT_THAT(refusal_of(R"({"schema":{"type":"int"}})"),
              testing::StartsWith("schema: at '/type': is null, boolean"));
  EXPECT_EQ(refusal_of(R"({"indexes":[{"name":"a","pointer":"item"}]})"),
            "indexes[0].pointer: a JSON pointer is empty or starts with '/'");
  EXPECT_EQ(refusal_of(R"({"indexes":[{"name":"a","pointer":""},{"name":"a","pointer":"/b"}]})"),
            "indexes[1].name: 'a' stands twice");
  const auto ledger = [](const std::string& inside) {
    return refusal_of(R"({"kind":"ledger","ledger":{)" + inside + "}}");
  };
  EXPECT_EQ(ledger(R"("dimensions":["item"],"scale":1)"), "accepted");
  EXPECT_EQ(ledger(R"("dimensions":[])"), "ledger.dimensions: is an array of 1 to 8 names");
  EXPECT_EQ(ledger(R"("dimensions":["from"])"),
            "ledger.dimensions: 'from' is a member of every entry");
  EXPECT_EQ(ledger(R"("dimensions":["a","a"])"), "ledger.dimensions: 'a' stands twice");
  EXPECT_EQ(ledger(R"("dimensions":["a"],"scale":19)"),
            "ledger.scale: is a whole number from 0 to 18");
  EXPECT_EQ(ledger(R"("dimensions":["a"],"never_below":"0.5")"),
            "ledger.never_below: 0.5 has more than 0 digits behind the point");
  EXPECT_EQ(ledger(R"("dimensions":["a"],"except":[{"b":"x"}])"),
            "ledger.except: 'b' is not a dimension");
}

TEST(Declaration, SomeThingsStayAsTheyAre) {
  const auto change = [](const char* from, const char* to) {
    const auto good = check_change(*parse_declaration(from), *parse_declaration(to));
    return good ? "good" : good.error().message;
  };
  const char* stock = R"({"kind":"ledger","ledger":{"dimensions":["item"],"scale":1}})";
  EXPECT_EQ(change("{}", R"({"schema":{},"description":"x"})"), "good");
  EXPECT_EQ(change("{}", stock), "the kind cannot change while the collection has records");
  EXPECT_EQ(change(stock, R"({"kind":"ledger","ledger":{"dimensions":["item","lot"],"scale":1}})"),
            "dimensions cannot change while the collection has records");
  EXPECT_EQ(change(stock, R"({"kind":"ledger","ledger":{"dimensions":["item"],"scale":2}})"),
            "the scale cannot change while the collection has records");
  EXPECT_EQ(
      change(stock,
             R"({"kind":"ledger","ledger":{"dimensions":["item"],"scale":1,"never_below":0}})"),
      "good");
}

TEST(Declaration, SystemCollectionsHaveTheirOwn) {
  for (const char* name : {"_collections", "_tokens", "_audit"})
    EXPECT_NE(system_declaration(name), nullptr) << name;
  EXPECT_EQ(system_declaration("orders"), nullptr);
  EXPECT_EQ(system_declaration("_other"), nullptr);
}

}  // namespace
}  // namespace mainstay::record
