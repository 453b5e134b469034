#include "runtime/base/checksum.hpp"

#include <string>

#include <boost/crc.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace mainstay {
namespace {

std::string counting_up(std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(i));
  return bytes;
}

// The examples of RFC 3720, appendix B.4, read as numbers.
TEST(Crc32c, GivesTheVectorsOfRfc3720) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
  const std::string up = counting_up(32);
  EXPECT_EQ(crc32c(up), 0x46DD794Eu);
  EXPECT_EQ(crc32c(std::string{up.rbegin(), up.rend()}), 0x113FDB5Cu);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
}

TEST(Crc32c, OfNothingIsTheSeed) {
  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c("", 0x12345678u), 0x12345678u);
}

TEST(Crc32c, ContinuesFromWhereAnEarlierCallEnded) {
  const bool holds = rc::check(
      "crc32c(b, crc32c(a)) == crc32c(a + b)",
      [](std::string a, std::string b) { RC_ASSERT(crc32c(b, crc32c(a)) == crc32c(a + b)); });
  EXPECT_TRUE(holds);
}

TEST(Crc32c, AgreesWithAnIndependentImplementationAtEveryLength) {
  for (std::size_t size = 0; size < 70; ++size) {
    const std::string bytes = counting_up(size);
    boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> other;
    other.process_bytes(bytes.data(), bytes.size());
    EXPECT_EQ(crc32c(bytes), other.checksum()) << size << " bytes";
  }
}

TEST(Crc32c, SeesEverySingleFlippedBit) {
  std::string bytes = counting_up(64);
  const std::uint32_t good = crc32c(bytes);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    EXPECT_NE(crc32c(bytes), good) << "bit " << bit;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
  }
}

// Stored on disk for good, so they may never change: XXH3 128 of the empty input is given in the
// specification of xxHash.
TEST(Xxh3, GivesThePublishedHashOfTheEmptyInput) {
  EXPECT_EQ(xxh3_128(""), (Hash128{0x99AA06D3014798D8, 0x6001C324468D497F}));
}

TEST(Xxh3, DependsOnDataAndSeed) {
  EXPECT_EQ(xxh3_128("mainstay", 7), xxh3_128("mainstay", 7));
  EXPECT_NE(xxh3_128("mainstay", 7), xxh3_128("mainstay", 8));
  EXPECT_NE(xxh3_128("mainstay", 7), xxh3_128("mainstaz", 7));
}

TEST(Hash128Sum, CarriesAndBorrowsAcrossTheWords) {
  const Hash128 low_full{0, ~0ull};
  const Hash128 one{0, 1};
  EXPECT_EQ(add(low_full, one), (Hash128{1, 0}));
  EXPECT_EQ(subtract(Hash128{1, 0}, one), low_full);
  EXPECT_EQ(add(Hash128{~0ull, ~0ull}, one), (Hash128{0, 0}));
  EXPECT_EQ(subtract(Hash128{0, 0}, one), (Hash128{~0ull, ~0ull}));
}

TEST(Hash128Sum, IsFreeOfOrderAndCanBeTakenOutAgain) {
  const bool holds = rc::check([](Hash128 a, Hash128 b, Hash128 c) {
    RC_ASSERT(add(a, add(b, c)) == add(add(c, a), b));
    RC_ASSERT(subtract(add(a, b), b) == a);
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace mainstay
