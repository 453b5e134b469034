#include "actors/peer_link/parcel.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace mainstay::peer_link {
namespace {

TEST(Parcel, opens_to_what_was_sealed) {
  EXPECT_TRUE(rc::check([](const std::string& frame, std::uint64_t token, std::uint64_t received) {
    const auto parcel = open_parcel(seal_parcel(frame, token, received));
    RC_ASSERT(parcel.has_value());
    RC_ASSERT(parcel->frame.view() == frame);
    RC_ASSERT(parcel->token == token);
    RC_ASSERT(parcel->received == received);
  }));
}

TEST(Parcel, has_these_bytes) {
  EXPECT_EQ(seal_parcel("ab", 0x0102030405060708, 1),
            std::string("ab\x08\x07\x06\x05\x04\x03\x02\x01\x01\0\0\0\0\0\0\0", 18));
}

TEST(Parcel, takes_any_bytes) {
  EXPECT_FALSE(open_parcel(""));
  EXPECT_FALSE(open_parcel(std::string(15, 'x')));
  EXPECT_TRUE(open_parcel(std::string(16, 'x'))->frame.empty());
}

}  // namespace
}  // namespace mainstay::peer_link
