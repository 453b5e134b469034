#include "runtime/integration/pacing.hpp"

#include <gtest/gtest.h>

namespace mainstay::integration {
namespace {

constexpr MonotonicTime start{std::chrono::hours{1}};

TEST(BackoffTest, DoublesUpToTheMostAndIsDrawnFromTheUpperHalf) {
  SeededRandom random{1};
  Backoff backoff{Millis{100}, Millis{1'000}, random};
  for (const int whole : {100, 200, 400, 800, 1'000, 1'000}) {
    const Millis wait = backoff.next();
    EXPECT_GE(wait.count(), whole / 2);
    EXPECT_LE(wait.count(), whole);
  }
  backoff.reset();
  EXPECT_LE(backoff.next().count(), 100);
}

TEST(BreakerTest, OpensAfterFailuresInARowAndLetsOneTry) {
  Breaker breaker{3, Millis{1'000}};
  breaker.failed(start);
  breaker.failed(start);
  breaker.succeeded();
  breaker.failed(start);
  breaker.failed(start);
  EXPECT_TRUE(breaker.allows(start));
  breaker.failed(start);
  EXPECT_FALSE(breaker.allows(start + Millis{999}));
  EXPECT_EQ(breaker.state(start + Millis{1'000}), Breaker::State::half_open);
  breaker.failed(start + Millis{1'000});
  EXPECT_FALSE(breaker.allows(start + Millis{1'999}));
  breaker.succeeded();
  EXPECT_EQ(breaker.state(start), Breaker::State::closed);
}

TEST(RateLimitTest, GivesSoManyASecond) {
  RateLimit rate{100};
  int taken = 0;
  for (int ms = 0; ms < 1'000; ++ms)
    if (rate.take(start + Millis{ms})) ++taken;
  EXPECT_GE(taken, 100);
  EXPECT_LE(taken, 111);
  RateLimit none{0};
  EXPECT_TRUE(none.take(start));
}

}  // namespace
}  // namespace mainstay::integration
