#include "actors/peer_link/backoff.hpp"

#include <gtest/gtest.h>

namespace mainstay::peer_link {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, doubles_to_its_longest_with_jitter_over_the_upper_half) {
  SeededRandom random{7};
  for (int run = 0; run < 100; ++run) {
    Backoff backoff{50ms, 2000ms};
    for (Millis whole : {50ms, 100ms, 200ms, 400ms, 800ms, 1600ms, 2000ms, 2000ms}) {
      const Millis wait = backoff.next(random);
      EXPECT_GE(wait, whole / 2);
      EXPECT_LE(wait, whole);
    }
    backoff.reset();
    EXPECT_LE(backoff.next(random), 50ms);
  }
}

}  // namespace
}  // namespace mainstay::peer_link
