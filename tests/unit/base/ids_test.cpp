#include "runtime/base/ids.hpp"

#include <array>
#include <string>
#include <type_traits>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace mainstay {
namespace {

TEST(NumericIds, OfDifferentKindsDoNotConvert) {
  EXPECT_FALSE((std::is_convertible_v<NodeId, GroupId>));
  EXPECT_FALSE((std::is_convertible_v<NodeId, std::uint64_t>));
  EXPECT_FALSE((std::is_constructible_v<GroupId, NodeId>));
}

TEST(NumericIds, ZeroMeansNone) {
  EXPECT_FALSE(NodeId{});
  EXPECT_TRUE(NodeId{1});
  EXPECT_TRUE(first_group);
}

TEST(NumericIds, CompareAndHashByValue) {
  EXPECT_LT(NodeId{1}, NodeId{2});
  EXPECT_EQ(std::hash<NodeId>{}(NodeId{7}), std::hash<NodeId>{}(NodeId{7}));
  EXPECT_EQ(to_string(NodeId{18'446'744'073'709'551'615u}), "18446744073709551615");
}

TEST(WideIds, ArePrintedMostSignificantFirstWithLeadingZeros) {
  EXPECT_EQ(to_string(ClusterId{{0x1, 0xABC}}), "00000000000000010000000000000abc");
  EXPECT_FALSE(ClusterId{});
  EXPECT_TRUE((ClusterId{{0, 1}}));
}

TEST(WideIds, ComeBackFromTheirText) {
  const bool holds = rc::check([](std::array<std::uint64_t, 2> words) {
    const auto back = words_of_hex(hex_of(words));
    RC_ASSERT(back.has_value());
    RC_ASSERT(*back == words);
  });
  EXPECT_TRUE(holds);
}

TEST(WideIds, AreReadInEitherCase) {
  const auto words = words_of_hex("00000000000000010000000000000ABC");
  ASSERT_TRUE(words.has_value());
  EXPECT_EQ(*words, (std::array<std::uint64_t, 2>{1, 0xABC}));
}

TEST(WideIds, RefuseWhatIsNotThirtyTwoDigitsAndQuoteIt) {
  for (const std::string bad :
       {"", "1", "0000000000000001000000000000abcg", "00000000000000010000000000000abc0",
        "-000000000000001000000000000abcd", "0x00000000000001000000000000abcd"}) {
    const auto words = words_of_hex(bad);
    ASSERT_FALSE(words.has_value()) << bad;
    EXPECT_EQ(words.error().code, Errc::invalid_argument);
    EXPECT_NE(words.error().message.find("'" + bad + "'"), std::string::npos)
        << words.error().message;
  }
}

}  // namespace
}  // namespace mainstay
