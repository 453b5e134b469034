#include "runtime/torture/packet.hpp"

#include <gtest/gtest.h>

namespace mainstay::torture {
namespace {

std::string bytes_of(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes.push_back(static_cast<char>(value));
  return bytes;
}

// 10.77.0.1:1000 to 10.77.0.2:7401, sequence 0x01020304, acknowledged 0x0a0b0c0d, "hello".
std::string segment(int flags) {
  return bytes_of({0x45, 0, 0, 45, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 77, 0, 1, 10, 77, 0, 2}) +
         bytes_of({0x03, 0xE8, 0x1C, 0xE9,  1, 2,   3, 4, 10, 11,
                   12,   13,   0x50, flags, 0, 100, 0, 0, 0,  0}) +
         "hello";
}

constexpr int ack = 0x10, syn = 0x02, rst = 0x04;

// The checksum over the pseudo header and the segment of a correct packet is 0 when complemented.
std::uint16_t tcp_sum(const std::string& packet) {
  const std::string pseudo = packet.substr(12, 8) + bytes_of({0, 6, 0, 20});
  return internet_checksum(pseudo + packet.substr(20));
}

TEST(PacketTest, TellsWhomItIsFromAndFor) {
  const auto route = route_of(segment(ack));
  ASSERT_TRUE(route);
  EXPECT_EQ(route->from, address_of(10, 77, 0, 1));
  EXPECT_EQ(route->to, address_of(10, 77, 0, 2));
  EXPECT_FALSE(route_of("too short"));
  EXPECT_FALSE(route_of(bytes_of({0x60}) + std::string(60, '\0'))) << "IPv6";
}

TEST(PacketTest, AResetCarriesTheSequenceThatItsReceiverExpects) {
  const Resets resets = resets_of(segment(ack));
  ASSERT_EQ(resets.forward.size(), 40U);
  EXPECT_EQ(route_of(resets.forward)->to, address_of(10, 77, 0, 2));
  EXPECT_EQ(resets.forward.substr(20, 8), bytes_of({0x03, 0xE8, 0x1C, 0xE9, 1, 2, 3, 4}));
  EXPECT_EQ(route_of(resets.backward)->to, address_of(10, 77, 0, 1));
  EXPECT_EQ(resets.backward.substr(20, 8), bytes_of({0x1C, 0xE9, 0x03, 0xE8, 10, 11, 12, 13}));
  for (const std::string& packet : {resets.forward, resets.backward}) {
    EXPECT_EQ(packet[33], rst);
    EXPECT_EQ(internet_checksum(packet.substr(0, 20)), 0);
    EXPECT_EQ(tcp_sum(packet), 0);
  }
}

TEST(PacketTest, WhatCannotBeResetIsLeftAlone) {
  EXPECT_TRUE(resets_of(segment(syn)).forward.empty());
  EXPECT_TRUE(resets_of(segment(rst | ack)).forward.empty());
  std::string datagram = segment(ack);
  datagram[9] = 17;
  EXPECT_TRUE(resets_of(datagram).forward.empty());
  EXPECT_TRUE(resets_of(segment(ack).substr(0, 30)).forward.empty()) << "cut short";
}

// RFC 1071, section 3.
TEST(PacketTest, TheChecksumOfTheStandardsExample) {
  EXPECT_EQ(internet_checksum(bytes_of({0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7})),
            static_cast<std::uint16_t>(~0xddf2));
}

}  // namespace
}  // namespace mainstay::torture
