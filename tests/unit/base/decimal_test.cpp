#include "runtime/base/decimal.hpp"

#include <boost/multiprecision/cpp_int.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace mainstay {
namespace {

using Wide = boost::multiprecision::cpp_int;

std::string text(std::string_view number) {
  const auto decimal = Decimal::parse(number);
  return decimal ? decimal->to_string() : "refused";
}

TEST(Decimal, ReadsAndWrites) {
  const char* same[] = {"0",
                        "-1",
                        "12.500",
                        "0.001",
                        "-0.5",
                        "99999999999999999999999999999999999999",
                        "0.000000000000000001"};
  for (const char* number : same) EXPECT_EQ(text(number), number);
  EXPECT_EQ(text("1e3"), "1000");
  EXPECT_EQ(text("1.5e1"), "15");
  EXPECT_EQ(text("1.50E1"), "15.0");
  EXPECT_EQ(text("25e-3"), "0.025");
  EXPECT_EQ(text("-0"), "0");
  EXPECT_EQ(text("0e99"), "0");
  EXPECT_EQ(text("1e37"), "1" + std::string(37, '0'));
}

TEST(Decimal, RefusesWhatItCannotHold) {
  for (const char* number : {"", "-", "+1", " 1", "1 ", "01", "1.", ".5", "1e", "0x1", "1,5", "NaN",
                             "1e38", "1e999999999", "999999999999999999999999999999999999999",
                             "0.0000000000000000001", "1e-19", "12a"})
    EXPECT_EQ(text(number), "refused") << number;
}

TEST(Decimal, RescalesWithoutLosingAnything) {
  const Decimal number = *Decimal::parse("1.50");
  EXPECT_EQ(number.rescaled(1)->to_string(), "1.5");
  EXPECT_EQ(number.rescaled(4)->to_string(), "1.5000");
  EXPECT_FALSE(number.rescaled(0));
  EXPECT_FALSE(number.rescaled(19));
  EXPECT_FALSE(Decimal::parse("1e37")->rescaled(2));
  EXPECT_EQ(number, *Decimal::parse("1.5"));
}

struct Sample {
  Wide units;
  unsigned scale = 0;
  Decimal decimal;
};

Sample sample() {
  const auto digits = *rc::gen::inRange<std::size_t>(1, 39);
  std::string units;
  for (std::size_t i = 0; i < digits; ++i) units += static_cast<char>(*rc::gen::inRange('0', ':'));
  Sample made;
  made.units = 0;
  for (const char c : units) made.units = made.units * 10 + (c - '0');
  Decimal::Units own = 0;
  for (const char c : units) own = own * 10 + (c - '0');
  if (*rc::gen::arbitrary<bool>()) {
    made.units = -made.units;
    own = -own;
  }
  made.scale = *rc::gen::inRange(0u, Decimal::scale_max + 1);
  made.decimal = {own, made.scale};
  return made;
}

Wide ten_to(unsigned exponent) {
  return boost::multiprecision::pow(Wide{10}, exponent);
}
const Wide room = ten_to(Decimal::digits_max);

Wide wide(const Decimal& decimal) {
  const bool negative = decimal.units() < 0;
  auto rest = static_cast<unsigned __int128>(negative ? -decimal.units() : decimal.units());
  Wide result = static_cast<std::uint64_t>(rest >> 64);
  result = (result << 64) + static_cast<std::uint64_t>(rest);
  return negative ? -result : result;
}

TEST(Decimal, ComputesAsWideIntegersDo) {
  EXPECT_TRUE(rc::check("sums, products, order and text", [] {
    const Sample a = sample();
    const Sample b = sample();
    const unsigned scale = std::max(a.scale, b.scale);
    const Wide left = a.units * ten_to(scale - a.scale);
    const Wide right = b.units * ten_to(scale - b.scale);
    RC_ASSERT((a.decimal < b.decimal) == (left < right));
    RC_ASSERT((a.decimal == b.decimal) == (left == right));
    const Wide sum = left + right;
    const auto plus = a.decimal.plus(b.decimal);
    const bool fits = abs(left) < room && abs(right) < room && abs(sum) < room;
    RC_ASSERT(plus.has_value() == fits);
    if (plus) RC_ASSERT(wide(*plus) == sum);
    if (plus) RC_ASSERT(plus->scale() == scale);
    const auto times = a.decimal.times(b.decimal);
    if (times) {
      const Wide product = a.units * b.units;
      RC_ASSERT(wide(*times) * ten_to(a.scale + b.scale - times->scale()) == product);
    }
    const auto again = Decimal::parse(a.decimal.to_string());
    RC_ASSERT(again.has_value());
    RC_ASSERT(wide(*again) == a.units);
    RC_ASSERT(again->scale() == a.scale);
  }));
}

}  // namespace
}  // namespace mainstay
