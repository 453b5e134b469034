#include "actors/kit/ticker.hpp"

#include <atomic>

#include <caf/all.hpp>
#include <gtest/gtest.h>

#include "actors/kit/actor_system.hpp"
#include "runtime/sys/clock.hpp"

namespace mainstay::kit {
namespace {

using namespace std::chrono_literals;

TEST(TickPace, a_punctual_wake_is_one_period_on_a_fixed_grid) {
  const MonotonicTime start{};
  TickPace pace{10ms, start};
  Tick tick;
  EXPECT_TRUE(pace.wake(start + 10ms + 100us, true, tick));
  EXPECT_EQ(tick.periods, 1u);
  EXPECT_EQ(tick.lateness, 100us);
  EXPECT_EQ(pace.next_due(), start + 20ms);
}

TEST(TickPace, a_late_wake_counts_the_missed_periods_and_keeps_the_grid) {
  const MonotonicTime start{};
  TickPace pace{10ms, start};
  Tick tick;
  EXPECT_TRUE(pace.wake(start + 47ms, true, tick));
  EXPECT_EQ(tick.periods, 4u);
  EXPECT_EQ(tick.lateness, 37ms);
  EXPECT_EQ(pace.next_due(), start + 50ms);
}

TEST(TickPace, periods_that_the_receiver_could_not_take_come_with_the_next_tick) {
  const MonotonicTime start{};
  TickPace pace{10ms, start};
  Tick tick;
  EXPECT_FALSE(pace.wake(start + 10ms, false, tick));
  EXPECT_FALSE(pace.wake(start + 20ms, false, tick));
  EXPECT_TRUE(pace.wake(start + 30ms, true, tick));
  EXPECT_EQ(tick.periods, 3u);
}

TEST(Ticker, ticks_an_actor_and_never_queues_a_second_tick_behind_a_first) {
  ActorSystemConfig config{SystemOptions{false, false, 2}};
  caf::actor_system system{config};
  std::atomic<int> ticks{0};
  std::atomic<int> periods{0};
  std::atomic<bool> hold{true};
  auto receiver = system.spawn<caf::detached>([&](caf::event_based_actor*) {
    return caf::behavior{[&](const Tick& tick) {
      while (hold) std::this_thread::yield();
      ++ticks;
      periods += static_cast<int>(tick.periods);
    }};
  });
  {
    Ticker ticker{receiver, 1ms};
    const auto deadline = sys::system_clock().monotonic() + 20s;
    // The receiver holds the first tick until at least 20 periods have passed.
    const auto begin = sys::system_clock().monotonic();
    while (sys::system_clock().monotonic() < begin + 20ms) std::this_thread::yield();
    hold = false;
    while (ticks < 3 && sys::system_clock().monotonic() < deadline) std::this_thread::yield();
    EXPECT_GE(ticks, 3);
    EXPECT_GT(periods, ticks);  // the held-up periods came as one tick
    const auto lateness = ticker.take_lateness();
    EXPECT_GE(lateness.ticks, 3u);
    EXPECT_GT(lateness.skipped, 0u);
  }
  caf::anon_send_exit(receiver, caf::exit_reason::kill);
}

}  // namespace
}  // namespace mainstay::kit
