#include "runtime/base/bytes.hpp"

#include <string>

#include <gtest/gtest.h>

namespace mainstay {
namespace {

const std::string long_text(100, 'x');

TEST(BytesOwnership, AnEmptyOneHoldsNothing) {
  EXPECT_TRUE(Bytes{}.empty());
  EXPECT_EQ(Bytes{}.size(), 0u);
  EXPECT_EQ(Bytes{}, Bytes{std::string{}});
}

TEST(BytesOwnership, CopiesShareTheSameBytes) {
  const Bytes first{long_text};
  const Bytes copy = first;
  EXPECT_EQ(copy.view().data(), first.view().data());
  EXPECT_EQ(copy, first);
}

TEST(BytesOwnership, ASliceKeepsItsOwnerAlive) {
  Bytes slice;
  {
    const Bytes whole{"head:" + long_text + ":tail"};
    slice = whole.slice(5, long_text.size());
    EXPECT_EQ(whole.slice(whole.view().substr(0, 4)).view(), "head");
  }
  EXPECT_EQ(slice.view(), long_text);
}

TEST(BytesOwnership, AMovedSmallStringIsSeenWhereItLivesNow) {
  // Short strings live inside their object: a view taken before the move would dangle.
  std::string small = "abc";
  const Bytes bytes{std::move(small)};
  const Bytes copy = bytes;
  EXPECT_EQ(copy.view(), "abc");
}

TEST(BytesEquality, IsOfContentNotOfOwner) {
  EXPECT_EQ(Bytes{std::string{"same"}}, Bytes{std::string{"same"}});
  EXPECT_NE(Bytes{std::string{"same"}}, Bytes{std::string{"other"}});
  EXPECT_EQ(Bytes{std::string{"xsame"}}.slice(1, 4), Bytes{std::string{"same"}});
}

}  // namespace
}  // namespace mainstay
