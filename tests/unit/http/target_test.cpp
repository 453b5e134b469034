#include "runtime/http/target.hpp"

#include <gtest/gtest.h>

#include "runtime/base/random.hpp"

namespace mainstay::http {
namespace {

TEST(Target, DecodesBytesAndRefusesBrokenTriples) {
  EXPECT_EQ(percent_decode("a%2Fb%20c%c3%A9").value(), "a/b c\xc3\xa9");
  EXPECT_EQ(percent_decode("a+b").value(), "a+b");
  EXPECT_EQ(percent_decode("%00").value(), std::string(1, '\0'));
  for (const char* bad : {"%", "a%2", "%zz", "%2g", "%%20", "100%"}) {
    auto refused = percent_decode(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, Errc::invalid_argument);
  }
}

TEST(Target, EncodingComesBack) {
  SeededRandom random{7};
  for (int round = 0; round < 2000; ++round) {
    std::string text(random.between(0, 40), '\0');
    for (char& c : text) c = static_cast<char>(random.next());
    const std::string encoded = percent_encode(text);
    EXPECT_EQ(percent_decode(encoded).value(), text);
    for (const char c : encoded) EXPECT_TRUE(c > ' ' && c != '/' && c != '?' && c != '&');
  }
}

TEST(Target, QueriesAreNamesAndValues) {
  EXPECT_EQ(parse_query("a=1&b=x%20y+z&c&=d&&e=%3D").value(),
            (Query{{"a", "1"}, {"b", "x y z"}, {"c", ""}, {"", "d"}, {"e", "="}}));
  EXPECT_TRUE(parse_query("").value().empty());
  EXPECT_FALSE(parse_query("a=%"));
}

TEST(Target, ArbitraryTextIsTakenOrRefusedNeverMore) {
  SeededRandom random{11};
  for (int round = 0; round < 20'000; ++round) {
    std::string text(random.between(0, 24), '\0');
    for (char& c : text) c = "%%%0aF&=+/\x80\xff"[random.between(0, 11)];
    (void)percent_decode(text);
    (void)parse_query(text);
  }
}

}  // namespace
}  // namespace mainstay::http
