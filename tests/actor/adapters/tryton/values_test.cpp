#include "actors/adapters/tryton/values.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mainstay::adapters::tryton {
namespace {

std::string decoded(std::string_view text) {
  return json::to_text(decode(*json::parse(text)));
}

TEST(TrytonValues, MoneyKeepsItsDigits) {
  EXPECT_EQ(decoded(R"({"a":{"__class__":"Decimal","decimal":"690.00"}})"), R"({"a":690.00})");
  EXPECT_EQ(decoded(R"([{"__class__":"Decimal","decimal":"-0.0000000000000000001"}])"),
            "[-0.0000000000000000001]");
  EXPECT_EQ(decoded(R"({"__class__":"Decimal","decimal":"NaN"})"), R"("NaN")");
}

TEST(TrytonValues, TimesAreTextsThatSort) {
  EXPECT_EQ(
      decoded(
          R"({"__class__":"datetime","year":2026,"month":3,"day":9,"hour":6,"minute":7,"second":8,"microsecond":90})"),
      R"("2026-03-09T06:07:08.000090Z")");
  EXPECT_EQ(decoded(R"({"__class__":"date","year":2026,"month":12,"day":31})"), R"("2026-12-31")");
  EXPECT_EQ(decoded(R"({"__class__":"timedelta","seconds":540.5})"), "540.5");
  EXPECT_EQ(decoded(R"({"__class__":"bytes","base64":"aGFs\nbG8=\n"})"), R"("aGFsbG8=")");
}

TEST(TrytonValues, ADottedReadIsAnObject) {
  EXPECT_EQ(decoded(R"({"party":3,"party.":{"id":3,"code":"7"},"lot.":null})"),
            R"({"party":{"id":3,"code":"7"},"lot":null})");
  EXPECT_EQ(decoded(R"({"party":3,"party.":{"rec_name":"N"}})"),
            R"({"party":{"rec_name":"N","id":3}})");
}

TEST(TrytonValues, AMomentComesBackAsItWent) {
  const std::string time = "2024-02-29T23:59:59.000042Z";
  EXPECT_EQ(decode(moment(time)).text(), time);
  EXPECT_EQ(decode(date("2024-02-29")).text(), "2024-02-29");
  EXPECT_EQ(json::to_text(decode(money(*Decimal::parse("5.60")))), "5.60");
}

TEST(TrytonValues, EarlierCrossesMidnightAndYears) {
  EXPECT_EQ(earlier("2026-01-01T00:00:10.500000Z", Millis{60'000}), "2025-12-31T23:59:10.500000Z");
  EXPECT_EQ(earlier("2024-03-01T00:00:00.000000Z", Millis{1}), "2024-02-29T23:59:59.999000Z");
}

TEST(TrytonValues, QuantitiesGetTheDigitsOfTheirUnit) {
  json::Value row = decode(*json::parse(
      R"({"quantity":0.30000000000000004,"uom.":{"digits":2},"internal_quantity":7.000000001,
          "product.":{"default_uom.":{"digits":0}},"lines":[{"quantity":1e-7,"unit.":{"digits":3}}]})"));
  ASSERT_TRUE(round_quantities(row));
  EXPECT_EQ(text_at(row, "/quantity"), "0.30");
  EXPECT_EQ(text_at(row, "/internal_quantity"), "7");
  EXPECT_EQ(text_at(row, "/lines/0/quantity"), "0.000");
}

TEST(TrytonValues, AReferenceIsAnIdHoweverItWasRead) {
  const json::Value row =
      decode(*json::parse(R"({"party.":{"id":3},"unit":4,"lines":[1,2],"lot":null})"));
  EXPECT_EQ(id_at(row, "party"), 3);
  EXPECT_EQ(id_at(row, "unit"), 4);
  EXPECT_EQ(id_at(row, "lot"), 0);
  EXPECT_THAT(ids_at(row, "lines"), testing::ElementsAre(1, 2));
}

}  // namespace
}  // namespace mainstay::adapters::tryton
