// Mutated request bodies through the handlers of the API: the same few thousand at every run.
// feed_body() aborts if a promise is broken.
#include <gtest/gtest.h>

#include "runtime/base/random.hpp"
#include "tests/fuzz/feed_body.hpp"

namespace mainstay::fuzz {
namespace {

constexpr const char* telling[] = {
    "{",       "}",       "[",     "]",
    "\"",      ",",       ":",     "null",
    "true",    "-0",      "1e400", "1e-9",
    "\\u0000", "\\ud800", "\xff",  "99999999999999999999999999999999999999999",
    "\"\"",    "{}",      "[]",    "/~1",
    "_audit",  "~2"};

TEST(BodySmoke, SamplesAreAccepted) {
  for (const std::string& sample : body_samples()) EXPECT_LT(feed_body(sample), 300) << sample;
}

TEST(BodySmoke, MutatedBodiesAreTakenOrRefused) {
  SeededRandom random{20261123};
  const auto samples = body_samples();
  int accepted = 0;
  for (int round = 0; round < 300; ++round)
    for (const std::string& sample : samples) {
      std::string text = sample;
      for (auto edits = random.between(1, 3); edits > 0; --edits) {
        const std::size_t at = random.between(1, text.size());
        const std::size_t cut = random.between(0, 4);
        if (random.between(0, 3) == 0)
          text.resize(std::max<std::size_t>(1, at));
        else
          text.replace(at, cut, telling[random.between(0, std::size(telling) - 1)]);
      }
      accepted += feed_body(text) < 300 ? 1 : 0;
    }
  EXPECT_GT(accepted, 20);
}

}  // namespace
}  // namespace mainstay::fuzz
