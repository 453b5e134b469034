// Mutated samples through all decoders: the same few thousand inputs at every run. feed() aborts if
// a decoder accepts nonsense.
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/random.hpp"
#include "tests/compat/samples.hpp"
#include "tests/fuzz/feed.hpp"

namespace mainstay::fuzz {
namespace {

// Words that mean something to Cap'n Proto: far pointers, lists of structs of size 0, lengths at
// the edge.
constexpr std::uint64_t telling_words[] = {0,
                                           ~0ULL,
                                           0x00000000fffffffc,
                                           0x0000000100000001,
                                           0xfffffff900000001,
                                           0x0000000700000001,
                                           0x8000000000000002,
                                           0x0001000100000000,
                                           0xffffffffffff0000};

void overwrite_word(std::string& bytes, std::size_t at, std::uint64_t word) {
  for (std::size_t i = 0; i < 8 && at + i < bytes.size(); ++i)
    bytes[at + i] = static_cast<char>(word >> (8 * i) & 0xff);
}

void mutate(std::string& bytes, const std::string& other, Random& random) {
  if (bytes.empty()) bytes.push_back('\0');
  const std::size_t at = random.between(0, bytes.size() - 1);
  const std::size_t word_at = at / 8 * 8;
  switch (random.between(0, 6)) {
    case 0:
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.between(0, 7)));
      break;
    case 1:
      bytes[at] = static_cast<char>(random.next());
      break;
    case 2:
      overwrite_word(bytes, word_at, telling_words[random.between(0, 8)]);
      break;
    case 3:
      overwrite_word(bytes, word_at, random.next());
      break;
    case 4:
      bytes.resize(at);
      break;
    case 5:
      bytes.insert(word_at, bytes.substr(word_at, 8 * random.between(1, 4)));
      break;
    default:
      bytes.replace(word_at, 64, other.substr(other.size() / 16 * 8, 64));
      break;
  }
}

TEST(FuzzSmoke, EverySampleIsAcceptedByItsDecoder) {
  for (const auto& sample : compat::all_samples())
    EXPECT_GE(feed_all(sample.bytes), 1) << sample.name;
}

TEST(FuzzSmoke, MutatedSamplesNeverHurtADecoder) {
  SeededRandom random{20261122};
  const auto samples = compat::all_samples();
  int accepted = 0;
  for (int round = 0; round < 200; ++round)
    for (const auto& sample : samples) {
      std::string bytes = sample.bytes;
      const auto& other = samples[random.between(0, samples.size() - 1)];
      for (auto times = random.between(1, 4); times > 0; --times)
        mutate(bytes, other.bytes, random);
      accepted += feed_all(bytes);
    }
  // Most mutations are not noticed by Cap'n Proto itself (a changed number is a number): the
  // decoders really got to the content.
  EXPECT_GT(accepted, 1000);
}

TEST(FuzzSmoke, RandomBytesAreRefusedBySeals) {
  SeededRandom random{1};
  for (int round = 0; round < 200; ++round) {
    std::string bytes(random.between(0, 300), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.next());
    for (unsigned kind = 1; kind <= static_cast<unsigned>(wire::SealKind::balance); ++kind)
      EXPECT_FALSE(feed(static_cast<wire::SealKind>(kind), bytes));
  }
}

}  // namespace
}  // namespace mainstay::fuzz
