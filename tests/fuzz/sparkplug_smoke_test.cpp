// Mutated messages of a plant: the same few thousand at every run. The feeding function aborts if a
// promise is broken.
#include <gtest/gtest.h>

#include "runtime/base/random.hpp"
#include "tests/fuzz/feed_sparkplug.hpp"

namespace mainstay::fuzz {
namespace {

std::string mutated(std::string bytes, const std::string& other, Random& random) {
  for (auto times = random.between(1, 3); times > 0; --times) {
    const std::size_t at = random.between(0, bytes.size());
    switch (random.between(0, 3)) {
      case 0:
        if (at < bytes.size()) bytes[at] = static_cast<char>(random.next());
        break;
      case 1:
        bytes.erase(at, random.between(1, 40));
        break;
      case 2:
        bytes.insert(at, bytes.substr(at / 2, random.between(1, 40)));
        break;
      default:
        bytes.replace(at, 8, other.substr(random.between(0, other.size()), 30));
        break;
    }
  }
  return bytes;
}

TEST(SparkplugFuzzSmoke, EverySampleIsHeard) {
  for (const std::string& bytes : sparkplug_samples()) EXPECT_GE(feed_sparkplug(bytes), 10);
}

TEST(SparkplugFuzzSmoke, MutatedMessages) {
  SeededRandom random{20261128};
  const auto samples = sparkplug_samples();
  int heard = 0;
  for (int round = 0; round < 5'000; ++round)
    for (const std::string& sample : samples)
      heard += feed_sparkplug(mutated(sample, samples[random.between(0, 2)], random));
  EXPECT_GT(heard, 10'000);
}

}  // namespace
}  // namespace mainstay::fuzz
