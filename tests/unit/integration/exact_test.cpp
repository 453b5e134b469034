// Numbers and units. What they come to is compared with exact arithmetic of another make.
#include "runtime/integration/exact.hpp"

#include <boost/multiprecision/cpp_dec_float.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "runtime/base/decimal.hpp"
#include "runtime/base/json.hpp"
#include "runtime/integration/units.hpp"

namespace mainstay::integration {
namespace {

std::string decimal(std::string_view text, std::optional<unsigned> scale = std::nullopt,
                    Rounding rounding = Rounding::none) {
  const auto made = decimal_text(text, {scale, rounding});
  return made ? *made : "refused";
}

std::string converted(std::string_view number, const char* from, const char* to,
                      std::optional<unsigned> scale = std::nullopt,
                      Rounding rounding = Rounding::none) {
  const auto made = convert(number, *find_unit(from), *find_unit(to), {scale, rounding});
  return made ? *made : "refused: " + made.error().message;
}

TEST(Exact, DigitsAreKept) {
  EXPECT_EQ(decimal("1.50"), "1.50");
  EXPECT_EQ(decimal("-0.0"), "0.0");
  EXPECT_EQ(decimal("1e3"), "1000");
  EXPECT_EQ(decimal("1.5e-3"), "0.0015");
  EXPECT_EQ(decimal("12345678901234567890123456789012345678"),
            "12345678901234567890123456789012345678");
  EXPECT_EQ(decimal("5", 3), "5.000");
  EXPECT_EQ(decimal("5.1000", 2), "5.10") << "zeros are not digits that are lost";
  EXPECT_EQ(decimal("5.101", 2), "refused");
  EXPECT_EQ(decimal("123456789012345678901234567890123456789"), "refused");
  EXPECT_EQ(decimal("1e1000000000"), "refused");
  EXPECT_EQ(decimal("1e-1000000000"), "refused");
}

TEST(Exact, RoundingHasANameOrDoesNotHappen) {
  struct Case {
    const char *text, *even, *half, *down, *up;
  };
  for (const Case& c : {Case{"2.5", "2", "3", "2", "3"}, Case{"3.5", "4", "4", "3", "4"},
                        Case{"-2.5", "-2", "-3", "-2", "-3"}, Case{"2.51", "3", "3", "2", "3"},
                        Case{"-2.01", "-2", "-2", "-2", "-3"}, Case{"0.4", "0", "0", "0", "1"}}) {
    EXPECT_EQ(decimal(c.text, 0, Rounding::half_even), c.even) << c.text;
    EXPECT_EQ(decimal(c.text, 0, Rounding::half_up), c.half) << c.text;
    EXPECT_EQ(decimal(c.text, 0, Rounding::down), c.down) << c.text;
    EXPECT_EQ(decimal(c.text, 0, Rounding::up), c.up) << c.text;
  }
  // What binary floating point makes of 0.3 and of 12.1, as JSON writers print it.
  EXPECT_EQ(decimal("0.30000000000000004", 6, Rounding::half_even), "0.300000");
  EXPECT_EQ(decimal("12.0999999999999996447286321199499070644378662109375", 3, Rounding::half_even),
            "12.100");
  EXPECT_EQ(decimal("-0.0004", 2, Rounding::half_even), "0.00") << "no minus before a zero";
}

TEST(Exact, NumbersAsSourcesWriteThem) {
  EXPECT_EQ(plain_number(" 00012.50 "), "12.50");
  EXPECT_EQ(plain_number("12.50-"), "-12.50");
  EXPECT_EQ(plain_number("+5"), "5");
  EXPECT_EQ(plain_number(".5"), "0.5");
  EXPECT_EQ(plain_number("5."), "5");
  EXPECT_EQ(plain_number("1.234.567,89", {',', '.'}), "1234567.89");
  EXPECT_EQ(plain_number("1.23.567,89", {',', '.'}), std::nullopt);
  for (const char* text : {"", "-", ".", "1,5", "0x10", "NaN", "1 2", "--1", "1-2", "1e", "é"})
    EXPECT_EQ(plain_number(text), std::nullopt) << text;
}

TEST(Exact, SumsAndProducts) {
  EXPECT_EQ(sum_of({"0.1", "0.2", "-0.30"}, {}).value(), "0.00");
  EXPECT_EQ(sum_of({}, {}).value(), "0");
  EXPECT_EQ(product_of({"2.50", "4"}, {}).value(), "10");
  EXPECT_EQ(product_of({"0.333", "3"}, {2, Rounding::half_up}).value(), "1.00");
  EXPECT_FALSE(product_of({"0.333", "3"}, {2, Rounding::none}));
}

TEST(Units, AreConvertedExactly) {
  EXPECT_EQ(converted("2", "KGM", "GRM"), "2000");
  EXPECT_EQ(converted("1", "LBR", "KGM"), "0.45359237");
  EXPECT_EQ(converted("3", "DZN", "C62"), "36");
  EXPECT_EQ(converted("1.50", "EA", "EA"), "1.50");
  EXPECT_EQ(converted("90", "MIN", "HUR"), "1.5");
  EXPECT_EQ(converted("36", "KMH", "MTS"), "10");
  EXPECT_EQ(converted("100", "CEL", "KEL"), "373.15");
  EXPECT_EQ(converted("212", "FAH", "CEL"), "100");
  EXPECT_EQ(converted("-40", "CEL", "FAH"), "-40");
  EXPECT_EQ(converted("1", "KGM", "LBR").substr(0, 8), "refused:") << "2.2046… never ends";
  EXPECT_EQ(converted("1", "KGM", "LBR", 6, Rounding::half_even), "2.204623");
  EXPECT_EQ(converted("1", "KGM", "MTR"), "refused: KGM measures mass and MTR length");
  EXPECT_EQ(find_unit("kg"), nullptr);
}

TEST(Units, TheTableIsSound) {
  for (const Unit& unit : units()) {
    EXPECT_EQ(find_unit(unit.code), &unit) << unit.code << " stands twice";
    for (const std::string_view number : {unit.above, unit.below, unit.offset})
      EXPECT_TRUE(json::is_number(number)) << unit.code;
    EXPECT_EQ(convert("7", unit, unit, {}).value(), "7");
  }
}

std::string any_number() {
  std::string text = *rc::gen::arbitrary<bool>() ? "-" : "";
  text += std::to_string(*rc::gen::inRange<std::int64_t>(0, 1'000'000'000));
  for (int digits = *rc::gen::inRange(0, 7); digits > 0; --digits) {
    if (text.find('.') == std::string::npos) text += '.';
    text += static_cast<char>('0' + *rc::gen::inRange(0, 10));
  }
  return text;
}

// Of one kind.
std::pair<Unit, Unit> two_units() {
  const Unit from = *rc::gen::elementOf(units());
  std::vector<Unit> others;
  for (const Unit& unit : units())
    if (unit.measures == from.measures) others.push_back(unit);
  return {from, *rc::gen::elementOf(others)};
}

TEST(ExactProperties, NothingIsLost) {
  EXPECT_TRUE(rc::check([] {
    const std::string number = any_number();
    RC_ASSERT(json::number_of(decimal(number)) == json::number_of(number));
    RC_ASSERT(json::number_of(decimal(number, 12)) == json::number_of(number));
  }));
}

TEST(ExactProperties, SumsAreThoseOfDecimals) {
  EXPECT_TRUE(rc::check([] {
    std::vector<std::string> numbers;
    Decimal sum;
    for (int count = *rc::gen::inRange(0, 20); count > 0; --count) {
      numbers.push_back(any_number());
      sum = sum.plus(Decimal::parse(numbers.back()).value()).value();
    }
    RC_ASSERT(Decimal::parse(sum_of(numbers, {}).value()).value() == sum);
  }));
}

TEST(ExactProperties, ConversionsRoundTrip) {
  EXPECT_TRUE(rc::check([] {
    const auto [from, to] = two_units();
    const std::string number = any_number();
    const auto there = convert(number, from, to, {});
    if (!there) return;  // the result has no end
    const auto back = convert(*there, to, from, {});
    RC_ASSERT(json::number_of(back.value()) == json::number_of(number));
  }));
}

TEST(ExactProperties, RoundedConversionsAreTheNearest) {
  EXPECT_TRUE(rc::check([] {
    using Wide = boost::multiprecision::cpp_dec_float_100;
    const auto [from, to] = two_units();
    const std::string number = any_number();
    const auto made = convert(number, from, to, {6, Rounding::half_even});
    if (!made) return;  // more than 38 digits
    const auto wide = [](std::string_view text) { return Wide{std::string{text}}; };
    const Wide real = (wide(number) + wide(from.offset)) * wide(from.above) / wide(from.below) *
                          wide(to.below) / wide(to.above) -
                      wide(to.offset);
    RC_ASSERT(abs(real - wide(*made)) <= wide("0.0000005") + wide("1e-60"));
  }));
}

}  // namespace
}  // namespace mainstay::integration
