#include "runtime/record/index_key.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace mainstay::record {
namespace {

using json::Value;

std::string key_of(std::string_view json) {
  return index_key(*json::parse(json)).value();
}

TEST(IndexKey, OrdersKindsThenValues) {
  const char* sorted[] = {"null",
                          "false",
                          "true",
                          "-1e30",
                          "-100",
                          "-99.5",
                          "-1.51",
                          "-1.5",
                          "-1",
                          "-0.01",
                          "-1e-30",
                          "0",
                          "1e-30",
                          "0.01",
                          "0.1",
                          "1",
                          "1.5",
                          "1.51",
                          "2",
                          "9",
                          "10",
                          "99.5",
                          "100",
                          "1e30",
                          "\"\"",
                          R"("\u0000")",
                          R"("\u0001")",
                          "\"!\"",
                          "\"A\"",
                          "\"AA\"",
                          "\"B\"",
                          "\"a\"",
                          "\"\xc3\xa4\"",
                          "\"\xf0\x9f\x98\x80\""};
  for (std::size_t i = 1; i < std::size(sorted); ++i) {
    EXPECT_LT(key_of(sorted[i - 1]), key_of(sorted[i])) << sorted[i - 1] << " " << sorted[i];
    EXPECT_LT(after_index_key(key_of(sorted[i - 1])), after_index_key(key_of(sorted[i])));
  }
}

TEST(IndexKey, EqualNumbersHaveOneKey) {
  EXPECT_EQ(key_of("1"), key_of("1.000"));
  EXPECT_EQ(key_of("100"), key_of("1e2"));
  EXPECT_EQ(key_of("0"), key_of("-0.0e5"));
}

TEST(IndexKey, HoldsScalarsOnly) {
  EXPECT_FALSE(index_key(Value::array()));
  EXPECT_FALSE(index_key(Value::object()));
}

Value random_scalar() {
  switch (*rc::gen::inRange(0, 6)) {
    case 0:
      return {};
    case 1:
      return Value::boolean(*rc::gen::arbitrary<bool>());
    case 2:
    case 3:
      return Value::number(std::to_string(*rc::gen::inRange(-2000, 2000)) + "e" +
                           std::to_string(*rc::gen::inRange(-60, 60)));
    case 4:
      return Value::string(*rc::gen::container<std::string>(rc::gen::inRange<char>(0, 4)));
    default:  // long, with long equal beginnings
      return Value::string(std::string(*rc::gen::inRange<std::size_t>(70, 90), 'x') +
                           *rc::gen::container<std::string>(rc::gen::inRange<char>(0, 127)));
  }
}

TEST(IndexKey, OrderIsThatOfTheValues) {
  EXPECT_TRUE(rc::check("keys sort as values; only long ones may fall together", [] {
    const Value a = random_scalar();
    const Value b = random_scalar();
    const std::string left = index_key(a).value();
    const std::string right = index_key(b).value();
    RC_ASSERT(left.size() <= index_value_bytes_max);
    RC_ASSERT(left.find('\0') == std::string::npos);
    const auto order = compare_scalars(a, b);
    if (order == 0) RC_ASSERT(left == right);
    if (order < 0) RC_ASSERT(left <= right);
    if (order > 0) RC_ASSERT(left >= right);
    const bool is_short =
        left.size() < index_value_bytes_max && right.size() < index_value_bytes_max;
    if (order != 0 && is_short) RC_ASSERT(left != right);
    // Everything with this key, whatever the record's key behind it, comes before what follows.
    RC_ASSERT(left + '\0' + "\xff\xff" < after_index_key(left));
    if (left < right) RC_ASSERT(after_index_key(left) <= right);
  }));
}

}  // namespace
}  // namespace mainstay::record
