// Mutated mappings and documents: the same few thousand at every run. The feeding function aborts
// if a promise is broken.
#include <gtest/gtest.h>

#include "runtime/base/random.hpp"
#include "tests/fuzz/feed_mapping.hpp"

namespace mainstay::fuzz {
namespace {

constexpr const char* telling[] = {
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    ":",
    "null",
    "1e99",
    "-",
    "/",
    "../",
    ".",
    "*",
    "~0",
    "~",
    "\"$path\":",
    "\"$each\":",
    "\"default\":",
    "\"required\":true,",
    "\"when\":",
    "\"/lines\"",
    "\"$const\"",
    "\"single\":true,",
    "%Y",
    "%",
    "0.1",
    "99999999999999999999999999999999999999999",
    "\\u0000",
    "\xc3",
};

std::string mutated(std::string text, const std::string& other, Random& random) {
  for (auto times = random.between(1, 2); times > 0; --times) {
    const std::size_t at = random.between(0, text.size());
    switch (random.between(0, 4)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(random.between(' ', '~'));
        break;
      case 1:
        text.insert(at, telling[random.between(0, std::size(telling) - 1)]);
        break;
      case 2:
        text.erase(at, random.between(1, 6));
        break;
      case 3:
        text.insert(at, text.substr(at / 2, random.between(1, 32)));
        break;
      default:
        text.replace(at, 12, other.substr(random.between(0, other.size()), 24));
        break;
    }
  }
  return text;
}

TEST(MappingFuzzSmoke, EverySampleGivesSomething) {
  for (const std::string& text : mapping_samples()) EXPECT_TRUE(feed_mapping(text)) << text;
}

TEST(MappingFuzzSmoke, MutatedMappingsAndDocuments) {
  SeededRandom random{20261128};
  const auto samples = mapping_samples();
  int made = 0;
  for (int round = 0; round < 40'000; ++round) {
    const std::string& sample = samples[random.between(0, samples.size() - 1)];
    const std::string& other = samples[random.between(0, samples.size() - 1)];
    made += feed_mapping(mutated(sample, other, random)) ? 1 : 0;
  }
  EXPECT_GT(made, 500);
}

}  // namespace
}  // namespace mainstay::fuzz
