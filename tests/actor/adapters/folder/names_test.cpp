#include "actors/adapters/folder/names.hpp"

#include <set>

#include <gtest/gtest.h>

namespace mainstay::adapters {
namespace {

TEST(Names, PatternsMatch) {
  EXPECT_TRUE(matches("orders_*.csv", "orders_1.csv"));
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("a*b*c", "a-b-b-c"));
  EXPECT_TRUE(matches("a?c", "abc"));
  EXPECT_FALSE(matches("a?c", "ac"));
  EXPECT_FALSE(matches("orders_*.csv", "orders_1.csv.tmp"));
}

TEST(Names, OfArchivedFilesGoBothWays) {
  const std::string hash = content_hash("x");
  for (const std::string name : {"orders.csv", "orders", "a.b.c", ".hidden"}) {
    EXPECT_EQ(name_of_archived(archive_name(name, hash)), name);
    EXPECT_NE(archive_name(name, hash), name);
  }
  EXPECT_EQ(name_of_archived("orders.csv"), std::nullopt);
}

TEST(Names, PartsAreDifferentForDifferentTexts) {
  std::set<std::string> parts;
  const std::string stem(200, 'x');
  for (const std::string text : {"a/b", "a_b", "a%5Fb", "a b", "..", ".", "A/B", stem.c_str()})
    parts.insert(file_name_part(text));
  parts.insert(file_name_part(stem + "1"));
  EXPECT_EQ(parts.size(), 9u);
  EXPECT_EQ(file_name_part("shipment/S-17/2"), "shipment_S-17_2");
  EXPECT_EQ(file_name_part("../x"), "%2E._x");
  for (const std::string& part : parts) {
    EXPECT_LE(part.size(), 120u);
    EXPECT_EQ(part.find('/'), std::string::npos);
  }
}

TEST(Names, TemplatesAreCheckedAndFilled) {
  EXPECT_TRUE(check_template("{type}-{key}.json"));
  EXPECT_TRUE(check_template("{key}_{/number}.json"));
  for (const char* wrong :
       {"", "x.json", "{number}{key}", "a/{key}", "{key}/a", "{key", "{key}.tmp", ".{key}"})
    EXPECT_FALSE(check_template(wrong)) << wrong;
  integration::Effect effect{"ship/1", "shipment", "S", json::parse(R"({"number":7})").value()};
  EXPECT_EQ(fill_template("{type}.{key}.{/number}.json", effect).value(), "shipment.ship_1.7.json");
  EXPECT_FALSE(fill_template("{key}{/missing}", effect));
}

}  // namespace
}  // namespace mainstay::adapters
