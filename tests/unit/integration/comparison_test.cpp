#include "runtime/integration/comparison.hpp"

#include <gmock/gmock.h>

#include "runtime/base/limits.hpp"

namespace mainstay::integration {
namespace {

json::Value parsed(std::string_view text) {
  return json::parse(text).value();
}

std::vector<std::string> pointers(const std::vector<FieldDifference>& differences) {
  std::vector<std::string> all;
  all.reserve(differences.size());
  for (const FieldDifference& difference : differences) all.push_back(difference.pointer);
  return all;
}

TEST(Comparison, NumbersAreEqualBySizeAndTextsByLetter) {
  EXPECT_TRUE(same_value(parsed("1.50"), parsed("1.5")));
  EXPECT_TRUE(same_value(parsed("\"1.50\""), parsed("1.5")));
  EXPECT_TRUE(same_value(parsed("12345678901234567890.10"), parsed("\"12345678901234567890.1\"")));
  EXPECT_FALSE(same_value(parsed("12345678901234567890.1"), parsed("12345678901234567890.2")));
  EXPECT_FALSE(same_value(parsed("\"1.50\""), parsed("\"1.5\"")));
  EXPECT_FALSE(same_value(parsed("\"x\""), parsed("1")));
  EXPECT_FALSE(same_value(parsed("null"), parsed("0")));
  EXPECT_TRUE(same_value(parsed(R"({"a":1,"b":[2]})"), parsed(R"({"b":[2.0],"a":1})")));
}

TEST(Comparison, WithoutFieldsEverythingThatTheCounterpartSaysCounts) {
  const auto here = parsed(R"({"a":1,"b":{"c":"x","d/e":2},"mine":7})");
  EXPECT_TRUE(differences(here, parsed(R"({"a":1,"b":{"c":"x"}})"), {}).empty());
  const auto found = differences(here, parsed(R"({"a":2,"b":{"d/e":3},"new":[1]})"), {});
  EXPECT_THAT(pointers(found), testing::ElementsAre("/a", "/b/d~1e", "/new"));
  EXPECT_EQ(found[0].here, parsed("1"));
  EXPECT_EQ(found[0].there, parsed("2"));
  EXPECT_EQ(found[2].here, json::Value{});
}

TEST(Comparison, DeclaredFieldsAloneCountAndMissingOnesDiffer) {
  const auto here = parsed(R"({"a":1,"b":2})"), there = parsed(R"({"a":9,"b":2})");
  EXPECT_TRUE(differences(here, there, {"/b"}).empty());
  EXPECT_THAT(pointers(differences(here, there, {"/b", "/a"})), testing::ElementsAre("/a"));
  EXPECT_THAT(pointers(differences(here, parsed("{}"), {"/b"})), testing::ElementsAre("/b"));
}

TEST(Comparison, WhatIsToldOfADifferenceIsBounded) {
  const std::string big(5000, 'x');
  json::Value here = json::Value::object(), there = json::Value::object();
  for (int i = 0; i < 50; ++i) {
    here.set("f" + std::to_string(i), json::Value::string(big));
    there.set("f" + std::to_string(i), json::Value::number("1"));
  }
  const auto found = differences(here, there, {});
  EXPECT_EQ(found.size(), limits::discrepancy_fields_max);
  EXPECT_LT(found[0].here.text().size(), 600U);
}

TEST(Comparison, WhereSelectsByValues) {
  const auto value = parsed(R"({"site":"R1","n":5,"live":true,"o":{}})");
  EXPECT_TRUE(takes_part(value, {}));
  EXPECT_TRUE(takes_part(value, {{"/site", "R1"}, {"/n", "5.0"}, {"/live", "true"}}));
  EXPECT_FALSE(takes_part(value, {{"/site", "R2"}}));
  EXPECT_FALSE(takes_part(value, {{"/none", ""}}));
  EXPECT_FALSE(takes_part(value, {{"/o", "{}"}}));
}

TEST(Comparison, AccuracyIsOneOnlyWhenAllAreEqual) {
  EXPECT_EQ(accuracy_text(0, 0), "1");
  EXPECT_EQ(accuracy_text(10, 10), "1");
  EXPECT_EQ(accuracy_text(9997, 10'000), "0.9997");
  EXPECT_EQ(accuracy_text(99'999'999, 100'000'000), "0.999999");
  EXPECT_EQ(accuracy_text(1, 2), "0.5");
  EXPECT_EQ(accuracy_text(0, 7), "0.0");
}

TEST(Comparison, RowsComeBackAsTheyWere) {
  DiscrepancyRow row{"wms",
                     "orders",
                     {DifferenceKind::differs, "A/1", "id-7", {{"/a", parsed("1"), parsed("[2]")}}},
                     "2026-01-01T00:00:00.000Z",
                     "2026-01-02T00:00:00.000Z",
                     "open",
                     "ann",
                     "2026-01-03T00:00:00.000Z",
                     "written off"};
  const auto back = discrepancy_row(to_value(row));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->difference, row.difference);
  EXPECT_EQ(back->first, row.first);
  EXPECT_EQ(back->explained_by + back->explained_at + back->explanation,
            row.explained_by + row.explained_at + row.explanation);
  EXPECT_EQ(to_value(row).find("open")->text(), "wms");
  row.state = "resolved";
  EXPECT_EQ(to_value(row).find("open"), nullptr);
  EXPECT_EQ(discrepancy_key("wms", "orders", "A/1"), "wms/orders/A%2F1");
  EXPECT_FALSE(discrepancy_row(parsed("[]")));
  EXPECT_FALSE(reconciliation_row(parsed("{}")));

  ReconciliationRow totals;
  totals.adapter = "wms", totals.name = "orders", totals.equal = 9, totals.compared = 10;
  totals.passed = true, totals.accuracy = "0.9", totals.every = "60000";
  const auto read = reconciliation_row(to_value(totals));
  ASSERT_TRUE(read);
  EXPECT_EQ(json::to_text(to_value(*read)), json::to_text(to_value(totals)));
}

}  // namespace
}  // namespace mainstay::integration
