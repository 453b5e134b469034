#include "runtime/record/ledger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mainstay::record {
namespace {

LedgerDeclaration stock() {
  return *parse_declaration(R"({"kind":"ledger","ledger":{"dimensions":["item","lot","location"],
    "scale":3,"never_below":"0","except":[{"location":"SUPPLIER"},{"item":"FREE","lot":"-"}]}})")
              ->ledger;
}

// The entry as it is stored, or what is wrong with it.
std::string stored(std::string_view json) {
  const auto entry = parse_entry(stock(), "e1", json);
  return entry ? to_json(*entry) : entry.error().message;
}

TEST(Ledger, EntriesAreStoredInOneForm) {
  const char* form =
      R"({"from":{"location":"R1"},"item":"A","lot":"L1","quantity":"5.000","to":{"location":"R2"}})";
  EXPECT_EQ(stored(form), form);
  EXPECT_EQ(stored(R"({"quantity":5,"item":"A","from":{"lot":"L1","location":"R1"},
                       "to":{"location":"R2","lot":"L1"}})"),
            form);
  EXPECT_EQ(stored(R"({"quantity":"5.0","item":"A","lot":"L1","from":{"location":"R1"},
                       "to":{"location":"R2"},"reverses":"e0","data":{"b":1.0,"a":[]}})"),
            R"({"data":{"a":[],"b":1},"from":{"location":"R1"},"item":"A","lot":"L1",)"
            R"("quantity":"5.000","reverses":"e0","to":{"location":"R2"}})");
}

TEST(Ledger, MistakesAreNamed) {
  const auto entry = [](const std::string& rest) {
    return stored(R"({"item":"A","lot":"L","from":{"location":"R1"},"to":{"location":"R2"})" +
                  rest + "}");
  };
  EXPECT_EQ(entry(""), "quantity: is missing");
  EXPECT_EQ(entry(R"(,"quantity":"0")"), "quantity: is greater than 0");
  EXPECT_EQ(entry(R"(,"quantity":-1)"), "quantity: is greater than 0");
  EXPECT_EQ(entry(R"(,"quantity":"1.0005")"),
            "quantity: 1.0005 has more than 3 digits behind the point");
  EXPECT_EQ(entry(R"(,"quantity":"many")"), "quantity: 'many' is not a decimal number");
  EXPECT_EQ(entry(R"(,"quantity":1,"colour":"x")"),
            "colour: is neither a member of an entry nor a dimension of the ledger");
  EXPECT_EQ(entry(R"(,"quantity":1,"location":"R3")"),
            "location: stands at the top and in 'from'; say it once");
  EXPECT_EQ(entry(R"(,"quantity":1,"reverses":"e1")"),
            "reverses: an entry does not reverse itself");
  EXPECT_EQ(stored(R"({"quantity":1,"item":"A","lot":"L","from":{"location":"R1"},"to":{}})"),
            "to.location: is missing");
  EXPECT_EQ(stored(R"({"quantity":1,"item":"A","lot":"L","location":"R1"})"),
            "from and to are the same; an entry has two ends");
  EXPECT_EQ(
      stored(
          R"({"quantity":1,"item":"","lot":"L","from":{"location":"R1"},"to":{"location":"R2"}})"),
      "from: item: is empty");
  EXPECT_EQ(stored("[]"), "an entry is a JSON object");
}

TEST(Ledger, PositionsAreBytesAndBack) {
  const Dimensions dimensions{{"item", "A"}, {"lot", "L1"}, {"location", "R1"}};
  const std::string position = position_of(stock(), dimensions).value();
  EXPECT_EQ(position, std::string("A\0L1\0R1\0", 8));
  EXPECT_EQ(dimensions_of(stock(), position), dimensions);
  EXPECT_FALSE(position_of(stock(), {{"item", "A"}}));
  EXPECT_FALSE(position_of(stock(), {{"lot", "A"}, {"item", "L1"}, {"location", "R1"}}));
  EXPECT_FALSE(
      position_of(stock(), {{"item", std::string(400, 'x')}, {"lot", "L1"}, {"location", "R1"}}));
}

TEST(Ledger, ExceptionsNeedAllOfTheirValues) {
  const auto guarded = [](const char* item, const char* lot, const char* location) {
    return is_guarded(stock(), {{"item", item}, {"lot", lot}, {"location", location}});
  };
  EXPECT_TRUE(guarded("A", "L", "R1"));
  EXPECT_FALSE(guarded("A", "L", "SUPPLIER"));
  EXPECT_TRUE(guarded("FREE", "L", "R1"));
  EXPECT_FALSE(guarded("FREE", "-", "R1"));
  LedgerDeclaration open = stock();
  open.never_below.reset();
  EXPECT_FALSE(is_guarded(open, {{"item", "A"}, {"lot", "L"}, {"location", "R1"}}));
}

}  // namespace
}  // namespace mainstay::record
