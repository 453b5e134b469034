#include "runtime/base/random.hpp"

#include <array>
#include <set>

#include <gtest/gtest.h>

namespace mainstay {
namespace {

// A seed names a trace for good: a failing seed in a bug report must replay on any later build.
TEST(SeededRandomNumbers, AreTheSameForTheSameSeedForGood) {
  SeededRandom random{42};
  const std::array<std::uint64_t, 4> drawn{random.next(), random.next(), random.next(),
                                           random.next()};
  EXPECT_EQ(drawn, (std::array<std::uint64_t, 4>{1546998764402558742u, 6990951692964543102u,
                                                 12544586762248559009u, 17057574109182124193u}));
}

TEST(SeededRandomNumbers, DifferWithTheSeedEvenForNeighbours) {
  std::set<std::uint64_t> firsts;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) firsts.insert(SeededRandom{seed}.next());
  EXPECT_EQ(firsts.size(), 1000u);
}

TEST(SeededRandomNumbers, StayWithinTheirRangeAndReachBothEnds) {
  SeededRandom random{1};
  std::array<int, 6> seen{};
  for (int i = 0; i < 6000; ++i) ++seen.at(random.between(10, 15) - 10);
  // 1000 expected in each; 800 is more than seven standard deviations away.
  for (int count : seen) EXPECT_GT(count, 800);
  EXPECT_EQ(random.between(3, 3), 3u);
}

}  // namespace
}  // namespace mainstay
